use std::path::Path;

use waag_evidence::finding::{Finding, Nature};

use super::*;
use crate::licence;
use crate::rules::Meta;

const HEADINGS: [&str; 5] =
    ["## What it reports", "## Why it matters", "## What to do", "## When it is acceptable", "## Case"];

fn project(input: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for part in format!("\n{input}").split("\n--- ").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

fn render(finding: &Finding) -> String {
    let severity = match finding.nature {
        Nature::Incomplete => "incomplete".to_owned(),
        Nature::Risk => serde_json::to_string(&finding.severity).unwrap().replace('"', ""),
    };
    let line = finding.location.line.map(|line| format!(" @ line {line}")).unwrap_or_default();
    format!("{severity}[{}] {}{line}: {}\n", finding.rule, finding.location.path(), finding.message)
}

fn said(input: &str) -> String {
    let folder = project(input);
    examine(folder.path()).unwrap().findings.iter().map(render).collect()
}

#[test]
fn a_base_that_cannot_be_read_is_a_part_of_the_chain_all_the_same() {
    let input = "--- README.md\n---\nlicense: mit\nbase_model:\n- [gpt2]\n---\n# T\n--- config.json\n{\"architectures\": [\"A\"]}";
    let folder = project(input);
    let report = examine(folder.path()).unwrap();
    let chain = report.cards[0].chain.as_ref().unwrap();
    assert!(format!("{chain:?}").contains("no text"), "{chain:?}");
}

#[test]
fn results_beside_a_card_are_its_evaluation() {
    let card = "--- README.md\n---\nlicense: mit\n---\n# T\n--- config.json\n{\"architectures\": [\"A\"]}";
    let lacks = |input: &str| said(input).contains("'evaluation'");
    assert!(lacks(card) && lacks(&format!("{card}\n--- .eval_results/notes.txt\nx")));
    assert!(!lacks(&format!("{card}\n--- .eval_results/mmlu.yaml\n- value: 1\n")));
    assert!(!lacks(&format!("{card}\n--- eval_results.yaml\n- value: 1\n")));
}

/// Every page has its headings, and its case gives what it says; `WAAG_BLESS=1` rewrites the pages.
#[test]
fn every_page_of_the_rules_is_true() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let own = rules::RULES.iter().map(|meta| (*meta, folder.join("card/rules")));
    let licences = licence::rules::RULES.iter().map(|meta| (*meta, folder.join("licence/rules")));
    let mut wrong = Vec::new();
    for (meta, folder) in own.chain(licences) {
        let path = folder.join(format!("{}.md", meta.id.replace('-', "_")));
        wrong.extend(judge_page(meta, &path));
    }
    assert!(wrong.is_empty(), "WAAG_BLESS=1 rewrites the pages\n{}", wrong.join("\n"));
}

fn judge_page(meta: &Meta, path: &Path) -> Option<String> {
    assert!(HEADINGS.iter().all(|heading| meta.page.contains(heading)), "{} lacks a heading", meta.id);
    assert!(meta.page.starts_with(&format!("# {}\n", meta.id)));
    let (before, rest) = meta.page.split_once("```project\n").unwrap();
    let (input, rest) = rest.split_once("\n```\n\n```findings\n").unwrap();
    let (expected, after) = rest.split_once("```").unwrap();
    let mut found = said(input);
    if meta.id.starts_with("licence-") {
        found = found.split_inclusive('\n').filter(|line| line.contains("[licence-")).collect();
    }
    assert!(found.contains(&format!("[{}]", meta.id)), "{}: its case shows nothing of it:\n{found}", meta.id);
    if found == expected {
        return None;
    }
    if std::env::var_os("WAAG_BLESS").is_some_and(|value| value == "1") {
        let page = format!("{before}```project\n{input}\n```\n\n```findings\n{found}```{after}");
        std::fs::write(path, page).unwrap();
        return None;
    }
    Some(format!("{}: the page says\n{expected}and what is found is\n{found}", meta.id))
}

#[test]
fn every_file_of_a_rule_is_registered() {
    for (folder, rules) in [("card", rules::RULES), ("licence", licence::rules::RULES)] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder).join("rules");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), rules.len());
    }
}

#[test]
fn a_folder_without_models_has_nothing_to_say_about() {
    let folder = project(
        "--- README.md\n# A program\n--- config.json\n{\"port\": 80}\n--- src/main.py\nprint(1)\n--- logs/a.csv\na,b\n1,2",
    );
    let report = examine(folder.path()).unwrap();
    assert!(report.cards.is_empty() && report.findings.is_empty());
    assert_eq!(report.folders, 3);
}

#[test]
fn a_whole_card_is_clean() {
    let card = "--- README.md\n---\nlicense: mit\nlibrary_name: transformers\npipeline_tag: fill-mask\nlanguage: en\n---\n# Tiny\nA model.\n\
        ## Intended use\nTo fill gaps.\n## Limitations\nTwo words only.\n## Training data\nOne book.\n## Evaluation\nNone yet, by choice.\n\
        ## Contact\nada@example.org\n--- config.json\n{\"architectures\": [\"BertForMaskedLM\"]}\n";
    assert_eq!(said(card), "");
}

#[test]
fn a_base_model_beside_it_is_read_rather_than_known() {
    let input = "--- base/README.md\n---\nlicense: cc-by-nc-4.0\n---\n--- base/config.json\n{\"architectures\": [\"BertModel\"]}\n\
        --- tuned/README.md\n---\nlicense: mit\nbase_model: org/base\n---\n--- tuned/config.json\n{\"architectures\": [\"BertModel\"]}\n";
    let found = said(input);
    assert!(found.contains("forbids commercial use"), "{found}");
}

#[test]
fn a_draft_invents_nothing_and_is_not_yet_a_card() {
    let folder = project(
        "--- LICENSE\nLicensed under the Apache License, Version 2.0.\n--- config.json\n{\"architectures\": [\"BertForMaskedLM\"], \
         \"max_position_embeddings\": 512, \"_name_or_path\": \"org/base\"}\n--- tokenizer_config.json\n{\"tokenizer_class\": \"`x|\\u001b\"}\n\
         --- all_results.json\n{\"eval_accuracy\": 0.5}\n",
    );
    let draft = draft::draft(folder.path(), None);
    assert!(draft.text.contains("pipeline_tag: fill-mask") && draft.text.contains("library_name: transformers"));
    assert!(draft.text.contains("# TODO license"), "a notice alone is no proof: {}", draft.text);
    assert!(!draft.text.contains('\u{1b}') && draft.todos > 6);
    std::fs::write(folder.path().join("README.md"), &draft.text).unwrap();
    let report = examine(folder.path()).unwrap();
    assert!(report.cards[0].completeness.unwrap().filled < 6, "{}", draft.text);
    assert!(
        report.findings.iter().all(|finding| finding.rule != "card-malformed"),
        "{:?}",
        report.findings.iter().map(render).collect::<String>()
    );
    assert_eq!(draft.text, draft::draft(folder.path(), None).text);
}

#[test]
fn hostile_cards_end() {
    let keys: String = (0..100_000).map(|number| format!("key{number}: {number}\n")).collect();
    let deep = "a: ".to_owned() + &"[".repeat(100_000);
    let bomb = (0..40)
        .fold("a0: &a0 [x,x]\n".to_owned(), |text, at| format!("{text}a{}: &a{} [*a{at},*a{at}]\n", at + 1, at + 1));
    let list = format!("base_model:\n{}", "- org/x\n".repeat(50_000));
    let links = "[a](b.md) ".repeat(50_000);
    for (yaml, text) in [
        (keys, String::new()),
        (deep, String::new()),
        (bomb, String::new()),
        (list, String::new()),
        (String::new(), links),
    ] {
        let folder = project(&format!(
            "--- README.md\n---\nlicense: mit\n{yaml}\n---\n{text}\n--- config.json\n{{\"architectures\": [\"X\"]}}"
        ));
        let report = examine(folder.path()).unwrap();
        assert!(!report.findings.is_empty() && report.findings.len() < 1000);
        let mut shown = Vec::new();
        show::write(&report.cards[0], &mut shown, crate::output::Style::default()).unwrap();
    }
}

#[test]
fn bytes_that_are_no_text_are_said() {
    let folder = project("--- config.json\n{\"architectures\": [\"X\"]}");
    std::fs::write(folder.path().join("README.md"), b"---\nlicense: mit\n---\n# \xff\xfe\x00\n").unwrap();
    let found: String = examine(folder.path()).unwrap().findings.iter().map(render).collect();
    assert!(found.contains("not UTF-8"), "{found}");
    std::fs::write(folder.path().join("config.json"), b"{").unwrap();
    let found: String = examine(folder.path()).unwrap().findings.iter().map(render).collect();
    assert!(found.contains("incomplete[incomplete-analysis] config.json"), "{found}");
}

/// What is said of licences and bases, in few words.
fn chain_of(input: &str) -> Vec<String> {
    let folder = project(input);
    let report = examine(folder.path()).unwrap();
    report.cards.iter().filter_map(|examined| examined.chain.as_ref()).flat_map(|chain| chain.shown.clone()).collect()
}

#[test]
fn a_base_is_kept_whatever_the_title_and_known_by_its_owner() {
    let copy = "--- README.md\n---\nlicense: mit\nbase_model: meta-llama/Llama-3.2-1B\n---\n# Llama-3.2-1B\n--- config.json\n{\"architectures\": [\"A\"]}";
    assert_eq!(chain_of(copy)[0], "base model meta-llama/Llama-3.2-1B: LicenseRef-llama3.2 (known of its name)");
    let several = "--- README.md\n---\nlicense: mit\nbase_model: [gpt2, someone/gpt2, ./local, evil/gemma-2b]\n---\n# T\n--- config.json\n{\"architectures\": [\"A\"]}";
    assert_eq!(chain_of(several).len(), 5, "{:?}", chain_of(several));
    // Of two folders that are called alike, the one with the owner is meant.
    let card = |licence: &str, base: &str| format!("---\nlicense: {licence}\n{base}---\n# T\n");
    let config = "{\"architectures\": [\"A\"]}";
    let alike = format!(
        "--- a/base/README.md\n{}\n--- a/base/config.json\n{config}\n--- org/base/README.md\n{}\n--- org/base/config.json\n{config}\n--- tuned/README.md\n{}\n--- tuned/config.json\n{config}",
        card("mit", ""),
        card("cc-by-nc-4.0", ""),
        card("mit", "base_model: org/base\n")
    );
    assert!(chain_of(&alike).contains(&"base model org/base: CC-BY-NC-4.0".to_owned()), "{:?}", chain_of(&alike));
}

#[test]
fn a_text_with_a_rider_is_no_licence_and_the_texts_of_others_are_not_the_models() {
    let mit = mit();
    let with = |text: &str| {
        format!("--- README.md\n---\nlibrary_name: x\n---\n# T\n--- model.safetensors\n\n--- LICENSE\n{text}")
    };
    assert!(chain_of(&with(&mit))[0].ends_with(": MIT"), "{:?}", chain_of(&with(&mit)));
    let rider = format!("{mit}\nIt may be used for non-commercial research purposes only.\n");
    assert!(chain_of(&with(&rider))[0].ends_with("no licence known"), "{:?}", chain_of(&with(&rider)));
    let other = format!("{}\n--- LICENSE-3RD-PARTY.txt\nsomething else entirely", with(&mit));
    assert!(chain_of(&other)[0].ends_with(": MIT"));
}

/// The text of the MIT licence.
fn mit() -> String {
    "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software and associated \
     documentation files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to \
     use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the \
     Software is furnished to do so, subject to the following conditions:\n\nThe above copyright notice and this permission notice \
     shall be included in all copies or substantial portions of the Software.\n\nTHE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY \
     OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE \
     AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, \
     WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER \
     DEALINGS IN THE SOFTWARE.\n"
        .to_owned()
}

#[test]
fn pages_of_other_things_are_no_cards() {
    for page in ["title: Docs\nsidebar_position: 1", "title: Demo\nsdk: gradio\nlicense: mit"] {
        assert_eq!(said(&format!("--- docs/README.md\n---\n{page}\n---\n# T\n")), "", "{page}");
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_told_and_not_read() {
    let outside = project("--- private.md\n---\nlicense: mit\n---\n# secret");
    let folder = project("--- config.json\n{\"architectures\": [\"A\"]}");
    std::os::unix::fs::symlink(outside.path().join("private.md"), folder.path().join("README.md")).unwrap();
    let report = examine(folder.path()).unwrap();
    assert!(report.cards.iter().all(|examined| examined.card.is_none()));
    assert!(report.findings.iter().any(|finding| finding.message.contains("leads out of the folder")));
}

#[test]
fn long_lists_in_cards_end() {
    let keys: String = (0..20_000).map(|at| format!("k{at}: 1\n")).collect();
    let bases: String = (0..20_000).map(|at| format!("- org/m{at}\n")).collect();
    let languages: String = (0..20_000).map(|at| format!("- zz{at}\n")).collect();
    let metrics: String = (0..10_000).map(|at| format!("    - type: m{at}\n      value: 1\n")).collect();
    let index = format!("model-index:\n- name: a\n  results:\n  - metrics:\n{metrics}");
    let text = format!(
        "--- README.md\n---\n{keys}base_model:\n{bases}language:\n{languages}{index}---\n# T\n--- config.json\n{{\"architectures\": [\"A\"]}}"
    );
    assert!(!said(&text).is_empty());
}
