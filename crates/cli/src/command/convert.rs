use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum, ValueHint};
use serde::Serialize;
use waag_engine::convert::{Converted, Digested, Plan, Tied, convert};
use waag_engine::output::text::{counted, size};
use waag_engine::output::write_json;
use waag_engine::sanitize::sanitize;
use waag_engine::scan::{Options, Silent, scan_paths};
use waag_evidence::Decision;

use super::formats::Telling;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Values that were left out that are listed.
const MAX_LISTED: usize = 20;

const EXAMPLES: &str = "\
Examples:
  waag convert pytorch_model.bin model.safetensors
  waag convert checkpoint.pt model.safetensors --tied one
  waag convert old-model/ new-model/ --shard-size 5GB
  waag convert flax_model.msgpack model.safetensors --format json | jq .root";

/// Write a model's weights as safetensors, without running anything, and prove that no number has changed
///
/// Reads PyTorch checkpoints (zip and the older files, also in shards), safetensors, NumPy's .npy and .npz, Keras's
/// .h5 and .keras, Flax's .msgpack, GGUF that is not quantised. Keys of nested dictionaries are joined with dots.
///
/// What is written is read back and compared, tensor by tensor, before it gets its name; beside it goes
/// OUT.provenance.json, which says what it was made from. What is no tensor is left out, and said. What has no
/// faithful form is refused.
///
/// Exit codes: 0 converted and proven; 2 nothing was written.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Convert {
    /// The model: a file, an index of shards, or a folder
    #[arg(value_name = "MODEL", value_hint = ValueHint::AnyPath, help_heading = "Input")]
    model: PathBuf,

    /// A file that ends with .safetensors, or a folder for model.safetensors
    #[arg(value_name = "OUT", value_hint = ValueHint::AnyPath, help_heading = "Output")]
    out: PathBuf,

    /// What to do with names that share the same bytes
    #[arg(long, value_name = "HOW", default_value = "copy", help_heading = "Output")]
    tied: TiedArgument,

    /// Start another file when one has so many bytes of tensors, and write an index: 5GB, 500MB, 2GiB
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Output")]
    shard_size: Option<u64>,

    /// Replace files that exist
    #[arg(long, help_heading = "Output")]
    force: bool,

    /// How to tell what was done
    #[arg(long, short, value_name = "FORMAT", default_value = "plain", help_heading = "Output")]
    format: Telling,
}

/// As [`Tied`].
#[derive(Debug, Clone, Copy, ValueEnum)]
enum TiedArgument {
    /// Write them under each name: every loader finds every name
    Copy,
    /// Write them under the first name, and say in the metadata which names it stands for
    One,
}

impl Convert {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let tied = match self.tied {
            TiedArgument::Copy => Tied::Copy,
            TiedArgument::One => Tied::One,
        };
        let Self { model: input, out: output, force, shard_size, format, .. } = self;
        warn(&input, terminal)?;
        let converted = convert(&Plan { input: input.clone(), output, force, tied, shard_size })?;
        terminal.answer(None, |out| match format {
            Telling::Plain => plain(&converted, out),
            Telling::Json => write_json(&Told::from(&converted), out),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Says when loading the model itself would be refused. Reading it here runs nothing, so that it is no reason to stop.
fn warn(model: &PathBuf, terminal: &Terminal) -> Result<(), Failure> {
    let report = scan_paths(std::slice::from_ref(model), &Options::default(), &Silent)?;
    if report.verdict.decision == Decision::Deny {
        let shown = sanitize(&model.display().to_string());
        terminal.note(format_args!("`waag check` denies '{shown}'; nothing in it is run here"));
    }
    Ok(())
}

fn plain(converted: &Converted, out: &mut dyn Write) -> io::Result<()> {
    let shown = |file: &Digested| sanitize(&file.path.display().to_string());
    for file in &converted.outputs {
        writeln!(out, "{}  {}, sha256 {}", shown(file), size(file.bytes), file.sha256)?;
    }
    let dtypes: Vec<String> = converted.dtypes.keys().map(ToString::to_string).collect();
    let tensors = counted(converted.tensors as u64, "tensor");
    writeln!(out, "  {tensors}, {}: {}", size(converted.bytes), dtypes.join(", "))?;
    writeln!(out, "  read back, each the same as in the input; root {}", converted.root)?;
    for (name, kept) in converted.tied.iter().take(MAX_LISTED) {
        writeln!(out, "  tied: '{}' has the bytes of '{}'", sanitize(name), sanitize(kept))?;
    }
    more(converted.tied.len(), "tied", out)?;
    for left in converted.left_out.iter().take(MAX_LISTED) {
        writeln!(out, "  left out: '{}', {}", sanitize(&left.name), sanitize(&left.what))?;
    }
    more(converted.left_out.len(), "left out", out)?;
    writeln!(out, "  statement: {}", sanitize(&converted.statement.display().to_string()))
}

fn more(count: usize, what: &str, out: &mut dyn Write) -> io::Result<()> {
    match count.checked_sub(MAX_LISTED).filter(|more| *more > 0) {
        Some(more) => writeln!(out, "  {what}: {more} more (--format json lists all)"),
        None => Ok(()),
    }
}

/// What was done, as it is written.
#[derive(Serialize)]
struct Told {
    inputs: Vec<File>,
    outputs: Vec<File>,
    tensors: usize,
    bytes: u64,
    root: String,
    tied: Vec<[String; 2]>,
    left_out: Vec<[String; 2]>,
    statement: String,
}

#[derive(Serialize)]
struct File {
    path: String,
    bytes: u64,
    sha256: String,
}

impl From<&Digested> for File {
    fn from(file: &Digested) -> Self {
        let path = sanitize(&file.path.display().to_string());
        Self { path, bytes: file.bytes, sha256: file.sha256.to_string() }
    }
}

impl From<&Converted> for Told {
    fn from(converted: &Converted) -> Self {
        Self {
            inputs: converted.inputs.iter().map(File::from).collect(),
            outputs: converted.outputs.iter().map(File::from).collect(),
            tensors: converted.tensors,
            bytes: converted.bytes,
            root: converted.root.to_string(),
            tied: converted.tied.iter().map(|(name, kept)| [sanitize(name), sanitize(kept)]).collect(),
            left_out: converted.left_out.iter().map(|left| [sanitize(&left.name), sanitize(&left.what)]).collect(),
            statement: sanitize(&converted.statement.display().to_string()),
        }
    }
}

/// `5GB`, `500 MB`, `2GiB` or a number of bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic() || character == ' ');
    let unit = text.get(digits.len()..).unwrap_or_default().trim().to_ascii_lowercase();
    let factor: u64 = match unit.as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("sizes are a whole number and a unit: 5GB, 500MB, 2GiB".to_owned()),
    };
    let number = digits.parse::<u64>().ok().filter(|number| *number > 0).and_then(|number| number.checked_mul(factor));
    number.ok_or_else(|| "sizes are a whole number and a unit: 5GB, 500MB, 2GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("5GB"), Ok(5_000_000_000));
        assert_eq!(parse_size("500 mb"), Ok(500_000_000));
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size("12"), Ok(12));
        for wrong in ["", "GB", "0", "-1", "1.5GB", "1TBx", "99999999999GB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
