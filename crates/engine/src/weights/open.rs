//! What kind of file weights are in, told by its bytes.

use std::path::Path;

use waag_formats::budget::Budget;
use waag_formats::child::Role;
use waag_formats::format::Probe;
use waag_formats::source::Source as _;
use waag_formats::{recognise, weights};

use super::folder::{self, INDEXES};
use super::store::{Store, refused, unreadable, unsupported};
use super::{TensorStore, WeightsError};
use crate::io::FileSource;

/// Opens the weights of a file, of an index of shards, or of a folder. Nothing is executed, and no number is read yet.
///
/// # Errors
/// When there are none, they break their format's rules, or have no faithful form as plain tensors.
pub fn open(path: &Path) -> Result<Box<dyn TensorStore>, WeightsError> {
    let name = path.to_string_lossy();
    if path.is_dir() {
        folder::open(path)
    } else if INDEXES.iter().any(|ending| name.ends_with(ending)) {
        folder::indexed(path)
    } else {
        file(path)
    }
}

/// Opens one file.
pub(super) fn file(path: &Path) -> Result<Box<dyn TensorStore>, WeightsError> {
    let source = FileSource::open(path).map_err(|error| unreadable(path, error))?;
    let budget = Budget::for_size(source.len());
    let store = match format_of(path, &source) {
        Some("safetensors") => {
            let catalogue = weights::read_safetensors(&source, &budget).map_err(|problem| refused(path, &problem))?;
            Store::of_file(path, Box::new(source), catalogue)?
        }
        Some(other) => {
            return Err(unsupported(path, format!("tensors are not read from a file of the format {other}")));
        }
        None => return Err(unsupported(path, "nobody here knows this format")),
    };
    Ok(Box::new(store))
}

/// Whether a file is of a format that has weights.
pub(super) fn is_weights(path: &Path) -> bool {
    let Ok(source) = FileSource::open(path) else { return false };
    matches!(format_of(path, &source), Some("safetensors"))
}

fn format_of(path: &Path, source: &FileSource) -> Option<&'static str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    recognise(&Probe::new(source, &name, Role::Unknown)).first().map(|(format, _)| format.meta().id)
}
