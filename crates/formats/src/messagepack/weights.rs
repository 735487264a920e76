//! The arrays of a Flax checkpoint, those in pieces put together, named by their keys with dots between them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Value, walk};
use crate::budget::Budget;
use crate::json::Segment;
use crate::protobuf::Span;
use crate::source::Source;
use crate::weights::{
    Catalogue, Dtype, Entry, LeftOut, MAX_DIMENSIONS, MAX_TENSORS, Problem, Storage, View, row_major, shown,
};

/// Types that Flax defines.
const NDARRAY: i8 = 1;
const SCALAR: i8 = 3;
/// The key by which Flax tells a map that is an array in pieces.
const MARK: &str = "__msgpack_chunked_array__";
/// Values beside arrays that are listed.
const MAX_LEFT_OUT: usize = 10_000;

/// Reads where the arrays are.
///
/// # Errors
/// When the file breaks the format, or an array's numbers have no type here.
pub fn read_plain(source: &dyn Source, budget: &Budget) -> Result<Catalogue, Problem> {
    let mut found = Found::default();
    let outcome = walk(source, Span::whole(source), budget, &mut |path, _, value| found.value(path, &value));
    if let Some(note) = outcome.notes.first() {
        return Err(Problem::broken(format!("at byte {}: {}", note.offset, note.detail)));
    }
    if outcome.end != source.len() {
        return Err(Problem::broken("bytes follow the checkpoint"));
    }
    found.catalogue(source, budget)
}

/// What the walk met.
#[derive(Default)]
struct Found {
    arrays: Vec<(Vec<String>, Span)>,
    /// Maps that are arrays in pieces.
    marked: BTreeSet<Vec<String>>,
    /// Numbers by their keys: the shapes of arrays in pieces are among them.
    numbers: BTreeMap<Vec<String>, u64>,
    left_out: Vec<LeftOut>,
}

fn keys(path: &[Segment]) -> Vec<String> {
    let text = |segment: &Segment| match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => index.to_string(),
    };
    path.iter().map(text).collect()
}

impl Found {
    fn value(&mut self, path: &[Segment], value: &Value<'_>) {
        let what = match value {
            Value::Extension(NDARRAY | SCALAR, span) if self.arrays.len() <= MAX_TENSORS => {
                return self.arrays.push((keys(path), *span));
            }
            Value::Bool(_) if path.last().and_then(Segment::key) == Some(MARK) => {
                self.marked.insert(keys(path.get(..path.len().saturating_sub(1)).unwrap_or_default()));
                return;
            }
            Value::Map(_) | Value::MapEnd | Value::Array(_) | Value::ArrayEnd => return,
            Value::Integer(number) => {
                if let (Ok(number), true) = (u64::try_from(*number), self.numbers.len() < MAX_TENSORS) {
                    self.numbers.insert(keys(path), number);
                }
                format!("int {number}")
            }
            Value::Float(number) => format!("float {number:?}"),
            Value::Text(text) => format!("text '{}'", shown(text)),
            Value::Bool(truth) => format!("bool {truth}"),
            Value::Nil => "None".to_owned(),
            Value::Bytes(span) => format!("{} bytes", span.length),
            Value::Extension(kind, span) => format!("value of type {kind}, {} bytes", span.length),
        };
        if self.left_out.len() < MAX_LEFT_OUT {
            self.left_out.push(LeftOut { name: keys(path).join("."), what });
        }
    }

    fn catalogue(mut self, source: &dyn Source, budget: &Budget) -> Result<Catalogue, Problem> {
        if self.arrays.len() > MAX_TENSORS {
            return Err(Problem::unsupported(format!("more than {MAX_TENSORS} arrays")));
        }
        let mut catalogue = Catalogue::default();
        let mut pieces: BTreeMap<Vec<String>, Vec<(u64, Array)>> = BTreeMap::new();
        for (path, span) in std::mem::take(&mut self.arrays) {
            let array = array(source, span, &path.join("."), budget)?;
            match self.piece_of(&path) {
                Some((whole, index)) => pieces.entry(whole).or_default().push((index, array)),
                None => catalogue.add_dense(path.join("."), array.dtype, array.shape, array.data),
            }
        }
        for (path, pieces) in pieces {
            self.join(&path, pieces, &mut catalogue)?;
        }
        let in_pieces: BTreeSet<String> = self.marked.iter().map(|path| path.join(".")).collect();
        let is_shape = |left: &LeftOut| in_pieces.iter().any(|whole| left.name.starts_with(&format!("{whole}.shape.")));
        self.left_out.retain(|left| in_pieces.is_empty() || !is_shape(left));
        catalogue.left_out = self.left_out;
        Ok(catalogue)
    }

    /// The array that something is a piece of, and which.
    fn piece_of(&self, path: &[String]) -> Option<(Vec<String>, u64)> {
        let [whole @ .., chunks, index] = path else { return None };
        let is_piece = chunks == "chunks" && self.marked.contains(whole);
        is_piece.then(|| index.parse().ok().map(|index| (whole.to_vec(), index))).flatten()
    }

    fn join(&self, path: &[String], mut pieces: Vec<(u64, Array)>, catalogue: &mut Catalogue) -> Result<(), Problem> {
        let name = path.join(".");
        pieces.sort_by_key(|(index, _)| *index);
        let is_whole = pieces.iter().enumerate().all(|(place, (index, _))| place as u64 == *index);
        let Some(dtype) = pieces.first().map(|(_, array)| array.dtype).filter(|_| is_whole) else {
            return Err(Problem::broken(format!("array '{}' lacks a piece", shown(&name))));
        };
        if pieces.iter().any(|(_, array)| array.dtype != dtype) {
            return Err(Problem::broken(format!("the pieces of array '{}' are of several types", shown(&name))));
        }
        let shape = self.shape(path);
        let spans: Vec<Span> = pieces.into_iter().map(|(_, array)| array.data).collect();
        let storage = catalogue.add_storage(Storage::Pieces(spans));
        let view = View { storage, offset: 0, strides: row_major(&shape), is_swapped: false };
        let entry = Entry { name, dtype, shape, view };
        if entry.bytes() != catalogue.storages.get(storage).map(Storage::length) {
            let detail = format!("the pieces of array '{}' are not as long as its shape needs", shown(&entry.name));
            return Err(Problem::broken(detail));
        }
        catalogue.tensors.push(entry);
        Ok(())
    }

    fn shape(&self, path: &[String]) -> Vec<u64> {
        let extent = |index: usize| {
            let key: Vec<String> = path.iter().cloned().chain(["shape".to_owned(), index.to_string()]).collect();
            self.numbers.get(&key).copied()
        };
        (0..MAX_DIMENSIONS).map_while(extent).collect()
    }
}

/// An array, where it is.
struct Array {
    shape: Vec<u64>,
    dtype: Dtype,
    data: Span,
}

/// Reads one array: its shape, the name of its type, its bytes.
fn array(source: &dyn Source, span: Span, name: &str, budget: &Budget) -> Result<Array, Problem> {
    let (mut shape, mut dtype, mut data, mut is_bad) = (Vec::new(), String::new(), None, false);
    let outcome = walk(source, span, budget, &mut |path, _, value| match (path, value) {
        ([], Value::Array(3) | Value::ArrayEnd) | ([Segment::Index(0)], Value::Array(_) | Value::ArrayEnd) => {}
        ([Segment::Index(0), _], Value::Integer(extent)) => match u64::try_from(extent) {
            Ok(extent) if shape.len() < MAX_DIMENSIONS => shape.push(extent),
            _ => is_bad = true,
        },
        ([Segment::Index(1)], Value::Text(text)) => dtype = text.to_owned(),
        ([Segment::Index(2)], Value::Bytes(bytes)) => data = Some(bytes),
        _ => is_bad = true,
    });
    let Some(data) = data.filter(|_| !is_bad && outcome.notes.is_empty() && outcome.end == span.end()) else {
        return Err(Problem::broken(format!("array '{}' is not made of a shape, a type and bytes", shown(name))));
    };
    let Some(dtype) = of_name(&dtype) else {
        let detail = format!("array '{}' is of {}, which safetensors does not have", shown(name), shown(&dtype));
        return Err(Problem::unsupported(detail));
    };
    let elements = shape.iter().try_fold(dtype.size(), |product, extent| product.checked_mul(*extent));
    if elements != Some(data.length) {
        return Err(Problem::broken(format!("array '{}' is not as long as its shape needs", shown(name))));
    }
    Ok(Array { shape, dtype, data })
}

/// The element type of NumPy's name for it, and of those that ml_dtypes adds.
fn of_name(name: &str) -> Option<Dtype> {
    Some(match name {
        "bool" => Dtype::Bool,
        "uint8" => Dtype::U8,
        "int8" => Dtype::I8,
        "uint16" => Dtype::U16,
        "int16" => Dtype::I16,
        "uint32" => Dtype::U32,
        "int32" => Dtype::I32,
        "uint64" => Dtype::U64,
        "int64" => Dtype::I64,
        "float16" => Dtype::F16,
        // Older versions wrote bfloat16 as the two bytes that NumPy took it for.
        "bfloat16" | "V2" => Dtype::Bf16,
        "float32" => Dtype::F32,
        "float64" => Dtype::F64,
        "complex64" => Dtype::C64,
        "float8_e4m3fn" => Dtype::F8E4M3,
        "float8_e5m2" => Dtype::F8E5M2,
        "float8_e8m0fnu" => Dtype::F8E8M0,
        "float8_e4m3fnuz" => Dtype::F8E4M3Fnuz,
        "float8_e5m2fnuz" => Dtype::F8E5M2Fnuz,
        _ => return None,
    })
}
