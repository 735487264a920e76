//! A ledger as others can take it: a folder of files, or one file with a line for each statement. Both are in order of
//! digests, so that the same statements give the same bytes.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::{Ledger, LedgerError, store_error};
use crate::io::write_atomically;

/// What was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Statements that were.
    pub written: u64,
    /// Entries that were not, since they are not believed.
    pub left_out: u64,
}

impl Ledger {
    /// Writes every statement as a line.
    ///
    /// # Errors
    /// When the ledger cannot be read or `out` cannot be written to.
    pub fn export_lines(&self, out: &mut dyn Write) -> Result<Exported, LedgerError> {
        self.export(|_, bytes| {
            out.write_all(bytes)?;
            out.write_all(b"\n")
        })
    }

    /// Writes every statement as a file that is named by its digest.
    ///
    /// # Errors
    /// When the ledger cannot be read or the folder cannot be written to.
    pub fn export_folder(&self, folder: &Path) -> Result<Exported, LedgerError> {
        fs::create_dir_all(folder).map_err(|source| store_error(folder, source))?;
        self.export(|name, bytes| {
            let write = |file: &mut fs::File| file.write_all(bytes).map(|()| None::<()>);
            write_atomically(&folder.join(format!("{name}.json")), write).map(|_| ())
        })
    }

    fn export(&self, mut write: impl FnMut(&str, &[u8]) -> io::Result<()>) -> Result<Exported, LedgerError> {
        let mut exported = Exported::default();
        let failed = |source| store_error(self.store.folder(), source);
        for (shard, _) in self.store.shards() {
            let (digests, _) = self.store.list(&shard).map_err(failed)?;
            for digest in digests {
                match self.store.read(&digest) {
                    Ok((bytes, _)) => {
                        write(&digest.to_string(), &bytes).map_err(failed)?;
                        exported.written += 1;
                    }
                    Err(_) => exported.left_out += 1,
                }
            }
        }
        Ok(exported)
    }
}
