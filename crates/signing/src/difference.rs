//! What differs between a signed manifest and the files that are there.

use std::collections::BTreeMap;

use serde::Serialize;
use waag_evidence::manifest::{Digest, Manifest, Resource};

/// A file, or a shard of it, that is not as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What is wrong with it.
    pub code: DifferenceCode,
    /// Its name, as manifests write it. It may come from the bundle.
    pub name: String,
    /// The signed digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
    /// The digest of what is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceCode {
    /// Its bytes are others.
    ChangedFile,
    /// It was signed, and is not there.
    MissingFile,
    /// It is there, and was not signed.
    UnsignedFile,
}

impl DifferenceCode {
    /// The code, as programs read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChangedFile => "changed-file",
            Self::MissingFile => "missing-file",
            Self::UnsignedFile => "unsigned-file",
        }
    }
}

/// What differs, by name. Both manifests have to be made in the same way.
#[must_use]
pub fn compare(signed: &Manifest, found: &Manifest) -> Vec<Difference> {
    let signed_name = single_file_name(signed, found);
    let index = |manifest: &Manifest, renamed: Option<&str>| -> BTreeMap<String, Digest> {
        let name = |resource: &Resource| renamed.map_or_else(|| resource.name(), |name| with_path(resource, name));
        manifest.resources.iter().map(|resource| (name(resource), resource.digest.clone())).collect()
    };
    let (signed, mut there) = (index(signed, signed_name), index(found, None));
    let mut differences = Vec::new();
    for (name, digest) in signed {
        match there.remove(&name) {
            Some(found) if found == digest => {}
            Some(found) => differences.push(difference(DifferenceCode::ChangedFile, name, Some(digest), Some(found))),
            None => differences.push(difference(DifferenceCode::MissingFile, name, Some(digest), None)),
        }
    }
    let unsigned = there.into_iter();
    differences.extend(unsigned.map(|(name, found)| difference(DifferenceCode::UnsignedFile, name, None, Some(found))));
    differences.sort_by(|one, other| (&one.name, one.code).cmp(&(&other.name, other.code)));
    differences
}

fn difference(code: DifferenceCode, name: String, signed: Option<Digest>, found: Option<Digest>) -> Difference {
    Difference {
        code,
        name,
        signed: signed.map(|digest| digest.to_string()),
        found: found.map(|digest| digest.to_string()),
    }
}

/// A model that is one file is called `.` by the reference signer and by the file's name in the specification. Both are
/// accepted: what the file is called here is what has to be said.
fn single_file_name<'a>(signed: &Manifest, found: &'a Manifest) -> Option<&'a str> {
    let [first, ..] = found.resources.as_slice() else { return None };
    let single = first.path == "." && signed.resources.iter().all(|resource| resource.path == found.name);
    single.then_some(first.path.as_str())
}

fn with_path(resource: &Resource, path: &str) -> String {
    Resource { path: path.to_owned(), ..resource.clone() }.name()
}

#[cfg(test)]
mod tests {
    use waag_evidence::Sha256Digest;
    use waag_evidence::manifest::{HashAlgorithm, Method, Serialization};

    use super::*;

    fn manifest(name: &str, files: &[(&str, u8)]) -> Manifest {
        let resource = |(path, byte): &(&str, u8)| Resource {
            path: (*path).into(),
            shard: None,
            digest: Sha256Digest::new([*byte; 32]).into(),
        };
        let serialization = Serialization {
            method: Method::Files,
            algorithm: HashAlgorithm::Sha256,
            allow_symlinks: false,
            ignored: Vec::new(),
        };
        Manifest::new(name.into(), serialization, files.iter().map(resource).collect()).unwrap()
    }

    fn codes(signed: &Manifest, found: &Manifest) -> Vec<(DifferenceCode, String)> {
        compare(signed, found).into_iter().map(|difference| (difference.code, difference.name)).collect()
    }

    #[test]
    fn every_difference_has_its_code() {
        let signed = manifest("m", &[("a", 0), ("b", 1), ("c", 2)]);
        assert_eq!(codes(&signed, &signed), []);
        let found = manifest("m", &[("a", 9), ("b", 1), ("d", 2)]);
        assert_eq!(
            codes(&signed, &found),
            [
                (DifferenceCode::ChangedFile, "a".to_owned()),
                (DifferenceCode::MissingFile, "c".to_owned()),
                (DifferenceCode::UnsignedFile, "d".to_owned()),
            ]
        );
    }

    #[test]
    fn one_file_may_have_either_name() {
        let found = manifest("model.bin", &[(".", 0)]);
        assert_eq!(codes(&manifest("x", &[(".", 0)]), &found), []);
        assert_eq!(codes(&manifest("x", &[("model.bin", 0)]), &found), []);
        assert_eq!(codes(&manifest("x", &[("other.bin", 0)]), &found).len(), 2);
        assert_eq!(codes(&manifest("x", &[("model.bin", 1)]), &found), [(DifferenceCode::ChangedFile, ".".to_owned())]);
        assert_eq!(codes(&manifest("m", &[(".", 0)]), &manifest("m", &[("a", 0)])).len(), 2);
    }
}
