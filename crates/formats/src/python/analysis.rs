//! Statements: what a file imports, names and defines, and where each line of it stands.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::blocks::{Block, Blocks, Scope};
use super::calls::{Argument, is_module, items_of, powerful};
use super::lexer::{Lexer, Line, Token, with_plain_lines};
use super::names;
use super::reaches;
use super::value::{MAX_TEXT, Value};
use crate::budget::{Budget, Exhausted};
use crate::fact::{Position, Runs, SourceReach};

/// Names whose values are remembered.
const MAX_BINDINGS: usize = 20_000;
/// Bytes of all bound values together.
const MAX_HELD: usize = 16 << 20;
/// Bytes of bound values that one line takes up.
const MAX_COPIED: usize = 4 << 20;
/// Things found in one file.
const MAX_FOUND: usize = 2_000;
/// Texts that are run within texts that are run.
const MAX_NESTING: usize = 3;
/// Headers of blocks on one line; Python allows one.
const MAX_INLINE: usize = 8;
/// Characters of an expression that are shown.
const MAX_SHOWN: usize = 160;

/// Something that source code reaches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) reach: SourceReach,
    pub(crate) position: Position,
    pub(crate) expression: String,
    scope: Scope,
    /// Whether it is graver where the file has a payload.
    is_doubtful: bool,
}

/// What a file of this name is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    /// `setup.py`
    Installer,
    /// A model's classes, which a library imports and makes objects of.
    Model,
    Other,
}

impl File {
    pub(crate) fn named(name: &str) -> Self {
        const STARTS: &[&str] = &[
            "modeling",
            "configuration",
            "tokenization",
            "processing",
            "image_processing",
            "feature_extraction",
            "handler",
            "pipeline",
            "model",
        ];
        match name {
            "setup.py" => Self::Installer,
            _ if STARTS.iter().any(|start| name.starts_with(start)) => Self::Model,
            _ => Self::Other,
        }
    }
}

fn is_constructor(name: &str) -> bool {
    ["__init__", "__new__", "__post_init__", "from_pretrained", "__setstate__"]
        .iter()
        .any(|last| name.ends_with(&format!(".{last}")))
}

fn is_grave(reach: SourceReach) -> bool {
    matches!(reach, SourceReach::Program | SourceReach::Evaluation)
}

/// Tokens of a statement, read from the left.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    pub(super) tokens: &'t [Token],
    pub(super) at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn ahead(&self, count: usize) -> Option<&'t Token> {
        self.tokens.get(self.at.saturating_add(count))
    }

    pub(super) fn next(&mut self) -> Option<&'t Token> {
        let token = self.peek();
        self.at = self.at.saturating_add(1);
        token
    }

    pub(super) fn is(&self, operator: &str) -> bool {
        self.peek().is_some_and(|token| token.is(operator))
    }

    pub(super) fn word(&self) -> Option<&'t str> {
        self.peek().and_then(Token::name)
    }

    fn rest(&self) -> &'t [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }
}

/// What is known of a file so far.
#[derive(Debug)]
pub(crate) struct Analysis<'b> {
    pub(super) budget: &'b Budget,
    pub(super) text: String,
    pub(super) blocks: Blocks,
    pub(super) bindings: BTreeMap<String, Value>,
    /// Bytes of all bound values, and of those that the line being read has taken up.
    held: usize,
    copied: Cell<usize>,
    pub(super) found: Vec<Found>,
    /// Functions in which a socket is opened, and places where a shell is handed one.
    pub(super) sockets: BTreeSet<Scope>,
    pub(super) shells: Vec<Found>,
    /// Bodies of `lambda` that are being read.
    pub(super) lambdas: usize,
    /// What the function without a name that comes next is called with, and how many such calls are being read.
    pub(super) given: Option<Vec<Argument>>,
    pub(super) previews: usize,
    /// The place at which a text that is being read is run.
    base: Option<(Scope, u64)>,
    nesting: usize,
    /// Headers that stand on one line, one in the other.
    inline: usize,
    /// The first line that was not read to its end.
    pub(super) too_deep: Option<u64>,
    /// What runs at the top of this file: a module is imported, a notebook is started.
    top: Runs,
    pub(super) kind: File,
    /// Whether a payload stands in this file, and whether it brings files from elsewhere.
    pub(super) has_payload: bool,
    pub(super) brings: bool,
    /// Lists of what runs programs or code that are only named so far, and the place of each.
    pub(super) named: BTreeMap<String, Found>,
}

impl<'b> Analysis<'b> {
    pub(crate) fn new(budget: &'b Budget, top: Runs, kind: File) -> Self {
        Self {
            budget,
            text: String::new(),
            blocks: Blocks::default(),
            bindings: BTreeMap::new(),
            held: 0,
            copied: Cell::new(0),
            found: Vec::new(),
            sockets: BTreeSet::new(),
            shells: Vec::new(),
            lambdas: 0,
            given: None,
            previews: 0,
            base: None,
            nesting: 0,
            inline: 0,
            too_deep: None,
            top,
            kind,
            has_payload: false,
            brings: false,
            named: BTreeMap::new(),
        }
    }

    /// Reads a file, or a cell of a notebook.
    pub(crate) fn read(&mut self, text: &str) -> Result<(), Exhausted> {
        let text = with_plain_lines(text);
        (*text).clone_into(&mut self.text);
        self.blocks.close(0);
        self.lines(&text)
    }

    /// How much was found so far.
    pub(crate) fn mark(&self) -> (usize, usize) {
        (self.found.len(), self.shells.len())
    }

    /// What was found since stands at this byte of a larger file.
    pub(crate) fn place(&mut self, since: (usize, usize), offset: u64) {
        let found = self.found.iter_mut().skip(since.0);
        for found in found.chain(self.shells.iter_mut().skip(since.1)) {
            found.position = Position::Offset(offset);
        }
    }

    fn lines(&mut self, text: &str) -> Result<(), Exhausted> {
        let mut lexer = Lexer::new(text);
        while let Some(line) = lexer.next_line() {
            self.budget.operate(line.tokens.len() as u64)?;
            self.copied.set(0);
            self.line(&line);
        }
        Ok(())
    }

    /// Reads a text that is run where `line` stands. What it does is done there.
    pub(super) fn nested(&mut self, text: &str, line: u64) {
        if self.nesting >= MAX_NESTING || self.budget.operate((text.len() as u64).saturating_add(1)).is_err() {
            return;
        }
        let text = &*with_plain_lines(text);
        let base = Some((self.scope(), line));
        let outer = std::mem::replace(&mut self.base, base);
        let source = std::mem::replace(&mut self.text, text.to_owned());
        let open = self.blocks.suspend();
        self.nesting = self.nesting.saturating_add(1);
        // A budget that is used up stops the outer text too, and is said there.
        let _ = self.lines(text);
        self.nesting = self.nesting.saturating_sub(1);
        self.blocks.resume(open);
        self.text = source;
        self.base = outer;
    }

    pub(super) fn scope(&self) -> Scope {
        let scope = if self.lambdas > 0 { Scope::Function("<lambda>".into()) } else { self.blocks.scope() };
        match (&scope, &self.base) {
            (Scope::Top, Some((base, _))) => base.clone(),
            _ => scope,
        }
    }

    pub(super) fn find(&mut self, reach: SourceReach, line: u64, expression: &str) {
        if self.found.len() < MAX_FOUND {
            let found = self.founding(reach, line, expression);
            self.found.push(found);
        }
    }

    pub(super) fn founding(&self, reach: SourceReach, line: u64, expression: &str) -> Found {
        let line = self.base.as_ref().map_or(line, |(_, line)| *line);
        let words: Vec<&str> = expression.split_whitespace().collect();
        let expression = crate::facts::shorten(words.join(" "), MAX_SHOWN);
        Found { reach, position: Position::Line(line), expression, scope: self.scope(), is_doubtful: false }
    }

    /// What was found last unpickles what is decoded from elsewhere, unless what is decoded stands here.
    pub(super) fn doubt_last(&mut self) {
        if let Some(last) = self.found.last_mut() {
            last.is_doubtful = true;
        }
    }

    /// Judges what depends on the rest of the file.
    fn settle(&mut self) {
        let (has_payload, brings) = (self.has_payload, self.brings);
        for found in &mut self.found {
            match found.reach {
                SourceReach::UnsafeLoad if found.is_doubtful && has_payload => found.reach = SourceReach::HiddenCode,
                SourceReach::Library if brings => found.reach = SourceReach::NativeCode,
                _ => {}
            }
        }
    }

    /// A constant that is changed is known no more, unless it holds what matters.
    pub(super) fn forget(&mut self, name: &str) {
        let Some(value @ (Value::Text(..) | Value::List(_))) = self.bindings.get(name) else { return };
        if items_of(value).iter().any(|item| is_module(item) || powerful(item).is_some()) {
            return;
        }
        self.held = self.held.saturating_sub(value.weight());
        self.bindings.remove(name);
    }

    pub(super) fn bind(&mut self, name: &str, value: Value) {
        let is_known = !matches!(value, Value::Unknown);
        if !is_known || self.bindings.len() >= MAX_BINDINGS && !self.bindings.contains_key(name) {
            return;
        }
        // Lines that each double what the one before gave would soon hold everything.
        let weight = value.weight();
        let others = self.held.saturating_sub(self.bindings.get(name).map_or(0, Value::weight));
        if weight <= MAX_TEXT && others.saturating_add(weight) <= MAX_HELD {
            self.held = others.saturating_add(weight);
            self.bindings.insert(name.to_owned(), value);
        }
    }

    /// What a name is bound to, as far as one line may take up that much.
    pub(super) fn recall(&self, name: &str) -> Option<Value> {
        let value = self.bindings.get(name)?;
        let weight = value.weight();
        self.copied.set(self.copied.get().saturating_add(weight));
        let is_affordable = self.copied.get() <= MAX_COPIED && self.budget.operate(weight as u64 / 8).is_ok();
        is_affordable.then(|| value.clone())
    }

    /// The first line that is nested too deeply to be read, if there is one.
    pub(crate) fn too_deep(&self) -> Option<u64> {
        self.too_deep
    }

    /// Everything that was found, with when it runs.
    pub(crate) fn finish(mut self) -> Vec<(Found, Runs)> {
        self.settle();
        for shell in std::mem::take(&mut self.shells) {
            if self.sockets.contains(&shell.scope) || self.sockets.contains(&Scope::Top) {
                self.found.push(Found { reach: SourceReach::Backdoor, ..shell });
            }
        }
        let moments = self.blocks.moments();
        let (top, kind) = (self.top, self.kind);
        let runs = |found: &Found| match (moments.runs(&found.scope), &found.scope) {
            // What an installer's commands do is done while it installs.
            (Runs::Used, Scope::Function(name)) if kind == File::Installer && name.contains('.') => Runs::Loaded,
            // Loading a model makes an object of its class.
            (Runs::Used, Scope::Function(name))
                if kind == File::Model && is_constructor(name) && is_grave(found.reach) =>
            {
                Runs::Loaded
            }
            (Runs::Loaded, _) => top,
            // Nothing of a notebook runs before somebody starts its cells.
            (Runs::Used, _) if top == Runs::Started => top,
            (runs, _) => runs,
        };
        let mut list: Vec<_> = self.found.into_iter().map(|found| (runs(&found), found)).collect();
        list.sort_by_key(|(_, found)| found.position);
        list.into_iter().map(|(runs, found)| (found, runs)).collect()
    }

    fn line(&mut self, line: &Line) {
        self.blocks.close(line.indent);
        self.statements(&line.tokens, line.indent);
    }

    fn statements(&mut self, tokens: &[Token], indent: usize) {
        let mut depth = 0usize;
        let mut start = 0usize;
        for (at, token) in tokens.iter().enumerate() {
            if token.is("(") || token.is("[") || token.is("{") {
                depth = depth.saturating_add(1);
            } else if token.is(")") || token.is("]") || token.is("}") {
                depth = depth.saturating_sub(1);
            } else if depth == 0 && token.is(";") {
                self.statement(tokens.get(start..at).unwrap_or_default(), indent);
                start = at.saturating_add(1);
            }
        }
        self.statement(tokens.get(start..).unwrap_or_default(), indent);
    }

    fn statement(&mut self, tokens: &[Token], indent: usize) {
        let mut reader = Reader { tokens, at: 0 };
        if reader.word() == Some("async") && reader.ahead(1).and_then(Token::name).is_some() {
            reader.next();
        }
        match reader.word() {
            Some("import") => self.import(&mut reader),
            Some("from") => self.import_from(&mut reader),
            Some("def") => {
                reader.next();
                let name = reader.word().unwrap_or_default().to_owned();
                reader.next();
                self.blocks.define(&name);
                self.header(reader, indent, Block::Function(name));
            }
            Some("class") => {
                reader.next();
                let name = reader.word().unwrap_or_default().to_owned();
                reader.next();
                self.inherits(&name, &reader);
                self.header(reader, indent, Block::Class(name));
            }
            Some(
                "if" | "elif" | "else" | "while" | "for" | "with" | "try" | "except" | "finally" | "match" | "case",
            ) => {
                let block = if is_main_guard(tokens) { Block::Main } else { Block::Other };
                self.header(reader, indent, block);
            }
            Some("return") => {
                reader.next();
                let value = self.expression(&mut reader, 0);
                self.gives_away(&value, tokens);
                self.rest(&mut reader);
            }
            Some("raise" | "assert" | "del" | "global" | "nonlocal" | "pass") => {
                reader.next();
                self.rest(&mut reader);
            }
            _ if reader.is("@") => {
                reader.next();
                let value = self.expression(&mut reader, 0);
                self.calls_own(&value);
                self.decorates(&value, tokens);
                self.rest(&mut reader);
            }
            _ => self.assignment(&mut reader),
        }
    }

    fn rest(&mut self, reader: &mut Reader<'_>) {
        while reader.peek().is_some() {
            self.expression(reader, 0);
            reader.next();
        }
    }

    /// A line that opens a block, and what follows its colon.
    fn header(&mut self, mut reader: Reader<'_>, indent: usize, block: Block) {
        if matches!(block, Block::Main | Block::Other) {
            reader.next();
        }
        loop {
            let value = self.expression(&mut reader, 0);
            match reader.next() {
                None => break,
                Some(token) if token.is(":") => break,
                Some(token) if token.name() == Some("as") => {
                    if let Some(name) = reader.word() {
                        self.bind(name, value);
                    }
                }
                Some(_) => {}
            }
        }
        self.blocks.open(indent, block);
        let Some(next) = reader.peek() else { return };
        if self.inline >= MAX_INLINE {
            self.too_deep = self.too_deep.or(Some(next.line));
            return;
        }
        self.inline = self.inline.saturating_add(1);
        self.statements(reader.rest(), indent.saturating_add(1));
        self.inline = self.inline.saturating_sub(1);
        self.blocks.close(indent);
    }

    fn import(&mut self, reader: &mut Reader<'_>) {
        reader.next();
        while reader.peek().is_some() {
            let (module, foreign) = dotted(reader);
            let first = module.split('.').next().unwrap_or_default().to_owned();
            if reader.word() == Some("as") {
                reader.next();
                if let Some(name) = reader.word() {
                    self.bind(name, names::module(&module, foreign));
                }
                reader.next();
            } else {
                self.bind(&first, Value::Path(first.clone(), foreign));
            }
            reader.next();
        }
    }

    fn import_from(&mut self, reader: &mut Reader<'_>) {
        reader.next();
        let (module, foreign) = dotted(reader);
        reader.next();
        while let Some(token) = reader.next() {
            if token.is("*") {
                for name in reaches::names_of(&module) {
                    self.bind(name, Value::member(&module, name, foreign));
                }
            }
            let Some(name) = token.name() else { continue };
            let value = names::imported(&module, name, foreign);
            if reader.word() == Some("as") {
                reader.next();
                if let Some(alias) = reader.word() {
                    self.bind(alias, value);
                }
                reader.next();
            } else {
                self.bind(name, value);
            }
        }
    }

    /// `a += value`
    fn add_to(&mut self, target: Option<String>, added: Value) {
        let Some(target) = target else { return };
        match self.recall(&target).map(|old| old.plus(added)) {
            Some(sum @ (Value::Text(..) | Value::List(_))) => self.bind(&target, sum),
            _ => self.forget(&target),
        }
    }

    /// `a = b = value`, `a: int = value`, or an expression alone.
    fn assignment(&mut self, reader: &mut Reader<'_>) {
        let mut targets = Vec::new();
        loop {
            let start = reader.at;
            let value = self.expression(reader, 0);
            let target = plain_target(reader.tokens.get(start..reader.at).unwrap_or_default());
            match reader.next() {
                Some(token) if token.is("=") => targets.extend(target),
                Some(token) if token.is("+=") => {
                    let added = self.expression(reader, 0);
                    self.add_to(target, added);
                }
                Some(token) if token.is(":") => {
                    self.expression(reader, 0);
                    reader.next();
                    targets.extend(target);
                }
                other => {
                    for target in targets.drain(..) {
                        self.given_to(&target, &value, reader.tokens);
                        if let Some(class) = self.blocks.class() {
                            let member = format!("{class}.{target}");
                            self.bind(&member, value.clone());
                        }
                        self.bind(&target, value.clone());
                    }
                    if other.is_none() {
                        return;
                    }
                }
            }
        }
    }
}

/// `a` or `a.b`, which can be given a value by name.
pub(super) fn plain_target(tokens: &[Token]) -> Option<String> {
    let is_plain = tokens.iter().enumerate().all(|(at, token)| match at.checked_rem(2) {
        Some(0) => token.name().is_some(),
        _ => token.is("."),
    });
    let words = tokens.iter().map(|token| token.name().unwrap_or("."));
    (is_plain && !tokens.is_empty() && tokens.len() < 10).then(|| words.collect())
}

/// `a.b.c` of an import, and whether it is spelt in foreign letters.
fn dotted(reader: &mut Reader<'_>) -> (String, bool) {
    let (mut path, mut foreign) = (String::new(), false);
    while let Some(token) = reader.peek() {
        match &token.kind {
            super::lexer::Kind::Name(name, _) if matches!(name.as_str(), "import" | "as") => break,
            super::lexer::Kind::Name(name, is_foreign) => {
                path.push_str(name);
                foreign |= is_foreign;
            }
            super::lexer::Kind::Operator(dots @ ("." | "...")) => path.push_str(dots),
            _ => break,
        }
        reader.next();
    }
    (path, foreign)
}

/// `if __name__ == "__main__":`, either way round.
fn is_main_guard(tokens: &[Token]) -> bool {
    let [first, left, equals, right, colon, ..] = tokens else { return false };
    let is_name = |token: &Token| token.name() == Some("__name__");
    let is_main = |token: &Token| matches!(&token.kind, super::lexer::Kind::Text(text) if text == "__main__");
    first.name() == Some("if")
        && equals.is("==")
        && colon.is(":")
        && (is_name(left) && is_main(right) || is_main(left) && is_name(right))
}
