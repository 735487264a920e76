//! `waag hash`.

mod json;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum, ValueHint};
use waag_engine::hash::{Files, HashError, HashedFile, ModelFiles, Wanted, digest_files, files_of, manifest_of_files};
use waag_engine::output::Style;
use waag_engine::output::text::{HEADING, Painted, counted};
use waag_engine::sanitize::sanitize;
use waag_evidence::Sha256Digest;
use waag_evidence::manifest::{Digest, HashAlgorithm, Method, Serialization, checksum_line, names_root};

use super::arguments::{byte_count, file_or_stdout};
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag hash model.safetensors
  waag hash model/ --format checksums > SHA256SUMS     for `sha256sum --check`, inside model/
  waag hash model/ --algorithm blake3                  on all cores, also within one file
  waag hash model/ --format json | jq -r .model_signing_root";

/// Digest every file of a model, and the model as a whole
///
/// Reads every byte once, on all cores. Two digests stand for the whole: the root of OpenSSF Model Signing, which binds
/// contents in their order, and the names root, which binds names too: it is what `sha256sum` prints for all files,
/// sorted by name, digested once more.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Hash {
    /// The model: a file or a folder
    #[arg(value_name = "MODEL", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    model: PathBuf,

    /// Digests to make of each file; the first makes the model signing root
    #[arg(long, short, value_name = "NAME", value_delimiter = ',', default_value = "sha256", help_heading = "Input")]
    algorithm: Vec<Algorithm>,

    /// Digest parts of this many bytes too, each on a core of its own: 1GB, 512MiB …
    #[arg(long, value_name = "BYTES", value_parser = byte_count, help_heading = "Input")]
    shard_size: Option<u64>,

    /// Leave out a file or folder, by its path below the model
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    ignore: Vec<String>,

    /// Count links as what they lead to
    #[arg(long, help_heading = "Input")]
    allow_symlinks: bool,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Format,

    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    /// SHA-256, as signatures, locks and Git LFS use it
    Sha256,
    /// BLAKE2b with 64 bytes, as `b2sum` prints it
    Blake2b,
    /// BLAKE3, the fastest: on all cores also within one file
    Blake3,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Plain,
    /// For programs; docs/schema/hash.schema.json
    Json,
    /// Lines that `sha256sum --check` (`b2sum`, `b3sum`) reads
    Checksums,
    /// Pointers as Git LFS keeps them in a repository
    Lfs,
}

impl From<Algorithm> for HashAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256,
            Algorithm::Blake2b => Self::Blake2b,
            Algorithm::Blake3 => Self::Blake3,
        }
    }
}

impl From<HashError> for Failure {
    fn from(error: HashError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

impl Hash {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let answer = self.answer(terminal)?;
        let file = file_or_stdout(self.output.as_deref());
        let style = terminal.style(waag_engine::output::View::Check, file.is_some());
        terminal.answer(file, |out| match self.format {
            Format::Plain => answer.plain(out, style),
            Format::Json => json::write(&answer, out),
            Format::Checksums => answer.checksums(out),
            Format::Lfs => answer.pointers(out),
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn answer(&self, terminal: &Terminal) -> Result<Answer, Failure> {
        let algorithms = self.algorithms()?;
        let listed = files_of(&self.model, &self.ignore, self.allow_symlinks, None)?;
        let first = algorithms.first().copied().unwrap_or(HashAlgorithm::Sha256);
        let wanted = Wanted { files: algorithms, shards: self.shard_size.map(|size| (size, first)) };
        let bar = Bar::new(terminal.is_watched());
        let hashed = digest_files(&listed.files, &wanted, &bar)?;
        bar.finish();
        let how = Serialization {
            method: self.shard_size.map_or(Method::Files, Method::Shards),
            algorithm: first,
            allow_symlinks: listed.has_links,
            ignored: self.ignore.clone(),
        };
        Answer::new(listed, hashed, &how)
    }

    /// The algorithms without doubles; Git LFS has but one.
    fn algorithms(&self) -> Result<Vec<HashAlgorithm>, Failure> {
        let mut algorithms: Vec<HashAlgorithm> = Vec::new();
        for algorithm in self.algorithm.iter().copied().map(HashAlgorithm::from) {
            if !algorithms.contains(&algorithm) {
                algorithms.push(algorithm);
            }
        }
        let sole = match self.format {
            Format::Lfs => algorithms == [HashAlgorithm::Sha256],
            Format::Checksums => algorithms.len() == 1,
            Format::Plain | Format::Json => true,
        };
        match sole {
            true => Ok(algorithms),
            false => Err(Failure::with_hint(
                "this format has room for one digest of each file",
                "name one --algorithm; pointers of Git LFS are always SHA-256",
            )),
        }
    }
}

/// What there is to tell.
struct Answer {
    model: ModelFiles,
    files: Vec<HashedFile>,
    /// Where SHA-256 was among the algorithms.
    names_root: Option<Sha256Digest>,
}

impl Answer {
    fn new(listed: Files, files: Vec<HashedFile>, how: &Serialization) -> Result<Self, Failure> {
        let name = listed.name.clone();
        let model = manifest_of_files(listed, &files, how)?;
        let digests: Option<Vec<_>> = files.iter().map(|file| Some((shown(file, &name), sha256_of(file)?))).collect();
        let names_root = digests.map(|digests| names_root(digests.into_iter()));
        Ok(Self { model, files, names_root })
    }

    fn name_of<'a>(&'a self, file: &'a HashedFile) -> &'a str {
        shown(file, &self.model.manifest.name)
    }

    fn plain(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        for file in &self.files {
            let name = sanitize(self.name_of(file));
            match file.digests.as_slice() {
                [digest] => writeln!(out, "{digest}  {name}")?,
                digests => {
                    writeln!(out, "{}", Painted(style.color, HEADING, &name))?;
                    digests
                        .iter()
                        .try_for_each(|digest| writeln!(out, "  {:<8} {digest}", digest.algorithm().name()))?;
                }
            }
            file.shards
                .iter()
                .try_for_each(|(shard, digest)| writeln!(out, "  {}-{}  {digest}", shard.start, shard.end))?;
        }
        writeln!(out)?;
        self.totals(out)?;
        self.left_out(out)
    }

    fn totals(&self, out: &mut dyn Write) -> io::Result<()> {
        let bytes = self.files.iter().map(|file| file.file.size).sum();
        let count = counted(self.files.len() as u64, "file");
        writeln!(out, "{count}, {}", waag_engine::output::text::size(bytes))?;
        writeln!(out, "model signing root  {}", self.model.manifest.root())?;
        if let Some(root) = self.names_root {
            writeln!(out, "names root          {root}")?;
        }
        Ok(())
    }

    fn left_out(&self, out: &mut dyn Write) -> io::Result<()> {
        self.model
            .uncovered
            .iter()
            .try_for_each(|left| writeln!(out, "left out            {} ({})", sanitize(&left.path), left.reason))
    }

    fn checksums(&self, out: &mut dyn Write) -> io::Result<()> {
        for file in &self.files {
            if let [digest] = file.digests.as_slice() {
                out.write_all(checksum_line(self.name_of(file), digest).as_bytes())?;
            }
        }
        Ok(())
    }

    /// A pointer for each file, after a line with its name where there are several.
    fn pointers(&self, out: &mut dyn Write) -> io::Result<()> {
        for file in &self.files {
            if self.files.len() > 1 {
                writeln!(out, "# {}", sanitize(self.name_of(file)))?;
            }
            if let [digest] = file.digests.as_slice() {
                write!(
                    out,
                    "version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {}\n",
                    file.file.size
                )?;
            }
        }
        Ok(())
    }
}

/// A model that is one file has the file's name for people and their tools.
fn shown<'a>(file: &'a HashedFile, model: &'a str) -> &'a str {
    if file.file.path == "." { model } else { &file.file.path }
}

fn sha256_of(file: &HashedFile) -> Option<Sha256Digest> {
    file.digests.iter().find(|digest| digest.algorithm() == HashAlgorithm::Sha256).and_then(Digest::to_sha256)
}
