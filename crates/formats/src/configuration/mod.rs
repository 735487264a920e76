//! Configurations, in whatever syntax: JSON, YAML and TOML are read as the same stream of values, and everything that
//! a loader could be told by one is looked for at every depth, whatever the file is called.

mod descriptions;
mod expressions;
pub(crate) mod found;
mod instantiate;
mod jsonpickle;
mod langchain;
mod mlflow;
mod mxnet;
mod oci;
mod packages;
mod rasa;
mod sentence_transformers;
mod spacy;
mod spark;
mod tags;
mod torchserve;

use crate::facts::Facts;
use crate::json::Event;

/// Looks at every value of a configuration for one kind of instruction to a loader.
pub trait Observer {
    /// A value, at its path. Containers come twice: when they open and when they close.
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts);

    /// The tag of the value that comes next, in syntaxes that have tags.
    fn tag(&mut self, _tag: &str, _event: &Event<'_>, _facts: &mut Facts) {}

    /// The configuration has ended.
    fn finish(&mut self, _facts: &mut Facts) {}
}

/// Makes an observer for a file of this name, without its folders.
pub type NewObserver = fn(name: &str) -> Box<dyn Observer>;

/// Every kind of instruction that is looked for.
pub static OBSERVERS: &[NewObserver] = &[
    expressions::observer,
    instantiate::observer,
    jsonpickle::observer,
    langchain::observer,
    mlflow::observer,
    mxnet::observer,
    packages::observer,
    rasa::observer,
    sentence_transformers::observer,
    spacy::observer,
    spark::observer,
    tags::observer,
    torchserve::observer,
    crate::keras::config::observer,
    crate::tensorflow::javascript::observer,
    crate::tokenizer::observer,
    crate::zarr::observe,
];

/// Keys by which loaders are told what to do: where one stands twice, readers that differ do different things.
const INSTRUCTIONS: &[&str] = &[
    "_target_",
    "_args_",
    "_partial_",
    "class_path",
    "init_args",
    "target",
    "py/object",
    "py/reduce",
    "py/repr",
    "py/type",
    "py/function",
    "loader_module",
    "python_model",
    "model_code_path",
    "code",
    "auto_map",
    "template",
    "template_format",
    "_type",
    "lc",
    "factory",
    "custom_imports",
];

/// Whether a key tells a loader what to do.
#[must_use]
pub fn is_instruction(key: &str) -> bool {
    INSTRUCTIONS.contains(&key)
}

/// All observers over one configuration.
pub struct Observers(Vec<Box<dyn Observer>>);

impl Observers {
    /// Observers for a file of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let file = name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
        // A blob of a registry is known by the folders it lies in.
        let placed = [oci::observer(name), descriptions::observer(name)].into_iter();
        Self(OBSERVERS.iter().map(|new| new(file)).chain(placed).collect())
    }

    /// Shows a value to all of them.
    pub fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        for observer in &mut self.0 {
            observer.event(event, facts);
        }
    }

    /// Shows a value and the tag before it to all of them.
    pub fn tagged(&mut self, tag: Option<&str>, event: &Event<'_>, facts: &mut Facts) {
        if let Some(tag) = tag {
            for observer in &mut self.0 {
                observer.tag(tag, event, facts);
            }
        }
        self.event(event, facts);
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

#[cfg(test)]
mod tests;
