//! Where provenance is written.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;
use waag_evidence::statement::{PAYLOAD_TYPE, Statement};
use waag_signing::envelope::Envelope;

/// Writes a statement: an envelope that nobody has signed yet, in one line. A file that has the name is replaced, and only
/// by a whole one.
///
/// # Errors
/// When the file cannot be written.
pub fn write<P: Serialize>(statement: &Statement<P>, path: &Path) -> io::Result<()> {
    let mut envelope = Envelope::new(PAYLOAD_TYPE, &serde_json::to_vec(statement)?, b"");
    envelope.signatures.clear();
    let mut bytes = serde_json::to_vec(&envelope)?;
    bytes.push(b'\n');
    whole(path, &bytes)
}

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
