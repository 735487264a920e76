//! What may stand in any text, whatever its format: credentials, and in metadata addresses that a model has no use for.

use std::collections::BTreeSet;

use crate::budget::Budget;
use crate::child::Role;
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind, SourceReach};
use crate::facts::Facts;
use crate::format::{Context, Format};
use crate::source::{Source, Window, read_up_to};
use crate::text::is_text;
use crate::{address, carried, commands, numbers, python, secrets};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Bytes by which the start of a file is told to be text.
const HEAD: usize = 4096;
/// Things of one kind that are told of one file.
const MAX_FOUND: usize = 50;
/// Starts of formats that begin as text and go on as bytes: FITS, RTF.
const TEXT_THEN_BYTES: &[&[u8]] = &[b"SIMPLE  =   ", b"{\\rtf1"];
/// Bytes of a script that are looked at for commands.
const MAX_SCRIPT: usize = 1 << 20;

/// Looks at numbers of no known format: the storage of a tensor whose kind stands in another member.
pub fn storage(source: &dyn Source, budget: &Budget, facts: &mut Facts) {
    numbers::storage(source, budget, facts);
}

/// Looks through an artifact that was read.
pub fn observe(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    if context.role == Role::Numbers {
        return;
    }
    metadata(context.budget, facts);
    let head = read_up_to(source, 0, HEAD);
    if !head.is_empty() && is_text(&head) {
        text(source, context, facts);
    }
}

/// Texts that a format carries beside its numbers.
fn metadata(budget: &Budget, facts: &mut Facts) {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for fact in facts.list() {
        let FactKind::Metadata { key, value } = &fact.kind else { continue };
        if let Some(target) = address::find(value).filter(|target| seen.insert(target.clone())) {
            found.push((fact.position, FactKind::Reference { kind: ReferenceKind::Address, target }));
        }
        for secret in secrets::find(value.as_bytes(), value.len()) {
            found.push((fact.position, FactKind::Secret { kind: secret.kind.into(), shown: secret.shown }));
        }
        if let Some(program) = carried::judge(value, budget) {
            let detail = format!("the description '{key}' holds {program}");
            found.push((fact.position, FactKind::Anomaly { anomaly: Anomaly::HiddenContent, detail }));
        }
        if found.len() > MAX_FOUND {
            break;
        }
    }
    for (position, kind) in found {
        facts.push(position, kind);
    }
}

/// A text as a whole, piece by piece. What stands in metadata is told twice, once with each place, so those are skipped.
fn text(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let known: BTreeSet<String> = facts.list().iter().filter_map(shown).collect();
    let head = read_up_to(source, 0, 16);
    let mut is_told = has_hidden(facts) || TEXT_THEN_BYTES.iter().any(|start| head.starts_with(start));
    let (mut at, mut count) = (0u64, 0usize);
    loop {
        if let Err(limit) = context.budget.operate(1) {
            return facts.incomplete(at, Gap::Limit, limit.to_string());
        }
        let bytes = read_up_to(source, at, CHUNK.saturating_add(secrets::REACH));
        if let Some(nul) = bytes.iter().position(|byte| *byte == 0).filter(|_| !is_told) {
            is_told = true;
            let offset = at.saturating_add(nul as u64);
            facts.anomaly(offset, Anomaly::HiddenContent, "what starts as text goes on as binary data");
        }
        for secret in secrets::find(&bytes, CHUNK) {
            count = count.saturating_add(1);
            if count <= MAX_FOUND && !known.contains(&secret.shown) {
                let position = Position::Offset(at.saturating_add(secret.at as u64));
                facts.push(position, FactKind::Secret { kind: secret.kind.into(), shown: secret.shown });
            }
        }
        at = at.saturating_add(CHUNK as u64);
        if bytes.len() <= CHUNK {
            return;
        }
    }
}

/// Whether it is said already that the content is not what its start is.
fn has_hidden(facts: &Facts) -> bool {
    facts.list().iter().any(|fact| match &fact.kind {
        FactKind::Anomaly { anomaly, .. } => matches!(anomaly, Anomaly::HiddenContent | Anomaly::TrailingBytes),
        _ => false,
    })
}

fn shown(fact: &crate::fact::Fact) -> Option<String> {
    match &fact.kind {
        FactKind::Secret { shown, .. } => Some(shown.clone()),
        _ => None,
    }
}

/// What a text would do as a program: for texts whose names promise weights, where nobody looks for one.
pub fn program(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let mut found = Facts::new();
    python::PythonSource.inspect(source, context, &mut found);
    script(source, context, &mut found);
    for fact in found.list() {
        if matches!(fact.kind, FactKind::SourceReach { .. }) {
            facts.push(fact.position, fact.kind.clone());
        }
    }
}

/// A script behind the first lines of a text, when it does what nobody writes down as an example.
pub fn second_script(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let bytes = read_up_to(source, 0, MAX_SCRIPT);
    let mark = b"\n#!/";
    let Some(at) = bytes.windows(mark.len()).position(|part| part == mark) else { return };
    let rest = Window::new(source, at as u64, source.len().saturating_sub(at as u64));
    let mut found = Facts::new();
    script(&rest, context, &mut found);
    let is_grave = |kind: &FactKind| match kind {
        FactKind::SourceReach { reach, .. } => matches!(
            reach,
            SourceReach::Backdoor | SourceReach::HiddenCode | SourceReach::Credentials | SourceReach::Files
        ),
        _ => false,
    };
    if found.list().iter().any(|fact| is_grave(&fact.kind)) {
        facts.anomaly(at as u64, Anomaly::HiddenContent, "what starts as text goes on as a script that does harm");
    }
}

/// The commands of a script that is started by hand.
pub(crate) fn script(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let bytes = read_up_to(source, 0, MAX_SCRIPT);
    let text = String::from_utf8_lossy(&bytes);
    let mut joined = String::new();
    for (number, line) in text.lines().enumerate() {
        if context.budget.operate(1).is_err() {
            return facts.incomplete(0, Gap::Limit, "the script is longer than is read");
        }
        let line = line.trim();
        joined.push_str(line.trim_end_matches('\\'));
        if line.ends_with('\\') && joined.len() < CHUNK {
            continue;
        }
        let command = std::mem::take(&mut joined);
        let is_comment =
            command.starts_with('#') || command.starts_with("::") || command.to_ascii_lowercase().starts_with("rem ");
        let Some(reach) = commands::judge(&command).filter(|_| !is_comment) else { continue };
        let expression = crate::facts::shorten(command.chars().take(201).collect(), 200);
        let position = Position::Line((number as u64).saturating_add(1));
        let runs = crate::fact::Runs::Started;
        facts.push(position, FactKind::SourceReach { expression, reach, runs });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(bytes: &[u8], facts: &mut Facts) {
        let budget = Budget::default();
        observe(&bytes, &Context { name: "a", role: Role::Unknown, budget: &budget }, facts);
    }

    #[test]
    fn credentials_across_the_edge_of_a_piece_are_found_once() {
        let token = format!("hf_{}", "qWzRtYpLkJhGfDsAvCxMnBoIuEQwZrTyPlKj".get(..34).unwrap());
        for before in [0, CHUNK - 20, CHUNK, CHUNK * 2 - 1] {
            let text = format!("{} {token} ", "a".repeat(before));
            let mut facts = Facts::new();
            observed(text.as_bytes(), &mut facts);
            assert_eq!(facts.list().len(), 1, "{before}");
        }
    }

    #[test]
    fn addresses_count_in_metadata_only() {
        let mut facts = Facts::new();
        observed(b"see https://webhook.site/abc", &mut facts);
        assert!(facts.list().is_empty());
        facts.push(Position::Whole, FactKind::Metadata { key: "a".into(), value: "https://webhook.site/abc".into() });
        observed(b"\0", &mut facts);
        assert_eq!(facts.list().len(), 2);
    }
}
