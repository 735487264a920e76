//! Statements: what a file imports, names and defines, and where each line of it stands.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::blocks::{Block, Blocks, Scope};
use super::calls::Argument;
use super::lexer::{Lexer, Line, Token, with_plain_lines};
use super::names::{Names, Place, gravity};
use super::reaches;
use super::targets::loop_targets;
use super::unknown;
use super::value::Value;
use super::ways_round;
use crate::budget::{Budget, Exhausted};
use crate::fact::{Position, Runs, SourceReach};

/// Bytes of bound values that one line takes up.
const MAX_COPIED: usize = 4 << 20;
/// Bytes of a value that is always taken up.
const MAX_SMALL: usize = 1_000;
/// Things of one kind that are found in functions of one file, and outside of them.
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

    pub(super) fn rest(&self) -> &'t [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }
}

/// What is known of a file so far.
#[derive(Debug)]
pub(crate) struct Analysis<'b> {
    pub(super) budget: &'b Budget,
    pub(super) text: String,
    /// Whether it asks something of a module whose name it does not say.
    pub(super) asks_any: bool,
    pub(super) blocks: Blocks,
    pub(super) names: Names,
    /// Bytes of bound values that the line being read has taken up.
    copied: Cell<usize>,
    pub(super) found: Vec<Found>,
    /// How much was found of each kind, in functions or not.
    counts: BTreeMap<(SourceReach, bool), usize>,
    /// Functions in which a socket is opened, and places where a shell is handed one.
    pub(super) sockets: BTreeSet<Scope>,
    pub(super) shells: Vec<Found>,
    /// Bodies of `lambda` that are being read and run when they are called, the outermost with its name; and all.
    pub(super) lambdas: Vec<String>,
    pub(super) within: usize,
    /// What the `lambda` that comes next is assigned to, and whether what reads it calls it at once.
    pub(super) lambda_name: Option<String>,
    pub(super) runs_given: bool,
    /// Parts of expressions that may not be evaluated.
    pub(super) uncertain: usize,
    /// Whether the function that comes next is given to what calls it.
    starts_next: bool,
    /// What the function without a name that comes next is called with, and how many such calls are being read.
    pub(super) given: Option<Vec<Argument>>,
    pub(super) previews: usize,
    /// The place at which a text that is being read is run.
    base: Option<(Scope, u64)>,
    nesting: usize,
    outer_depth: usize,
    /// Headers that stand on one line, one in the other.
    inline: usize,
    /// The first line that was not read to its end.
    pub(super) too_deep: Option<u64>,
    /// The first line of which not everything was taken in.
    pub(super) left_out: Option<u64>,
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
            asks_any: false,
            blocks: Blocks::default(),
            names: Names::default(),
            copied: Cell::new(0),
            found: Vec::new(),
            counts: BTreeMap::new(),
            sockets: BTreeSet::new(),
            shells: Vec::new(),
            lambdas: Vec::new(),
            within: 0,
            lambda_name: None,
            runs_given: false,
            uncertain: 0,
            starts_next: false,
            given: None,
            previews: 0,
            base: None,
            nesting: 0,
            outer_depth: 0,
            inline: 0,
            too_deep: None,
            left_out: None,
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
        self.asks_any |= unknown::is_asked_of_any(&text);
        self.close(0);
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
            if self.names.is_full {
                self.left_out = self.left_out.or(line.tokens.first().map(|token| token.line));
            }
        }
        Ok(())
    }

    /// Closes the blocks that a line of this indentation ends, and what was bound in them.
    fn close(&mut self, indent: usize) {
        self.blocks.close(indent);
        let depth = self.depth();
        self.names.leave(depth);
    }

    /// Reads a text that is run where `line` stands. What it does is done there. Whether it was read.
    pub(super) fn nested(&mut self, text: &str, line: u64) -> bool {
        if self.nesting >= MAX_NESTING || self.budget.operate((text.len() as u64).saturating_add(1)).is_err() {
            return false;
        }
        let text = &*with_plain_lines(text);
        self.asks_any |= unknown::is_asked_of_any(text);
        let (depth, outer_depth) = (self.depth(), self.outer_depth);
        let base = Some((self.scope(), line));
        let outer = std::mem::replace(&mut self.base, base);
        let source = std::mem::replace(&mut self.text, text.to_owned());
        let open = self.blocks.suspend();
        self.outer_depth = depth.saturating_sub(self.within);
        self.nesting = self.nesting.saturating_add(1);
        // A budget that is used up stops the outer text too, and is said there.
        let _ = self.lines(text);
        self.nesting = self.nesting.saturating_sub(1);
        self.names.leave(depth);
        self.outer_depth = outer_depth;
        self.blocks.resume(open);
        self.text = source;
        self.base = outer;
        true
    }

    pub(super) fn scope(&self) -> Scope {
        let scope = match self.lambdas.first() {
            Some(name) => Scope::Function(name.clone()),
            None => self.blocks.scope(),
        };
        match (&scope, &self.base) {
            (Scope::Top, Some((base, _))) => base.clone(),
            _ => scope,
        }
    }

    pub(super) fn find(&mut self, reach: SourceReach, line: u64, expression: &str) {
        let in_function = matches!(self.scope(), Scope::Function(_));
        let count = self.counts.entry((reach, in_function)).or_default();
        if *count >= MAX_FOUND {
            self.left_out = self.left_out.or(Some(line));
            return;
        }
        *count = count.saturating_add(1);
        let found = self.founding(reach, line, expression);
        self.found.push(found);
    }

    /// Takes back what was found since, which is read again.
    pub(super) fn take_back(&mut self, since: (usize, usize)) {
        for found in self.found.drain(since.0.min(self.found.len())..) {
            let in_function = matches!(found.scope, Scope::Function(_));
            if let Some(count) = self.counts.get_mut(&(found.reach, in_function)) {
                *count = count.saturating_sub(1);
            }
        }
        self.shells.truncate(since.1);
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

    pub(super) fn bind(&mut self, name: &str, value: Value) {
        let place = Place {
            depth: self.depth(),
            is_class: self.blocks.is_class_body() && self.within == 0,
            is_certain: self.uncertain == 0 && self.nesting == 0 && (self.within > 0 || !self.blocks.is_uncertain()),
        };
        self.names.bind(name, value, place);
    }

    /// Functions and classes around what is being read.
    pub(super) fn depth(&self) -> usize {
        self.outer_depth.saturating_add(self.blocks.depth()).saturating_add(self.within)
    }

    /// What a name is bound to, as far as one line may take up that much.
    pub(super) fn recall(&self, name: &str) -> Option<Value> {
        let value = self.names.get(name)?;
        let weight = value.weight();
        if weight <= MAX_SMALL {
            return Some(value.clone());
        }
        self.copied.set(self.copied.get().saturating_add(weight));
        let is_affordable = self.copied.get() <= MAX_COPIED && self.budget.operate(weight as u64 / 8).is_ok();
        Some(if is_affordable { value.clone() } else { Value::Unknown })
    }

    /// The first line that is nested too deeply to be read, if there is one.
    pub(crate) fn too_deep(&self) -> Option<u64> {
        self.too_deep
    }

    /// The first line of which not everything is told or remembered, if there is one.
    pub(crate) fn left_out(&self) -> Option<u64> {
        self.left_out
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
        self.close(line.indent);
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
                if std::mem::take(&mut self.starts_next) {
                    self.blocks.call(self.scope(), &name);
                }
                self.header(reader, indent, Block::Function(name));
            }
            Some("class") => {
                reader.next();
                let name = reader.word().unwrap_or_default().to_owned();
                reader.next();
                self.inherits(&name, &reader);
                self.header(reader, indent, Block::Class(name));
            }
            Some("match" | "case") if !is_soft_keyword(tokens) => self.assignment(&mut reader),
            Some(
                "if" | "elif" | "else" | "while" | "for" | "with" | "try" | "except" | "finally" | "match" | "case",
            ) => {
                let block = if is_main_guard(tokens) { Block::Main } else { Block::Other };
                self.header(reader, indent, block);
            }
            Some("return") => {
                reader.next();
                let value = self.values(&mut reader);
                self.gives_away(&value, tokens);
                self.returns(value);
                self.rest(&mut reader);
            }
            Some("global" | "nonlocal") => {
                let depth = self.depth();
                tokens.iter().skip(1).filter_map(Token::name).for_each(|name| self.names.declare_global(depth, name));
            }
            Some("raise" | "assert" | "del" | "pass") => {
                reader.next();
                self.rest(&mut reader);
            }
            _ if reader.is("@") => {
                reader.next();
                self.runs_given = true;
                let value = self.expression(&mut reader, 0);
                self.runs_given = false;
                self.calls_own(&value);
                self.starts_next |= value.path().is_some_and(starts);
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
        let word = reader.word().unwrap_or_default();
        if matches!(block, Block::Main | Block::Other) {
            reader.next();
        }
        let is_class = matches!(block, Block::Class(_));
        if let Some(target) = (word == "for" && block == Block::Other).then(|| loop_targets(&mut reader)).flatten() {
            let value = self.values(&mut reader);
            self.goes_through(&value);
            self.loop_over(target, &value);
        }
        let is_function = matches!(block, Block::Function(_));
        let defaults = match is_function && reader.is("(") {
            true => self.parameters(&mut reader),
            false => Vec::new(),
        };
        self.header_values(&mut reader, is_class, word == "with");
        self.blocks.open(indent, block);
        defaults.into_iter().for_each(|(name, value)| self.bind(&name, value));
        let Some(next) = reader.peek() else { return };
        if self.inline >= MAX_INLINE {
            self.too_deep = self.too_deep.or(Some(next.line));
            return;
        }
        self.inline = self.inline.saturating_add(1);
        self.statements(reader.rest(), indent.saturating_add(1));
        self.inline = self.inline.saturating_sub(1);
        self.close(indent);
    }

    /// The parameters of a function; their defaults that matter are handed back.
    fn parameters(&mut self, reader: &mut Reader<'_>) -> Vec<(String, Value)> {
        let (mut defaults, mut name) = (Vec::new(), None);
        reader.next();
        loop {
            let word = reader.word();
            self.expression(reader, 0);
            match reader.next() {
                Some(token) if token.is(":") => name = word,
                Some(token) if token.is("=") => {
                    let name = name.take().or(word);
                    let default = self.expression(reader, 0);
                    defaults.extend(name.map(str::to_owned).zip(Some(default)).filter(|(_, value)| gravity(value) > 1));
                }
                Some(token) if token.is(",") => name = None,
                _ => break,
            }
        }
        defaults
    }

    /// What stands in a header.
    fn header_values(&mut self, reader: &mut Reader<'_>, is_class: bool, is_with: bool) {
        self.runs_given = is_class;
        let bases = reader.rest();
        loop {
            let value = self.expression(reader, 0);
            match (is_class, is_with) {
                (true, _) => self.subclasses(&value, bases),
                (_, true) => self.enters(&value),
                _ => {}
            }
            match reader.next() {
                None => break,
                Some(token) if token.is(":") => break,
                Some(token) if token.name() == Some("as") => {
                    if let Some(name) = reader.word() {
                        self.uncertain = self.uncertain.saturating_add(1);
                        self.bind(name, value);
                        self.uncertain = self.uncertain.saturating_sub(1);
                    }
                }
                Some(_) => {}
            }
        }
        self.runs_given = false;
    }

    fn import(&mut self, reader: &mut Reader<'_>) {
        reader.next();
        while reader.peek().is_some() {
            let (module, foreign) = dotted(reader);
            let first = module.split('.').next().unwrap_or_default().to_owned();
            if reader.word() == Some("as") {
                reader.next();
                if let Some(name) = reader.word() {
                    self.bind(name, ways_round::module(&module, foreign));
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
            let value = ways_round::imported(&module, name, foreign);
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

/// Whether a line that starts with `match` or `case` opens a block, rather than calling or naming something.
fn is_soft_keyword(tokens: &[Token]) -> bool {
    let is_name = ["=", ":", ".", ","].iter().any(|sign| tokens.get(1).is_some_and(|token| token.is(sign)));
    !is_name && tokens.iter().any(|token| token.is(":"))
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

/// What calls, at some time and unasked, a function that it is given.
pub(super) fn starts(path: &str) -> bool {
    matches!(path, "threading.Thread" | "threading.Timer" | "multiprocessing.Process" | "atexit.register")
}
