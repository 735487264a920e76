//! Conditions in CEL, the Common Expression Language: what a policy asks that no control does. Nothing else names the
//! crate that evaluates them.
//!
//! A condition is checked when it is read: its names, its types, and how many steps it could take at most. It is evaluated
//! over lists of bounded length, so that it ends soon whatever was found. What goes wrong while it is evaluated is an
//! error and never an answer.
//!
//! <https://github.com/google/cel-spec/blob/master/doc/langdef.md>

mod check;
mod values;
pub mod variables;

use std::collections::BTreeMap;
use std::thread;

use cel::{Context, Env, Value};
use serde::{Deserialize, Serialize};

use crate::control::Outcome;
use crate::gathered::{Evidence, Subject};

/// Characters of a condition.
const MAX_LENGTH: usize = 2_000;
/// Levels of expressions within expressions.
const MAX_DEPTH: u16 = 24;
/// Brackets that are opened in a condition, wherever they stand. The parser calls itself for each.
const MAX_BRACKETS: usize = 40;
/// Signs of operators in a condition, wherever they stand: in a chain of them, too, the parser calls itself for each.
const MAX_OPERATORS: usize = 160;
/// Bytes of stack. Forty brackets take five million where nothing is optimised.
const STACK: usize = 16 << 20;
/// Entries of a list that a condition looks at; where there are more, it is not told.
pub const MAX_ITEMS: usize = 1_000;
/// Characters of a text that a condition looks at.
const MAX_TEXT: usize = 4_096;

/// A condition that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    text: String,
    variables: Vec<String>,
}

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidCondition {
    /// What is wrong.
    pub message: String,
    /// The character of the text at which it is, counted from 0.
    pub at: usize,
}

/// Why a condition has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// Nobody looked for what it asks.
    #[error("`{variable}` is not known: {why}")]
    NotKnown {
        /// The variable.
        variable: String,
        /// Why not.
        why: &'static str,
    },
    /// There is more of it than is looked at.
    #[error("`{variable}` has {count} entries, and conditions look at {MAX_ITEMS}")]
    TooMany {
        /// The variable.
        variable: String,
        /// How many there are.
        count: usize,
    },
    /// A text in it is longer than is looked at.
    #[error("a text in `{variable}` is longer than {MAX_TEXT} characters")]
    TooLong {
        /// The variable.
        variable: String,
    },
    /// It could not be evaluated.
    #[error("{0}")]
    Failed(String),
}

/// What was concluded before conditions are evaluated.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The answers of the controls, by id.
    pub outcomes: BTreeMap<String, Outcome>,
    /// Findings that an exception covers, with the index of the exception.
    pub excepted: BTreeMap<usize, usize>,
}

impl Condition {
    /// Checks a condition.
    ///
    /// # Errors
    /// When it is no expression, names something that is not there, does not answer yes or no, or could take too long.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidCondition> {
        let text = text.into();
        let count = |signs: &str| text.chars().filter(|sign| signs.contains(*sign)).count();
        let limits = [
            (text.chars().count(), MAX_LENGTH, "characters"),
            (count("([{"), MAX_BRACKETS, "opening brackets"),
            (count("+-*/%.!?:<>=&|,"), MAX_OPERATORS, "signs of operators"),
        ];
        if let Some((_, most, what)) = limits.into_iter().find(|(count, most, _)| count > most) {
            let message = format!("the condition has more than {most} {what}: make two rules of it");
            return Err(InvalidCondition { message, at: 0 });
        }
        let variables = guarded(|| check::check(&text, MAX_DEPTH))
            .unwrap_or_else(|| Err(InvalidCondition { message: "the condition cannot be read".into(), at: 0 }))?;
        Ok(Self { text, variables })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// When what it asks is not known, is too much, or cannot be evaluated.
    pub fn evaluate(&self, subject: &Subject, evidence: &Evidence, known: &Known) -> Result<bool, ConditionError> {
        let answer = guarded(|| self.execute(values::values(&self.variables, subject, evidence, known)?));
        answer.unwrap_or_else(|| Err(ConditionError::Failed("the expression cannot be evaluated".into())))
    }

    fn execute(&self, values: Vec<(String, Value)>) -> Result<bool, ConditionError> {
        let failed = |error: String| ConditionError::Failed(error);
        let program = Env::stdlib().compile(&self.text).map_err(|error| failed(error.to_string()))?;
        let mut context = Context::default();
        for (name, value) in values {
            context.add_variable_from_value(name, value);
        }
        match program.execute(&context) {
            Ok(Value::Bool(answer)) => Ok(answer),
            Ok(_) => Err(failed("the answer is neither true nor false".into())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

impl TryFrom<String> for Condition {
    type Error = InvalidCondition;

    fn try_from(text: String) -> Result<Self, InvalidCondition> {
        Self::new(text)
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.text
    }
}

/// Runs somebody else's parser or evaluator, which call themselves for every bracket, with room for all that are let in.
/// A panic in it is no answer, and does not end the program.
fn guarded<T: Send>(run: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).ok()?.join().ok())
}

#[cfg(test)]
mod tests;
