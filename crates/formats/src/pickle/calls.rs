//! REDUCE, NEWOBJ, INST, OBJ: what would be called, and with what.

use crate::callable::arguments::ArgumentKind;
use crate::child::{Child, Encoding, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position, Standing, Usage};
use crate::source::ReadError;

use super::global::GlobalId;
use super::literal::Literal;
use super::machine::Machine;
use super::value::{Holds, NodeKind, Value};

/// Callables whose arguments are needed later, though the call is inert: sizes of raw arrays, shapes of tensors.
const REMEMBERED: &[(&str, &str)] = &[
    ("numpy", "dtype"),
    ("_codecs", "encode"),
    ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_tensor_v3"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_qtensor"),
];

/// Classes whose instances are themselves callables that run what they hold.
const CALLABLE_INSTANCES: &[(&str, &str)] = &[
    ("functools", "partial"),
    ("operator", "attrgetter"),
    ("operator", "itemgetter"),
    ("operator", "methodcaller"),
    ("_operator", "attrgetter"),
    ("_operator", "itemgetter"),
    ("_operator", "methodcaller"),
];

impl Machine<'_> {
    pub(super) fn reduce(&mut self) {
        let arguments = self.pop();
        let callable = self.pop();
        self.check_tuple(arguments, "a call");
        let result = self.call(callable, arguments, Usage::Reduce);
        self.push(result);
    }

    /// NEWOBJ and NEWOBJ_EX: the class's `__new__`, with positional and, in the latter, keyword arguments.
    pub(super) fn new_object(&mut self, with_keywords: bool) {
        let keywords = if with_keywords { self.pop() } else { Value::Plain };
        if self.plants(keywords) {
            self.planted("an object that is made");
        }
        let arguments = self.pop();
        let class = self.pop();
        self.check_tuple(arguments, "making an object");
        let holds = self.holds_of(keywords);
        let arguments = if holds == Holds::default() { arguments } else { self.joined(arguments, keywords) };
        let result = self.call(class, arguments, Usage::New);
        self.push(result);
    }

    pub(super) fn inst(&mut self) -> Result<(), ReadError> {
        let class = self.named_by_lines()?;
        match self.stack.pop_mark() {
            Ok(items) => self.call_with(class, &items),
            Err(error) => self.stack_error(error),
        }
        Ok(())
    }

    pub(super) fn obj(&mut self) {
        match self.stack.pop_mark() {
            Ok(items) => match items.split_first() {
                Some((class, arguments)) => self.call_with(*class, arguments),
                None => self.uses.broken(self.at, "OBJ has no class to make an object of"),
            },
            Err(error) => self.stack_error(error),
        }
    }

    fn call_with(&mut self, class: Value, arguments: &[Value]) {
        let holds = self.holds_of_all(arguments);
        let arguments = self.node(NodeKind::Tuple, arguments, holds);
        let result = self.call(class, arguments, Usage::Reduce);
        self.push(result);
    }

    /// A tuple of everything in two values, so that keyword arguments are judged with the positional ones.
    fn joined(&mut self, arguments: Value, keywords: Value) -> Value {
        let mut items = self.items(arguments);
        items.push(keywords);
        let holds = self.holds_of_all(&items);
        self.node(NodeKind::Tuple, &items, holds)
    }

    /// The C unpickler takes a tuple of arguments only, the pure-Python one anything it can iterate over.
    fn check_tuple(&mut self, arguments: Value, what: &str) {
        let other = match arguments {
            Value::Node(node) => self.kind_of(node).is_some_and(|kind| kind != NodeKind::Tuple),
            Value::Global(_) | Value::Literal(_) | Value::Made(_) => true,
            _ => false,
        };
        if other {
            let detail = format!("{what} has arguments that are no tuple: only the pure-Python unpickler takes them");
            self.uses.anomaly(self.at, Anomaly::ReaderDisagreement, detail);
        }
    }

    fn call(&mut self, callable: Value, arguments: Value, usage: Usage) -> Value {
        match callable {
            Value::Global(id) => self.call_global(id, arguments, usage),
            Value::Plain | Value::Literal(_) => {
                self.uses.broken(self.at, "something that is not callable is called");
                Value::Lost
            }
            // A limit was met, or a loader has stopped: in the first case a loader calls what is not known here.
            Value::Lost if self.uses.is_broken() => Value::Lost,
            Value::Lost | Value::Made(_) | Value::Node(_) | Value::Persistent => {
                self.call_computed(callable, arguments, usage)
            }
        }
    }

    /// Calls what an earlier call, an attribute or a persistent id gave: its name is only known while loading.
    fn call_computed(&mut self, callable: Value, arguments: Value, usage: Usage) -> Value {
        let expression = self.express_call(callable, arguments, usage);
        self.uses.special(self.at, usage, Standing::Computed, expression);
        self.call_node(callable, arguments)
    }

    fn call_node(&mut self, callable: Value, arguments: Value) -> Value {
        let mut items = vec![callable];
        items.extend(self.items(arguments));
        self.node(NodeKind::Call, &items, Holds { uncleared: true, ..Holds::default() })
    }

    fn call_global(&mut self, id: GlobalId, arguments: Value, usage: Usage) -> Value {
        if let Some(result) = self.call_known(id, arguments, usage) {
            return result;
        }
        let kinds = (!self.globals.ignores_arguments(id)).then(|| self.argument_kinds(arguments));
        let standing = self.globals.standing(id, usage, kinds.as_deref());
        let inert = matches!(standing, Standing::Inert { .. });
        let callable = Value::Global(id);
        let shown = (!inert || self.uses.trace).then(|| self.express_call(callable, arguments, usage));
        self.record(id, usage, standing, shown);
        if inert { self.inert_result(id, arguments) } else { self.call_node(callable, arguments) }
    }

    /// Callables that only pass on what they are told to do: what they do is looked at instead.
    fn call_known(&mut self, id: GlobalId, arguments: Value, usage: Usage) -> Option<Value> {
        if usage != Usage::Reduce {
            return None;
        }
        let global = self.globals.get(id)?;
        match (global.module.as_str(), global.name.as_str()) {
            ("copyreg", "_reconstructor") => self.reconstructor(id, arguments),
            ("copyreg", "__newobj__" | "__newobj_ex__") => self.new_object_by_function(id, arguments),
            ("builtins", "getattr") => self.get_attribute(arguments),
            (
                "torch._utils" | "torch._tensor" | "torch.tensor" | "fastai.torch_core",
                "_rebuild_from_type" | "_rebuild_from_type_v2",
            ) => self.rebuild_from_type(id, arguments),
            ("torch.storage", "_load_from_bytes") => self.nested_pickle(id, arguments, 0),
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") if self.is_object_dtype(arguments) => {
                self.nested_pickle(id, arguments, 1)
            }
            _ => None,
        }
    }

    /// `copyreg._reconstructor(class, base, state)`: `base.__new__(class, state)`, and `base.__init__` when it has one.
    fn reconstructor(&mut self, id: GlobalId, arguments: Value) -> Option<Value> {
        let items = self.items(arguments);
        let [Value::Global(class), Value::Global(base), _] = items.as_slice() else { return None };
        let base = *base;
        let is_builtin = self.globals.get(base).is_some_and(|base| base.module == "builtins");
        let base_standing = self.globals.standing(base, Usage::New, None);
        if !(is_builtin
            && (self.globals.get(base)?.name == "object" || matches!(base_standing, Standing::Inert { .. })))
        {
            return None;
        }
        self.passes_on(id);
        Some(self.call(Value::Global(*class), arguments, Usage::New))
    }

    fn new_object_by_function(&mut self, id: GlobalId, arguments: Value) -> Option<Value> {
        let items = self.items(arguments);
        let (class, rest) = items.split_first()?;
        if !matches!(class, Value::Global(_)) {
            return None;
        }
        let holds = self.holds_of_all(rest);
        let rest = self.node(NodeKind::Tuple, rest, holds);
        self.passes_on(id);
        Some(self.call(*class, rest, Usage::New))
    }

    fn passes_on(&mut self, id: GlobalId) {
        let reason = "Makes an object of the class it is given, which is judged itself.".into();
        self.record(id, Usage::Reduce, Standing::Inert { reason }, None);
    }

    /// `getattr(object, 'name')` with a listed object and a plain name: enumeration members and bound methods that are
    /// kept, not called. What is got is judged if it is called.
    fn get_attribute(&mut self, arguments: Value) -> Option<Value> {
        let items = self.items(arguments);
        let [object, name] = items.as_slice() else { return None };
        let holds = self.holds_of(*object);
        let known = match *object {
            Value::Global(_) => !holds.uncleared,
            Value::Made(_) => true,
            Value::Node(node) => matches!(self.kind_of(node), Some(NodeKind::InertCall | NodeKind::Attribute)),
            _ => false,
        };
        let name_text = self.text(*name)?;
        if let Some(listed) = self.listed_attribute(*object, &name_text) {
            return Some(listed);
        }
        // What a stream made itself has only its class's own private names; a class leads further.
        let private = if matches!(object, Value::Made(_)) { "__" } else { "_" };
        if !known || holds.uncleared || name_text.starts_with(private) || name_text.contains('.') {
            return None;
        }
        self.attribute_of_listed(*object, &name_text)?;
        Some(self.node(NodeKind::Attribute, &[*object, *name], Holds { callable: true, ..Holds::default() }))
    }

    /// An attribute that a list names itself, such as a class method that rebuilds an instance.
    fn listed_attribute(&mut self, object: Value, name: &str) -> Option<Value> {
        let Value::Global(id) = object else { return None };
        let global = self.globals.get(id)?;
        let (module, path) = (global.module.clone(), format!("{}.{name}", global.name));
        if crate::callable::list::inert(&module, &path).is_empty() {
            return None;
        }
        let getattr = self.globals.number("builtins", "getattr")?;
        let reason = "Reads an attribute that a list names.".into();
        self.record(getattr, Usage::Reduce, Standing::Inert { reason }, None);
        self.globals.number(&module, &path).map(Value::Global)
    }

    /// Records that an attribute is read; none when a list says that it is dangerous itself.
    fn attribute_of_listed(&mut self, object: Value, name: &str) -> Option<()> {
        if let Value::Global(id) | Value::Made(id) = object {
            let global = self.globals.get(id)?;
            let path = format!("{}.{name}", global.name);
            if crate::callable::list::danger(&global.module, &path).is_some() {
                return None;
            }
        }
        let getattr = self.globals.number("builtins", "getattr")?;
        let reason = "Reads an attribute of something listed without calling it.".into();
        self.record(getattr, Usage::Reduce, Standing::Inert { reason }, None);
        Some(())
    }

    /// `_rebuild_from_type_v2(function, type, arguments, state)`: `function(*arguments)`, then the state set on it.
    fn rebuild_from_type(&mut self, id: GlobalId, arguments: Value) -> Option<Value> {
        let items = self.items(arguments);
        let [function @ Value::Global(_), class @ Value::Global(class_id), inner, state @ ..] = items.as_slice() else {
            return None;
        };
        let standing = self.globals.standing(*class_id, Usage::Reference, None);
        if self.holds_of(*class).uncleared || !matches!(standing, Standing::Inert { .. }) {
            return None;
        }
        self.passes_on(id);
        let result = self.call(*function, *inner, Usage::Reduce);
        // What a function for tensors makes takes any attribute; of anything else the state is set as BUILD does it.
        let is_object = matches!(result, Value::Made(_));
        for state in state {
            if is_object {
                self.change(result, Usage::Build, *state);
            }
            if self.plants(*state) || self.holds_of(*state).uncleared {
                let target = self.express(result);
                self.planted(&target);
            }
        }
        Some(result)
    }

    /// Whether the first argument is numpy's dtype for objects: a scalar of it is unpickled from its bytes.
    fn is_object_dtype(&self, arguments: Value) -> bool {
        let dtype = self.items(arguments).first().map(|dtype| self.items(*dtype)).unwrap_or_default();
        match dtype.get(1) {
            // A dtype given as a class, such as numpy.record, has no objects of its own.
            Some(Value::Global(_)) => false,
            code => code
                .and_then(|code| self.text(*code))
                .is_none_or(|code| code.trim_start_matches(['<', '>', '|', '=']).starts_with('O')),
        }
    }

    /// `torch.storage._load_from_bytes(bytes)` and its like load a pickle within the pickle: it is analysed as such.
    fn nested_pickle(&mut self, id: GlobalId, arguments: Value, argument: usize) -> Option<Value> {
        let bytes = self.items(arguments).get(argument).copied()?;
        let Some((offset, length, encoding)) = self.bytes_of(bytes) else {
            let detail = "a pickle within the pickle is not there as plain bytes";
            self.uses.incomplete(self.at, Gap::Unsupported, detail);
            return None;
        };
        let stored = Child::stored(format!("bytes at {offset:#x}"), offset, length);
        let child = Child { role: Role::Pickle, encoding, declared: None, ..stored };
        self.uses.fact(Position::Offset(offset), FactKind::Child(child));
        let reason = "Loads the pickle in its argument, which is analysed as one.".into();
        self.record(id, Usage::Reduce, Standing::Inert { reason }, None);
        Some(Value::Made(id))
    }

    /// Where the bytes of a value lie: a literal's own, or those of the text that `_codecs.encode` makes bytes of.
    fn bytes_of(&self, value: Value) -> Option<(u64, u64, Encoding)> {
        if let Some(Literal::Bytes { offset, length }) = self.read_literal(value) {
            return Some((offset, length, Encoding::Stored));
        }
        let items = self.items(value);
        let encoded = self.class_of(value).and_then(|id| self.globals.get(id))?.is("_codecs", "encode");
        let (Some(Value::Literal(text)), true) = (items.get(1), encoded) else { return None };
        let (offset, length) = Literal::range(self.source, self.start.saturating_add(u64::from(*text)))?;
        Some((offset, length, Encoding::Latin1))
    }

    fn inert_result(&mut self, id: GlobalId, arguments: Value) -> Value {
        self.plants_state |= self.plants_pairs(arguments);
        self.check_allocation(id, arguments);
        let remembered =
            self.globals.get(id).is_some_and(|global| REMEMBERED.iter().any(|(module, name)| global.is(module, name)));
        if remembered {
            let mut items = vec![Value::Global(id)];
            items.extend(self.items(arguments));
            let value = self.node(NodeKind::InertCall, &items, Holds::default());
            self.note_tensor(value);
            return value;
        }
        Value::Made(self.made_class(id, arguments))
    }

    /// The class of what a function makes, when it is its first argument, as in `_reconstruct(ndarray, …)`:
    /// state that is set later is judged by it. Otherwise the function stands for what it makes.
    fn made_class(&mut self, id: GlobalId, arguments: Value) -> GlobalId {
        let Some(Value::Global(class)) = self.items(arguments).first().copied() else { return id };
        let of_class = self.globals.standing(class, Usage::Build, None);
        if matches!(of_class, Standing::Inert { .. }) { class } else { id }
    }

    fn argument_kinds(&mut self, arguments: Value) -> Vec<ArgumentKind> {
        match arguments {
            Value::Plain => return vec![ArgumentKind::Unseen],
            // There was no room for what matters, which is told: a file of a million objects may well be honest.
            Value::Lost => return Vec::new(),
            Value::Node(_) => {}
            _ => return vec![ArgumentKind::Other],
        }
        self.items(arguments).into_iter().map(|argument| self.argument_kind(argument)).collect()
    }

    fn argument_kind(&mut self, value: Value) -> ArgumentKind {
        if let Some(text) = self.text(value) {
            return ArgumentKind::Text(text);
        }
        let holds = self.holds_of(value);
        match value {
            _ if holds.uncleared => ArgumentKind::Other,
            Value::Global(id) => ArgumentKind::Class(self.globals.key(id)),
            _ if holds.callable => ArgumentKind::Mixed,
            _ => ArgumentKind::Plain,
        }
    }

    /// The items kept of a container; none for anything else.
    pub(super) fn items(&self, value: Value) -> Vec<Value> {
        match value {
            Value::Node(node) => self.nodes.items(node).to_vec(),
            _ => Vec::new(),
        }
    }

    /// What a value holds that could be called.
    pub(super) fn holds_of(&mut self, value: Value) -> Holds {
        let callable = Holds { callable: true, ..Holds::default() };
        let uncleared = Holds { uncleared: true, ..Holds::default() };
        match value {
            Value::Plain | Value::Literal(_) | Value::Persistent => Holds::default(),
            Value::Lost => uncleared,
            Value::Global(id) => match self.globals.standing(id, Usage::Reference, None) {
                Standing::Inert { .. } => callable,
                _ => uncleared,
            },
            Value::Made(id) => {
                let is_callable =
                    |(module, name): &(&str, &str)| self.globals.get(id).is_some_and(|global| global.is(module, name));
                if CALLABLE_INSTANCES.iter().any(is_callable) { callable } else { Holds::default() }
            }
            Value::Node(node) => self.nodes.get(node).map_or(uncleared, |node| Holds { planted: false, ..node.holds }),
        }
    }
}
