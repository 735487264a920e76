//! Runs again what provenance tells of, and compares what comes out.
//!
//! What went in is checked first: with other inputs it would be another run. The outputs are moved aside, the command runs
//! in the same place, and afterwards everything lies where it lay.

mod aside;
mod recorded;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;
use waag_engine::diff::{self, Model};
use waag_engine::sanitize::sanitize;
use waag_engine::scan::Silent;
use waag_engine::weights;
use waag_evidence::Sha256Digest;

use self::aside::Aside;
pub use self::recorded::{Recorded, RecordedError};
use super::hashing::hash_file;
use super::place::found;
use super::{Finished, Level, Options, RunError, run};

/// How one output came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sameness {
    /// The same bytes.
    BitIdentical,
    /// The same tensors in other bytes, or tensors that differ no more than was allowed.
    WithinTolerance,
    /// Anything else.
    Different,
    /// It did not come out.
    Missing,
}

/// One output, then and now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// How it came out.
    pub result: Sameness,
    /// The largest difference of two numbers, where both are weights that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest: Option<f64>,
    /// The largest relative change (L2) of a tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative: Option<f64>,
}

/// A second run, or why there was none.
#[derive(Debug)]
pub enum Again {
    /// What goes in is not what went in.
    OtherInputs(Vec<String>),
    /// It ran.
    Ran {
        /// The run, with what was compared and the level that it reaches.
        finished: Box<Finished>,
        /// Each output.
        outputs: Vec<Compared>,
        /// What it reaches; None when something came out otherwise.
        level: Option<Level>,
    },
}

/// Runs it again in the folder of `options`, which has everything but what the provenance says: that is taken from there.
///
/// `tolerance` is the largest relative change of a tensor that is near enough; `keep` a folder for what comes out.
///
/// # Errors
/// When it cannot be run, or the outputs cannot be moved aside.
pub fn again(
    recorded: &Recorded,
    mut options: Options,
    tolerance: Option<f64>,
    keep: Option<&Path>,
    talk: &dyn Fn(&str),
) -> Result<Again, RunError> {
    let differing = recorded.differing_inputs(&options.folder);
    if !differing.is_empty() {
        return Ok(Again::OtherInputs(differing));
    }
    // Anybody could have written the provenance: what it calls an output is moved away only where the run is.
    if let Some(name) = recorded.output_elsewhere(&options.folder) {
        return Err(RunError::OutputElsewhere(sanitize(name)));
    }
    recorded.fill(&mut options);
    let places: Vec<PathBuf> = recorded.outputs.iter().map(|(name, _)| found(name, &options.folder)).collect();
    let mut aside = Aside::put(&places, &options.folder, recorded).map_err(RunError::Lost)?;
    let mut finished = match run(&options, talk) {
        Ok(finished) => finished,
        Err(error) => {
            aside.bring_back().iter().for_each(|line| talk(line));
            return Err(error);
        }
    };
    let outputs: Vec<Compared> = recorded
        .outputs
        .iter()
        .zip(&places)
        .map(|((name, digest), place)| compare(name, digest, aside.of(place).as_deref(), place, tolerance))
        .collect();
    let kept = keep.map_or(Ok(()), |keep| aside.keep_new(&places, &options.folder, keep));
    aside.bring_back().iter().for_each(|line| talk(line));
    kept.map_err(RunError::Lost)?;
    let level = if finished.exit_code() == recorded.exit_code { reached(&outputs) } else { None };
    if let Some(level) = level {
        finished.facts.level = level;
    }
    finished.facts.comparison = Some(json!({
        "with": recorded.sha256.to_string(),
        "tolerance": tolerance,
        "outputs": outputs,
    }));
    Ok(Again::Ran { finished: Box::new(finished), outputs, level })
}

fn reached(outputs: &[Compared]) -> Option<Level> {
    // Of nothing, anything is true.
    let all = |good: &[Sameness]| !outputs.is_empty() && outputs.iter().all(|output| good.contains(&output.result));
    if all(&[Sameness::BitIdentical]) {
        Some(Level::BitIdentical)
    } else if all(&[Sameness::BitIdentical, Sameness::WithinTolerance]) {
        Some(Level::WithinTolerance)
    } else {
        None
    }
}

fn compare(name: &str, digest: &Sha256Digest, old: Option<&Path>, new: &Path, tolerance: Option<f64>) -> Compared {
    let compared = |result| Compared { name: name.to_owned(), result, largest: None, relative: None };
    match hash_file(new).ok().and_then(|hashed| hashed.digest) {
        None => return compared(Sameness::Missing),
        Some(now) if now == *digest => return compared(Sameness::BitIdentical),
        Some(_) => {}
    }
    // Only what is there, and is what it was, can be measured.
    let is_first = |old: &&Path| hash_file(old).is_ok_and(|hashed| hashed.digest == Some(*digest));
    let measured = old.filter(is_first).and_then(|old| measure(old, new));
    let Some(measured) = measured else { return compared(Sameness::Different) };
    let near = measured.identical || tolerance.is_some_and(|tolerance| measured.diff.is_within(tolerance));
    Compared {
        largest: Some(measured.largest()),
        relative: Some(measured.relative()),
        ..compared(if near { Sameness::WithinTolerance } else { Sameness::Different })
    }
}

struct Measured {
    identical: bool,
    diff: diff::Diff,
}

impl Measured {
    fn largest(&self) -> f64 {
        let measures = self.diff.tensors.iter().filter_map(|tensor| tensor.measures.as_ref());
        measures.map(|measures| measures.largest).fold(0.0, f64::max)
    }

    fn relative(&self) -> f64 {
        self.diff.tensors.iter().filter_map(diff::TensorDiff::relative).fold(0.0, f64::max)
    }
}

fn measure(old: &Path, new: &Path) -> Option<Measured> {
    let (first, second) = (weights::open(old).ok()?, weights::open(new).ok()?);
    let model = |path, store| Model { path, store };
    let diff = diff::diff(model("then", &*first), model("now", &*second), &diff::Options::default(), &Silent).ok()?;
    Some(Measured { identical: diff.is_identical(), diff })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_not_the_same() {
        assert_eq!(reached(&[]), None);
        let output = Compared { name: "a".into(), result: Sameness::BitIdentical, largest: None, relative: None };
        assert_eq!(reached(&[output]), Some(Level::BitIdentical));
    }
}
