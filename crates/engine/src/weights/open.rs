//! What kind of file weights are in, told by its bytes.

use std::path::Path;

use waag_formats::budget::Budget;
use waag_formats::child::Role;
use waag_formats::format::Probe;
use waag_formats::pickle::state;
use waag_formats::source::Source as _;
use waag_formats::weights::{Catalogue, Problem};
use waag_formats::{gguf, hdf5, messagepack, numpy, recognise, weights};

use super::folder::{self, INDEXES};
use super::store::{Store, refused, unreadable, unsupported};
use super::{TensorStore, WeightsError, archive};
use crate::io::FileSource;

/// Formats that have weights.
const WITH_WEIGHTS: &[&str] = &["safetensors", "pickle", "npy", "hdf5", "msgpack", "gguf", "zip"];

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
    let format = format_of(path, &source);
    if format == Some("zip") {
        return Ok(Box::new(archive::open(path, source, &budget)?));
    }
    let read: Result<Catalogue, Problem> = match format {
        Some("safetensors") => weights::read_safetensors(&source, &budget),
        Some("pickle") => pickled(&source, &budget),
        Some("npy") => array(&source),
        Some("hdf5") => hdf5::read_plain(&source, &budget),
        Some("msgpack") => messagepack::read_plain(&source, &budget),
        Some("gguf") => gguf::read_plain(&source, &budget),
        Some(other) => return Err(unsupported(path, format!("tensors are not read from the format {other}"))),
        None => return Err(unsupported(path, "nobody here knows its format")),
    };
    let catalogue = read.and_then(Catalogue::checked).map_err(|problem| refused(path, &problem))?;
    Ok(Box::new(Store::of_file(path, Box::new(source), catalogue, &budget)?))
}

/// A pickle that is a file of its own: one of PyTorch's older ones, or one that has arrays within itself.
fn pickled(source: &FileSource, budget: &Budget) -> Result<Catalogue, Problem> {
    if state::is_legacy(source) { state::read_legacy(source, budget) } else { state::read(source, budget) }
}

/// An array without a name.
fn array(source: &FileSource) -> Result<Catalogue, Problem> {
    match numpy::read_plain(source, state::ONLY)? {
        numpy::Plain::Tensor(catalogue) => Ok(catalogue),
        numpy::Plain::Other(what) => Err(Problem::unsupported(format!("it is an {what}"))),
    }
}

/// Whether a file is of a format that has weights.
pub(super) fn is_weights(path: &Path) -> bool {
    let Ok(source) = FileSource::open(path) else { return false };
    format_of(path, &source).is_some_and(|format| WITH_WEIGHTS.contains(&format))
}

fn format_of(path: &Path, source: &FileSource) -> Option<&'static str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    recognise(&Probe::new(source, &name, Role::Unknown)).first().map(|(format, _)| format.meta().id)
}
