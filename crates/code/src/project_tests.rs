//! What is told of small projects.

use super::*;

/// What was looked at for a topic, of a project with these files.
fn look(files: &[(&str, &str)], topic: Topic) -> Option<Look> {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(root.path().join(name), text).unwrap();
    }
    let examiner =
        ProjectExaminer { advisories: None, max_age: None, today: Date::constant(2026, 11, 28), driver: None };
    let seen = examiner.examine(root.path()).evidence;
    seen.look(topic).cloned()
}

#[test]
fn where_no_version_is_said_none_has_a_digest_or_fits() {
    let open = [("requirements.txt", "torch\ntorchvision>=0.20\n")];
    assert_eq!(look(&open, Topic::Pins), None);
    let stack = look(&open, Topic::Stack).unwrap();
    assert!(stack.unknown[0].reason.ends_with("meant: torch, torchvision"), "{stack:?}");
    let pinned = [("requirements.txt", "torch==2.5.1\ntorchvision==0.20.1\n")];
    assert_eq!(look(&pinned, Topic::Pins).unwrap().said, ["2 pinned packages"]);
    assert!(look(&pinned, Topic::Stack).unwrap().unknown.is_empty());
}

#[test]
fn a_compose_file_builds_no_image() {
    let compose = [("compose.yaml", "services:\n  a: {build: ., environment: {POSTGRES_PASSWORD: x}}\n")];
    assert_eq!((look(&compose, Topic::Images), look(&compose, Topic::Builds)), (None, None));
    let runs = [("compose.yaml", "services:\n  a: {image: \"redis:7\"}\n")];
    assert!(look(&runs, Topic::Images).is_some() && look(&runs, Topic::Builds).is_none());
    let builds = [("Dockerfile", "FROM redis:7\nUSER a\n")];
    assert!(look(&builds, Topic::Images).is_some() && look(&builds, Topic::Builds).is_some());
}

#[test]
fn what_is_built_in_clears_nothing() {
    let pinned = look(&[("requirements.txt", "torch==2.5.1\n")], Topic::Advisories).unwrap();
    assert!(
        pinned.said.is_empty() && pinned.unknown[0].reason.starts_with("no advisories were imported"),
        "{pinned:?}"
    );
}

#[test]
fn places_of_a_folder_are_the_same_however_it_is_named() {
    let root = tempfile::tempdir_in(".").unwrap();
    std::fs::write(root.path().join("requirements.txt"), "torch\n").unwrap();
    let folder = Path::new(".").join(root.path().file_name().unwrap());
    let examiner =
        ProjectExaminer { advisories: None, max_age: None, today: Date::constant(2026, 11, 28), driver: None };
    let expected = folder.join("requirements.txt").display().to_string();
    let examined = examiner.examine(&folder);
    let found = examined.findings.iter().find(|finding| finding.rule == "unpinned-dependency").unwrap();
    assert_eq!(
        (&found.location.file, &examined.evidence.look(Topic::Dependencies).unwrap().places),
        (&expected, &vec![expected.clone()])
    );
}

#[test]
fn places_are_told_as_they_are_reached() {
    assert_eq!(reached(Path::new("."), "requirements.txt"), "./requirements.txt");
    assert_eq!(reached(Path::new("project"), "project/sub/uv.lock"), "project/sub/uv.lock");
    assert_eq!(reached(Path::new("./project"), "project/uv.lock"), "./project/uv.lock");
    assert_eq!(reached(Path::new("./project"), "./project/uv.lock"), "./project/uv.lock");
    assert_eq!(reached(Path::new("/p"), "/p/uv.lock"), "/p/uv.lock");
}
