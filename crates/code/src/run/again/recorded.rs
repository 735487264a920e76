//! Provenance of an earlier run, read for running it again.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use waag_engine::bounded;
use waag_engine::sanitize::sanitize;
use waag_evidence::statement::Statement;
use waag_evidence::statement::provenance::{BuildType, PREDICATE_TYPE, Provenance, role_of};
use waag_evidence::statement::role::Role;
use waag_evidence::{Sha256Digest, strict};
use waag_signing::envelope::Envelope;

use crate::run::hashing::{folder_digest, hash_file};
use crate::run::place::{found, normal, shown};
use crate::run::statement::object;
use crate::run::{Options, gather, secret};

/// Bytes of provenance.
const MAX_LENGTH: u64 = 256 << 20;

/// Why it cannot be run again.
#[derive(Debug, thiserror::Error)]
#[error("cannot run '{path}' again: {reason}")]
pub struct RecordedError {
    path: String,
    reason: String,
    hint: &'static str,
}

impl RecordedError {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        self.hint
    }
}

/// An earlier run.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The digest of the statement.
    pub sha256: Sha256Digest,
    pub(super) outputs: Vec<(String, Sha256Digest)>,
    pub(super) exit_code: u8,
    build_type: BuildType,
    command: Vec<String>,
    declared: Vec<(Role, String)>,
    declared_outputs: Vec<String>,
    parameters: Vec<(String, String)>,
    no_network: bool,
    observed: bool,
    files: Vec<(String, Sha256Digest)>,
    folders: Vec<(String, u64, Sha256Digest)>,
}

const NOT_OURS: &str = "name provenance that `waag run` wrote, signed or not";

impl Recorded {
    /// Reads provenance: a bundle, an envelope or the bare statement. Signatures are not looked at; `waag verify` does that.
    ///
    /// # Errors
    /// When it cannot be read, or tells of no run that could be run again.
    pub fn read(path: &Path) -> Result<Self, RecordedError> {
        let name = sanitize(&path.display().to_string());
        let failed = |reason: String, hint| RecordedError { path: name.clone(), reason, hint };
        let bytes = bounded::read(path, MAX_LENGTH).map_err(|error| failed(error.to_string(), "check the path"))?;
        let payload = payload(&bytes).map_err(|reason| failed(reason, NOT_OURS))?;
        let statement: Statement<Provenance> =
            strict::from_slice(&payload).map_err(|error| failed(sanitize(&error.to_string()), NOT_OURS))?;
        let recorded = Self::of(&statement, Sha256Digest::new(Sha256::digest(&payload).into()));
        let recorded = recorded.ok_or_else(|| failed("it tells of no run of a command".into(), NOT_OURS))?;
        if recorded.outputs.is_empty() {
            return Err(failed("it names nothing that came out, so that there is nothing to compare".into(), NOT_OURS));
        }
        if recorded.command.iter().any(|word| word.contains(secret::MASK)) {
            let hint = "give the secret in a variable of the environment, which is passed on and never written down";
            return Err(failed("its command had a secret, which was not written down".into(), hint));
        }
        Ok(recorded)
    }

    /// The command as it could be typed, for whoever is to see it before it runs. Safe to print.
    #[must_use]
    pub fn shown_command(&self) -> String {
        let words = self.command.iter().map(|word| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&byte);
            match !word.is_empty() && word.bytes().all(is_plain) {
                true => word.clone(),
                false => format!("'{}'", word.replace('\'', "'\\''")),
            }
        });
        sanitize(&words.collect::<Vec<_>>().join(" "))
    }

    fn of(statement: &Statement<Provenance>, sha256: Sha256Digest) -> Option<Self> {
        let definition = &statement.predicate.build_definition;
        let external = &definition.external_parameters;
        let internal = object(definition.internal_parameters.as_ref());
        let texts = |name: &str| -> Option<Vec<String>> { serde_json::from_value(external.get(name)?.clone()).ok() };
        let dependencies = definition.resolved_dependencies.iter();
        let mut recorded = Self {
            sha256,
            outputs: Vec::new(),
            exit_code: internal
                .get("exitCode")
                .and_then(Value::as_u64)
                .and_then(|code| code.try_into().ok())
                .unwrap_or(0),
            build_type: BuildType::of_uri(&definition.build_type)?,
            command: texts("command").filter(|words| !words.is_empty())?,
            declared: declared(external),
            declared_outputs: texts("outputs").unwrap_or_default(),
            parameters: object(external.get("parameters"))
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                .collect(),
            no_network: external.get("network").and_then(Value::as_str) == Some("denied"),
            observed: internal.get("capture").and_then(Value::as_str) == Some("observed"),
            files: Vec::new(),
            folders: Vec::new(),
        };
        if statement.predicate_type != PREDICATE_TYPE {
            return None;
        }
        for subject in &statement.subject {
            recorded.outputs.push((subject.name.clone()?, subject.digest.get("sha256")?.parse().ok()?));
        }
        for dependency in dependencies.filter(|one| !matches!(role_of(one), Some(Role::Dependency | Role::Environment) if one.annotations.contains_key("digestOf") || one.digest.get("dirHash").is_some())) {
            let Some(name) = dependency.name.clone() else { continue };
            let digest = |algorithm: &str| dependency.digest.get(algorithm)?.parse().ok();
            let files = dependency.annotations.get("files").and_then(Value::as_u64);
            if let Some(digest) = digest("sha256") {
                recorded.files.push((name, digest));
            } else if let (Some(digest), Some(files)) = (digest("dirHash"), files) {
                recorded.folders.push((name, files, digest));
            }
        }
        Some(recorded)
    }

    /// Whether a name is that of something that went in.
    pub(super) fn is_input(&self, name: &str) -> bool {
        self.files.iter().any(|(file, _)| file == name)
    }

    /// An output that does not lie in a folder, with links of folders followed. A link itself lies where it lies.
    pub(super) fn output_elsewhere(&self, folder: &Path) -> Option<&str> {
        let is_in = |name: &str| {
            let path = normal(&found(name, folder));
            // A folder that is gone would be made below the nearest one that is there.
            let real = path.ancestors().skip(1).find_map(|above| above.canonicalize().ok());
            path.starts_with(folder) && real.is_some_and(|real| real.starts_with(folder))
        };
        self.outputs.iter().map(|(name, _)| name.as_str()).find(|name| !is_in(name))
    }

    /// What went in and is not there, or is not the same: one line each.
    pub(super) fn differing_inputs(&self, folder: &Path) -> Vec<String> {
        let files = self.files.iter().filter_map(|(name, digest)| {
            let path = found(name, folder);
            match hash_file(&path).ok().and_then(|hashed| hashed.digest) {
                Some(now) if now == *digest => None,
                Some(_) => Some(format!("'{}' has other bytes", sanitize(name))),
                None => Some(format!("'{}' is not there", sanitize(name))),
            }
        });
        let folders = self.folders.iter().filter_map(|(name, files, digest)| {
            let told = self.differing_folder(&found(name, folder), folder, *files, digest)?;
            Some(format!("'{}' has {told}", sanitize(name)))
        });
        files.chain(folders).collect()
    }

    /// How a folder whose files were told as one differs; none where it has the same. Files in it that the provenance names
    /// by themselves, read or written, are not of these.
    fn differing_folder(&self, path: &Path, below: &Path, read: u64, digest: &Sha256Digest) -> Option<String> {
        let others: BTreeSet<PathBuf> =
            self.files.iter().chain(&self.outputs).map(|(name, _)| found(name, below)).collect();
        let mut files = gather::declared(std::iter::once(path.to_owned()));
        files.retain(|file| !others.contains(file));
        match files.len() as u64 {
            count if count == read => (digest_below(path, &files) != Some(*digest)).then(|| "other bytes".to_owned()),
            count if count == read + 1 => Some(match one_more(path, &files, digest) {
                Some(new) => format!("one file more than was read, '{}'; the others are the same", sanitize(&new)),
                None => format!("{count} files, and {read} were read: not the same"),
            }),
            count => Some(format!("{count} files, and {read} were read: not the same")),
        }
    }

    /// Sets what the provenance says.
    pub(super) fn fill(&self, options: &mut Options) {
        options.command = self.command.iter().map(OsString::from).collect();
        options.build_type = self.build_type;
        let absolute = |name: &String| found(name, &options.folder);
        options.inputs = self.declared.iter().map(|(role, name)| (*role, absolute(name))).collect();
        options.outputs = self.declared_outputs.iter().map(absolute).collect();
        // Whoever wrote the provenance does not say where a confined command may write.
        if options.sandbox.is_some() {
            options.outputs.retain(|output| is_within(output, &options.folder));
        }
        options.parameters = self.parameters.iter().cloned().collect();
        options.no_network |= self.no_network;
        options.capture &= self.observed;
    }
}

/// Whether a path, with its links followed, lies in a folder. What is not there yet lies where its folder does.
fn is_within(path: &Path, folder: &Path) -> bool {
    let above = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    let real = path.canonicalize().ok().or_else(above);
    real.is_some_and(|real| real.starts_with(folder))
}

fn declared(external: &Value) -> Vec<(Role, String)> {
    let inputs = external.get("inputs").and_then(Value::as_array);
    let input = |input: &Value| {
        let role = input.get("role")?.as_str()?.parse().ok()?;
        Some((role, input.get("path")?.as_str()?.to_owned()))
    };
    inputs.into_iter().flatten().filter_map(input).collect()
}

/// Files of which each is left out in turn, to see which one is new.
const MOST_TRIED: usize = 2000;

/// The digest of files below a folder; none where one of them cannot be read.
fn digest_below(folder: &Path, files: &[PathBuf]) -> Option<Sha256Digest> {
    let digests = digests_below(folder, files)?;
    Some(folder_digest(digests.iter().map(|(name, digest)| (name.as_str(), digest))))
}

fn digests_below(folder: &Path, files: &[PathBuf]) -> Option<Vec<(String, Sha256Digest)>> {
    files.iter().map(|path| Some((shown(path, folder), hash_file(path).ok()?.digest?))).collect()
}

/// The file without which the others have a digest.
fn one_more(folder: &Path, files: &[PathBuf], digest: &Sha256Digest) -> Option<String> {
    let all = digests_below(folder, files).filter(|all| all.len() <= MOST_TRIED)?;
    let without = |new: &&(String, Sha256Digest)| {
        let others = all.iter().filter(|one| one.0 != new.0).map(|(name, digest)| (name.as_str(), digest));
        folder_digest(others) == *digest
    };
    all.iter().find(without).map(|(name, _)| name.clone())
}

/// The statement, out of whatever it lies in.
fn payload(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| "it is no JSON".to_owned())?;
    let envelope = value.get("dsseEnvelope").or_else(|| value.get("payload").map(|_| &value));
    match envelope {
        None => Ok(bytes.to_vec()),
        Some(envelope) => {
            let envelope =
                serde_json::from_value::<Envelope>(envelope.clone()).map_err(|error| sanitize(&error.to_string()))?;
            envelope.payload_bytes().map_err(|error| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_elsewhere_do_not_widen_the_sandbox() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = root.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(other.path(), folder.join("link")).unwrap();
        std::fs::create_dir(folder.join("out")).unwrap();
        let expected =
            [("out", true), ("new.bin", true), ("link", false), ("link/x", false), ("../x", false), ("none/x", false)];
        for (name, within) in expected {
            assert_eq!(is_within(&folder.join(name), &folder), within, "{name}");
        }
        assert!(!is_within(other.path(), &folder));
    }

    /// Provenance of a run that read these files of a folder, told as one.
    fn recorded(folder: &Path, read: &[&str], outputs: &[&str]) -> Recorded {
        let files: Vec<PathBuf> = read.iter().map(|name| folder.join("data").join(name)).collect();
        let digest = Sha256Digest::new([0; 32]);
        Recorded {
            sha256: digest,
            outputs: outputs.iter().map(|name| ((*name).to_owned(), digest)).collect(),
            exit_code: 0,
            build_type: BuildType::FineTune,
            command: vec!["true".to_owned()],
            declared: Vec::new(),
            declared_outputs: Vec::new(),
            parameters: Vec::new(),
            no_network: false,
            observed: true,
            files: Vec::new(),
            folders: vec![("data/".to_owned(), read.len() as u64, digest_below(&folder.join("data"), &files).unwrap())],
        }
    }

    #[test]
    fn a_file_that_is_new_in_a_folder_is_named() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("data")).unwrap();
        for name in ["a", "b"] {
            std::fs::write(root.path().join("data").join(name), name).unwrap();
        }
        let mut recorded = recorded(root.path(), &["a", "b"], &["data/out"]);
        assert!(recorded.differing_inputs(root.path()).is_empty());
        std::fs::write(root.path().join("data/out"), "written by the run itself").unwrap();
        assert!(recorded.differing_inputs(root.path()).is_empty(), "an output is no input");
        std::fs::write(root.path().join("data/config"), "c").unwrap();
        let told = "'data/' has one file more than was read, 'config'; the others are the same";
        assert_eq!(recorded.differing_inputs(root.path()), [told]);
        let config = hash_file(&root.path().join("data/config")).unwrap().digest.unwrap();
        recorded.files.push(("data/config".to_owned(), config));
        assert!(recorded.differing_inputs(root.path()).is_empty(), "it was read for something else, and is compared");
        std::fs::write(root.path().join("data/a"), "other").unwrap();
        assert_eq!(recorded.differing_inputs(root.path()), ["'data/' has other bytes"]);
        std::fs::write(root.path().join("data/c"), "c").unwrap();
        assert_eq!(recorded.differing_inputs(root.path()), ["'data/' has 3 files, and 2 were read: not the same"]);
    }

    #[test]
    fn outputs_elsewhere_are_left_where_they_are() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = root.path().canonicalize().unwrap();
        std::fs::create_dir(folder.join("data")).unwrap();
        std::os::unix::fs::symlink(other.path(), folder.join("link")).unwrap();
        let elsewhere = other.path().join("x").display().to_string();
        for (name, is_refused) in [
            ("out", false),
            ("data/out", false),
            ("gone/out", false),
            ("../out", true),
            ("link/out", true),
            ("link/gone/out", true),
            ("~/out", true),
            (&elsewhere, true),
        ] {
            let found = recorded(&folder, &[], &["fine", name]).output_elsewhere(&folder).map(str::to_owned);
            assert_eq!(found.as_deref(), is_refused.then_some(name));
        }
    }
}
