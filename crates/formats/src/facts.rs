//! The list a parser writes its facts to: bounded, whatever the input.

use std::borrow::Cow;

use crate::fact::{Anomaly, Callable, Effect, Fact, FactKind, Gap, Operator, Position, Standing, Tensor, Usage};

/// Facts of each kind that are kept; the rest is counted. Each kind has room of its own, so that a flood of metadata, or of names
/// that nobody knows, cannot push out what is dangerous.
const MAX_TENSORS: usize = 20_000;
const MAX_OPINION_FACTS: usize = 5_000;
const MAX_DESCRIPTIONS: usize = 5_000;
const MAX_STEPS: usize = 2_000;
/// Characters kept of a single text.
pub const MAX_TEXT: usize = 2_000;
/// Characters kept of a template, which has to be read whole.
pub const MAX_TEMPLATE: usize = 4 << 20;

/// Sums over all tensors, also those not kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TensorTotals {
    /// How many there are.
    pub tensors: u64,
    /// Elements of all of them together.
    pub parameters: u64,
    /// Stored bytes of all of them together, as far as known.
    pub bytes: u64,
}

/// What was read from one artifact.
#[derive(Debug, Default)]
pub struct Facts {
    list: Vec<Fact>,
    totals: TensorTotals,
    counts: [usize; 6],
    overflowed: bool,
    wants_steps: bool,
}

impl Facts {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list that also takes the steps of a reconstruction, which cost time to word.
    #[must_use]
    pub fn with_steps() -> Self {
        Self { wants_steps: true, ..Self::default() }
    }

    /// Whether steps of a reconstruction are wanted.
    #[must_use]
    pub fn wants_steps(&self) -> bool {
        self.wants_steps
    }

    /// Adds a fact, or counts it when its kind has had its share.
    pub fn push(&mut self, position: Position, kind: FactKind) {
        let (class, most) = match &kind {
            FactKind::Tensor(tensor) => {
                self.count(tensor);
                (0, MAX_TENSORS)
            }
            FactKind::Property { .. } | FactKind::Metadata { .. } => (1, MAX_DESCRIPTIONS),
            FactKind::Step { .. } => (2, MAX_STEPS),
            FactKind::Child(_) | FactKind::Storage { .. } => return self.list.push(Fact { position, kind }),
            FactKind::Anomaly { .. } => (3, MAX_OPINION_FACTS),
            kind if is_grave(kind) => (4, MAX_OPINION_FACTS),
            _ => (5, MAX_OPINION_FACTS),
        };
        let Some(count) = self.counts.get_mut(class) else { return };
        *count = count.saturating_add(1);
        if *count <= most {
            self.list.push(Fact { position, kind });
        } else if class >= 3 && !self.overflowed {
            self.overflowed = true;
            let detail = format!("more than {most} things to report; the rest is not listed");
            self.list.push(Fact { position, kind: FactKind::Incomplete { reason: Gap::Limit, detail } });
        }
    }

    fn count(&mut self, tensor: &Tensor) {
        self.totals.tensors = self.totals.tensors.saturating_add(1);
        self.totals.parameters = self.totals.parameters.saturating_add(tensor.elements());
        self.totals.bytes = self.totals.bytes.saturating_add(tensor.bytes.unwrap_or(0));
    }

    /// Adds a property of the whole artifact.
    pub fn property(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        let value = shorten(value.into(), MAX_TEXT);
        self.push(Position::Whole, FactKind::Property { name: name.into(), value });
    }

    /// Adds something a well-made artifact does not have, at a byte.
    pub fn anomaly(&mut self, offset: u64, anomaly: Anomaly, detail: impl Into<String>) {
        let detail = shorten(detail.into(), MAX_TEXT);
        self.push(Position::Offset(offset), FactKind::Anomaly { anomaly, detail });
    }

    /// Adds that something was not analysed, from a byte on.
    pub fn incomplete(&mut self, offset: u64, reason: Gap, detail: impl Into<String>) {
        let detail = shorten(detail.into(), MAX_TEXT);
        self.push(Position::Offset(offset), FactKind::Incomplete { reason, detail });
    }

    /// Takes back anomalies of these kinds: what was read ended before its end, so that they are about nothing in the file.
    pub fn forgive(&mut self, anomalies: &[Anomaly]) {
        self.list.retain(|fact| match &fact.kind {
            FactKind::Anomaly { anomaly, .. } => !anomalies.contains(anomaly),
            _ => true,
        });
    }

    /// All facts kept, in the order in which they were read.
    #[must_use]
    pub fn list(&self) -> &[Fact] {
        &self.list
    }

    /// Sums over all tensors.
    #[must_use]
    pub fn totals(&self) -> TensorTotals {
        self.totals
    }

    /// The value of a property, if it was read.
    #[must_use]
    pub fn find_property(&self, wanted: &str) -> Option<&str> {
        self.list.iter().find_map(|fact| match &fact.kind {
            FactKind::Property { name, value } if name == wanted => Some(value.as_str()),
            _ => None,
        })
    }

    /// True when an anomaly of this kind was read.
    #[must_use]
    pub fn has_anomaly(&self, wanted: Anomaly) -> bool {
        self.list.iter().any(|fact| matches!(&fact.kind, FactKind::Anomaly { anomaly, .. } if *anomaly == wanted))
    }
}

/// Whether a fact may be a danger by itself.
fn is_grave(kind: &FactKind) -> bool {
    match kind {
        FactKind::Callable(Callable { standing, usage, .. }) => match standing {
            Standing::Inert { .. } => false,
            Standing::Dangerous { .. } => true,
            _ => *usage != Usage::Reference,
        },
        FactKind::Operator(Operator { effect, .. }) => matches!(effect, Effect::Reaches { .. }),
        FactKind::Mutation { .. } | FactKind::Code(_) => true,
        FactKind::TemplateReach { .. } | FactKind::SourceReach { .. } => true,
        _ => false,
    }
}

/// Cuts a text after `most` characters and says so with an ellipsis.
#[must_use]
pub fn shorten(mut text: String, most: usize) -> String {
    if let Some((cut, _)) = text.char_indices().nth(most) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_leaves_room_for_the_others() {
        let mut facts = Facts::new();
        for _ in 0..MAX_DESCRIPTIONS + 10 {
            facts.property("version", "1");
        }
        facts.anomaly(7, Anomaly::Hole, "here");
        assert_eq!(facts.list().len(), MAX_DESCRIPTIONS + 1);
        assert!(facts.has_anomaly(Anomaly::Hole));
    }

    #[test]
    fn a_flood_of_names_leaves_room_for_the_dangerous_one() {
        let callable = |name: String, standing| {
            FactKind::Callable(Callable {
                module: "a".to_owned(),
                expression: name.clone(),
                name,
                usage: Usage::Reduce,
                standing,
                count: 1,
            })
        };
        let mut facts = Facts::new();
        for number in 0..=MAX_OPINION_FACTS {
            facts.push(Position::Whole, callable(number.to_string(), Standing::Inert { reason: "data".into() }));
        }
        let dangerous = Standing::Dangerous { effect: "runs commands".to_owned(), critical: true };
        facts.push(Position::Whole, callable("last".to_owned(), dangerous));
        let named = |fact: &Fact| matches!(&fact.kind, FactKind::Callable(callable) if callable.name == "last");
        assert!(facts.list().iter().any(named));
    }

    #[test]
    fn a_flood_of_anomalies_is_said() {
        let mut facts = Facts::new();
        for offset in 0..MAX_OPINION_FACTS as u64 + 5 {
            facts.anomaly(offset, Anomaly::Hole, "");
        }
        assert!(matches!(facts.list().last().map(|fact| &fact.kind), Some(FactKind::Incomplete { .. })));
    }
}
