//! BUILD, APPEND(S), SETITEM(S), ADDITEMS: what is changed, and whether the stream made it.
//!
//! A pickle has no business changing what it did not make: a class, a module, a function or the loader's own objects.

use crate::callable::list::StateConditions;
use crate::fact::{Anomaly, Standing, Usage};
use crate::source::ReadError;

use super::global::GlobalId;
use super::machine::{Flow, Machine};
use super::stack::StackError;
use super::value::{Holds, NodeId, NodeKind, Value};

/// Names that unpicklers look up on an object and call, so that a callable stored under one of them is called by a
/// later opcode.
const CALLED_BY_LOADERS: &[&str] = &["__setstate__", "append", "extend", "add", "update", "__setitem__"];

impl Machine<'_> {
    pub(super) fn build(&mut self) -> Result<Flow, ReadError> {
        let state = self.pop();
        let target = self.stack.top().unwrap_or(Value::Lost);
        if self.plants(state) || self.plants_state && self.is_made(state) {
            let target = self.express(target);
            self.planted(&target);
        }
        self.change(target, Usage::Build, state);
        self.pass_raw_array(target, state)
    }

    /// Whether a state, or one half of a state of two, stores a callable under a name that unpicklers call.
    pub(super) fn plants(&self, state: Value) -> bool {
        let planted = |value: &Value| match value {
            Value::Node(node) => self.nodes.get(*node).is_some_and(|node| node.holds.planted),
            _ => false,
        };
        planted(&state) || self.items(state).iter().any(planted) || self.has_special_slots(state)
    }

    /// Whether a state, or one half of a state of two, was made by an inert call.
    fn is_made(&self, state: Value) -> bool {
        let is_made = |value: &Value| matches!(value, Value::Made(_));
        let is_tuple = matches!(state, Value::Node(node) if self.kind_of(node) == Some(NodeKind::Tuple));
        is_made(&state) || is_tuple && self.items(state).iter().any(is_made)
    }

    /// Whether an argument of a call is a list of pairs of which one stores a callable under a name that unpicklers call, as
    /// dictionaries by another name are made.
    pub(super) fn plants_pairs(&mut self, arguments: Value) -> bool {
        self.items(arguments).into_iter().any(|list| self.list_plants(list))
    }

    fn list_plants(&mut self, list: Value) -> bool {
        let Value::Node(node) = list else { return false };
        if !self.is_plain_node(node) || !self.holds_of(list).callable {
            return false;
        }
        let cut = self.nodes.get(node).is_none_or(|node| node.cut);
        cut || self.plants(list) || self.items(list).into_iter().any(|pair| self.is_planted_pair(pair))
    }

    fn is_planted_pair(&mut self, pair: Value) -> bool {
        let items = self.items(pair);
        items.len() == 2 && self.holds_of_pairs(&items).planted
    }

    /// Notes that a callable is stored under a name that unpicklers call.
    pub(super) fn planted(&mut self, target: &str) {
        let change = "stores a callable under a name that unpicklers call".to_owned();
        self.uses.mutation(self.at, target.to_owned(), change);
    }

    /// Whether the second half of a state of two, which is set attribute by attribute, reaches a special attribute:
    /// `__class__` makes the object one of another class.
    fn has_special_slots(&self, state: Value) -> bool {
        let halves = self.items(state);
        let [_, slots] = halves.as_slice() else { return false };
        let is_dict = matches!(slots, Value::Node(node) if self.kind_of(*node) == Some(NodeKind::Dict));
        is_dict
            && self
                .items(*slots)
                .chunks(2)
                .filter_map(<[Value]>::first)
                .any(|key| self.text(*key).is_some_and(|name| name.starts_with("__")))
    }

    pub(super) fn append(&mut self) {
        let item = self.pop();
        self.fill(Usage::Append, self.stack.top(), &[item]);
    }

    pub(super) fn appends(&mut self) {
        self.fill_from_mark(Usage::Append);
    }

    pub(super) fn set_item(&mut self) {
        let value = self.pop();
        let key = self.pop();
        self.fill(Usage::SetItem, self.stack.top(), &[key, value]);
    }

    pub(super) fn set_items(&mut self) {
        self.fill_from_mark(Usage::SetItem);
    }

    pub(super) fn add_items(&mut self) {
        self.fill_from_mark(Usage::AddItem);
    }

    fn fill_from_mark(&mut self, usage: Usage) {
        match self.stack.close_mark() {
            Ok((mark, target)) => {
                let values = self.stack.lend();
                self.fill(usage, target, values.get(mark..).unwrap_or_default());
                self.stack.take_back(values, mark);
            }
            Err(error) => self.stack_error(error),
        }
    }

    /// Puts items into a value.
    fn fill(&mut self, usage: Usage, target: Result<Value, StackError>, items: &[Value]) {
        let target = match target {
            Ok(target) => target,
            Err(error) => return self.stack_error(error),
        };
        if items.is_empty() {
            let list = matches!(target, Value::Node(node) if self.is_own_container(node, Usage::Append));
            if usage == Usage::AddItem || (usage == Usage::Append && !list) {
                let detail = "nothing is added, which the C unpickler lets pass whatever it is added to";
                self.uses.anomaly(self.at, Anomaly::ReaderDisagreement, detail);
            }
            return;
        }
        if usage == Usage::SetItem && !items.len().is_multiple_of(2) {
            self.uses.broken(self.at, "a key has no value");
        }
        let holds = if usage == Usage::SetItem {
            self.name_tensors(items);
            self.holds_of_pairs(items)
        } else {
            self.holds_of_all(items)
        };
        match target {
            Value::Node(node) if self.is_own_container(node, usage) => {
                self.nodes.extend(node, items, holds);
                self.check_weight(target);
            }
            // A container that was not remembered may go on holding what does not matter.
            Value::Plain if holds != Holds::default() => drop(self.out_of_room()),
            Value::Plain => {}
            _ => {
                self.plants_in_made(target, items, holds);
                self.change(target, usage, items.last().copied().unwrap_or(Value::Plain));
            }
        }
    }

    /// Items of what an inert call made may be its attributes; a special one is nothing else.
    fn plants_in_made(&mut self, target: Value, items: &[Value], holds: Holds) {
        if !holds.planted {
            return;
        }
        self.plants_state = true;
        let is_special = |pair: &[Value]| {
            let [key, value] = pair else { return false };
            self.is_callable(*value)
                && self.text(*key).is_none_or(|key| key.starts_with("__"))
                && self.may_be_text(*key)
        };
        if items.chunks(2).any(is_special) {
            let target = self.express(target);
            self.planted(&target);
        }
    }

    /// Whether a key that is not a constant may still be a text: one that was made.
    fn may_be_text(&self, key: Value) -> bool {
        match key {
            Value::Made(_) | Value::Lost | Value::Literal(_) => true,
            Value::Node(node) => !self.is_plain_node(node),
            _ => false,
        }
    }

    fn is_own_container(&self, node: NodeId, usage: Usage) -> bool {
        matches!(
            (self.kind_of(node), usage),
            (Some(NodeKind::List), Usage::Append | Usage::SetItem)
                | (Some(NodeKind::Dict), Usage::SetItem)
                | (Some(NodeKind::Set), Usage::AddItem)
        )
    }

    /// Judges a change to something that is not a plain container.
    pub(super) fn change(&mut self, target: Value, usage: Usage, with: Value) {
        if let Some(class) = self.class_of(target) {
            let mut standing = self.globals.standing(class, usage, None);
            if usage == Usage::Build && !self.state_fits(class, with) {
                standing = Standing::Misused { expected: "a state that sets nothing it evaluates".to_owned() };
            }
            let shown = (!matches!(standing, Standing::Inert { .. }) || self.uses.trace)
                .then(|| self.express_change(target, usage, with));
            return self.record(class, usage, standing, shown);
        }
        let foreign = match target {
            Value::Global(_) | Value::Persistent => true,
            Value::Node(node) => {
                matches!(self.kind_of(node), Some(NodeKind::Attribute | NodeKind::Extension | NodeKind::Persistent))
            }
            _ => false,
        };
        if foreign {
            let change = self.express_change(target, usage, with);
            let target = self.express(target);
            self.uses.mutation(self.at, target, change);
        } else if matches!(target, Value::Literal(_))
            || (matches!(target, Value::Plain) && !matches!(with, Value::Plain))
            || matches!(target, Value::Node(node) if self.is_plain_node(node))
        {
            self.uses.broken(self.at, "a value is changed in a way it does not allow");
        }
    }

    /// Whether a state keeps to what the class's list says of states; one that is not known in full does not.
    fn state_fits(&self, class: GlobalId, state: Value) -> bool {
        let Some(conditions) = self.globals.get(class).and_then(|global| global.state_conditions) else { return true };
        if let Some(class) = self.class_of(state).and_then(|class| self.globals.get(class)) {
            return conditions.allow_instance(&class.module, &class.name);
        }
        let Value::Node(node) = state else { return false };
        let Some(known) = self.nodes.get(node) else { return false };
        let pairs = self.items(state);
        match known.kind {
            NodeKind::Dict => !known.cut && pairs.chunks(2).all(|pair| self.pair_fits(conditions, pair)),
            // Old releases set their state as a tuple, of which nothing is evaluated as long as it is not taken for pairs.
            NodeKind::Tuple => {
                let parts = || pairs.iter().all(|part| self.part_fits(conditions, *part));
                conditions.tuples && !known.holds.uncleared && !known.cut && parts()
            }
            _ => false,
        }
    }

    fn pair_fits(&self, conditions: &StateConditions, pair: &[Value]) -> bool {
        let [key, value] = pair else { return false };
        self.text(*key).is_some_and(|key| conditions.allow(&key, self.text(*value).as_deref()))
    }

    /// Whether a part of a tuple sets nothing it should not, if it is a dictionary or taken for a key and its value.
    fn part_fits(&self, conditions: &StateConditions, part: Value) -> bool {
        let Value::Node(node) = part else {
            return !matches!(part, Value::Made(_) | Value::Lost) && !self.is_out_of_room();
        };
        let Some(known) = self.nodes.get(node) else { return false };
        let items = self.items(part);
        match known.kind {
            NodeKind::Dict => !known.cut && items.chunks(2).all(|pair| self.pair_fits(conditions, pair)),
            _ => match items.as_slice() {
                [key, _] if self.may_be_text(*key) => {
                    let is_number = matches!(key, Value::Literal(_)) && self.text(*key).is_none();
                    is_number || self.pair_fits(conditions, &items)
                }
                _ => true,
            },
        }
    }

    fn is_plain_node(&self, node: NodeId) -> bool {
        matches!(self.kind_of(node), Some(NodeKind::Tuple | NodeKind::List | NodeKind::Dict | NodeKind::Set))
    }

    /// What pairs of keys and values hold, and whether a callable is stored under a name that unpicklers call.
    pub(super) fn holds_of_pairs(&mut self, pairs: &[Value]) -> Holds {
        let mut holds = Holds::default();
        for pair in pairs.chunks(2) {
            let of_pair = self.holds_of_all(pair);
            holds = holds.join(of_pair);
            if let [key, value] = pair
                && self.is_called_by_loaders(*key)
                && (self.is_callable(*value) || self.is_special(*key) && matches!(value, Value::Made(_)))
            {
                holds.planted = true;
            }
        }
        holds
    }

    /// Whether a value may be called: containers are not, whatever they hold.
    fn is_callable(&mut self, value: Value) -> bool {
        let holds = self.holds_of(value);
        let container = matches!(value, Value::Node(node) if self.is_plain_node(node));
        (holds.callable || holds.uncleared) && !container
    }

    /// Whether a key is a special name: what stands under it may be called whatever made it.
    fn is_special(&self, key: Value) -> bool {
        self.text(key).is_some_and(|name| name.starts_with("__"))
    }

    /// Whether a key is such a name, or may be: one that is made while loading is not known.
    fn is_called_by_loaders(&self, key: Value) -> bool {
        match self.text(key) {
            Some(name) => CALLED_BY_LOADERS.contains(&name.as_str()),
            None => !matches!(key, Value::Literal(_)) && self.may_be_text(key),
        }
    }
}
