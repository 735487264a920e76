//! Rasa's pipelines and policies: a component is a name of Rasa's own, or the path of a class to import.

use super::Observer;
use super::found::{Found, is_dotted};
use crate::fact::Gap;
use crate::facts::Facts;
use crate::json::{Event, Segment, Value};

#[derive(Debug, Default)]
struct Rasa {
    found: Found,
    is_rasa: bool,
    waiting: Vec<(u64, String)>,
    overflowed: bool,
}

/// Keys that only Rasa's configurations have, and the metadata of its models.
const MARKS: &[&str] = &[
    "policies",
    "assistant_id",
    "recipe",
    "rasa_version",
    "rasa_open_source_version",
    "train_schema",
    "predict_schema",
];
/// Components that are kept until it is known whose configuration this is.
const MAX_WAITING: usize = 1000;

pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(Rasa::default())
}

impl Observer for Rasa {
    fn event(&mut self, event: &Event<'_>, _facts: &mut Facts) {
        match event.path {
            [Segment::Key(key)] if MARKS.contains(&key.as_str()) => self.is_rasa = true,
            [Segment::Key(list), Segment::Index(_), Segment::Key(name)]
                if matches!(list.as_str(), "pipeline" | "policies") && name == "name" =>
            {
                self.component(event);
            }
            [.., Segment::Key(uses)] if uses == "uses" => self.component(event),
            _ => {}
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        for (offset, path) in std::mem::take(&mut self.waiting) {
            if self.is_rasa {
                self.found.target(offset, &path, &format!("name: {path}"));
            }
        }
        if self.is_rasa && self.overflowed {
            facts.incomplete(0, Gap::Limit, "more components than are looked at");
        }
        self.found.finish(facts);
    }
}

impl Rasa {
    fn component(&mut self, event: &Event<'_>) {
        if let Value::Text(text) = event.value
            && is_dotted(text)
        {
            self.overflowed |= self.waiting.len() >= MAX_WAITING;
            if self.overflowed {
                return;
            }
            self.waiting.push((event.offset, text.to_owned()));
        }
    }
}
