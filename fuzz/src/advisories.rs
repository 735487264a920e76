//! What must hold of advisories, whatever the bytes are: an entry is taken over or refused, what is kept comes back, and what was
//! refused is never taken for a package without weaknesses.

use waag_code::advisories::{Database, Day, Import, Outcome, Scope, look_up, write};
use waag_code::dependencies::examine_bytes;
use waag_evidence::Dependency;

/// Reads bytes as an entry in JSON and in YAML, and looks up the packages that it is about.
pub fn advisories(data: &[u8]) {
    for name in ["entry.json", "entry.yaml"] {
        let mut import = Import::default();
        import.add_entry(name, data);
        assert_eq!(import.len() + import.invalid + import.other, 1, "an entry is one thing");
        kept(import);
    }
    let _ = Database::from_bytes(data);
}

fn kept(import: Import) {
    let (header, advisories) = import.finish(Some(Scope::Whole));
    let mut bytes = Vec::new();
    assert!(write(&mut bytes, &header, &advisories).is_ok(), "memory can be written to");
    let database = match Database::from_bytes(&bytes) {
        Ok(database) => database,
        Err(why) => panic!("what was kept does not come back: {why}"),
    };
    assert_eq!(database.header, header);
    let back: Vec<_> = database.packages().flat_map(|(_, list)| list).collect();
    assert!(advisories.iter().all(|one| one.affected.is_empty() || back.contains(&one)));
    for name in database.packages().map(|(name, _)| name).chain(header.doubtful.iter().map(String::as_str)).take(4) {
        asked(&database, name);
    }
}

fn asked(database: &Database, name: &str) {
    let list = format!("{name}==1.0\n{name}>=0.1,<9\n{name}\n");
    let needs: Vec<Dependency> =
        examine_bytes("requirements.txt", list.as_bytes()).map(|it| it.dependencies).unwrap_or_default();
    // Not every name that an advisory has can stand in a list.
    if needs.is_empty() {
        return;
    }
    let Ok(today) = "2026-11-28".parse::<Day>() else { return };
    let (answer, findings) = look_up(&needs, database, today, None);
    assert!(findings.iter().all(|finding| !finding.message.is_empty() && !finding.message.contains('\n')));
    let is_open = answer.not_checked.iter().any(|one| one.package == needs[0].name);
    let is_doubtful = database.header.doubtful.contains(&needs[0].name);
    assert!(!is_doubtful || is_open, "'{name}' was refused on import, and is not checked");
    let is_counted = matches!(answer.outcome, Outcome::Checked { not_checked, .. } if not_checked > 0);
    assert!(!is_open || is_counted || matches!(answer.outcome, Outcome::NotChecked { .. }));
}
