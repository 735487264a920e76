//! The text of a card: its sections, its links, and how it is laid out on a terminal.
//!
//! HTML in it is shown as text and never as what it would look like; everything is sanitized.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::output::text::{HEADING, NAME, Painted, wrap};
use crate::sanitize::sanitize;

/// Headings and links that are taken of one card.
const MAX_PARTS: usize = 10_000;
/// Columns of one cell of a table.
const MAX_CELL: usize = 40;
/// Columns that lists and quotations are set in at most.
const MAX_INDENT: usize = 24;

/// A heading, and what stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) level: usize,
    pub(crate) title: String,
    pub(crate) offset: usize,
    /// The words below it, up to the next heading of its own level or above.
    pub(crate) body: String,
}

fn events(text: &str) -> impl Iterator<Item = (Event<'_>, std::ops::Range<usize>)> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    Parser::new_ext(text, options).into_offset_iter()
}

fn depth(level: HeadingLevel) -> usize {
    level as usize
}

/// The sections of a text, in order; the first, of level 0, is what stands before any heading.
pub(crate) fn sections(text: &str) -> Vec<Section> {
    let start = Section { level: 0, title: String::new(), offset: 0, body: String::new() };
    let mut flat = vec![start];
    let (mut in_title, mut in_comment) = (false, false);
    for (event, range) in events(text) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => push(&mut flat, in_title, &visible(&html, &mut in_comment)),
            Event::Start(Tag::Heading { level, .. }) if flat.len() < MAX_PARTS => {
                let (level, offset) = (depth(level), range.start);
                flat.push(Section { level, title: String::new(), offset, body: String::new() });
                in_title = true;
            }
            Event::End(TagEnd::Heading(_)) => in_title = false,
            Event::Text(words) | Event::Code(words) => {
                let Some(last) = flat.last_mut() else { continue };
                let target = if in_title { &mut last.title } else { &mut last.body };
                target.push_str(&words);
            }
            Event::Start(Tag::Image { .. }) => push(&mut flat, in_title, "image "),
            Event::SoftBreak | Event::HardBreak | Event::End(_) if !in_title => push(&mut flat, false, "\n"),
            _ => {}
        }
    }
    nested(flat)
}

/// What a reader sees of HTML: the text between its tags, without comments, which may go over several pieces.
fn visible(html: &str, in_comment: &mut bool) -> String {
    let (mut shown, mut rest) = (String::new(), html);
    while !rest.is_empty() {
        if *in_comment {
            let Some((_, after)) = rest.split_once("-->") else { break };
            (*in_comment, rest) = (false, after);
        } else if let Some((before, after)) = rest.split_once('<') {
            shown.push_str(before);
            *in_comment = after.starts_with("!--");
            rest = if *in_comment { &after[3..] } else { after.split_once('>').map_or("", |(_, after)| after) };
        } else {
            shown.push_str(rest);
            break;
        }
    }
    shown
}

fn push(flat: &mut [Section], in_title: bool, words: &str) {
    if let Some(last) = flat.last_mut().filter(|_| !in_title) {
        last.body.push_str(words);
    }
}

/// Gives each section the words of those below it, as long as that stays within what was read.
fn nested(mut flat: Vec<Section>) -> Vec<Section> {
    let mut open: Vec<usize> = Vec::new();
    let own: Vec<(usize, String)> =
        flat.iter().map(|section| (section.level, is_filled_excerpt(&section.body))).collect();
    for (at, (level, body)) in own.iter().enumerate().skip(1) {
        open.retain(|above| own[*above].0 < *level);
        for above in &open {
            flat[*above].body.push_str(body);
        }
        open.push(at);
    }
    flat
}

/// As much of a section as tells whether it is filled in.
fn is_filled_excerpt(body: &str) -> String {
    body.chars().take(400).collect()
}

/// Whether words say something: templates' own words and marks of what is to be done do not count.
pub(crate) fn is_filled(body: &str) -> bool {
    let lines = body.lines().filter(|line| {
        let line = line.trim().trim_start_matches(['-', '*', '_', '[']).to_lowercase();
        !["todo", "tbd", "fixme", "{{"].iter().any(|mark| line.starts_with(mark))
    });
    let text = lines.collect::<Vec<_>>().join(" ").to_lowercase();
    let placeholders = [
        "more information needed",
        "needs more information",
        "information needed",
        "[optional]",
        "to be added",
        "coming soon",
    ];
    let text = placeholders.iter().fold(text, |text, placeholder| text.replace(placeholder, ""));
    text.chars().filter(|letter| letter.is_alphanumeric()).count() >= 3
}

/// The first heading.
pub(crate) fn first_heading(text: &str) -> Option<String> {
    let sections = sections(text);
    sections.into_iter().skip(1).map(|section| section.title.trim().to_owned()).find(|title| !title.is_empty())
}

/// Addresses of links and pictures, with where they stand.
pub(crate) fn links(text: &str) -> Vec<(String, usize)> {
    let found = events(text).filter_map(|(event, range)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some((dest_url.to_string(), range.start))
        }
        _ => None,
    });
    found.take(MAX_PARTS).collect()
}

/// Lays a text out for a terminal of a width.
pub(crate) fn render(text: &str, width: usize, color: bool) -> String {
    let mut page = Page { width, color, ..Page::default() };
    for (event, _) in events(text) {
        page.event(event);
    }
    page.flush();
    let text = page.out.trim().to_owned();
    if text.is_empty() { text } else { text + "\n" }
}

#[derive(Default)]
struct Page {
    out: String,
    width: usize,
    color: bool,
    /// Words of the block that is open.
    words: String,
    /// Lists that are open: the next number, where they are numbered.
    lists: Vec<Option<u64>>,
    quotes: usize,
    /// What the first line of the block begins with.
    mark: String,
    heading: Option<usize>,
    is_code: bool,
    /// Addresses of links that are open.
    addresses: Vec<(String, usize)>,
    rows: Vec<Vec<String>>,
    in_table: bool,
}

impl Page {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(words) if self.is_code => self.code(&words),
            Event::Text(words) => self.words.push_str(&words),
            Event::Code(words) => self.words.push_str(&format!("`{words}`")),
            Event::Html(html) => self.html(&html),
            Event::InlineHtml(html) => self.words.push_str(&html),
            Event::SoftBreak => self.words.push(' '),
            Event::HardBreak => self.words.push_str(if self.in_table { " " } else { "\n" }),
            Event::Rule => {
                self.flush();
                self.line(&"─".repeat(self.width.min(20)));
                self.gap();
            }
            Event::TaskListMarker(done) => self.words.push_str(if done { "[x] " } else { "[ ] " }),
            Event::FootnoteReference(name) => self.words.push_str(&format!("[{name}]")),
            Event::InlineMath(words) | Event::DisplayMath(words) => self.words.push_str(&words),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.gap();
                self.heading = Some(depth(level));
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}. ", number.saturating_sub(1))
                    }
                    _ => "- ".to_owned(),
                };
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                self.is_code = true;
                if let CodeBlockKind::Fenced(language) = kind
                    && !language.is_empty()
                {
                    let language = format!("    ({})", sanitize(&language));
                    self.line(&language);
                }
            }
            Tag::Table(_) => {
                self.flush();
                self.in_table = true;
            }
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            Tag::Link { dest_url, .. } => self.addresses.push((dest_url.to_string(), self.words.len())),
            Tag::Image { dest_url, .. } => {
                self.words.push_str("[picture: ");
                self.addresses.push((dest_url.to_string(), self.words.len()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                let title = format!("{} {}", "#".repeat(self.heading.take().unwrap_or(1)), sanitize(self.words.trim()));
                self.words.clear();
                let title = Painted(self.color, HEADING, title).to_string();
                self.line(&title);
                self.gap();
            }
            TagEnd::Paragraph => {
                self.flush();
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::HtmlBlock => self.gap(),
            TagEnd::CodeBlock => {
                self.is_code = false;
                self.gap();
            }
            TagEnd::TableCell => {
                let cell = sanitize(std::mem::take(&mut self.words).trim());
                let cell = crate::output::text::excerpt(&cell, MAX_CELL);
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => self.table(),
            TagEnd::Link | TagEnd::Image => {
                let Some((address, start)) = self.addresses.pop() else { return };
                let is_said = self.words.get(start..).is_some_and(|words| words == address);
                if !is_said && !address.is_empty() {
                    self.words.push_str(&format!(" <{address}>"));
                }
                self.words.push_str(if tag == TagEnd::Image { "]" } else { "" });
            }
            _ => {}
        }
    }

    fn table(&mut self) {
        self.in_table = false;
        let rows = std::mem::take(&mut self.rows);
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        for (at, row) in rows.iter().enumerate() {
            let cells = widths.iter().enumerate().map(|(column, width)| {
                let cell = row.get(column).map_or("", String::as_str);
                format!("{cell:<width$}")
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            self.line(line.trim_end());
            if at == 0 {
                let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  ");
                self.line(&rule);
            }
        }
        self.gap();
    }

    fn code(&mut self, words: &str) {
        for line in words.lines() {
            let line = format!("    {}", Painted(self.color, NAME, sanitize(&line.replace('\t', "    "))));
            self.line(&line);
        }
    }

    fn html(&mut self, html: &str) {
        self.flush();
        html.lines().map(sanitize).for_each(|line| self.line(&line));
    }

    /// Ends the block that is open.
    fn flush(&mut self) {
        let words = std::mem::take(&mut self.words);
        let mark = std::mem::take(&mut self.mark);
        if words.trim().is_empty() {
            return;
        }
        let indent = (self.lists.len().saturating_sub(1) * 2).min(MAX_INDENT);
        let lead = format!("{}{}{mark}", "> ".repeat(self.quotes.min(MAX_INDENT / 2)), " ".repeat(indent));
        let hang = " ".repeat(if self.lists.is_empty() { lead.len() } else { lead.len().max(indent + 2) });
        let mut first = true;
        for paragraph in words.split('\n') {
            for line in wrap(&sanitize(paragraph.trim()), self.width.saturating_sub(lead.len()).max(20)) {
                let lead =
                    if std::mem::take(&mut first) && !mark.is_empty() || self.lists.is_empty() { &lead } else { &hang };
                let line = format!("{lead}{line}");
                self.line(&line);
            }
        }
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// One empty line, and never two.
    fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_laid_out() {
        let text = "# Tiny\n\nA *model* of `two` words, see [the page](https://x.example/a) and <b>bold</b>.\n\n1. one\n2. two\n   - inner\n\n\
            > said\n\n| a | b |\n|---|---|\n| 1 | two words |\n\n```python\nprint(1)\n```\n\n<script>alert(1)</script>\n\n![logo](logo.png)\n\n- [x] done\n";
        insta::assert_snapshot!(render(text, 60, false));
    }

    #[test]
    fn nothing_in_it_moves_the_cursor() {
        let shown = render(
            "# \u{1b}[2J\n\n\u{202e}evil\u{200b} `\u{1b}[31m`\n\n|\u{7}|\n|-|\n\n```\n\u{1b}]0;x\u{7}\n```\n<b\u{1b}>\n",
            60,
            false,
        );
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']), "{shown}");
    }

    #[test]
    fn sections_hold_what_is_below_them_and_templates_are_not_filled() {
        let text = "intro\n# A\n## B\ntext of b\n## C\n<!-- TODO: say it -->\n# D\n[More Information Needed]\n## E\nTODO: later\n";
        let filled: Vec<(String, bool)> =
            sections(text).into_iter().map(|section| (section.title, is_filled(&section.body))).collect();
        let expected = [("", true), ("A", true), ("B", true), ("C", false), ("D", false), ("E", false)];
        assert_eq!(filled, expected.map(|(title, is_filled)| (title.to_owned(), is_filled)));
    }

    #[test]
    fn deep_and_long_texts_end() {
        for text in [
            ">".repeat(100_000),
            "- ".repeat(50_000),
            "[".repeat(100_000),
            "# x\n".repeat(50_000),
            "*a ".repeat(100_000),
            "`".repeat(50_000),
        ] {
            let _ = (render(&text, 60, false), sections(&text), links(&text));
        }
    }
}
