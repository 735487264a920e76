//! Opcodes that make containers and objects, and that put things in them.

use super::machine::Machine;
use super::value::{Kind, Value};
use crate::pickle::opcode;
use crate::weights::Problem;

impl Machine<'_> {
    pub(super) fn build(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            opcode::EMPTY_TUPLE => self.make(Kind::Tuple, Vec::new()),
            opcode::EMPTY_LIST => self.make(Kind::List, Vec::new()),
            opcode::EMPTY_DICT => self.make(Kind::Dict, Vec::new()),
            opcode::EMPTY_SET => self.make(Kind::Set, Vec::new()),
            opcode::TUPLE => self.make_marked(Kind::Tuple),
            opcode::LIST => self.make_marked(Kind::List),
            opcode::DICT => self.make_marked(Kind::Dict),
            opcode::FROZENSET => self.make_marked(Kind::Set),
            opcode::TUPLE1 => self.tuple(1),
            opcode::TUPLE2 => self.tuple(2),
            opcode::TUPLE3 => self.tuple(3),
            opcode::APPEND => {
                let item = self.pop()?;
                self.add(&[item])
            }
            opcode::SETITEM => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.add(&[key, value])
            }
            opcode::APPENDS | opcode::SETITEMS | opcode::ADDITEMS => {
                let items = self.pop_mark()?;
                self.add(&items)
            }
            _ => self.object(code),
        }
    }

    fn make(&mut self, kind: Kind, items: Vec<Value>) -> Result<(), Problem> {
        let node = self.heap.node(kind, items)?;
        self.push(node)
    }

    fn make_marked(&mut self, kind: Kind) -> Result<(), Problem> {
        let items = self.pop_mark()?;
        if kind == Kind::Dict && items.len() % 2 != 0 {
            return self.broken("a dictionary has a key without a value");
        }
        self.make(kind, items)
    }

    /// Adds items to the container on top.
    fn add(&mut self, items: &[Value]) -> Result<(), Problem> {
        let top = self.top()?;
        let is_odd = items.len() % 2 != 0;
        match top {
            Value::Node(node) if self.heap.kind(top) != Some(Kind::Dict) || !is_odd => self.heap.extend(node, items),
            _ => self.broken("something is put in what is no container"),
        }
    }

    fn object(&mut self, code: u8) -> Result<(), Problem> {
        let made = match code {
            opcode::REDUCE | opcode::NEWOBJ => {
                let (arguments, callable) = (self.pop()?, self.pop()?);
                self.call(callable, arguments)?
            }
            opcode::NEWOBJ_EX => {
                let (keywords, arguments, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.heap.node(Kind::Object(class), vec![arguments, keywords])?
            }
            opcode::OBJ => {
                let mut items = self.pop_mark()?;
                if items.is_empty() {
                    return self.broken("OBJ has no class");
                }
                let class = items.remove(0);
                self.heap.node(Kind::Object(class), items)?
            }
            opcode::INST => {
                let class = self.two_lines()?;
                let items = self.pop_mark()?;
                self.heap.node(Kind::Object(class), items)?
            }
            opcode::BUILD => {
                let (state, target) = (self.pop()?, self.pop()?);
                self.set_state(target, state)?
            }
            _ => return self.broken("a byte that is no opcode"),
        };
        self.push(made)
    }

    /// Sets the state of what was built. A dictionary's own is its attributes: `_metadata`, say, which are no weights.
    fn set_state(&mut self, target: Value, state: Value) -> Result<Value, Problem> {
        let Value::Node(node) = target else { return Ok(target) };
        match self.heap.kind(target) {
            Some(Kind::Array) => {
                // Whoever remembers the empty array means the same one.
                let array = self.array(state)?;
                self.heap.set_kind(node, Kind::Stated(array));
                Ok(target)
            }
            Some(Kind::Object(_) | Kind::NumpyType) => {
                self.heap.extend(node, &[state])?;
                Ok(target)
            }
            Some(Kind::Dict) if self.holds_tensor(state) => {
                Err(Problem::unsupported("a tensor is an attribute of a dictionary, not an item of it"))
            }
            _ => Ok(target),
        }
    }
}
