//! Versions and what accepts them: what declares exactly one, what Poetry and conda write in PEP 440's words, and whether two
//! constraints can hold together. <https://packaging.python.org/en/latest/specifications/version-specifiers/>

use std::cmp::Ordering;
use std::str::FromStr as _;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// Bytes of a constraint that is looked at.
const MAX_CONSTRAINT: usize = 2000;

/// The specifiers in a constraint.
pub(super) fn specifiers(constraint: &str) -> Option<VersionSpecifiers> {
    if constraint.len() > MAX_CONSTRAINT {
        return None;
    }
    let text = constraint.trim().trim_end_matches(',');
    VersionSpecifiers::from_str(text).ok()
}

/// The one version that a constraint accepts.
pub(super) fn pinned(constraint: &str) -> Option<String> {
    let specifiers = specifiers(constraint)?;
    let exact = specifiers.iter().find(|it| matches!(it.operator(), Operator::Equal | Operator::ExactEqual))?;
    Some(exact.version().to_string())
}

/// Whether a constraint accepts a version; none where either cannot be read.
pub(super) fn admits(constraint: &str, version: &str) -> Option<bool> {
    let version = Version::from_str(version).ok()?;
    Some(specifiers(constraint)?.contains(&version))
}

/// Whether no version is accepted by both; none where that cannot be told.
pub(super) fn contradict(one: &str, other: &str) -> Option<bool> {
    let both: Vec<VersionSpecifier> = specifiers(one)?.iter().chain(specifiers(other)?.iter()).cloned().collect();
    let exact = both.iter().find(|it| matches!(it.operator(), Operator::Equal | Operator::ExactEqual));
    if let Some(exact) = exact {
        return Some(both.iter().any(|it| !accepts_pin(it, exact.version())));
    }
    let low = both.iter().filter_map(lowest).max_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1).reverse()));
    let high = both.iter().filter_map(highest).min_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)));
    let (Some((low, low_counts)), Some((high, high_counts))) = (low, high) else { return Some(false) };
    Some(match low.cmp(&high) {
        Ordering::Greater => true,
        Ordering::Equal => !(low_counts && high_counts),
        Ordering::Less => false,
    })
}

/// A pin with a local part (`2.4.0+cu121`) is what `==2.4.0` accepts, and the other way round nobody knows: then they agree.
fn accepts_pin(specifier: &VersionSpecifier, pin: &Version) -> bool {
    let loose = specifier.version().is_local() && !pin.is_local();
    specifier.contains(pin) || (loose && specifier.version().clone().without_local() == *pin)
}

/// The lowest version, and whether it is accepted itself.
fn lowest(specifier: &VersionSpecifier) -> Option<(Version, bool)> {
    let version = specifier.version().clone();
    match specifier.operator() {
        Operator::GreaterThanEqual | Operator::TildeEqual | Operator::EqualStar => Some((version, true)),
        Operator::GreaterThan => Some((version, false)),
        _ => None,
    }
}

/// The highest version, and whether it is accepted itself.
fn highest(specifier: &VersionSpecifier) -> Option<(Version, bool)> {
    let version = specifier.version().clone();
    let release = version.release().to_vec();
    match specifier.operator() {
        Operator::LessThanEqual => Some((version, true)),
        Operator::LessThan => Some((version, false)),
        Operator::EqualStar => Some((next(&release)?, false)),
        Operator::TildeEqual => Some((next(release.get(..release.len().checked_sub(1)?)?)?, false)),
        _ => None,
    }
}

/// The next release of the same length: 2.1 after 2.0.
fn next(release: &[u64]) -> Option<Version> {
    let (last, above) = release.split_last()?;
    Some(Version::new(above.iter().copied().chain([last.checked_add(1)?])))
}

/// What Poetry writes, in PEP 440's words: `^1.2` is `>=1.2,<2`. None for what cannot be told in them,
/// such as alternatives.
pub(super) fn of_poetry(written: &str) -> Option<String> {
    let written = written.trim();
    if written.contains('|') || written.len() > MAX_CONSTRAINT {
        return None;
    }
    let parts = written.split([',']).flat_map(spaced).map(|part| poetry_part(&part)).collect::<Option<Vec<_>>>()?;
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let joined = parts.join(",");
    (joined.is_empty() || specifiers(&joined).is_some()).then_some(joined)
}

/// `>=1.0 <2.0` is two parts, `>= 1.0` is one.
fn spaced(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match parts.last_mut() {
            Some(last) if last.ends_with(['<', '>', '=', '~', '^', '!']) => last.push_str(word),
            _ => parts.push(word.to_owned()),
        }
    }
    parts
}

fn poetry_part(part: &str) -> Option<String> {
    let caret = |version: &str, keep: &dyn Fn(&[u64]) -> usize| {
        let version = Version::from_str(version.trim()).ok()?;
        let release = version.release().to_vec();
        let top = next(release.get(..keep(&release))?)?;
        Some(format!(">={version},<{top}"))
    };
    if part == "*" {
        return Some(String::new());
    }
    if let Some(version) = part.strip_prefix('^') {
        // Up to the first part that is not zero.
        return caret(version, &|release| {
            release.iter().position(|number| *number > 0).map_or(release.len(), |first| first + 1)
        });
    }
    if let Some(version) = part.strip_prefix('~').filter(|version| !version.starts_with('=')) {
        return caret(version, &|release| release.len().min(2));
    }
    match part.starts_with(|first: char| first.is_ascii_digit() || first == 'v') {
        true => Some(format!("=={part}")),
        false => Some(part.to_owned()),
    }
}

/// What conda writes, in PEP 440's words: `=1.26` is `==1.26.*`. A single `=` with a whole release (`=1.26.4`, as exports
/// have it) means that release. None for what cannot be told in them.
pub(super) fn of_conda(written: &str) -> Option<String> {
    let written = written.trim();
    if written.contains('|') || written.len() > MAX_CONSTRAINT {
        return None;
    }
    let parts = written.split(',').map(|part| conda_part(part.trim())).collect::<Option<Vec<_>>>()?;
    let joined = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",");
    (joined.is_empty() || specifiers(&joined).is_some()).then_some(joined)
}

fn conda_part(part: &str) -> Option<String> {
    if part == "*" || part.is_empty() {
        return Some(String::new());
    }
    let is_operator = ["==", "!=", ">=", "<=", "~=", ">", "<"].iter().any(|operator| part.starts_with(operator));
    if is_operator {
        return Some(part.to_owned());
    }
    let version = part.trim_start_matches('=').trim_end_matches(".*").trim_end_matches('*');
    let is_open = part.ends_with('*') || Version::from_str(version).ok()?.release().len() < 3;
    Some(if is_open { format!("=={version}.*") } else { format!("=={version}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_version_is_meant_or_a_range() {
        for (constraint, version) in [
            ("==2.4.0+cu121", Some("2.4.0+cu121")),
            ("===1.0", Some("1.0")),
            ("==1.0,!=1.1", Some("1.0")),
            ("==2.4.*", None),
            (">=1.20", None),
            ("", None),
        ] {
            assert_eq!(pinned(constraint).as_deref(), version, "{constraint}");
        }
    }

    #[test]
    fn ranges_that_cannot_hold_together_are_told() {
        for (one, other, expected) in [
            ("==2.1", "==2.3", true),
            ("==2.1", "==2.1.0", false),
            ("==2.1", ">=2.0,<3", false),
            ("==2.4.0+cu121", "==2.4.0", false),
            ("==2.4.0+cu121", "==2.4.0+cu118", true),
            (">=2.3", "<2.3", true),
            (">=2.3", "<=2.3", false),
            ("~=2.3", ">=3", true),
            ("~=2.3", ">=2.9", false),
            ("==2.1.*", ">=2.2", true),
            ("==2.1.*", "==2.1.3", false),
            ("!=2.1", "==2.1", true),
            (">2", "", false),
        ] {
            assert_eq!(contradict(one, other), Some(expected), "{one} and {other}");
            assert_eq!(contradict(other, one), Some(expected), "{other} and {one}");
        }
        assert_eq!(contradict("^1", "==1"), None);
    }

    #[test]
    fn carets_and_tildes_are_told_in_other_words() {
        for (written, expected) in [
            ("^1.2.3", Some(">=1.2.3,<2")),
            ("^0.2.3", Some(">=0.2.3,<0.3")),
            ("^0.0.3", Some(">=0.0.3,<0.0.4")),
            ("^0", Some(">=0,<1")),
            ("~1.2.3", Some(">=1.2.3,<1.3")),
            ("~1", Some(">=1,<2")),
            ("1.2.3", Some("==1.2.3")),
            ("1.*", Some("==1.*")),
            ("*", Some("")),
            (">= 1.0 <2.0", Some(">=1.0,<2.0")),
            ("~=1.4", Some("~=1.4")),
            ("^1 || ^2", None),
        ] {
            assert_eq!(of_poetry(written).as_deref(), expected, "{written}");
        }
        for (written, expected) in [
            ("=1.26", Some("==1.26.*")),
            ("=1.26.4", Some("==1.26.4")),
            ("1.26", Some("==1.26.*")),
            (">=1,<2", Some(">=1,<2")),
            ("1.*", Some("==1.*")),
            ("1|2", None),
        ] {
            assert_eq!(of_conda(written).as_deref(), expected, "{written}");
        }
    }
}
