//! The commands of a `RUN`: words, quotes, and what joins commands. Not a shell: enough to know which programs are called
//! with which words.

use super::variables::Variables;

/// Commands of one `RUN`.
const MAX_COMMANDS: usize = 10_000;

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The word, with names replaced as far as they are known.
    pub(super) text: String,
    /// Where it begins.
    pub(super) at: usize,
    /// Something in it is not known: a variable, or what another command prints.
    pub(super) is_open: bool,
}

/// A command, and what follows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    /// What it prints goes into the next.
    pub(super) is_piped: bool,
}

impl Command {
    /// The words of the command proper: without variables set before it, and programs that only run another.
    pub(super) fn proper(&self) -> &[Word] {
        let mut words = self.words.as_slice();
        while let Some((first, rest)) = words.split_first() {
            let is_setting = first.text.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            });
            let is_wrapper = matches!(
                first.text.as_str(),
                "sudo"
                    | "exec"
                    | "time"
                    | "env"
                    | "command"
                    | "nice"
                    | "then"
                    | "do"
                    | "else"
                    | "if"
                    | "!"
                    | "-E"
                    | "-H"
                    | "{"
            );
            if !is_setting && !is_wrapper {
                break;
            }
            words = rest;
        }
        words
    }
}

/// Splits a script into commands.
pub(super) fn commands(script: &str, variables: &Variables) -> Vec<Command> {
    let mut reader = Reader { variables, commands: Vec::new(), command: Command::default(), word: None };
    reader.read(script);
    reader.commands
}

struct Reader<'a> {
    variables: &'a Variables,
    commands: Vec<Command>,
    command: Command,
    word: Option<Word>,
}

impl Reader<'_> {
    fn read(&mut self, script: &str) {
        let mut characters = script.char_indices().peekable();
        let mut quote = None;
        // The quotes around each `$(` that is open.
        let mut outer: Vec<Option<char>> = Vec::new();
        while let Some((at, character)) = characters.next() {
            if self.commands.len() >= MAX_COMMANDS {
                return;
            }
            match (quote, character) {
                (Some('\''), '\'') | (Some('"'), '"') => quote = None,
                (Some('\''), other) => self.put(at, other),
                (_, '\\') => match characters.next() {
                    Some((_, '\n')) | None => {}
                    Some((_, next)) => self.put(at, next),
                },
                (_, '$') if script[at + 1..].starts_with('(') => {
                    let word = self.word(at);
                    word.is_open = true;
                    word.text.push_str("$(");
                    self.end_command(false);
                    characters.next();
                    outer.push(quote.take());
                }
                (_, '$') => {
                    let length = self.dollar(at, &script[at + 1..]);
                    while characters.next_if(|(next, _)| *next <= at + length).is_some() {}
                }
                (Some(_), other) => self.put(at, other),
                (None, '\'' | '"') => {
                    quote = Some(character);
                    self.word(at);
                }
                (None, '#') if self.word.is_none() => while characters.next_if(|(_, next)| *next != '\n').is_some() {},
                (None, ')') => {
                    self.end_command(false);
                    quote = outer.pop().flatten();
                }
                (None, '&') if self.word.as_ref().is_some_and(|word| word.text.ends_with('>')) => self.put(at, '&'),
                (None, '|' | '&' | ';' | '\n' | '(' | '`') => {
                    let is_double = characters.next_if(|(_, next)| *next == character).is_some();
                    self.end_command(character == '|' && !is_double);
                }
                (None, space) if space.is_whitespace() => self.end_word(),
                (None, other) => self.put(at, other),
            }
        }
        self.end_command(false);
    }

    fn word(&mut self, at: usize) -> &mut Word {
        self.word.get_or_insert_with(|| Word { text: String::new(), at, is_open: false })
    }

    fn put(&mut self, at: usize, character: char) {
        self.word(at).text.push(character);
    }

    /// What follows a dollar sign: a name is replaced where it is known, a command stands open. Gives the bytes that were used.
    fn dollar(&mut self, at: usize, rest: &str) -> usize {
        let length = match rest.strip_prefix('{') {
            Some(inner) => inner.find('}').map_or(rest.len(), |end| end + 2),
            None => rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len()),
        };
        let name = &rest[..length];
        let value = self.variables.replace(&format!("${name}"), '\\').filter(|_| length > 0);
        let word = self.word(at);
        match value {
            Some(value) => word.text.push_str(&value),
            None => {
                word.is_open = true;
                word.text.push('$');
                word.text.push_str(name);
            }
        }
        length
    }

    fn end_word(&mut self) {
        self.command.words.extend(self.word.take());
    }

    fn end_command(&mut self, is_piped: bool) {
        self.end_word();
        if self.command.words.is_empty() {
            return;
        }
        let mut command = std::mem::take(&mut self.command);
        command.is_piped = is_piped;
        self.commands.push(command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(script: &str) -> Vec<String> {
        let mut variables = Variables::default();
        variables.set("V", Some("2.1.0".to_owned()));
        commands(script, &variables)
            .iter()
            .map(|one| {
                let words: Vec<&str> = one.proper().iter().map(|word| word.text.as_str()).collect();
                format!("{}{}", words.join(" "), if one.is_piped { " |" } else { "" })
            })
            .collect()
    }

    #[test]
    fn commands_and_words() {
        assert_eq!(
            shown("set -ex && A=1 sudo pip install 'torch==2' \"x[y]>=1\" torchvision==${V}; a || b | c"),
            ["set -ex", "pip install torch==2 x[y]>=1 torchvision==2.1.0", "a", "b |", "c"]
        );
        assert_eq!(shown("pip install a==$OTHER # no\npip \\\n install b"), ["pip install a==$OTHER", "pip install b"]);
        assert_eq!(
            shown("bash <(curl x) && eval \"$(curl y)\" && (cd a)"),
            ["bash <", "curl x", "eval $(", "curl y", "cd a"]
        );
    }

    #[test]
    fn hostile_scripts_end() {
        assert!(commands(&"a;".repeat(100_000), &Variables::default()).len() <= MAX_COMMANDS);
        assert!(commands(&"${".repeat(50_000), &Variables::default()).len() <= 1);
        assert_eq!(commands("'never ends", &Variables::default()).len(), 1);
    }
}
