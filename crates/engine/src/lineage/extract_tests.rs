use super::*;

const DIGEST: Sha256Digest = Sha256Digest::new([7; 32]);

fn edges(text: &str) -> Vec<String> {
    let extracted = extract(text.as_bytes(), &DIGEST).unwrap();
    let name = |place: usize| extracted.nodes[place].0.to_string();
    let edges = extracted.edges.iter();
    edges.map(|edge| format!("{} {} {}", name(edge.subject), edge.relation.name(), name(edge.object))).collect()
}

fn statement(predicate_type: &str, subject: &str, predicate: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":{subject},"predicateType":"{predicate_type}","predicate":{predicate}}}"#
    )
}

#[test]
fn provenance_of_anyone_makes_edges() {
    let predicate = r#"{"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"a":[1]},"resolvedDependencies":[{"uri":"git+https://github.com/a/b@refs/heads/main","digest":{"gitCommit":"AB12"}},{"name":"base","digest":{"sha256":"01"},"uri":"pkg:huggingface/a/b","annotations":{"role":"base-model"}},{}]},"runDetails":{"builder":{"id":"https://github.com/x"},"metadata":{"finishedOn":"2026-01-02T03:04:05Z"}}}"#;
    let text = statement("https://slsa.dev/provenance/v1", r#"[{"name":"m","digest":{"sha256":"00"}}]"#, predicate);
    assert_eq!(
        edges(&text),
        [
            "gitCommit:ab12 same-as git+https://github.com/a/b@refs/heads/main",
            "sha256:00 code gitCommit:ab12",
            "sha256:01 same-as pkg:huggingface/a/b",
            "sha256:00 base-model sha256:01",
        ]
    );
    let extracted = extract(text.as_bytes(), &DIGEST).unwrap();
    assert_eq!(extracted.said_at.unwrap().to_string(), "2026-01-02T03:04:05Z");
    assert_eq!((extracted.step.as_deref(), extracted.left_out), (Some("workflow"), 0));
    let earlier = statement(
        "https://slsa.dev/provenance/v0.2",
        r#"[{"name":"m","digest":{"sha256":"00"}}]"#,
        r#"{"builder":{"id":"b"},"buildType":"t","materials":[{"uri":"pkg:pypi/torch@2"}]}"#,
    );
    assert_eq!(edges(&earlier), ["sha256:00 dependency pkg:pypi/torch@2"]);
}

#[test]
fn files_belong_to_their_whole_or_to_the_step_that_made_them() {
    let predicate = r#"{"buildDefinition":{"buildType":"t","externalParameters":{},"resolvedDependencies":[{"digest":{"sha256":"aa"}}]},"runDetails":{"builder":{"id":"b"}}}"#;
    let of = |subject: &str| edges(&statement("https://slsa.dev/provenance/v1", subject, predicate));
    let whole = of(r#"[{"digest":{"sha256":"00","dirHash":"11"}},{"digest":{"sha256":"22"}}]"#);
    assert_eq!(whole, ["sha256:00 same-as dirHash:11", "sha256:22 part-of sha256:00", "sha256:00 input sha256:aa"]);
    let step = of(r#"[{"digest":{"sha256":"00"}},{"digest":{"sha256":"22"}}]"#);
    let own = format!("statement:{DIGEST}");
    let made = |digest: &str| format!("sha256:{digest} made-in {own}");
    assert_eq!(step, [made("00"), made("22"), format!("{own} input sha256:aa")]);
}

#[test]
fn advisories_stand_at_packages() {
    let predicate = r#"{"scanner":{"uri":"s","result":[{"id":"CVE-1","annotations":[{"package":"pkg:pypi/a@1"}]},{"id":"CVE-2"}]}}"#;
    let text = statement("https://in-toto.io/attestation/vulns/v0.2", r#"[{"digest":{"sha256":"00"}}]"#, predicate);
    assert_eq!(
        edges(&text),
        ["pkg:pypi/a@1 has-advisory CVE-1", "sha256:00 dependency pkg:pypi/a@1", "sha256:00 has-advisory CVE-2"]
    );
}

#[test]
fn claims_keep_their_place() {
    let predicate = r#"{"claims":[{"subject":{"digest":{"sha256":"00"}},"role":"base-model","object":{"name":"a/b"},"voice":"derived-from-file","source":{"kind":"gguf","location":"m.gguf","place":"general.base_model.0.name"}}]}"#;
    let text = statement(waag_evidence::statement::claims::PREDICATE_TYPE, "[]", predicate);
    let extracted = extract(text.as_bytes(), &DIGEST).unwrap();
    let claim = extracted.edges[0].claim.as_deref().unwrap();
    assert_eq!((claim.voice, claim.source.location.as_str()), (Voice::DerivedFromFile, "m.gguf"));
    assert_eq!(edges(&text), ["sha256:00 base-model a/b"]);
}

#[test]
fn components_of_a_bill_are_dependencies() {
    let predicate = r#"{"bomFormat":"CycloneDX","components":[{"type":"data","name":"d","hashes":[{"alg":"SHA-256","content":"AA"},{"alg":"SHA-1","content":"bb"}]},{"type":"library","name":"torch","purl":"pkg:pypi/torch@2"}]}"#;
    let text = statement("https://cyclonedx.org/bom", r#"[{"digest":{"sha256":"00"}}]"#, predicate);
    assert_eq!(edges(&text), ["sha256:00 dataset d", "sha256:00 dependency pkg:pypi/torch@2"]);
}

#[test]
fn what_is_unknown_describes_and_what_is_no_statement_is_refused() {
    let text = statement("https://example.org/thing/v1", r#"[{"digest":{"sha256":"00"}}]"#, r#"{"x":[[]]}"#);
    assert_eq!(edges(&text), [format!("sha256:00 description statement:{DIGEST}")]);
    for bad in ["", "[]", r#"{"_type":"x","predicateType":"y"}"#, "{\"_type\":1}"] {
        assert!(extract(bad.as_bytes(), &DIGEST).is_err(), "{bad}");
    }
    let twice = statement("https://example.org/x", r#"[{"digest":{"sha256":"00","sha256":"11"}}]"#, "{}");
    assert!(extract(twice.as_bytes(), &DIGEST).is_err_and(|error| error.0.contains("two digests")));
}

#[test]
fn a_million_dependencies_are_bounded() {
    let many = vec!["{}"; MAX_ITEMS + 5].join(",");
    let predicate = format!(
        r#"{{"buildDefinition":{{"buildType":"t","externalParameters":{{}},"resolvedDependencies":[{many}]}},"runDetails":{{"builder":{{"id":"b"}}}}}}"#
    );
    let text = statement("https://slsa.dev/provenance/v1", r#"[{"digest":{"sha256":"00"}}]"#, &predicate);
    assert_eq!(extract(text.as_bytes(), &DIGEST).unwrap().left_out, 5);
}

#[test]
fn components_within_components_are_taken_up() {
    let outer = r#"{"components":[{"type":"library","name":"outer","purl":"pkg:pypi/outer@1","components":[{"type":"library","name":"inner","purl":"pkg:pypi/inner@1"}]}]}"#;
    let text = statement("https://cyclonedx.org/bom", r#"[{"digest":{"sha256":"00"}}]"#, outer);
    assert_eq!(edges(&text), ["sha256:00 dependency pkg:pypi/outer@1", "sha256:00 dependency pkg:pypi/inner@1"]);
}

#[test]
fn every_package_of_an_advisory_is_taken_up() {
    let packages: Vec<String> = (0..70).map(|number| format!(r#"{{"p":"pkg:pypi/p{number}@1"}}"#)).collect();
    let predicate =
        format!(r#"{{"scanner":{{"uri":"s","result":[{{"id":"CVE-1","annotations":[{}]}}]}}}}"#, packages.join(","));
    let text = statement("https://in-toto.io/attestation/vulns/v0.1", r#"[{"digest":{"sha256":"00"}}]"#, &predicate);
    assert_eq!(edges(&text).len(), 140);
}
