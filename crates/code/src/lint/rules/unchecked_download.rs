//! Files that may be other ones tomorrow.

use std::collections::HashSet;

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::problem::Problem;
use super::super::rule::{Rule, View};
use super::super::shell::{Taken, lines, taken};
use super::super::syntax::{Call, Script, Span, Value};

/// Who it is.
pub static META: Meta = Meta {
    id: "unchecked-download",
    title: "a file is downloaded and its digest is not checked",
    page: include_str!("unchecked_download.md"),
};

/// The rule.
pub(crate) struct UncheckedDownload;

impl Rule for UncheckedDownload {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn script(&self, view: &View<'_>, problems: &mut Vec<Problem>) {
        if checks(view.script) {
            return;
        }
        let writing: HashSet<usize> =
            view.script.calls.iter().filter(|call| writes(call)).map(|call| call.scope).collect();
        problems.extend(view.script.calls.iter().filter_map(|call| judge(call, &writing)));
        for line in lines(view.script) {
            for file in taken(&line) {
                if let Taken::File(address) = file {
                    problems.push(found(line.span, &address));
                }
            }
        }
    }
}

const NEXT: &str =
    "Write down the file's SHA-256 and compare it before the file is used; `waag lock` and `waag fetch` do both.";
/// Functions that put what is at an address into a file.
const TO_FILES: &[&str] = &[
    "urllib.request.urlretrieve",
    "urllib.urlretrieve",
    "wget.download",
    "gdown.download",
    "torch.hub.download_url_to_file",
    "pooch.retrieve",
    "keras.utils.get_file",
    "torchvision.datasets.utils.download_url",
    "torchvision.datasets.utils.download_and_extract_archive",
];
/// Arguments that say what the file has to be.
const DIGESTS: &[&str] = &["known_hash", "hash_prefix", "expected_hash", "file_hash", "md5_hash", "md5"];

fn found(span: Span, address: &str) -> Problem {
    let is_plain = address.starts_with("http://");
    let (severity, message) = match is_plain {
        true => (Severity::Medium, format!("{address} is taken over a connection that anybody on the way can change")),
        false => (Severity::Low, format!("{address} is taken, and nothing checks what it is")),
    };
    Problem::new(&META, span, message.replace('\0', "…"), NEXT).severity(severity).about(address.replace('\0', "…"))
}

/// Whether a call opens a file to write bytes to it.
fn writes(call: &Call) -> bool {
    let mode = || call.argument("mode", Some(1)).and_then(|mode| mode.value.text());
    call.callee.path == "open" && mode().is_some_and(|mode| mode.contains("wb"))
}

/// Judges a call, of a file of which these scopes write bytes to files.
fn judge(call: &Call, writing: &HashSet<usize>) -> Option<Problem> {
    let is_to_file = call.is_any(TO_FILES);
    let (name, place) = if call.is("keras.utils.get_file") { ("origin", 1) } else { ("url", 0) };
    let address = call.argument(name, Some(place))?.value.part().filter(|address| address.starts_with("http"))?;
    if is_to_file {
        return (!call.is_open && !has_digest(call)).then(|| found(call.span, address));
    }
    // What is asked for is a file where the same function writes bytes to one.
    let is_get = call.is_any(&["requests.get", "urllib.request.urlopen", "httpx.get"]);
    (is_get && writing.contains(&call.scope)).then(|| found(call.span, address))
}

/// Whether a call says what the file has to be, by name or in its place.
fn has_digest(call: &Call) -> bool {
    let place = match call.callee.path.as_str() {
        "pooch.retrieve" => Some(1),
        "torch.hub.download_url_to_file" => Some(2),
        "keras.utils.get_file" | "torchvision.datasets.utils.download_url" => Some(3),
        "torchvision.datasets.utils.download_and_extract_archive" => Some(4),
        _ => None,
    };
    let given = place.and_then(|place| call.positional.get(place)).into_iter().map(|given| &given.value);
    let named = DIGESTS.iter().filter_map(|name| call.keyword(name));
    given.chain(named).any(|value| *value != Value::Nothing)
}

/// Whether digests are made here at all.
fn checks(script: &Script) -> bool {
    let hashes = |call: &Call| {
        call.callee.path.starts_with("hashlib.")
            || ["check_md5", "check_integrity", "check_hash", "verify_checksum"].contains(&call.callee.name.as_str())
    };
    let in_shell = |words: &Vec<String>| {
        words.iter().any(|word| word.contains("sha256sum") || word.contains("sha512sum") || word.contains("md5sum"))
    };
    script.calls.iter().any(hashes) || lines(script).iter().any(|line| in_shell(&line.words))
}
