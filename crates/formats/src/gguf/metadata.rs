//! Keys and values.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::reader::{MAX_KEPT, Reader, Text};
use super::vocabulary::Vocabulary;
use super::{DEFAULT_ALIGNMENT, types};
use crate::budget::Budget;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, MAX_TEXT, shorten};
use crate::jinja::inspect_template;
use crate::source::ReadError;

/// The longest key the specification allows.
const MAX_KEY: u64 = 65_535;
/// Arrays within arrays.
const MAX_DEPTH: u32 = 4;
/// Items of an array that are shown.
const SHOWN: u64 = 3;
/// Templates of one file.
const MAX_TEMPLATES: usize = 64;
/// Bytes of all of them together.
const MAX_TEMPLATE_BYTES: usize = 16 << 20;
/// Alignments above this are no alignments.
const MAX_ALIGNMENT: u64 = 1 << 16;
/// Keys that are compared with each other.
const MAX_KEYS: usize = 1 << 20;

pub(super) const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// What the rest of the file depends on.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) alignment: u64,
    /// Reading cannot go on: what comes next starts nobody knows where.
    pub(super) is_broken: bool,
    templates: Vec<(u64, String, String)>,
    held: usize,
}

impl Metadata {
    /// Analyses the templates.
    pub(super) fn report(&self, budget: &Budget, facts: &mut Facts) {
        for (offset, key, text) in &self.templates {
            inspect_template(text, key, Position::Offset(*offset), budget, facts);
        }
    }
}

/// A value, as text for people and as a number where it is one.
pub(super) struct Value {
    text: String,
    pub(super) number: Option<u64>,
    pub(super) kind: u32,
    /// The type of an array's items and how many there are.
    pub(super) items: Option<(u32, u64)>,
    template: Option<Text>,
}

impl Value {
    /// Whether it is an array of items of one of these types.
    pub(super) fn holds(&self, kinds: &[u32]) -> bool {
        self.items.is_some_and(|(kind, _)| kinds.contains(&kind))
    }
}

struct Pairs<'r, 'a, 'f> {
    reader: &'r mut Reader<'a>,
    budget: &'f Budget,
    facts: &'f mut Facts,
    keys: HashSet<u64>,
    vocabulary: Vocabulary,
    result: Metadata,
}

/// Reads all pairs. What was read before a break counts.
pub(super) fn read(
    reader: &mut Reader<'_>,
    count: u64,
    budget: &Budget,
    facts: &mut Facts,
) -> Result<Metadata, ReadError> {
    let result = Metadata { alignment: DEFAULT_ALIGNMENT, is_broken: false, templates: Vec::new(), held: 0 };
    let mut pairs = Pairs { reader, budget, facts, keys: HashSet::new(), vocabulary: Vocabulary::default(), result };
    for _ in 0..count {
        let start = pairs.reader.position();
        if let Err(limit) = budget.operate(1) {
            pairs.facts.incomplete(start, Gap::Limit, limit.to_string());
            pairs.result.is_broken = true;
            break;
        }
        match pairs.pair() {
            Ok(Some(())) => {}
            Ok(None) => {
                pairs.result.is_broken = true;
                break;
            }
            Err(error) => {
                super::failed(&error, pairs.reader.position(), pairs.facts);
                pairs.result.is_broken = true;
                break;
            }
        }
    }
    pairs.vocabulary.report(pairs.facts);
    Ok(pairs.result)
}

impl Pairs<'_, '_, '_> {
    fn pair(&mut self) -> Result<Option<()>, ReadError> {
        let start = self.reader.position();
        let key = self.reader.text(65_536)?;
        self.check_key(&key, start);
        let key = key.to_text();
        let at = self.reader.position();
        let kind = self.reader.u32()?;
        let is_template = key == "tokenizer.chat_template" || key.starts_with("tokenizer.chat_template.");
        let Some(value) = self.value(kind, at, is_template, MAX_DEPTH)? else { return Ok(None) };
        self.vocabulary.pair(at, &key, &value, self.facts);
        self.keep(at, key, value);
        Ok(Some(()))
    }

    fn check_key(&mut self, key: &Text, start: u64) {
        let shown = shorten(key.to_text().chars().take(101).collect(), 100);
        if key.length == 0 || key.length > MAX_KEY {
            self.facts.anomaly(start, Anomaly::Malformed, format!("a key of {} bytes", key.length));
        }
        if !key.bytes.iter().all(|byte| byte.is_ascii_graphic()) {
            let detail = format!("the key `{shown}` has characters other than visible ASCII");
            self.facts.anomaly(start, Anomaly::Malformed, detail);
        }
        let mut hasher = DefaultHasher::new();
        if key.bytes.windows(3).any(|part| part == b"../") || key.bytes.first() == Some(&b'/') {
            self.facts.anomaly(start, Anomaly::Malformed, format!("the key `{shown}` is a path"));
        }
        key.bytes.hash(&mut hasher);
        if self.keys.len() < MAX_KEYS && !self.keys.insert(hasher.finish()) {
            self.facts.anomaly(start, Anomaly::DuplicateName, format!("the key `{shown}` is there twice"));
        }
    }

    fn keep(&mut self, at: u64, key: String, value: Value) {
        let Value { text, number, kind, template, .. } = value;
        match (key.as_str(), number) {
            ("general.architecture", _) => self.facts.property("architecture", text.as_str()),
            ("general.name", _) => self.facts.property("name", text.as_str()),
            ("general.file_type", Some(number)) => {
                let name = types::file_type(number).map_or_else(|| format!("file type {number}"), str::to_owned);
                self.facts.property("quantization", name);
            }
            ("general.alignment", _) => self.align(at, number, kind),
            _ => {}
        }
        if let Some(template) = template {
            self.template(at, &key, &template);
        }
        let key = shorten(key, 300);
        self.facts.push(Position::Offset(at), FactKind::Metadata { key, value: text });
    }

    fn align(&mut self, at: u64, number: Option<u64>, kind: u32) {
        let good = |number: &u64| number.is_power_of_two() && number.is_multiple_of(8) && *number <= MAX_ALIGNMENT;
        match number.filter(good) {
            Some(number) if kind == 4 => self.result.alignment = number,
            _ => {
                let detail = "the alignment is not a 32-bit power of two that is a multiple of 8 and of sensible size";
                self.facts.anomaly(at, Anomaly::Malformed, detail);
            }
        }
    }

    fn template(&mut self, at: u64, key: &str, template: &Text) {
        let held = self.result.held.saturating_add(template.bytes.len());
        let has_room = self.result.templates.len() < MAX_TEMPLATES && held <= MAX_TEMPLATE_BYTES;
        if template.is_cut() || !has_room {
            self.facts.incomplete(at, Gap::Limit, format!("only part of `{}` is analysed", shorten(key.into(), 100)));
        }
        if has_room {
            self.result.held = held;
            self.result.templates.push((at, shorten(key.to_owned(), 300), template.to_text()));
        }
    }

    /// One value; `None` when its type is none that is known, so that nobody knows where it ends.
    fn value(&mut self, kind: u32, at: u64, is_template: bool, depth: u32) -> Result<Option<Value>, ReadError> {
        match (kind, width(kind)) {
            (STRING, _) => self.string(at, is_template).map(Some),
            (ARRAY, _) => self.array(at, is_template, depth),
            (_, Some(width)) => {
                let bits = self.reader.bits(width)?;
                if kind == 7 && bits > 1 {
                    self.facts.anomaly(at, Anomaly::Malformed, format!("a truth value of {bits}"));
                }
                let number = matches!(kind, 0 | 2 | 4 | 10).then_some(bits);
                Ok(Some(Value { text: number_text(kind, bits), number, kind, items: None, template: None }))
            }
            _ => {
                let detail =
                    format!("metadata of type {kind}, which no version of the format has; nothing after them is read");
                self.facts.anomaly(at, Anomaly::Malformed, detail);
                self.facts.incomplete(at, Gap::Unreadable, "what follows was not read");
                Ok(None)
            }
        }
    }

    fn string(&mut self, at: u64, is_template: bool) -> Result<Value, ReadError> {
        let text = self.reader.text(if is_template { MAX_KEPT } else { MAX_TEXT.saturating_mul(4) })?;
        if !text.is_utf8() {
            self.facts.anomaly(at, Anomaly::Malformed, "a text is not valid UTF-8");
        }
        let shown = shorten(text.to_text().chars().take(MAX_TEXT.saturating_add(1)).collect(), MAX_TEXT);
        Ok(Value { text: shown, number: None, kind: STRING, items: None, template: is_template.then_some(text) })
    }

    fn array(&mut self, at: u64, is_template: bool, depth: u32) -> Result<Option<Value>, ReadError> {
        let Some(depth) = depth.checked_sub(1) else {
            self.facts.incomplete(at, Gap::Depth, format!("more than {MAX_DEPTH} arrays within each other"));
            return Ok(None);
        };
        let kind = self.reader.u32()?;
        let count = self.reader.count()?;
        let least = width(kind).unwrap_or(4);
        let left = self.reader.remaining();
        if count.checked_mul(least).is_none_or(|bytes| bytes > left) {
            let detail = format!("an array claims {count} items, for which the {left} bytes left have no room");
            self.facts.anomaly(at, Anomaly::AllocationBomb, detail);
            return Ok(None);
        }
        let shown = match width(kind) {
            Some(width) => self.numbers(kind, count, width)?,
            None => match self.items(kind, at, count, is_template, depth)? {
                Some(shown) => shown,
                None => return Ok(None),
            },
        };
        let more = if count > SHOWN { ", …" } else { "" };
        let text = format!("{}[{count}]: {}{more}", name(kind), shown.join(", "));
        let items = Some((kind, count));
        Ok(Some(Value { text: shorten(text, MAX_TEXT), number: None, kind: ARRAY, items, template: None }))
    }

    fn numbers(&mut self, kind: u32, count: u64, width: u64) -> Result<Vec<String>, ReadError> {
        let mut shown = Vec::new();
        for _ in 0..count.min(SHOWN) {
            shown.push(number_text(kind, self.reader.bits(width)?));
        }
        self.reader.skip(count.saturating_sub(SHOWN).saturating_mul(width))?;
        Ok(shown)
    }

    /// Items of their own lengths. Items of a template's array are templates.
    fn items(
        &mut self,
        kind: u32,
        at: u64,
        count: u64,
        is_template: bool,
        depth: u32,
    ) -> Result<Option<Vec<String>>, ReadError> {
        let mut shown = Vec::new();
        for index in 0..count {
            if let Err(limit) = self.budget.operate(1) {
                self.facts.incomplete(at, Gap::Limit, limit.to_string());
                return Ok(None);
            }
            if kind == STRING && !is_template {
                let text = self.reader.text(100)?;
                if index < SHOWN {
                    shown.push(format!("{:?}", text.to_text()));
                }
                continue;
            }
            let Some(value) = self.value(kind, at, is_template, depth)? else { return Ok(None) };
            if let Some(template) = &value.template {
                self.template(at, &format!("tokenizer.chat_template[{index}]"), template);
            }
            if index < SHOWN {
                shown.push(shorten(value.text, 100));
            }
        }
        Ok(Some(shown))
    }
}

/// Bytes of a number of a kind.
fn width(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn name(kind: u32) -> &'static str {
    let names = ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"];
    usize::try_from(kind).ok().and_then(|kind| names.get(kind)).copied().unwrap_or("unknown")
}

/// A number of a kind from its bits; the narrowing is meant.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn number_text(kind: u32, bits: u64) -> String {
    match kind {
        1 => (bits as u8 as i8).to_string(),
        3 => (bits as u16 as i16).to_string(),
        5 => (bits as u32 as i32).to_string(),
        6 => f32::from_bits(bits as u32).to_string(),
        7 => (bits != 0).to_string(),
        11 => (bits as i64).to_string(),
        12 => f64::from_bits(bits).to_string(),
        _ => bits.to_string(),
    }
}
