//! Opcodes that push data, make containers and use the memo.

use crate::fact::{Anomaly, Gap};
use crate::source::ReadError;

use super::literal::read_length;
use super::machine::Machine;
use super::opcode;
use super::reading::{Digits, integer, is_plain_float, memo_index};
use super::value::{Holds, NodeKind, Value};

/// Bytes of one line of text. Longer lines exist only to make readers slow.
pub(super) const MAX_LINE: usize = 8 << 20;
/// A memo index this far beyond what the stream can fill makes the C unpickler allocate for all indices below.
const FAR_MEMO_INDEX: u64 = 1 << 24;

impl Machine<'_> {
    /// The value of the literal at the current opcode.
    fn literal(&self) -> Value {
        u32::try_from(self.at.saturating_sub(self.start)).map_or(Value::Plain, Value::Literal)
    }

    pub(super) fn number(&mut self, code: u8) -> Result<(), ReadError> {
        let width = match code {
            opcode::BININT1 => 1,
            opcode::BININT2 => 2,
            opcode::BININT => 4,
            _ => 8,
        };
        self.cursor.take(width)?;
        self.push(self.literal());
        Ok(())
    }

    pub(super) fn line(&mut self, code: u8) -> Result<(), ReadError> {
        let line = self.cursor.line(MAX_LINE)?;
        let plain = match code {
            opcode::INT | opcode::LONG => integer(line, code == opcode::LONG) != Digits::Disagreement,
            opcode::FLOAT => is_plain_float(line),
            _ => true,
        };
        if !plain {
            let detail = format!("the number '{}' is read differently by different readers", shown(line));
            self.uses.anomaly(self.at, Anomaly::ReaderDisagreement, detail);
        }
        self.push(self.literal());
        Ok(())
    }

    pub(super) fn counted(&mut self, code: u8) -> Result<(), ReadError> {
        let width = match code {
            opcode::LONG1 | opcode::SHORT_BINSTRING | opcode::SHORT_BINBYTES | opcode::SHORT_BINUNICODE => 1,
            opcode::BINBYTES8 | opcode::BYTEARRAY8 | opcode::BINUNICODE8 => 8,
            _ => 4,
        };
        let length = read_length(&mut self.cursor, width)?;
        if length > self.cursor.remaining() {
            self.uses.anomaly(
                self.at,
                Anomaly::OutOfBounds,
                format!("a value of {length} bytes is longer than the data"),
            );
        }
        self.cursor.skip(length)?;
        self.look_into(code, length);
        self.push(self.literal());
        Ok(())
    }

    pub(super) fn container(&mut self, kind: NodeKind, items: &[Value]) {
        let holds = match kind {
            NodeKind::Dict => self.holds_of_pairs(items),
            _ => self.holds_of_all(items),
        };
        let value = self.node(kind, items, holds);
        self.check_weight(value);
        self.push(value);
    }

    /// A container that is remembered, or as much of it as matters when there is no more room.
    pub(super) fn node(&mut self, kind: NodeKind, items: &[Value], holds: Holds) -> Value {
        match self.nodes.add(kind, items, holds) {
            Some(id) => Value::Node(id),
            None if holds == Holds::default() && !matches!(kind, NodeKind::Call | NodeKind::Attribute) => Value::Plain,
            None => self.out_of_room(),
        }
    }

    /// Whether a plain value may be a container that there was no room for.
    pub(super) fn is_out_of_room(&self) -> bool {
        self.nodes.full
    }

    /// Notes that something that matters could not be remembered.
    pub(super) fn out_of_room(&mut self) -> Value {
        self.uses.incomplete(self.at, Gap::Limit, "the stream holds more objects than are followed");
        Value::Lost
    }

    pub(super) fn mark(&mut self) {
        self.checked(|machine| machine.stack.mark());
        self.check_marks();
    }

    pub(super) fn counted_tuple(&mut self, count: usize) {
        match self.stack.pop_many(count) {
            Ok(items) => self.container(NodeKind::Tuple, &items),
            Err(error) => self.stack_error(error),
        }
    }

    pub(super) fn marked(&mut self, kind: NodeKind) {
        match self.stack.pop_mark() {
            Ok(items) => self.container(kind, &items),
            Err(error) => self.stack_error(error),
        }
    }

    fn memo_index(&mut self, code: u8) -> Result<u64, ReadError> {
        let line = match code {
            opcode::BINPUT | opcode::BINGET => return self.cursor.byte().map(u64::from),
            opcode::LONG_BINPUT | opcode::LONG_BINGET => return self.cursor.u32().map(u64::from),
            opcode::MEMOIZE => return Ok(self.memo.entries()),
            _ => self.cursor.line(MAX_LINE)?,
        };
        let read = memo_index(line);
        if let Digits::Same(index) = read {
            return Ok(index);
        }
        let text = shown(line);
        if read == Digits::Disagreement {
            let detail = format!("the memo index '{text}' is read differently by different readers");
            self.uses.anomaly(self.at, Anomaly::ReaderDisagreement, detail);
        }
        Ok(text.trim().trim_start_matches('+').parse().unwrap_or(u64::MAX))
    }

    pub(super) fn put(&mut self, code: u8) -> Result<(), ReadError> {
        let index = self.memo_index(code)?;
        let value = match self.stack.top() {
            Ok(value) => value,
            Err(error) => {
                self.stack_error(error);
                Value::Lost
            }
        };
        if index > FAR_MEMO_INDEX.max(self.operations.saturating_mul(4)) {
            let detail = format!("memo index {index} makes a loader allocate room for all indices below it");
            self.uses.anomaly(self.at, Anomaly::AllocationBomb, detail);
        }
        if !self.memo.put(index, value) {
            self.forgets = true;
            self.uses.incomplete(self.at, Gap::Limit, "the stream remembers more objects than are followed");
        }
        Ok(())
    }

    pub(super) fn get(&mut self, code: u8) -> Result<(), ReadError> {
        let index = self.memo_index(code)?;
        let value = self.memo.get(index);
        if value.is_none() && !self.forgets {
            self.uses.broken(self.at, format!("memo entry {index} is read but never written"));
        }
        self.push(value.unwrap_or(Value::Lost));
        Ok(())
    }
}

/// The start of a line, readable.
fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(line.get(..line.len().min(64)).unwrap_or_default()).into_owned()
}
