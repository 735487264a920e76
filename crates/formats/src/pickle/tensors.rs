//! PyTorch's tensors in a pickle: shapes from the calls that rebuild them, element types from the storages that
//! persistent ids name, names from the dictionaries they are put in.

use std::collections::HashMap;

use crate::fact::{Anomaly, FactKind, Position, Tensor};
use crate::facts::Facts;

use super::machine::Machine;
use super::value::{NodeId, NodeKind, Value};

/// Tensors and storages told one by one; beyond that they are only counted.
const MAX_TOLD: usize = 100_000;

/// A storage that a persistent id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: String,
    pub(super) dtype: &'static str,
    pub(super) elements: u64,
    /// Where the stream first names it.
    pub(super) at: u64,
}

#[derive(Debug)]
struct Told {
    at: u64,
    node: NodeId,
    tensor: Tensor,
}

/// Tensors of one stream.
#[derive(Debug, Default)]
pub(super) struct Tensors {
    told: Vec<Told>,
    names: HashMap<NodeId, String>,
    /// Storages by key, in the order in which they were first named.
    pub(super) storages: Vec<Storage>,
    keys: HashMap<String, usize>,
}

impl Machine<'_> {
    /// Notes a storage: the persistent id `('storage', class, key, location, number of elements)`.
    pub(super) fn note_storage(&mut self, id: Value) {
        let items = self.items(id);
        let [kind, class, key, _, elements, ..] = items.as_slice() else { return };
        if self.tensors.storages.len() >= MAX_TOLD || self.text(*kind).as_deref() != Some("storage") {
            return;
        }
        let (Some(key), Some(elements)) = (self.text(*key), self.integer(*elements)) else { return };
        let dtype = self.storage_dtype(*class);
        self.check_key(&key);
        let known = self.tensors.keys.get(&key).and_then(|index| self.tensors.storages.get(*index));
        match known.map(|known| known.dtype == dtype && known.elements == elements) {
            Some(true) => {}
            Some(false) => {
                let detail = format!("storage '{key}' is used with two element types or sizes");
                self.uses.once(self.at, Anomaly::SizeMismatch, detail);
            }
            None => {
                self.tensors.keys.insert(key.clone(), self.tensors.storages.len());
                self.tensors.storages.push(Storage { key, dtype, elements, at: self.at });
            }
        }
    }

    /// A storage's key is part of a member's name.
    fn check_key(&mut self, key: &str) {
        if key.contains(['/', '\\', '\0']) || key.starts_with('.') {
            let detail = format!("the storage key '{key}' is a path that leaves the folder of storages");
            self.uses.once(self.at, Anomaly::PathTraversal, detail);
        }
    }

    fn storage_dtype(&self, class: Value) -> &'static str {
        let Value::Global(id) = class else { return "unknown" };
        self.globals.get(id).map_or("unknown", |global| dtype_of_storage(&global.name))
    }

    /// Notes a tensor that a call rebuilt: `_rebuild_tensor_v2(storage, offset, size, stride, …)`.
    pub(super) fn note_tensor(&mut self, value: Value) {
        let Value::Node(node) = value else { return };
        let items = self.items(value);
        let [_, storage, _, size, ..] = items.as_slice() else { return };
        let Some((dtype, room)) = self.storage_of(*storage) else { return };
        self.check_extent(&items, room);
        let extents: Option<Vec<u64>> = self.items(*size).into_iter().map(|extent| self.integer(extent)).collect();
        let Some(shape) = extents else { return };
        let mut tensor = Tensor { name: String::new(), dtype: dtype.to_owned(), shape, bytes: None };
        tensor.bytes = bytes_of(dtype).map(|bytes| tensor.elements().saturating_mul(bytes));
        if self.tensors.told.len() < MAX_TOLD {
            self.tensors.told.push(Told { at: self.at, node, tensor });
        }
    }

    /// Element type and number of elements of the storage that a persistent id stands for.
    fn storage_of(&self, storage: Value) -> Option<(&'static str, Option<u64>)> {
        let Value::Node(node) = storage else { return None };
        if self.kind_of(node) != Some(NodeKind::Persistent) {
            return None;
        }
        let id = self.items(self.nodes.items(node).first().copied()?);
        Some((self.storage_dtype(*id.get(1)?), id.get(4).and_then(|elements| self.integer(*elements))))
    }

    /// Checks that a tensor (storage, offset, size, stride) lies within its storage: loaders that do not read and write
    /// beside it.
    fn check_extent(&mut self, items: &[Value], room: Option<u64>) {
        let [_, _, offset, size, stride, ..] = items else { return };
        let numbers = |value: Value| -> Option<Vec<i64>> {
            self.items(value).into_iter().map(|number| self.signed_integer(number)).collect()
        };
        let (Some(offset), Some(size), Some(stride)) = (self.signed_integer(*offset), numbers(*size), numbers(*stride))
        else {
            return;
        };
        let negative = offset < 0 || size.iter().chain(&stride).any(|number| *number < 0);
        let reach = size
            .iter()
            .zip(&stride)
            .fold(offset, |reach, (size, stride)| reach.saturating_add(size.saturating_sub(1).saturating_mul(*stride)));
        let beyond =
            !size.contains(&0) && room.is_some_and(|room| u64::try_from(reach).is_ok_and(|reach| reach >= room));
        if negative || beyond || (size.len() != stride.len()) {
            self.uses.anomaly(self.at, Anomaly::SizeMismatch, "a tensor reaches beyond its storage");
        }
    }

    /// Tensors among values that are put in a dictionary get their keys as names.
    pub(super) fn name_tensors(&mut self, pairs: &[Value]) {
        for pair in pairs.chunks_exact(2) {
            let [key, Value::Node(node)] = pair else { continue };
            if self.kind_of(*node) != Some(NodeKind::InertCall) || self.tensors.names.len() >= MAX_TOLD {
                continue;
            }
            let (Some(name), node) = (self.text(*key), *node) else { continue };
            // A parameter is a tensor in a wrapper: the name belongs to the tensor.
            let inner = self.nodes.items(node).get(1).copied();
            if let Some(Value::Node(inner)) = inner
                && self.kind_of(inner) == Some(NodeKind::InertCall)
            {
                self.tensors.names.insert(inner, name.clone());
            }
            self.tensors.names.insert(node, name);
        }
    }

    /// Writes all tensors to `facts`.
    pub(super) fn write_tensors(&mut self, facts: &mut Facts) {
        for mut told in std::mem::take(&mut self.tensors.told) {
            told.tensor.name = self.tensors.names.remove(&told.node).unwrap_or_default();
            facts.push(Position::Offset(told.at), FactKind::Tensor(told.tensor));
        }
    }
}

/// Element type of a storage class.
fn dtype_of_storage(class: &str) -> &'static str {
    match class {
        "FloatStorage" => "float32",
        "DoubleStorage" => "float64",
        "HalfStorage" => "float16",
        "BFloat16Storage" => "bfloat16",
        "LongStorage" => "int64",
        "IntStorage" => "int32",
        "ShortStorage" => "int16",
        "CharStorage" => "int8",
        "ByteStorage" => "uint8",
        "BoolStorage" => "bool",
        "ComplexFloatStorage" => "complex64",
        "ComplexDoubleStorage" => "complex128",
        "QInt8Storage" => "qint8",
        "QUInt8Storage" => "quint8",
        "QInt32Storage" => "qint32",
        "QUInt4x2Storage" => "quint4x2",
        "QUInt2x4Storage" => "quint2x4",
        "UntypedStorage" => "bytes",
        _ => "unknown",
    }
}

/// Bytes per element of a type.
pub(super) fn bytes_of(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "complex128" => 16,
        "float64" | "int64" | "complex64" => 8,
        "float32" | "int32" | "qint32" => 4,
        "float16" | "bfloat16" | "int16" => 2,
        "int8" | "uint8" | "bool" | "qint8" | "quint8" | "quint4x2" | "quint2x4" | "bytes" => 1,
        _ => return None,
    })
}
