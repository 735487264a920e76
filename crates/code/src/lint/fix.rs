//! Edits that settle findings: minimal, checked to leave Python behind, and none the second time.

use std::io::{self, Write as _};
use std::path::PathBuf;

use waag_engine::io::write_atomically;

use super::problem::{Edit, Problem};
use super::source::{Cell, Encoding, Source};
use super::unit::Unit;
use super::{Kind, notebook, syntax};

/// A file, and how it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFix {
    /// As it was named.
    pub path: String,
    /// What is written to.
    pub opened: PathBuf,
    /// Its bytes now.
    pub before: Vec<u8>,
    /// Its bytes then.
    pub after: Vec<u8>,
    /// How many findings are settled.
    pub settled: usize,
}

impl FileFix {
    /// Writes it, all of it or nothing, unless the file is another one by now.
    ///
    /// # Errors
    /// When it cannot be written, or has changed since it was read.
    pub fn write(&self) -> io::Result<()> {
        let now = waag_engine::bounded::read(&self.opened, self.before.len() as u64)?;
        if now != self.before {
            return Err(io::Error::other("it has changed since it was read"));
        }
        let permissions = std::fs::metadata(&self.opened)?.permissions();
        let nothing = write_atomically(&self.opened, |file| {
            file.write_all(&self.after)?;
            file.set_permissions(permissions)?;
            Ok(None::<()>)
        })?;
        debug_assert!(nothing.is_none());
        Ok(())
    }
}

/// The fixes of a file's problems, if any can be made.
pub(super) fn of(unit: &Unit, problems: &[&Problem]) -> Option<FileFix> {
    let with_edits: Vec<&&Problem> = problems.iter().filter(|problem| !problem.edits.is_empty()).collect();
    if with_edits.is_empty() || !unit.is_complete {
        return None;
    }
    let edits = arranged(with_edits.iter().flat_map(|problem| problem.edits.clone()).collect())?;
    let (before, after) = match (unit.kind, unit.source.encoding) {
        (Kind::Python, Encoding::Utf8 | Encoding::Utf8WithMark) => python(&unit.source, &edits)?,
        (Kind::Notebook, _) => (unit.bytes.clone(), notebook(unit, &edits)?),
        _ => return None,
    };
    let settled = with_edits.len();
    Some(FileFix { path: unit.shown.clone(), opened: unit.opened.clone(), before, after, settled })
}

/// In order of place; edits that overlap are refused together.
fn arranged(mut edits: Vec<Edit>) -> Option<Vec<Edit>> {
    edits.sort();
    let overlap = edits.windows(2).any(|pair| pair[1].span.start < pair[0].span.end);
    (!overlap).then_some(edits)
}

fn python(source: &Source, edits: &[Edit]) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = edited(&source.text, 0, edits)?;
    if !syntax::is_sound(&text) {
        return None;
    }
    let mark: &[u8] = if source.encoding == Encoding::Utf8WithMark { b"\xEF\xBB\xBF" } else { b"" };
    let bytes = |text: &str| [mark, text.as_bytes()].concat();
    Some((bytes(&source.text), bytes(&text)))
}

/// A text with edits made in it, which are in order and overlap nowhere; it starts at an offset.
fn edited(text: &str, start: usize, edits: &[Edit]) -> Option<String> {
    let (mut told, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        let (from, to) = ((edit.span.start as usize).checked_sub(start)?, (edit.span.end as usize).checked_sub(start)?);
        told += text.get(at..from)?;
        told += &edit.text;
        at = to;
    }
    told += text.get(at..)?;
    Some(told)
}

/// Only the strings that hold what is edited are written anew; the rest of the file stays as it is.
fn notebook(unit: &Unit, edits: &[Edit]) -> Option<Vec<u8>> {
    let (mut bytes, mut copied, mut rest) = (Vec::with_capacity(unit.bytes.len()), 0, edits);
    for (literal, is_last) in unit.source.cells.iter().flat_map(Cell::literals) {
        let is_inside = |edit: &&Edit| {
            let ends = if is_last { literal.span.end.saturating_add(1) } else { literal.span.end };
            edit.span.start >= literal.span.start && edit.span.end <= literal.span.end && edit.span.start < ends
        };
        let (own, more) = rest.split_at(rest.iter().take_while(is_inside).count());
        if own.is_empty() {
            continue;
        }
        let text = edited(unit.source.slice(literal.span), literal.span.start as usize, own)?;
        let start = usize::try_from(literal.offset).ok()?;
        let end = end_of_string(&unit.bytes, start)?;
        bytes.extend_from_slice(unit.bytes.get(copied..start)?);
        bytes.extend(json_string(&text, unit.bytes.get(start..end)?.is_ascii()).into_bytes());
        (copied, rest) = (end, more);
    }
    bytes.extend_from_slice(unit.bytes.get(copied..)?);
    // What goes over two strings is left to people.
    (rest.is_empty() && is_sound(&bytes)).then_some(bytes)
}

/// Whether a notebook's cells are Python without mistakes.
fn is_sound(bytes: &[u8]) -> bool {
    let read = notebook::read(bytes);
    let script = syntax::read_cells(&read.code, &read.source.cell_spans());
    read.problems.is_empty() && script.breaks.is_empty() && script.refused.is_none()
}

/// Behind the closing quote of the string that starts here.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    if bytes.get(start) != Some(&b'"') {
        return None;
    }
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// A string as JSON has it, with other letters than ASCII as they are or spelt out, as the file does.
fn json_string(text: &str, is_ascii: bool) -> String {
    let plain = serde_json::to_string(text).unwrap_or_default();
    if !is_ascii {
        return plain;
    }
    plain.chars().fold(String::new(), |mut spelt, letter| {
        if letter.is_ascii() {
            spelt.push(letter);
        } else {
            let mut units = [0_u16; 2];
            letter.encode_utf16(&mut units).iter().for_each(|unit| spelt.push_str(&format!("\\u{unit:04x}")));
        }
        spelt
    })
}

/// Lines around a change that are shown.
const AROUND: usize = 3;

/// What would change, as a patch. No edit adds or takes away a line.
#[must_use]
pub fn patch(fix: &FileFix) -> String {
    let (before, after) = (String::from_utf8_lossy(&fix.before), String::from_utf8_lossy(&fix.after));
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let changed: Vec<usize> = (0..old.len().min(new.len())).filter(|index| old[*index] != new[*index]).collect();
    let path = waag_engine::sanitize::sanitize(&fix.path);
    let mut patch = format!("--- {path}\n+++ {path}\n");
    for group in changed.chunk_by(|one, next| next - one <= 2 * AROUND) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (from, to) = (first.saturating_sub(AROUND), (last + AROUND + 1).min(old.len()));
        patch += &format!("@@ -{},{length} +{},{length} @@\n", from + 1, from + 1, length = to - from);
        for run in (from..to).collect::<Vec<_>>().chunk_by(|one, next| group.contains(one) == group.contains(next)) {
            let is_changed = run.first().is_some_and(|index| group.contains(index));
            let lines =
                |sign: char, text: &[&str]| run.iter().map(|index| shown(sign, text[*index])).collect::<String>();
            patch += &match is_changed {
                true => lines('-', &old) + &lines('+', &new),
                false => lines(' ', &old),
            };
        }
    }
    patch
}

/// A line of a patch; what could act on a terminal is spelt out.
fn shown(sign: char, line: &str) -> String {
    let text = line.strip_suffix('\n').unwrap_or(line);
    let is_plain = text.strip_suffix('\r').unwrap_or(text).chars().all(|letter| letter == '\t' || !letter.is_control());
    let text = if is_plain && !waag_engine::sanitize::is_deceptive(text.trim_end_matches('\r')) {
        text.to_owned()
    } else {
        waag_engine::sanitize::sanitize(text)
    };
    let end = if line.ends_with('\n') { "\n" } else { "\n\\ No newline at end of file\n" };
    format!("{sign}{text}{end}")
}
