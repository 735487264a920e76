//! Zip archives, read both as a directory and as a stream of records.
//!
//! zipfile, miniz and torch start from the directory at the end; streaming readers start from the first record. Everything
//! said twice is compared, and whatever only one of the readings shows becomes a child as well.

mod bytes;
mod compare;
mod directory;
mod end;
mod extra;
mod layout;
mod local;
pub(crate) mod names;
mod shards;
mod walk;

#[cfg(test)]
pub(crate) mod build;
#[cfg(test)]
mod tests;

use directory::{Directory, Entry};
use end::End;
use layout::Layout;
use walk::Walk;

use crate::budget::Budget;
use crate::child::{Child, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe, extension};
use crate::source::{Source, read_up_to};
use crate::weights::Problem;

/// Directories of one archive that are read. An honest archive has one.
const MAX_DIRECTORIES: usize = 4;
/// Comments shorter than this cannot hold a program.
const MIN_COMMENT: u64 = 4;

/// The format.
#[derive(Debug)]
pub struct Zip;

static META: Meta = Meta {
    id: "zip",
    title: "Zip archive",
    extensions: &["zip", "pt", "pth", "npz", "keras", "skops", "whl", "mar", "jar", "ptl", "mlpackage"],
    depth: Depth::Full,
    reads: "The directory, every member's own header and all bytes that neither accounts for; both readings are compared.",
    specification: "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT",
};

impl Zip {
    /// An archive at the very end is meant to be found; one followed by more may just be a tar's last file.
    pub(crate) fn at_end(probe: &Probe<'_>) -> Option<Certainty> {
        let ends = end::find(probe.source);
        let end = ends.iter().find(|end| end.has_entries())?;
        Some(if end.end == probe.source.len() { Certainty::Likely } else { Certainty::Possible })
    }
}

impl Format for Zip {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let starts: [&[u8]; 4] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04"];
        if starts.iter().any(|start| probe.starts_with(start)) {
            return Some(Certainty::Certain);
        }
        if !probe.tail.windows(4).any(|bytes| bytes == b"PK\x05\x06") {
            return None;
        }
        // A TensorFlow Lite model carries its labels so, and shows them itself.
        if crate::tflite::is_tflite(&probe.head) {
            return None;
        }
        Self::at_end(probe)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        if let Some(shards) = shards::split(source, context.name, context.budget) {
            return say_shards(&shards, facts);
        }
        let ends = end::find(source);
        let (directories, used) = read_directories(source, &ends, context, facts);
        let names = describe(&directories, facts);
        let shown: Vec<&str> = names.iter().map(String::as_str).collect();
        let layout = Layout::tell(&shown);
        say_layout(layout, &shown, facts);
        if extension(context.name) == "keras" && !shown.contains(&"config.json") {
            facts.incomplete(
                0,
                Gap::Missing,
                "a model of Keras has a config.json, which says what it is; this has none",
            );
        }
        let mut walk = Walk::new(source, context, facts, layout);
        cover(&mut walk, &directories, &used);
        directories.iter().for_each(|directory| walk.directory(directory));
        walk.stream();
        walk.account(used.first().map(|end| end.end));
    }
}

/// The members of an archive that every reader reads alike, and what program it is for, as far as that is known.
///
/// # Errors
/// When anything about the archive is amiss, so that another reader might read other members.
pub fn members(source: &dyn Source, budget: &Budget) -> Result<(Vec<Child>, String), Problem> {
    let mut facts = Facts::new();
    Zip.inspect(source, &Context { name: "", role: Role::Unknown, budget }, &mut facts);
    let layout = facts.find_property("layout").unwrap_or_default().to_owned();
    let mut members = Vec::new();
    for fact in facts.list() {
        match &fact.kind {
            FactKind::Child(child) => members.push(child.clone()),
            FactKind::Anomaly { detail, .. } => return Err(Problem::broken(format!("the archive is odd: {detail}"))),
            FactKind::Incomplete { detail, .. } => return Err(Problem::unsupported(detail.clone())),
            _ => {}
        }
    }
    Ok((members, layout))
}

fn say_shards(shards: &[(u64, u64)], facts: &mut Facts) {
    facts.property("members", shards.len().to_string());
    facts.property("layout", "torch-distributed");
    facts.property("framework", "PyTorch");
    for (index, &(start, end)) in shards.iter().enumerate() {
        let child = Child::stored(format!("archive {index}"), start, end.saturating_sub(start));
        facts.push(Position::Offset(start), FactKind::Child(child));
    }
}

/// Reads every directory that some reader takes to be the archive's, and says when there is not exactly one.
fn read_directories(
    source: &dyn Source,
    ends: &[End],
    context: &Context<'_>,
    facts: &mut Facts,
) -> (Vec<Directory>, Vec<End>) {
    let mut directories: Vec<Directory> = Vec::new();
    let mut used: Vec<End> = Vec::new();
    for end in ends {
        let inside = directories.first().is_some_and(|first| is_a_members(source, first, end));
        if inside && end.end != source.len() {
            continue;
        }
        for place in &end.places {
            let known = directories.iter().any(|directory| directory.start == place.start);
            if !known && directories.len() < MAX_DIRECTORIES {
                directories.push(directory::read(source, *place, end.first, context.budget));
            }
        }
        used.push(end.clone());
    }
    say_ends(source, &directories, &used, facts);
    (directories, used)
}

/// Whether an end record lies within the data of a member, as that of an archive in an archive does.
fn is_a_members(source: &dyn Source, directory: &Directory, end: &End) -> bool {
    let before = directory.entries.iter().filter(|entry| entry.header < end.offset).max_by_key(|entry| entry.header);
    before.and_then(|entry| Some((entry, local::read(source, entry.header)?))).is_some_and(|(entry, local)| {
        let data_end = local.data.saturating_add(entry.compressed);
        (local.data..data_end).contains(&end.offset) && data_end <= directory.start
    })
}

fn say_ends(source: &dyn Source, directories: &[Directory], used: &[End], facts: &mut Facts) {
    if directories.is_empty() {
        let detail = "there is no directory: only readers of the stream see its members";
        facts.anomaly(source.len(), Anomaly::Malformed, detail);
        facts.incomplete(source.len(), Gap::Unreadable, "the archive has no directory");
    }
    for end in used.iter().skip(1) {
        let detail = "a second end record, which some readers take for the archive's";
        facts.anomaly(end.offset, Anomaly::HeaderDisagreement, detail);
    }
    for detail in used.iter().flat_map(|end| &end.disagreements) {
        facts.anomaly(used.first().map_or(0, |end| end.first), Anomaly::HeaderDisagreement, detail.clone());
    }
    for directory in directories.iter().skip(1) {
        let detail = "a second directory, which some readers take for the archive's";
        facts.anomaly(directory.start, Anomaly::HeaderDisagreement, detail);
    }
    for directory in directories {
        if let Some(detail) = &directory.disagreement {
            facts.anomaly(directory.start, Anomaly::HeaderDisagreement, detail.clone());
        }
        if let Some(detail) = &directory.limit {
            facts.incomplete(directory.end, Gap::Limit, detail.clone());
        }
    }
    for end in used.iter().filter(|end| end.comment >= MIN_COMMENT) {
        comment(source, end, facts);
    }
}

/// A comment is text. Records or bytes in it are there for another reader.
fn comment(source: &dyn Source, end: &End, facts: &mut Facts) {
    let start = end.end.saturating_sub(end.comment);
    let length = usize::try_from(end.comment).unwrap_or(0);
    let bytes = read_up_to(source, start, length);
    if (bytes.len() as u64) < end.comment {
        facts.anomaly(start, Anomaly::OutOfBounds, "the comment ends past the end of the archive");
    }
    let binary = bytes.iter().any(|&byte| byte < 9 || byte == 0x7f) || std::str::from_utf8(&bytes).is_err();
    let records = bytes.windows(4).any(|window| matches!(window, b"PK\x03\x04" | b"PK\x01\x02" | b"PK\x05\x06"));
    if binary || records {
        facts.anomaly(start, Anomaly::HiddenContent, "the comment is not text");
    }
    if bytes.iter().any(|&byte| byte != 0) {
        let child = Child::stored("the comment", start, bytes.len() as u64);
        facts.push(Position::Offset(start), FactKind::Child(child));
    }
}

/// Says what the entries are by themselves and together; gives the names of the usual reader's members.
fn describe(directories: &[Directory], facts: &mut Facts) -> Vec<String> {
    let Some(first) = directories.first() else { return Vec::new() };
    facts.property("members", first.entries.len().to_string());
    first.entries.iter().map(Entry::shown).collect()
}

fn say_layout(layout: Layout, names: &[&str], facts: &mut Facts) {
    if let Some(id) = layout.id() {
        facts.property("layout", id);
    }
    if let Some(framework) = layout.framework() {
        facts.property("framework", framework);
    }
    if layout == Layout::TorchPackage {
        // The importer of a package runs the modules in it.
        for name in names.iter().filter(|name| name.ends_with(".py")) {
            let target = (*name).to_owned();
            facts.push(Position::Whole, FactKind::Reference { kind: ReferenceKind::RemoteCode, target });
        }
    }
    if layout.is_torch() {
        for name in layout::stray_programs(names) {
            let detail = format!("{name} is a program in a folder the loader does not look in");
            facts.push(Position::Whole, FactKind::Anomaly { anomaly: Anomaly::HiddenContent, detail });
        }
    }
}

fn cover(walk: &mut Walk<'_>, directories: &[Directory], used: &[End]) {
    for directory in directories {
        walk.cover(directory.start, directory.end);
        compare::together(&directory.entries, walk.source.len(), walk.facts);
    }
    for end in used {
        walk.cover(end.first, end.end.min(walk.source.len()));
    }
}
