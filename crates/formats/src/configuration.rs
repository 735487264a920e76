//! Configurations, in whatever syntax: JSON, YAML and TOML are read as the same stream of values, and everything that
//! a loader could be told by one is looked for at every depth, whatever the file is called.

use crate::facts::Facts;
use crate::json::Event;

/// Looks at every value of a configuration for one kind of instruction to a loader.
pub trait Observer {
    /// A value, at its path. Containers come twice: when they open and when they close.
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts);

    /// The configuration has ended.
    fn finish(&mut self, _facts: &mut Facts) {}
}

/// Makes an observer for a file of this name.
pub type NewObserver = fn(name: &str) -> Box<dyn Observer>;

/// Every kind of instruction that is looked for.
pub static OBSERVERS: &[NewObserver] = &[crate::tensorflow::javascript::observer];

/// All observers over one configuration.
pub struct Observers(Vec<Box<dyn Observer>>);

impl Observers {
    /// Observers for a file of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(OBSERVERS.iter().map(|new| new(name)).collect())
    }

    /// Shows a value to all of them.
    pub fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        for observer in &mut self.0 {
            observer.event(event, facts);
        }
    }

    /// Tells all of them that the configuration has ended.
    pub fn finish(&mut self, facts: &mut Facts) {
        for observer in &mut self.0 {
            observer.finish(facts);
        }
    }
}

impl std::fmt::Debug for Observers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Observers({})", self.0.len())
    }
}
