//! YAML files, and the YAML at the start of a model card: read as configurations, whatever they are called.

use std::borrow::Cow;

use super::templates::Templates;
use super::{MAX_BYTES, Stop, lines, walk};
use crate::child::Role;
use crate::configuration::Observers;
use crate::fact::{Anomaly, Gap};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};
use crate::text::is_text;

/// Line breaks of YAML 1.1, which Python reads, that are ordinary characters in YAML 1.2.
const OLD_BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];
/// Endings of files whose first lines may be YAML, between lines of dashes.
const CARDS: &[&str] = &["md", "markdown"];
/// Names without an ending that are YAML.
const NAMES: &[&str] = &["MLmodel", "MLproject", "keras_module.txt", "pickle_module_info.txt"];
/// Endings that promise nothing, so that what the text says counts.
const OPEN: &[&str] = &["", "conf", "config", "dat", "hparams", "json", "model", "params", "txt"];
/// Words by which YAML for loaders is told under a name that promises nothing.
const TELLING: &[&str] =
    &["!!python/", "tag:yaml.org,2002:python/", "\n_target_:", "  _target_: ", "!!javax.", "!ruby/"];

static META: Meta = Meta {
    id: "yaml",
    title: "YAML",
    extensions: &["yaml", "yml", "md"],
    depth: Depth::Surface,
    reads: "every value of every document, with tags, aliases and merge keys resolved; of a model card, what stands before its text",
    specification: "https://yaml.org/spec/1.2.2/",
};

/// The format.
#[derive(Debug)]
pub struct Yaml;

impl Format for Yaml {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role != Role::Unknown || !is_readable(&probe.head) {
            return None;
        }
        let name = probe.name.rsplit(['/', '\\', '!']).next().unwrap_or_default();
        let ending = probe.extension();
        if CARDS.contains(&ending.as_str()) {
            return starts_with_dashes(&probe.head).then_some(Certainty::Likely);
        }
        if matches!(ending.as_str(), "yaml" | "yml") || NAMES.contains(&name) {
            return Some(Certainty::Likely);
        }
        (OPEN.contains(&ending.as_str()) && looks_like_yaml(&probe.head)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let bytes = read_up_to(source, 0, MAX_BYTES);
        if source.len() > bytes.len() as u64 {
            let detail = format!("only the first {} bytes are read as YAML", bytes.len());
            facts.incomplete(bytes.len() as u64, Gap::Limit, detail);
        }
        let text = decoded(&bytes);
        let ending = crate::format::extension(context.name);
        let range = if CARDS.contains(&ending.as_str()) { find_front_matter(&text) } else { Some((0, text.len())) };
        let Some((start, end)) = range else { return };
        inspect_text(text.get(start..end).unwrap_or_default(), start as u64, context, facts);
    }
}

/// Reads a text as YAML and looks for instructions in it.
fn inspect_text(text: &str, base: u64, context: &Context<'_>, facts: &mut Facts) {
    let mut observers = Observers::new(context.name);
    let mut templates = Templates::default();
    let outcome = walk(text, base, context.budget, &mut |tag, event| {
        templates.event(event);
        observers.tagged(tag, event, facts);
    });
    templates.inspect(context.budget, facts);
    if text.contains(OLD_BREAKS) {
        // What is a comment to the one reader is a line of its own to the other.
        let broken: String = text.chars().map(|c| if OLD_BREAKS.contains(&c) { '\n' } else { c }).collect();
        walk(&broken, base, context.budget, &mut |tag, event| observers.tagged(tag, event, facts));
    }
    if let Some(at) = text.find('\0') {
        let offset = base.saturating_add(at as u64);
        facts.anomaly(offset, Anomaly::HiddenContent, "what starts as text goes on as binary data");
        lines::search(text, at, base, context.budget, &mut |tag, event| observers.tagged(tag, event, facts));
    }
    observers.finish(facts);
    if outcome.documents > 1 {
        facts.property("documents", outcome.documents.to_string());
    }
    // Of a card nothing is loaded but its names: one that does not parse is untidy, and has been searched.
    let is_card = CARDS.contains(&crate::format::extension(context.name).as_str());
    if !(is_card && matches!(outcome.stopped, Some((_, Stop::Broken(_))))) {
        outcome.report(facts);
    }
}

/// UTF-8, or UTF-16 when a byte order mark says so, as YAML's readers take it.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let from: fn([u8; 2]) -> u16 = match bytes {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return String::from_utf8_lossy(bytes),
    };
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(from));
    Cow::Owned(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

fn is_readable(head: &[u8]) -> bool {
    is_text(head) || matches!(head, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])
}

/// Whether the start of a text holds what only YAML for loaders holds.
fn looks_like_yaml(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    TELLING.iter().any(|word| head.contains(word)) || head.starts_with("_target_:") || head.starts_with("%YAML")
}

/// Looks for tags in a text that is read as something else: what ends in `.cfg` may be YAML to whoever loads it.
pub(crate) fn search_tags(text: &str, context: &Context<'_>, facts: &mut Facts) {
    if !TELLING.iter().any(|word| text.contains(word)) {
        return;
    }
    let mut observers = Observers::new(context.name);
    let mut at = 0usize;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with(['#', ';']) {
            lines::search(line, 0, at as u64, context.budget, &mut |tag, event| {
                if tag.is_some() {
                    observers.tagged(tag, event, facts);
                }
            });
        }
        at = at.saturating_add(line.len());
    }
    observers.finish(facts);
}

fn starts_with_dashes(head: &[u8]) -> bool {
    let head = head.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(head);
    head.starts_with(b"---\n") || head.starts_with(b"---\r\n")
}

/// Where the YAML before a text is: between a first line of dashes and the next one.
#[must_use]
pub(super) fn find_front_matter(text: &str) -> Option<(usize, usize)> {
    let mark = text.len().saturating_sub(text.trim_start_matches('\u{FEFF}').len());
    let mut at = mark;
    let mut start = None;
    for line in text.get(mark..)?.split_inclusive('\n') {
        let is_dashes = line.trim_end() == "---";
        match start {
            None if !is_dashes => return None,
            Some(start) if is_dashes => return Some((start, at)),
            _ => {}
        }
        at = at.saturating_add(line.len());
        start = start.or(Some(at));
    }
    None
}
