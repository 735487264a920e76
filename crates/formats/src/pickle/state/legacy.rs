//! PyTorch's files from before 1.6: a number, a version, a description, the objects, the keys of the storages, and the
//! storages, one after another.

use super::flatten;
use super::machine::Machine;
use super::value::{Heap, Value};
use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::protobuf::Span;
use crate::source::Source;
use crate::weights::{Catalogue, Problem, Storage, shown};

use super::super::TORCH_MAGIC;
use super::tensors::Bytes;
use crate::pickle::literal::Literal;

/// The version of these files.
const VERSION: i64 = 1001;
/// How large the pickle of the number is at the most.
const FIRST: usize = 64;

/// Whether a file starts with the number that PyTorch wrote in front of them.
#[must_use]
pub fn is_legacy(source: &dyn Source) -> bool {
    let head = crate::source::read_up_to(source, 0, FIRST);
    let offset = match head.as_slice() {
        [0x80, 0..=5, 0x95, ..] => 11,
        [0x80, 0..=5, ..] => 2,
        _ => 0,
    };
    matches!(Literal::read(source, offset), Some(Literal::Number(number)) if number == TORCH_MAGIC)
}

/// Reads such a file. Storages are ranges of it.
///
/// # Errors
/// When it breaks its rules, or holds tensors that have no faithful plain form.
pub fn read_legacy(source: &dyn Source, budget: &Budget) -> Result<Catalogue, Problem> {
    let next = pickle(source, 0, budget, |_, _| Ok(()))?.1;
    let (version, next) = pickle(source, next, budget, |_, value| Ok(value))?;
    if version != Value::Int(VERSION) {
        return Err(Problem::unsupported("this version of PyTorch's older files is not read here"));
    }
    let (is_little, next) = pickle(source, next, budget, |heap, value| Ok(says_little(heap, value)))?;
    let mut machine = Machine::new(source, next, budget);
    let root = machine.run()?;
    let mut catalogue = flatten::flatten(&machine, root)?;
    let (keys, next) = pickle(source, machine.cursor.position(), budget, keys)?;
    let places = storages(source, &machine, &keys, next)?;
    for storage in &mut catalogue.storages {
        place(storage, &places)?;
    }
    // Arrays within the pickle have a byte order of their own.
    let in_pickle = |storage: &Storage| matches!(storage, Storage::Range(span) if span.offset < next);
    for entry in &mut catalogue.tensors {
        let is_here = catalogue.storages.get(entry.view.storage).is_some_and(in_pickle);
        entry.view.is_swapped |= !is_little && !is_here;
    }
    Ok(catalogue)
}

/// Reads the pickle at `start`; gives what is made of it, and where it ends.
fn pickle<T>(
    source: &dyn Source,
    start: u64,
    budget: &Budget,
    take: impl FnOnce(&Heap, Value) -> Result<T, Problem>,
) -> Result<(T, u64), Problem> {
    let mut machine = Machine::new(source, start, budget);
    let value = machine.run()?;
    Ok((take(&machine.heap, value)?, machine.cursor.position()))
}

fn says_little(heap: &Heap, value: Value) -> bool {
    let mut pairs = heap.items(value).chunks_exact(2);
    !pairs.any(|pair| matches!(pair, [key, Value::Bool(false)] if heap.text_of(*key) == Some("little_endian")))
}

fn keys(heap: &Heap, value: Value) -> Result<Vec<String>, Problem> {
    let key = |value: &Value| match value {
        Value::Int(key) => Some(key.to_string()),
        value => heap.text_of(*value).map(str::to_owned),
    };
    let keys: Option<Vec<String>> = heap.items(value).iter().map(key).collect();
    keys.ok_or_else(|| Problem::broken("the keys of the storages are not a list of texts"))
}

/// Where each storage lies: a count of elements, and as many elements.
fn storages(
    source: &dyn Source,
    machine: &Machine<'_>,
    keys: &[String],
    start: u64,
) -> Result<std::collections::HashMap<String, Span>, Problem> {
    let sizes: std::collections::HashMap<&str, u64> = machine
        .storages
        .iter()
        .filter_map(|storage| match &storage.bytes {
            Bytes::Key(key) => Some((key.as_str(), storage.element.size())),
            Bytes::Here(..) => None,
        })
        .collect();
    let mut places = std::collections::HashMap::new();
    let mut cursor = Cursor::sparing(source, start);
    for key in keys {
        let Some(size) = sizes.get(key.as_str()) else {
            return Err(Problem::broken(format!("nothing says of what type storage '{}' is", shown(key))));
        };
        let count = cursor.u64()?;
        let Some(length) = count.checked_mul(*size) else { return Err(Problem::broken("a storage's size overflows")) };
        let span = Span { offset: cursor.position(), length };
        cursor.skip(length)?;
        places.insert(key.clone(), span);
    }
    Ok(places)
}

/// Replaces a storage that is named by the range that it is.
fn place(storage: &mut Storage, places: &std::collections::HashMap<String, Span>) -> Result<(), Problem> {
    let Storage::Member { name, length } = storage else { return Ok(()) };
    match places.get(name) {
        Some(span) if span.length >= *length => {
            *storage = Storage::Range(*span);
            Ok(())
        }
        Some(_) => Err(Problem::broken(format!("storage '{}' is shorter than the pickle says", shown(name)))),
        None => Err(Problem::broken(format!("storage '{}' is not in the file", shown(name)))),
    }
}
