//! The abstract pickle machine: stack, memo and marks as in CPython's C unpickler, with values that only say what a
//! loader's objects would be.
//!
//! It follows a stream opcode by opcode. Where a loader would stop with an error, the machine notes that and goes on,
//! so that nothing can be hidden behind a break.

use crate::budget::Budget;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Gap};
use crate::source::{ReadError, Source};

use super::global::{GlobalId, Globals};
use super::memo::Memo;
use super::opcode::{self, describe};
use super::stack::{Stack, StackError};
use super::tensors::Tensors;
use super::uses::Uses;
use super::value::{Holds, NodeId, NodeKind, Nodes, Value};

/// The highest protocol there is.
const HIGHEST_PROTOCOL: u8 = 5;
/// Opcodes between two payments to the budget.
const PAY_EVERY: u64 = 1024;

/// Arrays of objects within arrays of objects.
const MAX_NESTING: u32 = 8;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With STOP.
    Stop,
    /// The data ended first.
    Truncated,
    /// A byte that is no opcode.
    NotAnOpcode,
    /// A limit was met.
    Exhausted,
}

/// What the step leads to.
pub(super) enum Flow {
    Next,
    End(End),
}

/// One stream being followed.
pub(super) struct Machine<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) cursor: Cursor<'a>,
    budget: &'a Budget,
    /// Where the stream starts; literals are remembered relative to it.
    pub(super) start: u64,
    /// Where the opcode being followed starts.
    pub(super) at: u64,
    pub(super) stack: Stack,
    pub(super) memo: Memo,
    pub(super) nodes: Nodes,
    pub(super) globals: Globals,
    pub(super) uses: Uses,
    pub(super) tensors: Tensors,
    /// The last PROTO; 0 before any.
    pub(super) protocol: u8,
    frame_end: Option<u64>,
    pub(super) operations: u64,
    /// Operations that the budget has been paid for.
    pub(super) paid: u64,
    /// Files found in the data.
    pub(super) embedded: u32,
    /// Machines within machines, for arrays of objects.
    nesting: u32,
    /// What STOP returned.
    pub(super) result: Value,
    /// Whether there was no room for an entry of the memo.
    pub(super) forgets: bool,
    /// Whether bytes of arrays are passed over where joblib's unpickler reads them.
    pub(super) raw_arrays: bool,
    /// Whether something that an inert call made, which may be a dictionary by another name, holds a callable under a name that
    /// unpicklers call.
    pub(super) plants_state: bool,
    /// Where the opcodes stand that were gone through while nothing was broken, for a search: it ends where nothing can
    /// come of it any more.
    pub(super) passed: Option<Vec<u64>>,
}

impl std::fmt::Debug for Machine<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Machine(at {})", self.at)
    }
}

impl<'a> Machine<'a> {
    /// A machine at the start of a stream.
    pub(super) fn new(source: &'a dyn Source, start: u64, budget: &'a Budget, trace: bool) -> Self {
        Self {
            source,
            cursor: Cursor::new(source, start),
            budget,
            start,
            at: start,
            stack: Stack::default(),
            memo: Memo::default(),
            nodes: Nodes::default(),
            globals: Globals::default(),
            uses: Uses::new(trace),
            tensors: Tensors::default(),
            protocol: 0,
            frame_end: None,
            operations: 0,
            paid: 0,
            embedded: 0,
            nesting: 0,
            result: Value::Lost,
            forgets: false,
            raw_arrays: true,
            plants_state: false,
            passed: None,
        }
    }

    /// Follows the stream to its end, for at most `most` opcodes.
    pub(super) fn run(&mut self, most: u64) -> End {
        loop {
            if self.operations >= self.paid && !self.pay() || self.operations >= most {
                return End::Exhausted;
            }
            self.texts(most);
            self.operations = self.operations.saturating_add(1);
            self.at = self.cursor.position();
            if self.passed.is_some() && !self.searches_on() {
                return End::Exhausted;
            }
            match self.step() {
                Ok(Flow::Next) => self.leave_frame(),
                Ok(Flow::End(end)) => return end,
                Err(ReadError::End) => return self.truncated(),
                Err(ReadError::Refused(detail)) => {
                    self.uses.incomplete(self.at, Gap::Unreadable, detail);
                    return End::Exhausted;
                }
            }
        }
    }

    /// Notes an opcode of a search; whether it can still do something, or has.
    fn searches_on(&mut self) -> bool {
        let is_broken = self.uses.is_broken();
        if let Some(passed) = self.passed.as_mut().filter(|_| !is_broken) {
            passed.push(self.at);
        }
        !is_broken || self.uses.has_effects()
    }

    fn pay(&mut self) -> bool {
        self.paid = self.operations.saturating_add(PAY_EVERY);
        let paid = self.budget.operate(PAY_EVERY);
        if let Err(limit) = paid {
            self.uses.incomplete(self.at, Gap::Limit, limit.to_string());
        }
        paid.is_ok()
    }

    fn truncated(&mut self) -> End {
        self.uses.broken(self.at, "the data end before STOP");
        End::Truncated
    }

    fn step(&mut self) -> Result<Flow, ReadError> {
        let code = self.cursor.byte()?;
        match code {
            opcode::STOP => {
                let result = self.stack.pop();
                self.result = self.or_lost(result);
                let left = self.stack.depth();
                // A search starts in the middle, with a mark of its own, and may have begun behind the start.
                if left > 0 && !self.stack.has_mark() {
                    let detail = format!("{left} values are made and left behind, which no pickler does");
                    self.uses.anomaly(self.at, Anomaly::Malformed, detail);
                }
                return Ok(Flow::End(End::Stop));
            }
            opcode::PROTO => self.proto()?,
            opcode::FRAME => self.frame()?,
            opcode::MARK => self.mark(),
            opcode::POP => self.checked(|machine| machine.stack.discard()),
            opcode::POP_MARK => self.checked(|machine| machine.stack.pop_mark().map(drop)),
            opcode::DUP => self.checked(|machine| machine.stack.top().and_then(|top| machine.stack.push(top))),
            _ => return self.step_data(code),
        }
        Ok(Flow::Next)
    }

    /// Opcodes that push data.
    fn step_data(&mut self, code: u8) -> Result<Flow, ReadError> {
        match code {
            opcode::NONE | opcode::NEWTRUE | opcode::NEWFALSE => self.push(Value::Plain),
            opcode::BININT1 | opcode::BININT2 | opcode::BININT | opcode::BINFLOAT => self.number(code)?,
            opcode::INT | opcode::LONG | opcode::FLOAT | opcode::STRING | opcode::UNICODE => self.line(code)?,
            opcode::LONG1 | opcode::LONG4 | opcode::BINSTRING | opcode::SHORT_BINSTRING => self.counted(code)?,
            opcode::BINBYTES | opcode::SHORT_BINBYTES | opcode::BINBYTES8 | opcode::BYTEARRAY8 => self.counted(code)?,
            opcode::SHORT_BINUNICODE | opcode::BINUNICODE | opcode::BINUNICODE8 => self.counted(code)?,
            opcode::NEXT_BUFFER => self.push(Value::Plain),
            opcode::READONLY_BUFFER => {}
            _ => return self.step_container(code),
        }
        Ok(Flow::Next)
    }

    /// Opcodes that make or fill containers, and the memo.
    fn step_container(&mut self, code: u8) -> Result<Flow, ReadError> {
        match code {
            opcode::EMPTY_TUPLE => self.container(NodeKind::Tuple, &[]),
            opcode::EMPTY_LIST => self.container(NodeKind::List, &[]),
            opcode::EMPTY_DICT => self.container(NodeKind::Dict, &[]),
            opcode::EMPTY_SET => self.container(NodeKind::Set, &[]),
            opcode::TUPLE1 => self.counted_tuple(1),
            opcode::TUPLE2 => self.counted_tuple(2),
            opcode::TUPLE3 => self.counted_tuple(3),
            opcode::TUPLE => self.marked(NodeKind::Tuple),
            opcode::LIST => self.marked(NodeKind::List),
            opcode::DICT => self.marked(NodeKind::Dict),
            opcode::FROZENSET => self.marked(NodeKind::Set),
            opcode::PUT | opcode::BINPUT | opcode::LONG_BINPUT | opcode::MEMOIZE => self.put(code)?,
            opcode::GET | opcode::BINGET | opcode::LONG_BINGET => self.get(code)?,
            _ => return self.step_object(code),
        }
        Ok(Flow::Next)
    }

    /// Opcodes that look up, call or change objects.
    fn step_object(&mut self, code: u8) -> Result<Flow, ReadError> {
        match code {
            opcode::GLOBAL => self.global()?,
            opcode::STACK_GLOBAL => self.stack_global(),
            opcode::EXT1 | opcode::EXT2 | opcode::EXT4 => self.extension(code)?,
            opcode::INST => self.inst()?,
            opcode::OBJ => self.obj(),
            opcode::REDUCE => self.reduce(),
            opcode::NEWOBJ => self.new_object(false),
            opcode::NEWOBJ_EX => self.new_object(true),
            opcode::BUILD => return self.build(),
            opcode::APPEND => self.append(),
            opcode::APPENDS => self.appends(),
            opcode::SETITEM => self.set_item(),
            opcode::SETITEMS => self.set_items(),
            opcode::ADDITEMS => self.add_items(),
            opcode::PERSID => self.persistent_line()?,
            opcode::BINPERSID => self.persistent(),
            _ => return Ok(Flow::End(self.not_an_opcode(code))),
        }
        Ok(Flow::Next)
    }

    fn not_an_opcode(&mut self, code: u8) -> End {
        debug_assert!(describe(code).is_none(), "an opcode without a step");
        self.uses.broken(self.at, format!("byte {code:#04x} is no opcode"));
        End::NotAnOpcode
    }

    // ---- protocol and frames -------------------------------------------------------------------------------------

    fn proto(&mut self) -> Result<(), ReadError> {
        let protocol = self.cursor.byte()?;
        if protocol > HIGHEST_PROTOCOL {
            self.uses.broken(self.at, format!("protocol {protocol} does not exist"));
        }
        if self.at != self.start && (protocol < 3) != (self.protocol < 3) {
            let detail = format!("PROTO {protocol} in mid-stream changes how later names are looked up");
            self.uses.anomaly(self.at, Anomaly::ReaderDisagreement, detail);
        }
        self.protocol = protocol;
        Ok(())
    }

    /// The C unpickler reads a frame ahead but does not stop at its end, and without look-ahead in the file it drops
    /// what is left of one when an opcode needs more; the pure-Python unpickler refuses both; `pickletools` knows no frames.
    fn frame(&mut self) -> Result<(), ReadError> {
        let length = self.cursor.u64()?;
        if self.frame_end.is_some() {
            let detail = "a frame begins within a frame: Python's unpicklers disagree about what follows";
            self.uses.anomaly(self.at, Anomaly::ReaderDisagreement, detail);
        }
        if length > self.cursor.remaining() {
            self.uses.broken(self.at, format!("a frame of {length} bytes is longer than the data"));
            return Ok(());
        }
        self.frame_end = Some(self.cursor.position().saturating_add(length)).filter(|_| length > 0);
        Ok(())
    }

    fn leave_frame(&mut self) {
        let Some(end) = self.frame_end else { return };
        let now = self.cursor.position();
        if now < end {
            return;
        }
        self.frame_end = None;
        if now > end {
            let detail = "an opcode crosses the end of its frame: Python's unpicklers read different programs here";
            self.uses.anomaly(self.at, Anomaly::ReaderDisagreement, detail);
        }
    }

    /// Whether the frame ends at or before an offset, which is for a step to look at.
    #[inline]
    pub(super) fn ends_frame(&self, offset: u64) -> bool {
        self.frame_end.is_some_and(|end| offset >= end)
    }

    /// What follows is not part of the frame: a loader took the stream over.
    pub(super) fn end_frame(&mut self) {
        self.frame_end = None;
    }

    // ---- help for all opcodes ------------------------------------------------------------------------------------

    pub(super) fn push(&mut self, value: Value) {
        if let Err(error) = self.stack.push(value) {
            self.stack_error(error);
        }
    }

    /// Takes the top of the stack; notes an error when a loader would.
    pub(super) fn pop(&mut self) -> Value {
        let popped = self.stack.pop();
        self.or_lost(popped)
    }

    fn or_lost(&mut self, popped: Result<Value, StackError>) -> Value {
        popped.unwrap_or_else(|error| {
            self.stack_error(error);
            Value::Lost
        })
    }

    pub(super) fn checked(&mut self, step: impl FnOnce(&mut Self) -> Result<(), StackError>) {
        if let Err(error) = step(self) {
            self.stack_error(error);
        }
    }

    pub(super) fn stack_error(&mut self, error: StackError) {
        match error {
            StackError::Underflow => self.uses.broken(self.at, "an opcode needs more values than there are"),
            StackError::NoMark => self.uses.broken(self.at, "an opcode needs a mark and there is none"),
            StackError::Full => {
                self.uses.incomplete(self.at, Gap::Limit, "the stream stacks more values than are followed");
            }
        }
    }

    pub(super) fn holds_of_all(&mut self, values: &[Value]) -> Holds {
        values.iter().fold(Holds::default(), |holds, value| holds.join(self.holds_of(*value)))
    }

    /// Number of the class a value is an instance of, as far as the machine knows.
    pub(super) fn class_of(&self, value: Value) -> Option<GlobalId> {
        match value {
            Value::Made(id) => Some(id),
            Value::Node(node) if self.kind_of(node) == Some(NodeKind::InertCall) => {
                self.nodes.items(node).first().and_then(|first| match first {
                    Value::Global(id) => Some(*id),
                    _ => None,
                })
            }
            _ => None,
        }
    }

    pub(super) fn kind_of(&self, node: NodeId) -> Option<NodeKind> {
        self.nodes.get(node).map(|node| node.kind)
    }

    /// Follows a pickle within this one to learn its length; none when it does not end with STOP.
    pub(super) fn follow_nested(&mut self, start: u64) -> Option<u64> {
        if self.nesting >= MAX_NESTING {
            self.uses.incomplete(self.at, Gap::Limit, "pickles are nested deeper than is followed");
            return None;
        }
        let mut nested = Machine::new(self.source, start, self.budget, false);
        nested.nesting = self.nesting.saturating_add(1);
        (nested.run(u64::MAX) == End::Stop).then(|| nested.cursor.position().saturating_sub(start))
    }
}
