//! From what a pickle builds to a list of tensors: keys are joined with dots.

use std::collections::{HashMap, HashSet};

use super::machine::Machine;
use super::tensors::Bytes;
use super::value::{Global, Kind, Value};
use crate::protobuf::Span;
use crate::weights::{Catalogue, Entry, LeftOut, MAX_TENSORS, Problem, Storage, View, shown};

/// Dictionaries within dictionaries.
const MAX_DEPTH: usize = 64;
/// Values that are walked over, counting shared ones each time.
const MAX_STEPS: usize = 1 << 23;
/// Values beside tensors that are listed.
const MAX_LEFT_OUT: usize = 10_000;
/// Characters of a tensor's name.
const MAX_NAME: usize = 4096;
/// The name of a tensor that is all there is.
pub const ONLY: &str = "tensor";

/// All tensors below `root`.
pub(super) fn flatten(machine: &Machine<'_>, root: Value) -> Result<Catalogue, Problem> {
    let mut walk = Walk { machine, catalogue: Catalogue::default(), storages: HashMap::new(), steps: 0, more: 0 };
    walk.value(root, &mut Vec::new(), &Name::default())?;
    if walk.more > 0 {
        walk.catalogue.left_out.push(LeftOut { name: String::new(), what: format!("{} more values", walk.more) });
    }
    Ok(walk.catalogue)
}

/// The keys that lead to a value.
#[derive(Debug, Clone, Default)]
struct Name {
    text: String,
    /// Whether each of them can be part of a name.
    is_odd: bool,
}

struct Walk<'w, 'a> {
    machine: &'w Machine<'a>,
    catalogue: Catalogue,
    /// Storages that tensors are in, by where they are.
    storages: HashMap<Bytes, usize>,
    steps: usize,
    more: usize,
}

impl Walk<'_, '_> {
    fn value(&mut self, value: Value, above: &mut Vec<u32>, name: &Name) -> Result<(), Problem> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > MAX_STEPS {
            return Err(Problem::unsupported("the pickle holds itself too often over to be walked"));
        }
        match value {
            Value::Tensor(tensor) => self.tensor(tensor, name),
            Value::Refused(_) => {
                let why = self.machine.heap.text_of(value).unwrap_or_default();
                Err(Problem::unsupported(format!("tensor '{}': {why}", shown(&name.text))))
            }
            Value::Node(node) => self.node(node, value, above, name),
            _ => {
                self.leave_out(value, name);
                Ok(())
            }
        }
    }

    fn node(&mut self, node: u32, value: Value, above: &mut Vec<u32>, name: &Name) -> Result<(), Problem> {
        if above.contains(&node) || above.len() >= MAX_DEPTH {
            let detail = format!("'{}' lies deeper than {MAX_DEPTH} dictionaries, or within itself", shown(&name.text));
            return Err(Problem::unsupported(detail));
        }
        above.push(node);
        match self.machine.heap.kind(value) {
            Some(Kind::Dict) => self.dict(value, above, name)?,
            Some(Kind::List | Kind::Tuple) => self.list(value, above, name)?,
            Some(Kind::Stated(array)) => self.value(array, above, name)?,
            Some(Kind::Array) => {
                return Err(Problem::unsupported(format!("array '{}' is not in the pickle", shown(&name.text))));
            }
            _ if self.machine.holds_tensor(value) => {
                let place =
                    if name.text.is_empty() { "what is in it".to_owned() } else { format!("'{}'", shown(&name.text)) };
                let what = self.describe(value);
                return Err(Problem::unsupported(format!("{place} is an {what}, and tensors lie within it")));
            }
            _ => self.leave_out(value, name),
        }
        above.pop();
        Ok(())
    }

    fn dict(&mut self, value: Value, above: &mut Vec<u32>, name: &Name) -> Result<(), Problem> {
        let mut keys = HashSet::new();
        for pair in self.machine.heap.items(value).chunks_exact(2) {
            let &[key, item] = pair else { continue };
            let below = self.below(name, key)?;
            if !keys.insert(below.text.clone()) {
                return Err(Problem::unsupported(format!("'{}' is set twice", shown(&below.text))));
            }
            self.value(item, above, &below)?;
        }
        Ok(())
    }

    /// A list without tensors is one value, however long.
    fn list(&mut self, value: Value, above: &mut Vec<u32>, name: &Name) -> Result<(), Problem> {
        let items = self.machine.heap.items(value);
        if !items.iter().any(|item| matches!(item, Value::Node(_) | Value::Tensor(_) | Value::Refused(_))) {
            self.leave_out(value, name);
            return Ok(());
        }
        for (index, item) in items.iter().enumerate() {
            let below = self.below(name, Value::Int(i64::try_from(index).unwrap_or(i64::MAX)))?;
            self.value(*item, above, &below)?;
        }
        Ok(())
    }

    fn below(&self, name: &Name, key: Value) -> Result<Name, Problem> {
        let (part, is_odd) = match key {
            Value::Int(number) => (number.to_string(), false),
            key => {
                self.machine.heap.text_of(key).map_or_else(|| ("?".to_owned(), true), |text| (text.to_owned(), false))
            }
        };
        let dot = if name.text.is_empty() { "" } else { "." };
        let text = format!("{}{dot}{part}", name.text);
        if text.len() > MAX_NAME {
            return Err(Problem::unsupported(format!("a name of more than {MAX_NAME} characters, '{}'", shown(&text))));
        }
        Ok(Name { text, is_odd: name.is_odd || is_odd })
    }

    fn tensor(&mut self, tensor: u32, name: &Name) -> Result<(), Problem> {
        if name.is_odd {
            let detail =
                format!("a tensor lies under a key that is neither text nor a number, '{}'", shown(&name.text));
            return Err(Problem::unsupported(detail));
        }
        if self.catalogue.tensors.len() >= MAX_TENSORS {
            return Err(Problem::unsupported(format!("more than {MAX_TENSORS} tensors")));
        }
        let Some(tensor) = self.machine.tensors.get(tensor as usize) else { return Ok(()) };
        let (storage, skipped) = self.storage(tensor.storage)?;
        let offset = tensor.offset.saturating_add(skipped);
        let view = View { storage, offset, strides: tensor.strides.clone(), is_swapped: tensor.is_swapped };
        let text = if name.text.is_empty() { ONLY.to_owned() } else { name.text.clone() };
        self.catalogue.tensors.push(Entry { name: text, dtype: tensor.dtype, shape: tensor.shape.clone(), view });
        Ok(())
    }

    /// The storage in the catalogue, and the bytes of it in front of what the tensor's offset counts from.
    fn storage(&mut self, index: u32) -> Result<(usize, u64), Problem> {
        let Some(storage) = self.machine.storages.get(index as usize) else {
            return Err(Problem::broken("a storage is missing"));
        };
        let size = storage.element.size();
        let bytes = |elements: u64| elements.checked_mul(size);
        let (Some(length), Some(skipped)) = (bytes(storage.elements), bytes(storage.skipped)) else {
            return Err(Problem::broken("the size of a storage overflows 64 bits"));
        };
        let length = length.saturating_add(skipped);
        if let Some(known) = self.storages.get(&storage.bytes).copied() {
            self.agree(known, length, storage.skipped > 0)?;
            return Ok((known, skipped));
        }
        let held = match &storage.bytes {
            Bytes::Key(key) => Storage::Member { name: key.clone(), length },
            Bytes::Here(offset, length) => Storage::Range(Span { offset: *offset, length: *length }),
        };
        let place = self.catalogue.add_storage(held);
        self.storages.insert(storage.bytes.clone(), place);
        Ok((place, skipped))
    }

    /// The same key has to mean the same number of bytes, but for views of storages, which only have to fit.
    fn agree(&mut self, known: usize, length: u64, is_view: bool) -> Result<(), Problem> {
        match self.catalogue.storages.get_mut(known) {
            Some(Storage::Member { length: before, .. }) if *before < length && is_view => *before = length,
            Some(Storage::Member { name, length: before }) if *before != length && !is_view => {
                return Err(Problem::broken(format!("storage '{}' is said to have two sizes", shown(name))));
            }
            _ => {}
        }
        Ok(())
    }

    fn leave_out(&mut self, value: Value, name: &Name) {
        if self.catalogue.left_out.len() >= MAX_LEFT_OUT {
            self.more = self.more.saturating_add(1);
            return;
        }
        let what = self.describe(value);
        self.catalogue.left_out.push(LeftOut { name: name.text.clone(), what });
    }

    fn describe(&self, value: Value) -> String {
        let heap = &self.machine.heap;
        let class = |class: Value| heap.global_of(class).map_or_else(|| "a computed class".to_owned(), Global::path);
        match value {
            Value::None => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Int(number) => format!("int {number}"),
            Value::Long => "int of more than 64 bits".to_owned(),
            Value::Float(number) => format!("float {number:?}"),
            Value::Text(_) => format!("text '{}'", shown(heap.text_of(value).unwrap_or_default())),
            Value::Bytes(_) => format!("{} bytes", heap.span_of(value).map_or(0, |span| span.length)),
            Value::Global(_) => format!("name {}", class(value)),
            Value::Storage(_) => "storage without a tensor".to_owned(),
            Value::Node(_) => match heap.kind(value) {
                Some(Kind::Object(made)) => format!("object of {}", class(made)),
                Some(Kind::NumpyType) => "object of numpy.dtype".to_owned(),
                Some(Kind::Array | Kind::Stated(_)) => "array".to_owned(),
                Some(Kind::Set) => format!("set of {}", heap.items(value).len()),
                _ => format!("list of {}", heap.items(value).len()),
            },
            Value::Tensor(_) | Value::Refused(_) => "tensor".to_owned(),
        }
    }
}
