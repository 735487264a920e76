//! The commands of a `RUN`: words, quotes, and what joins commands. Not a shell: enough to know which programs are called
//! with which words.

use super::variables::Variables;

/// Commands of one `RUN`.
const MAX_COMMANDS: usize = 10_000;
/// Bytes of a value that is put into a word: a short name may stand for very many, and may be used very often.
const MAX_VALUE: usize = 200;
/// Programs that read commands as a shell does.
pub(super) const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ash"];

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
        let mut wrapper = "";
        while let Some((first, rest)) = words.split_first() {
            let text = first.text.as_str();
            let is_option = !wrapper.is_empty() && text.starts_with('-');
            if !is_option && !is_setting(text) && !is_wrapper(text) {
                break;
            }
            let used = if is_option && takes_value(wrapper, text) { 1 } else { 0 };
            wrapper = if is_wrapper(text) { text } else { wrapper };
            words = rest.get(used..).unwrap_or_default();
        }
        words
    }

    /// The script that a shell is called with, as in `bash -c "…"`.
    fn script(&self) -> Option<&Word> {
        let (program, words) = self.proper().split_first()?;
        if !SHELLS.contains(&program.text.rsplit('/').next()?) {
            return None;
        }
        let is_command = |word: &&Word| {
            let letters = word.text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            letters.is_some_and(|letters| letters.contains('c'))
        };
        let may_stand_before = |word: &&Word| word.text.starts_with('-') || word.text == "pipefail";
        let at = words.iter().take_while(may_stand_before).position(|word| is_command(&word))?;
        words[at + 1..].iter().find(|word| !may_stand_before(word))
    }
}

/// `NAME=value` before a command.
fn is_setting(text: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    text.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Programs and words after which the command proper follows.
fn is_wrapper(text: &str) -> bool {
    matches!(text, "sudo" | "exec" | "time" | "env" | "command" | "nice" | "then" | "do" | "else" | "if" | "!" | "{")
}

/// Whether an option of such a program has a value of its own.
fn takes_value(wrapper: &str, option: &str) -> bool {
    match wrapper {
        "sudo" => {
            matches!(option, "-u" | "-g" | "-h" | "-p" | "-C" | "-D" | "-R" | "-T" | "-r" | "-t" | "--user" | "--group")
        }
        "env" => matches!(option, "-u" | "-C" | "--unset" | "--chdir"),
        "nice" => option == "-n",
        "exec" => option == "-a",
        _ => false,
    }
}

/// The commands of a script, and of the scripts that shells are called with in it.
pub(super) fn all_commands(script: &str, variables: &Variables) -> Vec<Command> {
    with_inner(commands(script, variables), variables)
}

/// Commands, and after them those of the scripts that they call shells with, at the place of the script.
pub(super) fn with_inner(mut all: Vec<Command>, variables: &Variables) -> Vec<Command> {
    let mut at = 0;
    while at < all.len() && all.len() < MAX_COMMANDS {
        if let Some(script) = all[at].script() {
            let place = script.at;
            let mut inner = commands(&script.text, variables);
            inner.iter_mut().flat_map(|command| &mut command.words).for_each(|word| word.at = place);
            all.extend(inner);
        }
        at += 1;
    }
    all
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
        // How each `$(` and backtick that is open ends, and the quotes around it.
        let mut outer: Vec<(char, Option<char>)> = Vec::new();
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
                    self.substitution(at);
                    characters.next();
                    outer.push((')', quote.take()));
                }
                (_, '`') if outer.last().is_some_and(|(end, _)| *end == '`') => {
                    self.end_command(false);
                    quote = outer.pop().and_then(|(_, quote)| quote);
                }
                (_, '`') => {
                    self.substitution(at);
                    outer.push(('`', quote.take()));
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
                    quote = outer.pop().and_then(|(_, quote)| quote);
                }
                (None, '&') if self.word.as_ref().is_some_and(|word| word.text.ends_with('>')) => self.put(at, '&'),
                (None, '|' | '&' | ';' | '\n' | '(') => {
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

    /// What another command prints: the word stands open, and that command follows.
    fn substitution(&mut self, at: usize) {
        let word = self.word(at);
        word.is_open = true;
        word.text.push_str("$(");
        self.end_command(false);
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
        let value =
            self.variables.replace(&format!("${name}"), '\\').filter(|value| length > 0 && value.len() <= MAX_VALUE);
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
        all_commands(script, &variables)
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
    fn what_others_carry_out_is_looked_into() {
        assert_eq!(
            shown("bash -euxo pipefail -lc \"curl x | bash\" && a"),
            ["bash -euxo pipefail -lc curl x | bash", "a", "curl x |", "bash"]
        );
        assert_eq!(
            shown("sh -c 'sh -c \"pip install b\"'"),
            ["sh -c sh -c \"pip install b\"", "sh -c pip install b", "pip install b"]
        );
        assert_eq!(shown("bash script -c x; python -c 'a; b'"), ["bash script -c x", "python -c a; b"]);
        assert_eq!(shown("wget x | sudo -E -u me env -u A B=c bash"), ["wget x |", "bash"]);
        assert_eq!(shown("eval `curl x` && eval \"`curl y`\" z"), ["eval $(", "curl x", "eval $(", "curl y", "z"]);
    }

    #[test]
    fn hostile_scripts_end() {
        let nested = "sh -c \"".repeat(20_000);
        assert!(all_commands(&nested, &Variables::default()).len() <= MAX_COMMANDS);
        let mut variables = Variables::default();
        variables.set("A", Some("x".repeat(10_000)));
        let long = commands(&"$A ".repeat(10_000), &variables);
        assert!(long.iter().flat_map(|command| &command.words).all(|word| word.text.len() < 10));
        assert!(commands(&"a;".repeat(100_000), &Variables::default()).len() <= MAX_COMMANDS);
        assert!(commands(&"${".repeat(50_000), &Variables::default()).len() <= 1);
        assert_eq!(commands("'never ends", &Variables::default()).len(), 1);
    }
}
