//! Which Python a project says that it uses: `.python-version`, `runtime.txt`, `pyproject.toml`, `setup.cfg`, `Pipfile`.

use serde_json::Value;
use waag_evidence::Location;

use super::{Statement, version};

/// Bytes of such a file that are read.
pub const MAX_BYTES: u64 = 4 << 20;

/// Whether a file of this name says which Python is used.
#[must_use]
pub fn is_read(name: &str) -> bool {
    matches!(name, ".python-version" | "runtime.txt" | "pyproject.toml" | "setup.cfg" | "Pipfile")
}

/// What the text of such a file says. A file that says nothing, or cannot be read, gives nothing: whoever reads
/// dependencies from it says what is wrong with it.
#[must_use]
pub fn read(name: &str, text: &str, file: &str) -> Vec<Statement> {
    let found = match name {
        ".python-version" => first_line(text).map(|(line, said)| (line, interpreter(said))),
        "runtime.txt" => first_line(text).map(|(line, said)| (line, said.strip_prefix("python-").map(str::to_owned))),
        "pyproject.toml" => project(text),
        "Pipfile" => {
            toml_value(text, &["requires", "python_version"]).map(|said| (line_of(text, "python_version"), Some(said)))
        }
        "setup.cfg" => setup(text),
        _ => None,
    };
    let Some((line, Some(said))) = found else { return Vec::new() };
    if version::specifiers(&said).is_none() {
        return Vec::new();
    }
    let location = Location { line: Some(line), ..Location::file(file) };
    vec![Statement { text: said, location, group: None }]
}

fn first_line(text: &str) -> Option<(u64, &str)> {
    (1..).zip(text.lines().map(str::trim)).find(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// `3.11.4`, and `cpython-3.11.4` as some tools write it. Other interpreters are not the one that wheels are for.
fn interpreter(said: &str) -> Option<String> {
    let said = said.strip_prefix("cpython-").or_else(|| said.strip_prefix("python-")).unwrap_or(said);
    let said = said.split(['-', '@']).next().unwrap_or_default();
    said.starts_with(|first: char| first.is_ascii_digit()).then(|| said.to_owned())
}

fn project(text: &str) -> Option<(u64, Option<String>)> {
    if let Some(said) = toml_value(text, &["project", "requires-python"]) {
        return Some((line_of(text, "requires-python"), Some(said)));
    }
    let said = toml_value(text, &["tool", "poetry", "dependencies", "python"])?;
    let mut lines = (1..).zip(text.lines()).skip_while(|(_, line)| !line.contains("tool.poetry.dependencies"));
    let line = lines.find(|(_, line)| line.trim_start().starts_with("python")).map_or(1, |(line, _)| line);
    Some((line, Some(said)))
}

fn toml_value(text: &str, path: &[&str]) -> Option<String> {
    let document: Value = toml::from_str(text).ok()?;
    let value = path.iter().try_fold(&document, |value, key| value.get(key))?;
    value.as_str().map(str::to_owned)
}

fn line_of(text: &str, key: &str) -> u64 {
    (1..).zip(text.lines()).find(|(_, line)| line.trim_start().starts_with(key)).map_or(1, |(line, _)| line)
}

fn setup(text: &str) -> Option<(u64, Option<String>)> {
    let mut lines = (1..).zip(text.lines()).skip_while(|(_, line)| line.trim() != "[options]").skip(1);
    let (line, text) = lines
        .by_ref()
        .take_while(|(_, line)| !line.starts_with('['))
        .find(|(_, line)| line.trim_start().starts_with("python_requires"))?;
    let (_, said) = text.split_once(['=', ':'])?;
    Some((line, Some(said.trim().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, text: &str) -> Vec<(String, u64)> {
        let statements = read(name, text, name);
        statements.into_iter().map(|one| (one.text, one.location.line.unwrap())).collect()
    }

    #[test]
    fn every_place_is_read() {
        let one = |text: &str, line| vec![(text.to_owned(), line)];
        assert_eq!(said(".python-version", "# mine\n3.11.4\n3.10\n"), one("3.11.4", 2));
        assert_eq!(said(".python-version", "cpython-3.12.1-linux-x86_64-gnu"), one("3.12.1", 1));
        assert_eq!(said("runtime.txt", "python-3.9.7\n"), one("3.9.7", 1));
        assert_eq!(said("pyproject.toml", "[project]\nname='a'\nrequires-python = '>=3.9'\n"), one(">=3.9", 3));
        let poetry = "[tool.poetry]\n[tool.poetry.dependencies]\npython = '^3.10'\n";
        assert_eq!(said("pyproject.toml", poetry), one("^3.10", 3));
        assert_eq!(said("setup.cfg", "[metadata]\n[options]\npython_requires = >=3.8\n"), one(">=3.8", 3));
        assert_eq!(said("Pipfile", "[requires]\npython_version = '3.11'\n"), one("3.11", 2));
    }

    #[test]
    fn what_names_no_version_says_nothing() {
        for (name, text) in [
            (".python-version", "pypy3.9-7.3"),
            (".python-version", "system"),
            ("pyproject.toml", "[project"),
            ("setup.cfg", "[other]\npython_requires = >=3"),
            ("runtime.txt", "node"),
        ] {
            assert!(read(name, text, name).is_empty(), "{text}");
        }
    }
}
