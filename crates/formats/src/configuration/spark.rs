//! What Spark ML writes beside each stage of a pipeline: the class that its loader imports and asks to load the rest.

use super::Observer;
use crate::callable;
use crate::fact::{Callable, FactKind, Position, Standing, Usage};
use crate::facts::{Facts, shorten};
use crate::java;
use crate::json::{Event, Segment, Value};

/// Starts of classes that Spark has.
const OWN: &[&str] = &["org.apache.spark.ml.", "org.apache.spark.mllib.", "pyspark.ml."];

/// Collects the class until the other keys of such a file have been seen.
#[derive(Debug, Default)]
struct Spark {
    class: Option<(u64, String)>,
    has_version: bool,
    has_parameters: bool,
}

/// Makes the observer.
#[must_use]
pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(Spark::default())
}

impl Observer for Spark {
    fn event(&mut self, event: &Event<'_>, _facts: &mut Facts) {
        let [Segment::Key(key)] = event.path else { return };
        match (key.as_str(), event.value) {
            ("class", Value::Text(text)) => {
                self.class = Some((event.offset, shorten(text.chars().take(501).collect(), 500)));
            }
            ("sparkVersion", Value::Text(_)) => self.has_version = true,
            ("paramMap", Value::Object) => self.has_parameters = true,
            _ => {}
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        let Some((offset, class)) = self.class.take().filter(|_| self.has_version && self.has_parameters) else {
            return;
        };
        facts.property("framework", "Spark ML");
        facts.property("class", class.as_str());
        let (module, name) = class.rsplit_once('.').unwrap_or(("", &class));
        let kind = FactKind::Callable(Callable {
            module: module.to_owned(),
            name: name.to_owned(),
            usage: Usage::Instantiate,
            standing: standing(&class, module, name),
            expression: format!("{class}.load"),
            count: 1,
        });
        facts.push(Position::Offset(offset), kind);
    }
}

/// A class may be of Java or of Python: both loaders read the same files.
fn standing(class: &str, module: &str, name: &str) -> Standing {
    if OWN.iter().any(|start| class.starts_with(start)) {
        return Standing::Inert { reason: "A stage of Spark's own.".into() };
    }
    match java::judge(class) {
        Standing::Unknown => callable::judge(module, name, Usage::Instantiate, None),
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::testing::inspect;

    fn told(class: &str) -> Option<Standing> {
        let text = format!(r#"{{"class":"{class}","timestamp":1,"sparkVersion":"3.5.0","uid":"a","paramMap":{{}}}}"#);
        let facts = inspect(&Json, "metadata/part-00000", text.as_bytes());
        facts.list().iter().find_map(|fact| match &fact.kind {
            FactKind::Callable(callable) => Some(callable.standing.clone()),
            _ => None,
        })
    }

    #[test]
    fn classes_are_judged_in_both_languages() {
        assert!(matches!(told("org.apache.spark.ml.PipelineModel"), Some(Standing::Inert { .. })));
        assert!(matches!(told("java.lang.Runtime"), Some(Standing::Dangerous { .. })));
        assert!(matches!(told("os.system"), Some(Standing::Dangerous { .. })));
        assert!(matches!(told("com.example.Stage"), Some(Standing::Unknown)));
    }
}
