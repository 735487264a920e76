//! What rules see of a file of Python.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::index::Index;

/// Bytes of a file, from the first to the one behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Span {
    /// The first.
    pub(crate) start: u32,
    /// Behind the last.
    pub(crate) end: u32,
}

impl Span {
    /// A place without length.
    pub(crate) fn at(offset: usize) -> Self {
        let start = u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start, end: start }
    }

    /// As a range of bytes.
    pub(crate) const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What an expression is, as far as it can be said without running anything.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// `None`.
    Nothing,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number; the largest where it is larger.
    Integer(i64),
    /// Any other number.
    Number,
    /// A text.
    Text(Text),
    /// What a dotted name or call stands for, such as `torch.float16` or `time.time()`.
    Path(String),
    /// The items of a list or tuple, the first of them.
    Items(Vec<Value>),
    /// A dictionary: the values of its keys that are texts.
    Table(Vec<(String, Value)>),
    /// Anything.
    Unknown,
}

/// A text, whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// What is known of it; a null byte stands for what is not.
    pub(crate) known: String,
    /// Whether that is all.
    pub(crate) is_whole: bool,
    /// Whether it was made by joining a folder and a name: a path in the file system.
    pub(crate) is_file: bool,
}

impl Value {
    /// A text that is wholly known.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if text.is_whole => Some(&text.known),
            _ => None,
        }
    }

    /// What is known of a text.
    pub(crate) fn part(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.known),
            _ => None,
        }
    }

    /// What it stands for.
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Whether it is this truth value.
    pub(crate) fn is(&self, truth: bool) -> bool {
        matches!(self, Self::Bool(value) if *value == truth)
    }

    /// How many bytes it takes, beside itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.known.len(),
            Self::Path(path) => path.len(),
            Self::Items(items) => items.iter().map(|item| size_of::<Self>() + item.bytes()).sum(),
            Self::Table(items) => {
                items.iter().map(|(key, item)| key.len() + 2 * size_of::<Self>() + item.bytes()).sum()
            }
            Self::Nothing | Self::Bool(_) | Self::Integer(_) | Self::Number | Self::Unknown => 0,
        }
    }

    /// Whether it is a constant.
    pub(crate) const fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown | Self::Path(_))
    }
}

/// An argument of a call.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    /// What it is.
    pub(crate) value: Value,
    /// Where.
    pub(crate) span: Span,
    /// The name, where it is nothing but a name: `files`, `self.files`.
    pub(crate) name: Option<String>,
}

/// What is called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callee {
    /// What it stands for, as it would be imported, in one spelling for each library; empty when unknown. A call is
    /// followed by `()`: `tarfile.open().extractall`.
    pub(crate) path: String,
    /// The last name of it, as it is written.
    pub(crate) name: String,
    /// Whether it is an attribute of something.
    pub(crate) is_method: bool,
    /// What is before the last dot, where it is nothing but names.
    pub(crate) receiver: Option<String>,
    /// Where all of it is.
    pub(crate) span: Span,
}

/// A call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// What is called.
    pub(crate) callee: Callee,
    /// All of it.
    pub(crate) span: Span,
    /// From one parenthesis to the other.
    pub(crate) parentheses: Span,
    /// Arguments by place.
    pub(crate) positional: Vec<Argument>,
    /// Arguments by name.
    pub(crate) keywords: Vec<(String, Argument)>,
    /// Whether there are more: `*some` or `**more`.
    pub(crate) is_open: bool,
    /// The call that this is, by itself, an argument of.
    pub(crate) within: Option<usize>,
    /// The call that its items go into, as they are, joined to others or one by one.
    pub(crate) feeds: Option<usize>,
    /// Whether a loop or comprehension goes over it.
    pub(crate) is_iterated: bool,
    /// Whether it is only compared, asked whether it is empty, or dropped.
    pub(crate) is_tested: bool,
    /// The name that it or what is made of its items is given: `files`, `self.files`.
    pub(crate) assigned: Option<String>,
    /// The function or class that it stands in.
    pub(crate) scope: usize,
}

impl Call {
    /// The argument of this name, or at this place.
    pub(crate) fn argument(&self, name: &str, place: Option<usize>) -> Option<&Argument> {
        let named = self.keywords.iter().find(|(keyword, _)| keyword == name).map(|(_, argument)| argument);
        named.or_else(|| self.positional.get(place?))
    }

    /// What the argument of this name is.
    pub(crate) fn keyword(&self, name: &str) -> Option<&Value> {
        self.argument(name, None).map(|argument| &argument.value)
    }

    /// Whether it is this.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.callee.path == path
    }

    /// Whether it is one of these.
    pub(crate) fn is_any(&self, paths: &[&str]) -> bool {
        paths.contains(&self.callee.path.as_str())
    }

    /// The first argument, whatever its name.
    pub(crate) fn first(&self) -> Option<&Argument> {
        self.positional.first()
    }
}

/// A value that is given to an attribute, or to a key of one.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// What: `torch.backends.cudnn.benchmark`, `os.environ`.
    pub(crate) path: String,
    /// The key: `PYTHONHASHSEED`.
    pub(crate) key: Option<String>,
    /// What it is given.
    pub(crate) value: Value,
    /// Where.
    pub(crate) span: Span,
    /// The function or class that it stands in.
    pub(crate) scope: usize,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// The module, or what is taken from it: `torch`, `torch.load`.
    pub(crate) path: String,
    /// Dots before it.
    pub(crate) level: u32,
    /// Where.
    pub(crate) span: Span,
}

/// A function or class, or the file itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    /// Its name; the file has none.
    pub(crate) name: String,
    /// What a class is made from.
    pub(crate) bases: Vec<String>,
}

/// A line for a shell or for the notebook itself.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// Without the sign before it.
    pub(crate) text: String,
    /// Where.
    pub(crate) span: Span,
    /// Whether a shell runs it; otherwise a magic.
    pub(crate) is_shell: bool,
}

/// A comment that speaks to waag.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    /// With its sign.
    pub(crate) text: String,
    /// Where.
    pub(crate) span: Span,
}

/// A place where Python stops to be Python.
#[derive(Debug, Clone)]
pub(crate) struct Break {
    /// Where.
    pub(crate) span: Span,
    /// What is wrong.
    pub(crate) message: String,
}

/// Calls around a call that are looked at.
const MAX_AROUND: usize = 64;

/// A file of Python.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// Calls, each before the calls in its arguments.
    pub(crate) calls: Vec<Call>,
    /// Values given to attributes.
    pub(crate) stores: Vec<Store>,
    /// Imports, in order.
    pub(crate) imports: Vec<Import>,
    /// Functions and classes; the first is the file.
    pub(crate) scopes: Vec<Scope>,
    /// Lines for a shell.
    pub(crate) commands: Vec<Command>,
    /// Comments that speak to waag.
    pub(crate) comments: Vec<Comment>,
    /// What is no Python.
    pub(crate) breaks: Vec<Break>,
    /// Texts, whole ones, with where they stand.
    pub(crate) texts: Vec<(Span, String)>,
    /// Whether it starts something when it is run: `if __name__ == "__main__"`.
    pub(crate) is_started: bool,
    /// Whether what its names stand for is so much that not all of it was looked up.
    pub(crate) is_cut: bool,
    /// Why nothing of it was read.
    pub(crate) refused: Option<String>,
    /// Made when it is first asked for.
    pub(super) index: OnceLock<Index>,
}

impl Script {
    pub(super) fn refused(why: String) -> Self {
        Self { refused: Some(why), ..Self::default() }
    }

    /// What its calls and imports say, looked up.
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(self))
    }

    /// Forgets all but what is asked of whole programs: some calls and stores, imports, and what classes are made from.
    pub(crate) fn reduce(&mut self, needs: impl Fn(&Self, &Call) -> bool, is_needed: impl Fn(&Store) -> bool) {
        let calls = std::mem::take(&mut self.calls).into_iter();
        let kept = calls.filter(|call| needs(self, call)).map(|call| Call { within: None, feeds: None, ..call });
        self.calls = kept.collect::<Vec<_>>().into_boxed_slice().into_vec();
        self.stores.retain(is_needed);
        self.stores.shrink_to_fit();
        self.imports.shrink_to_fit();
        let scopes = std::mem::take(&mut self.scopes);
        let made: HashSet<&str> =
            scopes.iter().filter(|scope| !scope.bases.is_empty()).map(|scope| scope.name.as_str()).collect();
        self.scopes = scopes.iter().filter(|scope| made.contains(scope.name.as_str())).cloned().collect();
        (self.commands, self.comments, self.texts) = (Vec::new(), Vec::new(), Vec::new());
        self.index = OnceLock::new();
    }

    /// Whether it imports this library.
    pub(crate) fn imports(&self, library: &str) -> bool {
        self.index().imports(library)
    }

    /// The call that this is an argument of, and what that is an argument of, up to some levels.
    pub(crate) fn around<'a>(&'a self, call: &'a Call) -> impl Iterator<Item = &'a Call> {
        self.outwards(call, |call| call.within)
    }

    /// The call that the items of this go into, and the one that the items of that go into.
    pub(crate) fn fed<'a>(&'a self, call: &'a Call) -> impl Iterator<Item = &'a Call> {
        self.outwards(call, |call| call.feeds)
    }

    fn outwards<'a>(&'a self, call: &'a Call, step: fn(&Call) -> Option<usize>) -> impl Iterator<Item = &'a Call> {
        let mut next = step(call);
        std::iter::from_fn(move || {
            let call = self.calls.get(next?)?;
            next = step(call);
            Some(call)
        })
        .take(MAX_AROUND)
    }

    /// What the class at the start of a dotted name is made from, where this file defines it: `.Own().train`.
    pub(crate) fn bases(&self, path: &str) -> impl Iterator<Item = &str> {
        let own = path.strip_prefix('.').and_then(|path| path.split(['.', '(']).next());
        let scope = own.and_then(|own| self.scopes.get(self.index().scope(own)?));
        scope.into_iter().flat_map(|scope| scope.bases.iter().map(String::as_str))
    }
}
