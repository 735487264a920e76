//! Storages and tensors, as the pickle names them.

use super::constants::{Element, of_dtype, of_storage};
use super::machine::Machine;
use super::value::{Kind, Value};
use crate::protobuf::Span;
use crate::weights::{Dtype, MAX_DIMENSIONS, MAX_TENSORS, Problem, shown};

/// Where the bytes of a storage are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Bytes {
    /// Outside the pickle, under a key.
    Key(String),
    /// In the pickle itself.
    Here(u64, u64),
}

/// A storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StorageOf {
    pub(super) bytes: Bytes,
    pub(super) element: Element,
    pub(super) elements: u64,
    /// Elements of the root storage in front of it; only PyTorch's oldest files have views of storages.
    pub(super) skipped: u64,
}

/// A tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TensorOf {
    pub(super) storage: u32,
    pub(super) dtype: Dtype,
    /// In bytes, from the start of the storage.
    pub(super) offset: u64,
    pub(super) shape: Vec<u64>,
    pub(super) strides: Vec<u64>,
    pub(super) is_swapped: bool,
}

impl Machine<'_> {
    /// The storage of a persistent id: `('storage', class, key, location, elements)`, and in older files a view of it.
    pub(super) fn storage(&mut self, id: Value) -> Result<Value, Problem> {
        let items = self.heap.items(id).to_vec();
        let [kind, class, key, _, Value::Int(elements), view @ ..] = items.as_slice() else {
            return self.heap.refused("it needs an object that only its own program provides");
        };
        let key = match *key {
            Value::Int(key) => key.to_string(),
            key => self.heap.text_of(key).unwrap_or_default().to_owned(),
        };
        if self.heap.text_of(*kind) != Some("storage") || key.is_empty() {
            return self.heap.refused("it needs an object that only its own program provides");
        }
        let Some(element) = self.heap.global_of(*class).and_then(|class| of_storage(&class.name)) else {
            return self.heap.refused(format!("the type of storage '{}' is not known here", shown(&key)));
        };
        let Ok(elements) = u64::try_from(*elements) else {
            return self.broken("a storage has fewer elements than none");
        };
        let mut storage = StorageOf { bytes: Bytes::Key(key), element, elements, skipped: 0 };
        if let Some(view) = view.first().filter(|view| **view != Value::None) {
            let [_, Value::Int(offset), Value::Int(length)] = *self.heap.items(*view) else {
                return self.broken("a view of a storage is not as it should be");
            };
            let (Ok(offset), Ok(length)) = (u64::try_from(offset), u64::try_from(length)) else {
                return self.broken("a view of a storage has a negative size");
            };
            (storage.skipped, storage.elements) = (offset, length);
        }
        self.add_storage(storage)
    }

    /// Remembers a storage. The same key always means the same storage.
    pub(super) fn add_storage(&mut self, storage: StorageOf) -> Result<Value, Problem> {
        if self.storages.last() == Some(&storage) {
            return Ok(Value::Storage(u32::try_from(self.storages.len().saturating_sub(1)).unwrap_or(u32::MAX)));
        }
        if self.storages.len() >= MAX_TENSORS {
            return Err(Problem::unsupported(format!("more than {MAX_TENSORS} storages")));
        }
        self.storages.push(storage);
        Ok(Value::Storage(u32::try_from(self.storages.len().saturating_sub(1)).unwrap_or(u32::MAX)))
    }

    /// `_rebuild_tensor(storage, offset, size, stride, …)`; the newest form also says the type.
    pub(super) fn tensor(&mut self, arguments: &[Value], dtype: Option<Value>) -> Result<Value, Problem> {
        let [storage, Value::Int(offset), size, stride, ..] = arguments else {
            return self.broken("a tensor is made without storage, offset, size and stride");
        };
        let Value::Storage(index) = *storage else {
            let why = self.heap.text_of(*storage).unwrap_or("its storage is none").to_owned();
            return self.heap.refused(why);
        };
        let Some(element) = self.storages.get(index as usize).map(|storage| storage.element) else {
            return self.broken("a storage is missing");
        };
        let dtype = match self.dtype(element, dtype) {
            Ok(dtype) => dtype,
            Err(why) => return self.heap.refused(why),
        };
        let (Some(shape), Some(strides)) = (self.extents(*size), self.extents(*stride)) else {
            return self.broken("a tensor has an extent or a stride that is negative or no number");
        };
        let offset = u64::try_from(*offset).ok().and_then(|offset| offset.checked_mul(dtype.size()));
        let Some(offset) = offset.filter(|_| shape.len() == strides.len() && shape.len() <= MAX_DIMENSIONS) else {
            return self.broken("a tensor has a negative offset, or not one stride for each extent");
        };
        self.add_tensor(TensorOf { storage: index, dtype, offset, shape, strides, is_swapped: false })
    }

    /// Remembers a tensor.
    pub(super) fn add_tensor(&mut self, tensor: TensorOf) -> Result<Value, Problem> {
        if self.tensors.len() >= MAX_TENSORS {
            return Err(Problem::unsupported(format!("more than {MAX_TENSORS} tensors")));
        }
        self.tensors.push(tensor);
        Ok(Value::Tensor(u32::try_from(self.tensors.len().saturating_sub(1)).unwrap_or(u32::MAX)))
    }

    fn dtype(&self, element: Element, said: Option<Value>) -> Result<Dtype, String> {
        match (element, said) {
            (Element::Plain(dtype), None) => Ok(dtype),
            (Element::Other(name, _), _) => Err(format!("its elements are {name}, which safetensors does not have")),
            (_, Some(said)) => {
                let name = self.heap.global_of(said).map(|global| global.name.as_str()).unwrap_or("unknown");
                of_dtype(name).ok_or_else(|| format!("its elements are {}, which is not read here", shown(name)))
            }
            (Element::Untyped, None) => Err("its storage has no type".to_owned()),
        }
    }

    /// Whole numbers of a tuple; none when any is negative.
    pub(super) fn extents(&self, tuple: Value) -> Option<Vec<u64>> {
        let extent = |value: &Value| match value {
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        match self.heap.kind(tuple) {
            Some(Kind::Tuple | Kind::List) => self.heap.items(tuple).iter().map(extent).collect(),
            _ => None,
        }
    }

    /// Bytes that stand in the pickle, as a storage of bytes.
    pub(super) fn storage_here(&mut self, span: Span) -> Result<Value, Problem> {
        let bytes = Bytes::Here(span.offset, span.length);
        self.add_storage(StorageOf { bytes, element: Element::Untyped, elements: span.length, skipped: 0 })
    }
}
