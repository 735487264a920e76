//! Python source beside a model: remote code when a configuration names it, and often run without one.
//!
//! Nothing is run and no tree is built. Statements are read one after the other; constants are folded, names are
//! followed to what they were imported as, and what is called is looked up in a table of what functions reach.

mod analysis;
mod blocks;
mod calls;
mod codec;
mod constants;
mod evaluators;
mod expression;
mod letters;
mod lexer;
mod literal;
mod names;
mod native;
mod reaches;
mod slices;
mod targets;
mod template;
mod unasked;
mod unknown;
mod value;
mod ways_round;

pub(crate) use analysis::{Analysis, File};
pub(crate) use reaches::is_autostart;

use crate::fact::{FactKind, Gap, Position, ReferenceKind, Runs, SourceReach};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};
use crate::text::is_text;

/// Bytes of one file that are read; what people write is far shorter.
const MAX_SOURCE: usize = 4 << 20;

static META: Meta = Meta {
    id: "python-source",
    title: "Python source",
    extensions: &["py", "pyi", "pyw"],
    depth: Depth::Surface,
    reads: "what its calls reach: programs, networks, machine code, credentials, hidden code; and when they run",
    specification: "https://docs.python.org/3/reference/",
};

/// The format.
#[derive(Debug)]
pub struct PythonSource;

impl Format for PythonSource {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = META.extensions.contains(&probe.extension().as_str());
        (named && is_text(&probe.head)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("language", "python");
        let bytes = read_up_to(source, 0, MAX_SOURCE);
        if source.len() > bytes.len() as u64 {
            facts.incomplete(bytes.len() as u64, Gap::Limit, "the source is longer than is read");
        }
        let text = String::from_utf8_lossy(&bytes);
        note_codec(&lexer::with_plain_lines(&text), facts);
        let name = context.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let mut analysis = Analysis::new(context.budget, Runs::Loaded, File::named(name));
        if let Err(limit) = analysis.read(&text) {
            facts.incomplete(0, Gap::Limit, limit.to_string());
        }
        report(analysis, facts);
        endpoint(context.name, &text, facts);
    }
}

/// Writes down what was found.
pub(crate) fn report(analysis: Analysis<'_>, facts: &mut Facts) {
    if let Some(line) = analysis.too_deep() {
        let detail = "brackets are nested more deeply than is read".to_owned();
        facts.push(Position::Line(line), FactKind::Incomplete { reason: Gap::Limit, detail });
    }
    if let Some(line) = analysis.left_out() {
        let detail = "more is named or done from here on than is kept".to_owned();
        facts.push(Position::Line(line), FactKind::Incomplete { reason: Gap::Limit, detail });
    }
    for (found, runs) in analysis.finish() {
        let kind = FactKind::SourceReach { expression: found.expression, reach: found.reach, runs };
        facts.push(found.position, kind);
    }
}

/// What a `handler.py` has that a server of models looks for: the class of Hugging Face's endpoints, TorchServe's base
/// classes, or the function that TorchServe calls.
const HANDLERS: &[&str] = &["EndpointHandler", "ts.torch_handler", "BaseHandler", "def handle(data, context"];

/// No configuration names these: `generate` and the servers of inference endpoints look for them by their paths.
fn endpoint(path: &str, text: &str, facts: &mut Facts) {
    let mut path = path.rsplit(['/', '\\']);
    let target = match (path.next(), path.next()) {
        (Some("generate.py"), Some("custom_generate")) => "custom_generate/generate.py",
        (Some("handler.py"), _) if HANDLERS.iter().any(|name| text.contains(name)) => "handler.py",
        _ => return,
    };
    let target = target.to_owned();
    facts.push(Position::Whole, FactKind::Reference { kind: ReferenceKind::RemoteCode, target });
}

/// Codecs in which a file says something else than its reader sees.
fn note_codec(text: &str, facts: &mut Facts) {
    let Some((number, line)) = codec::odd(text) else { return };
    let expression = crate::facts::shorten(line.to_owned(), 100);
    let kind = FactKind::SourceReach { expression, reach: SourceReach::HiddenCode, runs: Runs::Loaded };
    facts.push(Position::Line(number), kind);
}

#[cfg(test)]
mod scope_tests;
#[cfg(test)]
mod tests;
