//! What is asked of the index, beside the graph.

use rusqlite::{OptionalExtension as _, Row, params};
use waag_evidence::Sha256Digest;

use super::assurance::{Assurance, Judge};
use super::entry::Form;
use super::index::{Index, fault_of};
use super::store::{Fault, Stamp};
use super::{Ledger, LedgerError};
use crate::lineage::identifier::Identifier;

/// What the index knows of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// Its number in the index.
    pub(crate) id: i64,
    /// Its name.
    pub digest: Sha256Digest,
    /// What is wrong with it.
    pub fault: Option<Fault>,
    /// Why nothing could be read from it.
    pub problem: Option<String>,
    /// How it is kept.
    pub form: Option<Form>,
    /// How many signatures are over it.
    pub signatures: u64,
    /// Who is said to have signed.
    pub claimed_signer: Option<String>,
    /// What kind of statement it is.
    pub predicate_type: Option<String>,
    /// The kind of build, or what was reported.
    pub step: Option<String>,
    /// Who ran it, in its own words.
    pub builder: Option<String>,
    /// When it says that it happened.
    pub said_at: Option<String>,
    /// How much of it the graph does not take up.
    pub left_out: u64,
    pub(super) stamp: Stamp,
}

/// A statement with what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What the index knows of it.
    pub row: StatementRow,
    /// What it is about: the first few, by name.
    pub subjects: Vec<(Identifier, Option<String>)>,
    /// How many there are.
    pub subject_count: u64,
}

const COLUMNS: &str = "id, digest, fault, problem, form, signatures, claimed_signer, predicate_type, step, builder, said_at, \
                       left_out, size, modified, changed, inode";
/// Subjects of a statement that are listed.
const SHOWN_SUBJECTS: i64 = 8;

fn statement(row: &Row<'_>) -> rusqlite::Result<StatementRow> {
    let form: Option<bool> = row.get(4)?;
    Ok(StatementRow {
        id: row.get(0)?,
        digest: Sha256Digest::new(row.get(1)?),
        fault: fault_of(row.get(2)?),
        problem: row.get(3)?,
        form: form.map(|is_bundle| if is_bundle { Form::Bundle } else { Form::Envelope }),
        signatures: row.get::<_, i64>(5)?.unsigned_abs(),
        claimed_signer: row.get(6)?,
        predicate_type: row.get(7)?,
        step: row.get(8)?,
        builder: row.get(9)?,
        said_at: row.get(10)?,
        left_out: row.get::<_, i64>(11)?.unsigned_abs(),
        stamp: Stamp { size: row.get(12)?, modified: row.get(13)?, changed: row.get(14)?, inode: row.get(15)? },
    })
}

impl Index {
    pub(super) fn statement(&self, id: i64) -> rusqlite::Result<Option<StatementRow>> {
        let mut query = self.connection()?.prepare_cached(&format!("SELECT {COLUMNS} FROM statement WHERE id = ?1"))?;
        query.query_row([id], statement).optional()
    }

    pub(super) fn fault(&self, digest: &Sha256Digest) -> rusqlite::Result<Option<Fault>> {
        let mut query = self.connection()?.prepare_cached("SELECT fault FROM statement WHERE digest = ?1")?;
        let code: Option<u8> = query.query_row([digest.bytes()], |row| row.get(0)).optional()?;
        // One that the index has not seen is as good as missing from it.
        Ok(code.map_or(Some(Fault::Missing), fault_of))
    }

    pub(super) fn missing(&self) -> rusqlite::Result<Vec<Sha256Digest>> {
        let mut query = self.connection()?.prepare("SELECT digest FROM statement WHERE fault = 2 ORDER BY digest")?;
        let rows = query.query_map([], |row| Ok(Sha256Digest::new(row.get(0)?)))?;
        rows.collect()
    }

    pub(super) fn unread(&self) -> rusqlite::Result<Vec<(String, String)>> {
        let mut query = self
            .connection()?
            .prepare("SELECT digest, problem FROM statement INDEXED BY unread WHERE problem IS NOT NULL AND fault = 0 ORDER BY digest")?;
        let rows = query.query_map([], |row| Ok((Sha256Digest::new(row.get(0)?).to_string(), row.get(1)?)))?;
        rows.collect()
    }

    pub(super) fn cut(&self) -> rusqlite::Result<Vec<(String, u64)>> {
        let mut query = self
            .connection()?
            .prepare("SELECT digest, left_out FROM statement INDEXED BY incomplete WHERE left_out <> 0 AND fault = 0 ORDER BY digest")?;
        let rows = query.query_map([], |row| {
            Ok((Sha256Digest::new(row.get(0)?).to_string(), row.get::<_, i64>(1)?.unsigned_abs()))
        })?;
        rows.collect()
    }

    /// Of how many statements the graph does not take up everything, and of how many nothing could be read.
    pub(super) fn gaps(&self) -> rusqlite::Result<(u64, u64)> {
        let count = |query: &str| self.connection()?.query_row(query, [], |row| row.get::<_, i64>(0));
        let cut = count("SELECT count(*) FROM statement INDEXED BY incomplete WHERE left_out <> 0 AND fault = 0")?;
        let unread = count("SELECT count(*) FROM statement INDEXED BY unread WHERE problem IS NOT NULL AND fault = 0")?;
        Ok((cut.unsigned_abs(), unread.unsigned_abs()))
    }

    /// What a statement is called, and how its file stood when it was read.
    pub(super) fn stamp(&self, id: i64) -> rusqlite::Result<Option<(Sha256Digest, Stamp)>> {
        let mut query = self
            .connection()?
            .prepare_cached("SELECT digest, size, modified, changed, inode FROM statement WHERE id = ?1")?;
        let stamp = |row: &Row<'_>| {
            let digest = Sha256Digest::new(row.get(0)?);
            Ok((digest, Stamp { size: row.get(1)?, modified: row.get(2)?, changed: row.get(3)?, inode: row.get(4)? }))
        };
        query.query_row([id], stamp).optional()
    }

    fn all(&self) -> rusqlite::Result<Vec<StatementRow>> {
        let mut query = self.connection()?.prepare(&format!("SELECT {COLUMNS} FROM statement ORDER BY digest"))?;
        let rows = query.query_map([], statement)?;
        rows.collect()
    }

    fn subjects(&self, id: i64) -> rusqlite::Result<Vec<(Identifier, Option<String>)>> {
        let mut query = self.connection()?.prepare_cached(
            "SELECT key, label FROM subject JOIN node ON node.id = subject.node WHERE statement = ?1 ORDER BY key LIMIT ?2",
        )?;
        let rows = query.query_map([id, SHOWN_SUBJECTS], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        let mut subjects = Vec::new();
        for row in rows {
            let (key, label) = row?;
            subjects.extend(Identifier::of_key(&key).map(|identifier| (identifier, label)));
        }
        Ok(subjects)
    }

    fn subject_count(&self, id: i64) -> rusqlite::Result<u64> {
        let mut query = self.connection()?.prepare_cached("SELECT count(*) FROM subject WHERE statement = ?1")?;
        query.query_row([id], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    }
}

impl Ledger {
    /// Every statement, in order of digests.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, LedgerError> {
        let rows = self.index.all()?;
        rows.into_iter().map(|row| Ok(self.listed(row)?)).collect()
    }

    fn listed(&self, row: StatementRow) -> rusqlite::Result<Listed> {
        let (subjects, subject_count) = (self.index.subjects(row.id)?, self.index.subject_count(row.id)?);
        Ok(Listed { row, subjects, subject_count })
    }

    /// The statement whose digest begins with these digits.
    ///
    /// # Errors
    /// When there is none, more than one, or it is not believed.
    pub fn show(&self, text: &str) -> Result<Listed, LedgerError> {
        let digits = text.trim_start_matches("statement:").trim_start_matches("sha256:").to_ascii_lowercase();
        let is_prefix = (2..=64).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unknown = || LedgerError::NoStatement(text.to_owned());
        if !is_prefix {
            return Err(unknown());
        }
        let connection = self.index.connection()?;
        let query =
            format!("SELECT {COLUMNS} FROM statement WHERE lower(hex(digest)) BETWEEN ?1 AND ?1 || 'g' LIMIT 3");
        let mut query = connection.prepare(&query)?;
        let mut rows = query.query_map(params![digits], statement)?.collect::<rusqlite::Result<Vec<_>>>()?;
        match (rows.pop(), rows.len()) {
            (Some(row), 0) => Ok(self.listed(row)?),
            (None, _) => Err(unknown()),
            (Some(_), more) => Err(LedgerError::Ambiguous { text: text.to_owned(), count: more + 1 }),
        }
    }

    /// Verifies a statement, or takes the answer that was given on the same basis.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn assurance(&self, row: &StatementRow, judge: &dyn Judge) -> Result<Assurance, LedgerError> {
        if row.signatures == 0 {
            return Ok(Assurance::Unsigned);
        }
        let basis = judge.basis();
        let mut query = self
            .index
            .connection()?
            .prepare_cached("SELECT judgement FROM assurance WHERE statement = ?1 AND policy = ?2")?;
        let known: Option<String> = query.query_row(params![row.id, basis], |row| row.get(0)).optional()?;
        if let Some(known) = known.and_then(|known| serde_json::from_str(&known).ok()) {
            return Ok(known);
        }
        let bytes = self.read(&row.digest)?;
        Ok(judge.judge(&bytes, row.claimed_signer.as_deref()))
    }

    /// Remembers answers, so that large ones are not verified again with every question.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn remember(&mut self, judged: &[(StatementRow, Assurance)], judge: &dyn Judge) -> Result<(), LedgerError> {
        let basis = judge.basis();
        let new: Vec<_> = judged.iter().filter(|(row, _)| row.signatures > 0).collect();
        if new.is_empty() {
            return Ok(());
        }
        self.index.change(|transaction| {
            // One basis at a time: yesterday's answers are of no use.
            transaction.execute("DELETE FROM assurance WHERE policy <> ?1", [&basis])?;
            let mut insert = transaction
                .prepare_cached("INSERT OR IGNORE INTO assurance (statement, policy, judgement) VALUES (?1, ?2, ?3)")?;
            for (row, assurance) in new {
                let judgement = serde_json::to_string(assurance).unwrap_or_default();
                insert.execute(params![row.id, basis, judgement])?;
            }
            Ok(())
        })?;
        Ok(())
    }
}
