//! Notebooks: their cells as one text, with the way back to cells, lines and the strings of the file.

use std::collections::BTreeSet;

use waag_evidence::Severity;
use waag_formats::budget::Budget;
use waag_formats::json::{self, Event, MAX_STRING, Outcome, Segment, Value};

use super::magic::{Language, commands, language};
use super::problem::Problem;
use super::rules::malformed_notebook::META;
use super::source::{Cell, Encoding, Literal, Source};
use super::syntax::{Command, Span};

/// Bytes of all cells together.
const MAX_TEXT: usize = 32 << 20;
/// Languages of kernels that are not Python.
const OTHER_KERNELS: &[&str] = &[
    "r",
    "julia",
    "scala",
    "javascript",
    "typescript",
    "java",
    "kotlin",
    "rust",
    "go",
    "bash",
    "sql",
    "haskell",
    "ruby",
    "matlab",
    "octave",
    "sas",
    "stata",
    "perl",
];

/// A notebook that was read.
#[derive(Debug)]
pub(super) struct Notebook {
    /// The code cells as they are.
    pub(super) source: Source,
    /// The same for the parser: as long, and blank where it is no Python.
    pub(super) code: String,
    /// The lines that a shell runs.
    pub(super) commands: Vec<Command>,
    /// What is wrong with it, or was not read.
    pub(super) problems: Vec<Problem>,
}

/// Reads a notebook.
pub(super) fn read(bytes: &[u8]) -> Notebook {
    let mut reader = Reader::default();
    let budget = Budget::for_size(bytes.len() as u64);
    let outcome = json::walk(&bytes, 0, bytes.len() as u64, &budget, &mut |event| reader.event(&event));
    let mut problems: Vec<Problem> = malformed(&reader, &outcome).into_iter().collect();
    if let Some(kernel) = reader.other_kernel() {
        let next = "Look at it yourself; of other languages than Python, only credentials are looked for.";
        problems.push(Problem::incomplete(Span::default(), format!("its cells are for a kernel of {kernel}"), next));
        reader.code = blank(&reader.code);
    }
    let source = Source::new(reader.text, Encoding::Utf8, reader.cells);
    Notebook { source, code: reader.code, commands: reader.commands, problems }
}

/// Why not all of it is read as Jupyter reads it.
fn malformed(reader: &Reader, outcome: &Outcome) -> Option<Problem> {
    let (why, next) = if !outcome.complete {
        let note = outcome.notes.last().map_or("it ends too early", |note| note.detail.as_str());
        let next =
            "Open and save it again with Jupyter, or take it from the version before; cells after this are not judged.";
        (format!("the notebook is no JSON: {note}"), next)
    } else if !reader.has_cells {
        let next = "Open and save it again with Jupyter, or take it from the version before.";
        ("the notebook has no cells".to_owned(), next)
    } else {
        let next = "Look at this cell in an editor of text; readers differ in what they take of it.";
        (format!("cell {} {}", reader.odd_cell?, "has its text or its kind twice, or more of it than is read"), next)
    };
    Some(Problem::new(&META, Span::default(), why, next).severity(Severity::Medium))
}

#[derive(Debug, Default)]
struct Reader {
    text: String,
    code: String,
    cells: Vec<Cell>,
    commands: Vec<Command>,
    has_cells: bool,
    number: u64,
    is_code: bool,
    source: String,
    strings: Vec<(u64, usize)>,
    /// The keys of this cell that there should be one of.
    keys: BTreeSet<&'static str>,
    /// The first cell that readers may take differently.
    odd_cell: Option<u64>,
    kernel: Option<String>,
    language: Option<String>,
}

impl Reader {
    fn event(&mut self, event: &Event<'_>) {
        self.metadata(event);
        let Some(at) = event.path.iter().position(|segment| segment.key() == Some("cells")) else { return };
        // Version 3 keeps its cells in worksheets.
        if at > 2 || (at > 0 && event.path.first().and_then(Segment::key) != Some("worksheets")) {
            return;
        }
        self.has_cells = true;
        let depth = event.path.len() - at;
        if depth == 3 && !matches!(event.value, Value::ArrayEnd(_) | Value::ObjectEnd(_)) {
            self.key(event.key().unwrap_or_default());
        }
        match (depth, event.value) {
            (2, Value::Object) => {
                self.number += 1;
                self.is_code = false;
                self.source.clear();
                self.strings.clear();
                self.keys.clear();
            }
            (2, Value::ObjectEnd(_)) => self.finish(),
            (3, Value::Text("code")) if event.key() == Some("cell_type") => self.is_code = true,
            (3 | 4, Value::Text(text)) if matches!(event.key_at(at + 2), Some("source" | "input")) => {
                self.take(event.offset, text);
            }
            _ => {}
        }
    }

    fn metadata(&mut self, event: &Event<'_>) {
        let (Value::Text(text), [Segment::Key(first), Segment::Key(second), Segment::Key(third)]) =
            (event.value, event.path)
        else {
            return;
        };
        match (first.as_str(), second.as_str(), third.as_str()) {
            ("metadata", "kernelspec", "language") => self.kernel = Some(text.to_ascii_lowercase()),
            ("metadata", "language_info", "name") => self.language = Some(text.to_ascii_lowercase()),
            _ => {}
        }
    }

    /// The language of the notebook, where it is known not to be Python.
    fn other_kernel(&self) -> Option<String> {
        let language = self.kernel.as_deref().or(self.language.as_deref())?;
        OTHER_KERNELS.contains(&language).then(|| language.to_owned())
    }

    /// A key of a cell begins. Where its text or kind is there twice, all of it is looked at.
    fn key(&mut self, key: &str) {
        let one = match key {
            "source" | "input" => "text",
            "cell_type" => "kind",
            _ => return,
        };
        if !self.keys.insert(one) {
            self.odd_cell = self.odd_cell.or(Some(self.number));
            if one == "text" {
                self.source.push('\n');
            }
        }
    }

    fn take(&mut self, offset: u64, text: &str) {
        if text.len() >= MAX_STRING || self.text.len() + self.source.len() + text.len() > MAX_TEXT {
            self.odd_cell = self.odd_cell.or(Some(self.number));
        }
        if self.text.len() + self.source.len() + text.len() <= MAX_TEXT {
            self.strings.push((offset, self.source.len()));
            self.source.push_str(text);
        }
    }

    fn finish(&mut self) {
        if !self.is_code {
            return;
        }
        if !self.cells.is_empty() {
            self.text.push('\n');
            self.code.push('\n');
        }
        let start = self.text.len();
        let source = std::mem::take(&mut self.source);
        let language = language(&source);
        self.code.push_str(&as_python(&source, language));
        self.text.push_str(&source);
        // What the parser is given has the length of what is there.
        debug_assert_eq!(self.text.len(), self.code.len());
        let span =
            |from: usize, to: usize| Span { start: Span::at(start + from).start, end: Span::at(start + to).start };
        let ends = self.strings.iter().skip(1).map(|(_, at)| *at).chain([source.len()]);
        let strings = self.strings.iter().zip(ends);
        let strings = strings.map(|((offset, from), to)| Literal { offset: *offset, span: span(*from, to) }).collect();
        if language == Language::Shell {
            self.commands.extend(commands(&source, start));
        }
        self.cells.push(Cell { number: self.number, span: span(0, source.len()), strings });
    }
}

/// The cell for the parser: without what is no Python, but as long.
fn as_python(source: &str, language: Language) -> String {
    match language {
        Language::Python => source.to_owned(),
        Language::Marked => {
            // The magic is a comment, and the rest is Python.
            let at = source.find("%%").unwrap_or(0);
            let mut text = source.to_owned();
            text.replace_range(at..at + 2, "#%");
            text
        }
        Language::Shell | Language::Other => blank(source),
    }
}

/// Spaces and line ends alone.
fn blank(source: &str) -> String {
    source.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}
