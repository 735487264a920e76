//! CNTK: a dictionary of dictionaries in Protocol Buffers (version 2); the first version is only told apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::callable;
use crate::child::Role;
use crate::fact::{Anomaly, Callable, Effect, FactKind, Gap, Operator, Position, Usage};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::schema::{Reader, Schema, Shape, many, once};
use crate::protobuf::{Message, Span, Wire};
use crate::source::Source;

use Shape::{Double, Float, Message as Inner, Number, Opaque, Text};

/// Dictionaries and lists within each other.
const MAX_DEPTH: u32 = 48;
/// Bytes of the keys of all open dictionaries that are compared; what is behind them is not.
const MAX_HELD: usize = 16 << 20;
/// What a key costs besides its own bytes.
const KEY: usize = 64;
/// What the first version's files begin with: `B`, `C`, `N`, `T` as wide characters or narrow ones.
const FIRST: &[&[u8]] = &[b"B\0C\0N\0", b"BCN\0", b"BCNT"];
/// Keys that the outermost dictionary has.
const KEYS: &[&str] = &["version", "type", "root", "uid", "name", "inputs", "primitive_functions", "outputs"];

static META: Meta = Meta {
    id: "cntk",
    title: "CNTK model",
    extensions: &["cntk", "dnn"],
    depth: Depth::Full,
    reads: "every dictionary of version 2: kinds of functions, and the Python they name; version 1 is only told apart",
    specification: "https://github.com/microsoft/CNTK/blob/master/Source/CNTKv2LibraryDll/proto/CNTK.proto",
};

static DICTIONARY: Schema =
    Schema { name: "Dictionary", fields: &[once(1, "version", Number), many(2, "data", Inner(&ENTRY))] };
static ENTRY: Schema = Schema { name: "DataEntry", fields: &[once(1, "key", Text), once(2, "value", Inner(&VALUE))] };
static VALUE: Schema = Schema {
    name: "DictionaryValue",
    fields: &[
        once(1, "version", Number),
        once(2, "value_type", Number),
        once(3, "bool_value", Number),
        once(4, "int_value", Number),
        once(5, "size_t_value", Number),
        once(6, "float_value", Float),
        once(7, "double_value", Double),
        once(8, "string_value", Text),
        once(9, "nd_shape_value", Opaque),
        once(10, "axis_value", Opaque),
        once(11, "vector_value", Inner(&VECTOR)),
        once(12, "dictionary_value", Inner(&DICTIONARY)),
        once(13, "nd_array_view_value", Opaque),
    ],
};
static VECTOR: Schema = Schema { name: "Vector", fields: &[many(1, "value", Inner(&VALUE))] };

/// The format.
#[derive(Debug)]
pub struct Cntk;

impl Format for Cntk {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let first = probe.head.first().filter(|_| probe.role == Role::Unknown)?;
        if FIRST.iter().any(|magic| probe.starts_with(magic)) {
            return Some(Certainty::Likely);
        }
        (matches!(first, 0x08 | 0x12) && is_dictionary(probe.source)).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let head = crate::source::read_up_to(source, 0, 8);
        if FIRST.iter().any(|magic| head.starts_with(magic)) {
            return facts.incomplete(0, Gap::Unsupported, "version 1 of CNTK's format is not read");
        }
        let mut reader = Reader::new(source, context.budget, facts);
        let mut functions = Functions::default();
        dictionary(&mut reader, Span::whole(source), &mut functions, MAX_DEPTH);
        functions.report(reader.facts);
    }
}

/// A version, and entries with the keys that a model has. TensorFlow's models have messages where these have keys.
fn is_dictionary(source: &dyn Source) -> bool {
    let mut message = Message::new(source, Span::whole(source));
    for _ in 0..64 {
        let Ok(Some(field)) = message.next() else { return false };
        match (field.number, field.wire) {
            (1, Wire::Varint(..=100)) => {}
            (2, Wire::Bytes(entry)) => {
                let mut fields = Message::new(source, entry);
                let Ok(Some(key)) = fields.next() else { return false };
                let text = key.span().filter(|_| key.number == 1).map(|span| span.text(source, 40));
                return text.is_some_and(|text| KEYS.contains(&text.as_str()));
            }
            _ => return false,
        }
    }
    false
}

/// Functions by their kind.
#[derive(Debug, Default)]
struct Functions {
    kinds: BTreeMap<(String, bool), (u64, u64)>,
    /// What the keys of the open dictionaries take.
    held: usize,
    is_cut: bool,
}

/// Texts of one dictionary that say what it is.
#[derive(Debug, Default)]
struct Told {
    kind: Option<String>,
    module: Option<String>,
    class: Option<String>,
    operator: Option<String>,
    is_user: bool,
}

fn dictionary(reader: &mut Reader<'_, '_>, span: Span, functions: &mut Functions, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else {
        let detail = format!("dictionaries lie more than {MAX_DEPTH} deep in each other");
        return reader.facts.incomplete(span.offset, Gap::Depth, detail);
    };
    let mut told = Told::default();
    let mut keys = BTreeSet::new();
    let mut fields = reader.open(span, &DICTIONARY);
    while let Some(field) = reader.next(&mut fields) {
        let Some(inner) = field.span() else { continue };
        let (key, value) = entry(reader, inner);
        functions.unique(&mut keys, &key, inner.offset, reader.facts);
        if let Some(value) = value {
            self::value(reader, value, &key, &mut told, functions, depth);
        }
    }
    functions.held = functions.held.saturating_sub(keys.iter().map(|key| key.len().saturating_add(KEY)).sum());
    functions.note(told, span.offset, reader.facts);
}

fn entry(reader: &mut Reader<'_, '_>, span: Span) -> (String, Option<Span>) {
    let (mut key, mut value) = (String::new(), None);
    let mut fields = reader.open(span, &ENTRY);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (1, Some(text)) => key = reader.name(text),
            (_, inner) => value = inner,
        }
    }
    (key, value)
}

fn value(reader: &mut Reader<'_, '_>, span: Span, key: &str, told: &mut Told, functions: &mut Functions, depth: u32) {
    let Some(depth) = depth.checked_sub(1) else {
        let detail = format!("values lie more than {MAX_DEPTH} deep in each other");
        return reader.facts.incomplete(span.offset, Gap::Depth, detail);
    };
    let mut fields = reader.open(span, &VALUE);
    while let Some(field) = reader.next(&mut fields) {
        match (field.number, field.span()) {
            (8, Some(text)) => told.text(key, reader.name(text)),
            (3, None) if key == "native" => told.is_user = true,
            (5, None) if key == "op" => told.operator = field.integer().map(|number| format!("operator {number}")),
            (11, Some(vector)) => {
                let mut items = reader.open(vector, &VECTOR);
                while let Some(item) = reader.next(&mut items) {
                    if let Some(item) = item.span() {
                        value(reader, item, "", told, functions, depth);
                    }
                }
            }
            (12, Some(inner)) => dictionary(reader, inner, functions, depth),
            _ => {}
        }
    }
}

impl Told {
    fn text(&mut self, key: &str, text: String) {
        match key {
            "type" => self.kind = Some(text),
            "module" => self.module = Some(text),
            "class" => self.class = Some(text),
            "op" | "op_name" | "user_function_op_name" => self.operator = Some(text),
            _ => {}
        }
    }
}

impl Functions {
    /// Two values under one key: readers differ in which they take.
    fn unique(&mut self, keys: &mut BTreeSet<String>, key: &str, at: u64, facts: &mut Facts) {
        if keys.contains(key) {
            facts.anomaly(at, Anomaly::DuplicateName, format!("a dictionary has `{key}` twice"));
        } else if self.held < MAX_HELD {
            self.held = self.held.saturating_add(key.len()).saturating_add(KEY);
            keys.insert(key.to_owned());
        } else if !self.is_cut {
            self.is_cut = true;
            facts.incomplete(at, Gap::Limit, "there are more keys than are compared");
        }
    }

    fn note(&mut self, told: Told, at: u64, facts: &mut Facts) {
        if let (Some(module), Some(name)) = (&told.module, &told.class) {
            let (module, name) = (module.clone(), name.clone());
            let standing = callable::judge(&module, &name, Usage::Instantiate, None);
            let expression = format!("from {module} import {name}");
            let callable = Callable { module, name, usage: Usage::Instantiate, standing, expression, count: 1 };
            facts.push(Position::Offset(at), FactKind::Callable(callable));
        }
        let is_user = told.is_user || told.kind.as_deref().is_some_and(|kind| kind.contains("UserFunction"));
        let Some(name) = told.operator.or(told.kind.filter(|_| is_user)) else { return };
        if self.kinds.len() < 4096 {
            let (_, count) = self.kinds.entry((name, is_user)).or_insert((at, 0));
            *count = count.saturating_add(1);
        }
    }

    fn report(self, facts: &mut Facts) {
        for ((name, is_user), (at, count)) in self.kinds {
            let effect = if is_user { Effect::Custom } else { Effect::Computes };
            let operator = Operator { name, domain: String::new(), effect, count };
            facts.push(Position::Offset(at), FactKind::Operator(operator));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};
    use waag_testkit::assemble::bytes;

    /// A model with one function, whose dictionary has these texts.
    fn model(texts: &[(&str, &str)]) -> Vec<u8> {
        let entry =
            |(key, text): &(&str, &str)| format!("2 {{\n1 = \"{key}\"\n2 {{\n1 = 1\n2 = 6\n8 = \"{text}\"\n}}\n}}\n");
        let inner: String = texts.iter().map(entry).collect();
        let function = format!("1 {{\n1 = 1\n2 = 10\n12 {{\n1 = 1\n{inner}}}\n}}\n");
        let list = format!("2 {{\n1 = \"primitive_functions\"\n2 {{\n1 = 1\n2 = 9\n11 {{\n{function}}}\n}}\n}}");
        bytes(
            "protobuf",
            &format!("1 = 1\n2 {{\n1 = \"type\"\n2 {{\n1 = 1\n2 = 6\n8 = \"CompositeFunction\"\n}}\n}}\n{list}"),
        )
        .unwrap()
        .1
    }

    #[test]
    fn dictionaries_are_read() {
        let bytes = model(&[("type", "PrimitiveFunction"), ("name", "x")]);
        assert!(Cntk.recognise(&Probe::new(&bytes, "x", Role::Unknown)).is_some());
        assert!(oddities(&inspect(&Cntk, "x.cntk", &bytes)).is_empty());
    }

    #[test]
    fn functions_of_users_are_told() {
        let facts = inspect(&Cntk, "x", &model(&[("type", "UserFunction"), ("module", "os"), ("class", "system")]));
        let is_told =
            |fact: &crate::fact::Fact| matches!(&fact.kind, FactKind::Callable(callable) if callable.module == "os");
        assert!(facts.list().iter().any(is_told));
        assert!(
            facts
                .list()
                .iter()
                .any(|fact| matches!(&fact.kind, FactKind::Operator(operator) if operator.effect == Effect::Custom))
        );
        assert_eq!(oddities(&inspect(&Cntk, "x", &model(&[("a", "1"), ("a", "2")]))).len(), 1);
    }

    #[test]
    fn keys_are_compared_only_as_far_as_there_is_room() {
        let (mut functions, mut facts) = (Functions::default(), Facts::new());
        for level in 0..8 {
            let mut keys = BTreeSet::new();
            (0..100_000u64).for_each(|key| functions.unique(&mut keys, &key.to_string(), level, &mut facts));
        }
        assert!(functions.held < MAX_HELD + 1000);
        assert_eq!(oddities(&facts), ["Limit@2"]);
    }

    #[test]
    fn the_first_version_is_not_read() {
        assert_eq!(oddities(&inspect(&Cntk, "x.dnn", b"B\0C\0N\0T\0\0\0")), ["Unsupported@0"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&model(&[("type", "UserFunction")]), 1000, |bytes| drop(inspect(&Cntk, "", &bytes)));
    }
}
