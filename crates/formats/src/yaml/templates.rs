//! Chat templates that a configuration in YAML carries, as one in JSON may.

use crate::budget::Budget;
use crate::fact::Position;
use crate::facts::{Facts, MAX_TEMPLATE};
use crate::jinja::inspect_template;
use crate::json::{Event, Value, path_text};

/// The key that servers and trainers take a chat template from.
const KEY: &str = "chat_template";
/// Templates of one file.
const MAX_TEMPLATES: usize = 16;

/// Templates met so far, with where and under which key.
#[derive(Debug, Default)]
pub(super) struct Templates(Vec<(u64, String, String)>);

impl Templates {
    pub(super) fn event(&mut self, event: &Event<'_>) {
        let Value::Text(text) = event.value else { return };
        if event.key() == Some(KEY) && self.0.len() < MAX_TEMPLATES && text.len() <= MAX_TEMPLATE {
            self.0.push((event.offset, path_text(event.path), text.to_owned()));
        }
    }

    pub(super) fn inspect(&self, budget: &Budget, facts: &mut Facts) {
        for (offset, name, text) in &self.0 {
            inspect_template(text, name, Position::Offset(*offset), budget, facts);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fact::FactKind;
    use crate::testing::inspect;
    use crate::yaml::Yaml;

    #[test]
    fn a_template_in_yaml_is_a_template() {
        let reaches = |text: &str| {
            let facts = inspect(&Yaml, "model.yaml", text.as_bytes());
            facts.list().iter().any(|fact| matches!(fact.kind, FactKind::TemplateReach { .. }))
        };
        assert!(reaches("chat_template: \"{{ config.__class__.__init__.__globals__ }}\"\n"));
        assert!(!reaches("chat_template: |\n  {% for m in messages %}{{ m['content'] }}{% endfor %}\n"));
        assert!(!reaches("prompt: \"{{ anything }}\"\n"));
    }
}
