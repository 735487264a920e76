//! What a parser read, and where. Facts stand between formats and rules: a parser has no opinion, a rule reads no bytes.

use std::borrow::Cow;

use serde::Serialize;

use crate::child::Child;

/// A place within one artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// The artifact as a whole.
    Whole,
    /// A byte, counted from 0.
    Offset(u64),
    /// A line of text, counted from 1.
    Line(u64),
}

/// One thing that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    /// Where it was read.
    pub position: Position,
    /// What it is.
    #[serde(flatten)]
    pub kind: FactKind,
}

/// The kinds of facts. A rule subscribes to kinds, never to formats.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FactKind {
    /// What the artifact says it is: format version, framework, architecture …
    Property {
        /// Name of the property, from a fixed vocabulary: `version`, `framework`, `architecture`, `protocol` …
        name: Cow<'static, str>,
        /// Its value, as text.
        value: String,
    },
    /// Free key and value from the artifact's own metadata.
    Metadata {
        /// The key as stored.
        key: String,
        /// The value as text, cut to a readable length.
        value: String,
    },
    /// One tensor.
    Tensor(Tensor),
    /// A storage of numbers that is kept beside this artifact, in the same container.
    Storage {
        /// Its name there.
        key: String,
        /// Its size in bytes, when the element type is known.
        bytes: Option<u64>,
    },
    /// A callable that loading the artifact would look up or call.
    Callable(Callable),
    /// Something the artifact did not make is changed by loading it.
    Mutation {
        /// What is changed, readable.
        target: String,
        /// How it is changed, readable.
        change: String,
    },
    /// A step of the readable reconstruction of what loading does, in order.
    Step {
        /// The step as a line of Python.
        text: String,
    },
    /// A chat template.
    Template {
        /// The metadata key or file it came from.
        name: String,
        /// Its source.
        text: String,
    },
    /// A template reaches beyond what chat templates need.
    TemplateReach {
        /// The expression, as written.
        expression: String,
        /// What it reaches.
        reach: Reach,
    },
    /// The artifact names something outside itself.
    Reference {
        /// What kind of thing is named.
        kind: ReferenceKind,
        /// Its name.
        target: String,
    },
    /// An artifact within this one, for the engine to open.
    Child(Child),
    /// Something a well-made artifact does not have.
    Anomaly {
        /// What is odd.
        anomaly: Anomaly,
        /// Particulars, readable.
        detail: String,
    },
    /// Part of the artifact was not analysed.
    Incomplete {
        /// Why.
        reason: Gap,
        /// Particulars, readable.
        detail: String,
    },
}

/// A named array of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tensor {
    /// Name, when the format has one.
    pub name: String,
    /// Element type in the format's own spelling.
    pub dtype: String,
    /// Extent of each dimension.
    pub shape: Vec<u64>,
    /// Stored size in bytes, when known.
    pub bytes: Option<u64>,
}

impl Tensor {
    /// Number of elements; saturates, for shapes that lie.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape.iter().fold(1, |product, &extent| product.saturating_mul(extent))
    }
}

/// How a callable is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Usage {
    /// Looked up (and so its module imported) but not called.
    Reference,
    /// Called with arguments.
    Reduce,
    /// Its `__new__` is called.
    New,
    /// State is set on an instance: `__setstate__` or attributes.
    Build,
    /// Items are appended to an instance through its own methods.
    Append,
    /// Items are assigned on an instance through its own `__setitem__`.
    SetItem,
    /// Items are added to an instance through its own methods.
    AddItem,
}

/// What is known of a callable, given how it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// On the list of callables that only build data, used as the list says.
    Inert {
        /// The list's reason.
        reason: Cow<'static, str>,
    },
    /// On the list for other uses or other arguments than these.
    Misused {
        /// What was expected.
        expected: String,
    },
    /// Known to be dangerous.
    Dangerous {
        /// Completes "loading this file …".
        effect: String,
        /// Whether the danger is the greatest there is.
        critical: bool,
    },
    /// Not on any list, from a library that has a list.
    Unlisted {
        /// The library.
        library: String,
    },
    /// From a module nobody here knows: loading needs code that is not part of the model.
    Unknown,
    /// The name is not in the file as a constant: it is computed while loading, or comes from elsewhere.
    Computed,
}

/// A callable that loading would look up or call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Callable {
    /// Module, after the loader's own renaming.
    pub module: String,
    /// Qualified name within the module.
    pub name: String,
    /// How it is used.
    pub usage: Usage,
    /// What is known of it.
    #[serde(flatten)]
    pub standing: Standing,
    /// The use as a line of Python, cut to a readable length.
    pub expression: String,
    /// How often it is used in this way; the position is the first.
    pub count: u64,
}

/// What a template reaches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Python internals through underscore names: the way out of a sandbox.
    Internals,
    /// A name that is computed, so it could be anything.
    ComputedName,
    /// A filter, test or function that chat templates do not need and that reaches the host.
    Host,
    /// A filter, test, function or method that is not on the list.
    Unlisted,
    /// A loop long enough to exhaust whoever renders it.
    Exhaustion,
}

/// What an artifact names outside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// Code that a loader imports and runs.
    RemoteCode,
    /// Another file of the same model.
    File,
    /// Another model.
    Model,
    /// An address on a network.
    Address,
}

/// What is odd about an artifact's structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Anomaly {
    /// Two readers of the same bytes see different programs.
    ReaderDisagreement,
    /// Two headers of an archive say different things.
    HeaderDisagreement,
    /// Records or bytes that the usual reader does not show.
    HiddenContent,
    /// Bytes after the end of the artifact.
    TrailingBytes,
    /// Bytes before the start of the artifact.
    LeadingBytes,
    /// The same bytes are two formats at once.
    Polyglot,
    /// A name that leaves the folder it is unpacked in.
    PathTraversal,
    /// A link, or a device, where a file should be.
    Link,
    /// The same name twice.
    DuplicateName,
    /// More comes out than any honest file holds.
    ExpansionBomb,
    /// A declared size that makes the reader take far more memory than the file has bytes.
    AllocationBomb,
    /// Bytes no part of the structure accounts for.
    Hole,
    /// Two parts of the structure claim the same bytes.
    Overlap,
    /// The structure points outside the file.
    OutOfBounds,
    /// A size, type and shape that contradict each other.
    SizeMismatch,
    /// A stored checksum that is wrong.
    ChecksumMismatch,
    /// The structure breaks the format's specification.
    Malformed,
    /// The program stops with an error, or before its end.
    Broken,
    /// The file's name says another format than its bytes.
    ExtensionMismatch,
    /// Machine code or a script.
    Executable,
    /// A name with control or direction characters.
    DeceptiveName,
    /// The content is encrypted.
    Encrypted,
}

/// Why part of an artifact was not analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Gap {
    /// A limit on work, size or depth was met.
    Limit,
    /// A version or feature of the format that is not read here.
    Unsupported,
    /// The bytes could not be read or decoded.
    Unreadable,
    /// Nobody here knows this format.
    UnknownFormat,
    /// It was not there to be analysed.
    Missing,
}
