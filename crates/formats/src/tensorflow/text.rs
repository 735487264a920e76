//! Graphs written as text, and the text that names the latest checkpoint of a folder.
//!
//! A text graph is turned into the bytes it stands for, without the numbers, and read as those: one analysis serves
//! both. Each node's bytes begin with where in the text it was.

use super::graph::is_elsewhere;
use super::saved_model::{Root, inspect_root};
use super::text_tokens::{Token, Tokens};
use crate::child::Role;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, MAX_TEXT, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::{Message, Span};
use crate::source::{ReadError, Source};
use crate::text::is_text;

/// Messages within messages.
const MAX_DEPTH: usize = 100;
/// Bytes of the graph that a text stands for.
const MAX_BYTES: usize = 24 << 20;
/// Checkpoints that are listed.
const MAX_PATHS: usize = 1_000;
/// The field, of no message, that says where in the text a node is.
const PLACE: u32 = 15;

static META: Meta = Meta {
    id: "tensorflow-text",
    title: "TensorFlow graph or checkpoint state as text",
    extensions: &[],
    depth: Depth::Full,
    reads: "every operator of the graph and of its functions, and where the files they name come from; the checkpoints named",
    specification: "https://protobuf.dev/reference/protobuf/textformat-spec/",
};

/// The format.
#[derive(Debug)]
pub struct TensorflowText;

impl Format for TensorflowText {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let is_text = probe.role == Role::Unknown && is_text(&probe.head);
        (is_text && beginning(&probe.head).is_some()).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let head = crate::source::read_up_to(source, 0, 4096);
        match beginning(&head) {
            Some(Beginning::Graph(root)) => graph(root, source, context, facts),
            _ => state(source, context, facts),
        }
    }
}

enum Beginning {
    Graph(Root),
    State,
}

/// What a text is, by the name of its first field.
fn beginning(head: &[u8]) -> Option<Beginning> {
    let mut tokens = Tokens::new(&head);
    let (Ok(Some(Token::Word(name))), Ok(Some(Token::Sign(sign)))) = (tokens.next(), tokens.next()) else {
        return None;
    };
    let root = match name.as_str() {
        "node" | "library" | "versions" => Root::Graph,
        "meta_info_def" | "graph_def" | "saver_def" | "collection_def" | "signature_def" | "asset_file_def"
        | "object_graph_def" => Root::MetaGraph,
        "saved_model_schema_version" | "meta_graphs" => Root::SavedModel,
        "model_checkpoint_path" | "all_model_checkpoint_paths" => return Some(Beginning::State),
        _ => return None,
    };
    // All but the version are messages: `node: $Format$` is a line of something else.
    let is_message = match (sign, name.as_str()) {
        (b':', "saved_model_schema_version") => true,
        (b':', _) => matches!(tokens.next(), Ok(Some(Token::Sign(b'{' | b'<' | b'[')))),
        _ => b"{<[".contains(&sign),
    };
    is_message.then_some(Beginning::Graph(root))
}

fn graph(root: Root, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let mut writer = Writer::new(source, root);
    let outcome = writer.run(context, facts);
    if let Err(error) = outcome {
        match error {
            ReadError::End => {
                facts.anomaly(writer.tokens.position(), Anomaly::Malformed, "the text ends in the middle of something");
            }
            ReadError::Refused(reason) => facts.incomplete(writer.tokens.position(), Gap::Unreadable, reason),
        }
    }
    let bytes = writer.finish();
    let place = |offset: u64| place(&bytes, offset);
    inspect_root(root, &bytes, context.budget, &place, false, facts);
}

/// Where in the text the node whose bytes start here is.
fn place(bytes: &Vec<u8>, offset: u64) -> Position {
    let rest = Span { offset, length: (bytes.len() as u64).saturating_sub(offset) };
    match Message::new(bytes, rest).next() {
        Ok(Some(field)) if field.number == PLACE => field.integer().map_or(Position::Whole, Position::Offset),
        _ => Position::Whole,
    }
}

/// The messages of which something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SavedModel,
    MetaGraph,
    Information,
    Asset,
    TensorName,
    Graph,
    Library,
    Function,
    Signature,
    Argument,
    Node,
    Attribute,
    Value,
    List,
    NamedFunction,
    Tensor,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
enum Holds {
    Text,
    Message(Kind),
}

/// The fields that matter: message, name, number, what it holds.
#[rustfmt::skip]
const FIELDS: &[(Kind, &str, u32, Holds)] = &[
    (Kind::SavedModel, "meta_graphs", 2, Holds::Message(Kind::MetaGraph)),
    (Kind::MetaGraph, "meta_info_def", 1, Holds::Message(Kind::Information)),
    (Kind::MetaGraph, "graph_def", 2, Holds::Message(Kind::Graph)),
    (Kind::MetaGraph, "asset_file_def", 6, Holds::Message(Kind::Asset)),
    (Kind::Information, "tags", 4, Holds::Text),
    (Kind::Information, "tensorflow_version", 5, Holds::Text),
    (Kind::Asset, "tensor_info", 1, Holds::Message(Kind::TensorName)),
    (Kind::Asset, "filename", 2, Holds::Text),
    (Kind::TensorName, "name", 1, Holds::Text),
    (Kind::Graph, "node", 1, Holds::Message(Kind::Node)),
    (Kind::Graph, "library", 2, Holds::Message(Kind::Library)),
    (Kind::Library, "function", 1, Holds::Message(Kind::Function)),
    (Kind::Function, "signature", 1, Holds::Message(Kind::Signature)),
    (Kind::Function, "node_def", 3, Holds::Message(Kind::Node)),
    (Kind::Signature, "name", 1, Holds::Text),
    (Kind::Signature, "input_arg", 2, Holds::Message(Kind::Argument)),
    (Kind::Argument, "name", 1, Holds::Text),
    (Kind::Node, "name", 1, Holds::Text),
    (Kind::Node, "op", 2, Holds::Text),
    (Kind::Node, "input", 3, Holds::Text),
    (Kind::Node, "attr", 5, Holds::Message(Kind::Attribute)),
    (Kind::Attribute, "key", 1, Holds::Text),
    (Kind::Attribute, "value", 2, Holds::Message(Kind::Value)),
    (Kind::Value, "s", 2, Holds::Text),
    (Kind::Value, "list", 1, Holds::Message(Kind::List)),
    (Kind::Value, "func", 10, Holds::Message(Kind::NamedFunction)),
    (Kind::Value, "tensor", 8, Holds::Message(Kind::Tensor)),
    (Kind::List, "s", 2, Holds::Text),
    (Kind::List, "func", 9, Holds::Message(Kind::NamedFunction)),
    (Kind::NamedFunction, "name", 1, Holds::Text),
    (Kind::Tensor, "string_val", 8, Holds::Text),
];

/// A field of a message that matters.
#[derive(Debug, Clone, Copy)]
struct Known {
    number: u32,
    holds: Holds,
}

fn known(kind: Option<Kind>, name: &str) -> Option<Known> {
    let found = FIELDS.iter().find(|(message, field, ..)| Some(*message) == kind && *field == name);
    found.map(|(_, _, number, holds)| Known { number: *number, holds: *holds })
}

/// A message that is open.
struct Open {
    /// Which message; none when nothing in it matters.
    kind: Option<Kind>,
    /// Its number in the message around it.
    number: u32,
    bytes: Vec<u8>,
}

struct Writer<'a> {
    tokens: Tokens<'a>,
    stack: Vec<Open>,
    held: usize,
}

impl<'a> Writer<'a> {
    fn new(source: &'a dyn Source, root: Root) -> Self {
        let kind = match root {
            Root::SavedModel => Kind::SavedModel,
            Root::MetaGraph => Kind::MetaGraph,
            Root::Graph => Kind::Graph,
        };
        let open = Open { kind: Some(kind), number: 0, bytes: Vec::new() };
        Self { tokens: Tokens::new(source), stack: vec![open], held: 0 }
    }

    fn run(&mut self, context: &Context<'_>, facts: &mut Facts) -> Result<(), ReadError> {
        while let Some(token) = self.tokens.next()? {
            if let Err(limit) = context.budget.operate(1) {
                facts.incomplete(self.tokens.position(), Gap::Limit, limit.to_string());
                return Ok(());
            }
            if self.held > MAX_BYTES || self.stack.len() > MAX_DEPTH {
                facts.incomplete(self.tokens.position(), Gap::Limit, "the text is too large or too deep to be read on");
                return Ok(());
            }
            match token {
                Token::Word(name) => self.field(&name, facts)?,
                Token::Sign(b'}' | b'>') => self.close(),
                // The name of an extension, which no message here has.
                Token::Sign(b'[') => self.list(None)?,
                Token::Sign(_) | Token::Text(_) => {}
            }
        }
        if self.stack.len() > 1 { Err(ReadError::End) } else { Ok(()) }
    }

    fn field(&mut self, name: &str, facts: &mut Facts) -> Result<(), ReadError> {
        let kind = self.stack.last().and_then(|open| open.kind);
        if kind == Some(Kind::MetaGraph) && name == "object_graph_def" {
            let detail = "the objects of a model that is written as text are not read";
            facts.incomplete(self.tokens.position(), Gap::Unsupported, detail);
        }
        let known = known(kind, name);
        if self.tokens.peek()? == Some(&Token::Sign(b':')) {
            self.tokens.next()?;
        }
        self.value(known)
    }

    fn value(&mut self, known: Option<Known>) -> Result<(), ReadError> {
        match self.tokens.next()? {
            Some(Token::Sign(b'{' | b'<')) => self.open(known),
            Some(Token::Sign(b'[')) => self.list(known)?,
            Some(Token::Text(text)) => self.text(known, text)?,
            _ => {}
        }
        Ok(())
    }

    /// Values in brackets. Messages among them are opened, and closed where they end, so the rest of the list is read
    /// as what follows them: names and signs that mean nothing there.
    fn list(&mut self, known: Option<Known>) -> Result<(), ReadError> {
        while let Some(token) = self.tokens.next()? {
            match token {
                Token::Text(text) => self.text(known, text)?,
                Token::Sign(b']') => return Ok(()),
                Token::Sign(b'{' | b'<') => self.message_in_list(known)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A message in a list is read to its end.
    fn message_in_list(&mut self, known: Option<Known>) -> Result<(), ReadError> {
        let depth = self.stack.len();
        self.open(known);
        while self.stack.len() > depth && self.stack.len() <= MAX_DEPTH && self.held <= MAX_BYTES {
            match self.tokens.next()?.ok_or(ReadError::End)? {
                Token::Word(name) => {
                    let known = self::known(self.stack.last().and_then(|open| open.kind), &name);
                    if self.tokens.peek()? == Some(&Token::Sign(b':')) {
                        self.tokens.next()?;
                    }
                    match self.tokens.next()?.ok_or(ReadError::End)? {
                        Token::Sign(b'{' | b'<') => self.open(known),
                        Token::Text(text) => self.text(known, text)?,
                        _ => {}
                    }
                }
                Token::Sign(b'}' | b'>') => self.close(),
                _ => {}
            }
        }
        Ok(())
    }

    /// A text, and those that follow it directly: they are one.
    fn text(&mut self, known: Option<Known>, mut text: Vec<u8>) -> Result<(), ReadError> {
        while let Some(Token::Text(_)) = self.tokens.peek()? {
            if let Some(Token::Text(more)) = self.tokens.next()?
                && text.len() <= MAX_BYTES
            {
                text.extend(more);
            }
        }
        if let (Some(Known { number, holds: Holds::Text }), Some(open)) = (known, self.stack.last_mut()) {
            self.held = self.held.saturating_add(text.len()).saturating_add(12);
            append(&mut open.bytes, number, &text);
        }
        Ok(())
    }

    fn open(&mut self, known: Option<Known>) {
        let (kind, number) = match known {
            Some(Known { number, holds: Holds::Message(kind) }) => (Some(kind), number),
            _ => (None, 0),
        };
        let mut bytes = Vec::new();
        if matches!(kind, Some(Kind::Node | Kind::Function)) {
            varint(&mut bytes, u64::from(PLACE) << 3);
            varint(&mut bytes, self.tokens.position());
            self.held = self.held.saturating_add(bytes.len());
        }
        self.stack.push(Open { kind, number, bytes });
    }

    fn close(&mut self) {
        if self.stack.len() < 2 {
            return;
        }
        let Some(open) = self.stack.pop() else { return };
        if let (Some(_), Some(around)) = (open.kind, self.stack.last_mut()) {
            self.held = self.held.saturating_add(12);
            append(&mut around.bytes, open.number, &open.bytes);
        }
    }

    /// The bytes. What is still open is closed: what was read until something broke counts too.
    fn finish(mut self) -> Vec<u8> {
        while self.stack.len() > 1 {
            self.close();
        }
        self.stack.pop().map(|open| open.bytes).unwrap_or_default()
    }
}

fn append(bytes: &mut Vec<u8>, number: u32, content: &[u8]) {
    varint(bytes, u64::from(number) << 3 | 2);
    varint(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// `checkpoint`: the latest of a folder, and all of them, also those that were deleted since. The whole path of the
/// machine they were made on is ordinary; one that climbs out of the folder is not.
fn state(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let mut tokens = Tokens::new(source);
    let mut paths = 0usize;
    loop {
        match tokens.next() {
            Ok(Some(Token::Text(path))) if paths < MAX_PATHS => {
                paths = paths.saturating_add(1);
                path_of_checkpoint(&String::from_utf8_lossy(&path), paths, facts);
            }
            Ok(Some(_)) if context.budget.operate(1).is_ok() => {}
            Ok(None) => return,
            Ok(Some(_)) => {
                return facts.incomplete(tokens.position(), Gap::Limit, "the text is too long to be read on");
            }
            Err(_) => {
                return facts.anomaly(
                    tokens.position(),
                    Anomaly::Malformed,
                    "the text ends in the middle of something",
                );
            }
        }
    }
}

fn path_of_checkpoint(path: &str, count: usize, facts: &mut Facts) {
    let climbs = path.split(['/', '\\']).any(|part| part == "..");
    let path = shorten(path.to_owned(), MAX_TEXT);
    if climbs {
        facts.anomaly(0, Anomaly::ExternalData, format!("the checkpoint '{path}'"));
    } else if count == 1 {
        facts.property("checkpoint", path);
    } else if is_elsewhere(&path) {
        facts.push(Position::Whole, FactKind::Metadata { key: "checkpoint".into(), value: path });
    }
}
