use std::fs;

use proptest::prelude::*;

use super::index::Index;
use super::*;
use crate::lineage::answer::{Answer, Level, Missing, Options};
use crate::lineage::question::Starts;
use crate::lineage::walk::Direction;
use crate::lineage::{answer, unsigned_path};
use assurance::{Assurance, Judge, Nobody};

/// A ledger in a folder of its own, with a cache that is kept when it is opened again.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join(FOLDER_NAME)
    }

    fn open(&self) -> Ledger {
        Ledger::create(&self.ledger(), Some(&self.folder.path().join("cache"))).unwrap()
    }

    fn add(&self, statements: &[String]) -> Added {
        let file = self.folder.path().join("new.jsonl");
        fs::write(&file, statements.join("\n")).unwrap();
        self.open().add(&[file]).unwrap()
    }
}

fn provenance(subject: &str, parents: &[(&str, &str)]) -> String {
    let dependencies: Vec<_> = parents
        .iter()
        .map(|(role, parent)| {
            let named = if parent.len() == 2 {
                format!(r#""digest":{{"sha256":"{parent}"}}"#)
            } else {
                format!(r#""uri":"{parent}""#)
            };
            format!(r#"{{{named},"annotations":{{"role":"{role}"}}}}"#)
        })
        .collect();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"model {subject}","digest":{{"sha256":"{subject}"}}}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{{"buildDefinition":{{"buildType":"https://waag.dev/build-types/fine-tune/v1","externalParameters":{{}},"resolvedDependencies":[{}]}},"runDetails":{{"builder":{{"id":"b"}}}}}}}}"#,
        dependencies.join(",")
    )
}

fn claim(subject: &str, object: &str, location: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"https://waag.dev/predicates/claims/v1","predicate":{{"claims":[{{"subject":{{"digest":{{"sha256":"{subject}"}}}},"role":"base-model","object":{{"digest":{{"sha256":"{object}"}}}},"voice":"self-declared","source":{{"kind":"card","location":"{location}"}}}}]}}}}"#
    )
}

fn ask(ledger: &mut Ledger, text: &str, direction: Direction) -> Answer {
    let starts = Starts::of_text(ledger, text).unwrap();
    let options = Options { direction, most_depth: 100, most_nodes: 1000 };
    answer(ledger, &starts.nodes, options, &Nobody).unwrap()
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.nodes.iter().map(|node| node.id.as_str()).collect()
}

/// Everything that an index says, without the numbers that depend on the order in which it was told.
fn said(index: &Index) -> Vec<String> {
    let connection = index.connection().unwrap();
    let mut query = connection
        .prepare(
            "SELECT hex(statement.digest) || ' ' || one.key || ' ' || edge.relation || ' ' || other.key || ' ' || coalesce(edge.claim, '') \
             || ' ' || coalesce(one.label, '') FROM edge JOIN node one ON one.id = edge.subject JOIN node other ON \
             other.id = edge.object JOIN statement ON statement.id = edge.statement WHERE statement.fault = 0 \
             UNION ALL SELECT hex(digest) || ' ' || fault || ' ' || coalesce(problem, '') FROM statement WHERE fault <> 2 \
             ORDER BY 1",
        )
        .unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn a_chain_is_asked_both_ways() {
    let place = Place::new();
    let added = place.add(&[
        provenance("cc", &[("base-model", "bb"), ("dataset", "dd")]),
        provenance("bb", &[("base-model", "aa")]),
        "{\"no\":\"statement\"}".to_owned(),
    ]);
    assert_eq!((added.new, added.refused.len(), added.refused[0].line), (2, 1, Some(3)));
    let mut ledger = place.open();
    let up = ask(&mut ledger, "sha256:cc", Direction::Ancestors);
    // Two digits are too few to be taken for a digest; the label finds it.
    assert!(up.nodes.is_empty());
    let up = ask(&mut ledger, "model cc", Direction::Ancestors);
    assert_eq!(names(&up), ["sha256:cc", "sha256:bb", "sha256:dd", "sha256:aa"]);
    assert_eq!((up.reached, up.edges.len(), up.statements.len()), (3, 3, 2));
    assert!(up.edges.iter().all(|edge| edge.level == Level::SelfDeclared));
    let missing: Vec<_> = up.nodes.iter().filter_map(|node| Some((node.id.as_str(), node.missing?))).collect();
    assert_eq!(missing, [("sha256:dd", Missing::Statement), ("sha256:aa", Missing::Statement)]);
    let starts = ledger.nodes_of(&[crate::lineage::identifier::Identifier::digest("sha256", "aa")]).unwrap();
    let options = Options { direction: Direction::Descendants, most_depth: 1, most_nodes: 1000 };
    let down = answer(&mut ledger, &starts, options, &Nobody).unwrap();
    assert_eq!((names(&down), down.incomplete.len()), (vec!["sha256:aa", "sha256:bb"], 1));
}

#[test]
fn claims_that_disagree_are_shown_and_those_that_only_look_further_back_are_not() {
    let place = Place::new();
    place.add(&[provenance("cc", &[("base-model", "bb")]), claim("cc", "ee", "README.md")]);
    let up = ask(&mut place.open(), "model cc", Direction::Ancestors);
    let sides: Vec<_> = up.conflicts[0].sides.iter().map(|side| side.objects.join(" ")).collect();
    assert_eq!((up.conflicts.len(), up.conflicts[0].subject), (1, 0));
    assert!(sides.contains(&"sha256:bb".to_owned()) && sides.contains(&"sha256:ee".to_owned()));
    place.add(&[provenance("bb", &[("base-model", "ee")])]);
    let up = ask(&mut place.open(), "model cc", Direction::Ancestors);
    assert_eq!(up.conflicts.len(), 0);
}

#[test]
fn circles_are_named() {
    let place = Place::new();
    place.add(&[provenance("aa", &[("base-model", "bb")]), provenance("bb", &[("base-model", "aa")])]);
    let up = ask(&mut place.open(), "model aa", Direction::Ancestors);
    assert_eq!(up.cycles, [[0, 1]]);
}

#[test]
fn what_is_changed_is_named_and_in_no_answer() {
    let place = Place::new();
    let added = place.add(&[provenance("cc", &[("base-model", "bb")]), provenance("bb", &[("base-model", "aa")])]);
    let (first, second) = (added.digests[0], added.digests[1]);
    let path =
        |digest: &Sha256Digest| place.ledger().join(format!("statements/{}/{digest}.json", &digest.to_string()[..2]));
    let whole = fs::read(path(&second)).unwrap();
    fs::write(path(&second), "{}").unwrap();
    let mut ledger = place.open();
    let up = ask(&mut ledger, "model cc", Direction::Ancestors);
    assert_eq!(
        (names(&up), up.left_out.len(), up.left_out[0].fault),
        (vec!["sha256:cc", "sha256:bb"], 1, Fault::Corrupt)
    );
    assert_eq!(ledger.check().unwrap().faults.len(), 1);
    drop(ledger);
    fs::remove_file(path(&second)).unwrap();
    let up = ask(&mut place.open(), "model cc", Direction::Ancestors);
    assert_eq!((up.nodes.len(), up.left_out[0].fault), (2, Fault::Missing));
    assert!(matches!(place.open().show(&first.to_string()[..8]), Ok(listed) if listed.row.digest == first));
    fs::write(path(&second), whole).unwrap();
    let checked = place.open().check().unwrap();
    assert_eq!((checked.good, checked.faults.len()), (2, 0));
    assert_eq!(ask(&mut place.open(), "model cc", Direction::Ancestors).nodes.len(), 3);
}

#[test]
fn an_index_from_a_clone_is_not_believed() {
    let place = Place::new();
    place.add(&[provenance("cc", &[("base-model", "bb")])]);
    // Another user's index, with an edge that no statement says.
    let other = place.folder.path().join("other");
    {
        let ledger = Ledger::open(&place.ledger(), Some(&other)).unwrap();
        assert_eq!(ledger.origin(), Origin::Replaced);
        let connection = ledger.index.connection().unwrap();
        connection.execute("UPDATE node SET key = 'dsha256:ee' WHERE key = 'dsha256:bb'", []).unwrap();
    }
    let mut ledger = place.open();
    assert_eq!(ledger.origin(), Origin::Replaced);
    assert_eq!(names(&ask(&mut ledger, "model cc", Direction::Ancestors)), ["sha256:cc", "sha256:bb"]);
    drop(ledger);
    assert_eq!(place.open().origin(), Origin::Kept);
}

#[test]
fn without_a_place_for_it_the_index_is_in_memory() {
    let place = Place::new();
    place.add(&[provenance("cc", &[("base-model", "bb")])]);
    let mut ledger = Ledger::open(&place.ledger(), None).unwrap();
    assert_eq!(ledger.origin(), Origin::Memory);
    assert_eq!(ask(&mut ledger, "model cc", Direction::Ancestors).nodes.len(), 2);
}

/// So many models, each made from the one before, by the numbers of a family.
fn family(family: u32, models: u32) -> Vec<String> {
    let name = |number: u32| format!("{family:04x}{number:060x}");
    (1..=models)
        .map(|number| provenance(&name(number), &[("base-model", &format!("x:{}", name(number - 1)))]))
        .collect()
}

#[test]
fn a_picture_that_was_changed_is_in_no_answer() {
    let place = Place::new();
    let many: Vec<_> = (0..60)
        .map(|number| {
            let parents: Vec<String> = (0..80).map(|parent| format!("x:{number}-{parent}")).collect();
            let parents: Vec<_> = parents.iter().map(|parent| ("dataset", parent.as_str())).collect();
            provenance(&format!("{number:064x}"), &parents)
        })
        .collect();
    place.add(&many);
    let picture = place.ledger().join("graph");
    let whole = fs::read(&picture).expect("a picture is taken when much is added");
    place.add(&family(1, 3));
    let asked = ["x:7-33", "x:59-79", "x:0-0", &format!("x:{:04x}{:060x}", 1, 2)];
    let all = |place: &Place| {
        let ask = |text: &&str| serde_json::to_string(&ask(&mut place.open(), text, Direction::Descendants)).unwrap();
        asked.iter().map(ask).collect::<Vec<_>>()
    };
    let right = all(&place);
    assert!(right.iter().all(|answer| answer.contains("\"reached\":1")));
    assert_eq!(fs::read(&picture).unwrap(), whole, "a little that is new is taken from the index");
    for part in 0..8 {
        let mut changed = whole.clone();
        let start = changed.len() / 8 * part;
        changed[start..].iter_mut().take(3000).for_each(|byte| *byte ^= 1);
        fs::write(&picture, changed).unwrap();
        assert_eq!(all(&place), right, "{part}");
    }
    fs::write(&picture, "").unwrap();
    assert_eq!(all(&place), right);
    fs::remove_file(&picture).unwrap();
    assert_eq!(all(&place), right);
}

#[test]
fn what_is_only_counted_is_looked_at_when_its_folder_changed() {
    let place = Place::new();
    let added = place.add(&family(2, 3));
    let last = added.digests[2];
    let path = place.ledger().join(format!("statements/{}/{last}.json", &last.to_string()[..2]));
    let options = Options { direction: Direction::Descendants, most_depth: 100, most_nodes: 1 };
    let reached = |place: &Place| {
        let mut ledger = place.open();
        let starts = Starts::of_text(&ledger, &format!("x:{:04x}{:060x}", 2, 2)).unwrap();
        answer(&mut ledger, &starts.nodes, options, &Nobody).unwrap().reached
    };
    assert_eq!(reached(&place), 1);
    let other = place.folder.path().join("other");
    fs::write(&other, "{}").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(reached(&place), 0, "another file in its place");
}

/// Believes whoever is said to have signed.
struct Credulous;

impl Judge for Credulous {
    fn basis(&self) -> String {
        "credulous".to_owned()
    }

    fn judge(&self, _: &[u8], _: Option<&str>) -> Assurance {
        Assurance::Signed { signer: "release".to_owned(), at: None }
    }
}

fn signed(statement: &str) -> String {
    let payload = waag_signing::encoding::to_base64(statement.as_bytes());
    format!(
        r#"{{"payload":"{payload}","payloadType":"application/vnd.in-toto+json","signatures":[{{"sig":"AAE=","keyid":"k"}}]}}"#
    )
}

#[test]
fn the_shortest_unsigned_path_is_found() {
    let place = Place::new();
    place.add(&[
        signed(&provenance("cc", &[("base-model", "bb"), ("dataset", "dd")])),
        provenance("bb", &[("base-model", "aa")]),
        signed(&provenance("dd", &[("dataset", "ee")])),
    ]);
    let mut ledger = place.open();
    let starts = Starts::of_text(&ledger, "model cc").unwrap();
    let (is_unsigned, path) = unsigned_path(&mut ledger, &starts.nodes, 100, &Credulous).unwrap();
    assert_eq!((is_unsigned, names(&path)), (true, vec!["sha256:cc", "sha256:bb", "sha256:aa"]));
    assert_eq!(path.edges.iter().map(|edge| edge.level).collect::<Vec<_>>(), [Level::Signed, Level::SelfDeclared]);
    let starts = Starts::of_text(&ledger, "model dd").unwrap();
    assert!(!unsigned_path(&mut ledger, &starts.nodes, 100, &Credulous).unwrap().0);
    // Who trusts nobody has nothing signed.
    let (is_unsigned, path) = unsigned_path(&mut ledger, &starts.nodes, 100, &Nobody).unwrap();
    assert!(is_unsigned && path.edges[0].level == Level::Unverified);
}

#[test]
fn what_is_exported_is_imported_as_the_same_bytes() {
    let place = Place::new();
    place.add(&[provenance("cc", &[("base-model", "bb")]), claim("cc", "ee", "README.md")]);
    let mut lines = Vec::new();
    assert_eq!(place.open().export_lines(&mut lines).unwrap().written, 2);
    let folder = place.folder.path().join("export");
    place.open().export_folder(&folder).unwrap();
    for given in [folder, {
        let file = place.folder.path().join("all.jsonl");
        fs::write(&file, &lines).unwrap();
        file
    }] {
        let other = Place::new();
        let mut ledger = other.open();
        assert_eq!(ledger.add(std::slice::from_ref(&given)).unwrap().new, 2);
        let mut again = Vec::new();
        ledger.export_lines(&mut again).unwrap();
        assert_eq!(again, lines);
        assert_eq!(said(&ledger.index), said(&place.open().index));
    }
}

#[test]
fn a_statement_over_several_lines_is_refused_with_its_line() {
    let place = Place::new();
    let spread = provenance("cc", &[]).replace(",\"", ",\n\"");
    let added = place.add(&[provenance("aa", &[]), spread, provenance("bb", &[])]);
    assert_eq!((added.new, added.refused.len()), (2, 1), "{added:?}");
    assert_eq!(added.refused[0].line, Some(2));
    assert!(added.refused[0].reason.contains("on one line"), "{added:?}");
}

#[test]
fn a_full_disk_is_told_with_what_is_not_lost() {
    let full = LedgerError::Store { folder: "l".into(), source: io::ErrorKind::StorageFull.into() };
    let index = rusqlite::ffi::Error { code: rusqlite::ErrorCode::DiskFull, extended_code: 13 };
    for error in [full, LedgerError::Index(rusqlite::Error::SqliteFailure(index, None))] {
        assert!(error.hint().contains("disk is full. Nothing that the ledger had is lost"), "{}", error.hint());
    }
    let other = LedgerError::Store { folder: "l".into(), source: io::ErrorKind::PermissionDenied.into() };
    assert!(!other.hint().contains("full"));
}

fn statement(subjects: &str, predicate_type: &str, predicate: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subjects}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#
    )
}

#[test]
fn words_without_end_leave_the_ledger_usable() {
    let place = Place::new();
    let long = "x".repeat(5_000_000);
    let no_statement = format!(r#"{{"_type":"{long}","subject":[],"predicateType":"x","predicate":{{}}}}"#);
    let added = place.add(&[provenance("cc", &[("base-model", "bb")]), statement("", &long, "{}"), no_statement]);
    assert_eq!(added.new, 3);
    let mut ledger = place.open();
    assert_eq!(ledger.check().unwrap().unread.len(), 2);
    let up = ask(&mut ledger, "model cc", Direction::Ancestors);
    assert!(up.nodes.len() == 2 && up.is_inconclusive());
}

#[test]
fn a_folder_that_cannot_be_listed_is_told_and_asked_again() {
    let place = Place::new();
    let added = place.add(&[provenance("cc", &[("base-model", "bb")])]);
    place.add(&[provenance("bb", &[("base-model", "aa")])]);
    let shard = place.ledger().join("statements").join(&added.digests[0].to_string()[..2]);
    let aside = place.folder.path().join("aside");
    fs::rename(&shard, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &shard).unwrap();
    fs::remove_file(place.ledger().join("index.sqlite")).unwrap();
    let mut ledger = place.open();
    let up = ask(&mut ledger, "model bb", Direction::Ancestors);
    assert!(up.is_inconclusive() && up.incomplete[0].contains("cannot be listed"), "{:?}", up.incomplete);
    assert!(ledger.check().unwrap().faults.iter().any(|fault| fault.fault == Fault::Unreadable));
    drop(ledger);
    fs::remove_file(&shard).unwrap();
    fs::rename(&aside, &shard).unwrap();
    let up = ask(&mut place.open(), "model cc", Direction::Ancestors);
    assert!(up.nodes.len() == 3 && !up.is_inconclusive(), "{:?}", up.incomplete);
}

#[test]
fn everything_that_is_called_so_is_walked_from() {
    let place = Place::new();
    let data = |number: u32| format!(r#"{{"name":"data.csv","digest":{{"sha256":"{number:064x}"}}}}"#);
    let bare = r#"{"name":"data.csv"}"#.to_owned();
    let made = |(number, data): (u32, String)| {
        let subject = format!(r#"{{"digest":{{"sha256":"{:064x}"}}}}"#, number + 1000);
        let predicate = format!(
            r#"{{"buildDefinition":{{"buildType":"t","externalParameters":{{}},"resolvedDependencies":[{data}]}}}}"#
        );
        statement(&subject, "https://slsa.dev/provenance/v1", &predicate)
    };
    let all: Vec<String> = (0..100).map(data).chain([bare]).collect();
    place.add(&(0..).zip(all).map(made).collect::<Vec<_>>());
    let mut ledger = place.open();
    assert_eq!(ask(&mut ledger, "data.csv", Direction::Descendants).reached, 101);
    let two = Starts::of_text(&ledger, "000000");
    assert!(matches!(two, Err(LedgerError::Ambiguous { .. })), "{two:?}");
}

#[test]
fn what_nobody_says_is_not_signed() {
    let place = Place::new();
    place.add(&[signed(&provenance("bb", &[("base-model", "aa")]))]);
    let mut ledger = place.open();
    let starts = ledger.nodes_of(&[crate::lineage::identifier::Identifier::digest("sha256", "aa")]).unwrap();
    let (is_unsigned, path) = unsigned_path(&mut ledger, &starts, 100, &Credulous).unwrap();
    assert!(!is_unsigned && path.is_inconclusive() && path.reached == 0, "nobody says where aa is from");
    let starts = Starts::of_text(&ledger, "model bb").unwrap();
    let (is_unsigned, path) = unsigned_path(&mut ledger, &starts.nodes, 0, &Credulous).unwrap();
    assert!(!is_unsigned && path.is_inconclusive(), "nothing was looked at");
    let (is_unsigned, path) = unsigned_path(&mut ledger, &starts.nodes, 9, &Credulous).unwrap();
    assert!(!is_unsigned && !path.is_inconclusive() && path.reached == 1);
    // That less is told than was wanted is no reason to doubt.
    let options = Options { direction: Direction::Ancestors, most_depth: 9, most_nodes: 1 };
    let up = answer(&mut ledger, &starts.nodes, options, &Nobody).unwrap();
    assert!(up.incomplete.len() == 1 && !up.is_inconclusive());
}

#[test]
fn a_signature_that_proves_nothing_shows_over_claims() {
    let place = Place::new();
    place.add(&[signed(&claim("cc", "bb", "README.md"))]);
    let mut ledger = place.open();
    let starts = ledger.nodes_of(&[crate::lineage::identifier::Identifier::digest("sha256", "cc")]).unwrap();
    let options = Options { direction: Direction::Ancestors, most_depth: 9, most_nodes: 9 };
    let level =
        |judge: &dyn Judge, ledger: &mut Ledger| answer(ledger, &starts, options, judge).unwrap().edges[0].level;
    assert_eq!(level(&Nobody, &mut ledger), Level::Unverified);
    assert_eq!(level(&Credulous, &mut ledger), Level::SelfDeclared);
}

#[test]
fn the_files_of_a_model_are_not_what_it_was_made_from() {
    let place = Place::new();
    let whole = r#"{"name":"m","digest":{"sha256":"aa","dirHash":"ab"}},{"name":"w","digest":{"sha256":"ac"}}"#;
    let predicate = r#"{"buildDefinition":{"buildType":"t","externalParameters":{},"resolvedDependencies":[]}}"#;
    place.add(&[statement(whole, "https://slsa.dev/provenance/v1", predicate)]);
    let mut ledger = place.open();
    for direction in [Direction::Ancestors, Direction::Descendants] {
        let found = ask(&mut ledger, "m", direction);
        assert_eq!((found.reached, found.nodes.len()), (0, 3));
    }
    assert_eq!(ask(&mut ledger, "w", Direction::Ancestors).reached, 0);
    assert_ne!(ask(&mut ledger, "w", Direction::Descendants).reached, 0, "a model is affected by a file in it");
}

#[test]
fn statements_about_several_artifacts_can_disagree() {
    let place = Place::new();
    let made = |base: &str| {
        let subjects = r#"{"name":"one","digest":{"sha256":"aa"}},{"name":"two","digest":{"sha256":"ab"}}"#;
        let base = format!(r#"{{"digest":{{"sha256":"{base}"}},"annotations":{{"role":"base-model"}}}}"#);
        let predicate = format!(
            r#"{{"buildDefinition":{{"buildType":"t","externalParameters":{{}},"resolvedDependencies":[{base}]}}}}"#
        );
        statement(subjects, "https://slsa.dev/provenance/v1", &predicate)
    };
    place.add(&[made("ba"), made("bb")]);
    assert_eq!(ask(&mut place.open(), "one", Direction::Ancestors).conflicts.len(), 1);
}

/// A claim about something that is called so, with any names.
fn claim_of(names: &str, object: &str, location: &str) -> String {
    claim("zz", object, location).replace(r#"{"digest":{"sha256":"zz"}}"#, &format!("{{{names}}}"))
}

#[test]
fn a_conflict_about_what_has_several_names_is_told_once() {
    let place = Place::new();
    let (short, long) = ("aa".repeat(32), "ab".repeat(64));
    place.add(&[
        claim_of(&format!(r#""digest":{{"sha256":"{short}"}},"uri":"pkg:a/x""#), "b1", "one"),
        claim_of(r#""uri":"pkg:a/x""#, "b2", "two"),
        claim_of(&format!(r#""digest":{{"sha256":"{short}","sha512":"{long}"}}"#), "b3", "three"),
    ]);
    let mut ledger = place.open();
    for text in [format!("sha256:{short}"), "pkg:a/x".to_owned(), format!("sha512:{long}")] {
        let answer = ask(&mut ledger, &text, Direction::Ancestors);
        assert_eq!(answer.conflicts.len(), 1, "{text}: {:#?}", answer.conflicts);
        assert_eq!(answer.conflicts[0].sides.len(), 3, "{text}");
    }
}

#[test]
fn a_conflict_about_another_version_of_the_same_name_is_told_too() {
    let place = Place::new();
    let version = |digest: &str| format!(r#""digest":{{"sha256":"{digest}"}},"uri":"pkg:a/x""#);
    place.add(&[
        claim_of(&version("a1"), "b1", "one"),
        claim_of(&version("a1"), "b2", "two"),
        claim_of(&version("a2"), "b3", "one"),
        claim_of(&version("a2"), "b4", "two"),
    ]);
    let answer = ask(&mut place.open(), "pkg:a/x", Direction::Ancestors);
    let about: Vec<&str> = answer.conflicts.iter().map(|conflict| answer.nodes[conflict.subject].id.as_str()).collect();
    assert_eq!(about, ["sha256:a1", "sha256:a2"], "{:#?}", answer.conflicts);
}

#[test]
fn circles_through_another_name_are_named() {
    let named = |digest: &str, base: &str| {
        claim(digest, base, "README.md").replacen(
            r#""subject":{"digest""#,
            r#""subject":{"uri":"pkg:huggingface/o/m","digest""#,
            1,
        )
    };
    let place = Place::new();
    place.add(&[provenance("aa", &[("base-model", "pkg:huggingface/o/m")]), named("bb", "aa")]);
    assert_eq!(ask(&mut place.open(), "model aa", Direction::Ancestors).cycles.len(), 1);
    // Versions that have one name are made from each other.
    let place = Place::new();
    place.add(&[named("cc", "bb"), named("bb", "aa"), provenance("cc", &[("base-model", "bb")])]);
    let up = ask(&mut place.open(), "model cc", Direction::Ancestors);
    assert!(up.nodes.len() > 3 && up.cycles.is_empty(), "{:?}", up.cycles);
}

#[test]
fn files_that_the_ledger_does_not_know_are_told() {
    use crate::lineage::identifier::Identifier;
    use crate::lineage::question::Digests;
    let place = Place::new();
    place.add(&[provenance("aa", &[("base-model", "bb")])]);
    let ledger = place.open();
    let file = |name: &str, digest: &str| (name.to_owned(), Identifier::digest("sha256", digest));
    let files = vec![file("tokenizer.json", "aa"), file("model.safetensors", "ee")];
    let digests = Digests { whole: vec![Identifier::digest("sha256", "ff")], files };
    let starts = Starts::of_model(&ledger, digests).unwrap();
    assert!(starts.by_files && starts.nodes.len() == 1);
    assert_eq!(starts.gaps(), ["the ledger knows nothing of model.safetensors"]);
}

fn documents() -> impl Strategy<Value = Vec<String>> {
    let digest = (0..6_u8).prop_map(|number| format!("a{number}"));
    let role = prop_oneof![Just("base-model"), Just("dataset"), Just("part-of"), Just("description")];
    let parents = proptest::collection::vec((role, digest.clone()), 0..4);
    let provenance = (digest.clone(), parents).prop_map(|(subject, parents)| {
        let parents: Vec<_> = parents.iter().map(|(role, parent)| (*role, parent.as_str())).collect();
        provenance(&subject, &parents)
    });
    let claim = (digest.clone(), digest, "[a-z]{1,3}")
        .prop_map(|(subject, object, location)| claim(&subject, &object, &location));
    proptest::collection::vec(prop_oneof![3 => provenance, 1 => claim, 1 => Just("{}".to_owned())], 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// However the statements came, and whatever became of some: the index is what the statements say.
    #[test]
    fn an_index_that_was_kept_is_one_that_is_made_anew(batches in proptest::collection::vec(documents(), 1..4), broken in any::<prop::sample::Index>()) {
        let place = Place::new();
        let mut digests = Vec::new();
        for batch in &batches {
            digests.extend(place.add(batch).digests);
        }
        if let Some(digest) = (!digests.is_empty()).then(|| broken.get(&digests)) {
            fs::write(place.ledger().join(format!("statements/{}/{digest}.json", &digest.to_string()[..2])), "x").unwrap();
        }
        let mut kept = place.open();
        let checked = kept.check().unwrap();
        prop_assert_eq!(checked.faults.len(), usize::from(!digests.is_empty()));
        let mut anew = Ledger::open(&place.ledger(), None).unwrap();
        anew.check().unwrap();
        // Labels of what is broken stay in an index that has seen them.
        let unlabelled = |lines: Vec<String>| lines.into_iter().map(|line| line.split(" model ").next().unwrap_or_default().trim_end().to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(unlabelled(said(&kept.index)), unlabelled(said(&anew.index)));
    }
}
