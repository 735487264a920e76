//! Words, numbers and colours for people. Every text of an artifact is made safe here, on its way out.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Style};
use waag_evidence::{Confidence, Decision, Location, Severity};

use crate::sanitize::sanitize;

/// Style of headings.
pub const HEADING: Style = Style::new().bold();
/// Style of what may be skipped.
pub const QUIET: Style = Style::new().dimmed();
/// Style of good news.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Style of news that need a look.
pub const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
/// Style of bad news.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Style of names of things.
pub const NAME: Style = AnsiColor::Cyan.on_default();

/// A text in a style, or plain for readers without colours.
#[derive(Debug)]
pub struct Painted<T>(pub bool, pub Style, pub T);

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(color, style, text) = self;
        if *color { write!(formatter, "{style}{text}{style:#}") } else { text.fmt(formatter) }
    }
}

/// The style of a severity.
#[must_use]
pub const fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => BAD,
        Severity::Medium => DOUBT,
        Severity::Low => NAME,
        Severity::Info => QUIET,
    }
}

/// The style of a decision.
#[must_use]
pub const fn decision_style(decision: Decision) -> Style {
    match decision {
        Decision::Allow => GOOD,
        Decision::Inconclusive => DOUBT,
        Decision::Deny => BAD,
    }
}

/// The word for a severity.
#[must_use]
pub const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// The word for a confidence.
#[must_use]
pub const fn confidence_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

/// The word for a decision.
#[must_use]
pub const fn decision_word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Inconclusive => "inconclusive",
        Decision::Deny => "deny",
    }
}

/// A place in words: `model.pt » archive/data.pkl @ 0x1f2 (498)`.
#[must_use]
pub fn place(location: &Location) -> String {
    let path = sanitize(&location.path());
    match (location.offset, location.line) {
        (Some(offset), _) => format!("{path} @ {}", offset_words(offset)),
        (None, Some(line)) => format!("{path}, line {line}"),
        (None, None) => path,
    }
}

/// An offset for those who read dumps and for those who seek: `0x1f2 (498)`.
#[must_use]
pub fn offset_words(offset: u64) -> String {
    if offset < 10 { offset.to_string() } else { format!("{offset:#x} ({offset})") }
}

/// A size in bytes: `497.8 MB`. Powers of ten, as file managers and hubs count.
#[must_use]
pub fn size(bytes: u64) -> String {
    if bytes < 1000 { format!("{bytes} B") } else { scaled(bytes, &["kB", "MB", "GB", "TB", "PB", "EB"]) }
}

/// A number of parameters: `124.4 M`.
#[must_use]
pub fn parameters(count: u64) -> String {
    if count < 1000 { count.to_string() } else { scaled(count, &["K", "M", "B", "T", "quadrillion", "quintillion"]) }
}

/// Shortens to a unit per thousand, with one decimal.
fn scaled(amount: u64, units: &[&str]) -> String {
    let mut tenths = u128::from(amount) * 10 / 1000;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < units.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
}

/// A number with its noun: `1 file`, `2 files`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {}", plural(noun)) }
}

/// The first few of a list, and how many more there are: `a, b and 3 more`.
#[must_use]
pub fn listing(items: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let more = items.len().saturating_sub(most);
    let list = items.take(most).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{list} and {more} more") } else { list }
}

fn plural(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    }
}

/// A share in percent with one decimal; what is not all is never shown as all, and what is something never as nothing.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if part == whole {
        return "100 %".to_owned();
    }
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    match tenths {
        0 => "< 0.1 %".to_owned(),
        _ => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// Cuts a long text in the middle of nothing: after `most` characters, with an ellipsis. Safe to print.
#[must_use]
pub fn excerpt(text: &str, most: usize) -> String {
    let safe = sanitize(text);
    match safe.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", &safe[..cut]),
        None => safe,
    }
}

/// Breaks a text into lines of at most `width` characters where it has spaces. A longer word keeps its line to itself.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        for (bytes, expected) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (497_774_208, "497.7 MB"), (u64::MAX, "18.4 EB")]
        {
            assert_eq!(size(bytes), expected);
        }
        assert_eq!(parameters(124_439_808), "124.4 M");
        assert_eq!(parameters(7_241_732_096), "7.2 B");
        assert_eq!(parameters(12), "12");
        assert_eq!(counted(1, "entry"), "1 entry");
        assert_eq!(counted(2, "entry"), "2 entries");
    }

    #[test]
    fn shares_do_not_lie() {
        assert_eq!(percent(1, 1), "100 %");
        assert_eq!(percent(999_999, 1_000_000), "99.9 %");
        assert_eq!(percent(1, 1_000_000), "< 0.1 %");
        assert_eq!(percent(0, 0), "100 %");
    }

    #[test]
    fn places_are_given_for_every_reader() {
        let location = Location { members: vec!["archive/data.pkl".into()], ..Location::file("model.pt") };
        assert_eq!(place(&location), "model.pt » archive/data.pkl");
        let at = Location { offset: Some(498), ..location };
        assert_eq!(place(&at), "model.pt » archive/data.pkl @ 0x1f2 (498)");
        assert_eq!(place(&Location { line: Some(3), ..Location::file("a\n") }), "a\\n, line 3");
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
