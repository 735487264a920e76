//! Tokens of one tag to expressions. Nodes live in one list and name each other by index, so that nothing recurses over them.

use super::lexer::{Kind, Token};

/// Expressions within expressions; no template needs a tenth of it.
const MAX_DEPTH: usize = 120;

/// Index of a node.
pub(super) type Id = usize;

/// An argument: its keyword, if it has one, and its value. `*` and `**` count as keywords of that name.
pub(super) type Argument = (Option<String>, Id);

#[derive(Debug)]
pub(super) enum Node {
    Name(String),
    Text(String),
    Number(Option<u64>),
    Attribute(Id, String),
    Item(Id, Id),
    Slice(Id),
    Call(Id, Vec<Argument>),
    /// `None` is the block that a `{% filter %}` tag encloses.
    Filter(Option<Id>, String, Vec<Argument>),
    Test(String, Vec<Argument>),
    Binary(&'static str, Id, Id),
    Unary(Id),
    /// Lists, tuples, dictionaries and conditions: whatever holds others and does nothing to them.
    Group(Vec<Id>),
}

/// Every expression of a template.
#[derive(Debug, Default)]
pub(super) struct Arena {
    pub(super) nodes: Vec<Node>,
    /// First and last byte of each node in the template.
    pub(super) spans: Vec<(usize, usize)>,
}

impl Arena {
    pub(super) fn get(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id)
    }

    fn add(&mut self, node: Node, start: usize, end: usize) -> Id {
        self.nodes.push(node);
        self.spans.push((start, end));
        self.nodes.len().saturating_sub(1)
    }

    fn start(&self, id: Id) -> usize {
        self.spans.get(id).map_or(0, |span| span.0)
    }
}

/// The tokens of a tag, being read.
#[derive(Debug)]
pub(super) struct Parser<'t, 'a> {
    tokens: &'t [Token],
    next: usize,
    depth: usize,
    pub(super) arena: &'a mut Arena,
}

/// Binary operators and how tightly they bind.
fn power(operator: &str) -> Option<(&'static str, u8)> {
    Some(match operator {
        "or" => ("or", 1),
        "and" => ("and", 2),
        "==" | "!=" | "<" | ">" | "<=" | ">=" | "in" => ("==", 4),
        "+" => ("+", 5),
        "-" => ("-", 5),
        "~" => ("~", 6),
        "*" => ("*", 7),
        "/" | "//" => ("/", 7),
        "%" => ("%", 7),
        "**" => ("**", 8),
        _ => return None,
    })
}

impl<'t, 'a> Parser<'t, 'a> {
    pub(super) fn new(tokens: &'t [Token], arena: &'a mut Arena) -> Self {
        Self { tokens, next: 0, depth: 0, arena }
    }

    fn peek(&self) -> Option<&'t Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn bump(&mut self) -> Option<&'t Token> {
        let token = self.tokens.get(self.next)?;
        self.next = self.next.saturating_add(1);
        Some(token)
    }

    pub(super) fn at_end(&self) -> bool {
        self.next >= self.tokens.len()
    }

    /// Passes over an operator or a word if it comes next.
    pub(super) fn skip(&mut self, wanted: &str) -> bool {
        let found = match self.peek() {
            Some(Kind::Operator(operator)) => *operator == wanted,
            Some(Kind::Name(name)) => name == wanted,
            _ => false,
        };
        if found {
            self.next = self.next.saturating_add(1);
        }
        found
    }

    fn expect(&mut self, wanted: &str) -> Option<()> {
        self.skip(wanted).then_some(())
    }

    pub(super) fn name(&mut self) -> Option<String> {
        match &self.bump()?.kind {
            Kind::Name(name) => Some(name.clone()),
            _ => None,
        }
    }

    fn here(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |token| token.start)
    }

    fn last_end(&self) -> usize {
        self.next.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.end)
    }

    fn add(&mut self, node: Node, start: usize) -> Id {
        let end = self.last_end();
        self.arena.add(node, start, end)
    }

    /// One expression, or several with commas between them.
    pub(super) fn tuple(&mut self) -> Option<Id> {
        let start = self.here();
        let first = self.expression()?;
        let mut items = vec![first];
        while self.skip(",") {
            match self.peek() {
                None | Some(Kind::Operator(")" | "]" | "=")) => break,
                _ => items.push(self.expression()?),
            }
        }
        if items.len() == 1 { Some(first) } else { Some(self.add(Node::Group(items), start)) }
    }

    /// An expression with its `if` and `else`.
    pub(super) fn expression(&mut self) -> Option<Id> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        let start = self.here();
        let mut value = self.plain()?;
        while self.skip("if") {
            let mut parts = vec![value, self.plain()?];
            if self.skip("else") {
                parts.push(self.expression()?);
            }
            value = self.add(Node::Group(parts), start);
        }
        self.depth = self.depth.saturating_sub(1);
        Some(value)
    }

    /// An expression without them, as in `for x in y if z`.
    pub(super) fn plain(&mut self) -> Option<Id> {
        self.binary(1)
    }

    fn binary(&mut self, least: u8) -> Option<Id> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        let mut left = self.unary()?;
        while let Some((operator, binding)) = self.operator().filter(|(_, binding)| *binding >= least) {
            if !self.skip("not") {
                self.bump();
            } else {
                self.expect("in")?;
            }
            let right = self.binary(binding.saturating_add(1))?;
            let start = self.arena.start(left);
            left = self.add(Node::Binary(operator, left, right), start);
        }
        self.depth = self.depth.saturating_sub(1);
        Some(left)
    }

    fn operator(&self) -> Option<(&'static str, u8)> {
        match self.peek()? {
            Kind::Operator(operator) => power(operator),
            Kind::Name(name) if name == "not" => Some(("==", 4)),
            Kind::Name(name) => power(name),
            _ => None,
        }
    }

    fn unary(&mut self) -> Option<Id> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        let start = self.here();
        let node = if self.skip("not") {
            let inner = self.binary(4)?;
            self.add(Node::Unary(inner), start)
        } else if self.skip("-") || self.skip("+") {
            let inner = self.unary()?;
            self.add(Node::Unary(inner), start)
        } else {
            let primary = self.primary()?;
            self.postfix(primary)?
        };
        self.depth = self.depth.saturating_sub(1);
        Some(node)
    }

    fn primary(&mut self) -> Option<Id> {
        let token = self.bump()?;
        let start = token.start;
        let node = match &token.kind {
            Kind::Name(name) => Node::Name(name.clone()),
            Kind::Number(value) => Node::Number(*value),
            Kind::Text(text) => Node::Text(self.adjacent(text)),
            Kind::Operator("(") => return self.parenthesised(start),
            Kind::Operator("[") => Node::Group(self.items("]")?),
            Kind::Operator("{") => Node::Group(self.items("}")?),
            Kind::Operator(_) => return None,
        };
        Some(self.add(node, start))
    }

    /// Jinja2 joins string literals that stand next to each other.
    fn adjacent(&mut self, first: &str) -> String {
        let mut text = first.to_owned();
        while let Some(Kind::Text(more)) = self.peek() {
            text.push_str(more);
            self.next = self.next.saturating_add(1);
        }
        text
    }

    fn parenthesised(&mut self, start: usize) -> Option<Id> {
        if self.skip(")") {
            return Some(self.add(Node::Group(Vec::new()), start));
        }
        let inner = self.tuple()?;
        self.expect(")")?;
        Some(inner)
    }

    /// Items of a list, or keys and values of a dictionary.
    fn items(&mut self, closing: &str) -> Option<Vec<Id>> {
        let mut items = Vec::new();
        while !self.skip(closing) {
            items.push(self.expression()?);
            if self.skip(":") {
                items.push(self.expression()?);
            }
            if !self.skip(",") {
                self.expect(closing)?;
                break;
            }
        }
        Some(items)
    }

    fn postfix(&mut self, mut node: Id) -> Option<Id> {
        let mut filtered = false;
        loop {
            let start = self.arena.start(node);
            node = if !filtered && self.skip(".") {
                self.attribute(node, start)?
            } else if !filtered && self.skip("[") {
                self.subscript(node, start)?
            } else if !filtered && self.skip("(") {
                let arguments = self.arguments()?;
                self.add(Node::Call(node, arguments), start)
            } else if self.skip("|") {
                filtered = true;
                let (name, arguments) = self.filter()?;
                self.add(Node::Filter(Some(node), name, arguments), start)
            } else if self.skip("is") {
                filtered = true;
                self.test(start)?
            } else if filtered && self.skip("(") {
                let arguments = self.arguments()?;
                self.add(Node::Call(node, arguments), start)
            } else {
                return Some(node);
            };
        }
    }

    fn attribute(&mut self, base: Id, start: usize) -> Option<Id> {
        let token = self.bump()?;
        match &token.kind {
            Kind::Name(name) => Some(self.add(Node::Attribute(base, name.clone()), start)),
            Kind::Number(value) => {
                let index = self.add(Node::Number(*value), token.start);
                Some(self.add(Node::Item(base, index), start))
            }
            _ => None,
        }
    }

    fn subscript(&mut self, base: Id, start: usize) -> Option<Id> {
        let (mut indexes, mut sliced) = (Vec::new(), false);
        while !self.skip("]") {
            if self.skip(":") {
                sliced = true;
            } else if !self.skip(",") {
                indexes.push(self.expression()?);
            }
        }
        match (indexes.as_slice(), sliced) {
            (&[index], false) => Some(self.add(Node::Item(base, index), start)),
            (_, true) => Some(self.add(Node::Slice(base), start)),
            _ => {
                let index = self.add(Node::Group(indexes), start);
                Some(self.add(Node::Item(base, index), start))
            }
        }
    }

    pub(super) fn arguments(&mut self) -> Option<Vec<Argument>> {
        let mut arguments = Vec::new();
        while !self.skip(")") {
            let keyword = if self.skip("**") {
                Some("**".to_owned())
            } else if self.skip("*") {
                Some("*".to_owned())
            } else {
                self.keyword()
            };
            arguments.push((keyword, self.expression()?));
            if !self.skip(",") {
                self.expect(")")?;
                break;
            }
        }
        Some(arguments)
    }

    fn keyword(&mut self) -> Option<String> {
        let Some(Kind::Name(name)) = self.peek() else { return None };
        let after = self.tokens.get(self.next.saturating_add(1));
        if after.is_some_and(|token| token.kind == Kind::Operator("=")) {
            self.next = self.next.saturating_add(2);
            return Some(name.clone());
        }
        None
    }

    /// A filter's name and arguments.
    pub(super) fn filter(&mut self) -> Option<(String, Vec<Argument>)> {
        let mut name = self.name()?;
        while self.skip(".") {
            name = format!("{name}.{}", self.name()?);
        }
        let arguments = if self.skip("(") { self.arguments()? } else { Vec::new() };
        Some((name, arguments))
    }

    /// A filter over what a tag encloses.
    pub(super) fn block_filter(&mut self, name: String, arguments: Vec<Argument>) -> Id {
        let start = self.tokens.first().map_or(0, |token| token.start);
        self.add(Node::Filter(None, name, arguments), start)
    }

    /// Several expressions as one.
    pub(super) fn group(&mut self, items: Vec<Id>) -> Id {
        let start = self.tokens.first().map_or(0, |token| token.start);
        self.add(Node::Group(items), start)
    }

    fn test(&mut self, start: usize) -> Option<Id> {
        self.skip("not");
        let mut name = self.name()?;
        while self.skip(".") {
            name = format!("{name}.{}", self.name()?);
        }
        let arguments = if self.skip("(") { self.arguments()? } else { self.bare_argument()? };
        Some(self.add(Node::Test(name, arguments), start))
    }

    /// `is divisibleby 3`: an argument without brackets.
    fn bare_argument(&mut self) -> Option<Vec<Argument>> {
        let takes = match self.peek() {
            Some(Kind::Name(name)) => !matches!(name.as_str(), "else" | "or" | "and" | "is" | "if" | "in" | "not"),
            Some(Kind::Text(_) | Kind::Number(_)) => true,
            Some(Kind::Operator(operator)) => matches!(*operator, "[" | "{"),
            None => false,
        };
        if !takes {
            return Some(Vec::new());
        }
        let value = self.primary()?;
        let value = self.postfix(value)?;
        Some(vec![(None, value)])
    }
}
