//! The model's files beside what is signed of them.

use std::path::{Path, PathBuf};

use waag_evidence::Sha256Digest;
use waag_evidence::manifest::{Digest, HashAlgorithm, Method, Serialization};
use waag_signing::difference::{DifferenceCode, compare};
use waag_signing::model_statement::ModelStatement;

use super::report::{Problem, SignatureReport};
use super::{Request, VerifyError};
use crate::hash::{
    HashError, HashedFile, ModelFile, ModelFiles, Wanted, digest_files, files_of, manifest_of, manifest_of_files,
};
use crate::lock::Known;
use crate::scan::Progress;
use crate::uncovered::{Open, look, look_at};

/// The files of the model, read once for each way of digesting them.
pub(super) struct Files<'a> {
    request: &'a Request<'a>,
    /// Digests that are known already.
    known: &'a Known,
    progress: &'a dyn Progress,
    read: Vec<(Serialization, ModelFiles)>,
}

impl<'a> Files<'a> {
    pub(super) const fn new(request: &'a Request<'a>, known: &'a Known, progress: &'a dyn Progress) -> Self {
        Self { request, known, progress, read: Vec::new() }
    }

    /// Says of a signature how the files differ from what is signed.
    pub(super) fn compare(
        &mut self,
        signature: &Path,
        statement: &ModelStatement,
        report: &mut SignatureReport,
    ) -> Result<(), VerifyError> {
        let Request { model, strict, allow_unsigned, .. } = *self.request;
        let found = match self.read(signature, statement.manifest.serialization.clone()) {
            Ok(found) => found,
            Err(error) => {
                report.problems.push(Problem::of_files(&error).ok_or(error)?);
                return Ok(());
            }
        };
        report.differences = compare(&statement.manifest, &found.manifest);
        report.uncovered = look(model, &found.uncovered);
        if allow_unsigned {
            let (unsigned, others) =
                report.differences.drain(..).partition(|difference| difference.code == DifferenceCode::UnsignedFile);
            report.differences = others;
            let unsigned: Vec<_> = unsigned;
            report.uncovered.extend(unsigned.into_iter().map(|difference| look_at(model, &difference.name)));
        }
        if strict {
            report.problems.extend(report.uncovered.iter().filter_map(loadable));
        }
        Ok(())
    }

    /// The digests of the model and of its files, for lists of what is refused.
    pub(super) fn digests(&mut self, signature: &Path) -> Result<Vec<Sha256Digest>, VerifyError> {
        let how = Serialization {
            method: Method::Files,
            algorithm: HashAlgorithm::Sha256,
            allow_symlinks: true,
            ignored: Vec::new(),
        };
        let found = self.read(signature, how)?;
        let files = found.manifest.resources.iter().filter_map(|resource| resource.digest.bytes().try_into().ok());
        Ok(files.map(Sha256Digest::new).chain([found.manifest.root()]).collect())
    }

    fn read(&mut self, signature: &Path, how: Serialization) -> Result<&ModelFiles, HashError> {
        let how = self.with_ignored(how);
        let known = self.read.iter().position(|(known, _)| *known == how);
        let index = match known {
            Some(index) => index,
            None => {
                let found = self.digest(signature, &how)?;
                self.read.push((how, found));
                self.read.len() - 1
            }
        };
        Ok(&self.read[index].1)
    }

    /// The files as the signature says that they are digested.
    fn digest(&self, signature: &Path, how: &Serialization) -> Result<ModelFiles, HashError> {
        let model = self.request.model;
        if self.known.is_empty() || (how.method, how.algorithm) != (Method::Files, HashAlgorithm::Sha256) {
            return manifest_of(model, how, Some(signature), self.progress);
        }
        let listed = files_of(model, &how.ignored, how.allow_symlinks, Some(signature))?;
        let hashed: Result<Vec<HashedFile>, HashError> =
            listed.files.iter().map(|file| self.digest_file(file)).collect();
        manifest_of_files(listed, &hashed?, how)
    }

    /// A file with the digest that is known of it, or else a new one.
    fn digest_file(&self, file: &ModelFile) -> Result<HashedFile, HashError> {
        let known = self.known.get(&file.opened).map(|digest| Digest::from(*digest));
        if let Some(digest) = known {
            return Ok(HashedFile { file: file.clone(), digests: vec![digest], shards: Vec::new() });
        }
        let wanted = Wanted { files: vec![HashAlgorithm::Sha256], shards: None };
        let mut hashed = digest_files(std::slice::from_ref(file), &wanted, self.progress)?;
        hashed.pop().ok_or_else(|| HashError::Changed(file.path.clone()))
    }

    /// What the user leaves out is left out too, and so are signatures beside the one at hand.
    fn with_ignored(&self, mut how: Serialization) -> Serialization {
        how.ignored.extend(self.request.ignore.iter().cloned());
        let signatures = self.request.signatures.iter().filter_map(|path| below(self.request.model, path));
        how.ignored.extend(signatures);
        how
    }
}

fn loadable(open: &Open) -> Option<Problem> {
    let hint = "take it away, or have the model signed with it";
    let message = match &open.loadable {
        Some(path) => format!("no signature covers '{path}', which could be loaded or run"),
        None if open.partly_read => format!("no signature covers '{}', which has more than is looked at", open.path),
        None => return None,
    };
    Some(Problem::new("uncovered-loadable", message, hint))
}

/// A path as a model names what is inside it; none where it is outside, or is the model.
pub(crate) fn below(model: &Path, path: &Path) -> Option<String> {
    let (model, path): (PathBuf, PathBuf) = (model.canonicalize().ok()?, real_path(path)?);
    let below = path.strip_prefix(model).ok()?.to_str()?.to_owned();
    (!below.is_empty()).then_some(below)
}

/// Where a file is, or where it will be.
fn real_path(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    })
}
