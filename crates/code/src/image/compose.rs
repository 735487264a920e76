//! Images that a compose file names.

use serde_json::Value;
use waag_engine::import::document;
use waag_evidence::{Finding, Location};

use super::{Base, Described, unpinned_base_image};
use crate::telling::incomplete;

/// Whether a file of this name is a compose file.
pub(super) fn is_read(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let stem = lower.strip_suffix(".yaml").or_else(|| lower.strip_suffix(".yml"));
    stem.is_some_and(|stem| {
        ["compose", "docker-compose"].iter().any(|word| {
            stem.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
        })
    })
}

/// Reads a compose file.
pub(super) fn read(file: &str, text: &str) -> (Described, Vec<Finding>) {
    let mut described = Described { file: file.to_owned(), ..Described::default() };
    let document = match document::yaml(text) {
        Ok(document) => document.root,
        Err(why) => {
            let message = format!("the compose file was not read: {why}");
            return (described, vec![incomplete(&Location::file(file), &message, "Correct it.")]);
        }
    };
    let services = document.get("services").and_then(Value::as_object).into_iter().flatten();
    let images = services
        .filter_map(|(service, value)| Some((service, value.get("image")?.as_str()?, value.get("build").is_some())));
    for (service, image, is_built) in images {
        let line = line_of(text, image);
        let location = Location { line, ..Location::file(file) };
        let name = default(image);
        described.instructions += 1;
        // What is built here gets this name: nothing is fetched by it.
        if is_built {
            continue;
        }
        described.bases.push(Base {
            open: name.is_none(),
            by_digest: image.contains("@sha256:"),
            name: name.unwrap_or_else(|| image.to_owned()),
            of_the_image: true,
            used_by: Some(service.clone()),
            location,
        });
    }
    let findings = described.bases.iter().filter_map(unpinned_base_image::of_service).collect();
    (described, findings)
}

/// The name, with the defaults of variables: none where one has no default.
fn default(image: &str) -> Option<String> {
    super::variables::Variables::default().replace(image, '\\')
}

fn line_of(text: &str, image: &str) -> Option<u64> {
    (1..).zip(text.lines()).find(|(_, line)| line.contains("image") && line.contains(image)).map(|(line, _)| line)
}
