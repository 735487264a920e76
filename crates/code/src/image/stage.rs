//! Stages: what they build on, and which of them are the image.

use std::collections::{BTreeMap, BTreeSet};

use super::instruction::{Instruction, Parsed};
use super::variables::{Variables, pairs};

/// Stages of a file that are read.
pub(super) const MAX_STAGES: usize = 200;

/// A stage.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    /// Its name, as others call it, in small letters.
    pub(super) name: Option<String>,
    /// What it builds on, with variables replaced.
    pub(super) base: String,
    /// Whether something in that is not known.
    pub(super) is_open: bool,
    /// The stage that it builds on, where that is none of others' images.
    pub(super) parent: Option<usize>,
    pub(super) from: &'a Instruction,
    pub(super) instructions: &'a [Instruction],
    /// Whether it is the image, or the image is built on it.
    pub(super) is_final: bool,
    /// What is known of variables, in all of it: what is set to something else on the way stands open.
    pub(super) variables: Variables,
    /// What is known of them at its end, for those that build on it.
    ending: Variables,
}

impl Stage<'_> {
    /// What it is called, for people.
    pub(super) fn told(&self, index: usize) -> String {
        self.name.clone().unwrap_or_else(|| (index + 1).to_string())
    }
}

/// The stages of a file.
pub(super) fn stages(parsed: &Parsed) -> Vec<Stage<'_>> {
    let mut outside = Variables::default();
    let mut stages: Vec<Stage<'_>> = Vec::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let starts: Vec<usize> = parsed
        .instructions
        .iter()
        .enumerate()
        .filter(|(_, one)| one.keyword == "FROM" && !one.is_for_later)
        .map(|(at, _)| at)
        .take(MAX_STAGES + 1)
        .collect();
    let before = starts.first().copied().unwrap_or(parsed.instructions.len());
    parsed.instructions[..before]
        .iter()
        .filter(|one| one.keyword == "ARG")
        .for_each(|one| drop(argument(one, &mut outside, None, parsed.escape)));
    for (index, &start) in starts.iter().enumerate().take(MAX_STAGES) {
        let end = starts.get(index + 1).copied().unwrap_or(parsed.instructions.len());
        let from = &parsed.instructions[start];
        let instructions = &parsed.instructions[start + 1..end];
        let mut words = from.text.text.split_whitespace();
        let written = words.next().unwrap_or_default();
        let name = words
            .next()
            .filter(|word| word.eq_ignore_ascii_case("as"))
            .and_then(|_| words.next())
            .map(str::to_ascii_lowercase);
        let replaced = outside.replace(written, parsed.escape);
        // A template has marks of its own.
        let is_open = replaced.is_none() || written.contains("{{");
        let base = replaced.unwrap_or_else(|| written.to_owned());
        let parent = names.get(&base.to_ascii_lowercase()).copied();
        let mut ending =
            parent.and_then(|parent| stages.get(parent)).map(|stage| stage.ending.clone()).unwrap_or_default();
        let changed = settings(instructions, &mut ending, &outside, parsed.escape);
        let mut variables = ending.clone();
        changed.iter().for_each(|name| variables.set(name, None));
        if let Some(name) = &name {
            names.insert(name.clone(), index);
        }
        stages.push(Stage { name, base, is_open, parent, from, instructions, is_final: false, variables, ending });
    }
    mark_final(&mut stages);
    stages
}

fn mark_final(stages: &mut [Stage<'_>]) {
    let mut at = stages.len().checked_sub(1);
    while let Some(stage) = at.and_then(|at| stages.get_mut(at)) {
        stage.is_final = true;
        at = stage.parent;
    }
}

/// `ARG` of a stage has the value of the one before the first stage, unless it has its own.
fn argument(one: &Instruction, variables: &mut Variables, outside: Option<&Variables>, escape: char) -> Vec<String> {
    let set = |(name, value): (String, Option<String>)| {
        let value = match value {
            Some(value) => variables.replace(&value, escape),
            None => outside.and_then(|outside| outside.get(&name)).map(str::to_owned),
        };
        changed(variables, name, value)
    };
    pairs(&one.text.text).into_iter().filter_map(set).collect()
}

/// Sets a name; gives it back where it stood for something else before.
fn changed(variables: &mut Variables, name: String, value: Option<String>) -> Option<String> {
    let is_other = variables.get(&name).is_some_and(|old| Some(old) != value.as_deref());
    variables.set(&name, value);
    is_other.then_some(name)
}

/// Goes through what a stage sets. Gives the names that do not stand for the same in all of it.
fn settings(
    instructions: &[Instruction],
    variables: &mut Variables,
    outside: &Variables,
    escape: char,
) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for one in instructions.iter().filter(|one| !one.is_for_later) {
        match one.keyword.as_str() {
            "ARG" => all.extend(argument(one, variables, Some(outside), escape)),
            "ENV" => {
                for (name, value) in pairs(&one.text.text) {
                    let value = variables.replace(&value.unwrap_or_default(), escape);
                    all.extend(changed(variables, name, value));
                }
            }
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::instruction::parse;

    #[test]
    fn arguments_names_and_the_stages_that_are_the_image() {
        let parsed = parse(
            "ARG V=3.11\nARG OUT\nFROM python:${V}-slim AS Base\nARG V\nENV W=$V\nFROM $OUT AS build\nFROM base\nRUN x\n",
        );
        let shown: Vec<String> = stages(&parsed)
            .iter()
            .map(|one| {
                format!("{} {:?} {:?} {} {:?}", one.base, one.name, one.parent, one.is_final, one.variables.get("W"))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "python:3.11-slim Some(\"base\") None true Some(\"3.11\")",
                "$OUT Some(\"build\") None false None",
                "base None Some(0) true Some(\"3.11\")"
            ]
        );
    }

    #[test]
    fn what_is_set_twice_is_known_only_afterwards() {
        let parsed = parse("FROM a AS b\nENV T=1\nENV U=$T\nENV T=2 V=3\nFROM b\nENV V=3\n");
        let stages = stages(&parsed);
        let known = |stage: usize, name: &str| stages[stage].variables.get(name).map(str::to_owned);
        assert_eq!((known(0, "T"), known(0, "U")), (None, Some("1".to_owned())));
        assert_eq!((known(1, "T"), known(1, "V")), (Some("2".to_owned()), Some("3".to_owned())));
    }
}
