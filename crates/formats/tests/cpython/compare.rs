//! What has to hold between CPython's readings of a program and our facts about it.

use std::collections::BTreeMap;

use waag_formats::fact::{Anomaly, FactKind, Standing, Usage};
use waag_formats::facts::Facts;

use crate::oracle::{Event, Reading};

/// The module whose stubs are reached through the extension registry, and the one of persistent ids: neither is a
/// name in the program, so what is done to them has no name in our facts either.
const NAMELESS: [&str; 2] = ["waag_oracle_ext", "persistent"];

/// A text in which what is no character, such as half of a pair, counts once however it was decoded.
fn readable(text: &str) -> String {
    let mut readable = String::new();
    for character in text.chars() {
        if character != char::REPLACEMENT_CHARACTER || !readable.ends_with(character) {
            readable.push(character);
        }
    }
    readable
}

/// Our facts, as they are asked for here.
#[derive(Default)]
struct Reported {
    /// Uses of each callable, by whether they are calls.
    named: BTreeMap<(String, String), u64>,
    /// Uses of what has no name.
    computed: u64,
    /// Things changed that the program did not make, readable.
    mutations: Vec<String>,
    /// Whether anything says that readers differ, or that they stop.
    differs: bool,
    /// Whether anything says that they differ at the ends of frames.
    frames: bool,
}

impl Reported {
    fn new(facts: &Facts) -> Self {
        let mut reported = Self::default();
        for fact in facts.list() {
            match &fact.kind {
                FactKind::Callable(callable) => {
                    let calls = if matches!(callable.usage, Usage::Reduce | Usage::New) { callable.count } else { 0 };
                    if callable.standing == Standing::Computed {
                        reported.computed += callable.count;
                    }
                    *reported.named.entry((readable(&callable.module), readable(&callable.name))).or_default() += calls;
                }
                FactKind::Mutation { target, change } => reported.mutations.push(format!("{target} {change}")),
                FactKind::Anomaly { anomaly: Anomaly::ReaderDisagreement | Anomaly::Broken, detail } => {
                    reported.differs = true;
                    reported.frames |= detail.contains("frame");
                }
                _ => {}
            }
        }
        reported
    }
}

/// Every way in which our facts fall short of what the readers did; none when all is well.
pub(crate) fn differences(readings: &[Reading; 4], facts: &Facts) -> Vec<String> {
    let reported = Reported::new(facts);
    let [plain, ahead, python, tools] = readings;
    let mut kinds = Vec::new();
    unreported("C with look-ahead", ahead, &reported, &mut kinds);
    // Past the end of a frame that lies, a reader without look-ahead drops bytes: what is left is another program,
    // which is said, not followed.
    if !reported.frames {
        unreported("C", plain, &reported, &mut kinds);
    }
    if !reported.differs && !readings.iter().any(Reading::is_given_up) {
        unreported("pure Python", python, &reported, &mut kinds);
        for (what, one, other) in
            [("C with and without look-ahead", plain, ahead), ("C and pure Python", plain, python)]
        {
            if one.events != other.events {
                kinds.push(format!("{what} do different things, and no anomaly says so"));
            } else if one.is_finished() != other.is_finished() {
                let who = if one.is_finished() { "the latter" } else { "the former" };
                kinds.push(format!("{what}: only {who} stops with an error, and no anomaly says so"));
            }
        }
        if plain.is_finished() && !tools.is_finished() {
            kinds.push("pickletools fails where C does not, and no anomaly says so".to_owned());
        }
    }
    kinds.sort();
    kinds.dedup();
    kinds
}

/// What a reader did that is not among our facts.
fn unreported(reader: &str, reading: &Reading, reported: &Reported, kinds: &mut Vec<String>) {
    let mut calls: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut nameless = 0;
    for event in &reading.events {
        match event {
            Event::LookUp { module, .. } if NAMELESS.contains(&module.as_str()) => nameless += 1,
            Event::LookUp { module, name } => {
                if !reported.named.contains_key(&(readable(module), readable(name))) {
                    kinds.push(format!("{reader} looks up what is not reported"));
                }
            }
            Event::Call { module, depth, .. } if *depth > 0 || NAMELESS.contains(&module.as_str()) => nameless += 1,
            Event::Call { module, name, .. } => *calls.entry((readable(module), readable(name))).or_default() += 1,
            // What an unlisted call returns is as bad as the call, which is reported.
            Event::Change { module, name, depth: 0, method } => {
                let is_it = |text: &String| NAMELESS.contains(&module.as_str()) || text.contains(name.as_str());
                if !reported.mutations.iter().any(is_it) {
                    kinds.push(format!("{reader} changes what is not reported as changed, by {method}"));
                }
            }
            Event::Change { .. } | Event::Persistent => {}
        }
    }
    if nameless > reported.computed {
        kinds.push(format!("{reader} uses what has no name more often than is reported"));
    }
    for (called, count) in calls {
        if reported.named.get(&called).is_none_or(|reported| *reported < count) {
            kinds.push(format!("{reader} calls more often than is reported"));
        }
    }
}
