//! The graph of a ledger: from its picture beside the index, and from the rows that came after that was taken.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
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
use crate::lineage::picture::{self, StatementStamp};
use crate::lineage::walk::Bits;

/// Where the index says which picture it has.
const NOTE: &str = "graph";
/// Rows after the picture from which on another one is taken.
const STALE: usize = 4096;
/// Files that stand otherwise than in the picture from which on another one is taken.
const MOVED: usize = 64;
/// Bytes of a picture that is read.
const MAX_BYTES: u64 = 8 << 30;

/// Which picture belongs to the index.
#[derive(Serialize, Deserialize)]
struct Note {
    digest: String,
}

/// The graph of a ledger, and how the files of its statements stood.
#[derive(Debug)]
pub struct LedgerGraph {
    /// Who is made from whom.
    pub graph: Graph,
    /// Statements that are not believed, by number.
    pub left_out: Bits,
    stamps: Vec<StatementStamp>,
}

impl Ledger {
    /// The graph of everything that the statements say.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn graph(&self) -> Result<LedgerGraph, LedgerError> {
        let (graph, mut stamps) = self.picture().unwrap_or_default();
        let graph = if graph.key_starts_are_there() { graph } else { Graph::new(&[], &[]) };
        let (first_row, first_node) = (graph.edges(), graph.nodes());
        let (edges, keys) = (self.index.edges_after(first_row)?, self.index.keys_after(first_node)?);
        stamps.extend(self.index.stamps_after(stamps.len())?);
        let grown = edges.len();
        let graph = if grown == 0 && keys.is_empty() { graph } else { graph.with(&edges, &keys) };
        if grown > STALE && grown > first_row / 16 {
            self.take_picture(&graph, &stamps)?;
        }
        Ok(LedgerGraph { graph, left_out: self.index.faulty()?, stamps })
    }

    /// The picture that the index says it has.
    fn picture(&self) -> Option<(Graph, Vec<StatementStamp>)> {
        let note: Note = serde_json::from_str(&self.index.note(NOTE).ok()??).ok()?;
        let file = File::open(self.index.graph_file()?).ok()?;
        let length = file.metadata().ok()?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(length).ok().filter(|_| length <= MAX_BYTES)?);
        io::copy(&mut file.take(length), &mut bytes).ok()?;
        let digest = blake3::Hasher::new().update_rayon(&bytes).finalize();
        if digest.to_hex().as_str() == note.digest { picture::read(&bytes) } else { None }
    }

    fn take_picture(&self, graph: &Graph, stamps: &[StatementStamp]) -> Result<(), LedgerError> {
        let Some(path) = self.index.graph_file() else { return Ok(()) };
        let bytes = picture::write(graph, stamps);
        let digest = blake3::Hasher::new().update_rayon(&bytes).finalize().to_hex().to_string();
        let note = serde_json::to_string(&Note { digest }).unwrap_or_default();
        // A disk that is full is no reason to give no answer.
        if replace(&path, &bytes).is_ok() {
            self.index
                .connection()?
                .execute("INSERT OR REPLACE INTO note (key, value) VALUES (?1, ?2)", params![NOTE, note])?;
        }
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

    /// The nodes that people call so, or whose SHA-256 begins so.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn nodes_like(&self, text: &str) -> Result<Vec<u32>, LedgerError> {
        const MOST: i64 = 64;
        let connection = self.index.connection()?;
        let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
        let is_start = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut nodes = Vec::new();
        if is_start {
            let mut query = connection.prepare("SELECT id FROM node WHERE key BETWEEN ?1 AND ?1 || 'g' LIMIT ?2")?;
            let rows = query.query_map(params![format!("dsha256:{digits}"), MOST], |row| row.get::<_, i64>(0))?;
            nodes = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        }
        if nodes.is_empty() {
            let mut query = connection.prepare("SELECT id FROM node WHERE label = ?1 ORDER BY key LIMIT ?2")?;
            let rows = query.query_map(params![text, MOST], |row| row.get::<_, i64>(0))?;
            nodes = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        }
        Ok(nodes.into_iter().filter_map(node_of).collect())
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
        let (store, stamps) = (&self.store, &graph.stamps);
        let looked: Vec<(u32, Sha256Digest, Result<Option<Stamp>, Fault>)> = cited
            .par_iter()
            .filter_map(|number| {
                let (digest, numbers) = stamps.get((*number as usize).checked_sub(1)?)?;
                let digest = Sha256Digest::new(*digest);
                let known = Stamp { size: numbers[0], modified: numbers[1], changed: numbers[2], inode: numbers[3] };
                let found = store.stamp(&digest);
                if found == Some(known) && !read.has(*number) {
                    return None;
                }
                let is_new = found != Some(known);
                Some((*number, digest, store.read(&digest).map(|(_, stamp)| is_new.then_some(stamp))))
            })
            .collect();
        let (mut moved, mut any) = (Vec::new(), false);
        for (number, digest, found) in looked {
            match found {
                Ok(Some(stamp)) => {
                    if let Some((_, known)) = graph.stamps.get_mut(number as usize - 1) {
                        *known = [stamp.size, stamp.modified, stamp.changed, stamp.inode];
                    }
                    moved.push((digest, stamp));
                }
                Ok(None) => {}
                Err(fault) => {
                    any = true;
                    graph.left_out.insert(number);
                    self.index.mark(&digest, Some(fault))?;
                }
            }
        }
        if !moved.is_empty() {
            self.index.restamp(&moved)?;
        }
        // After a checkout, say, all files are others to the file system; without this, each question would read them.
        if moved.len() > MOVED {
            self.take_picture(&graph.graph, &graph.stamps)?;
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

    /// Statements that name more than the graph takes up, or of which nothing could be read.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn gaps(&self) -> Result<(u64, u64), LedgerError> {
        Ok((self.index.cut()?.len() as u64, self.index.unread()?.len() as u64))
    }
}

fn node_of(row: i64) -> Option<u32> {
    u32::try_from(row.checked_sub(1)?).ok()
}

/// Puts a file in its place as a whole. It can be made again, so nobody waits for the disk.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        fs::remove_file(path)?;
    }
    let mut file = tempfile::Builder::new().prefix(".graph-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

impl Index {
    fn edges_after(&self, row: usize) -> rusqlite::Result<Vec<Edge>> {
        let mut query = self.connection()?.prepare_cached(
            "SELECT id, subject, object, relation, statement FROM edge WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let rows = query.query_map(params![as_row(row), as_row(MAX_EDGES.saturating_sub(row))], |row| {
            Ok(Edge {
                row: row.get(0)?,
                subject: row.get::<_, u32>(1)?.wrapping_sub(1),
                object: row.get::<_, u32>(2)?.wrapping_sub(1),
                relation: row.get(3)?,
                statement: row.get(4)?,
            })
        })?;
        rows.collect()
    }

    /// Nodes are never taken away, so their numbers have no gaps.
    fn keys_after(&self, node: usize) -> rusqlite::Result<Vec<String>> {
        let mut query = self.connection()?.prepare_cached("SELECT key FROM node WHERE id > ?1 ORDER BY id")?;
        let rows = query.query_map([as_row(node)], |row| row.get(0))?;
        rows.collect()
    }

    fn stamps_after(&self, statement: usize) -> rusqlite::Result<Vec<StatementStamp>> {
        let mut query = self
            .connection()?
            .prepare_cached("SELECT digest, size, modified, changed, inode FROM statement WHERE id > ?1 ORDER BY id")?;
        let rows = query.query_map([as_row(statement)], |row| {
            Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]))
        })?;
        rows.collect()
    }

    fn faulty(&self) -> rusqlite::Result<Bits> {
        let mut query = self.connection()?.prepare_cached("SELECT id FROM statement WHERE fault <> 0")?;
        let mut bits = Bits::default();
        for row in query.query_map([], |row| row.get::<_, u32>(0))? {
            bits.insert(row?);
        }
        Ok(bits)
    }

    fn faults(&self) -> rusqlite::Result<Vec<(Sha256Digest, Fault)>> {
        let mut query = self
            .connection()?
            .prepare_cached("SELECT digest, fault FROM statement WHERE fault <> 0 ORDER BY digest")?;
        let rows = query.query_map([], |row| {
            let fault = super::index::fault_of(row.get(1)?).unwrap_or(Fault::Corrupt);
            Ok((Sha256Digest::new(row.get(0)?), fault))
        })?;
        rows.collect()
    }
}

fn as_row(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const _: () = assert!(code_of(Fault::Missing) == 2, "the index marks what is missing with 2");
