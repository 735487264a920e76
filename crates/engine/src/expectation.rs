//! What a file's name promises, and what its bytes are.

use waag_formats::FORMATS;
use waag_formats::fact::Anomaly;
use waag_formats::facts::Facts;
use waag_formats::format::{Format, Probe, extension};

/// Endings that say nothing: any format may hide behind them.
const SAYS_NOTHING: &[&str] = &["", "bin", "dat", "data", "model", "weights", "params"];
/// Formats that share their bytes with others, so that being one besides another is no second identity.
const BENEATH_OTHERS: &[&str] = &["text", "json", "python-source", "jinja", "zlib"];

/// The format that a name promises.
#[must_use]
pub(crate) fn promised(name: &str) -> Option<&'static dyn Format> {
    let ending = extension(name);
    FORMATS.iter().copied().find(|format| !ending.is_empty() && format.meta().extensions.contains(&ending.as_str()))
}

/// Notes when the name promises another format than the bytes are, and when they are several at once.
pub(crate) fn check(probe: &Probe<'_>, formats: &[&'static dyn Format], facts: &mut Facts) {
    let ids: Vec<&str> = formats.iter().map(|format| format.meta().id).collect();
    let several: Vec<&str> = ids.iter().copied().filter(|id| !BENEATH_OTHERS.contains(id)).collect();
    if several.len() > 1 {
        facts.anomaly(0, Anomaly::Polyglot, format!("the same bytes are {} at once", several.join(" and ")));
    }
    let ending = extension(probe.name);
    if SAYS_NOTHING.contains(&ending.as_str()) || formats.is_empty() || probe.source.is_empty() {
        return;
    }
    let promises: Vec<_> =
        FORMATS.iter().filter(|format| format.meta().extensions.contains(&ending.as_str())).collect();
    let kept = formats.iter().any(|format| promises.iter().any(|promise| promise.meta().id == format.meta().id));
    if !promises.is_empty() && !kept {
        let content = formats.first().map_or("", |format| format.meta().title);
        facts.anomaly(
            0,
            Anomaly::ExtensionMismatch,
            format!("the name ends in .{ending} but the content is {content}"),
        );
    }
}
