//! The stack with its marks, as CPython's C unpickler keeps it: one array and a fence at the last mark.

use super::value::Value;

/// Values that are kept on the stack at once: 8 MiB of them. Picklers write batches of 1,000.
const MAX_VALUES: usize = 1 << 20;
/// Values at the bottom that are forgotten when there is no room: what an opcode takes stands on top.
const FORGOTTEN: usize = MAX_VALUES / 2;

/// Why the stack cannot do as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StackError {
    /// There is no value above the last mark.
    Underflow,
    /// There is no mark.
    NoMark,
    /// More values or marks than are kept; of values the oldest are forgotten.
    Full,
}

#[derive(Debug, Default)]
pub(super) struct Stack {
    values: Vec<Value>,
    marks: Vec<u32>,
}

impl Stack {
    /// Index below which nothing may be popped before the last mark is.
    fn fence(&self) -> usize {
        self.marks.last().map_or(0, |mark| *mark as usize)
    }

    /// Values that stand on the stack.
    pub(super) fn depth(&self) -> usize {
        self.values.len()
    }

    /// Whether a mark is open.
    pub(super) fn has_mark(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Whether there is no room for another value.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.values.len() >= MAX_VALUES
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) -> Result<(), StackError> {
        let is_full = self.is_full();
        if is_full {
            self.forget();
        }
        self.values.push(value);
        if is_full { Err(StackError::Full) } else { Ok(()) }
    }

    /// Makes room at the bottom: what is taken from there later is not known.
    #[cold]
    fn forget(&mut self) {
        self.values.drain(..FORGOTTEN.min(self.values.len()));
        let forgotten = u32::try_from(FORGOTTEN).unwrap_or(u32::MAX);
        self.marks.iter_mut().for_each(|mark| *mark = mark.saturating_sub(forgotten));
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Result<Value, StackError> {
        if self.values.len() <= self.fence() {
            return Err(StackError::Underflow);
        }
        self.values.pop().ok_or(StackError::Underflow)
    }

    /// The value on top, if it lies above the last mark.
    #[inline]
    pub(super) fn top(&self) -> Result<Value, StackError> {
        if self.values.len() <= self.fence() {
            return Err(StackError::Underflow);
        }
        self.values.last().copied().ok_or(StackError::Underflow)
    }

    pub(super) fn mark(&mut self) -> Result<(), StackError> {
        if self.marks.len() >= MAX_VALUES {
            return Err(StackError::Full);
        }
        self.marks.push(u32::try_from(self.values.len()).map_err(|_| StackError::Full)?);
        Ok(())
    }

    /// How many marks are open.
    pub(super) fn open_marks(&self) -> usize {
        self.marks.len()
    }

    /// Opcode POP: takes a value, or the mark when the mark is on top.
    pub(super) fn discard(&mut self) -> Result<(), StackError> {
        if self.marks.last().is_some_and(|mark| *mark as usize == self.values.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(|_| ())
    }

    /// Takes the last mark and everything above it.
    pub(super) fn pop_mark(&mut self) -> Result<Vec<Value>, StackError> {
        let mark = self.marks.pop().ok_or(StackError::NoMark)? as usize;
        Ok(self.values.split_off(mark.min(self.values.len())))
    }

    /// Takes the last mark; gives where the values above it start and the value below it.
    pub(super) fn close_mark(&mut self) -> Result<(usize, Result<Value, StackError>), StackError> {
        let mark = self.marks.pop().ok_or(StackError::NoMark)? as usize;
        let below = mark.checked_sub(1).filter(|index| *index >= self.fence()).and_then(|index| self.values.get(index));
        Ok((mark, below.copied().ok_or(StackError::Underflow)))
    }

    /// All values, to be looked at where they lie: a mark may have millions above it.
    pub(super) fn lend(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.values)
    }

    /// Takes the values back, without those from `keep` on.
    pub(super) fn take_back(&mut self, mut values: Vec<Value>, keep: usize) {
        values.truncate(keep);
        self.values = values;
    }

    /// Takes the last `count` values, in order.
    pub(super) fn pop_many(&mut self, count: usize) -> Result<Vec<Value>, StackError> {
        let start = self.values.len().checked_sub(count).filter(|start| *start >= self.fence());
        Ok(self.values.split_off(start.ok_or(StackError::Underflow)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_fences() {
        let mut stack = Stack::default();
        stack.push(Value::Plain).unwrap();
        stack.mark().unwrap();
        assert_eq!(stack.pop(), Err(StackError::Underflow));
        assert_eq!(stack.top(), Err(StackError::Underflow));
        assert_eq!(stack.pop_many(1), Err(StackError::Underflow));
        stack.push(Value::Lost).unwrap();
        assert_eq!(stack.pop_mark(), Ok(vec![Value::Lost]));
        assert_eq!(stack.pop(), Ok(Value::Plain));
        assert_eq!(stack.pop_mark(), Err(StackError::NoMark));
    }

    #[test]
    fn what_is_lent_comes_back_without_what_was_above_the_mark() {
        let mut stack = Stack::default();
        stack.mark().unwrap();
        assert_eq!(stack.close_mark(), Ok((0, Err(StackError::Underflow))));
        stack.push(Value::Plain).unwrap();
        stack.mark().unwrap();
        stack.push(Value::Lost).unwrap();
        assert_eq!(stack.close_mark(), Ok((1, Ok(Value::Plain))));
        let values = stack.lend();
        assert_eq!(values, [Value::Plain, Value::Lost]);
        stack.take_back(values, 1);
        assert_eq!(stack.pop(), Ok(Value::Plain));
        assert_eq!(stack.close_mark(), Err(StackError::NoMark));
    }

    #[test]
    fn pop_takes_a_mark_when_it_is_on_top() {
        let mut stack = Stack::default();
        stack.push(Value::Plain).unwrap();
        stack.mark().unwrap();
        assert_eq!(stack.discard(), Ok(()));
        assert_eq!(stack.discard(), Ok(()));
        assert_eq!(stack.discard(), Err(StackError::Underflow));
    }
}
