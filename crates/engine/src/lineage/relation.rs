//! What edges of the graph say: the roles of statements, and what holds between names of one artifact.

use waag_evidence::statement::role::Role;

/// What one node is to another: `subject` was made from, is part of, or is also called `object`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The object had this part in the making, or the description, of the subject.
    Role(Role),
    /// Both are names of one artifact, as one descriptor of a statement says.
    SameAs,
    /// The subject came out of a step that made several artifacts.
    MadeIn,
    /// A scan found that the advisory is about the subject.
    HasAdvisory,
}

const SAME_AS: u8 = 64;
const MADE_IN: u8 = 65;
const HAS_ADVISORY: u8 = 66;

impl Relation {
    /// How the index and the graph hold it: the place in [`Role::ALL`], or a number beyond all roles.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Role(role) => {
                let place = Role::ALL.iter().position(|known| *known == role);
                place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
            }
            Self::SameAs => SAME_AS,
            Self::MadeIn => MADE_IN,
            Self::HasAdvisory => HAS_ADVISORY,
        }
    }

    /// What a number stands for.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        match code {
            SAME_AS => Some(Self::SameAs),
            MADE_IN => Some(Self::MadeIn),
            HAS_ADVISORY => Some(Self::HasAdvisory),
            role => Role::ALL.get(usize::from(role)).copied().map(Self::Role),
        }
    }

    /// Its name, as programs and people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Role(role) => role.name(),
            Self::SameAs => "same-as",
            Self::MadeIn => "made-in",
            Self::HasAdvisory => "has-advisory",
        }
    }

    /// How a walk over the graph crosses it.
    #[must_use]
    pub const fn crossing(self) -> Crossing {
        match self {
            Self::Role(Role::PartOf) => Crossing::Part,
            Self::Role(role) if role.is_ancestry() => Crossing::Ancestry,
            Self::MadeIn | Self::HasAdvisory => Crossing::Ancestry,
            Self::SameAs => Crossing::Name,
            Self::Role(_) => Crossing::None,
        }
    }
}

/// How a walk crosses an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// From what was made to what it was made from, or back.
    Ancestry,
    /// Between a file and its whole, either way.
    Part,
    /// Between names of one artifact, either way.
    Name,
    /// Not at all: a description.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_they_are_written() {
        let others = [Relation::SameAs, Relation::MadeIn, Relation::HasAdvisory];
        for relation in Role::ALL.into_iter().map(Relation::Role).chain(others) {
            assert_eq!(Relation::of_code(relation.code()), Some(relation));
        }
        assert_eq!(Relation::of_code(200), None);
    }
}
