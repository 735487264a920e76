//! NumPy's arrays in a pickle: an empty array, and a state that gives it type, shape and bytes.

use super::machine::Machine;
use super::tensors::TensorOf;
use super::value::{Kind, Value};
use crate::numpy::plain_dtype;
use crate::weights::{Problem, column_major, row_major, shown};

impl Machine<'_> {
    pub(super) fn call_numpy(&mut self, path: &str, callable: Value, items: &[Value]) -> Result<Value, Problem> {
        match path {
            "numpy.core.multiarray._reconstruct" | "numpy._core.multiarray._reconstruct" => {
                self.heap.node(Kind::Array, Vec::new())
            }
            "numpy.dtype" => self.heap.node(Kind::NumpyType, items.to_vec()),
            _ => self.heap.node(Kind::Object(callable), items.to_vec()),
        }
    }

    /// The array of a state: `(version, shape, type, is_fortran, bytes)`.
    pub(super) fn array(&mut self, state: Value) -> Result<Value, Problem> {
        let items = self.heap.items(state).to_vec();
        let [.., shape, dtype, Value::Bool(is_fortran), bytes] = items.as_slice() else {
            return self.broken("an array's state is not as it should be");
        };
        let (Some(shape), Some(code)) = (self.extents(*shape), self.dtype_code(*dtype)) else {
            return self.broken("an array's shape or type is not as it should be");
        };
        let (Some((dtype, is_swapped)), Some(span)) = (plain_dtype(&code), self.heap.span_of(*bytes)) else {
            return self.heap.refused(format!("its elements are {}, or not kept as plain bytes", shown(&code)));
        };
        let Value::Storage(storage) = self.storage_here(span)? else { return self.broken("a storage is missing") };
        let strides = if *is_fortran { column_major(&shape) } else { row_major(&shape) };
        self.add_tensor(TensorOf { storage, dtype, offset: 0, shape, strides, is_swapped })
    }

    /// The type code of `numpy.dtype('f4', …)` with the byte order that its state says.
    fn dtype_code(&self, dtype: Value) -> Option<String> {
        if self.heap.kind(dtype) != Some(Kind::NumpyType) {
            return None;
        }
        let items = self.heap.items(dtype);
        let code = self.heap.text_of(*items.first()?)?;
        let order = items.last().and_then(|state| self.heap.text_of(*self.heap.items(*state).get(1)?)).unwrap_or("|");
        Some(format!("{order}{code}"))
    }
}
