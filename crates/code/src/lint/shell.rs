//! What lines for a shell take from elsewhere: packages, repositories, files.

use super::models::is_commit;
use super::syntax::{Script, Span, Value};

/// Bytes of a line that are looked at.
const MAX_LINE: usize = 16 << 10;

/// A line for a shell, or the words of one.
#[derive(Debug)]
pub(crate) struct Line {
    /// Where.
    pub(crate) span: Span,
    /// Its commands, each as words; `|` and the like stand between two of them.
    pub(crate) words: Vec<String>,
}

/// Something that a command takes from elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Packages that are installed, those that are not pinned.
    Packages(Vec<String>),
    /// A repository, at whatever is newest.
    Repository(String),
    /// A file at an address.
    File(String),
    /// A file that a shell or interpreter runs at once.
    Program(String),
}

/// Every line of a file that a shell gets.
pub(crate) fn lines(script: &Script) -> Vec<Line> {
    let commands = script.commands.iter().filter_map(|command| {
        let text = command.text.trim();
        // `%pip` and `%conda` are commands; other magics are the notebook's own.
        let is_command =
            command.is_shell || text.starts_with("pip ") || text.starts_with("conda ") || text.starts_with("uv ");
        is_command.then(|| Line { span: command.span, words: words(text) })
    });
    let calls = script.calls.iter().filter_map(|call| {
        let is_run = call.callee.path == "os.system"
            || call.callee.path == "os.popen"
            || call.callee.path.starts_with("subprocess.");
        let first = call.first().filter(|_| is_run)?;
        let words = match &first.value {
            Value::Text(text) => words(&text.known),
            Value::Items(items) => items
                .iter()
                .map(|item| {
                    item.part()
                        .unwrap_or(if item.path() == Some("sys.executable") { "python" } else { "\0" })
                        .to_owned()
                })
                .collect(),
            _ => return None,
        };
        Some(Line { span: call.span, words })
    });
    commands.chain(calls).collect()
}

/// A line's words. What stands in quotes is one word; `;`, `&&`, `||` and `|` are words of their own.
fn words(line: &str) -> Vec<String> {
    let line = &line[..line.floor_char_boundary(MAX_LINE)];
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut quote, mut has_word) = (String::new(), None, false);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => word.push(letter),
            (None, '"' | '\'') => (quote, has_word) = (Some(letter), true),
            (None, ' ' | '\t' | '\n' | '\\') => end(&mut words, &mut word, &mut has_word),
            (None, '#') if word.is_empty() && !has_word => break,
            (None, ';' | '|' | '&') => {
                end(&mut words, &mut word, &mut has_word);
                words.push(letter.to_string());
            }
            (None, _) => word.push(letter),
        }
    }
    end(&mut words, &mut word, &mut has_word);
    words
}

fn end(words: &mut Vec<String>, word: &mut String, has_word: &mut bool) {
    if std::mem::take(has_word) || !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// What a line takes from elsewhere.
pub(crate) fn taken(line: &Line) -> Vec<Taken> {
    let is_between = |word: &String| matches!(word.as_str(), ";" | "|" | "&");
    let has_checkout = line.words.windows(2).any(|pair| pair[0] == "checkout" && is_commit(&pair[1]));
    let mut found = Vec::new();
    let commands: Vec<&[String]> = line.words.split(is_between).filter(|command| !command.is_empty()).collect();
    for (index, command) in commands.iter().enumerate() {
        let command = without_prefix(command);
        let name = command.first().map(String::as_str).unwrap_or_default();
        match name {
            "git" if command.get(1).is_some_and(|word| word == "clone") && !has_checkout => {
                found.extend(
                    command[2..]
                        .iter()
                        .find(|word| word.contains("://") || word.contains('@'))
                        .cloned()
                        .map(Taken::Repository),
                );
            }
            "curl" | "wget" => {
                let Some(address) = command.iter().find(|word| word.contains("://")) else { continue };
                let next = commands.get(index + 1).and_then(|next| without_prefix(next).first());
                let is_piped =
                    next.is_some_and(|next| matches!(next.as_str(), "sh" | "bash" | "zsh" | "python" | "python3"));
                found.push(if is_piped { Taken::Program(address.clone()) } else { Taken::File(address.clone()) });
            }
            _ => {
                let loose = installed(command);
                if !loose.is_empty() {
                    found.push(Taken::Packages(loose));
                }
            }
        }
    }
    found
}

/// A command without `sudo`, settings and the like before it.
fn without_prefix(command: &[String]) -> &[String] {
    let is_prefix =
        |word: &&String| matches!(word.as_str(), "sudo" | "env" | "-E" | "then" | "do" | "time") || word.contains('=');
    &command[command.iter().take_while(is_prefix).count()..]
}

/// The packages that a command installs without saying which version.
fn installed(command: &[String]) -> Vec<String> {
    let Some(at) = command.iter().position(|word| word == "install") else { return Vec::new() };
    let is_pip = command[..at].iter().any(|word| {
        let name = word.rsplit('/').next().unwrap_or_default();
        matches!(name, "pip" | "pip3")
    });
    let mut loose = Vec::new();
    let mut words = command[at + 1..].iter().filter(|_| is_pip);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-r" | "--requirement" | "-c" | "--constraint" | "-t" | "--target" | "-i" | "--index-url"
            | "--extra-index-url" | "-f" | "--find-links" | "--prefix" | "--root" | "--platform"
            | "--python-version" | "--timeout" => {
                words.next();
            }
            "-e" | "--editable" => {}
            _ if word.starts_with(['-', '>', '<', '2', '.', '/', '$', '{', '\0', '%']) => {}
            _ if is_loose(word) => loose.push(word.clone()),
            _ => {}
        }
    }
    loose
}

/// Whether a requirement may mean another thing tomorrow.
fn is_loose(word: &str) -> bool {
    if let Some((_, address)) = word.split_once("git+") {
        let reference =
            address.split('#').next().and_then(|address| address.rsplit_once('@')).map(|(_, reference)| reference);
        return !reference.is_some_and(is_commit);
    }
    let is_file = [".whl", ".tar.gz", ".zip"].iter().any(|ending| word.ends_with(ending));
    // `pip` itself and what builds packages are tools, not what is computed with.
    let is_tool = matches!(word, "pip" | "setuptools" | "wheel" | "uv");
    !word.contains("==") && !word.contains(" @ ") && !is_file && !is_tool && !word.contains(['{', '$', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Vec<Taken> {
        taken(&Line { span: Span::default(), words: words(line) })
    }

    #[test]
    fn what_is_not_pinned_is_told() {
        let packages = |names: &[&str]| vec![Taken::Packages(names.iter().map(|name| (*name).to_owned()).collect())];
        assert_eq!(told("pip install -q torch 'numpy>=1.2' x==1.0"), packages(&["torch", "numpy>=1.2"]));
        assert_eq!(told("python -m pip install --upgrade pip"), []);
        assert_eq!(told("pip install -r requirements.txt -e ."), []);
        assert_eq!(told("sudo apt-get install git"), []);
        assert_eq!(
            told("pip install git+https://example.org/a.git@main"),
            packages(&["git+https://example.org/a.git@main"])
        );
        let commit = "0".repeat(40);
        assert_eq!(told(&format!("pip install git+https://example.org/a.git@{commit}")), []);
        assert_eq!(told(&format!("git clone https://example.org/a && cd a && git checkout {commit}")), []);
        assert_eq!(told("git clone https://example.org/a"), [Taken::Repository("https://example.org/a".into())]);
        assert_eq!(
            told("curl -s https://example.org/i.sh | sudo bash"),
            [Taken::Program("https://example.org/i.sh".into())]
        );
        assert_eq!(told("wget https://example.org/a.zip"), [Taken::File("https://example.org/a.zip".into())]);
    }
}
