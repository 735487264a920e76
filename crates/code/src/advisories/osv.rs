//! Reading one entry of a database: OSV as JSON, or as YAML, which the advisories of PyPA are written in.

use std::str::FromStr as _;

use jiff::Timestamp;
use pep440_rs::Version;
use serde_json::Value;
use waag_engine::import::document;

use waag_evidence::dependency::normalised;

use super::advisory::{Advisory, Affected, Event};

/// Characters of a summary that are kept.
const MAX_SUMMARY: usize = 200;
/// Characters of an id, a version or a vector: longer ones are none.
const MAX_WORD: usize = 200;

/// What an entry is.
#[derive(Debug)]
pub(super) enum Entry {
    /// An advisory about packages of Python.
    Python(Advisory),
    /// An advisory about other packages only.
    Other,
}

/// Reads an entry, by the ending of its name.
///
/// # Errors
/// Why it is no advisory.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Entry, String> {
    advisory(&parsed(name, bytes)?)
}

/// The packages of Python that an entry is about which could not be read as a whole; none where not even that can be told.
pub(super) fn packages_of(name: &str, bytes: &[u8]) -> Option<Vec<String>> {
    let document = parsed(name, bytes).ok()?;
    let listed = document.get("affected")?.as_array()?;
    let mut packages = Vec::new();
    for one in listed {
        if is_python(ecosystem(one)?) {
            packages.push(name_of(one).ok()?);
        }
    }
    Some(packages)
}

fn parsed(name: &str, bytes: &[u8]) -> Result<Value, String> {
    if name.ends_with(".json") {
        return serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(document::yaml(text)?.root)
}

fn advisory(document: &Value) -> Result<Entry, String> {
    let id = word(document, "id").ok_or("it has no id")?;
    let modified = word(document, "modified").ok_or("it does not say when it was modified")?;
    Timestamp::from_str(&modified).map_err(|_| format!("'{modified}' is no time"))?;
    let Some(Value::Array(listed)) = document.get("affected") else {
        return Ok(Entry::Other);
    };
    let mut affected = Vec::new();
    for one in listed.iter().filter(|one| ecosystem(one).is_some_and(is_python)) {
        affected.push(package(one)?);
    }
    if affected.is_empty() {
        return Ok(Entry::Other);
    }
    Ok(Entry::Python(Advisory {
        id,
        aliases: words(document.get("aliases")),
        summary: summary(document),
        modified,
        withdrawn: word(document, "withdrawn"),
        vectors: vectors(document, listed),
        word: database_word(document, listed),
        affected,
    }))
}

/// The ecosystem of one affected package. `PyPI:` with the address of another index is another: its packages only share names.
fn ecosystem(one: &Value) -> Option<&str> {
    one.get("package")?.get("ecosystem")?.as_str()
}

fn is_python(ecosystem: &str) -> bool {
    ecosystem == "PyPI"
}

/// The name of one affected package, as names are compared. It is kept among others, so that it may hold nothing that parts them.
fn name_of(one: &Value) -> Result<String, String> {
    let name = one.get("package").and_then(|package| word(package, "name")).ok_or("an affected package has no name")?;
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match name.chars().all(is_of_name) {
        true => Ok(normalised(&name)),
        false => Err("an affected package has a name that no package of Python can have".to_owned()),
    }
}

fn package(one: &Value) -> Result<Affected, String> {
    let package = name_of(one)?;
    let ranges = one.get("ranges").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut read = Vec::new();
    for range in ranges {
        match range.get("type").and_then(Value::as_str) {
            Some("ECOSYSTEM") => read.push(events(range)?),
            // Commits say nothing of versions, and versions of PyPI are no SemVer.
            Some("GIT" | "SEMVER") => {}
            other => return Err(format!("a range is of the type '{}'", other.unwrap_or_default())),
        }
    }
    let versions = words(one.get("versions"));
    Ok(Affected { package, ranges: read, versions })
}

fn events(range: &Value) -> Result<Vec<Event>, String> {
    let listed = range.get("events").and_then(Value::as_array).ok_or("a range has no events")?;
    let mut events = Vec::new();
    for one in listed {
        let members = one.as_object().ok_or("an event is no mapping")?;
        for (kind, value) in members {
            let version = scalar(value).ok_or("an event names no version")?;
            if version != "0" && !(kind == "limit" && version == "*") && Version::from_str(&version).is_err() {
                return Err(format!("'{version}' is no version of Python's"));
            }
            events.push(match kind.as_str() {
                "introduced" => Event::Introduced(version),
                "fixed" => Event::Fixed(version),
                "last_affected" => Event::LastAffected(version),
                "limit" => Event::Limit(version),
                other => return Err(format!("an event is called '{other}'")),
            });
        }
    }
    if !events.iter().any(|event| matches!(event, Event::Introduced(_))) {
        return Err("a range has no beginning".to_owned());
    }
    Ok(events)
}

fn summary(document: &Value) -> String {
    let said = ["summary", "details"].iter().find_map(|key| document.get(*key).and_then(Value::as_str));
    let line = said.unwrap_or_default().lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.trim_start_matches(['#', ' ']).chars().take(MAX_SUMMARY).collect()
}

/// Vectors of the whole, and of packages that have their own.
fn vectors(document: &Value, affected: &[Value]) -> Vec<String> {
    let all =
        std::iter::once(document).chain(affected).filter_map(|one| one.get("severity")).filter_map(Value::as_array);
    let mut vectors: Vec<String> = all.flatten().filter_map(|one| word(one, "score")).collect();
    vectors.sort();
    vectors.dedup();
    vectors
}

fn database_word(document: &Value, affected: &[Value]) -> Option<String> {
    let mut all = std::iter::once(document).chain(affected);
    all.find_map(|one| word(one.get("database_specific")?, "severity"))
}

fn word(value: &Value, key: &str) -> Option<String> {
    scalar(value.get(key)?)
}

/// Text, or a number as it is written: YAML has versions that look like numbers.
fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty() && text.len() <= MAX_WORD).then_some(text)
}

fn words(value: Option<&Value>) -> Vec<String> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(scalar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(affected: &str) -> Result<Entry, String> {
        let text = format!(r#"{{"id": "A-1", "modified": "2024-01-02T03:04:05Z", "affected": [{affected}]}}"#);
        read("a.json", text.as_bytes())
    }

    fn python(ranges: &str) -> String {
        format!(r#"{{"package": {{"ecosystem": "PyPI", "name": "A_b.c"}}, "ranges": [{ranges}], "versions": ["1"]}}"#)
    }

    #[test]
    fn both_languages_give_the_same() {
        let json = python(r#"{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.10"}]}"#);
        let Ok(Entry::Python(one)) = entry(&json) else { panic!() };
        let yaml = "id: A-1\nmodified: \"2024-01-02T03:04:05Z\"\naffected:\n- package: {name: A_b.c, ecosystem: PyPI}\n  ranges:\n  - type: GIT\n    events: [{introduced: '0'}]\n  - type: ECOSYSTEM\n    events:\n    - introduced: \"0\"\n    - fixed: \"1.10\"\n  versions: ['1']\n";
        let Ok(Entry::Python(other)) = read("a.yaml", yaml.as_bytes()) else { panic!() };
        assert_eq!(one, other);
        assert_eq!(one.affected[0].package, "a-b-c");
    }

    #[test]
    fn what_is_no_advisory_says_why() {
        let said = |ranges: &str| entry(&python(ranges)).unwrap_err();
        assert!(said(r#"{"type": "ECOSYSTEM"}"#).contains("no events"));
        assert!(said(r#"{"type": "ECOSYSTEM", "events": [{"fixed": "1"}]}"#).contains("no beginning"));
        assert!(said(r#"{"type": "ECOSYSTEM", "events": [{"introduced": "one"}]}"#).contains("no version"));
        assert!(said(r#"{"type": "ECOSYSTEM", "events": [{"begun": "1"}]}"#).contains("begun"));
        assert!(said(r#"{"type": "NEW", "events": []}"#).contains("NEW"));
        assert!(read("a.json", b"{").is_err());
        assert!(read("a.yaml", b"\xff").is_err());
        assert!(read("a.json", "[".repeat(100_000).as_bytes()).is_err());
        assert!(read("a.json", br#"{"id": "A", "modified": "yesterday"}"#).is_err());
    }

    #[test]
    fn what_is_no_advisory_may_say_what_it_is_about() {
        let about = |text: &str| packages_of("a.json", text.as_bytes());
        let named = |name: &str| format!(r#"{{"package": {{"ecosystem": "PyPI", "name": "{name}"}}}}"#);
        let other = r#"{"package": {"ecosystem": "npm", "name": "b"}}"#;
        let all = |affected: &str| about(&format!(r#"{{"affected": [{affected}]}}"#));
        assert_eq!(all(&format!("{}, {other}", named("A_b"))), Some(vec!["a-b".to_owned()]));
        assert_eq!(all(other), Some(Vec::new()));
        for untold in ["{}", "3", &named("a b"), &named("a\\tb"), r#"{"package": {"name": "a"}}"#] {
            assert_eq!(all(&format!("{}, {untold}", named("a"))), None, "{untold}");
        }
        assert_eq!((about("{"), about("{}"), about(r#"{"affected": 1}"#)), (None, None, None));
        assert!(entry(&named("a b")).unwrap_err().contains("can have"));
    }

    #[test]
    fn other_ecosystems_are_left() {
        assert!(matches!(entry(r#"{"package": {"ecosystem": "npm", "name": "a"}}"#), Ok(Entry::Other)));
    }
}
