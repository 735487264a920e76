//! Pages for a terminal: the little Markdown that rules' pages use. The pages are ours, no artifact's.

use std::io::{self, Write};

use waag_engine::output::Style;
use waag_engine::output::text::{HEADING, NAME, Painted, wrap};

/// Writes a page: headings, paragraphs, lists, fenced code, `code` and **strong** words.
pub(crate) fn render(page: &str, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let mut renderer = Renderer { out, style, paragraph: String::new(), indent: "" };
    let mut fenced = false;
    for line in page.trim().lines() {
        if line.trim_start().starts_with("```") {
            renderer.flush()?;
            fenced = !fenced;
        } else if fenced {
            renderer.code(line)?;
        } else {
            renderer.line(line)?;
        }
    }
    renderer.flush()
}

struct Renderer<'a> {
    out: &'a mut dyn Write,
    style: Style,
    /// Lines of source that make one paragraph.
    paragraph: String,
    /// What later lines of the paragraph start with.
    indent: &'static str,
}

impl Renderer<'_> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        if line.trim().is_empty() {
            self.flush()?;
            return writeln!(self.out);
        }
        if line.starts_with('#') {
            self.flush()?;
            let title = line.trim_start_matches('#').trim();
            return writeln!(self.out, "{}", Painted(self.style.color, HEADING, title));
        }
        if line.starts_with('|') {
            self.flush()?;
            return writeln!(self.out, "{line}");
        }
        self.continue_paragraph(line)
    }

    fn continue_paragraph(&mut self, line: &str) -> io::Result<()> {
        if starts_item(line) {
            self.flush()?;
            self.indent = "  ";
        }
        if !self.paragraph.is_empty() {
            self.paragraph.push(' ');
        }
        self.paragraph.push_str(line.trim());
        Ok(())
    }

    fn code(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "    {}", Painted(self.style.color, NAME, line))
    }

    fn flush(&mut self) -> io::Result<()> {
        let paragraph = std::mem::take(&mut self.paragraph);
        let indent = std::mem::take(&mut self.indent);
        if paragraph.is_empty() {
            return Ok(());
        }
        let lines = wrap(&paragraph, self.style.width.saturating_sub(indent.len()));
        let text = lines.join(&format!("\n{indent}"));
        writeln!(self.out, "{}", inline(&text, self.style.color))
    }
}

fn starts_item(line: &str) -> bool {
    let line = line.trim_start();
    let number = line.split_once(". ").is_some_and(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_digit()));
    number || line.starts_with("- ") || line.starts_with("* ")
}

/// Colours instead of marks; without colours, the marks say the same.
fn inline(text: &str, color: bool) -> String {
    if !color {
        return text.replace("**", "");
    }
    let mut painted = String::new();
    for (index, piece) in text.split('`').enumerate() {
        match index % 2 {
            0 => painted.push_str(&strong(piece)),
            _ => painted.push_str(&Painted(true, NAME, piece).to_string()),
        }
    }
    painted
}

fn strong(text: &str) -> String {
    let pieces = text.split("**").enumerate();
    pieces.map(|(index, piece)| Painted(index % 2 == 1, HEADING, piece).to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# code-execution\n\nLoading the file calls `os.system`, which is **not** what\nloading is for.\n\n\
        ## Use instead\n\n- safetensors\n- a long item that goes on and on until it has to be broken over two lines\n  of text\n\n\
        ```python\nimport torch  # **kept**\n```\n";

    fn rendered(color: bool) -> String {
        let mut bytes = Vec::new();
        render(PAGE, &mut bytes, Style { color, width: 50, ..Style::default() }).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn pages_read_well_without_colours() {
        insta::assert_snapshot!(rendered(false));
    }

    #[test]
    fn colours_replace_marks() {
        let text = rendered(true);
        assert!(!text.contains('`') && text.contains("\u{1b}[36mos.system\u{1b}[0m"));
        assert!(text.contains("\u{1b}[1mnot\u{1b}[0m") && text.contains("**kept**"));
    }
}
