//! Facts as lines, by kind. A kind without a section here is only in the JSON.

use serde::Serialize;
use waag_engine::output::text::{excerpt, offset_words, size};
use waag_engine::sanitize::sanitize;
use waag_formats::fact::{Callable, Effect, Fact, FactKind, Position, Standing, Tensor};

/// Characters of one text on a line.
const MAX_TEXT: usize = 160;
/// Dimensions of a shape on a line.
const MAX_DIMENSIONS: usize = 8;

/// One kind of facts.
pub(super) struct Section {
    /// Its heading.
    pub(super) title: &'static str,
    /// The lines for a fact of this kind. Safe to print.
    pub(super) line: fn(&Fact) -> Option<String>,
}

/// Every section, in the order in which they are shown.
pub(super) static SECTIONS: &[Section] = &[
    Section { title: "Properties", line: property },
    Section { title: "Metadata", line: metadata },
    Section { title: "Not known to be inert", line: suspect_callable },
    Section { title: "Carries code", line: code },
    Section { title: "Its source code", line: source_reach },
    Section { title: "Changes to what it did not make", line: mutation },
    Section { title: "Odd", line: anomaly },
    Section { title: "Not analysed", line: incomplete },
    Section { title: "Names outside itself", line: reference },
    Section { title: "Credentials", line: secret },
    Section { title: "Operators", line: operator },
    Section { title: "Known to be inert", line: inert_callable },
    Section { title: "What loading does", line: step },
    Section { title: "Template", line: template },
    Section { title: "The template reaches for", line: template_reach },
    Section { title: "Tensors", line: tensor },
];

fn property(fact: &Fact) -> Option<String> {
    let FactKind::Property { name, value } = &fact.kind else { return None };
    Some(format!("{}: {}", sanitize(name), excerpt(value, MAX_TEXT)))
}

fn metadata(fact: &Fact) -> Option<String> {
    let FactKind::Metadata { key, value } = &fact.kind else { return None };
    Some(format!("{}: {}", excerpt(key, MAX_TEXT), excerpt(value, MAX_TEXT)))
}

fn suspect_callable(fact: &Fact) -> Option<String> {
    let FactKind::Callable(callable) = &fact.kind else { return None };
    let standing = match &callable.standing {
        Standing::Inert { .. } => return None,
        Standing::Dangerous { effect, .. } => format!("DANGEROUS: {}", sanitize(effect)),
        Standing::Misused { expected } => format!("used otherwise than expected: {}", sanitize(expected)),
        Standing::Unlisted { library } => format!("on no list, from {}", excerpt(library, MAX_TEXT)),
        Standing::Unknown => "from a module nobody here knows".to_owned(),
        Standing::Computed => "its name is computed while loading".to_owned(),
    };
    let expression = excerpt(&callable.expression, MAX_TEXT);
    Some(format!("{}{}\n  {standing}\n  {expression}", callable_name(callable), at(fact)))
}

fn inert_callable(fact: &Fact) -> Option<String> {
    let FactKind::Callable(callable) = &fact.kind else { return None };
    let Standing::Inert { reason } = &callable.standing else { return None };
    Some(format!("{}: {}", callable_name(callable), sanitize(reason)))
}

fn callable_name(callable: &Callable) -> String {
    let name = format!("{}.{}", callable.module, callable.name);
    let times = if callable.count > 1 { format!(" ×{}", callable.count) } else { String::new() };
    format!("{} ({}{times})", excerpt(&name, MAX_TEXT), word(&callable.usage))
}

fn code(fact: &Fact) -> Option<String> {
    let FactKind::Code(code) = &fact.kind else { return None };
    let start =
        if code.excerpt.is_empty() { String::new() } else { format!("\n  {}", excerpt(&code.excerpt, MAX_TEXT)) };
    let (language, name, when) = (sanitize(&code.language), excerpt(&code.name, MAX_TEXT), word(&code.runs));
    Some(format!("{language} in {name}, run when {when}{}{start}", at(fact)))
}

fn source_reach(fact: &Fact) -> Option<String> {
    let FactKind::SourceReach { expression, reach, runs } = &fact.kind else { return None };
    let (reach, when) = (word(reach), word(runs));
    Some(format!("{reach}, run when {when}: {}{}", excerpt(expression, MAX_TEXT), at(fact)))
}

fn secret(fact: &Fact) -> Option<String> {
    let FactKind::Secret { kind, shown } = &fact.kind else { return None };
    Some(format!("{}: {}…{}", sanitize(kind), excerpt(shown, MAX_TEXT), at(fact)))
}

fn operator(fact: &Fact) -> Option<String> {
    let FactKind::Operator(operator) = &fact.kind else { return None };
    let domain = if operator.domain.is_empty() { String::new() } else { format!("{}::", operator.domain) };
    let name = excerpt(&format!("{domain}{}", operator.name), MAX_TEXT);
    let effect = match &operator.effect {
        Effect::Computes => String::new(),
        Effect::Custom => ": no runtime brings it".to_owned(),
        Effect::Reaches { what, .. } => format!(": DANGEROUS: {}", sanitize(what)),
    };
    Some(format!("{name} ×{}{effect}", operator.count))
}

fn mutation(fact: &Fact) -> Option<String> {
    let FactKind::Mutation { target, change } = &fact.kind else { return None };
    Some(format!("{}: {}{}", excerpt(target, MAX_TEXT), excerpt(change, MAX_TEXT), at(fact)))
}

fn anomaly(fact: &Fact) -> Option<String> {
    let FactKind::Anomaly { anomaly, detail } = &fact.kind else { return None };
    Some(format!("{}: {}{}", word(anomaly), excerpt(detail, MAX_TEXT), at(fact)))
}

fn incomplete(fact: &Fact) -> Option<String> {
    let FactKind::Incomplete { reason, detail } = &fact.kind else { return None };
    Some(format!("{}: {}{}", word(reason), excerpt(detail, MAX_TEXT), at(fact)))
}

fn reference(fact: &Fact) -> Option<String> {
    let FactKind::Reference { kind, target } = &fact.kind else { return None };
    Some(format!("{}: {}{}", word(kind), excerpt(target, MAX_TEXT), at(fact)))
}

fn step(fact: &Fact) -> Option<String> {
    let FactKind::Step { text } = &fact.kind else { return None };
    Some(excerpt(text, MAX_TEXT))
}

/// A template is a program of several lines: its own breaks stay, each line is made safe.
fn template(fact: &Fact) -> Option<String> {
    let FactKind::Template { name, text } = &fact.kind else { return None };
    let lines: Vec<String> = text.lines().map(sanitize).collect();
    Some(format!("{}:\n  {}", excerpt(name, MAX_TEXT), lines.join("\n  ")))
}

fn template_reach(fact: &Fact) -> Option<String> {
    let FactKind::TemplateReach { expression, reach } = &fact.kind else { return None };
    Some(format!("{}: {}{}", word(reach), excerpt(expression, MAX_TEXT), at(fact)))
}

fn tensor(fact: &Fact) -> Option<String> {
    let FactKind::Tensor(Tensor { name, dtype, shape, bytes }) = &fact.kind else { return None };
    let extents: Vec<String> = shape.iter().take(MAX_DIMENSIONS).map(u64::to_string).collect();
    let more = if shape.len() > MAX_DIMENSIONS { " × …" } else { "" };
    let shape = if extents.is_empty() { "scalar".to_owned() } else { extents.join(" × ") + more };
    let bytes = bytes.map(size).unwrap_or_default();
    Some(format!("{:<8} {shape:<20} {bytes:>10}  {}", excerpt(dtype, 24), excerpt(name, MAX_TEXT)))
}

fn at(fact: &Fact) -> String {
    match fact.position {
        Position::Whole => String::new(),
        Position::Offset(offset) => format!(" @ {}", offset_words(offset)),
        Position::Line(line) => format!(", line {line}"),
    }
}

/// The name of a value of the fixed vocabularies, as words.
fn word(value: &impl Serialize) -> String {
    let name = serde_json::to_value(value).ok();
    name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().replace('_', " ")
}
