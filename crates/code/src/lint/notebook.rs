//! Notebooks: their cells as one text, with the way back to cells, lines and the strings of the file.

use waag_evidence::Severity;
use waag_formats::budget::Budget;
use waag_formats::json::{self, Event, Segment, Value};

use super::problem::Problem;
use super::rules::malformed_notebook::META;
use super::source::{Cell, Encoding, Literal, Source};
use super::syntax::{Command, Span};

/// Bytes of all cells together.
const MAX_TEXT: usize = 32 << 20;
/// Cells that are another language: what follows is no Python.
const OTHER: &[&str] = &[
    "html",
    "javascript",
    "js",
    "latex",
    "markdown",
    "svg",
    "perl",
    "ruby",
    "r",
    "sql",
    "cython",
    "writefile",
    "file",
    "script",
];
/// Cells that a shell runs.
const SHELL: &[&str] = &["bash", "sh", "!", "sx", "system", "zsh"];

/// Reads a notebook: its text, the lines that a shell runs, and what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> (Source, Vec<Command>, Option<Problem>) {
    let mut reader = Reader::default();
    let budget = Budget::for_size(bytes.len() as u64);
    let outcome = json::walk(&bytes, 0, bytes.len() as u64, &budget, &mut |event| reader.event(&event));
    let why = if !outcome.complete {
        let note = outcome.notes.last().map_or("it ends too early", |note| note.detail.as_str());
        Some(format!("the notebook is no JSON: {note}"))
    } else if !reader.has_cells {
        Some("the notebook has no cells".to_owned())
    } else {
        None
    };
    let problem = why.map(|why| {
        let next =
            "Open and save it again with Jupyter, or take it from the version before; cells after this are not judged.";
        Problem::new(&META, Span::default(), why, next).severity(Severity::Medium)
    });
    (Source::new(reader.text, Encoding::Utf8, reader.cells), reader.commands, problem)
}

#[derive(Debug, Default)]
struct Reader {
    text: String,
    cells: Vec<Cell>,
    commands: Vec<Command>,
    has_cells: bool,
    number: u64,
    is_code: bool,
    source: String,
    strings: Vec<(u64, usize)>,
}

impl Reader {
    fn event(&mut self, event: &Event<'_>) {
        let Some(at) = event.path.iter().position(|segment| segment.key() == Some("cells")) else { return };
        // Version 3 keeps its cells in worksheets.
        if at > 2 || (at > 0 && event.path.first().and_then(Segment::key) != Some("worksheets")) {
            return;
        }
        self.has_cells = true;
        match (event.path.len() - at, event.value) {
            (2, Value::Object) => {
                self.number += 1;
                self.is_code = false;
                self.source.clear();
                self.strings.clear();
            }
            (2, Value::ObjectEnd(_)) => self.finish(),
            (3, Value::Text("code")) if event.key() == Some("cell_type") => self.is_code = true,
            (3 | 4, Value::Text(text))
                if matches!(event.key_at(at + 2), Some("source" | "input"))
                    && self.text.len() + self.source.len() + text.len() <= MAX_TEXT =>
            {
                self.strings.push((event.offset, self.source.len()));
                self.source.push_str(text);
            }
            _ => {}
        }
    }

    fn finish(&mut self) {
        if !self.is_code {
            return;
        }
        if !self.cells.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        let source = std::mem::take(&mut self.source);
        self.text.push_str(&self.as_python(&source, start));
        // What the parser is given has the length of what is there.
        debug_assert_eq!(self.text.len(), start + source.len());
        let span =
            |from: usize, to: usize| Span { start: Span::at(start + from).start, end: Span::at(start + to).start };
        let ends = self.strings.iter().skip(1).map(|(_, at)| *at).chain([source.len()]);
        let strings = self.strings.iter().zip(ends);
        let strings = strings.map(|((offset, from), to)| Literal { offset: *offset, span: span(*from, to) }).collect();
        let commands = shell_lines(&source, start);
        self.commands.extend(commands);
        self.cells.push(Cell { number: self.number, span: span(0, source.len()), strings });
    }

    /// The cell for the parser: without what is no Python, but as long.
    fn as_python(&self, source: &str, _: usize) -> String {
        let Some(magic) = magic(source) else { return source.to_owned() };
        if OTHER.contains(&magic) || SHELL.contains(&magic) {
            return blank(source);
        }
        // The magic is a comment, and the rest is Python.
        let at = source.find("%%").unwrap_or(0);
        let mut text = source.to_owned();
        text.replace_range(at..at + 2, "#%");
        text
    }
}

/// What `%%name` a cell starts with.
fn magic(source: &str) -> Option<&str> {
    let first = source.trim_start().strip_prefix("%%")?;
    first.split_whitespace().next()
}

/// Spaces and line ends alone.
fn blank(source: &str) -> String {
    source.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// The lines of a cell that a shell runs.
fn shell_lines(source: &str, start: usize) -> Vec<Command> {
    if !magic(source).is_some_and(|magic| SHELL.contains(&magic)) {
        return Vec::new();
    }
    let mut at = start;
    let mut commands = Vec::new();
    for line in source.split_inclusive('\n') {
        let text = line.trim();
        if !text.is_empty() && !text.starts_with(['#', '%']) {
            let span = Span { start: Span::at(at).start, end: Span::at(at + line.trim_end().len()).start };
            commands.push(Command { text: text.to_owned(), span, is_shell: true });
        }
        at += line.len();
    }
    commands
}
