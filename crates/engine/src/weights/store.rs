//! The tensors of one file: views of ranges of a few sources.

use std::path::{Path, PathBuf};

use waag_formats::budget::Budget;
use waag_formats::hdf5::Chunked;
use waag_formats::protobuf::Span;
use waag_formats::source::{ReadError, Source, read_exact_at};
use waag_formats::weights::{Catalogue, Entry, LeftOut, Problem, Storage, View, row_major};

use super::scratch::Scratch;
use super::{TensorInfo, TensorStore, WeightsError, gather};
use crate::io::FileSource;
use crate::sanitize::sanitize;

/// The source that is the file, among those of a store.
pub(super) const FILE: usize = 0;
/// The source of members that were decoded.
pub(super) const DECODED: usize = 1;
/// The source of datasets that were put together from chunks.
const PIECES: usize = 2;

/// Where the bytes of a storage are.
#[derive(Debug)]
pub(super) struct Place {
    /// [`FILE`], [`DECODED`] or [`PIECES`].
    pub(super) source: usize,
    /// Ranges of it, one after another.
    pub(super) spans: Vec<Span>,
}

/// Opened tensors of one file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// By number: [`FILE`], [`DECODED`], [`PIECES`].
    sources: [Box<dyn Source>; 3],
    places: Vec<Place>,
    /// For each tensor; without strides where its elements lie one after another.
    views: Vec<View>,
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
        file: FileSource,
        catalogue: Catalogue,
        budget: &Budget,
    ) -> Result<Self, WeightsError> {
        let mut pieces = Scratch::default();
        let whole = Span { offset: 0, length: file.len() };
        let mut places = Vec::new();
        for storage in &catalogue.storages {
            places.push(match storage {
                Storage::Chunked(chunked) => together(path, chunked, &file, &mut pieces, budget)?,
                other => within(path, other, FILE, whole)?,
            });
        }
        Ok(Self::new(path, [Box::new(file), Box::new(Scratch::default()), Box::new(pieces)], places, catalogue))
    }

    /// A store of tensors whose storages lie at these places. The catalogue is checked.
    pub(super) fn new(path: &Path, sources: [Box<dyn Source>; 3], places: Vec<Place>, catalogue: Catalogue) -> Self {
        let twins = catalogue.twins();
        let Catalogue { tensors: entries, left_out, metadata, .. } = catalogue;
        let (mut tensors, mut views, mut dense) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let is_dense = is_dense(&entry);
            let Entry { name, dtype, shape, mut view } = entry;
            if is_dense {
                view.strides = Vec::new();
            }
            tensors.push(TensorInfo { name, dtype, shape });
            views.push(view);
            dense.push(is_dense);
        }
        Self { path: path.to_owned(), sources, places, views, dense, twins, tensors, left_out, metadata }
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
        let (info, view) = self.tensors.get(tensor).zip(self.views.get(tensor)).ok_or(ReadError::End)?;
        let end = offset.checked_add(buffer.len() as u64).ok_or(ReadError::End)?;
        if end > info.bytes() {
            return Err(ReadError::End);
        }
        if self.dense[tensor] {
            self.read_storage(view.storage, view.offset + offset, buffer)?;
        } else {
            let mut read = |offset: u64, bytes: &mut [u8]| self.read_storage(view.storage, offset, bytes);
            gather::fill(info, view, offset, buffer, &mut read)?;
        }
        if view.is_swapped {
            buffer.chunks_exact_mut(info.dtype.number_size()).for_each(<[u8]>::reverse);
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

    fn is_dense(&self, tensor: usize) -> bool {
        self.dense.get(tensor).is_some_and(|dense| *dense) && !self.views[tensor].is_swapped
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

/// Where a storage lies whose ranges count from the start of `home`, a range of a source.
pub(super) fn within(path: &Path, storage: &Storage, source: usize, home: Span) -> Result<Place, WeightsError> {
    let spans = match storage {
        Storage::Range(span) => vec![*span],
        Storage::Pieces(spans) => spans.clone(),
        _ => return Err(unsupported(path, "its storages are in other files")),
    };
    let is_inside = |span: &Span| span.offset.checked_add(span.length).is_some_and(|end| end <= home.length);
    if !spans.iter().all(is_inside) {
        return Err(unreadable(path, "a tensor lies beyond the end of the file, or of the member that it is in"));
    }
    let moved = |span: Span| Span { offset: home.offset + span.offset, ..span };
    Ok(Place { source, spans: spans.into_iter().map(moved).collect() })
}

/// Puts a dataset in chunks together, as one range of a temporary file.
pub(super) fn together(
    path: &Path,
    chunked: &Chunked,
    source: &dyn Source,
    scratch: &mut Scratch,
    budget: &Budget,
) -> Result<Place, WeightsError> {
    let failed = |error: std::io::Error| unreadable(path, format!("cannot write to a temporary file: {error}"));
    let start = scratch.reserve(chunked.length()).map_err(failed)?;
    for index in 0..chunked.chunks() {
        let bytes = chunked.chunk(source, index, budget).map_err(|problem| refused(path, &problem))?;
        for (at, run) in chunked.runs(index) {
            scratch.write_at(&bytes[run], start + at).map_err(failed)?;
        }
    }
    Ok(Place { source: PIECES, spans: vec![Span { offset: start, length: chunked.length() }] })
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
