//! What a tool installs before it loads a model: `conda.yaml`, MLflow's `python_env.yaml`, `pyproject.toml`.

use super::Observer;
use crate::facts::Facts;
use crate::json::{Event, Segment, Value};
use crate::requirements::{check_address, check_index, check_requirement};

/// Files that are such environments.
const NAMES: &[&str] =
    &["conda.yaml", "conda.yml", "environment.yaml", "environment.yml", "python_env.yaml", "env.yaml", "env.yml"];

#[derive(Debug)]
struct Packages {
    is_environment: bool,
    is_project: bool,
}

pub(super) fn observer(name: &str) -> Box<dyn Observer> {
    Box::new(Packages { is_environment: NAMES.contains(&name), is_project: name == "pyproject.toml" })
}

impl Observer for Packages {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let Value::Text(text) = event.value else { return };
        if self.is_project {
            return project(event, text, facts);
        }
        if !self.is_environment {
            return;
        }
        let Some(Segment::Key(first)) = event.path.first() else { return };
        match (first.as_str(), event.path.len()) {
            ("dependencies" | "build_dependencies", 2) => {
                // `conda-forge::package=1.0`; a name and up to two `=`.
                let name = text.rsplit("::").next().unwrap_or(text).split('=').next().unwrap_or(text);
                let requirement = if text.contains("==") || text.starts_with('-') { text } else { name };
                check_requirement(event.offset, requirement, facts);
            }
            ("dependencies", 4) => check_requirement(event.offset, text, facts),
            ("channels", 2) if text.contains("://") => check_address(event.offset, text, text, facts),
            _ => {}
        }
    }
}

/// `[project] dependencies`, its extras, and what building it requires; where the tools `uv` and `poetry` take them from.
fn project(event: &Event<'_>, text: &str, facts: &mut Facts) {
    let keys: Vec<&str> = event.path.iter().filter_map(Segment::key).collect();
    match keys.as_slice() {
        ["project", "dependencies"]
        | ["project", "optional-dependencies", _]
        | ["build-system", "requires"]
        | ["dependency-groups", _] => check_requirement(event.offset, text, facts),
        ["tool", "uv" | "pdm", .., "index-url"] | ["tool", "uv" | "poetry" | "pdm", "index" | "source", "url"]
            if text.contains("://") =>
        {
            check_index(event.offset, text, text, facts);
        }
        ["tool", "uv" | "poetry" | "pdm", .., "url" | "git"] if text.contains("://") => {
            check_address(event.offset, text, text, facts);
        }
        _ => {}
    }
}
