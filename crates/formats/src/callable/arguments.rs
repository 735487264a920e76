//! The shape of arguments that an entry of a list demands.

use std::fmt;

/// What an argument is, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgumentKind {
    /// A constant text.
    Text(String),
    /// None, a number, bytes, an instance that was made inertly, or a container of such.
    Plain,
    /// A reference to a listed callable, as `module:name`.
    Class(String),
    /// A container that holds references to listed callables.
    Mixed,
    /// Any number of arguments that are plain: there was no room to remember them.
    Unseen,
    /// Anything else: something no list clears.
    Other,
}

/// What an argument must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// No callable in it.
    Plain,
    /// A reference to a listed callable.
    Class,
    /// A reference to one of these, as `module:name`: what is called with other arguments is not just anything that is listed.
    Callable(Vec<String>),
    /// Anything that lists clear.
    Any,
    /// One of these texts.
    Text(Vec<String>),
    /// Any number more of the same.
    Rest(Box<Expected>),
}

impl Expected {
    /// Reads one word of a list: `plain`, `class`, `any`, `text=a|b`, `callable=m:a|m:b`, and the first three with a star for any number.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if let Some(texts) = word.strip_prefix("text=") {
            return Some(Self::Text(texts.split('|').map(str::to_owned).collect()));
        }
        if let Some(names) = word.strip_prefix("callable=") {
            return Some(Self::Callable(names.split('|').map(str::to_owned).collect()));
        }
        if let Some(repeated) = word.strip_suffix('*') {
            return Some(Self::Rest(Box::new(Self::parse(repeated)?)));
        }
        match word {
            "plain" => Some(Self::Plain),
            "class" => Some(Self::Class),
            "any" => Some(Self::Any),
            _ => None,
        }
    }

    fn fits(&self, given: &ArgumentKind) -> bool {
        match self {
            Self::Plain => matches!(given, ArgumentKind::Plain | ArgumentKind::Text(_)),
            Self::Class => matches!(given, ArgumentKind::Class(_)),
            Self::Callable(names) => matches!(given, ArgumentKind::Class(name) if names.contains(name)),
            Self::Any => !matches!(given, ArgumentKind::Other | ArgumentKind::Unseen),
            Self::Text(texts) => matches!(given, ArgumentKind::Text(text) if texts.contains(text)),
            Self::Rest(expected) => expected.fits(given),
        }
    }

    /// Whether given arguments fit. Fewer than expected are fine (they have defaults, or the call fails);
    /// more than expected are not. Without an expectation anything that lists clear will do.
    #[must_use]
    pub fn all_fit(expected: Option<&[Self]>, given: &[ArgumentKind]) -> bool {
        let Some(expected) = expected else {
            return given.iter().all(|kind| *kind != ArgumentKind::Other);
        };
        if given == [ArgumentKind::Unseen] {
            return expected.iter().all(|expected| expected.fits(&ArgumentKind::Plain));
        }
        let last = expected.last();
        let at = |index: usize| expected.get(index).or(last.filter(|last| matches!(last, Self::Rest(_))));
        given.iter().enumerate().all(|(index, kind)| at(index).is_some_and(|expected| expected.fits(kind)))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => formatter.write_str("data"),
            Self::Class => formatter.write_str("a listed class"),
            Self::Callable(names) => write!(formatter, "{}", names.join(" or ").replace(':', ".")),
            Self::Any => formatter.write_str("anything listed"),
            Self::Text(texts) => write!(formatter, "'{}'", texts.join("' or '")),
            Self::Rest(expected) => write!(formatter, "more: {expected}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(expected: &[&str], given: &[ArgumentKind]) -> bool {
        let expected: Vec<_> = expected.iter().map(|word| Expected::parse(word).unwrap()).collect();
        Expected::all_fit(Some(&expected), given)
    }

    #[test]
    fn arguments_fit_by_position() {
        use ArgumentKind::{Mixed, Other, Plain, Text};
        let class = || ArgumentKind::Class("torch:Tensor".into());
        assert!(fit(&["class", "plain"], &[class(), Plain]));
        assert!(fit(&["callable=torch:Size|torch:Tensor"], &[class()]));
        assert!(!fit(&["callable=torch:Size"], &[class()]));
        assert!(!fit(&["class", "plain"], &[Plain, Plain]));
        assert!(fit(&["plain", "text=latin1|latin-1"], &[Plain, Text("latin1".into())]));
        assert!(!fit(&["plain", "text=latin1"], &[Plain, Text("rot13".into())]));
        assert!(!fit(&["plain"], &[Plain, Plain]));
        assert!(fit(&["class", "any*"], &[class(), Plain, Mixed, class()]));
        assert!(!fit(&["class", "any*"], &[class(), Other]));
        assert!(fit(&["plain", "any*"], &[ArgumentKind::Unseen]));
        assert!(!fit(&["plain", "text=latin1"], &[ArgumentKind::Unseen]));
        assert!(!fit(&["class", "plain"], &[ArgumentKind::Unseen]));
        assert!(fit(&[], &[]));
        assert!(!fit(&[], &[Plain]));
        assert!(!Expected::all_fit(None, &[Other]));
        assert!(Expected::all_fit(None, &[class(), Plain]));
    }
}
