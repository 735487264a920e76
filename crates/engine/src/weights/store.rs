//! The tensors of one file: views of ranges of a few sources.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use waag_formats::budget::Budget;
use waag_formats::hdf5::Chunked;
use waag_formats::protobuf::Span;
use waag_formats::source::{ReadError, Source, read_exact_at};
use waag_formats::weights::{Catalogue, Entry, LeftOut, Problem, Storage, row_major};

use super::{TensorInfo, TensorStore, WeightsError, gather};
use crate::io::Spool;
use crate::sanitize::sanitize;

/// Where the bytes of a storage are.
#[derive(Debug)]
pub(super) struct Place {
    /// Index of the source.
    pub(super) source: usize,
    /// Ranges of it, one after another.
    pub(super) spans: Vec<Span>,
}

/// Opened tensors of one file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    sources: Vec<Box<dyn Source>>,
    places: Vec<Place>,
    entries: Vec<Entry>,
    dense: Vec<bool>,
    twins: Vec<usize>,
    tensors: Vec<TensorInfo>,
    left_out: Vec<LeftOut>,
    metadata: Vec<(String, String)>,
}

impl Store {
    /// A store of tensors that are views of ranges of the file itself. The catalogue is checked.
    pub(super) fn of_file(
        path: &Path,
        source: Box<dyn Source>,
        catalogue: Catalogue,
        budget: &Budget,
    ) -> Result<Self, WeightsError> {
        let mut sources = vec![source];
        let mut places = Vec::new();
        for storage in &catalogue.storages {
            places.push(place(path, storage, 0, &mut sources, budget)?);
        }
        Ok(Self::new(path, sources, places, catalogue))
    }

    /// A store of tensors whose storages lie at these places. The catalogue is checked.
    pub(super) fn new(path: &Path, sources: Vec<Box<dyn Source>>, places: Vec<Place>, catalogue: Catalogue) -> Self {
        let twins = catalogue.twins();
        let Catalogue { tensors: entries, left_out, metadata, .. } = catalogue;
        let info = |entry: &Entry| {
            let Entry { name, dtype, shape, .. } = entry.clone();
            TensorInfo { name, dtype, shape }
        };
        let (tensors, dense) = (entries.iter().map(info).collect(), entries.iter().map(is_dense).collect());
        Self { path: path.to_owned(), sources, places, entries, dense, twins, tensors, left_out, metadata }
    }

    /// Fills a buffer from a storage.
    fn read_storage(&self, storage: usize, mut offset: u64, mut buffer: &mut [u8]) -> Result<(), ReadError> {
        let place = self.places.get(storage).ok_or(ReadError::End)?;
        let source = self.sources.get(place.source).ok_or(ReadError::End)?;
        for span in &place.spans {
            if offset >= span.length {
                offset -= span.length;
                continue;
            }
            let here = usize::try_from(span.length - offset).unwrap_or(usize::MAX).min(buffer.len());
            let (part, rest) = buffer.split_at_mut(here);
            read_exact_at(&**source, span.offset + offset, part)?;
            (buffer, offset) = (rest, 0);
            if buffer.is_empty() {
                return Ok(());
            }
        }
        if buffer.is_empty() { Ok(()) } else { Err(ReadError::End) }
    }

    fn fill(&self, tensor: usize, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let entry = self.entries.get(tensor).ok_or(ReadError::End)?;
        let end = offset.checked_add(buffer.len() as u64).ok_or(ReadError::End)?;
        if entry.bytes().is_none_or(|bytes| end > bytes) {
            return Err(ReadError::End);
        }
        let view = &entry.view;
        if self.dense[tensor] {
            self.read_storage(view.storage, view.offset + offset, buffer)?;
        } else {
            let mut read = |offset: u64, bytes: &mut [u8]| self.read_storage(view.storage, offset, bytes);
            gather::fill(entry, offset, buffer, &mut read)?;
        }
        if view.is_swapped {
            buffer.chunks_exact_mut(entry.dtype.number_size()).for_each(<[u8]>::reverse);
        }
        Ok(())
    }
}

impl TensorStore for Store {
    fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    fn read(&self, tensor: usize, offset: u64, buffer: &mut [u8]) -> Result<(), WeightsError> {
        self.fill(tensor, offset, buffer).map_err(|error| unreadable(&self.path, error))
    }

    fn twin(&self, tensor: usize) -> usize {
        self.twins.get(tensor).copied().unwrap_or(tensor)
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    fn files(&self) -> &[PathBuf] {
        std::slice::from_ref(&self.path)
    }
}

/// Where a storage of one of the sources lies; chunks are put together in a temporary file first.
pub(super) fn place(
    path: &Path,
    storage: &Storage,
    source: usize,
    sources: &mut Vec<Box<dyn Source>>,
    budget: &Budget,
) -> Result<Place, WeightsError> {
    let spans = match storage {
        Storage::Range(span) => vec![*span],
        Storage::Pieces(spans) => spans.clone(),
        Storage::Chunked(chunked) => {
            let whole = together(path, chunked, &*sources[source], budget)?;
            sources.push(Box::new(whole));
            return Ok(Place { source: sources.len() - 1, spans: vec![Span { offset: 0, length: chunked.length() }] });
        }
        _ => return Err(unsupported(path, "its storages are in other files")),
    };
    let length = sources[source].len();
    let is_inside = |span: &Span| span.offset.checked_add(span.length).is_some_and(|end| end <= length);
    if spans.iter().all(is_inside) {
        Ok(Place { source, spans })
    } else {
        Err(unreadable(path, "a tensor lies beyond the end of the file"))
    }
}

/// A dataset in chunks as one piece, in a temporary file that has no name.
pub(super) fn together(
    path: &Path,
    chunked: &Chunked,
    source: &dyn Source,
    budget: &Budget,
) -> Result<Spool, WeightsError> {
    let failed = |error: std::io::Error| unreadable(path, format!("cannot write to a temporary file: {error}"));
    let file = tempfile::tempfile().map_err(failed)?;
    file.set_len(chunked.length()).map_err(failed)?;
    for index in 0..chunked.chunks() {
        let bytes = chunked.chunk(source, index, budget).map_err(|problem| refused(path, &problem))?;
        for (at, run) in chunked.runs(index) {
            file.write_all_at(&bytes[run], at).map_err(failed)?;
        }
    }
    Ok(Spool::Disk(file, chunked.length()))
}

/// Whether a tensor's elements lie one after another. The stride of an extent of one leads nowhere.
fn is_dense(entry: &Entry) -> bool {
    let expected = row_major(&entry.shape);
    let mut steps = entry.shape.iter().zip(entry.view.strides.iter().zip(&expected));
    entry.shape.contains(&0) || steps.all(|(extent, (stride, expected))| *extent == 1 || stride == expected)
}

/// A file that cannot be read.
pub(super) fn unreadable(path: &Path, reason: impl ToString) -> WeightsError {
    WeightsError::Unreadable { path: shown(path), reason: sanitize(&reason.to_string()) }
}

/// A file that has no plain form.
pub(super) fn unsupported(path: &Path, reason: impl ToString) -> WeightsError {
    WeightsError::Unsupported { path: shown(path), reason: sanitize(&reason.to_string()) }
}

/// What a parser refuses, as an error about a file.
pub(super) fn refused(path: &Path, problem: &Problem) -> WeightsError {
    match problem {
        Problem::Unsupported(_) => unsupported(path, problem),
        _ => unreadable(path, problem),
    }
}

fn shown(path: &Path) -> String {
    sanitize(&path.display().to_string())
}
