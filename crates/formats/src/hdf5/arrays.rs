//! The datasets of a file as tensors, named by their paths.

use std::collections::HashMap;

use super::chunked::Chunked;
use super::datatype::{Class, Datatype, dataspace};
use super::file::File;
use super::header::{self, Message, kind};
use super::layout::{self, Layout};
use super::links::{self, Target};
use super::superblock;
use crate::budget::Budget;
use crate::fact::FactKind;
use crate::facts::Facts;
use crate::protobuf::Span;
use crate::source::Source;
use crate::weights::{Catalogue, Dtype, Entry, LeftOut, Problem, Storage, View, row_major, shown};

/// Objects that are visited.
const MAX_OBJECTS: usize = 500_000;
/// Groups within groups.
const MAX_DEPTH: usize = 64;

/// Reads where the datasets are.
///
/// # Errors
/// When the file breaks the format, or a dataset of numbers is of a type or stored in a way that is not read here.
pub fn read_plain(source: &dyn Source, budget: &Budget) -> Result<Catalogue, Problem> {
    let Some(start) = superblock::find(source) else { return Err(Problem::broken("there is no superblock")) };
    let superblock = superblock::read(source, start).map_err(Problem::unsupported)?;
    let Some(root) = superblock.root else { return Err(Problem::broken("there is no root group")) };
    let file = File { source, base: start, sizes: superblock.sizes, budget };
    let (catalogue, known) = (Catalogue::default(), HashMap::new());
    let mut walk = Walk { file: &file, catalogue, known, visited: 0 };
    walk.object(root, "", &mut Vec::new())?;
    Ok(walk.catalogue)
}

struct Walk<'w, 'a> {
    file: &'w File<'a>,
    catalogue: Catalogue,
    /// The view of each dataset that was met, by its address: links may lead to one several times.
    known: HashMap<u64, (Dtype, Vec<u64>, View)>,
    visited: usize,
}

impl Walk<'_, '_> {
    fn object(&mut self, address: u64, path: &str, above: &mut Vec<u64>) -> Result<(), Problem> {
        self.visited = self.visited.saturating_add(1);
        if self.visited > MAX_OBJECTS || above.len() >= MAX_DEPTH || above.contains(&address) {
            let detail = format!("'{}' lies deeper than {MAX_DEPTH} groups, or within itself", shown(path));
            return Err(Problem::unsupported(detail));
        }
        if let Some((dtype, shape, view)) = self.known.get(&address).cloned() {
            self.catalogue.tensors.push(Entry { name: path.to_owned(), dtype, shape, view });
            return Ok(());
        }
        let messages = strictly(|facts| header::read(self.file, address, facts))?;
        if messages.iter().any(|message| message.kind == kind::EXTERNAL_FILES) {
            return Err(Problem::unsupported(format!("'{}' is kept in another file", shown(path))));
        }
        if messages.iter().any(|message| message.kind == kind::LAYOUT) {
            return self.dataset(address, path, &messages);
        }
        above.push(address);
        self.group(path, &messages, above)?;
        above.pop();
        Ok(())
    }

    fn group(&mut self, path: &str, messages: &[Message], above: &mut Vec<u64>) -> Result<(), Problem> {
        for link in strictly(|facts| links::read(self.file, messages, facts))? {
            let slash = if path.is_empty() { "" } else { "/" };
            let below = format!("{path}{slash}{}", link.name);
            match link.target {
                Target::Object(address) => self.object(address, &below, above)?,
                Target::Path(target) => self.leave_out(&below, format!("link to '{}'", shown(&target))),
                Target::External { .. } | Target::Custom(_) => {
                    return Err(Problem::unsupported(format!("'{}' leads to another file", shown(&below))));
                }
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, path: &str, what: String) {
        self.catalogue.left_out.push(LeftOut { name: path.to_owned(), what });
    }

    fn dataset(&mut self, address: u64, path: &str, messages: &[Message]) -> Result<(), Problem> {
        let find = |wanted: u16| messages.iter().find(|message| message.kind == wanted);
        let lacks = |what: &str| Problem::broken(format!("the {what} of '{}' cannot be read", shown(path)));
        let datatype = find(kind::DATATYPE).ok_or_else(|| lacks("type"))?;
        let kind_of = element(self.file, datatype).map_err(|what| unlike(path, &what))?;
        let Element { dtype, is_swapped } = match kind_of {
            Kind::Number(element) => element,
            Kind::Other(what) => {
                self.leave_out(path, what);
                return Ok(());
            }
        };
        let space = find(kind::DATASPACE).and_then(|message| dataspace(&mut self.file.fields(&message.body)));
        let Some(shape) = space.ok_or_else(|| lacks("shape"))? else {
            self.leave_out(path, "dataset without elements".to_owned());
            return Ok(());
        };
        let strides = row_major(&shape);
        let entry =
            Entry { name: path.to_owned(), dtype, shape, view: View { storage: 0, offset: 0, strides, is_swapped } };
        let layout = find(kind::LAYOUT).and_then(|message| layout::read(self.file, &message.body, message.offset));
        let filters = find(kind::FILTERS).map_or(Some(Vec::new()), |message| layout::filters(self.file, &message.body));
        let storage =
            self.storage(&entry, layout.ok_or_else(|| lacks("place"))?, filters.ok_or_else(|| lacks("filters"))?)?;
        self.add(address, entry, storage);
        Ok(())
    }

    fn add(&mut self, address: u64, mut entry: Entry, storage: Storage) {
        entry.view.storage = self.catalogue.add_storage(storage);
        self.known.insert(address, (entry.dtype, entry.shape.clone(), entry.view.clone()));
        self.catalogue.tensors.push(entry);
    }

    fn storage(&self, entry: &Entry, layout: Layout, filters: Vec<layout::Filter>) -> Result<Storage, Problem> {
        let name = shown(&entry.name);
        let Some(bytes) = entry.bytes() else { return Err(Problem::broken(format!("the size of '{name}' overflows"))) };
        match layout {
            Layout::Compact(offset, length) => Ok(Storage::Range(Span { offset, length })),
            Layout::Contiguous(Some(address), length) => {
                Ok(Storage::Range(Span { offset: self.file.offset(address), length: length.unwrap_or(bytes) }))
            }
            Layout::Contiguous(None, _) if bytes == 0 => Ok(Storage::Range(Span { offset: 0, length: 0 })),
            Layout::Contiguous(None, _) => Err(Problem::unsupported(format!("'{name}' was never written"))),
            Layout::Chunked(chunks) => {
                let chunked = Chunked::read(self.file, &chunks, entry, &filters);
                chunked.map(|chunked| Storage::Chunked(Box::new(chunked)))
            }
            Layout::Virtual(..) => Err(Problem::unsupported(format!("'{name}' is made of other datasets"))),
            Layout::Unknown => Err(Problem::unsupported(format!("'{name}' is stored in a way that is not read here"))),
        }
    }
}

/// Reads something in which nothing may be amiss.
fn strictly<T>(read: impl FnOnce(&mut Facts) -> T) -> Result<T, Problem> {
    let mut facts = Facts::new();
    let value = read(&mut facts);
    let amiss = facts.list().iter().find_map(|fact| match &fact.kind {
        FactKind::Anomaly { detail, .. } => Some(Problem::broken(detail.clone())),
        FactKind::Incomplete { detail, .. } => Some(Problem::unsupported(detail.clone())),
        _ => None,
    });
    amiss.map_or(Ok(value), Err)
}

fn unlike(path: &str, what: &str) -> Problem {
    Problem::unsupported(format!("'{}' is of {what}, which safetensors does not have", shown(path)))
}

/// A type of plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Element {
    dtype: Dtype,
    is_swapped: bool,
}

enum Kind {
    Number(Element),
    /// Texts, records and the like: what it is.
    Other(String),
}

/// The type of a message; the error names a type of numbers that has no counterpart.
fn element(file: &File<'_>, message: &Message) -> Result<Kind, String> {
    if message.shared {
        return Err("a type that is kept elsewhere in the file".to_owned());
    }
    let body = message.body.as_slice();
    let Some(datatype) = Datatype::read(&mut file.fields(body)) else {
        return Err("a type that cannot be read".to_owned());
    };
    let is_swapped = body.get(1).is_some_and(|bits| bits & 1 != 0) && datatype.size > 1;
    let dtype = match datatype.class {
        Class::Integer { signed } => integer(body, datatype.size, signed),
        Class::Float => float(body, datatype.size),
        Class::Enumeration => truth(body),
        _ => return Ok(Kind::Other(format!("dataset of {}", datatype.describe()))),
    };
    dtype.map(|dtype| Kind::Number(Element { dtype, is_swapped })).ok_or_else(|| datatype.describe())
}

/// A number of 16 bits in a message.
fn short(body: &[u8], at: usize) -> Option<u16> {
    let bytes = body.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

/// Whole numbers whose bits fill their bytes.
fn integer(body: &[u8], size: u64, signed: bool) -> Option<Dtype> {
    let is_full = short(body, 8)? == 0 && u64::from(short(body, 10)?) == size.checked_mul(8)?;
    match (size, signed) {
        _ if !is_full => None,
        (1, true) => Some(Dtype::I8),
        (1, false) => Some(Dtype::U8),
        (2, true) => Some(Dtype::I16),
        (2, false) => Some(Dtype::U16),
        (4, true) => Some(Dtype::I32),
        (4, false) => Some(Dtype::U32),
        (8, true) => Some(Dtype::I64),
        (8, false) => Some(Dtype::U64),
        _ => None,
    }
}

/// IEEE's numbers and bfloat16: by where exponent and mantissa are, and how wide.
fn float(body: &[u8], size: u64) -> Option<Dtype> {
    // Class 1, no bit of padding set, the mantissa without its leading bit, and no VAX byte order.
    let bits = body.get(1).copied()?;
    let is_usual = body.first()? & 0xF == 1 && bits & 0x4E == 0 && bits & 0x30 == 0x20 && short(body, 8)? == 0;
    let full = u64::from(short(body, 10)?) == size.checked_mul(8)?;
    let &[exponent_at, exponent, mantissa_at, mantissa, b0, b1, b2, b3] = body.get(12..20)? else { return None };
    let bias = u32::from_le_bytes([b0, b1, b2, b3]);
    match (exponent_at, exponent, mantissa_at, mantissa, bias) {
        _ if !is_usual || !full => None,
        (10, 5, 0, 10, 15) => Some(Dtype::F16),
        (7, 8, 0, 7, 127) => Some(Dtype::Bf16),
        (23, 8, 0, 23, 127) => Some(Dtype::F32),
        (52, 11, 0, 52, 1023) => Some(Dtype::F64),
        _ => None,
    }
}

/// What h5py makes of booleans: an enumeration of FALSE, 0, and TRUE, 1, in a byte.
fn truth(body: &[u8]) -> Option<Dtype> {
    let is_two = short(body, 1)? == 2 && body.get(4..8)? == [1, 0, 0, 0];
    let rest = body.get(20..)?;
    let names: [&[u8]; 2] = [b"FALSE\0\0\0TRUE\0\0\0\0\0\x01", b"FALSE\0TRUE\0\0\x01"];
    (is_two && names.iter().any(|names| rest.starts_with(names))).then_some(Dtype::Bool)
}
