//! Versions as they are written for people and for conda, read as Python's: what cannot be read so stays unread.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

use super::claim::Admitted;

/// What a requirement of Python admits.
pub(super) fn of_package(version: Option<&str>, constraint: Option<&str>) -> Admitted {
    if let Some(version) = version {
        return Version::from_str(version).map_or(Admitted::Unreadable, Admitted::One);
    }
    let Some(text) = constraint.map(str::trim).filter(|text| !text.is_empty() && *text != "*") else {
        return Admitted::Any;
    };
    specifiers(text).map_or(Admitted::Unreadable, |specifiers| one_or_range(text, specifiers))
}

/// A requirement of conda: `=2.1` is any of 2.1, and a build may follow.
pub(super) fn of_conda(version: Option<&str>, constraint: Option<&str>) -> Admitted {
    if let Some(version) = version {
        return of_package(Some(version), None);
    }
    let text = constraint.unwrap_or_default().trim();
    let text = text.split_whitespace().next().unwrap_or_default();
    if text.contains('|') {
        return Admitted::Unreadable;
    }
    let parts: Vec<String> = text.split(',').map(conda_part).collect();
    of_package(None, Some(&parts.join(",")))
}

fn conda_part(part: &str) -> String {
    let part = part.trim();
    if let Some(rest) = part.strip_prefix("==") {
        return format!("=={}", rest.split('=').next().unwrap_or_default());
    }
    if let Some(rest) = part.strip_prefix('=') {
        let version = rest.split('=').next().unwrap_or_default();
        return if version.ends_with('*') { format!("=={version}") } else { format!("=={version}.*") };
    }
    if part.starts_with(|first: char| first.is_ascii_digit()) {
        return format!("=={}", part.split('=').next().unwrap_or_default());
    }
    part.to_owned()
}

/// Specifiers of PEP 440; a bare version is that one.
fn specifiers(text: &str) -> Option<VersionSpecifiers> {
    match text.starts_with(|first: char| first.is_ascii_digit()) {
        true => VersionSpecifiers::from_str(&format!("=={text}")).ok(),
        false => VersionSpecifiers::from_str(text).ok(),
    }
}

/// A pin is one version, whatever wrote it.
fn one_or_range(text: &str, specifiers: VersionSpecifiers) -> Admitted {
    let mut all = specifiers.iter();
    match (all.next(), all.next()) {
        (Some(only), None) if *only.operator() == pep440_rs::Operator::Equal && !text.contains('*') => {
            Admitted::One(only.version().clone())
        }
        _ => Admitted::Range(specifiers),
    }
}

/// What a tag of a build says: `cu118`, `cpu`, `rocm6.2`.
pub(super) fn of_build(tag: &str) -> Option<Admitted> {
    let tag = tag.to_ascii_lowercase();
    if let Some(digits) = tag.strip_prefix("cu") {
        // One digit of it is the minor version: cu92, cu118, cu130.
        let is_number = (2..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let (major, minor) = is_number.then(|| digits.split_at(digits.len() - 1))?;
        return Version::from_str(&format!("{major}.{minor}")).ok().map(Admitted::One);
    }
    let is_other = tag == "cpu" || tag == "xpu" || tag.starts_with("rocm") || tag.starts_with("cpu.");
    is_other.then_some(Admitted::Build(tag))
}

/// The tag of builds for a version of CUDA.
pub(super) fn build_of(cuda: &Version) -> String {
    let (major, minor) = super::tables::minor_of(cuda);
    format!("cu{major}{minor}")
}

/// The last minor version of Python 3 that is thought of: what admits it is open to all that come.
pub(super) const LAST_MINOR: u64 = 39;

/// The minor versions of Python 3 that are admitted.
pub(super) fn python_minors(admitted: &Admitted) -> Vec<u64> {
    match admitted {
        Admitted::One(version) => {
            let (major, minor) = super::tables::minor_of(version);
            if major == 3 { vec![minor] } else { Vec::new() }
        }
        Admitted::Range(specifiers) => {
            let named = admitted.named();
            let is_admitted = |minor: &u64| {
                let first = Version::new([3, *minor, 0]);
                let late = Version::new([3, *minor, 99]);
                let mut samples = named.iter().filter(|one| super::tables::minor_of(one) == (3, *minor));
                specifiers.contains(&first) || specifiers.contains(&late) || samples.any(|one| specifiers.contains(one))
            };
            (0..=LAST_MINOR).filter(is_admitted).collect()
        }
        Admitted::Any => (0..=LAST_MINOR).collect(),
        Admitted::Build(_) | Admitted::Unreadable => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Admitted {
        Admitted::One(Version::from_str(text).unwrap())
    }

    #[test]
    fn pins_and_ranges_of_every_dialect() {
        assert_eq!(of_package(None, Some("==2.1.0")), one("2.1.0"));
        assert_eq!(of_package(Some("2.1.0+cu118"), None).one().unwrap().to_string(), "2.1.0");
        assert!(matches!(of_package(None, Some("==2.1.*")), Admitted::Range(_)));
        assert_eq!(of_package(None, Some("*")), Admitted::Any);
        assert_eq!(of_package(None, Some("what?")), Admitted::Unreadable);
        assert_eq!(of_package(None, Some("^2.1")), Admitted::Unreadable);
        assert!(of_conda(None, Some("=2.1")).contains(&Version::new([2, 1, 2])));
        assert_eq!(of_conda(None, Some("==2.1.0=py3.10_cuda12")), one("2.1.0"));
        assert_eq!(of_conda(None, Some("2.1.0")), one("2.1.0"));
        assert_eq!(of_conda(None, Some("2.1|2.2")), Admitted::Unreadable);
    }

    #[test]
    fn builds_and_interpreters() {
        assert_eq!(of_build("cu118"), Some(one("11.8")));
        assert_eq!(of_build("cu92"), Some(one("9.2")));
        assert_eq!(of_build("rocm6.2"), Some(Admitted::Build("rocm6.2".to_owned())));
        assert_eq!(of_build("cuda"), None);
        assert_eq!(of_build("cu1180000000000000000000000"), None);
        assert_eq!(python_minors(&of_package(None, Some(">=3.9,<3.12"))), [9, 10, 11]);
        assert_eq!(python_minors(&of_package(None, Some(">=3.10.4,<3.11"))), [10]);
        assert_eq!(python_minors(&one("3.11.4")), [11]);
    }
}
