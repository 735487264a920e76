//! Examples of splits, counted where that costs little: lines of JSONL, rows of CSV.

use std::path::Path;

use super::files::Proven;
use super::read::Card;

/// Bytes of one file in which rows are counted.
const MAX_COUNTED: u64 = 64 << 20;

/// A split whose file has another number of rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) split: String,
    pub(super) said: u64,
    pub(super) found: u64,
    pub(super) file: String,
    pub(super) place: String,
}

/// Splits that the card counts otherwise than their files do. A split that has no file of its own is left out, and so is
/// everything where the card has several configurations.
pub(super) fn compare(card: &Card, folder: &Path, proven: &Proven) -> Vec<Count> {
    let infos = card.root().list("dataset_info");
    let [info] = infos.as_slice() else { return Vec::new() };
    let mut counts = Vec::new();
    for split in info.list("splits") {
        let (Some(name), Some(said)) = (split.text_of("name"), split.get("num_examples")) else { continue };
        let Some(said_count) = said.value().as_u64() else { continue };
        let own = files(name, proven);
        let [file] = own.as_slice() else { continue };
        let Some(found) = rows(&folder.join(file)) else { continue };
        if found != said_count {
            let (split, place) = (name.to_owned(), said.place().to_owned());
            counts.push(Count { split, said: said_count, found, file: file.clone(), place });
        }
    }
    counts
}

/// The files whose names are that of the split.
fn files(split: &str, proven: &Proven) -> Vec<String> {
    let stem = |name: &str| {
        let name = name.rsplit('/').next().unwrap_or(name);
        name.split('.').next().unwrap_or_default().to_owned()
    };
    proven.data.iter().filter(|name| stem(name) == split).cloned().collect()
}

fn rows(path: &Path) -> Option<u64> {
    let is_csv = path.extension().is_some_and(|ending| ending == "csv" || ending == "tsv");
    let is_lines = path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson");
    if !is_csv && !is_lines {
        return None;
    }
    let bytes = crate::bounded::read(path, MAX_COUNTED).ok()?;
    let (mut count, mut in_quotes, mut is_empty) = (0_u64, false, true);
    for byte in &bytes {
        in_quotes ^= is_csv && *byte == b'"';
        if *byte == b'\n' && !in_quotes {
            count += u64::from(!is_empty);
            is_empty = true;
        } else if *byte != b'\r' && *byte != b'\n' {
            is_empty = false;
        }
    }
    count += u64::from(!is_empty);
    Some(if is_csv { count.saturating_sub(1) } else { count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_rows_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let count = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            rows(&path)
        };
        assert_eq!(count("a.jsonl", "{}\n\n{}\n{}"), Some(3));
        assert_eq!(count("a.csv", "a,b\r\n1,\"two\nlines\"\r\n3,4\r\n"), Some(2));
        assert_eq!(count("a.parquet", "PAR1"), None);
    }
}
