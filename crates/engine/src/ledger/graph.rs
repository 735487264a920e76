//! The graph of a ledger: from its picture beside the index, and from the rows that came after that was taken.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use rayon::prelude::*;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use waag_evidence::Sha256Digest;

use super::index::{Index, code_of};
use super::store::{Fault, Stamp};
use super::{Ledger, LedgerError};
use crate::lineage::graph::{Edge, Graph, MAX_EDGES};
use crate::lineage::identifier::Identifier;
use crate::lineage::pages::{self, FilePages, Pages};
use crate::lineage::picture::{self, Layout, Picture};
use crate::lineage::walk::Bits;

/// Where the index says which picture it has.
const NOTE: &str = "graph";
/// Rows after the picture from which on another one is taken.
const STALE: usize = 4096;
/// One part in so many has to be new as well.
const GROWTH: usize = 16;

/// Which picture belongs to the index.
#[derive(Serialize, Deserialize)]
struct Note {
    layout: Layout,
    /// The last edge that is in it.
    last_row: u32,
    /// Of the digests of its pages.
    digest: String,
}

/// The graph of a ledger.
#[derive(Debug)]
pub struct LedgerGraph {
    /// Who is made from whom.
    pub graph: Graph,
    /// Statements that are not believed, by number.
    pub left_out: Bits,
}

impl Ledger {
    /// The graph of everything that the statements say.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn graph(&self) -> Result<LedgerGraph, LedgerError> {
        let left_out = self.index.faulty()?;
        let last_row = self.index.last_row()?;
        let graph = match self.picture() {
            Some((picture, note)) if !is_stale(note.last_row, last_row) => {
                let edges: Vec<Edge> =
                    self.index.edges_after(note.last_row)?.into_iter().map(|(_, edge)| edge).collect();
                let keys = self.index.keys_after(note.layout.nodes)?;
                Graph::of(picture).with(&edges, &keys)
            }
            _ => Graph::of(self.take_picture(is_stale(0, last_row))?),
        };
        Ok(LedgerGraph { graph, left_out })
    }

    /// The picture that the index says it has.
    fn picture(&self) -> Option<(Picture, Note)> {
        if self.without_picture {
            return None;
        }
        let note: Note = serde_json::from_str(&self.index.note(NOTE).ok()??).ok()?;
        let file = File::open(self.index.graph_file()?).ok()?;
        let pages = FilePages::open(file, note.layout.length(), &note.digest)?;
        Some((Picture::new(note.layout, Pages::File(pages)), note))
    }

    /// After a page of the picture was found to be another: the graph is taken from the rows of the index from here on.
    pub(crate) fn forget_picture(&mut self) {
        self.without_picture = true;
    }

    /// Takes another picture when there is much that the last one has not.
    pub(super) fn renew_picture(&self) -> Result<(), LedgerError> {
        let known = self.picture().map_or(0, |(_, note)| note.last_row);
        if self.index.graph_file().is_some() && is_stale(known, self.index.last_row()?) {
            self.take_picture(true)?;
        }
        Ok(())
    }

    /// Makes a picture of all rows, and keeps it where it is worth it.
    fn take_picture(&self, is_kept: bool) -> Result<Picture, LedgerError> {
        let mut edges = self.index.edges_after(0)?;
        let last_row = edges.last().map_or(0, |(row, _)| *row);
        let keys = self.index.keys_after(0)?;
        edges.retain(|(_, edge)| (edge.subject as usize) < keys.len() && (edge.object as usize) < keys.len());
        let edges: Vec<Edge> = edges.into_iter().map(|(_, edge)| edge).collect();
        let (layout, bytes) = picture::write(&edges, &keys);
        if let Some(path) = self.index.graph_file().filter(|_| is_kept) {
            let digests = pages::digests(&bytes);
            let note = Note { layout, last_row, digest: blake3::hash(&digests).to_hex().to_string() };
            // A disk that is full is no reason to give no answer.
            if replace(&path, &[&bytes, &digests]).is_ok() {
                self.note_picture(&note)?;
            }
        }
        Ok(Picture::new(layout, Pages::Memory(bytes)))
    }

    fn note_picture(&self, note: &Note) -> Result<(), LedgerError> {
        let note = serde_json::to_string(note).unwrap_or_default();
        let query = "INSERT OR REPLACE INTO note (key, value) VALUES (?1, ?2)";
        self.index.connection()?.execute(query, params![NOTE, note])?;
        Ok(())
    }

    /// The numbers of the nodes that are called so.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn nodes_of(&self, identifiers: &[Identifier]) -> Result<Vec<u32>, LedgerError> {
        let mut query = self.index.connection()?.prepare_cached("SELECT id FROM node WHERE key = ?1")?;
        let mut nodes = Vec::new();
        for identifier in identifiers {
            let rows = query.query_map([identifier.key()], |row| row.get::<_, i64>(0))?;
            for row in rows {
                nodes.extend(node_of(row?).filter(|node| !nodes.contains(node)));
            }
        }
        Ok(nodes)
    }

    /// The nodes that people call so, or the one whose SHA-256 begins so.
    ///
    /// # Errors
    /// When the index cannot be read, more than one SHA-256 begins so, or more are called so than are walked from.
    pub fn nodes_like(&self, text: &str) -> Result<Vec<u32>, LedgerError> {
        const MOST: i64 = 4096;
        let connection = self.index.connection()?;
        let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
        let is_start = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut nodes = Vec::new();
        if is_start {
            let mut query = connection.prepare("SELECT id FROM node WHERE key BETWEEN ?1 AND ?1 || 'g' LIMIT ?2")?;
            let rows = query.query_map(params![format!("dsha256:{digits}"), MOST], |row| row.get::<_, i64>(0))?;
            nodes = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            if nodes.len() > 1 {
                return Err(LedgerError::Ambiguous { text: text.to_owned(), count: nodes.len() });
            }
        }
        if nodes.is_empty() {
            nodes = self.called(text, MOST + 1)?;
            if nodes.len() > usize::try_from(MOST).unwrap_or(usize::MAX) {
                return Err(LedgerError::Ambiguous { text: text.to_owned(), count: nodes.len() });
            }
        }
        Ok(nodes.into_iter().filter_map(node_of).collect())
    }

    fn called(&self, label: &str, most: i64) -> Result<Vec<i64>, LedgerError> {
        let mut query =
            self.index.connection()?.prepare_cached("SELECT id FROM node WHERE label = ?1 ORDER BY key LIMIT ?2")?;
        let rows = query.query_map(params![label, most], |row| row.get::<_, i64>(0))?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    }

    /// What people call a node.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn label(&self, node: u32) -> Result<Option<String>, LedgerError> {
        let mut query = self.index.connection()?.prepare_cached("SELECT label FROM node WHERE id = ?1")?;
        Ok(query.query_row([i64::from(node) + 1], |row| row.get(0))?)
    }

    /// What else the index has on an edge: who claims it, where a statement repeats somebody.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn claim(&self, row: u32) -> Result<Option<String>, LedgerError> {
        if row == 0 {
            return Ok(None);
        }
        let mut query = self.index.connection()?.prepare_cached("SELECT claim FROM edge WHERE id = ?1")?;
        Ok(query.query_row([i64::from(row)], |row| row.get(0))?)
    }

    /// What the index knows of a statement, by number.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn statement(&self, number: u32) -> Result<Option<super::StatementRow>, LedgerError> {
        Ok(self.index.statement(i64::from(number))?)
    }

    /// Looks at the files of statements that an answer rests on. Those in `read` are read and digested; of the others, the
    /// file system says whether they have changed, and those that have are read. What is faulty is marked, and left out of
    /// the graph from here on. Returns whether there was anything.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn believe(&mut self, graph: &mut LedgerGraph, cited: &[u32], read: &Bits) -> Result<bool, LedgerError> {
        let known = cited.iter().map(|number| Ok(self.index.stamp(i64::from(*number))?.map(|known| (*number, known))));
        let known: Vec<_> = known.collect::<Result<Vec<_>, LedgerError>>()?.into_iter().flatten().collect();
        let store = &self.store;
        let looked: Vec<(u32, Sha256Digest, Result<Option<Stamp>, Fault>)> = known
            .into_par_iter()
            .filter_map(|(number, (digest, known))| {
                let is_new = store.stamp(&digest) != Some(known);
                let is_looked_into = is_new || read.has(number);
                is_looked_into.then(|| (number, digest, store.read(&digest).map(|(_, stamp)| is_new.then_some(stamp))))
            })
            .collect();
        let (mut moved, mut any) = (Vec::new(), false);
        for (number, digest, found) in looked {
            match found {
                Ok(stamp) => moved.extend(stamp.map(|stamp| (digest, stamp))),
                Err(fault) => {
                    any = true;
                    graph.left_out.insert(number);
                    self.index.mark(&digest, Some(fault))?;
                }
            }
        }
        // After a checkout, say, all files are others to the file system; without this, each question would read them.
        if !moved.is_empty() {
            self.index.restamp(&moved)?;
        }
        Ok(any)
    }

    /// Statements that are not believed: their digests, and why.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn faults(&self) -> Result<Vec<(Sha256Digest, Fault)>, LedgerError> {
        Ok(self.index.faults()?)
    }

    /// Folders of statements that could not be listed, below the ledger: what is new in them is in no answer.
    #[must_use]
    pub fn unlisted(&self) -> Vec<String> {
        self.index.unlisted().iter().map(|shard| super::store::shard_name(shard)).collect()
    }

    /// Statements that name more than the graph takes up, or of which nothing could be read.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn gaps(&self) -> Result<(u64, u64), LedgerError> {
        Ok(self.index.gaps()?)
    }
}

/// Whether so much came after a picture that reading it from the index takes longer than another picture.
const fn is_stale(pictured: u32, last: u32) -> bool {
    let grown = last.saturating_sub(pictured) as usize;
    grown > STALE && grown > pictured as usize / GROWTH
}

fn node_of(row: i64) -> Option<u32> {
    u32::try_from(row.checked_sub(1)?).ok()
}

/// Puts a file in its place as a whole. It can be made again, so nobody waits for the disk.
fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        fs::remove_file(path)?;
    }
    let mut file = tempfile::Builder::new().prefix(".graph-").tempfile_in(folder)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

impl Index {
    /// The number of the edge that came last.
    fn last_row(&self) -> rusqlite::Result<u32> {
        let mut query = self.connection()?.prepare_cached("SELECT coalesce(max(id), 0) FROM edge")?;
        query.query_row([], |row| row.get(0))
    }

    fn edges_after(&self, row: u32) -> rusqlite::Result<Vec<(u32, Edge)>> {
        let mut query = self.connection()?.prepare_cached(
            "SELECT id, subject, object, relation, statement, claim IS NOT NULL FROM edge WHERE id > ?1 ORDER BY id \
             LIMIT ?2",
        )?;
        let rows = query.query_map(params![row, i64::try_from(MAX_EDGES).unwrap_or(i64::MAX)], |row| {
            let number: u32 = row.get(0)?;
            let has_more: bool = row.get(5)?;
            let edge = Edge {
                row: if has_more { number } else { 0 },
                subject: row.get::<_, u32>(1)?.wrapping_sub(1),
                object: row.get::<_, u32>(2)?.wrapping_sub(1),
                relation: row.get(3)?,
                statement: row.get(4)?,
            };
            Ok((number, edge))
        })?;
        rows.collect()
    }

    /// Nodes are never taken away, so their numbers have no gaps.
    fn keys_after(&self, node: u32) -> rusqlite::Result<Vec<String>> {
        let mut query = self.connection()?.prepare_cached("SELECT key FROM node WHERE id > ?1 ORDER BY id")?;
        let rows = query.query_map([node], |row| row.get(0))?;
        rows.collect()
    }

    fn faulty(&self) -> rusqlite::Result<Bits> {
        let mut query =
            self.connection()?.prepare_cached("SELECT id FROM statement INDEXED BY faulty WHERE fault <> 0")?;
        let mut bits = Bits::default();
        for row in query.query_map([], |row| row.get::<_, u32>(0))? {
            bits.insert(row?);
        }
        Ok(bits)
    }

    fn faults(&self) -> rusqlite::Result<Vec<(Sha256Digest, Fault)>> {
        let mut query = self
            .connection()?
            .prepare_cached("SELECT digest, fault FROM statement INDEXED BY faulty WHERE fault <> 0 ORDER BY digest")?;
        let rows = query.query_map([], |row| {
            let fault = super::index::fault_of(row.get(1)?).unwrap_or(Fault::Corrupt);
            Ok((Sha256Digest::new(row.get(0)?), fault))
        })?;
        rows.collect()
    }
}

const _: () = assert!(code_of(Fault::Missing) == 2, "the index marks what is missing with 2");
