//! Python at the other end of a pipe; what is said there is told at the top of `oracle.py`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Something a reader did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// It looked something up.
    LookUp { module: String, name: String },
    /// It called what it had looked up or, at a depth over 0, what such a call returned.
    Call { module: String, name: String, depth: usize, kind: String, arguments: usize },
    /// It changed such an object through its methods.
    Change { module: String, name: String, depth: usize, method: String },
    /// It resolved a persistent id.
    Persistent,
}

/// What one reader did with a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// `stop`, `limit`, or `error` and what it said.
    pub(crate) outcome: String,
    /// In order.
    pub(crate) events: Vec<Event>,
}

impl Reading {
    /// Whether the program came to its STOP.
    pub(crate) fn is_finished(&self) -> bool {
        self.outcome == "stop"
    }

    /// Whether it was given up because it does too much.
    pub(crate) fn is_given_up(&self) -> bool {
        self.outcome == "limit"
    }

    fn parse(text: &str) -> Self {
        let mut parts = text.split(';');
        let outcome = parts.next().unwrap().to_owned();
        Self { outcome, events: parts.map(event).collect() }
    }
}

fn event(text: &str) -> Event {
    let parts: Vec<&str> = text.split(':').collect();
    let (module, name) = match parts.as_slice() {
        [_, module, name, ..] => (decode(module), decode(name)),
        _ => return Event::Persistent,
    };
    match parts[3..] {
        [] => Event::LookUp { module, name },
        [depth, method] => Event::Change { module, name, depth: depth.parse().unwrap(), method: method.to_owned() },
        [depth, kind, arguments] => Event::Call {
            module,
            name,
            depth: depth.parse().unwrap(),
            kind: kind.to_owned(),
            arguments: arguments.parse().unwrap(),
        },
        _ => panic!("'{text}' is no event"),
    }
}

fn decode(text: &str) -> String {
    String::from_utf8_lossy(&bytes(text)).into_owned()
}

fn bytes(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Python, waiting for pickles.
pub(crate) struct Oracle {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts Python; none, with a word on why, when there is none that will do and none is required.
    pub(crate) fn start() -> Option<Self> {
        let recent = "import sys; sys.exit(sys.version_info < (3, 9))";
        let found = Command::new("python3").args(["-c", recent]).status().is_ok_and(|status| status.success());
        if !found {
            let required = std::env::var_os("WAAG_REQUIRE_PYTHON").is_some_and(|value| value == "1");
            assert!(!required, "WAAG_REQUIRE_PYTHON=1, and there is no python3 of 3.9 or later on PATH");
            eprintln!("skipped: there is no python3 of 3.9 or later on PATH to compare with");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpython/oracle.py");
        let mut process = Command::new("python3")
            .args(["-I", "-S", "-W", "ignore"])
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let requests = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Some(Self { process, requests, answers })
    }

    /// How the C unpickler without and with look-ahead, the pure-Python one and `pickletools` read a program.
    pub(crate) fn run(&mut self, program: &[u8]) -> [Reading; 4] {
        let digits: String = program.iter().map(|byte| format!("{byte:02x}")).collect();
        let answer = self.ask(&format!("run {digits}"));
        let readings: Vec<Reading> = answer.split('|').map(Reading::parse).collect();
        readings.try_into().unwrap()
    }

    /// What Python writes for ordinary data.
    pub(crate) fn corpus(&mut self) -> Vec<Vec<u8>> {
        self.ask("corpus").split(',').map(bytes).collect()
    }

    fn ask(&mut self, request: &str) -> String {
        writeln!(self.requests, "{request}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "Python gave no answer to '{request}'");
        answer.trim_end().to_owned()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
