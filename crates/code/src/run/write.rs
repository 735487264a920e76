//! Files that are written whole or not at all.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file that is either whole or not there.
///
/// # Errors
/// When it cannot be written.
pub fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.exists() && !path.is_file() {
        return File::create(path)?.write_all(bytes);
    }
    let mut file = tempfile::Builder::new().permissions(plain()).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// What a file has that is simply made: the user's mask is applied to it.
fn plain() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}
