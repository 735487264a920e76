//! What is written in HDF5: Keras models, PyTables and pandas tables, netCDF, MATLAB's workspaces. Their own readers
//! act on attributes, so these are looked at here: configurations, and values that are unpickled when they are read.

use super::attribute::Attribute;
use super::file::File;
use super::heap::{GlobalHeaps, Place};
use crate::child::{Child, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, shorten};
use crate::format::{Format, Probe};
use crate::keras;
use crate::pickle::PICKLE;
use crate::source::{Window, read_up_to};

/// Characters of metadata that are shown.
const SHOWN: usize = 300;
/// Bytes of a text that is only shown.
const GLANCE: usize = 1024;

/// Attributes that tell who wrote the file, and who that is.
const WRITERS: &[(&str, &str)] = &[
    ("model_config", "Keras"),
    ("keras_version", "Keras"),
    ("PYTABLES_FORMAT_VERSION", "PyTables"),
    ("pandas_type", "pandas"),
    ("_NCProperties", "netCDF-4"),
    ("_Netcdf4Dimid", "netCDF-4"),
    ("MATLAB_class", "MATLAB 7.3"),
    ("encoding-type", "AnnData"),
];

/// Attributes that Keras reads as configurations, whatever they look like.
const CONFIGURATIONS: &[&str] = &["model_config", "training_config"];

/// Attributes that describe the whole file, when they are the root's.
const PROPERTIES: &[(&str, &str)] = &[
    ("keras_version", "keras_version"),
    ("backend", "backend"),
    ("PYTABLES_FORMAT_VERSION", "pytables_version"),
    ("pandas_version", "pandas_version"),
    ("encoding-type", "encoding"),
];

/// What the attributes told so far.
#[derive(Debug, Default)]
pub(super) struct Dialect {
    writers: Vec<&'static str>,
}

impl Dialect {
    /// Looks at an attribute. True when it says that the rows of its dataset are pickled.
    pub(super) fn attribute(
        &mut self,
        file: &File<'_>,
        path: &str,
        attribute: &Attribute,
        heaps: &mut GlobalHeaps,
        facts: &mut Facts,
    ) -> bool {
        self.writer(&attribute.name);
        let Some(place) = attribute.text(file, heaps) else { return false };
        if place.offset.saturating_add(place.length) > file.source.len() {
            let detail = format!("the attribute '{}' of '{path}' reaches beyond the end of the file", attribute.name);
            facts.anomaly(place.offset, Anomaly::OutOfBounds, detail);
            return false;
        }
        let name = format!("{path}@{}", attribute.name);
        pickled(file, &name, place, facts);
        let head = read_up_to(file.source, place.offset, place.length.min(GLANCE as u64) as usize);
        let shown = text(&head);
        let is_blank = shown.trim().is_empty() && place.length > GLANCE as u64;
        if shown.trim_start().starts_with(['{', '[']) || is_blank || CONFIGURATIONS.contains(&attribute.name.as_str()) {
            configuration(file, place, facts);
        } else if !shown.is_empty() && !head.contains(&0x80) {
            describe(path, &attribute.name, &name, &shown, place, facts);
        }
        attribute.name == "PSEUDOATOM" && shown == "object"
    }

    fn writer(&mut self, name: &str) {
        let writer = WRITERS.iter().find(|(known, _)| *known == name).map(|(_, writer)| *writer);
        if let Some(writer) = writer.filter(|writer| !self.writers.contains(writer)) {
            self.writers.push(writer);
        }
    }

    /// Says who wrote the file.
    pub(super) fn finish(&self, facts: &mut Facts) {
        if !self.writers.is_empty() && facts.find_property("framework").is_none() {
            facts.property("framework", self.writers.join(", "));
        }
    }
}

/// A text without the zeros that fill it up.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

fn describe(path: &str, key: &str, name: &str, value: &str, place: Place, facts: &mut Facts) {
    let property = PROPERTIES.iter().find(|(known, _)| *known == key).map(|(_, property)| *property);
    match property.filter(|_| path.is_empty() || path == "model_weights") {
        Some(property) if facts.find_property(property).is_none() => facts.property(property, value),
        Some(_) => {}
        None => {
            let value = shorten(value.to_owned(), SHOWN);
            let fact = FactKind::Metadata { key: shorten(name.to_owned(), SHOWN), value };
            facts.push(Position::Offset(place.offset), fact);
        }
    }
}

/// PyTables unpickles every attribute that is text, ends with a full stop, and can be unpickled.
fn pickled(file: &File<'_>, name: &str, place: Place, facts: &mut Facts) {
    let last = read_up_to(file.source, place.offset.saturating_add(place.length.saturating_sub(64)), 64);
    let last = last.get(..usize::try_from(place.length.min(64)).unwrap_or(64)).unwrap_or_default();
    let ends = last.iter().rev().find(|byte| **byte != 0) == Some(&b'.');
    let window = Window::new(file.source, place.offset, place.length);
    if !ends || PICKLE.recognise(&Probe::new(&window, "", Role::Unknown)).is_none() {
        return;
    }
    if file.budget.admit(1).is_err() {
        return facts.incomplete(place.offset, Gap::Limit, "there are more pickles than are opened");
    }
    let end = last.iter().rev().take_while(|byte| **byte == 0).count() as u64;
    let length = place.length.saturating_sub(end);
    let child = Child { role: Role::Pickle, ..Child::stored(shorten(name.to_owned(), SHOWN), place.offset, length) };
    facts.push(Position::Offset(place.offset), FactKind::Child(child));
}

/// A text that is JSON: a Keras model's configuration, in most files.
pub(super) fn configuration(file: &File<'_>, place: Place, facts: &mut Facts) {
    // A thousand attributes may name the same text, and each time it is read to its end.
    if file.budget.operate(place.length).is_err() {
        return facts.incomplete(place.offset, Gap::Limit, "the file has more configurations than are read");
    }
    keras::config::inspect_range(file.source, place.offset, place.length, file.budget, facts);
}
