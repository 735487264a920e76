//! Values of a card that break the rules that programs read them by.

use serde_json::Value;
use waag_evidence::finding::{Confidence, Finding, Location, Persona, Severity};
use waag_formats::fact::Position;

use super::language;
use super::read::{Card, Kind};
use super::rules::MALFORMED;
use crate::import::document::Node;
use crate::import::identity::{is_id, is_local};
use crate::rules::finding::Findings;

/// Relations to a base model that the Hub knows.
const RELATIONS: [&str; 4] = ["adapter", "merge", "quantized", "finetune"];

/// Findings of one card that are told with their line.
const MAX_LINES: usize = 200;

/// What is wrong with the values of a card.
pub(super) fn check(card: &Card, list: &mut Vec<Finding>) {
    let location = Location::file(card.shown.clone());
    let mut findings = Findings::new(&location, &MALFORMED, list);
    if let Some(why) = &card.broken {
        let message = format!("the values before the text cannot be read: {why}");
        findings.add_incomplete(
            Position::Line(card.first_line),
            message,
            "correct the YAML between the lines of dashes",
        );
        return;
    }
    let mut check = Check { card, findings, said: 0 };
    for oddity in &card.oddities {
        check.say(
            Severity::Low,
            "",
            oddity,
            "write it once, in UTF-8, and as one document: readers disagree about what holds",
        );
    }
    check.languages();
    check.identifiers();
    check.tags();
    check.relation();
    check.index();
    if card.kind == Kind::Dataset {
        check.splits();
    }
}

struct Check<'a> {
    card: &'a Card,
    findings: Findings<'a>,
    said: usize,
}

impl Check<'_> {
    fn say(&mut self, severity: Severity, pointer: &str, message: &str, next: &str) {
        let position = if pointer.is_empty() { Position::Whole } else { self.at(pointer) };
        let subject = pointer.split('/').nth(1).unwrap_or("values").to_owned();
        self.findings.add(severity, position, message, next).subject(subject).persona(Persona::Reviewer);
    }

    /// Where a value stands. A line is looked for from the top, so it is told for no more findings than are shown.
    fn at(&mut self, pointer: &str) -> Position {
        self.said += 1;
        let line = if self.said <= MAX_LINES { self.card.line_of(pointer) } else { None };
        line.map_or(Position::Whole, Position::Line)
    }

    fn languages(&mut self) {
        for node in self.card.root().list("language") {
            let place = node.place().to_owned();
            let is_no = node.value() == &Value::Bool(false)
                || node.text().is_some_and(|text| text == "no") && self.is_bare("no");
            if is_no {
                let next = "write 'no' in quotation marks, or nb or nn";
                self.say(
                    Severity::Low,
                    &place,
                    "the language no (Norwegian) is read as false by readers of YAML 1.1",
                    next,
                );
            } else if let Some(code) = node.text() {
                if let Some(hint) = language::fault(code) {
                    let next = format!("use a code of ISO 639, such as en or sw{hint}");
                    self.say(Severity::Low, &place, &format!("the language '{code}' is no code of ISO 639"), &next);
                }
            } else {
                self.say(Severity::Low, &place, "a language is a text", "use a code of ISO 639, such as en or sw");
            }
        }
    }

    /// Whether a word stands without quotation marks.
    fn is_bare(&self, word: &str) -> bool {
        let quoted = [format!("'{word}'"), format!("\"{word}\"")];
        !quoted.iter().any(|quoted| self.card.yaml.contains(quoted))
    }

    fn identifiers(&mut self) {
        for key in ["base_model", "datasets", "new_version", "source_datasets"] {
            for node in self.card.root().list(key) {
                let place = node.place().to_owned();
                let Some(text) = node.text() else {
                    self.say(Severity::Low, &place, &format!("an entry of {key} is no text"), "name it as owner/name");
                    continue;
                };
                // Sources of datasets are told as `original` or `extended|name`.
                let id = if key == "source_datasets" { text.rsplit('|').next().unwrap_or(text) } else { text };
                if is_local(text) || !is_id(id) {
                    let message = format!("'{text}' in {key} is no identifier on the Hub");
                    self.say(Severity::Low, &place, &message, "name it as owner/name, as its page on the Hub does");
                }
            }
        }
    }

    fn tags(&mut self) {
        for key in ["pipeline_tag", "library_name", "license"] {
            let Some(node) = self.card.root().get(key) else { continue };
            let is_list = key == "license" && node.value().is_array();
            if !is_list && node.text().is_none() {
                self.say(Severity::Low, node.place(), &format!("{key} is no text"), "write one text");
            }
        }
        let Some(tag) = self.card.root().get("pipeline_tag") else { return };
        let is_tag =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if tag.text().is_some_and(|text| !is_tag(text)) {
            let message = format!("the task '{}' is not written as tasks are", tag.text().unwrap_or_default());
            self.say(Severity::Low, tag.place(), &message, "write it in small letters with -, as in text-generation");
        }
    }

    fn relation(&mut self) {
        let Some(node) = self.card.root().get("base_model_relation") else { return };
        if !node.text().is_some_and(|text| RELATIONS.contains(&text)) {
            let said = node.scalar().unwrap_or_default();
            let message = format!("base_model_relation '{said}' is none that the Hub knows");
            self.say(Severity::Low, node.place(), &message, "use adapter, merge, quantized or finetune");
        }
    }

    /// What `EvalResult` of huggingface_hub asks for.
    fn index(&mut self) {
        let root = self.card.root();
        let Some(index) = root.get("model-index") else { return };
        if !index.value().is_array() {
            let next = "write a list with a name and results, as the Hub's documentation of model cards shows";
            return self.say(
                Severity::Medium,
                index.place(),
                "model-index is no list, so that its results are not read",
                next,
            );
        }
        for entry in index.items() {
            if entry.text_of("name").is_none() {
                self.lacking(&entry, "a name");
            }
            let Some(results) = entry.get("results").filter(|results| results.value().is_array()) else {
                self.lacking(&entry, "a list of results");
                continue;
            };
            for result in results.items() {
                self.result(&result);
            }
        }
    }

    fn result(&mut self, result: &Node<'_>) {
        for (path, what) in [
            (["task", "type"], "a task with its type"),
            (["dataset", "type"], "a dataset with its type"),
            (["dataset", "name"], "a dataset with its name"),
        ] {
            if result.at(&path).and_then(|node| node.scalar()).is_none() {
                self.lacking(result, what);
            }
        }
        let metrics = result.list("metrics");
        if metrics.is_empty() {
            self.lacking(result, "a list of metrics");
        }
        for metric in metrics {
            if metric.text_of("type").is_none() || metric.get("value").is_none() {
                self.lacking(&metric, "a metric's type and value");
            }
        }
    }

    fn lacking(&mut self, node: &Node<'_>, what: &str) {
        let message = format!("an entry of model-index lacks {what}");
        let next = "add it: readers leave out the whole index, or refuse the card";
        let position = self.at(node.place());
        let draft = self.findings.add(Severity::Low, position, message, next).subject("model-index");
        drop(draft.confidence(Confidence::High).persona(Persona::Reviewer));
    }

    fn splits(&mut self) {
        for info in self.card.root().list("dataset_info") {
            for split in info.list("splits") {
                let is_count = |key: &str| split.get(key).is_none_or(|node| node.value().as_u64().is_some());
                if split.text_of("name").is_none() || !is_count("num_examples") || !is_count("num_bytes") {
                    let next = "give each split a name, and whole numbers for num_examples and num_bytes";
                    self.say(
                        Severity::Low,
                        split.place(),
                        "a split in dataset_info has no name, or counts that are none",
                        next,
                    );
                }
            }
        }
    }
}
