//! A card laid out for a terminal: what it says of the model beside what the files say, and then its text.

use std::io::{self, Write};

use super::examine::Examined;
use super::files::Told;
use super::markdown;
use crate::import::document::Node;
use crate::output::Style;
use crate::output::text::{HEADING, Painted, QUIET, excerpt, parameters};
use crate::sanitize::sanitize;

/// Columns of one value.
const MAX_VALUE: usize = 60;
/// Items of one list.
const MAX_ITEMS: usize = 8;

/// Writes a model or dataset: its facts, and the text of its card.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(examined: &Examined, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let rows = rows(examined);
    let width = |column: fn(&Row) -> &str| rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0);
    let (label, said) = (width(|row| row.label), width(|row| &row.said).max("the card says".len()));
    let place = examined.card.as_ref().map_or("no card", |card| card.shown.as_str());
    writeln!(out, "{}", Painted(style.color, HEADING, format!("{} ({})", sanitize(place), examined.kind.name())))?;
    writeln!(out)?;
    let heads = format!("{:label$}  {:said$}  the files say", "", "the card says");
    writeln!(out, "{}", Painted(style.color, QUIET, heads))?;
    for row in &rows {
        writeln!(out, "{}", format!("{:label$}  {:said$}  {}", row.label, row.said, row.proven).trim_end())?;
    }
    if let Some(completeness) = examined.completeness {
        writeln!(out, "\n{} of {} sections and values are filled in", completeness.filled, completeness.wanted)?;
    }
    if let Some(card) = &examined.card
        && !card.text.trim().is_empty()
    {
        writeln!(out, "\n{}\n", "─".repeat(style.width.min(20)))?;
        write!(out, "{}", markdown::render(&card.text, style.width, style.color))?;
    }
    Ok(())
}

/// One line: a fact, as the card says it, and as the files do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// What it is about.
    pub label: &'static str,
    /// What the card says; empty where it says nothing.
    pub said: String,
    /// What the files say.
    pub proven: String,
}

/// What the card says beside what the files say, sanitized and cut to a readable length.
#[must_use]
pub fn rows(examined: &Examined) -> Vec<Row> {
    let proven = &examined.proven;
    let root = examined.card.as_ref().map(super::read::Card::root);
    let said = |key: &str| root.as_ref().map(|root| list(&root.list(key))).unwrap_or_default();
    let told = |told: &[Told]| join(told.iter().map(|told| told.value.clone()));
    let one = |told: &Option<Told>| told.as_ref().map(|told| cut(&told.value)).unwrap_or_default();
    let dtypes = join(proven.dtypes.iter().map(|(dtype, count)| format!("{dtype} {}", parameters(*count))));
    let texts = proven.licence_texts.iter().map(|(file, text)| match text {
        Some(text) => format!("{} ({file})", text.id),
        None => format!("not recognised ({file})"),
    });
    let licences =
        texts.chain(proven.licences.iter().map(|(told, licence)| format!("{} ({})", licence.shown(), told.file)));
    let name = examined.card.as_ref().and_then(super::read::Card::name).map(|name| cut(&name)).unwrap_or_default();
    let counted = proven
        .parameters
        .map(parameters)
        .or_else(|| proven.uncounted.as_ref().map(|why| format!("not counted: {why}")));
    let rows = [
        ("name", name, told(&proven.own_names)),
        ("licence", said("license"), join(licences)),
        ("task", said("pipeline_tag") + &said("task_categories"), told(&proven.architectures)),
        ("library", said("library_name"), proven.library().unwrap_or_default().to_owned()),
        ("base model", said("base_model"), told(&proven.bases)),
        ("datasets", said("datasets"), String::new()),
        ("languages", said("language"), String::new()),
        ("parameters", String::new(), cut(&counted.unwrap_or_default())),
        ("element types", String::new(), dtypes),
        ("context", String::new(), one(&proven.context)),
        ("tokenizer", String::new(), one(&proven.tokenizer)),
        ("quantisation", String::new(), one(&proven.quantisation)),
        ("adapter", String::new(), one(&proven.adapter)),
        ("data files", String::new(), join(proven.data.iter().cloned())),
    ];
    let rows = rows.into_iter().map(|(label, said, proven)| Row { label, said, proven });
    rows.filter(|row| !row.said.is_empty() || !row.proven.is_empty()).collect()
}

fn list(nodes: &[Node<'_>]) -> String {
    join(nodes.iter().filter_map(Node::scalar))
}

fn join(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    items.dedup();
    let more = items.len().saturating_sub(MAX_ITEMS);
    items.truncate(MAX_ITEMS);
    let text = items.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() };
    cut(&text)
}

fn cut(text: &str) -> String {
    excerpt(&sanitize(text.trim()), MAX_VALUE)
}
