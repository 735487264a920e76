//! GLOBAL, STACK_GLOBAL, the extension registry and persistent ids: how a stream gets hold of what it did not make.

use crate::fact::{Anomaly, Gap, Standing, Usage};
use crate::source::ReadError;

use super::literal::{Literal, read_length};
use super::machine::Machine;
use super::reading::{is_identifier_path, is_plain_name};
use super::rename::renamed;
use super::value::{Holds, NodeKind, Value};

/// Bytes of a module or a name.
const MAX_NAME: usize = 64 * 1024;
/// The first protocol in which names are looked up as they stand.
const FIRST_WITHOUT_RENAMING: u8 = 3;

impl Machine<'_> {
    /// GLOBAL: two lines name a module and something in it.
    pub(super) fn global(&mut self) -> Result<(), ReadError> {
        let value = self.named_by_lines()?;
        self.push(value);
        Ok(())
    }

    /// The callable that two lines of text name, for GLOBAL and INST.
    pub(super) fn named_by_lines(&mut self) -> Result<Value, ReadError> {
        let module = self.name_line()?;
        let name = self.name_line()?;
        Ok(self.look_up(&module, &name))
    }

    fn name_line(&mut self) -> Result<String, ReadError> {
        let line = self.cursor.line(MAX_NAME)?;
        let plain = is_plain_name(line);
        let text = String::from_utf8_lossy(line).into_owned();
        if !plain {
            let detail = format!("loaders and pickletools read the name '{text}' differently");
            self.uses.anomaly(self.at, Anomaly::ReaderDisagreement, detail);
        }
        Ok(text)
    }

    /// STACK_GLOBAL: module and name come from the stack.
    pub(super) fn stack_global(&mut self) {
        let name = self.pop();
        let module = self.pop();
        let value = match (self.text(module), self.text(name)) {
            (Some(module), Some(name)) => self.look_up(&module, &name),
            _ => self.computed_name(module, name),
        };
        self.push(value);
    }

    /// A name that is not in the file as a constant text: nothing honest writes one.
    fn computed_name(&mut self, module: Value, name: Value) -> Value {
        let expression = format!("import {}, {}", self.express(module), self.express(name));
        self.uses.special(self.at, Usage::Reference, Standing::Computed, expression);
        self.node(NodeKind::Extension, &[module, name], Holds { uncleared: true, ..Holds::default() })
    }

    fn look_up(&mut self, module: &str, name: &str) -> Value {
        let (module, name) =
            if self.protocol < FIRST_WITHOUT_RENAMING { renamed(module, name) } else { (module, name) };
        if !is_identifier_path(module) || !is_identifier_path(name) {
            self.uses.no_name(self.at, module, name);
        }
        let Some(id) = self.globals.number(module, name) else {
            self.uses.incomplete(self.at, Gap::Limit, "the stream names more callables than are followed");
            return Value::Lost;
        };
        let standing = self.globals.standing(id, Usage::Reference, None);
        self.record(id, Usage::Reference, standing, None);
        Value::Global(id)
    }

    /// EXT1, EXT2, EXT4: a number stands for a callable that the loading program has registered.
    pub(super) fn extension(&mut self, code: u8) -> Result<(), ReadError> {
        let width = match code {
            super::opcode::EXT1 => 1,
            super::opcode::EXT2 => 2,
            _ => 4,
        };
        let number = read_length(&mut self.cursor, width)?;
        let expression = format!("copyreg._inverted_registry[{number}]");
        self.uses.special(self.at, Usage::Reference, Standing::Computed, expression);
        let value = self.node(NodeKind::Extension, &[], Holds { uncleared: true, ..Holds::default() });
        self.push(value);
        Ok(())
    }

    /// PERSID: a line of text that the loader turns into an object.
    pub(super) fn persistent_line(&mut self) -> Result<(), ReadError> {
        self.cursor.line(MAX_NAME)?;
        self.uses.persistent = self.uses.persistent.saturating_add(1);
        self.push(Value::Persistent);
        Ok(())
    }

    /// BINPERSID: a value that the loader turns into an object; tensors' storages in PyTorch.
    pub(super) fn persistent(&mut self) {
        let id = self.pop();
        self.uses.persistent = self.uses.persistent.saturating_add(1);
        if let Some(class) = self.persistent_class(id) {
            return self.push(class);
        }
        let holds = self.holds_of(id);
        let value = match self.nodes.add(NodeKind::Persistent, &[id], Holds { callable: false, ..holds }) {
            Some(node) => Value::Node(node),
            None => Value::Persistent,
        };
        self.note_storage(id);
        self.push(value);
    }

    /// The class that a persistent id of PyTorch's older files carries with its source: the loader compares the source
    /// and gives the class.
    fn persistent_class(&self, id: Value) -> Option<Value> {
        match self.items(id).as_slice() {
            [kind, class @ Value::Global(_), source_file, source] => {
                let texts = [*kind, *source_file, *source].map(|value| self.text(value));
                (texts[0].as_deref() == Some("module") && texts.iter().all(Option::is_some)).then_some(*class)
            }
            [class @ Value::Global(_), source_file, source] => {
                (self.text(*source_file).is_some() && self.text(*source).is_some()).then_some(*class)
            }
            _ => None,
        }
    }

    /// The text of a literal.
    pub(super) fn text(&self, value: Value) -> Option<String> {
        match self.read_literal(value)? {
            Literal::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A literal, read back from the stream.
    pub(super) fn read_literal(&self, value: Value) -> Option<Literal> {
        let Value::Literal(relative) = value else { return None };
        Literal::read(self.source, self.start.saturating_add(u64::from(relative)))
    }

    /// The number with its sign that a literal stands for, when it fits.
    pub(super) fn signed_integer(&self, value: Value) -> Option<i64> {
        match self.read_literal(value)? {
            Literal::Number(number) => number.parse().ok(),
            _ => None,
        }
    }

    /// The number a literal stands for, when it fits.
    pub(super) fn integer(&self, value: Value) -> Option<u64> {
        match self.read_literal(value)? {
            Literal::Number(number) => number.parse().ok(),
            _ => None,
        }
    }
}
