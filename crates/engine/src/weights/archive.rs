//! Weights in a zip archive: PyTorch's checkpoints, NumPy's `.npz`, Keras's models.
//!
//! A member that is stored as it is is read in place; a compressed one is decoded first, into memory or a temporary file.

use std::collections::HashMap;
use std::path::Path;

use waag_formats::budget::Budget;
use waag_formats::child::{Child, Encoding};
use waag_formats::decode::decode;
use waag_formats::pickle::state;
use waag_formats::protobuf::Span;
use waag_formats::source::{Source, Window, read_up_to};
use waag_formats::weights::{Catalogue, LeftOut, Problem, Storage};
use waag_formats::{hdf5, numpy, zip};

use super::WeightsError;
use super::store::{Place, Store, place, refused, unreadable, unsupported};
use crate::io::{FileSource, Spool};

/// The weights of a Keras model within its archive.
const KERAS_WEIGHTS: &str = "model.weights.h5";

/// Opens the weights of an archive.
pub(super) fn open(path: &Path, source: FileSource, budget: &Budget) -> Result<Store, WeightsError> {
    let (members, layout) = zip::members(&source, budget).map_err(|problem| refused(path, &problem))?;
    let archive = Archive { path, sources: vec![Box::new(source)], members, budget };
    let names: Vec<&str> = archive.members.iter().map(|member| member.name.as_str()).collect();
    if layout == "pytorch-zip" || layout == "torchscript" {
        return archive.checkpoint();
    }
    if names.contains(&KERAS_WEIGHTS) {
        return archive.keras();
    }
    if names.iter().any(|name| name.ends_with(".npy")) {
        return archive.arrays();
    }
    Err(unsupported(path, "it is an archive without weights that are read here"))
}

struct Archive<'a> {
    path: &'a Path,
    /// The archive itself, then what was decoded.
    sources: Vec<Box<dyn Source>>,
    members: Vec<Child>,
    budget: &'a Budget,
}

/// A member, where its bytes are.
#[derive(Debug, Clone, Copy)]
struct Opened {
    source: usize,
    span: Span,
}

impl Archive<'_> {
    /// Where the bytes of a member are, decoded if need be.
    fn opened(&mut self, member: &Child) -> Result<Opened, WeightsError> {
        if member.encoding == Encoding::Stored {
            return Ok(Opened { source: 0, span: Span { offset: member.offset, length: member.length } });
        }
        let mut spool = Spool::default();
        let decoded = decode(&*self.sources[0], member, self.budget, &mut spool);
        decoded.map_err(|error| unreadable(self.path, format!("member '{}': {error}", member.name)))?;
        let length = spool.len();
        if member.declared.is_some_and(|declared| declared != length) {
            return Err(unreadable(self.path, format!("member '{}' is not as long as it says", member.name)));
        }
        self.sources.push(Box::new(spool));
        Ok(Opened { source: self.sources.len() - 1, span: Span { offset: 0, length } })
    }

    fn window(&self, opened: Opened) -> Window<'_> {
        Window::new(&*self.sources[opened.source], opened.span.offset, opened.span.length)
    }

    fn member(&self, name: &str) -> Option<Child> {
        self.members.iter().find(|member| member.name == name).cloned()
    }

    fn checked(&self, read: Result<Catalogue, Problem>) -> Result<Catalogue, WeightsError> {
        read.and_then(Catalogue::checked).map_err(|problem| refused(self.path, &problem))
    }

    /// A checkpoint of PyTorch: a pickle, and a member for each storage in a folder beside it.
    fn checkpoint(mut self) -> Result<Store, WeightsError> {
        let pickles: Vec<Child> =
            self.members.iter().filter(|member| member.name.rsplit('/').next() == Some("data.pkl")).cloned().collect();
        let [pickle] = pickles.as_slice() else {
            return Err(unsupported(self.path, format!("it has {} members called data.pkl", pickles.len())));
        };
        let root = pickle.name.strip_suffix("data.pkl").unwrap_or_default().to_owned();
        let opened = self.opened(pickle)?;
        let mut read = state::read(&self.window(opened), self.budget);
        if self.is_big_endian(&root)
            && let Ok(catalogue) = &mut read
        {
            turn(catalogue);
        }
        let catalogue = self.checked(read)?;
        let known: HashMap<String, Child> =
            self.members.iter().map(|member| (member.name.clone(), member.clone())).collect();
        let mut places = Vec::new();
        for storage in &catalogue.storages {
            places.push(self.storage(storage, &root, opened, &known)?);
        }
        Ok(Store::new(self.path, self.sources, places, catalogue))
    }

    fn is_big_endian(&mut self, root: &str) -> bool {
        let Some(member) = self.member(&format!("{root}byteorder")) else { return false };
        self.opened(&member).is_ok_and(|opened| read_up_to(&self.window(opened), 0, 16).trim_ascii() == b"big")
    }

    /// Where a storage is: a member, or a range of the pickle.
    fn storage(
        &mut self,
        storage: &Storage,
        root: &str,
        pickle: Opened,
        members: &HashMap<String, Child>,
    ) -> Result<Place, WeightsError> {
        match storage {
            Storage::Member { name, length } => {
                let Some(member) = members.get(&format!("{root}data/{name}")) else {
                    return Err(unreadable(self.path, format!("storage '{name}' is not in the archive")));
                };
                let opened = self.opened(member)?;
                if opened.span.length < *length {
                    let detail = format!("storage '{name}' has {} bytes of {length}", opened.span.length);
                    return Err(unreadable(self.path, detail));
                }
                Ok(Place { source: opened.source, spans: vec![opened.span] })
            }
            other => self.within(other, pickle),
        }
    }

    /// A storage that lies within a member.
    fn within(&mut self, storage: &Storage, member: Opened) -> Result<Place, WeightsError> {
        let mut place = place(self.path, storage, member.source, &mut self.sources, self.budget)?;
        if place.source == member.source {
            place.spans.iter_mut().for_each(|span| span.offset += member.span.offset);
        }
        let end = member.span.end();
        match place.spans.iter().all(|span| place.source != member.source || span.end() <= end) {
            true => Ok(place),
            false => Err(unreadable(self.path, "a tensor lies beyond the end of its member")),
        }
    }

    /// `numpy.savez`: an array in each member.
    fn arrays(mut self) -> Result<Store, WeightsError> {
        let mut all = Catalogue::default();
        let mut homes = Vec::new();
        for member in self.members.clone() {
            let Some(name) = member.name.strip_suffix(".npy") else {
                let (name, what) = (member.name.clone(), format!("member of {} bytes", member.length));
                all.left_out.push(LeftOut { name, what });
                continue;
            };
            let opened = self.opened(&member)?;
            let read = numpy::read_plain(&self.window(opened), name).map_err(|problem| refused(self.path, &problem))?;
            match read {
                numpy::Plain::Tensor(one) => append(&mut all, one, opened, &mut homes),
                numpy::Plain::Other(what) => all.left_out.push(LeftOut { name: name.to_owned(), what }),
            }
        }
        self.store(all, &homes)
    }

    /// A model of Keras 3: its weights are a file of HDF5.
    fn keras(mut self) -> Result<Store, WeightsError> {
        let Some(weights) = self.member(KERAS_WEIGHTS) else { return Err(unsupported(self.path, "it has no weights")) };
        let opened = self.opened(&weights)?;
        // Chunks are read where the member is, so that it has to be a file of its own.
        let mut catalogue = self.checked(hdf5::read_plain(&self.window(opened), self.budget))?;
        for member in self.members.iter().filter(|member| member.name != KERAS_WEIGHTS) {
            let what = format!("member of {} bytes", member.declared.unwrap_or(member.length));
            catalogue.left_out.push(LeftOut { name: member.name.clone(), what });
        }
        catalogue.left_out.sort();
        let homes = vec![opened; catalogue.storages.len()];
        self.store(catalogue, &homes)
    }

    /// A store of tensors each of whose storages lies in one member.
    fn store(mut self, catalogue: Catalogue, homes: &[Opened]) -> Result<Store, WeightsError> {
        let catalogue = self.checked(Ok(catalogue))?;
        let mut places = Vec::new();
        for (storage, home) in catalogue.storages.iter().zip(homes) {
            places.push(self.within_own(storage, *home)?);
        }
        Ok(Store::new(self.path, self.sources, places, catalogue))
    }

    /// As [`Archive::within`]; chunks are looked for where the member starts.
    fn within_own(&mut self, storage: &Storage, member: Opened) -> Result<Place, WeightsError> {
        let Storage::Chunked(chunked) = storage else { return self.within(storage, member) };
        let whole = super::store::together(self.path, chunked, &self.window(member), self.budget)?;
        let length = whole.len();
        self.sources.push(Box::new(whole));
        Ok(Place { source: self.sources.len() - 1, spans: vec![Span { offset: 0, length }] })
    }
}

/// Numbers of the members are big-endian. Arrays within the pickle have a byte order of their own.
fn turn(catalogue: &mut Catalogue) {
    let Catalogue { tensors, storages, .. } = catalogue;
    for entry in tensors {
        entry.view.is_swapped |= matches!(storages.get(entry.view.storage), Some(Storage::Member { .. }));
    }
}

/// Adds the tensors of one member to those of others.
fn append(all: &mut Catalogue, one: Catalogue, home: Opened, homes: &mut Vec<Opened>) {
    let before = all.storages.len();
    homes.extend(one.storages.iter().map(|_| home));
    all.storages.extend(one.storages);
    all.tensors.extend(one.tensors.into_iter().map(|mut entry| {
        entry.view.storage += before;
        entry
    }));
}
