//! `environment.yml` of conda, with its `pip:` section, and MLflow's `conda.yaml` and `python_env.yaml`.
//! <https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html>

use waag_evidence::{DependencySource, Ecosystem};

use super::{Page, python_version};
use crate::dependencies::reading::IndexRole;
use crate::dependencies::tree::Node;
use crate::dependencies::{requirement, source, version};

/// What stands for the installer of the pip section, and is no package of the project's.
const TOOLS: [&str; 1] = ["pip"];

pub(super) fn read(page: &mut Page<'_>, root: &Node) {
    let Some(dependencies) = root.get("dependencies") else {
        // Many files are called so; one without packages is another thing.
        return;
    };
    for channel in root.list("channels") {
        if let Some(name) = channel.text() {
            page.index(name, IndexRole::Channel, None, channel.line);
        }
    }
    for item in dependencies.items() {
        if let Some(pip) = item.get("pip") {
            pip_section(page, pip);
        } else if let Some(written) = item.text() {
            match_spec(page, written, item.line);
        } else if item.is_table() {
            page.incomplete(item.line, "an entry that is neither a package nor a list for pip");
        }
    }
}

/// `python: 3.10.4`, `build_dependencies`, and `dependencies` that pip takes.
pub(super) fn read_mlflow(page: &mut Page<'_>, root: &Node) {
    if let Some(python) = root.get("python") {
        page.python(&python_version::exactly(python.text().unwrap_or_default()), python.line);
    }
    if let Some(list) = root.get("dependencies") {
        pip_section(page, list);
    }
    for item in root.list("build_dependencies") {
        page.requirement(item.text().unwrap_or_default(), item.line, Some("build-system"));
    }
}

/// Each item is a line of a requirements file.
fn pip_section(page: &mut Page<'_>, list: &Node) {
    for item in list.items() {
        if let Some(written) = item.text() {
            page.pip_line(written, item.line, None);
        }
    }
}

/// `channel::name[version='>=1']`, `name=1.2=build`, `name >=1,<2`, `name 1.2.3 build`.
fn match_spec(page: &mut Page<'_>, written: &str, line: u64) {
    let text = written.split(" #").next().unwrap_or_default().trim();
    let (channel, text) = match text.rsplit_once("::") {
        Some((channel, rest)) => (Some(source::without_login(channel)), rest),
        None => (None, text),
    };
    if let Some((_, true)) = channel {
        page.index(written.rsplit_once("::").map_or(written, |(channel, _)| channel), IndexRole::Channel, None, line);
    }
    let end = text.find(['=', '<', '>', '!', '~', ' ', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || text.contains("://") {
        return page.incomplete(line, &format!("'{written}' is no package of conda that is understood"));
    }
    let (constraint, has_build) = match bracketed(rest) {
        Some(inside) => (inside, false),
        None => without_build(rest),
    };
    let told = version::of_conda(&constraint);
    if name == "python" {
        return page.python(told.as_deref().unwrap_or(&constraint), line);
    }
    if TOOLS.contains(&name) && constraint.is_empty() {
        return;
    }
    let mut dependency = requirement::named(Ecosystem::Conda, name, page.at(line));
    dependency.source = DependencySource::Index { url: channel.map(|(url, _)| url) };
    match told {
        _ if exact(&constraint, has_build).is_some() => {
            dependency.version = exact(&constraint, has_build).map(str::to_owned);
            dependency.constraint = dependency.version.as_ref().map(|version| format!("=={version}"));
        }
        Some(told) => {
            // Versions of conda need not be Python's: what cannot be read is kept as it is.
            let _ = requirement::set_constraint(&told, &mut dependency);
        }
        None => dependency.constraint = Some(constraint),
    }
    page.add(dependency);
}

/// The version in `[version='>=1', build=…]`.
fn bracketed(rest: &str) -> Option<String> {
    let inside = rest.split_once('[')?.1;
    let version = inside.split_once("version=")?.1;
    let quote = version.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
    let end = |c: char| quote.map_or(matches!(c, ',' | ']'), |quote| c == quote);
    Some(version.trim_start_matches(['\'', '"']).split(end).next().unwrap_or_default().trim().to_owned())
}

/// The version that a constraint means alone, as it is written: one that a build is told of, or one after `==`. Versions of
/// conda need not be Python's: `1.1.1w`, `2024a`.
fn exact(constraint: &str, has_build: bool) -> Option<&str> {
    let is_exact = has_build || constraint.starts_with("==");
    let version = constraint.trim_start_matches('=');
    (is_exact && !version.is_empty() && !version.contains(['*', ',', '|', '<', '>', '!', '~'])).then_some(version)
}

/// The version in `=1.2=build` and ` 1.2 build`, and whether there is a build.
fn without_build(rest: &str) -> (String, bool) {
    let rest = rest.split('[').next().unwrap_or_default().trim();
    let (operator, body) =
        rest.split_at(rest.find(|c: char| !matches!(c, '=' | '<' | '>' | '!' | '~' | ' ')).unwrap_or(0));
    let operator: String = operator.split_whitespace().collect();
    // A build is told by a second `=`, or by a space after a bare version.
    let (body, build) = match operator.as_str() {
        "=" | "" | "==" if !body.contains(',') => body.split_once(['=', ' ']).unwrap_or((body, "")),
        _ => (body, ""),
    };
    let compact: String = body.split_whitespace().collect();
    let has_build = !build.trim().trim_matches('*').is_empty();
    (format!("{operator}{compact}"), has_build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_are_left_out() {
        for (rest, expected) in [
            ("=1.26.4=py310h1", ("=1.26.4", Some("1.26.4"))),
            ("=1.1.1w=h7f8727e_0", ("=1.1.1w", Some("1.1.1w"))),
            ("=8.2=h5eee18b_0", ("=8.2", Some("8.2"))),
            ("=8.*=h5eee18b_0", ("=8.*", None)),
            ("=1.26", ("=1.26", None)),
            ("=1.26=*", ("=1.26", None)),
            ("==2024a", ("==2024a", Some("2024a"))),
            (">=1.20,<2", (">=1.20,<2", None)),
            (" >=1.20, <2", (">=1.20,<2", None)),
            (" 1.26.4 py310_0", ("1.26.4", Some("1.26.4"))),
            ("", ("", None)),
        ] {
            let (constraint, has_build) = without_build(rest);
            assert_eq!((constraint.as_str(), exact(&constraint, has_build)), expected, "{rest}");
        }
        assert_eq!(bracketed("[version='>=1,<2', build=x]").as_deref(), Some(">=1,<2"));
        assert_eq!(bracketed("[version=1.2]").as_deref(), Some("1.2"));
    }
}
