//! What is known of a value without running anything: constants are folded, names are followed.

/// Bytes kept of a folded text.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// Bytes of a word that nobody breaks for the reader's sake.
pub(super) const MAX_WORD: usize = 32;
/// Bytes of a dotted path.
const MAX_PATH: usize = 200;
/// Lists within lists that are kept.
const MAX_LEVELS: usize = 16;
/// What a value takes besides its text.
const OVERHEAD: usize = 48;

/// Where a value comes from that is not known itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// It was decoded from what comes from elsewhere: an argument, a file, an answer.
    Restored,
    /// It was decoded from something unreadable that stands in the source.
    Decoded,
    /// It came over a network.
    Fetched,
    /// It was read from a file.
    File,
    /// It is a credential, or the whole environment.
    Secret,
    /// It tells who and where one is.
    Identity,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Value {
    #[default]
    Unknown,
    Number(i64),
    /// A text or bytes, and whether the source spells it otherwise.
    Text(String, bool),
    List(Vec<Value>),
    /// A dotted name, with `()` for calls, and whether the source spells it otherwise.
    Path(String, bool),
    /// A method of a text.
    Method(Box<Value>, String),
    From(Origin),
}

impl Value {
    /// The bytes it takes, about; without end when it is too deep to be kept.
    pub(super) fn weight(&self) -> usize {
        self.weight_within(MAX_LEVELS)
    }

    fn weight_within(&self, levels: usize) -> usize {
        let Some(below) = levels.checked_sub(1) else { return usize::MAX };
        let inner = match self {
            Self::Text(text, _) | Self::Path(text, _) => text.len(),
            Self::List(items) => items.iter().fold(0usize, |sum, item| sum.saturating_add(item.weight_within(below))),
            Self::Method(of, name) => of.weight_within(below).saturating_add(name.len()),
            Self::Unknown | Self::Number(_) | Self::From(_) => 0,
        };
        inner.saturating_add(OVERHEAD)
    }

    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path, _) => Some(path),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub(super) fn origin(&self) -> Option<Origin> {
        match self {
            Self::From(origin) => Some(*origin),
            Self::List(items) => items.iter().filter_map(Self::origin).max(),
            Self::Path(path, _) if path == "os.environ" => Some(Origin::Secret),
            _ => None,
        }
    }

    /// `path.name`.
    pub(super) fn member(path: &str, name: &str, hidden: bool) -> Self {
        let base = ["builtins", "__builtins__", "__builtin__"].contains(&path);
        let whole = if base { name.to_owned() } else { format!("{path}.{name}") };
        Self::Path(shortened(whole), hidden)
    }

    /// `self + other`.
    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Text(one, hidden), Self::Text(other, also)) if one.len().saturating_add(other.len()) <= MAX_TEXT => {
                let text = one + &other;
                // Long texts are broken for the reader's sake; a short word is broken to hide it.
                let broken = text.len() <= MAX_WORD && !text.contains(' ');
                Self::Text(text, hidden || also || broken)
            }
            (Self::Number(one), Self::Number(other)) => one.checked_add(other).map_or(Self::Unknown, Self::Number),
            (Self::List(mut one), Self::List(other)) => {
                one.extend(other);
                Self::List(one)
            }
            (one, other) => one.mixed(&other),
        }
    }

    /// `self / other`: of paths, one below the other.
    pub(super) fn slash(self, other: &Self) -> Self {
        let base = match &self {
            Self::Text(text, _) => text.as_str(),
            Self::Path(path, _) if path.starts_with("pathlib.Path") => "?",
            _ => return self.mixed(other),
        };
        match other.text() {
            Some(text) if base.len().saturating_add(text.len()) < MAX_PATH => {
                Self::Text(format!("{base}/{text}"), false)
            }
            _ => self.mixed(other),
        }
    }

    /// What is left of two values in an expression that is not followed: where they came from.
    pub(super) fn mixed(self, other: &Self) -> Self {
        self.origin().max(other.origin()).map_or(Self::Unknown, Self::From)
    }
}

/// What a long path ends with: nobody writes one, and its end tells what it reaches.
fn shortened(path: String) -> String {
    let Some(from) = path.len().checked_sub(MAX_PATH).filter(|from| *from > 0) else { return path };
    let end = path.char_indices().map(|(at, _)| at).find(|at| *at >= from).and_then(|at| path.get(at..));
    let end = end.unwrap_or_default();
    end.split_once('.').map_or(end, |(_, whole)| whole).to_owned()
}
