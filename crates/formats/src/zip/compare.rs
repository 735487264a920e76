//! Whether the two headers of a member say the same. Readers choose one of them, and not all the same one.

use super::directory::Entry;
use super::local::Local;
use super::names::{self, Seen};
use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::source::Source;

/// Flags by which data are encrypted or headers hidden: one reader refuses what another loads.
const ENCRYPTION_FLAGS: u16 = 1 | 1 << 5 | 1 << 6 | 1 << 13;
/// No compression within one deflate stream makes more of a byte.
const MAX_DEFLATE_RATIO: u64 = 1032;
/// Below this a wrong size harms nobody.
const SMALL: u64 = 64 << 20;

/// Compares a member's entry in the directory with its own header.
pub(super) fn headers(entry: &Entry, local: &Local, facts: &mut Facts) {
    let name = entry.shown();
    if !local.signed {
        let detail = format!("{name} has no record where the directory says");
        facts.anomaly(entry.header, Anomaly::Malformed, detail);
    }
    for (what, central, own) in differences(entry, local) {
        let detail = format!("{name}: the directory says {what} {central}, the member's own header {own}");
        facts.anomaly(entry.header, Anomaly::HeaderDisagreement, detail);
    }
}

fn differences(entry: &Entry, local: &Local) -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    let mut compare = |what, central: String, own: String| {
        if central != own {
            found.push((what, central, own));
        }
    };
    if entry.name != local.name {
        found_name(&mut compare, entry, local);
    }
    compare("method", entry.method.to_string(), local.method.to_string());
    let flags = |flags: u16| format!("{:#06x}", flags & ENCRYPTION_FLAGS);
    compare("flags", flags(entry.flags), flags(local.flags));
    let follow = local.has_descriptor();
    if !local.leaves_open(local.compressed) {
        compare("stored size", entry.compressed.to_string(), local.compressed.to_string());
    }
    if !local.leaves_open(local.size) {
        compare("size", entry.size.to_string(), local.size.to_string());
    }
    if !(follow && local.crc == 0) {
        compare("checksum", format!("{:08x}", entry.crc), format!("{:08x}", local.crc));
    }
    found
}

/// Names that differ in bytes but not when shown still differ.
fn found_name(compare: &mut impl FnMut(&'static str, String, String), entry: &Entry, local: &Local) {
    let (central, own) = (entry.shown(), local.shown());
    if central == own {
        compare("name", format!("{:02x?}", entry.name), format!("{:02x?}", local.name));
    } else {
        compare("name", central, own);
    }
}

/// What is wrong with an entry by itself.
pub(super) fn entry(source: &dyn Source, entry: &Entry, data: u64, facts: &mut Facts) {
    let name = entry.shown();
    names::check(&name, entry.at, facts);
    if entry.short {
        facts.anomaly(entry.at, Anomaly::Malformed, format!("{name} lacks the 64-bit sizes it announces"));
    }
    if entry.extra.zip64_fields > 1 {
        let detail = format!("{name} has {} fields of 64-bit sizes", entry.extra.zip64_fields);
        facts.anomaly(entry.at, Anomaly::HeaderDisagreement, detail);
    }
    renamed(entry, &name, facts);
    link(source, entry, &name, data, facts);
    sizes(entry, &name, facts);
}

/// A second name is for what the first cannot spell; a first name in plain ASCII needs none.
fn renamed(entry: &Entry, name: &str, facts: &mut Facts) {
    let Some(other) = entry.extra.unicode.as_ref().filter(|other| **other != entry.name) else { return };
    let shown = String::from_utf8_lossy(other);
    names::check(&shown, entry.at, facts);
    if entry.name.is_ascii() {
        let detail = format!("{name} is also named {shown}, for readers that look for a second name");
        facts.anomaly(entry.at, Anomaly::HeaderDisagreement, detail);
    }
}

fn link(source: &dyn Source, entry: &Entry, name: &str, data: u64, facts: &mut Facts) {
    // What was piped into an archiver keeps the pipe's mode; every reader makes a file of it.
    let mode = entry.attributes >> 16;
    let Some(kind) = names::special(mode).filter(|_| !names::is_pipe(mode)) else { return };
    let length = usize::try_from(entry.compressed.min(4096)).unwrap_or(0);
    let target = if entry.method == 0 { crate::source::read_up_to(source, data, length) } else { Vec::new() };
    let target = String::from_utf8_lossy(&target);
    facts.anomaly(entry.at, Anomaly::Link, format!("{name} is {kind} {target}"));
    if names::link_leaves(name, &target) {
        facts.anomaly(entry.at, Anomaly::PathTraversal, format!("{name} links to {target}, outside the archive"));
    }
}

fn sizes(entry: &Entry, name: &str, facts: &mut Facts) {
    let (size, stored) = (entry.size, entry.compressed);
    if entry.method == 0 && size != stored && entry.flags & 1 == 0 {
        let detail = format!("{name} is stored as it is, in {stored} bytes, but its size is given as {size}");
        facts.anomaly(entry.at, Anomaly::SizeMismatch, detail);
    }
    if entry.method == 8 && size > SMALL && size > stored.saturating_mul(MAX_DEFLATE_RATIO) {
        let detail = format!("{name} declares {size} bytes, more than its {stored} stored bytes can become");
        facts.anomaly(entry.at, Anomaly::ExpansionBomb, detail);
    }
}

/// What all entries of a directory are together.
pub(super) fn together(entries: &[Entry], length: u64, facts: &mut Facts) {
    let mut seen = Seen::default();
    for entry in entries {
        seen.add(&entry.name, entry.at, facts);
    }
    let total = entries.iter().fold(0u64, |total, entry| total.saturating_add(entry.size));
    if total > SMALL && total > length.saturating_mul(MAX_DEFLATE_RATIO) {
        let detail = format!("{total} bytes are said to come out of an archive of {length}");
        facts.anomaly(0, Anomaly::ExpansionBomb, detail);
    }
}
