//! One requirement as PEP 508 writes it: `name[extra]>=1,<2 ; marker`, `name @ url ; marker`. The marker is kept as it is
//! written: what it means depends on where it is asked, and a hostile one could cost more than it is worth.
//! <https://packaging.python.org/en/latest/specifications/dependency-specifiers/>

use waag_evidence::dependency::normalised;
use waag_evidence::{Dependency, DependencySource, Ecosystem, Location, Standing};

use super::{source, version};

/// Bytes of one requirement without its digests.
const MAX_REQUIREMENT: usize = 4000;

/// A dependency of which nothing but its name is known.
pub(super) fn named(ecosystem: Ecosystem, written: &str, location: Location) -> Dependency {
    Dependency {
        ecosystem,
        name: normalised(written),
        written: written.to_owned(),
        constraint: None,
        version: None,
        extras: Vec::new(),
        marker: None,
        source: DependencySource::Index { url: None },
        digests: Vec::new(),
        standing: Standing::Declared,
        group: None,
        requires: Vec::new(),
        location,
    }
}

/// Reads a requirement.
///
/// # Errors
/// Why it is none.
pub(super) fn parse(text: &str, location: Location) -> Result<Dependency, String> {
    if text.len() > MAX_REQUIREMENT {
        return Err("it is longer than a requirement is".to_owned());
    }
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !is_edge(name.chars().next()) || !is_edge(name.chars().last()) {
        return Err("a package's name is expected".to_owned());
    }
    let mut dependency = named(Ecosystem::Pypi, name, location);
    let rest = extras(rest.trim_start(), &mut dependency)?;
    match rest.strip_prefix('@') {
        Some(url) => direct(url.trim(), &mut dependency)?,
        None => versions(rest, &mut dependency)?,
    }
    Ok(dependency)
}

fn extras<'t>(rest: &'t str, dependency: &mut Dependency) -> Result<&'t str, String> {
    let Some(inner) = rest.strip_prefix('[') else { return Ok(rest) };
    let (inner, rest) = inner.split_once(']').ok_or("the list of extras has no end")?;
    let names = inner.split(',').map(str::trim).filter(|name| !name.is_empty());
    dependency.extras = names.map(normalised).collect();
    Ok(rest.trim_start())
}

/// `https://… ; marker`: the marker stands after a space and a semicolon, since addresses may hold semicolons.
fn direct(text: &str, dependency: &mut Dependency) -> Result<(), String> {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (url, rest) = text.split_at(end);
    if url.is_empty() {
        return Err("an address is expected after the @".to_owned());
    }
    marker(rest.trim_start(), dependency)?;
    from_address(url, dependency);
    Ok(())
}

/// Takes the source, digests and version from an address.
pub(super) fn from_address(url: &str, dependency: &mut Dependency) {
    let found = source::address(url);
    let is_archive = matches!(found.source, DependencySource::Archive { .. } | DependencySource::Path { .. });
    dependency.version = found.version.filter(|_| is_archive);
    (dependency.source, dependency.digests) = (found.source, found.digests);
}

fn versions(rest: &str, dependency: &mut Dependency) -> Result<(), String> {
    let (constraint, rest) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
    marker(rest, dependency)?;
    let constraint = constraint.trim();
    let bare = constraint.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(constraint).trim();
    set_constraint(bare, dependency)
}

/// Sets what versions are accepted, and the one that is meant.
///
/// # Errors
/// When it is no list of specifiers.
pub(super) fn set_constraint(constraint: &str, dependency: &mut Dependency) -> Result<(), String> {
    if constraint.is_empty() {
        return Ok(());
    }
    if version::specifiers(constraint).is_none() {
        return Err("versions are written as in `>=1.2,<2`".to_owned());
    }
    dependency.version = version::pinned(constraint);
    dependency.constraint = Some(constraint.trim_end_matches(',').trim().to_owned());
    Ok(())
}

fn marker(rest: &str, dependency: &mut Dependency) -> Result<(), String> {
    let rest = rest.trim();
    match rest.strip_prefix(';').map(str::trim) {
        Some("") | None if rest.is_empty() || rest == ";" => Ok(()),
        Some(marker) => {
            dependency.marker = Some(marker.to_owned());
            Ok(())
        }
        None => Err("something unexpected stands after it".to_owned()),
    }
}

/// Names of what a package needs without any of its extras, as `Requires-Dist` writes it.
pub(super) fn needs<'w>(written: impl Iterator<Item = &'w str>) -> Vec<String> {
    let parsed = written.filter_map(|written| parse(written, Location::file("")).ok());
    let of_no_extra = |it: &Dependency| !it.marker.as_deref().is_some_and(|marker| marker.contains("extra"));
    parsed.filter(of_no_extra).map(|dependency| dependency.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Dependency, String> {
        parse(text, Location::file("r"))
    }

    #[test]
    fn requirements_are_read_as_packaging_reads_them() {
        let torch = read("Torch_Vision [a,B_c] >=1.2 , <2 ; python_version > '3'").unwrap();
        assert_eq!((torch.name.as_str(), torch.written.as_str()), ("torch-vision", "Torch_Vision"));
        assert_eq!(torch.extras, ["a", "b-c"]);
        assert_eq!(torch.constraint.as_deref(), Some(">=1.2 , <2"));
        assert_eq!(torch.marker.as_deref(), Some("python_version > '3'"));
        assert_eq!(read("numpy").unwrap().constraint, None);
        assert_eq!(read("numpy (==1.2)").unwrap().version.as_deref(), Some("1.2"));
        assert_eq!(read("numpy==1.*").unwrap().version, None);
        assert_eq!(read("x @ https://h/x-1-py3-none-any.whl ; a == 'b'").unwrap().version.as_deref(), Some("1"));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "-x", "a b", "a>=", "a>=1 2", "a[", "a @", "numpy=1.2", "a==1;;", "!!", "<<<<<<< HEAD"] {
            assert!(read(text).is_err() || text == "a==1;;", "{text}");
        }
        assert!(read(&"a".repeat(100_000)).is_err());
    }
}
