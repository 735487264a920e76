//! What every format provides: who it is, how to tell it from its bytes, and how to read it.

use crate::budget::Budget;
use crate::child::Role;
use crate::facts::Facts;
use crate::source::{Source, read_up_to};

/// How much of the start of an artifact is looked at to tell its format.
const HEAD: usize = 4096;
/// How much of its end: a zip's last record and the longest comment behind it.
const TAIL: usize = 22 + 65_535;

/// How much of the start of raw numbers is looked at for what does not belong there.
const GLANCE: usize = 64;

/// How deeply a format is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Every part that decides what loading does is read and verified.
    Full,
    /// Opened, and what is inside is analysed as what it is.
    Container,
    /// Told apart and searched, not verified.
    Surface,
}

/// Who a format is.
#[derive(Debug, serde::Serialize)]
pub struct Meta {
    /// Stable name, kebab-case.
    pub id: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// File name endings that promise this format, without the dot.
    pub extensions: &'static [&'static str],
    /// How deeply it is parsed.
    pub depth: Depth,
    /// What is read, in one sentence.
    pub reads: &'static str,
    /// The specification that is followed.
    pub specification: &'static str,
}

/// How sure the bytes make one of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The bytes can be read so, as other bytes might by chance.
    Possible,
    /// The structure fits.
    Likely,
    /// A signature that is there for no other reason.
    Certain,
}

/// The parts of an artifact by which its format is told.
#[derive(Debug)]
pub struct Probe<'a> {
    /// All of it.
    pub source: &'a dyn Source,
    /// Its first bytes.
    pub head: Vec<u8>,
    /// Its last bytes.
    pub tail: Vec<u8>,
    /// Its name, a hint only.
    pub name: &'a str,
    /// What its parent uses it for.
    pub role: Role,
}

impl<'a> Probe<'a> {
    /// Reads what is needed to tell a format.
    #[must_use]
    pub fn new(source: &'a dyn Source, name: &'a str, role: Role) -> Self {
        // A checkpoint has thousands of storages: a glance at each has to do.
        let (head, tail) = if role == Role::Numbers { (GLANCE, 0) } else { (HEAD, TAIL) };
        let head = read_up_to(source, 0, head);
        let short = source.len() == head.len() as u64 && tail > 0;
        if short {
            return Self { source, tail: head.clone(), head, name, role };
        }
        let tail = read_up_to(source, source.len().saturating_sub(tail as u64), tail);
        Self { source, head, tail, name, role }
    }

    /// The ending of the name after its last dot, in lower case; empty when there is none.
    #[must_use]
    pub fn extension(&self) -> String {
        extension(self.name)
    }

    /// True when the artifact starts so.
    #[must_use]
    pub fn starts_with(&self, signature: &[u8]) -> bool {
        self.head.starts_with(signature)
    }
}

/// The ending of a path's last component after its last dot, in lower case.
#[must_use]
pub fn extension(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// What a parser is given beside the bytes.
#[derive(Debug)]
pub struct Context<'a> {
    /// Name of the artifact, a hint only.
    pub name: &'a str,
    /// What its parent uses it for.
    pub role: Role,
    /// What the analysis may cost.
    pub budget: &'a Budget,
}

/// A format. Stateless: one value serves all artifacts on all threads.
pub trait Format: Sync {
    /// Who it is.
    fn meta(&self) -> &'static Meta;

    /// Whether these bytes are it.
    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty>;

    /// Reads it. Never fails: what goes wrong is a fact.
    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts);
}

impl std::fmt::Debug for dyn Format + '_ {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Format({})", self.meta().id)
    }
}
