//! Tar archives, as the lenient reader takes them: Python's tarfile.
//!
//! A header counts when its checksum fits, with or without a magic. GNU and PAX records that rename or resize the next
//! member are applied. What stands behind the end, where only some readers look, is reported.

mod header;
mod links;
mod pax;

use std::collections::BTreeSet;

use header::{BLOCK, Header, Kind, goes_backwards};
use links::Links;
use pax::Overrides;

use crate::child::{Child, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_exact_at, read_up_to};
use crate::zip::names::{self, Seen};

/// The longest name or set of PAX records that is read.
const MAX_RECORD: u64 = 1 << 20;
/// Bytes of all names together that are kept.
const MAX_NAMES: u64 = 64 << 20;
/// Bytes behind the end searched at once.
const CHUNK: usize = 64 * 1024;
/// Nothing that small can be a program.
const MIN_HIDDEN: u64 = 4;
/// Members of the tars torch wrote before it wrote zips; each starts with pickles.
const TORCH_PICKLES: [&str; 3] = ["pickle", "tensors", "storages"];

/// The format.
#[derive(Debug)]
pub struct Tar;

static META: Meta = Meta {
    id: "tar",
    title: "tar archive",
    extensions: &["tar", "nemo"],
    depth: Depth::Full,
    reads: "Every header with its GNU and PAX extensions, links, and the bytes behind the end.",
    specification: "https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html",
};

impl Format for Tar {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let block = probe.head.get(..BLOCK as usize)?.try_into().ok()?;
        let header = Header::parse(block)?;
        Some(if header.has_magic { Certainty::Certain } else { Certainty::Likely })
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut walk = Walk {
            source,
            context,
            facts,
            seen: Seen::default(),
            links: Links::default(),
            next: Overrides::default(),
            global: Overrides::default(),
        };
        let members = walk.members();
        walk.links.report(walk.facts);
        let torch = is_torch(&members);
        facts.property("members", members.len().to_string());
        if torch {
            facts.property("layout", "pytorch-tar");
            facts.property("framework", "PyTorch");
        }
        for member in members.into_iter().filter_map(|member| member.child) {
            let role = if torch && TORCH_PICKLES.contains(&plain(&member.name)) { Role::Pickle } else { member.role };
            facts.push(Position::Offset(member.offset), FactKind::Child(Child { role, ..member }));
        }
    }
}

/// A name without the dot that `tar c .` puts before it.
fn plain(name: &str) -> &str {
    name.strip_prefix("./").unwrap_or(name)
}

fn is_torch(members: &[Member]) -> bool {
    let names: BTreeSet<&str> = members.iter().map(|member| plain(&member.name)).collect();
    TORCH_PICKLES.iter().chain(&["sys_info"]).all(|name| names.contains(name))
}

struct Member {
    name: String,
    child: Option<Child>,
}

struct Walk<'a> {
    source: &'a dyn Source,
    context: &'a Context<'a>,
    facts: &'a mut Facts,
    seen: Seen,
    links: Links,
    /// What extension records say about the next member.
    next: Overrides,
    /// What they say about all that follow.
    global: Overrides,
}

impl Walk<'_> {
    fn members(&mut self) -> Vec<Member> {
        let (mut members, mut at, mut names) = (Vec::new(), 0u64, 0u64);
        while let Some(header) = self.header(at) {
            if let Err(limit) = self.context.budget.admit(1) {
                self.facts.incomplete(at, Gap::Limit, limit.to_string());
                return members;
            }
            let data = at.saturating_add(BLOCK);
            let size = self.size(&header);
            let member = self.member(&header, at, data, size);
            names = names.saturating_add(member.as_ref().map_or(0, |member| member.name.len() as u64));
            if names > MAX_NAMES {
                self.facts.incomplete(at, Gap::Limit, format!("names of more than {MAX_NAMES} bytes together"));
                return members;
            }
            members.extend(member);
            let stored = if header.kind.has_data() { size } else { 0 };
            if stored > self.source.len().saturating_sub(data) {
                let detail = format!("{} ends past the end of the archive", header.name);
                self.facts.anomaly(at, Anomaly::OutOfBounds, detail);
            }
            at = data.saturating_add(stored.div_ceil(BLOCK).saturating_mul(BLOCK));
        }
        self.end(at);
        members
    }

    fn header(&mut self, at: u64) -> Option<Header> {
        let mut block = [0; BLOCK as usize];
        read_exact_at(self.source, at, &mut block).ok()?;
        if goes_backwards(&block) {
            self.facts.anomaly(
                at,
                Anomaly::OutOfBounds,
                "a member has a size below zero, so that it ends before it starts",
            );
        }
        Header::parse(&block)
    }

    /// The size by the record nearest to the member. A global record must not resize what it cannot know.
    fn size(&self, header: &Header) -> u64 {
        if header.kind.is_extension() {
            header.size
        } else {
            self.next.size.or(self.global.size).unwrap_or(header.size)
        }
    }

    fn member(&mut self, header: &Header, at: u64, data: u64, size: u64) -> Option<Member> {
        if header.kind.is_extension() {
            self.extension(header.kind, data, size);
            return None;
        }
        let own = std::mem::take(&mut self.next);
        let name = own.name.or_else(|| self.global.name.clone()).unwrap_or_else(|| header.name.clone());
        let link = own.link.or_else(|| self.global.link.clone()).unwrap_or_else(|| header.link.clone());
        names::check(&name, at, self.facts);
        self.seen.add(name.trim_end_matches('/').as_bytes(), at, self.facts);
        self.links.member(&name, at);
        self.special(header.kind, &name, &link, at);
        if header.kind == Kind::Sparse || own.sparse {
            self.facts.incomplete(at, Gap::Unsupported, format!("{name} is sparse; it is read without its holes"));
        }
        if own.size.is_some_and(|size| size != header.size && header.size != 0) {
            let detail = format!("{name} has {size} bytes by its PAX record, {} by its header", header.size);
            self.facts.anomaly(at, Anomaly::HeaderDisagreement, detail);
        }
        let is_file = header.kind.has_data() && size > 0;
        let child = is_file.then(|| Child::stored(name.clone(), data, size));
        Some(Member { name, child })
    }

    fn special(&mut self, kind: Kind, name: &str, link: &str, at: u64) {
        let what = match kind {
            Kind::HardLink | Kind::SymbolicLink => return self.links.link(name, link, kind == Kind::HardLink, at),
            Kind::Device => "a device",
            Kind::Pipe => "a named pipe",
            _ => return,
        };
        self.facts.anomaly(at, Anomaly::Link, format!("{name} is {what}"));
    }

    fn extension(&mut self, kind: Kind, data: u64, size: u64) {
        if size > MAX_RECORD {
            let detail = format!("an extension record of {size} bytes is not read");
            return self.facts.incomplete(data, Gap::Limit, detail);
        }
        let bytes = read_up_to(self.source, data, usize::try_from(size).unwrap_or(0));
        match kind {
            Kind::LongName => self.next.name = Some(header::text(&bytes)),
            Kind::LongLink => self.next.link = Some(header::text(&bytes)),
            Kind::GlobalPax => pax::apply(&bytes, &mut self.global),
            _ => pax::apply(&bytes, &mut self.next),
        }
    }

    /// Two blocks of zeros end the archive; the rest of its last record is zeros too.
    fn end(&mut self, at: u64) {
        let Some((first, zeros)) = self.first_byte(at) else { return };
        let start = if zeros { first & !(BLOCK.saturating_sub(1)) } else { at };
        let length = self.source.len().saturating_sub(start);
        let detail = format!("{length} bytes after the end of the archive, which the usual reader does not show");
        self.facts.anomaly(start, Anomaly::TrailingBytes, detail);
        if length >= MIN_HIDDEN {
            let child = Child::stored("bytes after the end of the archive", start, length);
            self.facts.push(Position::Offset(start), FactKind::Child(child));
        }
    }

    /// Where the first byte that is not zero lies, and whether a whole block of zeros comes before it.
    fn first_byte(&mut self, from: u64) -> Option<(u64, bool)> {
        let mut at = from;
        while at < self.source.len() {
            if self.context.budget.operate(CHUNK as u64 / 64).is_err() {
                self.facts.incomplete(at, Gap::Limit, "the remaining bytes behind the end are not searched");
                return None;
            }
            let bytes = read_up_to(self.source, at, CHUNK);
            if let Some(index) = bytes.iter().position(|&byte| byte != 0) {
                let first = at.saturating_add(index as u64);
                return Some((first, first.saturating_sub(from) >= BLOCK));
            }
            if bytes.is_empty() {
                return None;
            }
            at = at.saturating_add(bytes.len() as u64);
        }
        None
    }
}

#[cfg(test)]
mod tests;
