//! Container images as they are described: Dockerfiles and Containerfiles, and the images that a compose file names. Nothing is
//! built and nothing fetched.
//!
//! The last stage is the image; earlier ones count less, unless the last is built on them.

mod compose;
mod image_package_index;
mod install;
mod instruction;
mod read;
mod root_user;
mod secret_in_image;
mod shell;
mod stage;
#[cfg(test)]
mod tests;
mod unpinned_base_image;
mod unpinned_image_package;
mod unverified_download;
mod variables;

use std::path::PathBuf;

use serde::Serialize;
use waag_engine::io::FileSource;
use waag_engine::rules::Meta;
use waag_evidence::{Dependency, Finding, Location};
use waag_formats::source::{Source as _, read_up_to};

use crate::stack::Statement;
use crate::telling::incomplete;

pub use instruction::MAX_BYTES;

/// The checks of this room.
pub static RULES: &[&Meta] = &[
    &unverified_download::META,
    &secret_in_image::META,
    &image_package_index::META,
    &unpinned_base_image::META,
    &root_user::META,
    &unpinned_image_package::META,
];

/// An image that a file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Base {
    /// Its name, with names of variables replaced as far as they are known.
    pub name: String,
    /// Whether something in it is given from outside, and not known.
    pub open: bool,
    /// Whether it is named by its digest.
    pub by_digest: bool,
    /// Whether it, or something built on it, is the image.
    pub of_the_image: bool,
    /// The stage or service that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_by: Option<String>,
    /// Where it is named.
    pub location: Location,
}

/// What a file says.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Described {
    /// The file.
    pub file: String,
    /// Images that it builds on, or runs.
    pub bases: Vec<Base>,
    /// Stages, first to last.
    pub stages: usize,
    /// Instructions that were read.
    pub instructions: usize,
    /// Packages of Python that are installed by name; those of stages that are not the image have the stage as their group.
    #[serde(skip)]
    pub packages: Vec<Dependency>,
    /// Packages of the system.
    pub system_packages: Vec<String>,
    /// Addresses of indexes.
    #[serde(skip)]
    pub indexes: Vec<Statement>,
    /// The user that programs run as; none where the base image decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What names something that is given from outside, and was not judged.
    pub not_known: Vec<String>,
}

impl Described {
    /// Its base images, for the stack.
    #[must_use]
    pub fn images(&self) -> Vec<Statement> {
        let known = self.bases.iter().filter(|base| !base.open);
        let group = |base: &Base| {
            if base.of_the_image {
                None
            } else {
                Some(base.used_by.clone().unwrap_or_else(|| "an earlier stage".to_owned()))
            }
        };
        known
            .map(|base| Statement { text: base.name.clone(), location: base.location.clone(), group: group(base) })
            .collect()
    }
}

/// Whether a file of this name describes images.
#[must_use]
pub fn is_read(name: &str) -> bool {
    is_recipe(name) || compose::is_read(name)
}

/// Endings of files about images that are none of their descriptions: programs, pages, data.
const OTHERS: &[&str] = &[
    "c", "go", "h", "html", "java", "js", "json", "lock", "log", "md", "py", "pyc", "pyi", "rb", "rs", "rst", "sh",
    "toml", "ts", "txt", "yaml", "yml",
];

fn is_recipe(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    if lower.rsplit_once('.').is_some_and(|(_, ending)| OTHERS.contains(&ending)) {
        return false;
    }
    ["dockerfile", "containerfile"].iter().any(|word| {
        let is_ended = |rest: &str| rest.is_empty() || rest.starts_with(['.', '-', '_']);
        lower.strip_prefix(word).is_some_and(|rest| is_ended(rest) && !rest.ends_with("ignore"))
            || lower.strip_suffix(word).is_some_and(|rest| rest.ends_with('.'))
    })
}

/// Reads a file and judges it. `file` is its path for people, `name` its last part.
#[must_use]
pub fn read_text(file: &str, text: &str) -> (Described, Vec<Finding>) {
    let name = file.rsplit('/').next().unwrap_or(file);
    if compose::is_read(name) { compose::read(file, text) } else { read::read(file, text) }
}

/// Reads files and judges them: where they are, and their paths for people.
#[must_use]
pub fn examine(files: &[(PathBuf, String)]) -> (Vec<Described>, Vec<Finding>) {
    let mut described = Vec::new();
    let mut findings = Vec::new();
    for (path, file) in files {
        match contents(path) {
            Ok(text) => {
                let (one, found) = read_text(file, &text);
                described.push(one);
                findings.extend(found);
            }
            Err(why) => {
                let next = "Make it a file that can be read; until then nothing is known of this image.";
                findings.push(incomplete(
                    &Location::file(file),
                    &format!("the description of an image was not read: {why}"),
                    next,
                ));
            }
        }
    }
    (described, findings)
}

fn contents(path: &std::path::Path) -> Result<String, String> {
    let source = FileSource::open(path).map_err(|error| error.to_string())?;
    if source.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    let bytes = read_up_to(&source, 0, usize::try_from(MAX_BYTES).unwrap_or(usize::MAX));
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
