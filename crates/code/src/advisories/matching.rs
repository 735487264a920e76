//! Whether a version is affected, as the schema of OSV defines it, in the order of PEP 440.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use super::advisory::{Advisory, Affected, Event};

/// Whether this version is affected: it is listed, or lies in a range. What a build adds to a version does not count.
#[must_use]
pub(super) fn affects(affected: &Affected, version: &Version) -> bool {
    let version = version.clone().without_local();
    is_listed(affected, &version) || affected.ranges.iter().any(|events| within(events, &version))
}

fn is_listed(affected: &Affected, version: &Version) -> bool {
    let first = version.release().first();
    let may_be = |one: &&String| one.contains('!') || leading_number(one).is_none_or(|number| Some(&number) == first);
    affected.versions.iter().filter(may_be).any(|one| Version::from_str(one).is_ok_and(|one| one == *version))
}

/// The number that a version begins with: most of a long list is told apart by it, without being read.
fn leading_number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn within(events: &[Event], version: &Version) -> bool {
    let mut limits = events.iter().filter(|event| matches!(event, Event::Limit(_))).peekable();
    let below = |event: &Event| parsed(event).is_none_or(|limit| *version < limit);
    if limits.peek().is_some() && !limits.any(below) {
        return false;
    }
    let mut ordered: Vec<(Option<Version>, &Event)> = events.iter().map(|event| (parsed(event), event)).collect();
    // What has no version is `0`, which is before all.
    ordered.sort_by(|one, other| one.0.cmp(&other.0));
    ordered.into_iter().fold(false, |is_affected, (at, event)| {
        let is_past = at.as_ref().is_none_or(|at| version >= at);
        match event {
            Event::Introduced(_) if is_past => true,
            Event::Fixed(_) if is_past => false,
            Event::LastAffected(_) if at.is_some_and(|at| *version > at) => false,
            _ => is_affected,
        }
    })
}

fn parsed(event: &Event) -> Option<Version> {
    match event {
        Event::Introduced(version) if version == "0" => None,
        _ => Version::from_str(event.version()).ok(),
    }
}

/// The smallest version above this one from which on it is fixed. Where that is one of development, it is the release that
/// follows: nobody is sent to a version that was never published.
#[must_use]
pub(super) fn fixed_after(affected: &Affected, version: &Version) -> Option<Version> {
    let fixes = affected.ranges.iter().flatten().filter(|event| matches!(event, Event::Fixed(_))).filter_map(parsed);
    let fix = fixes.filter(|fix| fix > version && !affects(affected, fix)).min()?;
    let release = fix.any_prerelease().then(|| fix.only_release()).filter(|release| !affects(affected, release));
    Some(release.unwrap_or(fix))
}

/// An affected version that a declaration admits, if there is one: of those that are listed, and of those named in ranges
/// or in the declaration. Pre-releases are admitted by what names one only.
#[must_use]
pub(super) fn admitted(affected: &Affected, specifiers: &VersionSpecifiers) -> Option<Version> {
    let names_one = specifiers.iter().any(|one| one.version().any_prerelease());
    let listed = affected.versions.iter().filter_map(|one| Version::from_str(one).ok());
    let events = affected.ranges.iter().flatten().filter_map(parsed);
    let bounds = specifiers.iter().map(|one| one.version().clone());
    let all = listed.chain(events).chain(bounds).chain([Version::new([0])]);
    let mut all = all.filter(|version| names_one || !version.any_prerelease());
    all.find(|version| specifiers.contains(version) && affects(affected, version))
}

/// Advisories about one weakness, together: those that share an id.
#[must_use]
pub(super) fn joined<'a>(advisories: &[&'a Advisory]) -> Vec<Vec<&'a Advisory>> {
    let mut group_of: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&Advisory>> = Vec::new();
    for advisory in advisories {
        let found: BTreeSet<usize> = advisory.ids().filter_map(|id| group_of.get(id).copied()).collect();
        let target = found.first().copied().unwrap_or_else(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        let mut members = vec![*advisory];
        for other in found.iter().skip(1) {
            members.append(&mut std::mem::take(&mut groups[*other]));
        }
        for id in members.iter().flat_map(|one| one.ids()) {
            group_of.insert(id, target);
        }
        groups[target].append(&mut members);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::from_str(text).unwrap()
    }

    fn range(events: Vec<Event>) -> Affected {
        Affected { package: "a".to_owned(), ranges: vec![events], versions: Vec::new() }
    }

    fn introduced(text: &str) -> Event {
        Event::Introduced(text.to_owned())
    }

    fn fixed(text: &str) -> Event {
        Event::Fixed(text.to_owned())
    }

    #[test]
    fn ranges_are_read_as_the_schema_says() {
        let two = range(vec![introduced("2.0"), fixed("1.5"), introduced("0"), fixed("2.4.1")]);
        for (text, expected) in [
            ("0.1", true),
            ("1.5", false),
            ("1.5rc1", true),
            ("2", true),
            ("2.4.1", false),
            ("2.4.1.post1", false),
            ("2.4.0+cu118", true),
        ] {
            assert_eq!(affects(&two, &version(text)), expected, "{text}");
        }
        assert_eq!(fixed_after(&two, &version("1.0")), Some(version("1.5")));
        assert_eq!(fixed_after(&two, &version("2.3")), Some(version("2.4.1")));
        let early = range(vec![introduced("0"), fixed("0.24.dev0")]);
        assert_eq!(fixed_after(&early, &version("0.23")), Some(version("0.24")));
        let last = range(vec![introduced("1.0"), Event::LastAffected("1.2".to_owned())]);
        assert!(
            affects(&last, &version("1.2")) && !affects(&last, &version("1.2.1")) && !affects(&last, &version("0.9"))
        );
        assert_eq!(fixed_after(&last, &version("1.1")), None);
        let limited = range(vec![introduced("0"), Event::Limit("2.0".to_owned())]);
        assert!(affects(&limited, &version("1.9")) && !affects(&limited, &version("2.0")));
    }

    #[test]
    fn listed_versions_are_the_same_however_they_are_written() {
        let listed =
            Affected { package: "a".to_owned(), ranges: vec![], versions: vec!["1.0".to_owned(), "odd".to_owned()] };
        assert!(
            affects(&listed, &version("1.0.0"))
                && affects(&listed, &version("1+cpu"))
                && !affects(&listed, &version("1.1"))
        );
    }

    #[test]
    fn a_declaration_may_admit_an_affected_version() {
        let mut affected = range(vec![introduced("1.0"), fixed("1.5")]);
        let admits =
            |affected: &Affected, text: &str| admitted(affected, &VersionSpecifiers::from_str(text).unwrap()).is_some();
        for (text, expected) in
            [(">=1.2", true), (">=1.5", false), ("<1", false), ("", true), ("==1.4.*", true), ("!=1.0", false)]
        {
            assert_eq!(admits(&affected, text), expected, "{text}");
        }
        affected.versions = vec!["1.2".to_owned()];
        assert!(admits(&affected, "!=1.0"));
    }
}
