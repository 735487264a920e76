use std::fs;

use super::*;
use crate::ledger::Ledger;
use crate::ledger::assurance::{Assurance, Judge};
use crate::lineage::answer::Options;
use crate::lineage::question::Starts;
use crate::lineage::walk::Direction;
use crate::lineage::{answer, unsigned_path};

/// Believes the signatures of the statements that say so.
struct ByHint;

impl Judge for ByHint {
    fn basis(&self) -> String {
        "by hint".to_owned()
    }

    fn judge(&self, _: &[u8], claimed: Option<&str>) -> Assurance {
        match claimed {
            Some(claimed) if claimed.contains("release") => {
                Assurance::Signed { signer: "release".to_owned(), at: None }
            }
            other => {
                let reason = "nobody trusts it".to_owned();
                Assurance::Unverified { claimed: other.map(str::to_owned), reason }
            }
        }
    }
}

fn digest(letter: char) -> String {
    letter.to_string().repeat(64)
}

fn artifact(name: &str, letter: char, more: &str) -> String {
    format!(r#"{{"name":"{name}","digest":{{"sha256":"{}"}}{more}}}"#, digest(letter))
}

fn role(role: &str) -> String {
    format!(r#","annotations":{{"role":"{role}"}}"#)
}

fn statement(subject: &str, predicate_type: &str, predicate: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subject}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#
    )
}

fn provenance(subject: &str, build: &str, dependencies: &[String]) -> String {
    let predicate = format!(
        r#"{{"buildDefinition":{{"buildType":"https://waag.dev/build-types/{build}/v1","externalParameters":{{}},"resolvedDependencies":[{}]}},"runDetails":{{"builder":{{"id":"https://example.org/builder"}},"metadata":{{"finishedOn":"2026-03-04T05:06:07Z"}}}}}}"#,
        dependencies.join(",")
    );
    statement(subject, "https://slsa.dev/provenance/v1", &predicate)
}

fn signed(statement: &str, by: &str) -> String {
    let payload = waag_signing::encoding::to_base64(statement.as_bytes());
    format!(
        r#"{{"payload":"{payload}","payloadType":"application/vnd.in-toto+json","signatures":[{{"sig":"AAE=","keyid":"{by}"}}]}}"#
    )
}

/// A chain with everything that can be said of one.
pub(super) fn example() -> Vec<String> {
    let packages = (0..7).map(|number| format!(r#"{{"uri":"pkg:pypi/package-{number}@1.{number}"}}"#));
    let mut training = vec![
        artifact("Base-7B", 'a', &format!(r#","uri":"pkg:huggingface/acme/base-7b"{}"#, role("base-model"))),
        artifact("dialogues.parquet", 'd', &role("dataset")),
        format!(
            r#"{{"uri":"git+https://example.org/train","digest":{{"gitCommit":"{}"}}}}"#,
            "c0ffee".repeat(6) + "abcd"
        ),
    ];
    training.extend(packages);
    let claims = format!(
        r#"{{"claims":[{{"subject":{},"role":"base-model","object":{{"uri":"pkg:huggingface/other/base-8b"}},"voice":"self-declared","source":{{"kind":"huggingface-card","location":"README.md","place":"base_model"}}}},{{"subject":{},"role":"dataset","object":{{"name":"a \u001b[31m<b>\"dump\"\u202e"}},"voice":"derived-from-file","source":{{"kind":"dvc","location":"dvc.lock","place":"/stages/prepare"}}}}]}}"#,
        artifact("tuned", 'b', ""),
        artifact("dialogues.parquet", 'd', "")
    );
    let advisory = statement(
        &artifact("tuned", 'b', ""),
        "https://in-toto.io/attestation/vulns/v0.2",
        r#"{"scanner":{"result":[{"id":"CVE-2026-0001","annotations":[{"package":"pkg:pypi/package-1@1.1"}]}]}}"#,
    );
    vec![
        signed(&provenance(&artifact("tuned", 'b', ""), "fine-tune", &training), "release"),
        signed(
            &provenance(
                &artifact("tuned-q4.gguf", 'e', ""),
                "quantize",
                &[artifact("tuned", 'b', &role("base-model"))],
            ),
            "release",
        ),
        signed(
            &provenance(
                &artifact("dialogues.parquet", 'd', ""),
                "prepare-dataset",
                &[artifact("raw.jsonl", 'f', &role("dataset"))],
            ),
            "mallory",
        ),
        statement("", waag_evidence::statement::claims::PREDICATE_TYPE, &claims),
        advisory,
    ]
}

fn ledger(statements: &[String]) -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.jsonl");
    fs::write(&file, statements.join("\n")).unwrap();
    let mut ledger = Ledger::create(&folder.path().join(".waag"), None).unwrap();
    assert!(ledger.add(&[file]).unwrap().refused.is_empty());
    (folder, ledger)
}

fn told(ledger: &mut Ledger, about: &str, asked: Asked, format: Format) -> String {
    let starts = Starts::of_text(ledger, about).unwrap();
    let direction = match asked {
        Asked::Ancestors | Asked::UnsignedPath => Direction::Ancestors,
        Asked::Descendants | Asked::Affected => Direction::Descendants,
    };
    let answer = match asked {
        Asked::UnsignedPath => unsigned_path(ledger, &starts.nodes, 64, &ByHint).unwrap().1,
        _ => answer(ledger, &starts.nodes, Options { direction, most_depth: 64, most_nodes: 1000 }, &ByHint).unwrap(),
    };
    let mut out = Vec::new();
    Told { asked, about, answer: &answer }.render(format, &mut out, Style::default()).unwrap();
    String::from_utf8(out).unwrap().replace(env!("CARGO_PKG_VERSION"), "[version]")
}

#[test]
fn answers_for_people() {
    let (_folder, mut ledger) = ledger(&example());
    insta::assert_snapshot!("ancestors", told(&mut ledger, "tuned-q4.gguf", Asked::Ancestors, Format::Plain));
    insta::assert_snapshot!("affected", told(&mut ledger, "CVE-2026-0001", Asked::Affected, Format::Plain));
    insta::assert_snapshot!(
        "descendants",
        told(&mut ledger, "pkg:huggingface/acme/base-7b", Asked::Descendants, Format::Plain)
    );
    insta::assert_snapshot!("unsigned", told(&mut ledger, "tuned-q4.gguf", Asked::UnsignedPath, Format::Plain));
}

#[test]
fn answers_for_programs() {
    let (_folder, mut ledger) = ledger(&example());
    let json = told(&mut ledger, "tuned-q4.gguf", Asked::Ancestors, Format::Json);
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../docs/schema/lineage.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(&value).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    insta::assert_snapshot!("dot", told(&mut ledger, "tuned-q4.gguf", Asked::Ancestors, Format::Dot));
    insta::assert_snapshot!("mermaid", told(&mut ledger, "tuned-q4.gguf", Asked::Ancestors, Format::Mermaid));
}

#[test]
fn no_name_acts_in_any_format() {
    let (_folder, mut ledger) = ledger(&example());
    for format in [Format::Plain, Format::Json, Format::Dot, Format::Mermaid, Format::Svg] {
        let text = told(&mut ledger, "tuned-q4.gguf", Asked::Ancestors, format);
        assert_eq!(text.lines().find(|line| crate::sanitize::is_deceptive(line)), None, "{format:?}");
        assert!(!text.contains("<b>") || matches!(format, Format::Plain | Format::Json | Format::Dot), "{format:?}");
    }
    let svg = told(&mut ledger, "tuned-q4.gguf", Asked::Ancestors, Format::Svg);
    assert!(svg.contains("&lt;b&gt;&quot;dump&quot;") && !svg.contains("<script"));
    assert_eq!(svg, told(&mut ledger, "tuned-q4.gguf", Asked::Ancestors, Format::Svg));
}

/// The picture in the documentation is this one.
#[test]
fn the_picture_is_the_one_in_the_documentation() {
    let (_folder, mut ledger) = ledger(&example());
    let pictures =
        [("lineage", "tuned-q4.gguf", Asked::Ancestors), ("affected", "pkg:pypi/package-1@1.1", Asked::Affected)];
    for (name, about, asked) in pictures {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/pictures/{name}.svg"));
        let svg = told(&mut ledger, about, asked, Format::Svg);
        if std::env::var_os("WAAG_BLESS").is_some_and(|value| value == "1") {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &svg).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), svg, "WAAG_BLESS=1 writes '{}'", path.display());
    }
}

/// Two artifacts that one descriptor takes for one.
fn same(subject: &str, letter: char, uri: &str) -> String {
    provenance(
        &artifact(subject, letter, &format!(r#","uri":"{uri}""#)),
        "fine-tune",
        &[artifact("base", 'a', &role("base-model"))],
    )
}

#[test]
fn a_name_that_nobody_signed_is_an_edge_and_no_name() {
    let statement = same("tuned", 'b', "pkg:huggingface/acme/famous");
    let (_folder, mut unsigned) = ledger(std::slice::from_ref(&statement));
    let text = told(&mut unsigned, &digest('b'), Asked::Ancestors, Format::Plain);
    assert!(!text.contains("= pkg:huggingface/acme/famous"), "{text}");
    assert!(text.contains("same as pkg:huggingface/acme/famous  [self-declared"), "{text}");
    let (_folder, mut signed_by_mallory) = ledger(&[signed(&statement, "mallory")]);
    let text = told(&mut signed_by_mallory, &digest('b'), Asked::Ancestors, Format::Plain);
    assert!(!text.contains("= pkg:huggingface/acme/famous"), "{text}");
    let (_folder, mut believed) = ledger(&[signed(&statement, "release")]);
    let text = told(&mut believed, &digest('b'), Asked::Ancestors, Format::Plain);
    assert!(text.contains("= pkg:huggingface/acme/famous"), "{text}");
}

#[test]
fn a_conflict_is_told_in_every_format() {
    let other = provenance(&artifact("tuned", 'b', ""), "fine-tune", &[artifact("Other", 'c', &role("base-model"))]);
    let first = provenance(&artifact("tuned", 'b', ""), "fine-tune", &[artifact("Base", 'a', &role("base-model"))]);
    let (_folder, mut ledger) = ledger(&[first, signed(&other, "release")]);
    for format in [Format::Plain, Format::Dot, Format::Mermaid] {
        let text = told(&mut ledger, &digest('b'), Asked::Ancestors, format);
        assert!(text.contains("sources disagree about what tuned was made from"), "{format:?}: {text}");
        let from = text.find("sources disagree").unwrap();
        assert!(text[from..].contains("sha256:aaaa") && text[from..].contains("sha256:cccc"), "{format:?}: {text}");
    }
    let svg = told(&mut ledger, &digest('b'), Asked::Ancestors, Format::Svg);
    assert!(svg.contains("1 conflict"), "{svg}");
    let json = told(&mut ledger, &digest('b'), Asked::Ancestors, Format::Json);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["conflicts"].as_array().unwrap().len(), 1);
}
