//! The hook for pre-commit is given the files whose endings waag knows for models.

// A test may stop at what it did not expect, and reads only the project's own files.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::path::Path;

use waag_formats::FORMATS;

/// Formats that every project has, whether or not it has a model.
const NO_MODELS: &[&str] = &["executable", "media", "notebook", "python-source", "text", "xml"];
/// Endings of models' formats that most projects use for something else.
const NO_ENDINGS: &[&str] =
    &["cfg", "config", "csv", "dat", "data", "htm", "html", "ini", "lock", "md", "sh", "toml", "txt"];

#[test]
fn the_hook_takes_the_endings_of_models() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.pre-commit-hooks.yaml");
    let hooks = std::fs::read_to_string(&path).unwrap();
    let models = FORMATS.iter().map(|format| format.meta()).filter(|meta| !NO_MODELS.contains(&meta.id));
    let endings: BTreeSet<&str> = models.flat_map(|meta| meta.extensions).copied().collect();
    let endings: Vec<&str> = endings.into_iter().filter(|ending| !NO_ENDINGS.contains(ending)).collect();
    let line = format!("  files: (?i)\\.({})$", endings.join("|").replace('.', "\\."));
    let (before, _) = hooks.split_once("  files: ").unwrap();
    if std::env::var_os("WAAG_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{line}\n")).unwrap();
    } else {
        assert_eq!(hooks, format!("{before}{line}\n"), "WAAG_BLESS=1 cargo test -p waag --test hook writes it");
    }
}
