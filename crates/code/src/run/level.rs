//! How well a run can be made again, in five steps. Each is said only of what was done.

use std::fmt;

/// What is known of how a run can be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What was run is written down, and no more.
    Documented,
    /// Also, the code is that of a commit, the environment that of a file, and a seed was given.
    PinnedAndSeeded,
    /// What was really read and written was seen.
    Captured,
    /// It was run again, and what came out was near enough.
    WithinTolerance,
    /// It was run again, and the same bytes came out.
    BitIdentical,
}

impl Level {
    /// Its name in statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::PinnedAndSeeded => "pinned-and-seeded",
            Self::Captured => "captured",
            Self::WithinTolerance => "rerun-within-tolerance",
            Self::BitIdentical => "rerun-bit-identical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
