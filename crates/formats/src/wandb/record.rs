//! The messages of a run's record, as far as they tell where artifacts come from.

use crate::protobuf::{Broken, Field, Message, Span, Wire};
use crate::source::Source;

/// Bytes of one text that are kept.
const MAX_TEXT: usize = 64 << 10;
/// Files of one artifact, keys of one configuration: what is beyond is counted.
const MAX_ITEMS: usize = 100_000;

/// A key and its value, which is JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair {
    /// The key, its parts joined by dots.
    pub key: String,
    /// The value as JSON.
    pub value: String,
}

/// The run itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Its identifier.
    pub id: String,
    /// Who it belongs to.
    pub entity: String,
    /// Its project.
    pub project: String,
    /// Its name for people.
    pub name: String,
    /// What it was told.
    pub config: Vec<Pair>,
    /// The commit that it ran from.
    pub git: Git,
    /// Seconds since 1970 at which it began; 0 when that is not said.
    pub started: i64,
}

/// A commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Git {
    /// Where the repository is.
    pub remote: String,
    /// The commit.
    pub commit: String,
}

/// Where it ran.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The operating system.
    pub os: String,
    /// The Python.
    pub python: String,
    /// The image, when one is known.
    pub docker: String,
    /// Arguments of the program.
    pub arguments: Vec<String>,
    /// The script, below the folder of the repository.
    pub code: String,
    /// The commit that it ran from.
    pub git: Git,
    /// The graphics processor.
    pub gpu: String,
    /// The version of CUDA.
    pub cuda: String,
}

/// A file of an artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Its path in the artifact.
    pub path: String,
    /// Its MD5 in Base64, or what else the reference uses.
    pub digest: String,
    /// Where it is, when it was not copied.
    pub reference: String,
    /// Its size.
    pub size: u64,
}

/// An artifact that the run logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Artifact {
    /// What kind it is: `model`, `dataset`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The MD5 of its list of files.
    pub digest: String,
    /// Its aliases.
    pub aliases: Vec<String>,
    /// Its files.
    pub files: Vec<File>,
    /// Whether its list of files is kept elsewhere or is longer than is read.
    pub is_partial: bool,
}

/// An artifact that the run used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Used {
    /// The server's identifier.
    pub id: String,
    /// What kind it is.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A part of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The version of the program that wrote it.
    Producer(String),
    /// The run.
    Run(Box<Run>),
    /// More of what it was told.
    Config(Vec<Pair>),
    /// Where it ran.
    Environment(Box<Environment>),
    /// An artifact that came out.
    Artifact(Box<Artifact>),
    /// An artifact that went in.
    Used(Used),
    /// Results.
    Summary(Vec<Pair>),
    /// How it ended.
    Exit(i32),
}

/// Shows every field of a message.
fn fields(source: &dyn Source, span: Span, visit: &mut dyn FnMut(Field) -> Result<(), Broken>) -> Result<(), Broken> {
    let mut message = Message::new(source, span);
    while let Some(field) = message.next()? {
        visit(field)?;
    }
    Ok(())
}

/// Reads one record; none when it is of a kind that tells nothing here.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Record>, Broken> {
    let mut found = None;
    let source: &dyn Source = &bytes;
    fields(source, Span::whole(source), &mut |field| {
        let Some(span) = field.span() else { return Ok(()) };
        let record = match field.number {
            3 => Record::Summary(pairs(source, span)?),
            5 => Record::Config(pairs(source, span)?),
            8 => Record::Artifact(Box::new(artifact(source, span)?)),
            17 => Record::Run(Box::new(run(source, span)?)),
            18 => Record::Exit(exit(source, span)?),
            21 => Record::Producer(producer(source, span)?),
            25 => Record::Used(used(source, span)?),
            26 => Record::Environment(Box::new(environment(source, span)?)),
            _ => return Ok(()),
        };
        found = Some(record);
        Ok(())
    })?;
    Ok(found)
}

fn text(source: &dyn Source, field: Field) -> String {
    field.span().map(|span| span.text(source, MAX_TEXT)).unwrap_or_default()
}

/// The updates of a configuration or summary.
fn pairs(source: &dyn Source, span: Span) -> Result<Vec<Pair>, Broken> {
    let mut list = Vec::new();
    fields(source, span, &mut |field| {
        if let (1, Some(span)) = (field.number, field.span())
            && list.len() < MAX_ITEMS
        {
            list.push(pair(source, span)?);
        }
        Ok(())
    })?;
    Ok(list)
}

fn pair(source: &dyn Source, span: Span) -> Result<Pair, Broken> {
    let (mut keys, mut value) = (Vec::new(), String::new());
    fields(source, span, &mut |field| {
        match field.number {
            1 | 2 => keys.push(text(source, field)),
            16 => value = text(source, field),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Pair { key: keys.join("."), value })
}

fn run(source: &dyn Source, span: Span) -> Result<Run, Broken> {
    let mut run = Run::default();
    fields(source, span, &mut |field| {
        match field.number {
            1 => run.id = text(source, field),
            2 => run.entity = text(source, field),
            3 => run.project = text(source, field),
            4 => run.config = field.span().map_or(Ok(Vec::new()), |span| pairs(source, span))?,
            8 => run.name = text(source, field),
            17 => run.started = field.span().map_or(Ok(0), |span| seconds(source, span))?,
            21 => run.git = field.span().map_or(Ok(Git::default()), |span| git(source, span, (1, 2)))?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(run)
}

fn seconds(source: &dyn Source, span: Span) -> Result<i64, Broken> {
    let mut seconds = 0;
    fields(source, span, &mut |field| {
        if let (1, Wire::Varint(value)) = (field.number, field.wire) {
            seconds = i64::try_from(value).unwrap_or(0);
        }
        Ok(())
    })?;
    Ok(seconds)
}

fn git(source: &dyn Source, span: Span, (remote, commit): (u32, u32)) -> Result<Git, Broken> {
    let mut found = Git::default();
    fields(source, span, &mut |field| {
        match field.number {
            number if number == remote => found.remote = text(source, field),
            number if number == commit => found.commit = text(source, field),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn environment(source: &dyn Source, span: Span) -> Result<Environment, Broken> {
    let mut found = Environment::default();
    fields(source, span, &mut |field| {
        match field.number {
            1 => found.os = text(source, field),
            2 => found.python = text(source, field),
            4 => found.docker = text(source, field),
            5 if found.arguments.len() < MAX_ITEMS => found.arguments.push(text(source, field)),
            7 => found.code = text(source, field),
            9 => found.git = field.span().map_or(Ok(Git::default()), |span| git(source, span, (1, 2)))?,
            18 => found.gpu = text(source, field),
            25 => found.cuda = text(source, field),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn artifact(source: &dyn Source, span: Span) -> Result<Artifact, Broken> {
    let mut found = Artifact::default();
    fields(source, span, &mut |field| {
        match (field.number, field.span()) {
            (4, _) => found.kind = text(source, field),
            (5, _) => found.name = text(source, field),
            (6, _) => found.digest = text(source, field),
            (11, _) if found.aliases.len() < MAX_ITEMS => found.aliases.push(text(source, field)),
            (12, Some(span)) => manifest(source, span, &mut found)?,
            (100, _) => found.is_partial |= field.integer() == Some(1),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn manifest(source: &dyn Source, span: Span, artifact: &mut Artifact) -> Result<(), Broken> {
    fields(source, span, &mut |field| {
        match (field.number, field.span()) {
            (4, Some(span)) if artifact.files.len() < MAX_ITEMS => artifact.files.push(file(source, span)?),
            (4, _) => artifact.is_partial = true,
            (5, Some(span)) => artifact.is_partial |= span.length > 0,
            _ => {}
        }
        Ok(())
    })
}

fn file(source: &dyn Source, span: Span) -> Result<File, Broken> {
    let mut found = File::default();
    fields(source, span, &mut |field| {
        match field.number {
            1 => found.path = text(source, field),
            2 => found.digest = text(source, field),
            3 => found.reference = text(source, field),
            4 => found.size = field.integer().unwrap_or(0),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn used(source: &dyn Source, span: Span) -> Result<Used, Broken> {
    let mut found = Used::default();
    fields(source, span, &mut |field| {
        match field.number {
            1 => found.id = text(source, field),
            2 => found.kind = text(source, field),
            3 => found.name = text(source, field),
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn exit(source: &dyn Source, span: Span) -> Result<i32, Broken> {
    let mut code = 0;
    fields(source, span, &mut |field| {
        if let (1, Wire::Varint(value)) = (field.number, field.wire) {
            // A negative code is written as 64 bits.
            code = value as i32;
        }
        Ok(())
    })?;
    Ok(code)
}

fn producer(source: &dyn Source, span: Span) -> Result<String, Broken> {
    let mut version = String::new();
    fields(source, span, &mut |field| {
        let Some(span) = field.span().filter(|_| field.number == 1) else { return Ok(()) };
        fields(source, span, &mut |field| {
            if field.number == 1 {
                version = text(source, field);
            }
            Ok(())
        })
    })?;
    Ok(version)
}
