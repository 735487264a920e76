//! MATLAB's files: variables, which may be functions and objects as well as numbers.

use crate::child::{Child, Encoding, Role};
use crate::cursor::Cursor;
use crate::fact::{Anomaly, Callable, Code, FactKind, Gap, Position, Runs, Tensor, Usage};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::java;
use crate::source::{ReadError, Source, read_up_to};

/// Variables within variables.
const MAX_DEPTH: u32 = 32;
/// Variables of one file.
const MAX_VARIABLES: u64 = 10_000;
/// Where the first variable of a file is.
const HEADER: u64 = 128;
/// Dimensions of a variable.
const MAX_DIMENSIONS: usize = 64;
/// Bytes of a name.
const MAX_NAME: u64 = 256;

/// Types of elements that matter.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Classes of MATLAB's own that hold data.
const DATA_CLASSES: &[&str] =
    &["string", "table", "timetable", "datetime", "duration", "calendarDuration", "categorical", "containers.Map"];

static META: Meta = Meta {
    id: "matlab",
    title: "MATLAB variables",
    extensions: &["mat"],
    depth: Depth::Full,
    reads: "every variable's class, shape and size; functions and objects among them",
    specification: "https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf",
};

/// The format.
#[derive(Debug)]
pub struct Matlab;

impl Format for Matlab {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers {
            return None;
        }
        if is_file(&probe.head).is_some() {
            return Some(Certainty::Certain);
        }
        let is_old = probe.extension() == "mat" && old_variable(probe.source, 0).is_some();
        (is_element(&probe.head, probe.source.len()) || is_old).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let head = read_up_to(source, 0, 128);
        if let Some(is_big) = is_file(&head) {
            facts.property("version", "5");
            let text = String::from_utf8_lossy(head.get(..116).unwrap_or_default()).trim().to_owned();
            facts.property("producer", text.trim_end_matches('\0'));
            return Variables { source, context, facts, is_big }.all(HEADER);
        }
        if is_element(&head, source.len()) {
            // Written by this file's own rules: the other byte order would have made another number of the type.
            return Variables { source, context, facts, is_big: head.first() == Some(&0) }.all(0);
        }
        old(source, context, facts);
    }
}

/// Whether this is a file of version 5, and if so whether its numbers are big-endian.
fn is_file(head: &[u8]) -> Option<bool> {
    if !head.starts_with(b"MATLAB 5") {
        return None;
    }
    match head.get(124..128)? {
        [0, 1, b'I', b'M'] => Some(false),
        [1, 0, b'M', b'I'] => Some(true),
        _ => None,
    }
}

/// Whether this is one variable, as it comes out of a compressed one.
fn is_element(head: &[u8], length: u64) -> bool {
    let Some((tag, rest)) = head.split_first_chunk::<8>() else { return false };
    let [a, b, c, d, e, f, g, h] = *tag;
    let little =
        [a, b, c, d] == [14, 0, 0, 0] && u64::from(u32::from_le_bytes([e, f, g, h])).checked_add(8) == Some(length);
    let big =
        [a, b, c, d] == [0, 0, 0, 14] && u64::from(u32::from_be_bytes([e, f, g, h])).checked_add(8) == Some(length);
    little && rest.starts_with(&[6, 0, 0, 0, 8, 0, 0, 0]) || big && rest.starts_with(&[0, 0, 0, 6, 0, 0, 0, 8])
}

/// Type, where the data are, their length, where the next element is.
struct Element {
    kind: u32,
    data: u64,
    length: u64,
    next: u64,
}

struct Variables<'v> {
    source: &'v dyn Source,
    context: &'v Context<'v>,
    facts: &'v mut Facts,
    is_big: bool,
}

impl Variables<'_> {
    fn all(&mut self, start: u64) {
        let (mut at, mut count) = (start, 0u64);
        while at < self.source.len() {
            if let Err(limit) = self.context.budget.operate(1) {
                return self.facts.incomplete(at, Gap::Limit, limit.to_string());
            }
            let Ok(element) = self.element(at, self.source.len()) else {
                return self.facts.anomaly(at, Anomaly::OutOfBounds, "a variable ends past the file's end");
            };
            count = count.saturating_add(1);
            if count > MAX_VARIABLES {
                return self.facts.incomplete(at, Gap::Limit, format!("more than {MAX_VARIABLES} variables"));
            }
            match element.kind {
                MATRIX => self.matrix(&element, 0),
                COMPRESSED => self.compressed(&element, count),
                other => self.facts.incomplete(at, Gap::Unsupported, format!("an element of the type {other}")),
            }
            // A compressed variable is not filled up to eight bytes.
            at = if element.kind == COMPRESSED { element.data.saturating_add(element.length) } else { element.next };
        }
        self.facts.property("variables", count.to_string());
    }

    fn compressed(&mut self, element: &Element, count: u64) {
        let name = format!("variable {count}");
        let child =
            Child { encoding: Encoding::Zlib, declared: None, ..Child::stored(name, element.data, element.length) };
        self.facts.push(Position::Offset(element.data), FactKind::Child(child));
    }

    fn element(&self, at: u64, end: u64) -> Result<Element, ReadError> {
        let first = self.number(at)?;
        // Up to four bytes stand in the tag itself.
        let small = u64::from(first >> 16);
        let (kind, data, length) = if small > 0 {
            (first & 0xFFFF, at.saturating_add(4), small)
        } else {
            (first, at.saturating_add(8), u64::from(self.number(at.saturating_add(4))?))
        };
        let past = data.saturating_add(length);
        if past > end || small > 4 {
            return Err(ReadError::End);
        }
        let next = if small > 0 {
            at.saturating_add(8)
        } else {
            at.saturating_add(8).saturating_add(length.next_multiple_of(8))
        };
        Ok(Element { kind, data, length, next })
    }

    fn number(&self, at: u64) -> Result<u32, ReadError> {
        let value = Cursor::sparing(self.source, at).u32()?;
        Ok(if self.is_big { value.swap_bytes() } else { value })
    }

    fn text(&self, element: &Element) -> String {
        let bytes = read_up_to(self.source, element.data, usize::try_from(element.length.min(MAX_NAME)).unwrap_or(0));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn matrix(&mut self, element: &Element, depth: u32) {
        if depth > MAX_DEPTH {
            return self.facts.incomplete(element.data, Gap::Depth, format!("variables lie deeper than {MAX_DEPTH}"));
        }
        if element.length == 0 {
            return;
        }
        if self.parts(element, depth).is_err() {
            self.facts.anomaly(element.data, Anomaly::OutOfBounds, "a part of a variable ends past its end");
        }
    }

    fn parts(&mut self, element: &Element, depth: u32) -> Result<(), ReadError> {
        let end = element.data.saturating_add(element.length);
        let flags = self.element(element.data, end)?;
        let class = self.number(flags.data)? & 0xFF;
        if class == 17 {
            return self.opaque(flags.next, end);
        }
        let dimensions = self.element(flags.next, end)?;
        let name = self.element(dimensions.next, end)?;
        let shown = self.text(&name);
        self.kind(class, &shown, element.data);
        let (mut at, mut is_first) = (name.next, true);
        while at < end {
            if let Err(limit) = self.context.budget.operate(1) {
                self.facts.incomplete(at, Gap::Limit, limit.to_string());
                return Ok(());
            }
            let part = self.element(at, end)?;
            if part.kind == MATRIX {
                self.matrix(&part, depth.saturating_add(1));
            } else if is_first && (6..=15).contains(&class) && depth == 0 {
                self.tensor(&dimensions, class, &shown, part.length)?;
            }
            is_first = false;
            at = part.next;
        }
        Ok(())
    }

    /// What a class is beside numbers, text and containers.
    fn kind(&mut self, class: u32, name: &str, at: u64) {
        match class {
            16 => {
                let name = if name.is_empty() { "a variable within another".to_owned() } else { name.to_owned() };
                let code =
                    Code { name, language: "a MATLAB function".into(), runs: Runs::Used, excerpt: String::new() };
                self.facts.push(Position::Offset(at), FactKind::Code(code));
            }
            3 => {
                let detail = format!("'{name}' is an object, whose class runs when it is loaded");
                self.facts.incomplete(at, Gap::Unsupported, detail);
            }
            1..=15 => {}
            other => self.facts.anomaly(at, Anomaly::Malformed, format!("a variable of the class {other}")),
        }
    }

    fn tensor(&mut self, dimensions: &Element, class: u32, name: &str, bytes: u64) -> Result<(), ReadError> {
        const CLASSES: [&str; 10] =
            ["double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"];
        let dtype = usize::try_from(class.saturating_sub(6)).ok().and_then(|index| CLASSES.get(index));
        let mut shape = Vec::new();
        let count = usize::try_from(dimensions.length / 4).unwrap_or(0).min(MAX_DIMENSIONS);
        for index in 0..count {
            let at = dimensions.data.saturating_add((index as u64).saturating_mul(4));
            shape.push(u64::from(self.number(at)?));
        }
        let tensor =
            Tensor { name: name.to_owned(), dtype: dtype.map_or("", |name| name).into(), shape, bytes: Some(bytes) };
        self.facts.push(Position::Offset(dimensions.data), FactKind::Tensor(tensor));
        Ok(())
    }

    /// An object: name, system of types, class.
    fn opaque(&mut self, at: u64, end: u64) -> Result<(), ReadError> {
        let name = self.element(at, end)?;
        let system = self.element(name.next, end)?;
        let class = self.element(system.next, end)?;
        let (system, class) = (self.text(&system), self.text(&class));
        if system == "java" {
            let (module, name) = class.rsplit_once('.').unwrap_or(("", &class));
            let callable = Callable {
                module: module.to_owned(),
                name: name.to_owned(),
                usage: Usage::Instantiate,
                standing: java::judge(&class),
                expression: format!("new {class}"),
                count: 1,
            };
            self.facts.push(Position::Offset(at), FactKind::Callable(callable));
        } else if !DATA_CLASSES.contains(&class.as_str()) {
            let detail = format!("an object of the class '{}', which runs when it is loaded", shorten(class, 200));
            self.facts.incomplete(at, Gap::Unsupported, detail);
        }
        Ok(())
    }
}

/// Version 4: numbers and text only. Gives the name and where the next variable is.
fn old_variable(source: &dyn Source, at: u64) -> Option<(Tensor, u64)> {
    let mut cursor = Cursor::sparing(source, at);
    let kind = cursor.u32().ok()?;
    let (rows, columns) = (u64::from(cursor.u32().ok()?), u64::from(cursor.u32().ok()?));
    let (imaginary, length) = (cursor.u32().ok()?, u64::from(cursor.u32().ok()?));
    let (machine, zero, precision, form) = (kind / 1000, kind / 100 % 10, kind / 10 % 10, kind % 10);
    if machine > 1 || zero != 0 || form > 2 || imaginary > 1 || !(1..=MAX_NAME).contains(&length) || machine == 1 {
        return None;
    }
    let (dtype, width) = *[("double", 8u64), ("single", 4), ("int32", 4), ("int16", 2), ("uint16", 2), ("uint8", 1)]
        .get(usize::try_from(precision).ok()?)?;
    let name = cursor.take(usize::try_from(length).ok()?).ok()?;
    let name = name.strip_suffix(b"\0").and_then(|name| std::str::from_utf8(name).ok())?.to_owned();
    let parts = if imaginary == 1 { 2 } else { 1u64 };
    let bytes = rows.checked_mul(columns)?.checked_mul(width)?.checked_mul(parts)?;
    let next = cursor.position().checked_add(bytes).filter(|next| *next <= source.len())?;
    Some((Tensor { name, dtype: dtype.into(), shape: vec![rows, columns], bytes: Some(bytes) }, next))
}

fn old(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let (mut at, mut count) = (0, 0u64);
    while at < source.len() && context.budget.operate(1).is_ok() {
        let Some((tensor, next)) = old_variable(source, at) else { break };
        facts.push(Position::Offset(at), FactKind::Tensor(tensor));
        count = count.saturating_add(1);
        at = next;
    }
    facts.property("version", "4");
    facts.property("variables", count.to_string());
    if at < source.len() {
        facts.incomplete(at, Gap::Unsupported, "what stands here is no variable that is read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn variable(class: u8, rest: &[Vec<u8>]) -> Vec<u8> {
        let flags = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
        element(MATRIX, &[flags, rest.concat()].concat())
    }

    fn numbers() -> Vec<u8> {
        variable(6, &[element(5, &[1, 0, 0, 0, 2, 0, 0, 0]), element(1, b"w"), element(9, &[0; 16])])
    }

    fn file(variables: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
        bytes.resize(124, b' ');
        bytes.extend([0, 1, b'I', b'M']);
        bytes.extend(variables.concat());
        bytes
    }

    #[test]
    fn numbers_are_numbers() {
        let facts = inspect(&Matlab, "a.mat", &file(&[numbers(), numbers()]));
        assert!(oddities(&facts).is_empty(), "{:?}", oddities(&facts));
        assert_eq!((facts.totals().tensors, facts.totals().parameters), (2, 4));
    }

    #[test]
    fn functions_and_objects_are_told_at_any_depth() {
        let function = variable(16, &[element(5, &[1, 0, 0, 0, 1, 0, 0, 0]), element(1, b"f")]);
        let cell = variable(1, &[element(5, &[1, 0, 0, 0, 1, 0, 0, 0]), element(1, b"c"), function]);
        let facts = inspect(&Matlab, "a.mat", &file(&[cell]));
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Code(_))));
        let java = variable(17, &[element(1, b"o"), element(1, b"java"), element(1, b"java.lang.Runtime")]);
        let facts = inspect(&Matlab, "a.mat", &file(&[java]));
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Callable(_))));
        let object = variable(17, &[element(1, b"o"), element(1, b"MCOS"), element(1, b"mine")]);
        assert_eq!(oddities(&inspect(&Matlab, "a.mat", &file(&[object]))).len(), 1);
    }

    #[test]
    fn a_variable_alone_is_told() {
        let bytes = numbers();
        assert_eq!(Matlab.recognise(&Probe::new(&bytes, "variable 1", Role::Unknown)), Some(Certainty::Likely));
        assert_eq!(inspect(&Matlab, "variable 1", &bytes).totals().tensors, 1);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&file(&[numbers()]), 3000, |bytes| drop(inspect(&Matlab, "a.mat", &bytes)));
    }
}
