//! What LangChain writes and loads: serialised objects (`lc`, `type`, `id`), chains and agents by `_type`, prompts whose
//! template is Jinja, and switches that allow unpickling.

use super::Observer;
use super::found::{Found, external};
use crate::budget::Budget;
use crate::fact::{FactKind, Gap, Position, ReferenceKind, Runs, SourceReach, Standing};
use crate::facts::Facts;
use crate::jinja::inspect_template;
use crate::json::{Event, Segment, Value, path_text};

/// Kinds of chains and tools that run what a language model answers.
const RUNNERS: &[(&str, &str)] = &[
    ("python_repl", "runs Python code that a language model writes"),
    ("pal_chain", "runs Python code that a language model writes"),
    ("llm_math_chain", "evaluates what a language model writes"),
    ("llm_bash_chain", "runs shell commands that a language model writes"),
    ("terminal", "runs shell commands that a language model writes"),
    ("shell", "runs shell commands that a language model writes"),
    ("llm_requests_chain", "fetches addresses that a language model writes"),
];
/// The same by their classes.
const CLASSES: &[(&str, &str)] = &[
    ("PythonREPL", "runs Python code that a language model writes"),
    ("PythonREPLTool", "runs Python code that a language model writes"),
    ("PythonAstREPLTool", "runs Python code that a language model writes"),
    ("PALChain", "runs Python code that a language model writes"),
    ("CPALChain", "runs Python code that a language model writes"),
    ("LLMMathChain", "evaluates what a language model writes"),
    ("LLMSymbolicMathChain", "evaluates what a language model writes"),
    ("BashChain", "runs shell commands that a language model writes"),
    ("LLMBashChain", "runs shell commands that a language model writes"),
    ("BashProcess", "runs shell commands that a language model writes"),
    ("ShellTool", "runs shell commands that a language model writes"),
];
/// Packages of LangChain whose objects run code by their purpose.
const EXPERIMENTAL: &[&str] = &["langchain_experimental", "langchain.experimental"];
/// Switches that allow what runs code.
const SWITCHES: &[&str] =
    &["allow_dangerous_deserialization", "allow_dangerous_code", "allow_dangerous_requests", "allow_dangerous_tools"];
/// Keys of paths that are read while loading.
const PATHS: &[&str] = &[
    "template_path",
    "examples_path",
    "example_prompt_path",
    "prefix_path",
    "suffix_path",
    "llm_path",
    "prompt_path",
    "llm_chain_path",
    "combine_documents_chain_path",
];
/// Endings of keys under which a credential is expected.
const CREDENTIALS: &[&str] = &["key", "token", "secret", "password", "api_key", "base", "organization"];
/// Endings of keys whose value is where requests are sent, with the credential.
const ENDPOINTS: &[&str] = &["base_url", "api_base", "endpoint", "api_url", "proxy"];
/// Where requests usually go.
const USUAL_HOSTS: &[&str] = &[
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    "openai.com",
    "azure.com",
    "anthropic.com",
    "googleapis.com",
    "amazonaws.com",
    "huggingface.co",
    "cohere.ai",
    "cohere.com",
    "mistral.ai",
    "groq.com",
    "openrouter.ai",
    "together.xyz",
    "fireworks.ai",
    "deepseek.com",
    "aliyuncs.com",
    "langchain.com",
    "ollama.com",
    "x.ai",
];
/// Mappings within mappings that are remembered.
const MAX_OPEN: usize = 512;
/// Bytes of templates that are kept until it is known what they are.
const MAX_HELD: usize = 8 << 20;
/// Steps that reading a configuration's templates may take.
const TEMPLATE_STEPS: u64 = 8 << 20;

/// What is known of a mapping that is still open.
#[derive(Debug, Default)]
struct Pending {
    depth: usize,
    is_lc: bool,
    kind: Option<String>,
    id: Vec<String>,
    template: Option<(u64, String, String)>,
    is_jinja: bool,
}

#[derive(Debug, Default)]
struct LangChain {
    found: Found,
    open: Vec<Pending>,
    has_secret: bool,
    /// The first place requests are sent to that is none of the usual.
    endpoint: Option<(u64, String)>,
}

pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(LangChain::default())
}

impl Observer for LangChain {
    fn event(&mut self, event: &Event<'_>, facts: &mut Facts) {
        match event.value {
            Value::ObjectEnd(_) => self.close(event, facts),
            Value::Number(_) if event.key() == Some("lc") => {
                self.pend(event.path.len(), |pending| pending.is_lc = true)
            }
            Value::Bool(true) => switch(event, facts),
            Value::Text(text) => self.text(event, text, facts),
            _ => {}
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        if let (true, Some((offset, target))) = (self.has_secret, self.endpoint.take()) {
            facts.push(Position::Offset(offset), FactKind::Reference { kind: ReferenceKind::Address, target });
        }
        self.found.finish(facts);
    }
}

impl LangChain {
    fn text(&mut self, event: &Event<'_>, text: &str, facts: &mut Facts) {
        let depth = event.path.len();
        let Some(key) = event.key() else { return self.id(event, text) };
        match key {
            "type" if matches!(text, "constructor" | "secret" | "not_implemented") => {
                self.pend(depth, |pending| pending.kind = Some(text.to_owned()));
            }
            "_type" => self.kind(event.offset, text),
            "template_format" if text == "jinja2" => self.pend(depth, |pending| pending.is_jinja = true),
            "template" => {
                let held = self.open.iter().filter_map(|pending| pending.template.as_ref());
                let held: usize = held.map(|(.., text)| text.len()).sum();
                if held.saturating_add(text.len()) > MAX_HELD {
                    return facts.incomplete(event.offset, Gap::Limit, "longer templates than are looked at");
                }
                let kept = (event.offset, path_text(event.path), text.to_owned());
                self.pend(depth, |pending| pending.template = Some(kept));
            }
            _ if self.endpoint.is_none() && is_endpoint(event.path, key) && is_elsewhere(text) => {
                self.endpoint = Some((event.offset, text.chars().take(200).collect()));
            }
            _ if PATHS.contains(&key) => external(event.offset, key, text, facts),
            _ => {}
        }
    }

    /// `"id": ["langchain", "llms", "openai", "OpenAI"]`
    fn id(&mut self, event: &Event<'_>, text: &str) {
        let [.., Segment::Key(key), Segment::Index(index)] = event.path else { return };
        if key == "id" && *index < 32 {
            let step = text.chars().take(100).collect();
            self.pend(event.path.len().saturating_sub(1), |pending| pending.id.push(step));
        }
    }

    fn kind(&mut self, offset: u64, kind: &str) {
        if let Some((_, effect)) = RUNNERS.iter().find(|(known, _)| *known == kind) {
            let standing = Standing::Dangerous { effect: (*effect).to_owned(), critical: false };
            self.found.judged(offset, &format!("langchain.{kind}"), standing, &format!("_type: {kind}"));
        }
    }

    fn pend(&mut self, depth: usize, change: impl FnOnce(&mut Pending)) {
        if self.open.last().is_none_or(|pending| pending.depth != depth) {
            if self.open.len() >= MAX_OPEN {
                self.open.clear();
            }
            self.open.push(Pending { depth, ..Pending::default() });
        }
        if let Some(pending) = self.open.last_mut() {
            change(pending);
        }
    }

    fn close(&mut self, event: &Event<'_>, facts: &mut Facts) {
        let members = event.path.len().saturating_add(1);
        while self.open.last().is_some_and(|pending| pending.depth >= members) {
            let Some(pending) = self.open.pop() else { break };
            self.settle(&pending, event, facts);
        }
    }

    fn settle(&mut self, pending: &Pending, event: &Event<'_>, facts: &mut Facts) {
        if let (true, Some((offset, name, text))) = (pending.is_jinja, &pending.template) {
            let budget = Budget::new(0, TEMPLATE_STEPS, 0);
            inspect_template(text, name, Position::Offset(*offset), &budget, facts);
        }
        if !pending.is_lc || pending.id.is_empty() {
            return;
        }
        let path = pending.id.join(".");
        match pending.kind.as_deref() {
            Some("constructor") => self.constructor(event.offset, &path),
            Some("secret") => {
                self.has_secret = true;
                secret(event, &path, facts);
            }
            _ => {}
        }
    }

    fn constructor(&mut self, offset: u64, path: &str) {
        let expression = format!("lc constructor: {path}");
        if EXPERIMENTAL.iter().any(|package| path.starts_with(package)) {
            let effect = "makes an experimental part of LangChain, made to run generated code".to_owned();
            let standing = Standing::Dangerous { effect, critical: false };
            return self.found.judged(offset, path, standing, &expression);
        }
        let name = path.rsplit('.').next().unwrap_or_default();
        if let Some((_, effect)) = CLASSES.iter().find(|(class, _)| *class == name) {
            let standing = Standing::Dangerous { effect: (*effect).to_owned(), critical: false };
            return self.found.judged(offset, path, standing, &expression);
        }
        self.found.target(offset, path, &expression);
    }
}

fn is_endpoint(path: &[Segment], key: &str) -> bool {
    let is_argument = matches!(path, [.., Segment::Key(kwargs), Segment::Key(_)] if kwargs == "kwargs");
    is_argument && ENDPOINTS.iter().any(|ending| key.ends_with(ending))
}

/// Whether an address is none of those that requests usually go to.
fn is_elsewhere(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or(host).split(':').next().unwrap_or(host).to_ascii_lowercase();
    !USUAL_HOSTS.iter().any(|usual| host == *usual || host.ends_with(&format!(".{usual}")))
}

/// A switch that lets a loader unpickle, or run what it reads.
fn switch(event: &Event<'_>, facts: &mut Facts) {
    let Some(key) = event.key().filter(|key| SWITCHES.contains(key)) else { return };
    let expression = format!("{key}: true");
    let fact = FactKind::SourceReach { expression, reach: SourceReach::UnsafeLoad, runs: Runs::Loaded };
    facts.push(Position::Offset(event.offset), fact);
}

/// Loading replaces a secret with the environment variable it names (CVE-2025-68664). As an argument for a key that is
/// what it is for; anywhere else it carries the variable to where it can be read.
fn secret(event: &Event<'_>, variable: &str, facts: &mut Facts) {
    let is_argument = matches!(event.path, [.., Segment::Key(kwargs), Segment::Key(key)]
        if kwargs == "kwargs" && CREDENTIALS.iter().any(|ending| key.ends_with(ending)));
    if !is_argument {
        let expression = format!("secret {variable} at {}", path_text(event.path));
        let fact = FactKind::SourceReach { expression, reach: SourceReach::Credentials, runs: Runs::Loaded };
        facts.push(Position::Offset(event.offset), fact);
    }
}
