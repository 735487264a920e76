//! What a card says and the files beside it do not.

use std::path::{Component, Path};

use waag_evidence::finding::{Confidence, Finding, Location, Persona, Severity};
use waag_formats::fact::Position;

use super::files::{Proven, Told, is_same_model};
use super::label::{self, Label};
use super::read::{Card, Kind};
use super::rules::CONTRADICTION;
use super::{architecture, markdown, rows};
use crate::import::identity::is_local;
use crate::licence::{self, Licence};
use crate::output::text::parameters;
use crate::rules::finding::Findings;

/// How far a name may be from the number of parameters: names round, and leave embeddings out.
const NAME_TOLERANCE: std::ops::RangeInclusive<f64> = 0.55..=1.7;
/// How far a labelled number may be from it.
const LABEL_TOLERANCE: std::ops::RangeInclusive<f64> = 0.85..=1.15;

/// Labels of a number of parameters.
const PARAMETERS: [&str; 7] = [
    "parameters",
    "number of parameters",
    "model size",
    "params",
    "total parameters",
    "parameter count",
    "model parameters",
];

/// Labels of the type of tensors.
const DTYPES: [&str; 5] = ["tensor type", "dtype", "torch dtype", "torch_dtype", "data type"];

/// What the card says and the files do not.
pub(super) fn check(card: &Card, folder: &Path, proven: &Proven, list: &mut Vec<Finding>) {
    let location = Location::file(card.shown.clone());
    let findings = Findings::new(&location, &CONTRADICTION, list);
    let mut check = Check { card, proven, labels: label::labelled(&card.text), findings };
    if card.kind == Kind::Model {
        check.parameters();
        check.dtypes();
        check.uncounted();
        check.bases();
        check.task();
        check.library();
        check.results();
    } else {
        check.rows(folder);
    }
    check.licence();
    check.links(folder);
}

struct Check<'a> {
    card: &'a Card,
    proven: &'a Proven,
    labels: Vec<Label>,
    findings: Findings<'a>,
}

/// Something that does not fit.
struct Odd<'t> {
    position: Position,
    subject: &'t str,
    message: String,
    evidence: String,
    next: &'t str,
    confidence: Confidence,
}

impl Check<'_> {
    fn say(&mut self, severity: Severity, odd: &Odd<'_>) {
        let draft = self.findings.add(severity, odd.position, &odd.message, odd.next).subject(odd.subject);
        drop(draft.evidence(&odd.evidence).confidence(odd.confidence).persona(Persona::Reviewer));
    }

    fn at(&self, pointer: &str) -> Position {
        self.card.line_of(pointer).map_or(Position::Whole, Position::Line)
    }

    fn parameters(&mut self) {
        let Some(counted) = self.counted() else { return };
        let name = self.card.name().unwrap_or_default();
        if let Some(said) = label::count_in_name(&name)
            && !NAME_TOLERANCE.contains(&(counted / said))
        {
            let message =
                format!("the name '{name}' speaks of {}, and the tensors have {}", whole(said), whole(counted));
            self.say(
                Severity::Medium,
                &Odd {
                    position: Position::Whole,
                    subject: "parameters",
                    message,
                    evidence: self.proven.weights.join(", "),
                    next: "compare the weights with the model that the card describes: one of the two is another's",
                    confidence: Confidence::Medium,
                },
            );
        }
        let said: Vec<(f64, Label)> = self
            .labels
            .iter()
            .filter(|label| PARAMETERS.contains(&label.key.as_str()))
            .filter_map(|label| Some((label::count(&label.value)?, label.clone())))
            .collect();
        for (said, label) in said {
            if LABEL_TOLERANCE.contains(&(counted / said)) {
                continue;
            }
            let message = format!("the card speaks of {}, and the tensors have {}", whole(said), whole(counted));
            self.say(
                Severity::Medium,
                &Odd {
                    position: Position::Line(self.card.text_line_of(label.offset)),
                    subject: "parameters",
                    message,
                    evidence: format!("{}: {}", label.key, label.value),
                    next: "correct the number, or look for the weights that the card describes",
                    confidence: Confidence::High,
                },
            );
        }
    }

    /// That a number which the card gives was compared with nothing. The same tensors in several containers are no number.
    fn uncounted(&mut self) {
        let ending = |name: &String| name.rsplit('.').next().unwrap_or_default().to_owned();
        let endings: std::collections::BTreeSet<String> = self.proven.weights.iter().map(ending).collect();
        let Some(why) = self.proven.uncounted.as_ref().filter(|_| endings.len() == 1) else { return };
        let mut keys = PARAMETERS.iter().chain(&DTYPES);
        let is_labelled = keys.any(|key| self.labels.iter().any(|label| label.key == *key));
        if is_labelled || label::count_in_name(&self.card.name().unwrap_or_default()).is_some() {
            let message = format!("what the card says of its tensors was compared with nothing: {why}");
            self.findings.add_incomplete(Position::Whole, message, "mend or replace the weights, or correct the card");
        }
    }

    /// The number of parameters, where tensors tell it: packed and adapted weights do not.
    fn counted(&self) -> Option<f64> {
        let is_packed = self.proven.quantisation.is_some() || self.proven.adapter.is_some();
        let counted = self.proven.parameters.filter(|counted| *counted > 0 && !is_packed)?;
        let whole_numbers: u64 =
            self.proven.dtypes.iter().filter(|(dtype, _)| is_whole(dtype)).map(|(_, count)| count).sum();
        // It is compared with what people round.
        (whole_numbers.saturating_mul(10) < counted).then_some(counted as f64)
    }

    fn dtypes(&mut self) {
        let said: Vec<Label> =
            self.labels.iter().filter(|label| DTYPES.contains(&label.key.as_str())).cloned().collect();
        for label in said {
            let (Some(said), false) = (dtype(&label.value), self.proven.dtypes.is_empty()) else { continue };
            if self.proven.dtypes.keys().any(|own| own.eq_ignore_ascii_case(said)) {
                continue;
            }
            let own: Vec<&str> = self.proven.dtypes.keys().map(String::as_str).collect();
            self.say(
                Severity::Low,
                &Odd {
                    position: Position::Line(self.card.text_line_of(label.offset)),
                    subject: "dtype",
                    message: format!("the card speaks of {said}, and the tensors are {}", own.join(", ")),
                    evidence: format!("{}: {}", label.key, label.value),
                    next: "correct the type, or look for the weights that the card describes",
                    confidence: Confidence::High,
                },
            );
        }
    }

    fn bases(&mut self) {
        let root = self.card.root();
        let said: Vec<String> =
            root.list("base_model").iter().filter_map(|node| node.text().map(str::to_owned)).collect();
        if said.is_empty() {
            return;
        }
        let position = self.at("/base_model");
        let own = self.card.name().unwrap_or_default();
        let bases: Vec<Told> = self.proven.bases.iter().filter(|base| !is_local(&base.value)).cloned().collect();
        for base in bases {
            let is_named = said.iter().any(|said| is_same_model(said, &base.value)) || is_same_model(&own, &base.value);
            if is_named {
                continue;
            }
            // What a model was loaded from is often an earlier stage of itself.
            let is_hint = base.place == "/_name_or_path";
            let severity = if is_hint { Severity::Low } else { Severity::Medium };
            self.say(severity, &Odd {
                position,
                subject: "base_model",
                message: format!("the card names {} as base model, and {} names {}", said.join(", "), base.file, base.value),
                evidence: format!("{}#{}: {}", base.file, base.place, base.value),
                next: "find out which of them it was made from, and correct the other: licences and advisories follow it",
                confidence: if is_hint { Confidence::Low } else { Confidence::High },
            });
        }
    }

    fn task(&mut self) {
        let Some(said) = self.card.root().text_of("pipeline_tag") else { return };
        for own in &self.proven.architectures.clone() {
            let Some(tasks) = architecture::tasks(&own.value).filter(|tasks| !tasks.contains(&said)) else { continue };
            self.say(
                Severity::Low,
                &Odd {
                    position: self.at("/pipeline_tag"),
                    subject: "pipeline_tag",
                    message: format!("the card's task is {said}, and {} has a head for {}", own.value, tasks[0]),
                    evidence: format!("{}#{}: {}", own.file, own.place, own.value),
                    next: "correct pipeline_tag: programs choose by it how the model is called",
                    confidence: Confidence::Medium,
                },
            );
        }
    }

    fn library(&mut self) {
        let Some(said) = self.card.root().text_of("library_name") else { return };
        let needed: &[&str] = match said {
            "peft" => &["adapter_config.json"],
            "sentence-transformers" => {
                &["modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"]
            }
            "diffusers" => &["model_index.json", "config.json", "scheduler_config.json", "adapter_config.json"],
            "transformers" => &[
                "config.json",
                "adapter_config.json",
                "tokenizer.json",
                "tokenizer_config.json",
                "preprocessor_config.json",
            ],
            "setfit" => &["config_setfit.json", "modules.json", "model_head.pkl"],
            "spacy" => &["meta.json", "config.cfg"],
            _ => return,
        };
        let is_lora = said == "diffusers" && !self.proven.weights.is_empty();
        let is_there = needed.iter().any(|file| self.proven.has(file)) || is_lora;
        if !is_there
            && !self.proven.weights.is_empty()
            && !self.proven.weights.iter().all(|name| name.ends_with(".gguf"))
        {
            self.say(
                Severity::Low,
                &Odd {
                    position: self.at("/library_name"),
                    subject: "library_name",
                    message: format!(
                        "the card's library is {said}, which needs one of {}, and none is there",
                        needed.join(", ")
                    ),
                    evidence: self.proven.weights.join(", "),
                    next: "name the library that loads these files, or add the file that is missing",
                    confidence: Confidence::Medium,
                },
            );
        }
    }

    fn licence(&mut self) {
        let Some(said) = stated(self.card) else { return };
        let position = self.at("/license");
        let own: Vec<Licence> = said.ids().iter().map(|id| licence::read(id, None, None)).collect();
        let is_said = |id: &String| {
            let one = licence::read(id, None, None);
            one.is_same(&said) || own.iter().any(|own| own.is_same(&one))
        };
        let proven = self.proven;
        let texts = || proven.licence_texts.iter().filter_map(|(file, text)| Some((file, text.as_ref()?)));
        // Where one text is the card's, the others may be those of parts.
        let fits = texts().any(|(_, text)| std::iter::once(&text.id).chain(&text.others).any(&is_said));
        for (file, text) in texts().filter(|_| !fits && said.expression.is_some()) {
            self.unlike(position, &said, &text.id, file, text.confidence);
        }
        for (file, rider) in texts().filter_map(|(file, text)| Some((file, text.rider?))).filter(|_| fits) {
            let other = format!("that with more words in it: '{rider}'");
            self.unlike(position, &said, &other, file, Confidence::Medium);
        }
        for (told, other) in self.proven.licences.clone() {
            if !other.is_same(&said) && other.is_known() && said.expression.is_some() {
                let place = format!("{}#{}", told.file, told.place);
                self.unlike(position, &said, other.shown(), &place, Confidence::High);
            }
        }
    }

    fn unlike(&mut self, position: Position, said: &Licence, other: &str, place: &str, confidence: Confidence) {
        self.say(
            Severity::Medium,
            &Odd {
                position,
                subject: "license",
                message: format!("the card's licence is {}, and {place} is {other}", said.shown()),
                evidence: format!("license: {}", said.said),
                next: "find out which of them holds, and correct the other; if both do, say so with AND",
                confidence,
            },
        );
    }

    fn results(&mut self) {
        let root = self.card.root();
        let results: Vec<_> = root.list("model-index").iter().flat_map(|entry| entry.list("results")).collect();
        let metrics: Vec<(String, f64, String)> = results
            .iter()
            .flat_map(|result| result.list("metrics"))
            .filter_map(|metric| {
                let value = metric.get("value")?.value().as_f64()?;
                Some((metric.text_of("type")?.to_lowercase(), value, metric.place().to_owned()))
            })
            .collect();
        let mut times: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        for (kind, ..) in &metrics {
            *times.entry(kind).or_default() += 1;
        }
        // With several results for one metric, nobody can tell which of them the files are about.
        for (kind, value, place) in metrics.iter().filter(|(kind, ..)| times.get(kind.as_str()) == Some(&1)) {
            let Some(own) = self.proven.results.get(kind).cloned() else { continue };
            if own.iter().any(|(own, _)| is_rounded(*value, *own)) {
                continue;
            }
            let shown: Vec<String> = own.iter().map(|(value, file)| format!("{file}: {value}")).collect();
            self.say(
                Severity::Medium,
                &Odd {
                    position: self.at(place),
                    subject: "model-index",
                    message: format!("the card's {kind} is {value}, and what the trainer wrote is not"),
                    evidence: shown.join("; "),
                    next: "find out which evaluation the card speaks of, and say so, or correct the number",
                    confidence: Confidence::Medium,
                },
            );
        }
    }

    fn rows(&mut self, folder: &Path) {
        for count in rows::compare(self.card, folder, self.proven) {
            self.say(
                Severity::Medium,
                &Odd {
                    position: self.at(&count.place),
                    subject: "num_examples",
                    message: format!(
                        "the card's split {} has {} examples, and its file has {}",
                        count.split, count.said, count.found
                    ),
                    evidence: count.file,
                    next: "write the count again, or find out which version of the data the card describes",
                    confidence: Confidence::High,
                },
            );
        }
    }

    fn links(&mut self, folder: &Path) {
        let mut all = markdown::links(&self.card.text)
            .into_iter()
            .map(|(link, offset)| (link, Position::Line(self.card.text_line_of(offset))))
            .collect::<Vec<_>>();
        if let Some(link) = self.card.root().text_of("license_link") {
            all.push((link.to_owned(), self.at("/license_link")));
        }
        for (link, position) in all {
            let Some(path) = local_target(&link) else { continue };
            if folder.join(&path).symlink_metadata().is_err() {
                self.say(
                    Severity::Low,
                    &Odd {
                        position,
                        subject: "link",
                        message: format!("the card links to '{path}', which is not there"),
                        evidence: link,
                        next: "add the file, or correct the link",
                        confidence: Confidence::High,
                    },
                );
            }
        }
    }
}

/// The licence that a card states.
pub(crate) fn stated(card: &Card) -> Option<Licence> {
    let root = card.root();
    let items: Vec<&str> = root.get("license")?.items().iter().filter_map(|node| node.text()).collect();
    let said = items.join(" OR ");
    (!said.is_empty()).then(|| licence::read(&said, root.text_of("license_name"), root.text_of("license_link")))
}

/// The path within the folder that a link leads to.
fn local_target(link: &str) -> Option<String> {
    let path = link.split(['#', '?']).next().unwrap_or_default().trim_start_matches("./");
    let is_elsewhere = link.contains(':') || link.starts_with(['/', '#', '<', '{']) || path.is_empty();
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    (!is_elsewhere && is_inside && path.len() < 1000).then(|| decoded(path))
}

/// A path of a link as it is on a disk: `%XX` are bytes.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

fn whole(count: f64) -> String {
    // Casts of numbers saturate.
    parameters(count.max(0.0) as u64)
}

fn is_whole(dtype: &str) -> bool {
    let first = dtype.to_ascii_uppercase();
    first.starts_with('I') || first.starts_with('U')
}

/// The element type that a word means.
fn dtype(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase().replace("torch.", "");
    let word = said.split(|letter: char| !letter.is_ascii_alphanumeric()).next()?;
    Some(match word {
        "bf16" | "bfloat16" => "BF16",
        "fp16" | "f16" | "float16" | "half" => "F16",
        "fp32" | "f32" | "float32" => "F32",
        "fp64" | "f64" | "float64" => "F64",
        _ => return None,
    })
}

/// Whether a number is another one, rounded, or told in per cent.
fn is_rounded(said: f64, own: f64) -> bool {
    let text = said.to_string();
    let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len().min(12));
    let step = 10_f64.powi(-(i32::try_from(digits).unwrap_or(12)));
    // A share that is told as 0 or 1 is told to two places at least.
    let step = if digits == 0 && said.abs() <= 1.0 { 0.01 } else { step };
    let in_percent = if own.abs() <= 1.0 { own * 100.0 } else { own / 100.0 };
    [own, in_percent].iter().any(|own| (said - own).abs() <= step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_rounded_and_links_may_leave() {
        assert!(is_rounded(0.91, 0.9123) && is_rounded(91.2, 0.9123) && !is_rounded(0.95, 0.9123));
        assert!(is_rounded(1.0, 0.997) && !is_rounded(1.0, 0.03) && !is_rounded(0.0, 0.9));
        assert_eq!(local_target("caf%C3%A9/a%28b%29.md").as_deref(), Some("café/a(b).md"));
        assert_eq!(local_target("./results/a%20b.md#top").as_deref(), Some("results/a b.md"));
        for link in ["https://x.example", "#top", "/abs", "../up", "mailto:a@b.c", ""] {
            assert_eq!(local_target(link), None, "{link}");
        }
    }
}
