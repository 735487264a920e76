//! Cell magics of Jupyter: in which language a cell is that starts with `%%`, and what a shell gets of it.

use super::syntax::{self, Command, Span};

/// Magics whose cells are Python.
const PYTHON: &[&str] = &["time", "timeit", "capture", "prun", "debug", "python", "python3", "pypy"];
/// Magics whose cells are another language.
const OTHER: &[&str] = &["html", "javascript", "js", "latex", "markdown", "svg", "perl", "ruby", "r", "sql"];
/// Magics whose cells a shell runs.
const SHELL: &[&str] = &["bash", "sh", "!", "sx", "system", "zsh"];

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// Python.
    Python,
    /// Python behind a line with a magic.
    Marked,
    /// Lines for a shell.
    Shell,
    /// Something else.
    Other,
}

/// The language of a cell.
pub(super) fn language(source: &str) -> Language {
    let Some((first, rest)) = magic(source) else { return Language::Python };
    let mut words = first.split_whitespace();
    match words.next().unwrap_or_default() {
        name if PYTHON.contains(&name) => Language::Marked,
        name if SHELL.contains(&name) => Language::Shell,
        name if OTHER.contains(&name) => Language::Other,
        "writefile" | "file" => written(words.next_back().unwrap_or_default()),
        "script" => interpreter(words.find(|word| !word.starts_with('-')).unwrap_or_default()),
        // What somebody's own magic does nobody knows: it is read where it is Python.
        _ if is_python(rest) => Language::Marked,
        _ => Language::Other,
    }
}

/// The line of a magic behind its sign, and the lines after it.
fn magic(source: &str) -> Option<(&str, &str)> {
    let text = source.trim_start().strip_prefix("%%")?;
    Some(text.split_once('\n').unwrap_or((text, "")))
}

/// A cell that is written to a file.
fn written(name: &str) -> Language {
    let is_python = name.trim_end_matches(['"', '\'']).ends_with(".py");
    if is_python { Language::Marked } else { Language::Other }
}

/// A cell that is given to a program.
fn interpreter(program: &str) -> Language {
    match program.rsplit('/').next().unwrap_or_default() {
        name if name.starts_with("python") || name.starts_with("pypy") => Language::Marked,
        "bash" | "sh" | "zsh" | "dash" => Language::Shell,
        _ => Language::Other,
    }
}

fn is_python(text: &str) -> bool {
    let whole = Span { start: 0, end: Span::at(text.len()).start };
    let script = syntax::read_cells(text, &[whole]);
    script.breaks.is_empty() && script.refused.is_none()
}

/// The lines of a cell that a shell runs; one that ends with a backslash goes on in the next. The cell starts at an offset
/// of the text.
pub(super) fn commands(source: &str, start: usize) -> Vec<Command> {
    let (mut at, mut commands, mut open): (usize, Vec<Command>, bool) = (start, Vec::new(), false);
    for line in source.split_inclusive('\n') {
        let text = line.trim();
        let end = Span::at(at + line.trim_end().len()).start;
        match commands.last_mut().filter(|_| open) {
            Some(last) => {
                last.text += "\n";
                last.text += text;
                last.span.end = end;
            }
            None if text.is_empty() || text.starts_with(['#', '%']) => {}
            None => {
                let span = Span { start: Span::at(at).start, end };
                commands.push(Command { text: text.to_owned(), span, is_shell: true });
            }
        }
        let is_command = open || !(text.is_empty() || text.starts_with(['#', '%']));
        open = is_command && text.ends_with('\\');
        at += line.len();
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_what_its_magic_says() {
        for (source, expected) in [
            ("x = 1", Language::Python),
            ("%%time\nx = (", Language::Marked),
            ("%%writefile -a src/train.py\nx", Language::Marked),
            ("%%file 'train.py'\nx", Language::Marked),
            ("%%writefile notes.txt\nx", Language::Other),
            ("%%script --bg python3\nx", Language::Marked),
            ("%%script /bin/bash\nls", Language::Shell),
            ("\n%%bash -s\nls", Language::Shell),
            ("%%bigquery df\nSELECT * FROM x WHERE a = 1", Language::Other),
            ("%%wandb\nimport pickle", Language::Marked),
            ("%%html", Language::Other),
        ] {
            assert_eq!(language(source), expected, "{source}");
        }
    }

    #[test]
    fn lines_for_a_shell_go_on_behind_a_backslash() {
        let source = "%%bash\n# a \\\npip install \\\n  torch\n\nls";
        let told = commands(source, 10);
        let texts: Vec<&str> = told.iter().map(|command| command.text.as_str()).collect();
        assert_eq!(texts, ["pip install \\\ntorch", "ls"]);
        let first = told[0].span;
        assert_eq!(&source[first.start as usize - 10..first.end as usize - 10], "pip install \\\n  torch");
    }
}
