//! `requirements.txt` and `constraints.txt`, as pip reads them.
//! <https://pip.pypa.io/en/stable/reference/requirements-file-format/>

use waag_evidence::{Dependency, DependencySource, Standing};

use super::{Include, Page};
use crate::dependencies::reading::{FileKind, IndexRole};
use crate::dependencies::text::python_lines;
use crate::dependencies::{requirement, source};

/// Bytes of one entry, its digests included.
const MAX_ENTRY: usize = 1 << 20;
/// Digests of one entry: a package has hundreds of wheels.
const MAX_DIGESTS: usize = 5000;
/// Options without a value, and those whose value says nothing of where packages come from.
const FLAGS: [&str; 4] = ["--no-index", "--pre", "--prefer-binary", "--no-deps"];
const WITH_VALUE: [&str; 7] = [
    "--no-binary",
    "--only-binary",
    "--use-feature",
    "--all-releases",
    "--only-final",
    "--progress-bar",
    "--config-settings",
];

/// Whether a file is a list of requirements, by its folder and name in small letters.
pub(in crate::dependencies) fn looks_like_requirements(folder: &str, name: &str) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    let folder = folder.rsplit('/').next().unwrap_or_default();
    let is_listed = matches!(folder, "requirements" | "reqs") || folder.ends_with("requirements");
    let is_named =
        stem.contains("requirement") || stem.contains("constraint") || stem == "reqs" || stem.ends_with("-reqs");
    matches!(ending, "txt" | "in" | "pip") && (is_named || is_listed)
}

/// An entry: what stands on one line, or on several that end in a backslash.
struct Entry {
    line: u64,
    text: String,
}

/// Lines joined where they end in a backslash, as pip does it. A comment ends an entry that goes on.
pub(super) fn read(page: &mut Page<'_>) {
    let mut open: Option<Entry> = None;
    let mut too_long = None;
    let text = page.text;
    for (number, line) in python_lines(&text.text) {
        let is_comment = line.trim_start().starts_with('#');
        let more = line.strip_suffix('\\').filter(|_| !is_comment);
        let entry = open.get_or_insert_with(|| Entry { line: number, text: String::new() });
        match entry.text.len() + line.len() > MAX_ENTRY {
            true => too_long = too_long.or(Some(number)),
            // A comment that follows a backslash is part of nothing; pip puts a space before it.
            false if is_comment => {}
            false => entry.text.push_str(more.map_or(line, |more| more.trim_matches('\\'))),
        }
        if more.is_none() {
            open.take().into_iter().for_each(|entry| one(page, entry));
        }
    }
    open.into_iter().for_each(|entry| one(page, entry));
    if let Some(line) = too_long {
        page.incomplete(line, "an entry is longer than is read");
    }
}

fn one(page: &mut Page<'_>, entry: Entry) {
    let text = without_comment(&entry.text).trim().to_owned();
    let entry = Entry { text, ..entry };
    match entry.text.as_bytes() {
        [] => {}
        [b'-', ..] => option_line(page, &entry),
        _ => requirement_line(page, &entry),
    }
}

/// A `#` at the beginning or after white space begins a comment; in an address it is a part of it.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if character == '#' && before.is_whitespace() {
            return &line[..at];
        }
        before = character;
    }
    line
}

/// Words as a shell parts them: quotes hold together.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut word, mut quote, mut is_begun) = (String::new(), None, false);
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => word.push(character),
            None if matches!(character, '\'' | '"') => (quote, is_begun) = (Some(character), true),
            None if character.is_whitespace() => {
                if is_begun {
                    words.push(std::mem::take(&mut word));
                }
                is_begun = false;
            }
            None => {
                word.push(character);
                is_begun = true;
            }
        }
    }
    if is_begun {
        words.push(word);
    }
    words
}

/// Options as `(name, value)`: `--name value`, `--name=value`, `-xvalue`.
fn options(words: &[String]) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let short = word.strip_prefix('-').filter(|short| !short.starts_with('-'));
        let (name, value) = match (short, word.split_once('=')) {
            (Some(short), _) if short.len() > 1 && short.is_char_boundary(1) => {
                (format!("-{}", &short[..1]), Some(short[1..].trim_start_matches('=').to_owned()))
            }
            (None, Some((name, value))) => (name.to_owned(), Some(value.to_owned())),
            _ => (word.clone(), None),
        };
        let takes = !FLAGS.contains(&name.as_str()) && name != "--require-hashes";
        let value = value.or_else(|| rest.next_if(|next| takes && !next.starts_with('-')).cloned());
        found.push((name, value));
    }
    found
}

fn option_line(page: &mut Page<'_>, entry: &Entry) {
    for (name, value) in options(&words(&entry.text)) {
        match (name.as_str(), value) {
            ("-r" | "--requirement" | "--requirements", Some(path)) => include(page, path, false, entry.line),
            ("-c" | "--constraint", Some(path)) => include(page, path, true, entry.line),
            ("-i" | "--index-url" | "--pypi-url", Some(url)) => page.index(&url, IndexRole::Main, None, entry.line),
            ("--extra-index-url", Some(url)) => page.index(&url, IndexRole::Extra, None, entry.line),
            ("-f" | "--find-links", Some(url)) => page.index(&url, IndexRole::Links, None, entry.line),
            ("--trusted-host", Some(host)) => page.index(&host, IndexRole::Unverified, None, entry.line),
            ("--require-hashes", _) => page.file.requires_hashes = true,
            ("-e" | "--editable", Some(target)) => editable(page, &target, entry),
            (name, None) if FLAGS.contains(&name) => {}
            (name, Some(_)) if WITH_VALUE.contains(&name) => {}
            (name, _) => page.incomplete(entry.line, &format!("'{name}' is no option of such a file that is known")),
        }
    }
}

fn include(page: &mut Page<'_>, path: String, is_constraint: bool, line: u64) {
    page.includes.push(Include { path, is_constraint, group: None, line });
}

/// `-e ./folder[extra]`, `-e git+https://…#egg=name`: the marker and the extras are the requirement's.
fn editable(page: &mut Page<'_>, target: &str, entry: &Entry) {
    let mut dependency = place(page, target, entry.line);
    if let DependencySource::Path { editable, .. } = &mut dependency.source {
        *editable = true;
    }
    page.add(dependency);
}

fn requirement_line(page: &mut Page<'_>, entry: &Entry) {
    // Options of one requirement follow it: `--hash`, and nothing that says where it comes from.
    let end = entry.text.find(" --").or_else(|| entry.text.find("\t--")).unwrap_or(entry.text.len());
    let (written, rest) = entry.text.split_at(end);
    let written = written.trim();
    let is_bare_address = written.contains("://") && !written.contains('@') || starts_with_scheme(written);
    let is_place = is_bare_address || source::is_path(written) && !is_named(written);
    let parsed = match is_place {
        true => Ok(place(page, written, entry.line)),
        false => requirement::parse(written, page.at(entry.line)),
    };
    let mut dependency = match parsed {
        Ok(dependency) => dependency,
        Err(why) => {
            let shown = source::masked(&entry.text);
            return page.incomplete(entry.line, &format!("'{shown}' is no requirement: {why}"));
        }
    };
    for (name, value) in options(&words(rest)) {
        match (name.as_str(), value) {
            ("--hash", Some(digest)) if dependency.digests.len() < MAX_DIGESTS => {
                dependency.digests.push(digest.to_ascii_lowercase());
            }
            ("--hash" | "--config-settings" | "--config-setting" | "--global-option" | "--install-option", Some(_)) => {
            }
            (name, _) => page.incomplete(entry.line, &format!("'{name}' is no option of one requirement")),
        }
    }
    if page.file.kind == FileKind::Constraints {
        dependency.standing = Standing::Constrained;
    }
    page.add(dependency);
}

/// Whether a name stands before an address: `name[extra] @ https://…`.
fn is_named(written: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '[' | ']' | ',' | ' ' | '\t');
    written.split_once('@').is_some_and(|(name, _)| !name.trim().is_empty() && name.chars().all(is_of_name))
}

fn starts_with_scheme(text: &str) -> bool {
    let scheme = text.split("://").next().unwrap_or_default();
    scheme.len() < text.len()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        || text.starts_with("file:")
        || text.starts_with("git+")
}

/// Something that is named by where it lies: an address, a folder, an archive. Its name may not be known.
fn place(page: &Page<'_>, written: &str, line: u64) -> Dependency {
    let (target, marker) = match written.split_once(" ;").or_else(|| written.split_once("; ")) {
        Some((target, marker)) => (target.trim(), Some(marker.trim().to_owned())),
        None => (written, None),
    };
    // `./folder[extra]`, and `name @ address` after -e.
    if is_named(target)
        && let Ok(named) = requirement::parse(written, page.at(line))
    {
        return named;
    }
    let (path, extras) = match target.strip_suffix(']').and_then(|target| target.rsplit_once('[')) {
        Some((path, extras)) if !target.contains("://") => (path, extras),
        _ => (target, ""),
    };
    let found = source::address(path);
    let is_address = path.contains("://") || path.starts_with("file:") || path.starts_with("git+");
    let source = match is_address {
        true => found.source,
        false => DependencySource::Path { path: path.to_owned(), editable: false },
    };
    let name = found.name.unwrap_or_default();
    let version = found.version.filter(|_| !matches!(source, DependencySource::Repository { .. }));
    let extras =
        extras.split(',').filter(|extra| !extra.trim().is_empty()).map(waag_evidence::dependency::normalised).collect();
    Dependency { source, version, extras, marker, digests: found.digests, ..page.named(&name, line) }
}
