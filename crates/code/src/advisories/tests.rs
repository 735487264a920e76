//! What is kept comes back, what is hostile ends, and what is looked up is what another implementation finds.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use waag_evidence::Standing;

use super::*;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/advisories/vulns")
}

fn package(requirement: &str, line: u64) -> Dependency {
    let at = requirement.find(['=', '<', '>', '~', '!']).unwrap_or(requirement.len());
    let (name, constraint) = requirement.split_at(at);
    let version = constraint.strip_prefix("==").filter(|rest| !rest.contains('*')).map(str::to_owned);
    Dependency {
        ecosystem: Ecosystem::Pypi,
        name: name.to_owned(),
        written: name.to_owned(),
        constraint: Some(constraint.to_owned()).filter(|text| !text.is_empty()),
        version,
        extras: Vec::new(),
        marker: None,
        source: DependencySource::Index { url: None },
        digests: Vec::new(),
        standing: Standing::Declared,
        group: None,
        requires: Vec::new(),
        location: Location { line: Some(line), ..Location::file("requirements.txt") },
    }
}

fn packages(text: &str) -> Vec<Dependency> {
    (1..).zip(text.split_whitespace()).map(|(line, one)| package(one, line)).collect()
}

fn today() -> Date {
    Date::new(2026, 11, 27).unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
    let mut local = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in members {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut common = Vec::new();
        for short in [20_u16, 0, 8, 0, 0x21] {
            common.extend(short.to_le_bytes());
        }
        for long in [crc.sum(), packed.len() as u32, bytes.len() as u32] {
            common.extend(long.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        let offset = local.len() as u32;
        local.extend(b"PK\x03\x04");
        local.extend(&common);
        local.extend(name.as_bytes());
        local.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = local.len() as u32;
    let size = directory.len() as u32;
    local.extend(directory);
    local.extend(b"PK\x05\x06\0\0\0\0");
    local.extend((members.len() as u16).to_le_bytes());
    local.extend((members.len() as u16).to_le_bytes());
    local.extend(size.to_le_bytes());
    local.extend(start.to_le_bytes());
    local.extend([0, 0]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&local).unwrap();
    file
}

fn osv(id: &str, more: &str) -> String {
    format!(
        r#"{{"id": "{id}", "modified": "2026-01-02T03:04:05Z", "summary": "odd", {more}
        "affected": [{{"package": {{"ecosystem": "PyPI", "name": "Demo_Pkg"}},
        "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "2.0"}}]}}]}}]}}"#
    )
}

/// A folder with what was imported from a zip archive of these entries.
fn imported(entries: &[(&str, String)], scope: Option<Scope>) -> tempfile::TempDir {
    let members: Vec<(&str, &[u8])> = entries.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let file = zip(&members);
    let import = import(&[file.path().to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (header, advisories) = import.finish(scope);
    keep(Some(folder.path()), &header, &advisories).unwrap();
    folder
}

/// The advisories that are built in are the ones beside the tests, read by the same code.
#[test]
fn what_is_built_in_is_what_lies_beside_the_tests() {
    let import = import(&[data()]).unwrap();
    assert_eq!((import.invalid, import.other), (0, 0), "{:?}", import.named);
    let (mut header, advisories) = import.finish(Some(Scope::Named));
    header.sources = vec!["https://github.com/pypa/advisory-database".to_owned()];
    header.as_of = Some(Date::new(2024, 10, 10).unwrap());
    header.licence = Some("PyPA Advisory Database contributors, CC-BY-4.0".to_owned());
    if std::env::var_os("WAAG_BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/advisories/snapshot.jsonl.gz");
        write(std::fs::File::create(path).unwrap(), &header, &advisories).unwrap();
        return;
    }
    let within = Database::open(None, None).unwrap();
    assert_eq!(within.header, header);
    let mut all: Vec<Advisory> = within.packages().flat_map(|(_, list)| list.to_vec()).collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all.dedup();
    assert_eq!(all, advisories);
}

#[test]
fn what_is_not_covered_is_not_checked_and_never_clean() {
    let (answer, findings) = examine(&packages("torch==1.13.0 requests==2.0.0"), None, today(), None);
    assert!(
        matches!(answer.outcome, Outcome::Checked { packages: 1, not_checked: 1, ref data } if data.built_in && data.age == 778)
    );
    assert_eq!(answer.not_checked[0].package, "requests");
    assert_eq!((findings.len(), answer.known[0].fixed.as_deref()), (1, Some("1.13.1")));
    let (answer, _) = examine(&packages("requests==2.0.0"), None, today(), None);
    assert!(matches!(answer.outcome, Outcome::NotChecked { .. }));
    let (answer, findings) = examine(&packages("torch==1.13.0"), None, today(), Some(30));
    assert!(matches!(&answer.outcome, Outcome::NotChecked { why, .. } if why.contains("778 days old")));
    assert_eq!(findings.len(), 1, "what old data knows is told all the same");
    let (answer, _) = examine(&[], None, today(), None);
    assert!(matches!(&answer.outcome, Outcome::NotChecked { why, .. } if why == "there is no package to look up"));
}

#[test]
fn one_weakness_is_told_once_by_the_name_that_people_know() {
    let entries = [
        ("a.json", osv("GHSA-1", r#""aliases": ["CVE-2026-1"], "database_specific": {"severity": "HIGH"},"#)),
        ("b.json", osv("PYSEC-1", r#""aliases": ["CVE-2026-1", "X-1"],"#)),
        ("c.json", osv("X-1", "")),
        ("d.json", osv("PYSEC-2", r#""withdrawn": "2026-01-03T00:00:00Z","#)),
        ("modified_id.csv", "2026,A".to_owned()),
    ];
    let folder = imported(&entries, Some(Scope::Whole));
    let (answer, findings) = examine(&packages("demo.pkg==1.0+cpu other==1"), Some(folder.path()), today(), None);
    assert!(matches!(answer.outcome, Outcome::Checked { packages: 2, not_checked: 0, .. }));
    assert_eq!((answer.known.len(), answer.withdrawn), (1, 1));
    assert_eq!(answer.known[0].id, "CVE-2026-1");
    assert_eq!(answer.known[0].aliases, ["GHSA-1", "PYSEC-1", "X-1"]);
    assert_eq!(findings[0].severity, waag_evidence::Severity::High);
    assert_eq!(findings[0].next_step, "Use demo.pkg 2.0 or newer.");
}

#[test]
fn a_range_may_be_affected_unless_something_says_which_version_is_used() {
    let folder = imported(&[("a.json", osv("CVE-2026-1", ""))], Some(Scope::Whole));
    let count = |text: &str| {
        let (answer, _) = examine(&packages(text), Some(folder.path()), today(), None);
        (answer.known.len(), answer.possible.len())
    };
    assert_eq!(count("demo-pkg>=1"), (0, 1));
    assert_eq!(count("demo-pkg"), (0, 1));
    assert_eq!(count("demo-pkg>=2"), (0, 0));
    assert_eq!(count("demo-pkg>=1 demo-pkg==2.1"), (0, 0));
    assert_eq!(count("demo-pkg>=1 demo-pkg==1.1"), (1, 0));
}

/// A list of constraints installs nothing: it is the version of what something else needs in any version.
#[test]
fn a_constraint_alone_is_no_use() {
    let folder = imported(&[("a.json", osv("CVE-2026-1", ""))], Some(Scope::Whole));
    let constrained = Dependency { standing: Standing::Constrained, ..package("demo-pkg==1.0", 1) };
    let of = |others: &str| {
        let all = [packages(others), vec![constrained.clone()]].concat();
        let (answer, _) = examine(&all, Some(folder.path()), today(), None);
        (answer.known.len(), answer.possible.len())
    };
    assert_eq!(of("other==1"), (0, 0));
    assert_eq!(of("demo-pkg>=0"), (1, 0));
    assert_eq!(of("demo-pkg==2.1"), (0, 0));
    // What conda installs says nothing of what pip does.
    let conda = Dependency { ecosystem: Ecosystem::Conda, ..package("demo-pkg==5.0", 1) };
    let (answer, _) = examine(&[packages("demo-pkg>=1"), vec![conda]].concat(), Some(folder.path()), today(), None);
    assert_eq!(answer.possible.len(), 1);
}

/// An advisory that names no versions which could be compared matches nothing: that is no word on its package.
#[test]
fn what_cannot_be_compared_is_not_checked() {
    let mute = r#"{"id": "A-1", "modified": "2026-01-02T03:04:05Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "demo-pkg"}, "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}]}"#;
    let folder = imported(&[("a.json", mute.to_owned()), ("b.json", osv("B-1", ""))], Some(Scope::Whole));
    let (answer, findings) = examine(&packages("demo-pkg==1.0 other==1"), Some(folder.path()), today(), None);
    assert!(matches!(answer.outcome, Outcome::Checked { packages: 2, not_checked: 1, .. }), "{:?}", answer.outcome);
    assert!(answer.not_checked[0].why.contains("A-1"), "{:?}", answer.not_checked);
    assert_eq!(findings.len(), 1, "what another one says counts");
}

/// An entry that cannot be read leaves the packages open that it names, and all of them only where it names none.
#[test]
fn what_could_not_be_read_is_about_what_it_names() {
    let odd = |id: &str, name: &str| osv(id, "").replace("Demo_Pkg", name).replace("fixed", "mended");
    let outcome = |entries: &[(&str, String)]| {
        let folder = imported(entries, Some(Scope::Whole));
        let (answer, _) = examine(&packages("demo-pkg==3.0 other==1"), Some(folder.path()), today(), None);
        let Outcome::Checked { not_checked, data, .. } = answer.outcome else { panic!("{:?}", answer.outcome) };
        let packages: Vec<String> = answer.not_checked.into_iter().map(|one| one.package).collect();
        assert_eq!(packages.len(), not_checked);
        (data.invalid, data.unplaced, packages.join(" "))
    };
    let good = ("a.json", osv("A-1", ""));
    assert_eq!(outcome(&[good.clone(), ("b.json", odd("B-1", "demo.pkg"))]), (1, 0, "demo-pkg".to_owned()));
    assert_eq!(outcome(&[good.clone(), ("b.json", odd("B-1", "third"))]), (1, 0, String::new()));
    assert_eq!(outcome(&[good.clone(), ("b.json", odd("B-1", "a b"))]), (1, 1, String::new()));
    assert_eq!(outcome(&[good.clone(), ("b.json", "{".to_owned())]), (1, 1, String::new()));
    // What an earlier version kept says how many, and not which.
    let (mut header, advisories) = (imported(&[good], None), Vec::<Advisory>::new());
    let database = Database::open(Some(header.path()), None).unwrap();
    let old = Header { invalid: 2, unplaced: None, advisories: 0, ..database.header };
    header = tempfile::tempdir().unwrap();
    keep(Some(header.path()), &old, &advisories).unwrap();
    assert_eq!(Database::open(Some(header.path()), None).unwrap().unplaced(), 2);
}

/// A name that could part lines of what is kept would make it unreadable for good.
#[test]
fn no_name_of_a_package_damages_what_is_kept() {
    for name in ["a\\tb", "a b", "a\\nb", "\\u0000", "\u{e4}"] {
        let entries = [("a.json", osv("A-1", "")), ("b.json", osv("B-1", "").replace("Demo_Pkg", name))];
        let folder = imported(&entries, None);
        assert_eq!(Database::open(Some(folder.path()), None).unwrap().header.invalid, 1, "{name}");
    }
}

/// PyPI's `all.zip` of OSV, in its shape: the real entries of PyPA in the words that OSV adds, and those of the kinds that PyPA
/// does not have.
fn all_zip() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in std::fs::read_dir(data()).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let mut entry = waag_engine::import::document::yaml(&text).unwrap().root;
            entry["schema_version"] = "1.6.0".into();
            let source =
                serde_json::json!({"source": "https://github.com/pypa/advisory-database/blob/main/vulns/x.yaml"});
            entry["affected"][0]["database_specific"] = source;
            all.push((format!("{}.json", path.file_stem().unwrap().to_str().unwrap()), entry.to_string()));
        }
    }
    for number in 0..4000 {
        let (id, rest) = of_a_kind(number);
        let entry = serde_json::json!({
            "schema_version": "1.7.3", "id": id, "modified": format!("2026-11-{:02}T05:06:07.123456Z", number % 25 + 1),
            "published": "2025-01-01T00:00:00Z", "details": "Words\n\nand more.",
            "references": [{"type": "WEB", "url": "https://h.example/"}],
        });
        let mut entry = entry.as_object().unwrap().clone();
        entry.extend(rest.as_object().unwrap().clone());
        all.push((format!("{id}.json"), serde_json::Value::from(entry).to_string()));
    }
    all
}

/// Kinds of entries, in turn.
fn of_a_kind(number: usize) -> (String, serde_json::Value) {
    use serde_json::json;
    let package = |name: &str| json!({"name": name, "ecosystem": "PyPI", "purl": format!("pkg:pypi/{name}")});
    let name = format!("package{number}");
    let below = |fix: &str| json!([{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fix}]}]);
    let ghsa = format!("GHSA-{number:04}-aaaa-bbbb");
    match number % 8 {
        0 => (
            ghsa,
            json!({"summary": "a", "aliases": [format!("CVE-2026-{number}")],
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}, {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],
            "database_specific": {"severity": "CRITICAL", "cwe_ids": ["CWE-79"], "github_reviewed": true, "nvd_published_at": null},
            "affected": [{"package": package(&name), "ranges": below("2.0"), "versions": ["1.0", "1.1", "0.9-beta", "2004d"],
                "database_specific": {"source": "https://h.example/a.json", "last_known_affected_version_range": "<= 1.1"}, "ecosystem_specific": {}}]}),
        ),
        1 => (
            format!("MAL-2026-{number}"),
            json!({"summary": format!("Malicious code in {name} (PyPI)"),
            "database_specific": {"malicious-packages-origins": [{"source": "ossf-package-analysis", "versions": ["1.0"]}]}, "credits": [{"name": "x", "type": "FINDER"}],
            "affected": [{"package": package(&name), "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}], "versions": ["1.0"]}]}),
        ),
        2 => (
            format!("MAL-2026-{number}"),
            json!({"summary": format!("Malicious code in {name} (PyPI)"), "affected": [{"package": package(&name), "versions": ["1.0", "1.1"]}]}),
        ),
        3 => (
            ghsa,
            json!({"withdrawn": "2026-02-03T00:00:00Z", "affected": [{"package": package(&name), "ranges": below("2.0")}]}),
        ),
        4 => (
            format!("OSV-2026-{number}"),
            json!({"affected": [{"package": package(&name), "ranges": [{"type": "GIT", "repo": "https://h.example/a", "events": [{"introduced": "0"}, {"fixed": "0123456789abcdef0123456789abcdef01234567"}]}]}]}),
        ),
        5 => (format!("PYSEC-2026-{number}"), json!({"affected": [{"package": package(&name)}]})),
        6 => (
            ghsa,
            json!({"affected": [{"package": {"name": "n", "ecosystem": "npm"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0-x!"}]}]},
            {"package": package(&name), "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0.0-alpha.1"}, {"last_affected": "1.5"}]}]}]}),
        ),
        _ => (
            ghsa,
            json!({"affected": [{"package": package(&name), "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0.x"}]}]}]}),
        ),
    }
}

#[test]
fn the_archive_of_osv_is_taken_over_as_a_whole() {
    let all = all_zip();
    let members: Vec<(&str, &[u8])> = all.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let import = import(&[zip(&members).path().to_owned()]).unwrap();
    // One kind names a version that is none: what is refused is told, and which package it is about.
    assert_eq!((import.len(), import.invalid, import.other), (350 + 3500, 500, 0), "{:?}", import.named);
    let (header, advisories) = import.finish(None);
    assert_eq!((&header.scope, header.unplaced, header.doubtful.len()), (&Scope::Whole, Some(0), 500));
    assert_eq!(header.newest.to_string(), "2026-11-25T05:06:07.123456Z");
    let folder = tempfile::tempdir().unwrap();
    keep(Some(folder.path()), &header, &advisories).unwrap();
    let say = |text: &str| {
        let (answer, findings) = examine(&packages(text), Some(folder.path()), today(), Some(180));
        let found: Vec<String> = findings.iter().map(|one| format!("{:?} {}", one.severity, one.message)).collect();
        let open: Vec<&str> = answer.not_checked.iter().map(|one| one.why.as_str()).collect();
        [found.join("; "), open.join("; "), format!("{} withdrawn", answer.withdrawn)].join(" | ")
    };
    let told: Vec<String> = [
        "package8==1.0",
        "package8==2.0",
        "package8>=1",
        "package9==7.0",
        "package9",
        "package10==1.1",
        "package10==2",
        "package10",
        "package11==1.0",
        "package12==1.0",
        "package13==1.0",
        "package14==1.5",
        "package14==1.6",
        "package15==1.0",
        "unheard-of==1.0",
    ]
    .iter()
    .map(|text| format!("{text}: {}", say(text)))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn an_entry_of_the_future_makes_nothing_new() {
    let late = osv("A-1", "").replace("2026-01-02", "2999-01-02");
    let folder = imported(&[("a.json", late), ("b.json", osv("B-1", "").replace("2026", "2020"))], None);
    let database = Database::open(Some(folder.path()), None).unwrap();
    assert_eq!(database.day(), Date::constant(2020, 1, 2));
}

/// Two copies of a part are no whole.
#[test]
fn each_source_says_by_itself_how_much_it_covers() {
    let part = tempfile::tempdir().unwrap();
    for index in 0..600 {
        std::fs::write(part.path().join(format!("{index}.json")), osv(&format!("A-{index}"), "")).unwrap();
    }
    let twice = import(&[part.path().to_owned(), part.path().to_owned()]).unwrap();
    assert_eq!(twice.finish(None).0.scope, Scope::Named);
    for index in 600..1000 {
        std::fs::write(part.path().join(format!("{index}.json")), osv(&format!("A-{index}"), "")).unwrap();
    }
    assert_eq!(import(&[part.path().to_owned()]).unwrap().finish(None).0.scope, Scope::Whole);
}

/// A file of every version there could be is bounded, in time and in what is told.
#[test]
fn a_list_of_all_versions_is_not_gone_through() {
    let text: String = (0..20_000).map(|index| format!("tensorflow==1.0.{index} tensorflow>=0.{index}\n")).collect();
    let (answer, findings) = examine(&packages(&text), None, today(), None);
    assert!(findings.len() <= 2 * (MAX_LISTED + 1) && findings.len() > MAX_LISTED, "{}", findings.len());
    assert!(answer.not_checked.iter().any(|one| one.why.contains("more than 100 versions")));
}

#[test]
fn what_is_invalid_is_counted_and_named() {
    let bomb = vec![b' '; 64 << 20];
    let good = osv("A-1", "");
    let file = zip(&[
        ("a.json", good.as_bytes()),
        ("b.json", b"{"),
        ("c.yaml", b"\xff"),
        ("d.json", &bomb),
        ("../e.json", b"[]"),
    ]);
    // An archive that is odd as a whole is refused as a whole.
    assert!(import(&[file.path().to_owned()]).is_err());
    let file = zip(&[("a.json", good.as_bytes()), ("b.json", b"{"), ("c.yaml", b"\xff"), ("d.json", &bomb)]);
    match import(&[file.path().to_owned()]) {
        Ok(import) => assert_eq!((import.len(), import.invalid, import.named.len()), (1, 3, 3), "{:?}", import.named),
        Err((_, why)) => assert!(why.contains("times") || why.contains("expand"), "{why}"),
    }
}

#[test]
fn what_was_damaged_is_not_taken_for_a_database_in_which_less_is_known() {
    let folder = imported(&[("a.json", osv("A-1", "")), ("b.json", osv("B-1", ""))], None);
    let path = folder.path().join("advisories.jsonl.gz");
    let bytes = std::fs::read(&path).unwrap();
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let (answer, _) = examine(&packages("demo-pkg==1.0"), Some(folder.path()), today(), None);
        assert!(matches!(answer.outcome, Outcome::NotChecked { .. }), "{cut}");
        assert_eq!(answer.not_checked.len(), 1);
    }
}

/// `packaging`, and its own reading of the same files, over every package and many versions of it.
#[test]
fn another_implementation_finds_the_same() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/advisories/oracle.py");
    let answered = Command::new("python3").arg(&script).arg(data()).output();
    let lines = match answered {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        other => {
            assert!(std::env::var_os("WAAG_REQUIRE_PYTHON").is_none(), "the oracle did not answer: {other:?}");
            return;
        }
    };
    let database = Database::open(None, None).unwrap();
    let mut compared = 0;
    let mut affected = 0;
    for line in lines.lines() {
        let (pin, expected) = line.split_once('\t').unwrap();
        let (answer, _) = look_up(&packages(pin), &database, today(), None);
        let mut ids: Vec<String> =
            answer.known.iter().flat_map(|one| [vec![one.id.clone()], one.aliases.clone()].concat()).collect();
        ids.retain(|id| id.starts_with("PYSEC-"));
        ids.sort();
        let expected: Vec<&str> = expected.split(' ').filter(|id| !id.is_empty()).collect();
        assert_eq!(ids, expected, "{pin}");
        compared += 1;
        affected += usize::from(!expected.is_empty());
    }
    assert!(compared > 500 && affected > 200, "{compared} compared, {affected} affected");
}
