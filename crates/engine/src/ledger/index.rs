//! The index of a ledger: what its statements say, in a form that can be asked. It is made from the statements alone, can
//! be made again at any time, and is never believed over them.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use waag_evidence::Sha256Digest;

use super::binding::{Binding, Found};
use super::entry::Form;
use super::prepared::{Prepared, Read};
use super::store::{Fault, Stamp, Store, nanoseconds};
use crate::lineage::extract::Extracted;

/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Seconds for which a folder has to have been left alone: what changes within a tick of the clock changes unseen.
const SETTLED: i64 = 2;
/// Statements that are read before what they say is written.
const BATCH: usize = 4096;
/// Bytes of them.
const BATCH_BYTES: i64 = 64 << 20;
/// Nodes that are remembered while many statements are taken up.
const REMEMBERED: usize = 1 << 21;
/// Letters of what is only shown.
const MAX_WORDS: usize = 4096;
/// Bytes of one value of the index.
const MAX_VALUE: i32 = 4 << 20;

/// An open index.
#[derive(Debug)]
pub(super) struct Index {
    connection: Option<Connection>,
    binding: Option<Binding>,
    nodes: HashMap<String, (i64, Option<String>)>,
    /// Folders of statements that could not be listed.
    unlisted: Vec<String>,
}

/// How the index came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was there, and is this user's own.
    Kept,
    /// It was made now.
    Made,
    /// One was there that could not be believed; it was made again.
    Replaced,
    /// There is no place to keep it, so it is in memory.
    Memory,
}

impl Index {
    /// Opens the index beside a store, or makes one. Without a cache folder of the user's, or where nothing can be
    /// written, it is made in memory.
    pub(super) fn open(store: &Store, cache: Option<&Path>) -> rusqlite::Result<(Self, Origin)> {
        let bound = cache.and_then(|cache| Binding::take(store.folder(), cache).ok());
        let Some((binding, found)) = bound else { return Ok((Self::in_memory()?, Origin::Memory)) };
        let opened = prepare(Connection::open(binding.index()));
        let opened = opened.or_else(|_| {
            // Whatever is wrong with it, the statements have it all.
            let _ = binding.remove();
            prepare(Connection::open(binding.index()))
        });
        let origin = match found {
            Found::Own => Origin::Kept,
            Found::Nothing => Origin::Made,
            Found::Foreign => Origin::Replaced,
        };
        match opened {
            Ok(connection) => Ok((
                Self {
                    connection: Some(connection),
                    binding: Some(binding),
                    nodes: HashMap::new(),
                    unlisted: Vec::new(),
                },
                origin,
            )),
            Err(_) => Ok((Self::in_memory()?, Origin::Memory)),
        }
    }

    pub(super) fn in_memory() -> rusqlite::Result<Self> {
        let connection = prepare(Connection::open_in_memory())?;
        Ok(Self { connection: Some(connection), binding: None, nodes: HashMap::new(), unlisted: Vec::new() })
    }

    /// Where the graph's picture is kept, beside an index on the disk.
    pub(super) fn graph_file(&self) -> Option<std::path::PathBuf> {
        self.binding.as_ref().map(Binding::graph)
    }

    pub(super) fn unlisted(&self) -> &[String] {
        &self.unlisted
    }

    pub(super) fn connection(&self) -> rusqlite::Result<&Connection> {
        self.connection.as_ref().ok_or(rusqlite::Error::InvalidQuery)
    }

    /// Brings the index to what the store has: new statements are taken up, and those that are gone are marked.
    pub(super) fn reconcile(&mut self, store: &Store) -> rusqlite::Result<()> {
        let mut known: HashMap<String, i64> = HashMap::new();
        {
            let mut query = self.connection()?.prepare_cached("SELECT name, changed FROM shard")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            known.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
        }
        let shards = store.shards();
        let changed: Vec<_> =
            shards.iter().filter(|(name, changed)| known.get(name).copied().unwrap_or_default() != *changed).collect();
        let mut wanted = Vec::new();
        let mut gone = Vec::new();
        self.unlisted.clear();
        let mut listed = Vec::new();
        for shard in changed {
            match store.list(&shard.0) {
                Ok((digests, _)) => {
                    self.compare(store, &shard.0, digests, &mut wanted, &mut gone)?;
                    listed.push(shard);
                }
                // It is asked again next time: what is in it is not known to be gone.
                Err(_) => self.unlisted.push(shard.0.clone()),
            }
        }
        self.take_up(store, &wanted)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| nanoseconds(since.as_secs().cast_signed(), 0));
        if listed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.write(|transaction, _| {
            for digest in &gone {
                mark(transaction, digest, Fault::Missing)?;
            }
            for (name, changed) in listed {
                let is_settled = now - changed > nanoseconds(SETTLED, 0);
                let noted = if is_settled { *changed } else { -1 };
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO shard (name, changed) VALUES (?1, ?2)")?
                    .execute(params![name, noted])?;
            }
            Ok(())
        })
    }

    /// What of a folder is new, or was faulty when it was looked at last, and what is gone.
    fn compare(
        &self,
        store: &Store,
        shard: &str,
        mut listed: BTreeSet<Sha256Digest>,
        wanted: &mut Vec<Sha256Digest>,
        gone: &mut Vec<Sha256Digest>,
    ) -> rusqlite::Result<()> {
        let first = u8::from_str_radix(shard, 16).unwrap_or_default();
        let (mut low, mut high) = ([0; 32], [u8::MAX; 32]);
        (low[0], high[0]) = (first, first);
        let mut query = self
            .connection()?
            .prepare_cached("SELECT digest, fault, id FROM statement WHERE digest BETWEEN ?1 AND ?2")?;
        let rows = query.query_map(params![low, high], |row| {
            Ok((Sha256Digest::new(row.get(0)?), row.get::<_, u8>(1)?, row.get::<_, i64>(2)?))
        })?;
        for row in rows {
            let (digest, fault, id) = row?;
            match (listed.remove(&digest), fault) {
                // One that took the place of another changes the folder, too.
                (true, 0) if self.stamp(id)?.map(|(_, stamp)| stamp) == store.stamp(&digest) => {}
                (true, _) => wanted.push(digest),
                (false, 2) => {}
                (false, _) => gone.push(digest),
            }
        }
        wanted.extend(listed);
        Ok(())
    }

    /// Reads entries and takes up what they say, so many at a time that memory stays small.
    pub(super) fn take_up(&mut self, store: &Store, digests: &[Sha256Digest]) -> rusqlite::Result<()> {
        let mut rest = digests;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fitting = rest.iter().take(BATCH).take_while(|digest| {
                let fits = bytes == 0 || bytes < BATCH_BYTES;
                bytes += store.stamp(digest).map_or(0, |stamp| stamp.size);
                fits
            });
            let (batch, after) = rest.split_at(fitting.count().max(1));
            let prepared: Vec<_> = batch.par_iter().map(|digest| Prepared::new(store, *digest)).collect();
            self.insert(&prepared)?;
            rest = after;
        }
        Ok(())
    }

    fn insert(&mut self, prepared: &[Prepared]) -> rusqlite::Result<()> {
        self.write(|transaction, nodes| prepared.iter().try_for_each(|entry| insert_one(transaction, nodes, entry)))
    }

    /// One transaction. What is remembered of it is forgotten when it fails.
    fn write(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut HashMap<String, (i64, Option<String>)>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        // Others may have written since.
        if self.nodes.len() > REMEMBERED || self.binding.is_some() {
            self.nodes.clear();
        }
        let connection = self.connection.as_mut().ok_or(rusqlite::Error::InvalidQuery)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction, &mut self.nodes).and_then(|()| transaction.commit());
        if done.is_err() {
            self.nodes.clear();
        }
        done
    }

    /// Marks an entry as what it was found to be.
    pub(super) fn mark(&mut self, digest: &Sha256Digest, fault: Option<Fault>) -> rusqlite::Result<()> {
        self.write(|transaction, _| match fault {
            Some(fault) => mark(transaction, digest, fault),
            None => {
                transaction.execute("UPDATE statement SET fault = 0 WHERE digest = ?1", [digest.bytes()]).map(|_| ())
            }
        })
    }

    /// Notes how an entry stands that was read and found good.
    pub(super) fn restamp(&mut self, stamps: &[(Sha256Digest, Stamp)]) -> rusqlite::Result<()> {
        self.write(|transaction, _| {
            let mut update = transaction.prepare_cached(
                "UPDATE statement SET size = ?2, modified = ?3, changed = ?4, inode = ?5 WHERE digest = ?1",
            )?;
            for (digest, stamp) in stamps {
                update.execute(params![digest.bytes(), stamp.size, stamp.modified, stamp.changed, stamp.inode])?;
            }
            Ok(())
        })
    }

    /// Writes in one transaction, for those beside this module.
    pub(super) fn change(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        self.write(|transaction, _| work(transaction))
    }

    pub(super) fn note(&self, key: &str) -> rusqlite::Result<Option<String>> {
        let mut query = self.connection()?.prepare_cached("SELECT value FROM note WHERE key = ?1")?;
        query.query_row([key], |row| row.get(0)).optional()
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.connection = None;
        if let Some(binding) = &self.binding {
            binding.close();
        }
    }
}

/// Settles how SQLite behaves: nothing in the file can act, and what is written survives a crash.
fn prepare(connection: rusqlite::Result<Connection>) -> rusqlite::Result<Connection> {
    let connection = connection?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    let tables = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
    };
    if tables(&connection)? == 0 {
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        if tables(&transaction)? == 0 {
            transaction.execute_batch(include_str!("schema.sql"))?;
        }
        transaction.commit()?;
    }
    Ok(connection)
}

/// Entries whose bytes cannot be had or believed stay listed, with what is wrong.
fn mark(transaction: &Transaction<'_>, digest: &Sha256Digest, fault: Fault) -> rusqlite::Result<()> {
    let mut update = transaction.prepare_cached("UPDATE statement SET fault = ?2 WHERE digest = ?1")?;
    update.execute(params![digest.bytes(), code_of(fault)]).map(|_| ())
}

pub(super) const fn code_of(fault: Fault) -> u8 {
    match fault {
        Fault::Corrupt => 1,
        Fault::Missing => 2,
        Fault::Unreadable | Fault::Stray => 3,
    }
}

pub(super) const fn fault_of(code: u8) -> Option<Fault> {
    match code {
        0 => None,
        1 => Some(Fault::Corrupt),
        2 => Some(Fault::Missing),
        _ => Some(Fault::Unreadable),
    }
}

type Nodes = HashMap<String, (i64, Option<String>)>;

fn insert_one(transaction: &Transaction<'_>, nodes: &mut Nodes, entry: &Prepared) -> rusqlite::Result<()> {
    let known: Option<(i64, bool)> = transaction
        .prepare_cached("SELECT id, form IS NOT NULL OR problem IS NOT NULL FROM statement WHERE digest = ?1")?
        .query_row([entry.digest.bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match (&entry.read, known) {
        (Err(fault), Some(_)) => mark(transaction, &entry.digest, *fault),
        (Err(fault), None) => transaction
            .prepare_cached("INSERT INTO statement (digest, fault) VALUES (?1, ?2)")?
            .execute(params![entry.digest.bytes(), code_of(*fault)])
            .map(|_| ()),
        // What it says cannot have changed: its digest is its name.
        (Ok(read), Some((id, true))) => restore(transaction, id, read),
        (Ok(read), known) => {
            let id = head(transaction, entry, read, known.map(|(id, _)| id))?;
            match &read.extracted {
                Ok(extracted) => edges(transaction, nodes, id, extracted),
                Err(_) => Ok(()),
            }
        }
    }
}

fn restore(transaction: &Transaction<'_>, id: i64, read: &Read) -> rusqlite::Result<()> {
    let Stamp { size, modified, changed, inode } = read.stamp;
    transaction
        .prepare_cached(
            "UPDATE statement SET fault = 0, size = ?2, modified = ?3, changed = ?4, inode = ?5 WHERE id = ?1",
        )?
        .execute(params![id, size, modified, changed, inode])
        .map(|_| ())
}

/// Words of a statement's author, and errors that quote them: one that is longer than a value can be would end every attempt
/// to take up what the ledger has.
fn shortened(text: &str) -> String {
    text.chars().take(MAX_WORDS).collect()
}

/// The row of a statement that is read for the first time.
fn head(transaction: &Transaction<'_>, entry: &Prepared, read: &Read, known: Option<i64>) -> rusqlite::Result<i64> {
    let extracted = read.extracted.as_ref().ok();
    let problem = read.extracted.as_ref().err().map(|why| shortened(&why.to_string()));
    let form = read.form.map(|form| matches!(form, Form::Bundle));
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO statement (id, digest, fault, problem, form, signatures, claimed_signer, predicate_type, \
             step, builder, said_at, left_out, size, modified, changed, inode) \
             VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            known,
            entry.digest.bytes(),
            problem,
            form,
            i64::try_from(read.signatures).unwrap_or(i64::MAX),
            read.claimed_signer.as_deref().map(shortened),
            extracted.map(|extracted| extracted.predicate_type.as_str()),
            extracted.and_then(|extracted| extracted.step.as_deref()).map(shortened),
            extracted.and_then(|extracted| extracted.builder.as_deref()).map(shortened),
            extracted.and_then(|extracted| extracted.said_at.map(|at| at.to_string())),
            extracted.map_or(0, |extracted| i64::try_from(extracted.left_out).unwrap_or(i64::MAX)),
            read.stamp.size,
            read.stamp.modified,
            read.stamp.changed,
            read.stamp.inode,
        ])?;
    Ok(known.unwrap_or_else(|| transaction.last_insert_rowid()))
}

fn edges(
    transaction: &Transaction<'_>,
    nodes: &mut Nodes,
    statement: i64,
    extracted: &Extracted,
) -> rusqlite::Result<()> {
    let ids = extracted
        .nodes
        .iter()
        .map(|(identifier, label)| node(transaction, nodes, identifier.key(), label.as_deref()))
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let id = |place: usize| ids.get(place).copied().ok_or(rusqlite::Error::InvalidQuery);
    let mut subject = transaction.prepare_cached("INSERT OR IGNORE INTO subject (node, statement) VALUES (?1, ?2)")?;
    for place in &extracted.subjects {
        subject.execute(params![id(*place)?, statement])?;
    }
    let mut insert = transaction
        .prepare_cached("INSERT INTO edge (subject, object, relation, statement, claim) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for edge in &extracted.edges {
        let claim = edge.claim.as_ref().and_then(|claim| serde_json::to_string(claim).ok());
        insert.execute(params![id(edge.subject)?, id(edge.object)?, edge.relation.code(), statement, claim])?;
    }
    Ok(())
}

/// The node of a key. Of several labels, the first in order of text is kept, whatever the order in which they came.
fn node(transaction: &Transaction<'_>, nodes: &mut Nodes, key: String, label: Option<&str>) -> rusqlite::Result<i64> {
    if let Some((id, known)) = nodes.get(&key)
        && (label.is_none() || known.as_deref().is_some_and(|known| Some(known) <= label))
    {
        return Ok(*id);
    }
    let (id, label) = transaction
        .prepare_cached(
            "INSERT INTO node (key, label) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET \
             label = min(coalesce(label, excluded.label), coalesce(excluded.label, label)) RETURNING id, label",
        )?
        .query_row(params![key, label], |row| Ok((row.get(0)?, row.get(1)?)))?;
    nodes.insert(key, (id, label));
    Ok(id)
}
