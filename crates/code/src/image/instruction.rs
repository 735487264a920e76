//! The grammar of a Dockerfile: directives, continued lines, comments, here-documents, JSON forms. As BuildKit reads it
//! (<https://docs.docker.com/reference/dockerfile/>).

/// Bytes of a file that are read.
pub const MAX_BYTES: u64 = 4 << 20;
/// Instructions of a file that are read.
const MAX_INSTRUCTIONS: usize = 100_000;

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Its keyword, in capitals.
    pub(super) keyword: String,
    /// What follows, on one line, without comments and options.
    pub(super) text: Text,
    /// Its options: `--from=build` as `("from", "build")`.
    pub(super) options: Vec<(String, String)>,
    /// Here-documents that follow it.
    pub(super) documents: Vec<Text>,
    /// The line it begins on, counted from 1.
    pub(super) line: u64,
    /// It is carried out when an image is built on this one.
    pub(super) is_for_later: bool,
}

impl Instruction {
    /// An option's value.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Its words in the form of JSON, where it is written so.
    pub(super) fn json(&self) -> Option<Vec<String>> {
        let text = self.text.text.trim();
        if !text.starts_with('[') { None } else { serde_json::from_str(text).ok() }
    }
}

/// Text, and the lines that it was on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// Where each piece begins, and its line.
    pieces: Vec<(usize, u64)>,
}

impl Text {
    fn push(&mut self, piece: &str, line: u64) {
        self.pieces.push((self.text.len(), line));
        self.text.push_str(piece);
    }

    /// The line of a place.
    pub(super) fn line_at(&self, at: usize) -> u64 {
        let index = self.pieces.partition_point(|(start, _)| *start <= at);
        self.pieces.get(index.saturating_sub(1)).map_or(1, |(_, line)| *line)
    }

    /// Without its first bytes.
    fn skip(&mut self, count: usize) {
        let first = self.line_at(count);
        self.text.drain(..count.min(self.text.len()));
        self.pieces.retain(|(start, _)| *start > count);
        for (start, _) in &mut self.pieces {
            *start -= count;
        }
        self.pieces.insert(0, (0, first));
    }
}

/// A file as it was read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) instructions: Vec<Instruction>,
    /// What could not be read: where, and what.
    pub(super) problems: Vec<(u64, String)>,
    /// The character that continues a line.
    pub(super) escape: char,
}

const KEYWORDS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Reads a file. It never fails: what cannot be read is said.
pub(super) fn parse(text: &str) -> Parsed {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut parsed = Parsed { escape: escape(&lines), ..Parsed::default() };
    let mut at = 0;
    while at < lines.len() {
        if parsed.instructions.len() >= MAX_INSTRUCTIONS {
            parsed.problems.push((at as u64 + 1, "the file has more instructions than are read".to_owned()));
            break;
        }
        at = next(&lines, at, &mut parsed);
    }
    parsed
}

/// The escape character, where a directive at the very top sets it.
fn escape(lines: &[&str]) -> char {
    let directives = lines.iter().map_while(|line| line.trim().strip_prefix('#')?.split_once('='));
    let set = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("escape"));
    if set.map(|(_, value)| value.trim()).next() == Some("`") { '`' } else { '\\' }
}

/// Reads the instruction that begins at a line, and gives the line after it.
fn next(lines: &[&str], mut at: usize, parsed: &mut Parsed) -> usize {
    let is_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if is_nothing(lines[at]) {
        return at + 1;
    }
    let begin = at as u64 + 1;
    let mut whole = Text::default();
    while let Some(line) = lines.get(at) {
        at += 1;
        if is_nothing(line) && !whole.text.is_empty() {
            continue;
        }
        let line = if whole.text.is_empty() { line.trim_start() } else { line };
        let trimmed = line.trim_end();
        match trimmed.strip_suffix(parsed.escape) {
            Some(continued) => whole.push(continued, at as u64),
            None => {
                whole.push(trimmed, at as u64);
                break;
            }
        }
    }
    let Some(mut instruction) = instruction(whole, begin, parsed) else { return at };
    if matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD") {
        at = documents(lines, at, &mut instruction, parsed);
    }
    parsed.instructions.push(instruction);
    at
}

fn instruction(mut text: Text, line: u64, parsed: &mut Parsed) -> Option<Instruction> {
    let mut keyword = keyword(&mut text);
    let is_for_later = keyword == "ONBUILD";
    if is_for_later {
        keyword = self::keyword(&mut text);
    }
    if !KEYWORDS.contains(&keyword.as_str()) {
        let shown: String = keyword.chars().take(40).collect();
        parsed.problems.push((line, format!("'{shown}' is no instruction")));
        return None;
    }
    let options = if matches!(keyword.as_str(), "ADD" | "COPY" | "FROM" | "RUN" | "HEALTHCHECK") {
        options(&mut text)
    } else {
        Vec::new()
    };
    Some(Instruction { keyword, text, options, documents: Vec::new(), line, is_for_later })
}

fn keyword(text: &mut Text) -> String {
    let lead = text.text.len() - text.text.trim_start().len();
    let end = text.text[lead..].find(char::is_whitespace).map_or(text.text.len(), |end| lead + end);
    let keyword = text.text[lead..end].to_ascii_uppercase();
    let rest = text.text.len() - text.text[end..].trim_start().len();
    text.skip(rest);
    keyword
}

fn options(text: &mut Text) -> Vec<(String, String)> {
    let mut options = Vec::new();
    let mut used = 0;
    while let Some(rest) = text.text[used..].strip_prefix("--") {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (name, value) = rest[..end].split_once('=').unwrap_or((&rest[..end], ""));
        options.push((name.to_owned(), value.trim_matches('"').to_owned()));
        let after = used + 2 + end;
        used = text.text.len() - text.text[after..].trim_start().len();
    }
    text.skip(used);
    options
}

/// Reads the here-documents of an instruction, which follow it.
fn documents(lines: &[&str], mut at: usize, instruction: &mut Instruction, parsed: &mut Parsed) -> usize {
    for (end, strips_tabs) in ends(&instruction.text.text) {
        let mut document = Text::default();
        let mut is_ended = false;
        while let Some(line) = lines.get(at) {
            at += 1;
            let shown = if strips_tabs { line.trim_start_matches('\t') } else { line };
            if shown == end {
                is_ended = true;
                break;
            }
            document.push(shown, at as u64);
            document.text.push('\n');
        }
        if !is_ended {
            parsed.problems.push((instruction.line, "a here-document does not end".to_owned()));
        }
        instruction.documents.push(document);
    }
    at
}

/// The words that end the here-documents which an instruction announces.
fn ends(text: &str) -> Vec<(String, bool)> {
    let words = text.split_whitespace().filter_map(|word| {
        let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = word.strip_prefix("<<")?;
        let (rest, strips_tabs) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
        let end = rest.trim_matches(['"', '\'']);
        let is_name = end.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && end.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        is_name.then(|| (end.to_owned(), strips_tabs))
    });
    // Each costs a pass over lines that are left.
    words.take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let parsed = parse(text);
        let told = |one: &Instruction| {
            let documents: Vec<&str> = one.documents.iter().map(|document| document.text.as_str()).collect();
            format!("{} {} {:?} {:?}", one.line, one.keyword, one.text.text, documents)
        };
        let mut all: Vec<String> = parsed.instructions.iter().map(told).collect();
        all.extend(parsed.problems.iter().map(|(line, why)| format!("{line}: {why}")));
        all
    }

    #[test]
    fn lines_are_continued_through_comments_and_empty_lines() {
        let text =
            "# syntax=docker/dockerfile:1\nfrom a AS b\nRUN one && \\\n  # why\n\n  two \\  \n  three\nCMD [\"x\"]\n";
        assert_eq!(
            shown(text),
            [r#"2 FROM "a AS b" []"#, r#"3 RUN "one &&   two   three" []"#, r#"8 CMD "[\"x\"]" []"#]
        );
    }

    #[test]
    fn places_keep_their_lines() {
        let parsed = parse("FROM a\nRUN --mount=type=cache,target=/x one \\\n two \\\n three\n");
        let text = &parsed.instructions[1].text;
        let line = |word: &str| text.line_at(text.text.find(word).unwrap());
        assert_eq!((line("one"), line("two"), line("three")), (2, 3, 4));
        assert_eq!(parsed.instructions[1].option("mount"), Some("type=cache,target=/x"));
    }

    #[test]
    fn here_documents_belong_to_their_instruction() {
        let text = "FROM a\nRUN <<EOF cat <<-'END'\npip install x\nEOF\n\tyes\n\tEND\nUSER b\nCOPY <<never /x\nlost\n";
        assert_eq!(
            shown(text),
            [
                r#"1 FROM "a" []"#,
                r#"2 RUN "<<EOF cat <<-'END'" ["pip install x\n", "yes\n"]"#,
                r#"7 USER "b" []"#,
                r#"8 COPY "<<never /x" ["lost\n"]"#,
                "8: a here-document does not end"
            ]
        );
    }

    #[test]
    fn another_escape_and_what_is_no_instruction() {
        assert_eq!(
            shown("# escape=`\nFROM a\nRUN one `\n two\\\nWHAT now\nONBUILD USER x\n"),
            [r#"2 FROM "a" []"#, r#"3 RUN "one  two\\" []"#, r#"6 USER "x" []"#, "5: 'WHAT' is no instruction"]
        );
    }

    #[test]
    fn hostile_files_end() {
        let many = "RUN a \\\n".repeat(100_000);
        assert_eq!(parse(&many).instructions.len(), 1);
        assert_eq!(parse(&"USER x\n".repeat(100_001)).problems.len(), 1);
        assert!(parse(&"RUN <<A <<A <<A\n".repeat(20_000)).instructions.len() < 20_000);
        assert!(parse("\\").instructions.is_empty());
        assert!(parse("FROM").instructions[0].text.text.is_empty());
    }
}
