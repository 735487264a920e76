//! The files: listed, digested and, where they hold tensors, read as far as their headers go; all on every core.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use waag_evidence::Sha256Digest;
use waag_evidence::finding::Location;
use waag_evidence::manifest::{Digest, HashAlgorithm};
use waag_formats::budget::Budget;
use waag_formats::child;
use waag_formats::fact::{FactKind, Position, Standing};
use waag_formats::facts::Facts;
use waag_formats::format::{Context, Format, Probe};
use waag_formats::recognise;
use waag_formats::source::{Source as _, read_up_to};

use super::model::{Import, Remark, Role};
use super::role::{WEIGHTS, is_state, role_of};
use crate::examine::Examination;
use crate::hash::{ModelFile, Wanted, digest_files};
use crate::io::{FileSource, MemoryPlan, sha256};
use crate::scan::{Progress, Silent};
use crate::walk::{Entry, EntryKind, walk};

/// Files of one bill of materials.
const MAX_FILES: usize = 200_000;
/// Callables of one file that are listed.
const MAX_IMPORTS: usize = 200;
/// Bytes of a file by which texts are told.
const HEAD: usize = 256;
/// Formats of which the format's own reader tells all that is asked; archives are opened down to their members.
const PLAIN: &[&str] = &["safetensors", "gguf", "ggml-legacy", "npy", "onnx", "tflite", "hdf5", "msgpack"];

/// A file, and what is in it.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path below what was looked at, with `/` between its parts.
    pub(super) path: String,
    /// Where to read it.
    pub(super) opened: PathBuf,
    pub(super) size: u64,
    pub(super) sha256: Option<Sha256Digest>,
    pub(super) format: Option<&'static str>,
    pub(super) role: Role,
    pub(super) tensors: Option<Tensors>,
}

/// What a file of weights says of itself.
#[derive(Debug, Default)]
pub(super) struct Tensors {
    pub(super) tensors: u64,
    pub(super) parameters: u64,
    pub(super) bytes: u64,
    pub(super) dtypes: BTreeMap<String, u64>,
    /// Keys and texts of the header, with the byte where each stands.
    pub(super) header: Vec<(String, String, Option<u64>)>,
    /// Where a template stands, and the SHA-256 of its text.
    pub(super) templates: Vec<(String, Sha256Digest)>,
    pub(super) imports: Vec<Import>,
    /// Whether there are more imports than are listed.
    pub(super) has_more_imports: bool,
    /// Why the numbers are not those of all tensors.
    pub(super) incomplete: Option<String>,
}

impl Tensors {
    /// The text of a key of the header.
    pub(super) fn text(&self, wanted: &str) -> Option<&str> {
        self.header.iter().find(|(key, ..)| key == wanted).map(|(_, value, _)| value.as_str())
    }

    /// Says why a file that is named as weights has no tensors, where nothing else said it.
    fn judge(&mut self, format: Option<&str>, is_pointer: bool) {
        if is_pointer {
            self.incomplete = Some("a pointer of Git LFS is here, and not the weights".to_owned());
        }
        if self.tensors > 0 || !self.imports.is_empty() || self.incomplete.is_some() {
            return;
        }
        let holds_some = format.is_some_and(|format| WEIGHTS.contains(&format) || matches!(format, "zip" | "tar"));
        if !holds_some {
            let format = format.unwrap_or("of no format that is known");
            self.incomplete = Some(format!("it is named as weights, and its bytes are {format}"));
        }
    }

    fn take(&mut self, facts: &Facts) {
        let totals = facts.totals();
        self.tensors = self.tensors.saturating_add(totals.tensors);
        self.parameters = self.parameters.saturating_add(totals.parameters);
        self.bytes = self.bytes.saturating_add(totals.bytes);
        let mut listed = 0u64;
        for fact in facts.list() {
            match &fact.kind {
                FactKind::Tensor(tensor) => {
                    listed = listed.saturating_add(1);
                    let count = self.dtypes.entry(tensor.dtype.clone()).or_default();
                    *count = count.saturating_add(tensor.elements());
                }
                FactKind::Metadata { key, value } => self.note(key, value, &fact.position),
                FactKind::Property { name, value } => self.note(name, value, &fact.position),
                FactKind::Template { name, text } => {
                    let digest = sha256(&text.as_bytes()).ok();
                    self.templates.extend(digest.map(|digest| (name.clone(), digest)));
                }
                FactKind::Callable(callable) => self.import(&callable.module, &callable.name, &callable.standing),
                FactKind::Incomplete { detail, .. } => {
                    self.incomplete.get_or_insert_with(|| detail.clone());
                }
                FactKind::Anomaly { detail, .. } if totals.tensors == 0 => {
                    self.incomplete.get_or_insert_with(|| detail.clone());
                }
                _ => {}
            }
        }
        if listed < totals.tensors {
            let rest = totals.tensors - listed;
            self.incomplete.get_or_insert_with(|| format!("the types of {rest} more tensors are not counted"));
        }
    }

    fn note(&mut self, key: &str, value: &str, position: &Position) {
        let at = if let Position::Offset(at) = position { Some(*at) } else { None };
        self.header.push((key.to_owned(), value.to_owned(), at));
    }

    fn import(&mut self, module: &str, name: &str, standing: &Standing) {
        let standing = match standing {
            Standing::Inert { .. } => "inert",
            Standing::Dangerous { .. } | Standing::Computed => "dangerous",
            _ => "unlisted",
        };
        let import = Import { name: format!("{module}.{name}"), standing };
        if self.imports.contains(&import) {
            return;
        }
        self.has_more_imports = self.imports.len() >= MAX_IMPORTS;
        if !self.has_more_imports {
            self.imports.push(import);
        }
    }
}

/// Lists and reads everything below a path.
///
/// # Errors
/// When the path does not exist or cannot be read at all; what cannot be read below it is a remark.
pub(super) fn find(
    path: &Path,
    left_out: Option<&Path>,
    progress: &dyn Progress,
) -> io::Result<(Vec<Found>, Vec<Remark>)> {
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let mut entries = walk(&[path.to_owned()], true)?;
    let mut remarks: Vec<Remark> = entries.iter().filter_map(|entry| skipped(entry, root)).collect();
    entries.retain(|entry| matches!(entry.kind, EntryKind::File(_)) && !is_same(entry, left_out));
    if entries.len() > MAX_FILES {
        let text = format!("only the first {MAX_FILES} of {} files are listed", entries.len());
        remarks.push(Remark { location: ".".into(), text, is_gap: true });
        entries.truncate(MAX_FILES);
    }
    progress.total(entries.len() as u64, entries.iter().map(|entry| entry.size).sum());
    let memory = MemoryPlan::default();
    let read: Vec<(Found, Option<Remark>)> = entries
        .par_iter()
        .with_max_len(1)
        .filter_map(|entry| {
            let found = read_one(&told(&entry.path, root), entry.opened()?, &memory);
            progress.advance(entry.size, &found.0.path);
            Some(found)
        })
        .collect();
    let mut found = Vec::with_capacity(read.len());
    for (file, remark) in read {
        remarks.extend(remark);
        found.push(file);
    }
    let mut told = BTreeSet::new();
    for file in &mut found {
        // Two that would be told alike: a name that is no UTF-8, and one that is written as that is told.
        while !told.insert(file.path.clone()) {
            file.path.push('_');
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok((found, remarks))
}

fn is_same(entry: &Entry, other: Option<&Path>) -> bool {
    let (Some(other), Some(opened)) = (other, entry.opened()) else { return false };
    opened.file_name() == other.file_name() && std::fs::canonicalize(opened).is_ok_and(|whole| whole == other)
}

/// A path with `/` between its parts; bytes that are no UTF-8 as `\xFF`.
fn told(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts = below.as_os_str().as_encoded_bytes().utf8_chunks();
    parts.fold(String::new(), |mut told, chunk| {
        told.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| told.push_str(&format!("\\x{byte:02X}")));
        told
    })
}

/// What is said of something that is no file.
fn skipped(entry: &Entry, root: &Path) -> Option<Remark> {
    let (text, is_gap) = match &entry.kind {
        EntryKind::File(_) => return None,
        EntryKind::StrayLink(target) => (format!("a link that leads out, to '{target}', is not followed"), true),
        EntryKind::Special => ("neither a file nor a folder".to_owned(), true),
        EntryKind::ToolFolder => ("a tool's folder, which is not looked into".to_owned(), false),
        EntryKind::Unreadable(why) => (format!("cannot be read: {why}"), true),
    };
    Some(Remark { location: told(&entry.path, root), text, is_gap })
}

fn read_one(path: &str, opened: &Path, memory: &MemoryPlan) -> (Found, Option<Remark>) {
    let mut found = Found {
        path: path.to_owned(),
        opened: opened.to_owned(),
        size: 0,
        sha256: None,
        format: None,
        role: Role::Other,
        tensors: None,
    };
    let problem = match FileSource::open(opened) {
        Ok(source) => look(&mut found, &source, memory).err(),
        Err(error) => Some(error.to_string()),
    };
    let has_more = found.tensors.as_ref().is_some_and(|tensors| tensors.has_more_imports);
    let more = has_more.then(|| Remark::gap(path, format!("only the first {MAX_IMPORTS} of its imports are listed")));
    let remark = problem.map(|why| Remark::gap(path, format!("cannot be read: {why}"))).or(more);
    (found, remark)
}

/// Reads the header first, then the whole for its digest.
fn look(found: &mut Found, source: &FileSource, memory: &MemoryPlan) -> Result<(), String> {
    found.size = source.len();
    let name = found.path.rsplit('/').next().unwrap_or_default().to_owned();
    let formats = recognise(&Probe::new(source, &name, child::Role::Unknown));
    found.format = formats.first().map(|(format, _)| format.meta().id);
    found.role = role_of(&found.path, found.format);
    let is_pickled = name.eq_ignore_ascii_case("training_args.bin")
        || found.role == Role::Provenance && is_state(&name.to_ascii_lowercase());
    let is_known = found.format.is_some_and(|format| WEIGHTS.contains(&format));
    if found.role == Role::Weights && !is_known && is_text(source) && !is_pointer(source) {
        found.role = Role::Other;
    }
    let is_weights = matches!(found.role, Role::Weights | Role::Adapter) && name != "adapter_config.json";
    if is_weights || is_pickled {
        let read = formats.first().map(|(format, _)| tensors(*format, source, &found.path, memory));
        let mut read = read.unwrap_or_default();
        if is_weights {
            read.judge(found.format, is_pointer(source));
        }
        found.tensors = Some(read);
    }
    found.sha256 = digest(found)?;
    Ok(())
}

/// Whether a file begins as a text does: `list.pt` may be Portuguese.
fn is_text(source: &FileSource) -> bool {
    let head = read_up_to(source, 0, HEAD);
    let text = match std::str::from_utf8(&head) {
        Ok(text) => text,
        // A letter that is cut at the end.
        Err(error) if error.error_len().is_none() => str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|letter| !letter.is_control() || letter.is_whitespace())
}

/// What a repository has in place of a large file that was not fetched.
fn is_pointer(source: &FileSource) -> bool {
    read_up_to(source, 0, HEAD).starts_with(b"version https://git-lfs.github.com/spec/")
}

fn tensors(format: &'static dyn Format, source: &FileSource, path: &str, memory: &MemoryPlan) -> Tensors {
    let budget = Budget::for_size(source.len());
    let mut tensors = Tensors::default();
    if PLAIN.contains(&format.meta().id) {
        let mut facts = Facts::new();
        let context = Context { name: path, role: child::Role::Unknown, budget: &budget };
        memory.with_room(source.len(), || format.inspect(source, &context, &mut facts));
        tensors.take(&facts);
    } else {
        let examination = Examination { budget: &budget, memory, digests: false, keep_facts: true };
        let examined = examination.file(source, Location::file(path));
        examined.facts.iter().for_each(|facts| tensors.take(facts));
    }
    tensors.imports.sort();
    tensors
}

fn digest(found: &Found) -> Result<Option<Sha256Digest>, String> {
    let file = ModelFile { path: found.path.clone(), opened: found.opened.clone(), size: found.size };
    let wanted = Wanted { files: vec![HashAlgorithm::Sha256], shards: None };
    let hashed = digest_files(&[file], &wanted, &Silent).map_err(|error| error.to_string())?;
    Ok(hashed.first().and_then(|file| file.digests.first()).and_then(Digest::to_sha256))
}
