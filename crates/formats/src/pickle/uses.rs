//! What a machine noted on its way, gathered: each use of each callable once, with how often and where first.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::callable::list::is_named_danger;
use crate::fact::{Anomaly, Callable, FactKind, Gap, Position, Standing, Usage};
use crate::facts::Facts;

use super::global::{Global, GlobalId};
use super::machine::Machine;

/// Different expressions shown for one use of one callable that is not inert.
const MAX_EXPRESSIONS: usize = 8;
/// Uses whose callable has no name.
const MAX_SPECIAL: usize = 64;
/// Steps of the reconstruction.
const MAX_STEPS: usize = 2_000;
/// Anomalies of one kind in one stream.
const MAX_SAME_ANOMALIES: usize = 16;

/// A use of a callable, as often as it was seen.
#[derive(Debug)]
struct Seen {
    position: u64,
    standing: Standing,
    expression: String,
    count: u64,
}

/// Everything noted on one stream.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Whether the reconstruction is wanted: every step, also the inert ones.
    pub(super) trace: bool,
    /// Persistent ids met.
    pub(super) persistent: u64,
    /// Whether joblib wrote the stream.
    pub(super) joblib: bool,
    /// Raw arrays, which joblib reads as such and other unpicklers as opcodes.
    pub(super) arrays: Vec<Range<u64>>,
    /// Whether something not inert was called, made or changed while nothing was broken.
    acts: bool,
    by_use: HashMap<(GlobalId, Usage), Vec<Seen>>,
    order: Vec<(GlobalId, Usage)>,
    special: Vec<(Usage, Seen)>,
    noted: Vec<(Position, FactKind)>,
    /// Places of files within the data that are noted already.
    children: HashSet<(u64, u64)>,
    anomalies: HashMap<Anomaly, usize>,
    steps: usize,
    broken: bool,
    /// Whether something was looked up by what can be no name: a loader stops there, unless it looks things up in its own way.
    nameless: bool,
    gaps: Vec<String>,
}

impl Uses {
    pub(super) fn new(trace: bool) -> Self {
        Self { trace, ..Self::default() }
    }

    pub(super) fn fact(&mut self, position: Position, kind: FactKind) {
        // The same bytes may be a file by their looks, and one more time by what is called with them.
        if let FactKind::Child(child) = &kind
            && !self.children.insert((child.offset, child.length))
        {
            return;
        }
        self.noted.push((position, kind));
    }

    pub(super) fn anomaly(&mut self, at: u64, anomaly: Anomaly, detail: impl Into<String>) {
        let count = self.anomalies.entry(anomaly).or_default();
        *count = count.saturating_add(1);
        if *count <= MAX_SAME_ANOMALIES {
            self.fact(Position::Offset(at), FactKind::Anomaly { anomaly, detail: detail.into() });
        }
    }

    /// Notes an anomaly the first time it is met.
    pub(super) fn once(&mut self, at: u64, anomaly: Anomaly, detail: String) {
        let known =
            |noted: &(Position, FactKind)| matches!(&noted.1, FactKind::Anomaly { detail: old, .. } if *old == detail);
        if !self.noted.iter().any(known) {
            self.anomaly(at, anomaly, detail);
        }
    }

    /// Notes the first place where a loader would stop with an error.
    pub(super) fn broken(&mut self, at: u64, detail: impl Into<String>) {
        if !self.broken {
            self.broken = true;
            self.anomaly(at, Anomaly::Broken, detail);
        }
    }

    /// Notes a name that no loader finds: it stops there.
    pub(super) fn no_name(&mut self, at: u64, module: &str, name: &str) {
        self.anomaly(at, Anomaly::Malformed, format!("'{module}' '{name}' is not a name in Python"));
        self.nameless = true;
    }

    /// Whether a loader would have stopped with an error.
    pub(super) fn is_broken(&self) -> bool {
        self.broken || self.nameless
    }

    pub(super) fn incomplete(&mut self, at: u64, reason: Gap, detail: impl Into<String>) {
        let detail = detail.into();
        if !self.gaps.contains(&detail) {
            self.gaps.push(detail.clone());
            self.fact(Position::Offset(at), FactKind::Incomplete { reason, detail });
        }
    }

    pub(super) fn mutation(&mut self, at: u64, target: String, change: String) {
        self.step(at, &change);
        self.acts |= !self.is_broken();
        if self.anomalies.len() < MAX_SAME_ANOMALIES || self.noted.len() < MAX_STEPS {
            self.fact(Position::Offset(at), FactKind::Mutation { target, change });
        }
    }

    /// Notes a use of a callable that has no name in the file.
    pub(super) fn special(&mut self, at: u64, usage: Usage, standing: Standing, expression: String) {
        self.step(at, &expression);
        self.acts |= !self.is_broken() && usage != Usage::Reference;
        if self.special.len() < MAX_SPECIAL {
            self.special.push((usage, Seen { position: at, standing, expression, count: 1 }));
        } else if let Some((_, last)) = self.special.last_mut() {
            last.count = last.count.saturating_add(1);
        }
    }

    fn step(&mut self, at: u64, text: &str) {
        if self.trace && self.steps < MAX_STEPS {
            self.steps = self.steps.saturating_add(1);
            self.fact(Position::Offset(at), FactKind::Step { text: text.to_owned() });
        }
    }

    fn seen(&mut self, at: u64, id: GlobalId, usage: Usage, standing: Standing, expression: String) {
        let inert = matches!(standing, Standing::Inert { .. });
        self.acts |= !self.is_broken() && !inert && usage != Usage::Reference;
        let seen = self.by_use.entry((id, usage)).or_insert_with(|| {
            self.order.push((id, usage));
            Vec::new()
        });
        let same = |old: &Seen| old.standing == standing && (inert || old.expression == expression);
        let full = seen.len() >= MAX_EXPRESSIONS;
        match seen.iter_mut().find(|old| same(old) || (full && old.standing == standing)) {
            Some(old) => old.count = old.count.saturating_add(1),
            None => seen.push(Seen { position: at, standing, expression, count: 1 }),
        }
    }

    /// Counts another inert use of what was used so before; false when this is the first.
    fn count_inert(&mut self, id: GlobalId, usage: Usage) -> bool {
        let inert = |seen: &&mut Seen| matches!(seen.standing, Standing::Inert { .. });
        let known = self.by_use.get_mut(&(id, usage)).and_then(|seen| seen.iter_mut().find(inert));
        known.map(|seen| seen.count = seen.count.saturating_add(1)).is_some()
    }

    /// Whether anything was used that is not inert, before a loader would have stopped with an error.
    pub(super) fn has_effects(&self) -> bool {
        self.acts
    }

    /// Whether any callable was used at all.
    pub(super) fn has_callables(&self) -> bool {
        !self.order.is_empty() || !self.special.is_empty()
    }
}

impl Machine<'_> {
    /// Whether something dangerous was looked up or used, by a name that there can be: `nt` and `main(void)` are two lines of C.
    /// With `listed`, only a name that is known counts, and not any in a dangerous module: `os` and `sin` are two words.
    pub(super) fn has_danger(&self, listed: bool) -> bool {
        let is_danger = |seen: &Seen| matches!(seen.standing, Standing::Dangerous { .. });
        let is_meant = |global: &Global| global.is_name() && (!listed || is_named_danger(&global.module, &global.name));
        let has_name = |id: GlobalId| self.globals.get(id).is_some_and(is_meant);
        self.uses.by_use.iter().any(|((id, _), seen)| has_name(*id) && seen.iter().any(is_danger))
    }

    /// Whether a callable that is known to be dangerous, or only by its library, was used in a way that is not inert. Before
    /// protocol 4 no name leads through dots, as the lines of lists of addresses do.
    pub(super) fn has_named_effects(&self, by_library: bool) -> bool {
        let is_known = |seen: &Seen| match seen.standing {
            Standing::Dangerous { .. } => true,
            Standing::Unlisted { .. } => by_library,
            _ => false,
        };
        let is_name = |global: &Global| self.protocol >= 4 || !global.name.contains('.');
        let acts =
            |(id, usage): &&(GlobalId, Usage)| *usage != Usage::Reference && self.globals.get(*id).is_some_and(is_name);
        let uses = &self.uses;
        uses.order.iter().filter(acts).any(|key| uses.by_use.get(key).is_some_and(|seen| seen.iter().any(is_known)))
    }

    /// Notes a use of a named callable.
    pub(super) fn record(&mut self, id: GlobalId, usage: Usage, standing: Standing, expression: Option<String>) {
        if expression.is_none() && matches!(standing, Standing::Inert { .. }) && self.uses.count_inert(id, usage) {
            return;
        }
        let expression = match expression {
            Some(expression) => {
                self.uses.step(self.at, &expression);
                expression
            }
            None => self.globals.get(id).map_or_else(String::new, Global::path),
        };
        self.uses.seen(self.at, id, usage, standing, expression);
    }

    /// Writes everything noted to `facts`.
    pub(super) fn write_facts(&mut self, facts: &mut Facts) {
        let order = std::mem::take(&mut self.uses.order);
        let mut by_use = std::mem::take(&mut self.uses.by_use);
        let acted: HashSet<GlobalId> = order.iter().filter(|key| key.1 != Usage::Reference).map(|key| key.0).collect();
        for key in &order {
            // A look-up that leads to a use is told by the use.
            if key.1 == Usage::Reference && acted.contains(&key.0) {
                continue;
            }
            for seen in by_use.remove(key).unwrap_or_default() {
                self.write_callable(*key, seen, facts);
            }
        }
        for (usage, seen) in std::mem::take(&mut self.uses.special) {
            facts.push(Position::Offset(seen.position), callable(String::new(), String::new(), usage, seen));
        }
        for (position, kind) in std::mem::take(&mut self.uses.noted) {
            facts.push(position, kind);
        }
    }

    fn write_callable(&self, (id, usage): (GlobalId, Usage), seen: Seen, facts: &mut Facts) {
        let Some(global) = self.globals.get(id) else { return };
        let position = Position::Offset(seen.position);
        facts.push(position, callable(global.module.clone(), global.name.clone(), usage, seen));
    }
}

fn callable(module: String, name: String, usage: Usage, seen: Seen) -> FactKind {
    let Seen { standing, expression, count, .. } = seen;
    FactKind::Callable(Callable { module, name, usage, standing, expression, count })
}
