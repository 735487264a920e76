//! The NVIDIA driver that is asked about: a version, or the one of this machine.

use std::io;
use std::path::Path;

use waag_engine::bounded;
use waag_engine::settings::{Driver, NoDriver};
use waag_evidence::Location;

/// Where the driver itself says which one it is.
const VERSION: &str = "/proc/driver/nvidia/version";
/// Bytes of it that are read; it has two lines.
const MAX_BYTES: u64 = 1 << 16;
/// What stands for the driver of this machine.
pub const HERE: &str = "here";

/// Why there is no driver to compare with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskedError {
    /// What was asked for is no version.
    #[error(transparent)]
    Version(#[from] NoDriver),
    /// This machine has none, or it cannot be asked.
    #[error("cannot read the NVIDIA driver of this machine in '{VERSION}': {0}")]
    Machine(io::Error),
    /// The machine says something else than it always did.
    #[error("'{VERSION}' names no version of a driver")]
    Unread,
}

impl AskedError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Version(error) => error.hint(),
            Self::Machine(_) => {
                "no driver is loaded here, or this is no Linux; name the version that is meant, as in `--driver 535.104.05`"
            }
            Self::Unread => "name the version that is meant, as in `--driver 535.104.05`; `nvidia-smi` prints it",
        }
    }
}

/// The driver that an option asks about: a version, or [`HERE`].
///
/// # Errors
/// When it is no version, or this machine has no driver.
pub fn asked(text: &str) -> Result<Driver, AskedError> {
    if text == HERE { of_machine(Path::new(VERSION)) } else { Ok(Driver::new(text, Location::file("--driver"))?) }
}

fn of_machine(path: &Path) -> Result<Driver, AskedError> {
    let bytes = bounded::read(path, MAX_BYTES).map_err(AskedError::Machine)?;
    let text = String::from_utf8_lossy(&bytes);
    // `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 …`; open modules name the architecture later.
    let line = text.lines().find(|line| line.starts_with("NVRM version:")).unwrap_or_default();
    let location = || Location::file(path.display().to_string());
    line.split_whitespace().find_map(|word| Driver::new(word, location()).ok()).ok_or(AskedError::Unread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_asked() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            of_machine(file.path()).map(|driver| driver.version)
        };
        for (line, expected) in [
            ("x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023", "535.104.05"),
            ("Open Kernel Module for x86_64  550.54.14  Release Build  (dvs-builder@U16-I3-B03-4-3)", "550.54.14"),
            ("aarch64 Kernel Module  390.147  Fri", "390.147"),
        ] {
            let text =
                format!("NVRM version: NVIDIA UNIX {line}\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n");
            assert_eq!(read(&text).unwrap(), expected);
        }
        assert!(matches!(read("GCC version: gcc version 612.2.0\n"), Err(AskedError::Unread)));
        assert!(matches!(read(&"x".repeat(1 << 17)), Err(AskedError::Machine(_))));
        assert!(matches!(of_machine(Path::new("nowhere")), Err(AskedError::Machine(_))));
        assert!(matches!(asked("12.4"), Err(AskedError::Version(_))));
        assert_eq!(asked("535.104").unwrap().location.file, "--driver");
    }
}
