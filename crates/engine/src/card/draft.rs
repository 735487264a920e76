//! A first card from what files prove. What only a person can say is marked with `TODO`, which a check does not take for an
//! answer; nothing is invented.

use std::fmt::Write as _;
use std::path::Path;

use rayon::prelude::*;

use super::architecture;
use super::files::{Proven, prove};
use super::read::Kind;
use super::sections::wanted;
use crate::import::identity::{is_id, is_local};
use crate::io::{FileSource, sha256};
use crate::licence::terms::{Terms, of_expression};
use crate::output::text;
use crate::sanitize::sanitize;

/// Files that a draft lists with their digests.
const MAX_LISTED: usize = 200;
/// Values of one kind that a draft lists.
const MAX_VALUES: usize = 50;

/// A draft for a folder, and what it was made from.
#[derive(Debug)]
pub struct Draft {
    /// What it describes.
    pub kind: Kind,
    /// The whole card.
    pub text: String,
    /// How many places a person has to fill in.
    pub todos: usize,
    /// Files that were read for it.
    pub read: Vec<String>,
    /// Files that could not be read, and why.
    pub unread: Vec<(String, String)>,
}

/// Drafts the card of a folder. Files of weights are digested.
#[must_use]
pub fn draft(folder: &Path, kind: Option<Kind>) -> Draft {
    let proven = prove(folder);
    let kind = kind.unwrap_or(if proven.is_dataset() { Kind::Dataset } else { Kind::Model });
    let mut text = String::from("---\n");
    values(&mut text, kind, &proven);
    text.push_str("---\n\n");
    let _ = writeln!(text, "# {}\n", title(folder, &proven));
    sections(&mut text, kind, &proven);
    files(&mut text, folder, &proven);
    let todos = text.matches("TODO").count();
    Draft { kind, text, todos, read: proven.read, unread: proven.unread }
}

/// A name that the files or the folder give.
fn title(folder: &Path, proven: &Proven) -> String {
    let own = proven.own_names.first().map(|told| told.value.clone());
    let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let cached = crate::import::identity::cache_identity(&whole).map(|identity| identity.name().to_owned());
    let last = whole.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = cached.or(own).or(last).unwrap_or_else(|| "Model".to_owned());
    words(&name)
}

/// Text for Markdown that means nothing but itself.
fn words(text: &str) -> String {
    let safe = sanitize(text);
    safe.chars()
        .flat_map(|letter| {
            let escape = matches!(letter, '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '#' | '|').then_some('\\');
            escape.into_iter().chain([letter])
        })
        .collect()
}

fn code(text: &str) -> String {
    format!("`{}`", sanitize(text).replace('`', "'").replace('|', "¦"))
}

/// A scalar of YAML that is read as the text that it is.
fn scalar(value: &str) -> String {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
        && value.starts_with(|first: char| first.is_ascii_alphabetic())
        && !["no", "yes", "on", "off", "true", "false", "null", "y", "n"]
            .contains(&value.to_ascii_lowercase().as_str());
    if is_plain { value.to_owned() } else { serde_json::to_string(&sanitize(value)).unwrap_or_default() }
}

fn values(out: &mut String, kind: Kind, proven: &Proven) {
    licence(out, proven);
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line("# TODO language: codes of ISO 639, such as en; leave it out where there is no language in it");
    if kind == Kind::Dataset {
        line("# TODO task_categories: tasks that it is for, such as text-classification");
        return;
    }
    match proven.library() {
        Some(library) => line(&format!("library_name: {library}")),
        None => line("# TODO library_name: the library that loads it"),
    }
    match task(proven) {
        Some(task) => line(&format!("pipeline_tag: {task}")),
        None => line("# TODO pipeline_tag: the task that it does, such as text-generation"),
    }
    bases(out, proven);
    out.push_str("# TODO datasets: what it was trained on, by owner/name\n");
}

fn task(proven: &Proven) -> Option<&'static str> {
    proven
        .architectures
        .iter()
        .find_map(|told| architecture::tasks(&told.value))
        .and_then(|tasks| tasks.first().copied())
}

/// The licence, where a file says it: as the Hub names it, or as `other` with its name and file.
fn licence(out: &mut String, proven: &Proven) {
    let texts = || proven.licence_texts.iter().filter_map(|(file, text)| Some((file, text.as_ref()?)));
    let is_one = |id: &str| proven.text_licence().is_some_and(|all| all == id);
    let text = texts().next().filter(|(_, text)| is_one(&text.id));
    let by_text = text.and_then(|(file, text)| Some((of_expression(&text.id)?, file.as_str())));
    let stated = proven.licences.iter().filter(|(_, licence)| licence.ids().len() == 1);
    let stated =
        stated.filter_map(|(told, licence)| Some((of_expression(licence.ids().first()?)?, told.file.as_str())));
    match by_text.or_else(|| stated.into_iter().next()) {
        Some((terms, file)) => stated_licence(out, terms, file),
        None => {
            out.push_str("# TODO license: an id of the Hub or of SPDX, such as apache-2.0; no file here says which\n")
        }
    }
}

fn stated_licence(out: &mut String, terms: &Terms, file: &str) {
    match terms.hub.as_deref().filter(|_| !terms.own) {
        Some(hub) => {
            let _ = writeln!(out, "license: {}", scalar(hub));
        }
        None => {
            let name = terms.hub.as_deref().unwrap_or(terms.id());
            let _ = writeln!(out, "license: other\nlicense_name: {}\nlicense_link: {}", scalar(name), scalar(file));
        }
    }
}

fn bases(out: &mut String, proven: &Proven) {
    let named: Vec<&str> = proven.bases.iter().map(|base| base.value.as_str()).collect();
    let mut usable: Vec<&str> = named.iter().copied().filter(|base| is_id(base) && !is_local(base)).collect();
    usable.dedup();
    usable.truncate(MAX_VALUES);
    // What it was loaded from is a hint for a person, and no claim.
    let is_claim = proven.bases.iter().any(|base| base.place != "/_name_or_path");
    match usable.as_slice() {
        [] => out.push_str(
            "# TODO base_model: what it was made from, by owner/name; leave it out where it was made from nothing\n",
        ),
        _ if !is_claim => {
            let _ = writeln!(
                out,
                "# TODO base_model: config.json was loaded from {}; say whether it was made from it",
                scalar(usable[0])
            );
        }
        [only] => {
            let _ = writeln!(out, "base_model: {}", scalar(only));
        }
        several => {
            out.push_str("base_model:\n");
            several.iter().for_each(|base| out.push_str(&format!("- {}\n", scalar(base))));
        }
    }
    if proven.adapter.is_some() && is_claim && !usable.is_empty() {
        out.push_str("base_model_relation: adapter\n");
    }
}

fn sections(out: &mut String, kind: Kind, proven: &Proven) {
    for section in wanted(kind) {
        let _ = writeln!(out, "## {}\n", section.heading);
        if section.id == "description" {
            facts(out, proven);
        }
        if section.id == "structure" && !proven.data.is_empty() {
            let shown: Vec<String> = proven.data.iter().take(MAX_VALUES).map(|name| code(name)).collect();
            let _ = writeln!(out, "Files: {}\n", shown.join(", "));
        }
        let _ = writeln!(out, "<!-- TODO: {} -->\n", section.asks);
        if section.id == "training-data" && !proven.training.is_empty() {
            out.push_str("### Arguments of the training\n\n");
            for told in proven.training.iter().take(MAX_VALUES) {
                let _ = writeln!(out, "- {} (from {})", code(&told.value), code(&told.file));
            }
            out.push('\n');
        }
        if section.id == "evaluation" {
            results(out, proven);
        }
    }
}

/// What the files prove, one labelled line for each.
fn facts(out: &mut String, proven: &Proven) {
    for (label, value) in rows(proven) {
        let _ = writeln!(out, "- **{label}:** {value}");
    }
    out.push('\n');
}

fn rows(proven: &Proven) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let architectures: Vec<String> =
        proven.architectures.iter().take(MAX_VALUES).map(|told| code(&told.value)).collect();
    if !architectures.is_empty() {
        rows.push(("Architecture", architectures.join(", ")));
    }
    if let Some(count) = proven.parameters.filter(|_| proven.adapter.is_none() && proven.quantisation.is_none()) {
        rows.push(("Parameters", count.to_string()));
    }
    if !proven.dtypes.is_empty() {
        let dtypes: Vec<String> = proven.dtypes.keys().map(|dtype| words(dtype)).collect();
        rows.push(("Tensor type", dtypes.join(", ")));
    }
    let told = [
        ("Context length", &proven.context),
        ("Tokenizer", &proven.tokenizer),
        ("Quantisation", &proven.quantisation),
        ("Adapter", &proven.adapter),
    ];
    rows.extend(told.into_iter().filter_map(|(label, told)| Some((label, code(&told.as_ref()?.value)))));
    rows
}

fn results(out: &mut String, proven: &Proven) {
    if proven.results.is_empty() {
        return;
    }
    out.push_str("| Metric | Value | Written by the trainer to |\n|---|---|---|\n");
    for (metric, values) in proven.results.iter().take(MAX_VALUES) {
        for (value, file) in values.iter().take(1) {
            let _ = writeln!(out, "| {} | {value} | {} |", code(metric), code(file));
        }
    }
    out.push('\n');
}

/// Files of weights with their digests.
fn files(out: &mut String, folder: &Path, proven: &Proven) {
    let names: Vec<&String> = proven.weights.iter().take(MAX_LISTED).collect();
    if names.is_empty() {
        return;
    }
    let digested: Vec<(&String, String, String)> = names
        .into_par_iter()
        .map(|name| {
            let digest = FileSource::open(&folder.join(name)).map_err(|error| error.to_string()).and_then(|source| {
                Ok((waag_formats::source::Source::len(&source), sha256(&source).map_err(|error| error.to_string())?))
            });
            match digest {
                Ok((size, digest)) => (name, text::size(size), digest.to_string()),
                Err(why) => (name, String::new(), format!("not read: {}", sanitize(&why))),
            }
        })
        .collect();
    out.push_str("## Files\n\n| File | Size | SHA-256 |\n|---|---|---|\n");
    for (name, size, digest) in digested {
        let _ = writeln!(out, "| {} | {size} | `{digest}` |", code(name));
    }
    if proven.weights.len() > MAX_LISTED {
        let _ = writeln!(out, "\nAnd {} more.", proven.weights.len() - MAX_LISTED);
    }
}
