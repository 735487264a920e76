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
    /// An operator of a computation graph.
    Operator(Operator),
    /// Code that the artifact carries, for somebody to run.
    Code(Code),
    /// What a piece of source code does that a model's code has no need to do.
    SourceReach {
        /// The statement or expression, as written, cut to a readable length.
        expression: String,
        /// What it does.
        reach: SourceReach,
        /// When it does it: as the file is imported, when something in it is called, or when it is started by hand.
        runs: Runs,
    },
    /// A credential.
    Secret {
        /// What it opens: "an AWS access key", "a private key" …
        kind: Cow<'static, str>,
        /// Its first few characters, by which its owner knows it; never all of it.
        shown: String,
    },
    /// The artifact names something outside itself.
    Reference {
        /// What kind of thing is named.
        kind: ReferenceKind,
        /// Its name.
        target: String,
    },
    /// How long another file of the same model has to be.
    FileSize {
        /// Its name.
        target: String,
        /// Bytes that are taken from it.
        least: u64,
        /// Bytes that it may have, where it is all accounted for.
        most: Option<u64>,
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
    /// A configuration names it, and a loader imports it and calls it with what the configuration says.
    Instantiate,
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

/// An operator of a computation graph, over all its uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operator {
    /// Its name, as the graph has it.
    pub name: String,
    /// The set it belongs to; empty for the format's own.
    pub domain: String,
    /// What is known of it.
    #[serde(flatten)]
    pub effect: Effect,
    /// How often it is used; the position is the first.
    pub count: u64,
}

/// What running an operator does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Computes on tensors only.
    Computes,
    /// Needs code that the runtime does not have: a plugin or a library of kernels.
    Custom,
    /// Reaches the machine it runs on.
    Reaches {
        /// Completes "running this model …".
        what: Cow<'static, str>,
        /// Whether it hands the machine over: code, or files that are written.
        critical: bool,
    },
}

/// Code that an artifact carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// Where it hangs: the layer, step or key that holds it.
    pub name: String,
    /// Its language: "Python bytecode", "Python", "R", "Lua bytecode" …
    pub language: Cow<'static, str>,
    /// When it runs.
    pub runs: Runs,
    /// It, or its start, when it can be read.
    pub excerpt: String,
}

/// When carried code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Runs {
    /// When the artifact is loaded.
    Loaded,
    /// When the loaded model is used: at the first prediction, say.
    Used,
    /// When somebody starts it: a notebook, an installer.
    Started,
}

/// What source code does that a model's code has no need to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceReach {
    /// Runs what it hides from its reader: decoded, decrypted or fetched text.
    HiddenCode,
    /// Opens a shell to somebody elsewhere, or sends what it finds away.
    Backdoor,
    /// Starts another program.
    Program,
    /// Evaluates text as code.
    Evaluation,
    /// Loads machine code.
    NativeCode,
    /// Loads a library of the system, or one from a path that the program puts together.
    Library,
    /// Starts a tool that builds what is installed.
    BuildTool,
    /// Talks over a network.
    Network,
    /// Unpickles, or loads in another way that runs code.
    UnsafeLoad,
    /// Reads credentials, or other people's files.
    Credentials,
    /// Installs itself or other software.
    Installation,
    /// Writes or deletes outside the model.
    Files,
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
    /// Another file of the same model, of raw numbers that no loader interprets.
    Numbers,
    /// As [`ReferenceKind::Numbers`], but the file may be left out: parts of an array that were never written.
    OptionalNumbers,
    /// Another model.
    Model,
    /// An address on a network.
    Address,
    /// An index of packages that is not the usual one, reached by name and with encryption.
    PackageIndex,
    /// A library of machine code that a runtime opens to run the model.
    Library,
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
    /// A pickle kept as a value of another, for somebody to load.
    Nested,
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
    /// Part of the model is kept in a file outside it.
    ExternalData,
    /// XML that declares entities, which its reader fetches or multiplies.
    XmlEntity,
    /// Numbers that are not finite where a model needs finite ones.
    NotFinite,
    /// A tensor that cannot have come out of training: all the same number, say.
    Degenerate,
    /// A tokenizer whose tables change what people write, or what they are told.
    TextRemapping,
    /// A name that is mistaken for another: letters of another script, or one letter off.
    LookAlike,
    /// Numbers that spell something else than numbers: a program in the low bits of the weights.
    Steganography,
    /// A file that is not as it was locked.
    Drift,
    /// A file that should have been locked and was not.
    Unlocked,
}

/// Why part of an artifact was not analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Gap {
    /// A limit on work or size was met.
    Limit,
    /// Values lie in each other more deeply than any honest file has them, and than readers that follow them bear.
    Depth,
    /// A version or feature of the format that is not read here.
    Unsupported,
    /// The bytes could not be read or decoded.
    Unreadable,
    /// Nobody here knows this format.
    UnknownFormat,
    /// It was not there to be analysed.
    Missing,
}
