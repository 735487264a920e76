use super::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Files of this folder that are no control of their own.
const OTHERS: [&str; 4] = ["findings", "practice", "recorded", "tests"];

#[test]
fn every_file_is_a_control_and_none_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/control");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = files.map(|path| path.file_stem().unwrap().to_str().unwrap().replace('_', "-"));
    let files: BTreeSet<String> = names.filter(|name| !OTHERS.contains(&name.as_str())).collect();
    let listed: BTreeSet<String> = CONTROLS.iter().map(|control| control.id.to_owned()).collect();
    assert_eq!(files, listed);
    assert_eq!(listed.len(), CONTROLS.len(), "each once");
}

#[test]
fn each_says_what_and_why_and_how() {
    for control in CONTROLS {
        for text in [control.title, control.why, control.needs, control.pass] {
            assert!(text.len() > 10, "{}", control.id);
        }
        assert!(control.why.ends_with('.') && control.pass.ends_with('.'), "{}", control.id);
        assert!(control.least <= control.default && control.default != Level::Off, "{}", control.id);
        assert!(control.group != Group::Conditions, "{}", control.id);
    }
}

#[test]
fn controls_stand_in_the_order_of_their_groups() {
    assert!(CONTROLS.is_sorted_by_key(|control| control.group));
}

#[test]
fn names_are_read_as_they_are_written() {
    for level in Level::ALL {
        assert_eq!(serde_json::to_value(level).unwrap(), level.name());
    }
    for outcome in Outcome::ALL {
        assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
    }
}

/// Whatever is not known, no control says that it passes, and every open answer says what to do.
#[test]
fn where_nothing_is_known_nothing_passes() {
    for control in CONTROLS {
        let observations = (control.judge)(&Subject::default(), &Evidence::default(), &Policy::default());
        assert!(!observations.is_empty(), "{}", control.id);
        for observation in observations {
            assert!(matches!(observation.outcome, Outcome::NotApplicable | Outcome::Unknown), "{}", control.id);
            assert!(!observation.outcome.is_open() || !observation.next.is_empty(), "{}", control.id);
        }
    }
}

/// The tables in `docs/policy.md` are what the code says. `WAAG_BLESS=1` writes them anew.
#[test]
fn the_documented_lists_are_those_of_the_code() {
    use crate::condition::variables::{Field, Kind, VARIABLES};
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md");
    #[allow(clippy::disallowed_methods)]
    let page = std::fs::read_to_string(&path).unwrap();
    let mut controls = String::new();
    for group in Group::ALL.into_iter().filter(|group| *group != Group::Conditions) {
        controls +=
            &format!("\n### {}\n\n| control | is true when | by default | needs |\n|---|---|---|---|\n", group.title());
        for Control { id, title, default, least, needs, .. } in CONTROLS.iter().filter(|control| control.group == group)
        {
            let least = if least == default { ", at least" } else { "" };
            controls += &format!("| `{id}` | {title} | {default}{least} | {needs} |\n");
        }
    }
    let row =
        |before: &str, field: &Field| format!("| `{before}{}` | {} | {} |\n", field.name, field.kind, field.about);
    let mut variables = "\n| variable | kind | what |\n|---|---|---|\n".to_owned();
    for variable in VARIABLES {
        variables += &row("", variable);
        if let Kind::Object(fields) | Kind::List(&Kind::Object(fields)) = variable.kind {
            let dots = if matches!(variable.kind, Kind::List(_)) { "[]." } else { "." };
            fields.iter().for_each(|field| variables += &row(&format!("{}{dots}", variable.name), field));
        }
    }
    let written = between(&between(&page, "controls", &controls), "variables", &variables);
    if std::env::var_os("WAAG_BLESS").is_some() {
        std::fs::write(&path, &written).unwrap();
    } else {
        assert_eq!(page, written, "WAAG_BLESS=1 cargo test -p waag-evidence");
    }
}

/// A page with other text between two marks.
fn between(page: &str, name: &str, text: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&start).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{start}{text}\n{end}{after}")
}
