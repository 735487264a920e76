//! The opcodes, as CPython's unpickler follows them. Anything that does not fit ends the reading.

use super::tensors::{StorageOf, TensorOf};
use super::value::{Global, Heap, Kind, Value};
use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::pickle::literal::{Literal, read_length};
use crate::pickle::opcode;
use crate::protobuf::Span;
use crate::source::Source;
use crate::weights::Problem;

/// Values on the stack at once.
const MAX_STACK: usize = 1 << 21;
/// Memo entries.
const MAX_MEMO: usize = 1 << 22;
/// Bytes of one line of text.
const MAX_LINE: usize = 1 << 16;

/// One stream being read.
pub(super) struct Machine<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) cursor: Cursor<'a>,
    budget: &'a Budget,
    pub(super) heap: Heap,
    pub(super) storages: Vec<StorageOf>,
    pub(super) tensors: Vec<TensorOf>,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Option<Value>>,
    /// Where the opcode at hand starts.
    at: u64,
}

impl<'a> Machine<'a> {
    pub(super) fn new(source: &'a dyn Source, start: u64, budget: &'a Budget) -> Self {
        let (storages, tensors, stack) = (Vec::new(), Vec::new(), Vec::new());
        let (marks, memo, heap) = (Vec::new(), Vec::new(), Heap::default());
        let cursor = Cursor::new(source, start);
        Self { source, cursor, budget, heap, storages, tensors, stack, marks, memo, at: start }
    }

    /// Follows the stream to its end; gives what it builds.
    pub(super) fn run(&mut self) -> Result<Value, Problem> {
        loop {
            self.budget.operate(1)?;
            self.at = self.cursor.position();
            let code = self.cursor.byte()?;
            if code == opcode::STOP {
                return self.pop();
            }
            self.step(code)?;
        }
    }

    pub(super) fn broken<T>(&self, detail: &str) -> Result<T, Problem> {
        Err(Problem::broken(format!("the pickle breaks at byte {}: {detail}", self.at)))
    }

    fn step(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            opcode::PROTO => self.cursor.byte().map(drop).map_err(Problem::from),
            opcode::FRAME => self.cursor.u64().map(drop).map_err(Problem::from),
            opcode::MARK => self.mark(),
            opcode::POP => self.discard(),
            opcode::POP_MARK => self.pop_mark().map(drop),
            opcode::DUP => {
                let top = self.top()?;
                self.push(top)
            }
            opcode::NONE => self.push(Value::None),
            opcode::NEWTRUE => self.push(Value::Bool(true)),
            opcode::NEWFALSE => self.push(Value::Bool(false)),
            _ => self.further(code),
        }
    }

    fn further(&mut self, code: u8) -> Result<(), Problem> {
        match code {
            opcode::BININT1 | opcode::BININT2 | opcode::BININT | opcode::BINFLOAT => self.number(code),
            opcode::INT | opcode::LONG | opcode::FLOAT | opcode::STRING | opcode::UNICODE => self.line(code),
            opcode::PUT | opcode::BINPUT | opcode::LONG_BINPUT | opcode::MEMOIZE => self.put(code),
            opcode::GET | opcode::BINGET | opcode::LONG_BINGET => self.get(code),
            opcode::GLOBAL => self.named(),
            opcode::STACK_GLOBAL => self.stack_named(),
            opcode::PERSID | opcode::BINPERSID => self.persistent(code),
            opcode::LONG1 | opcode::LONG4 => self.counted(code),
            opcode::BINSTRING | opcode::SHORT_BINSTRING | opcode::BINUNICODE => self.counted(code),
            opcode::SHORT_BINUNICODE | opcode::BINUNICODE8 | opcode::BINBYTES => self.counted(code),
            opcode::SHORT_BINBYTES | opcode::BINBYTES8 | opcode::BYTEARRAY8 => self.counted(code),
            opcode::NEXT_BUFFER | opcode::READONLY_BUFFER => {
                Err(Problem::unsupported("the pickle takes buffers that are kept outside it"))
            }
            opcode::EXT1 | opcode::EXT2 | opcode::EXT4 => {
                Err(Problem::unsupported("the pickle names callables by numbers that only its own program knows"))
            }
            _ => self.build(code),
        }
    }

    pub(super) fn push(&mut self, value: Value) -> Result<(), Problem> {
        if self.stack.len() >= MAX_STACK {
            return Err(Problem::unsupported("the pickle's stack is higher than is followed"));
        }
        self.stack.push(value);
        Ok(())
    }

    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn pop(&mut self) -> Result<Value, Problem> {
        if self.stack.len() <= self.fence() {
            return self.broken("nothing is on the stack");
        }
        self.stack.pop().ok_or_else(|| Problem::broken("nothing is on the stack"))
    }

    pub(super) fn top(&self) -> Result<Value, Problem> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(*top),
            _ => self.broken("nothing is on the stack"),
        }
    }

    fn mark(&mut self) -> Result<(), Problem> {
        if self.marks.len() >= MAX_STACK {
            return Err(Problem::unsupported("more marks are open than are followed"));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn discard(&mut self) -> Result<(), Problem> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    /// Takes the last mark and everything above it.
    pub(super) fn pop_mark(&mut self) -> Result<Vec<Value>, Problem> {
        let Some(mark) = self.marks.pop() else { return self.broken("there is no mark") };
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn number(&mut self, code: u8) -> Result<(), Problem> {
        let value = match code {
            opcode::BININT1 => Value::Int(self.cursor.byte()?.into()),
            opcode::BININT2 => Value::Int(self.cursor.u16()?.into()),
            opcode::BININT => Value::Int(self.cursor.i32()?.into()),
            _ => Value::Float(f64::from_bits(self.cursor.u64()?.swap_bytes())),
        };
        self.push(value)
    }

    fn line(&mut self, code: u8) -> Result<(), Problem> {
        self.cursor.line(MAX_LINE)?;
        let value = match (Literal::read(self.source, self.at), code) {
            (Some(Literal::Text(text)), _) => self.heap.text(text)?,
            (Some(Literal::Number(text)), opcode::FLOAT) => Value::Float(text.parse().unwrap_or(f64::NAN)),
            (Some(Literal::Number(text)), _) => match text.as_str() {
                "True" => Value::Bool(true),
                "False" => Value::Bool(false),
                digits => digits.parse().map_or(Value::Long, Value::Int),
            },
            _ => return self.broken("a line that is no value"),
        };
        self.push(value)
    }

    fn counted(&mut self, code: u8) -> Result<(), Problem> {
        let width = match code {
            opcode::LONG1 | opcode::SHORT_BINSTRING | opcode::SHORT_BINBYTES | opcode::SHORT_BINUNICODE => 1,
            opcode::BINBYTES8 | opcode::BYTEARRAY8 | opcode::BINUNICODE8 => 8,
            _ => 4,
        };
        let length = read_length(&mut self.cursor, width)?;
        let value = match code {
            opcode::LONG1 | opcode::LONG4 => self.long(length)?,
            opcode::BINBYTES | opcode::SHORT_BINBYTES | opcode::BINBYTES8 | opcode::BYTEARRAY8 => {
                let span = Span { offset: self.cursor.position(), length };
                self.cursor.skip(length)?;
                self.heap.bytes(span)?
            }
            _ => {
                let bytes = self.cursor.take(usize::try_from(length).unwrap_or(usize::MAX))?;
                let text = text_of(bytes, code);
                self.heap.text(text)?
            }
        };
        self.push(value)
    }

    /// A number of LONG1 or LONG4: little-endian two's complement.
    fn long(&mut self, length: u64) -> Result<Value, Problem> {
        if length > 8 {
            self.cursor.skip(length)?;
            return Ok(Value::Long);
        }
        let bytes = self.cursor.take(usize::try_from(length).unwrap_or(8))?;
        let sign = if bytes.last().is_some_and(|byte| *byte >= 0x80) { -1i64 } else { 0 };
        Ok(Value::Int(bytes.iter().rev().fold(sign, |number, byte| number.wrapping_shl(8) | i64::from(*byte))))
    }

    fn memo_index(&mut self, code: u8) -> Result<usize, Problem> {
        let index = match code {
            opcode::BINPUT | opcode::BINGET => self.cursor.byte()?.into(),
            opcode::LONG_BINPUT | opcode::LONG_BINGET => self.cursor.u32()?.into(),
            opcode::MEMOIZE => self.memo.len() as u64,
            _ => {
                let line = self.cursor.line(MAX_LINE)?;
                std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
            }
        };
        match usize::try_from(index).ok().filter(|index| *index < MAX_MEMO) {
            Some(index) => Ok(index),
            None => Err(Problem::unsupported("the pickle's memo is larger than is followed")),
        }
    }

    fn put(&mut self, code: u8) -> Result<(), Problem> {
        let (index, top) = (self.memo_index(code)?, self.top()?);
        if index >= self.memo.len() {
            self.memo.resize(index.saturating_add(1), None);
        }
        if let Some(entry) = self.memo.get_mut(index) {
            *entry = Some(top);
        }
        Ok(())
    }

    fn get(&mut self, code: u8) -> Result<(), Problem> {
        let index = self.memo_index(code)?;
        match self.memo.get(index).copied().flatten() {
            Some(value) => self.push(value),
            None => self.broken("a memo entry is read that was never written"),
        }
    }

    /// A name in two lines.
    pub(super) fn two_lines(&mut self) -> Result<Value, Problem> {
        let mut line = || -> Result<String, Problem> {
            let line = self.cursor.line(MAX_LINE)?.to_vec();
            String::from_utf8(line).map_err(|_| Problem::broken("a name is not UTF-8"))
        };
        let (module, name) = (line()?, line()?);
        self.heap.global(Global { module, name })
    }

    fn named(&mut self) -> Result<(), Problem> {
        let global = self.two_lines()?;
        self.push(global)
    }

    fn stack_named(&mut self) -> Result<(), Problem> {
        let (name, module) = (self.pop()?, self.pop()?);
        let text = |value| self.heap.text_of(value).map(str::to_owned);
        let (Some(module), Some(name)) = (text(module), text(name)) else { return self.broken("a name is no text") };
        let global = self.heap.global(Global { module, name })?;
        self.push(global)
    }

    fn persistent(&mut self, code: u8) -> Result<(), Problem> {
        let id = if code == opcode::BINPERSID {
            self.pop()?
        } else {
            self.cursor.line(MAX_LINE)?;
            Value::None
        };
        let storage = self.storage(id)?;
        self.push(storage)
    }

    /// The last `count` values as a tuple.
    pub(super) fn tuple(&mut self, count: usize) -> Result<(), Problem> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        let tuple = self.heap.node(Kind::Tuple, items)?;
        self.push(tuple)
    }
}

/// Text as loaders decode it: what Python 2 wrote as bytes counts as Latin-1, as `encoding='latin1'` has it.
fn text_of(bytes: &[u8], code: u8) -> String {
    match code {
        opcode::BINSTRING | opcode::SHORT_BINSTRING if std::str::from_utf8(bytes).is_err() => {
            bytes.iter().map(|byte| char::from(*byte)).collect()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
