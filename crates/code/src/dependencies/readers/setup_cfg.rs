//! `setup.cfg` of setuptools: `install_requires`, `python_requires`, extras.
//! <https://setuptools.pypa.io/en/latest/userguide/declarative_config.html>

use super::{Include, Page};
use crate::dependencies::text::python_lines;

/// A key of a section, and its lines.
struct Entry {
    section: String,
    key: String,
    values: Vec<(u64, String)>,
}

pub(super) fn read(page: &mut Page<'_>) {
    for entry in entries(&page.text.text) {
        let group = match (entry.section.as_str(), entry.key.as_str()) {
            ("options", "install_requires") => None,
            ("options", "setup_requires") => Some("build-system"),
            ("options", "tests_require") => Some("test"),
            ("options.extras_require", extra) => Some(extra),
            ("options", "python_requires") => {
                for (line, value) in &entry.values {
                    page.python(value, *line);
                }
                continue;
            }
            ("metadata", "name") => {
                let names = entry.values.iter().map(|(_, name)| waag_evidence::dependency::normalised(name));
                page.file.own_names.extend(names.collect::<Vec<_>>());
                continue;
            }
            _ => continue,
        };
        let group = group.map(str::to_owned);
        for (line, value) in entry.values {
            requirements(page, &value, line, group.as_deref());
        }
    }
}

fn requirements(page: &mut Page<'_>, value: &str, line: u64, group: Option<&str>) {
    if let Some(files) = value.strip_prefix("file:") {
        for path in files.split(',').map(str::trim) {
            let group = group.map(str::to_owned);
            page.includes.push(Include { path: path.to_owned(), is_constraint: false, group, line });
        }
        return;
    }
    // `%(extra)s` takes in another value of the file.
    if value.contains("%(") {
        return page.incomplete(line, &format!("'{value}' stands for another value, and was not followed"));
    }
    page.requirement(value, line, group);
}

/// The entries of a file as `configparser` reads them: indented lines go on with the value above them.
fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section = String::new();
    for (number, line) in python_lines(text) {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let is_indented = line.starts_with([' ', '\t']);
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|_| !is_indented) {
            name.clone_into(&mut section);
            continue;
        }
        let value = content.split(" #").next().unwrap_or_default().trim();
        match (is_indented, entries.last_mut()) {
            (true, Some(entry)) if entry.section == section => entry.values.push((number, value.to_owned())),
            _ => {
                let Some((key, value)) = value.split_once(['=', ':']) else { continue };
                let values = Some(value.trim()).filter(|value| !value.is_empty()).map(|it| (number, it.to_owned()));
                let (section, key) = (section.clone(), key.trim().to_ascii_lowercase());
                entries.push(Entry { section, key, values: values.into_iter().collect() });
            }
        }
    }
    entries
}
