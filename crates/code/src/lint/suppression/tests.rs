use super::super::{Options, examine_bytes};

fn rules(name: &str, text: &str) -> Vec<(String, u64)> {
    let found = examine_bytes(name, text.as_bytes().to_vec(), &Options::default()).findings;
    found.into_iter().map(|finding| (finding.rule, finding.location.line.unwrap())).collect()
}

#[test]
fn several_comments_may_speak_of_one_line() {
    let text = "from transformers import AutoModel\n# waag: allow[trusted-remote-code] our own code, read\n# it lies in our own organisation\n# waag: allow[unpinned-remote] moves with us\nAutoModel.from_pretrained('org/model', trust_remote_code=True)\n";
    assert_eq!(rules("a.py", text), []);
    // What is between them and the line ends it.
    let apart = text.replace("with us\n", "with us\n\n");
    assert_eq!(rules("a.py", &apart).len(), 4);
    assert_eq!(
        rules("a.py", "x = 1\n# waag: allow[unsafe-load] nothing follows"),
        [("unused-suppression".to_owned(), 2)]
    );
    assert_eq!(rules("a.py", "# waag: allow[unsafe-load] nothing follows"), [("unused-suppression".to_owned(), 1)]);
}

#[test]
fn comments_of_yaml_allow_as_well() {
    let text = "base_model: org/m  # waag: allow[unpinned-remote] ours\ndatasets:\n  - path: d.jsonl\nmicro_batch_size: 1\nseed: 1\n# waag: allow[trusted-remote-code] ours\ntrust_remote_code: true\n";
    assert_eq!(rules("a.yaml", text), []);
    let unused = text.replace("true", "false");
    assert_eq!(rules("a.yaml", &unused), [("unused-suppression".to_owned(), 6)]);
}
