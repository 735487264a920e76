//! What the calls of a state dict make. Any other call makes an object that is not looked into.

use super::machine::Machine;
use super::value::{Kind, Value};
use crate::weights::Problem;

/// Classes of tensors that are tensors and nothing else.
const PLAIN_TENSORS: &[&str] =
    &["torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"];

impl Machine<'_> {
    pub(super) fn call(&mut self, callable: Value, arguments: Value) -> Result<Value, Problem> {
        let path = self.heap.global_of(callable).map(super::value::Global::path).unwrap_or_default();
        let items = self.heap.items(arguments).to_vec();
        match path.as_str() {
            "collections.OrderedDict" => self.ordered_dict(&items),
            "torch.Size" => Ok(items.first().copied().filter(|size| self.is_tuple(*size)).unwrap_or(arguments)),
            "torch._utils._rebuild_tensor" => self.tensor(&items, None),
            "torch._utils._rebuild_tensor_v2" => self.tensor_with(&items, None, 6),
            "torch._utils._rebuild_tensor_v3" => self.tensor_with(&items, items.get(6).copied(), 7),
            "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
                items.first().copied().map_or_else(|| self.broken("a parameter is made of nothing"), Ok)
            }
            "torch._tensor._rebuild_from_type_v2" | "torch._utils._rebuild_from_type_v2" => self.from_type(&items),
            "torch._utils._rebuild_qtensor" => {
                self.heap.refused("it is quantised: integers with a scale, which safetensors does not have")
            }
            "torch.storage._load_from_bytes" => self.heap.refused("it is kept as a pickle within the pickle"),
            _ if path.starts_with("torch._utils._rebuild_") => {
                self.heap.refused(format!("it is made by {path}, which is more than numbers in a shape"))
            }
            _ => self.call_numpy(&path, callable, &items),
        }
    }

    fn is_tuple(&self, value: Value) -> bool {
        self.heap.kind(value) == Some(Kind::Tuple)
    }

    /// `OrderedDict()`, or `OrderedDict([(key, value), …])` as older Pythons wrote it.
    fn ordered_dict(&mut self, items: &[Value]) -> Result<Value, Problem> {
        let mut pairs = Vec::new();
        for pair in items.first().map(|list| self.heap.items(*list)).unwrap_or_default() {
            match self.heap.items(*pair) {
                &[key, value] => pairs.extend([key, value]),
                _ => return self.broken("an OrderedDict is made of something else than pairs"),
            }
        }
        self.heap.node(Kind::Dict, pairs)
    }

    /// A tensor whose last argument may say that its numbers are to be conjugated or negated when they are read.
    fn tensor_with(&mut self, items: &[Value], dtype: Option<Value>, metadata: usize) -> Result<Value, Problem> {
        let is_lazy =
            items.get(metadata).is_some_and(|metadata| self.heap.items(*metadata).contains(&Value::Bool(true)));
        if is_lazy {
            return self.heap.refused("its numbers are to be conjugated or negated when it is read");
        }
        self.tensor(items, dtype)
    }

    /// `_rebuild_from_type_v2(function, type, arguments, state)`.
    fn from_type(&mut self, items: &[Value]) -> Result<Value, Problem> {
        let [function @ Value::Global(_), class, arguments, ..] = items else {
            return self.broken("a tensor of a type of its own is not made as it should be");
        };
        let class = self.heap.global_of(*class).map(super::value::Global::path).unwrap_or_default();
        if !PLAIN_TENSORS.contains(&class.as_str()) {
            return self.heap.refused(format!("it is a {class}, whose meaning only its code knows"));
        }
        self.call(*function, *arguments)
    }

    /// Whether there is a tensor anywhere below a value.
    pub(super) fn holds_tensor(&self, value: Value) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut pending = vec![value];
        while let Some(value) = pending.pop() {
            match value {
                Value::Tensor(_) | Value::Refused(_) => return true,
                Value::Node(_) if matches!(self.heap.kind(value), Some(Kind::Array | Kind::Stated(_))) => return true,
                Value::Node(node) if seen.insert(node) => pending.extend(self.heap.items(value)),
                _ => {}
            }
        }
        false
    }
}
