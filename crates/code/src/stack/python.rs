//! Which Python a project says that it uses where no list of packages says it: `runtime.txt` of hosting services. All other
//! files are read with the packages that they name.

use waag_evidence::Location;

use super::Statement;

/// Bytes of such a file that are read.
pub const MAX_BYTES: u64 = 4 << 20;

/// Whether a file of this name says which Python is used, and names no packages.
#[must_use]
pub fn is_read(name: &str) -> bool {
    name == "runtime.txt"
}

/// What the text of such a file says: `python-3.11.4`. A file that says nothing gives nothing.
#[must_use]
pub fn read(text: &str, file: &str) -> Option<Statement> {
    let mut lines = (1..).zip(text.lines().map(str::trim));
    let (line, said) = lines.find(|(_, line)| !line.is_empty() && !line.starts_with('#'))?;
    let version: pep440_rs::Version = said.strip_prefix("python-")?.parse().ok()?;
    let location = Location { line: Some(line), ..Location::file(file) };
    Some(Statement { text: format!("=={version}"), location, group: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_one_version() {
        let said = |text| read(text, "runtime.txt").map(|one| (one.text, one.location.line.unwrap()));
        assert_eq!(said("# mine\npython-3.9.7\n"), Some(("==3.9.7".to_owned(), 2)));
        assert_eq!((said("node"), said("python-x"), said("")), (None, None, None));
    }
}
