//! PMML: models as documents. What a document makes its evaluator do are functions, and some evaluators take the name of a
//! function with a dot in it for a Java class, which they load and call.

use std::collections::{BTreeMap, BTreeSet};

use super::token::{Element, Run};
use super::{Visitor, inspect_xml, reader};
use crate::child::{Child, Encoding, Role};
use crate::fact::{Anomaly, Callable, Code, Effect, FactKind, Gap, Operator, Position, Runs, Standing, Usage};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::java;
use crate::source::{Source, read_up_to};

/// Different functions that are listed.
const MAX_FUNCTIONS: usize = 10_000;
/// Extensions that are listed.
const MAX_EXTENSIONS: usize = 200;
/// Texts of Base64 that are opened.
const MAX_PAYLOADS: usize = 1000;
/// Characters of Base64 below which nothing is hidden.
const MIN_PAYLOAD: u64 = 256;
/// How pickles, zip archives and ELF programs start as Base64; those are opened however short they are.
const STARTS: &[&str] = &["gAJ", "gAN", "gAS", "gAV", "UEsDB", "f0VMR"];
/// Characters of Base64 that such a file has at the least.
const SHORTEST: u64 = 16;
/// How much of a document is looked at for the outermost element, when its start is long.
const HEAD: usize = 64 << 10;

/// Functions of the standard, up to version 4.4.
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "+", "-", "*", "/", "min", "max", "sum", "avg", "median", "product", "log10", "ln", "sqrt", "abs", "exp", "pow",
    "threshold", "floor", "ceil", "round", "modulo", "isMissing", "isNotMissing", "isValid", "isNotValid", "equal",
    "notEqual", "lessThan", "lessOrEqual", "greaterThan", "greaterOrEqual", "and", "or", "not", "isIn", "isNotIn", "if",
    "uppercase", "lowercase", "substring", "trimBlanks", "concat", "replace", "matches", "formatNumber",
    "formatDatetime", "dateDaysSinceYear", "dateSecondsSinceYear", "dateSecondsSinceMidnight", "normalCDF", "normalPDF",
    "stdNormalCDF", "stdNormalPDF", "stdNormalIDF", "normalIDF", "erf", "expm1", "hypot", "ln1p", "rint", "sin", "asin", "sinh",
    "cos", "acos", "cosh", "tan", "atan", "tanh", "stringLength",
];

static META: Meta = Meta {
    id: "pmml",
    title: "PMML model",
    extensions: &["pmml", "xml"],
    depth: Depth::Full,
    reads: "every element: models, functions (also those that name Java classes), extensions, tables kept elsewhere, entities",
    specification: "https://dmg.org/pmml/v4-4-1/GeneralStructure.html",
};

/// The format.
#[derive(Debug)]
pub struct Pmml;

pub(super) fn is_root(root: &str) -> bool {
    root == "PMML"
}

impl Format for Pmml {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers || !probe.head.contains(&b'<') {
            return None;
        }
        let found = |head: &[u8]| reader::root_of(head).is_some_and(|(root, _)| is_root(&root));
        // What stands before the outermost element may be longer than what is usually looked at.
        let found = found(&probe.head) || probe.extension() == "pmml" && found(&read_up_to(probe.source, 0, HEAD));
        found.then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        inspect_xml(source, context, facts);
    }
}

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct PmmlVisitor {
    functions: BTreeMap<String, (u64, u64)>,
    defined: BTreeSet<String>,
    fields: u64,
    models: u64,
    extensions: usize,
    payloads: usize,
    is_cut: bool,
}

impl Visitor for PmmlVisitor {
    fn start(&mut self, element: &Element, path: &[String], facts: &mut Facts) {
        if path.is_empty() {
            facts.property("version", element.attribute("version").unwrap_or("none"));
            return;
        }
        self.model(element, path, facts);
        match element.local() {
            "Application" => application(element, facts),
            "DataField" => self.fields = self.fields.saturating_add(1),
            "Apply" => self.apply(element),
            "DefineFunction" => self.define(element),
            "Extension" => self.extension(element, facts),
            "TableLocator" => table(element, facts),
            "script" => script(element, facts),
            _ if path.iter().any(|name| name == "TableLocator") => addresses(element, facts),
            _ => {}
        }
    }

    fn text(&mut self, run: &Run, path: &[String], facts: &mut Facts) {
        if path.iter().any(|name| name == "Extension") && run.is_base64 {
            self.payload(run.offset, run.length, &run.start, facts);
        }
    }

    fn finish(&mut self, facts: &mut Facts) {
        facts.property("models", self.models.to_string());
        facts.property("fields", self.fields.to_string());
        for (name, (count, offset)) in &self.functions {
            facts.push(Position::Offset(*offset), self.function(name, *count));
        }
        if self.is_cut {
            facts.incomplete(0, Gap::Limit, format!("more than {MAX_FUNCTIONS} different functions"));
        }
    }
}

impl PmmlVisitor {
    /// What a function is. A definition does not stop an evaluator that looks for a class of the name first.
    fn function(&self, name: &str, count: u64) -> FactKind {
        let is_own = self.defined.contains(name) || FUNCTIONS.contains(&name);
        let class =
            name.rsplit_once('.').filter(|_| !is_own || matches!(java::judge(name), Standing::Dangerous { .. }));
        if let Some((package, class)) = class {
            return java_function(package, class, count);
        }
        let effect = if is_own { Effect::Computes } else { Effect::Custom };
        FactKind::Operator(Operator { name: name.to_owned(), domain: String::new(), effect, count })
    }

    /// `TreeModel`, `RegressionModel` … on the first level; what lies deeper is part of one.
    fn model(&mut self, element: &Element, path: &[String], facts: &mut Facts) {
        let name = element.local();
        let is_model = name.ends_with("Model") || matches!(name, "NeuralNetwork" | "Scorecard" | "BayesianNetwork");
        if path.len() == 1 && is_model {
            self.models = self.models.saturating_add(1);
            facts.property("architecture", name);
            if let Some(task) = element.attribute("functionName") {
                facts.property("task", shorten(task.to_owned(), 200));
            }
        }
    }

    fn apply(&mut self, element: &Element) {
        let Some(name) = element.attribute("function") else { return };
        if let Some((count, _)) = self.functions.get_mut(name) {
            *count = count.saturating_add(1);
        } else if self.functions.len() < MAX_FUNCTIONS {
            self.functions.insert(shorten(name.to_owned(), 500), (1, element.offset));
        } else {
            self.is_cut = true;
        }
    }

    fn define(&mut self, element: &Element) {
        if let Some(name) = element.attribute("name").filter(|_| self.defined.len() < MAX_FUNCTIONS) {
            self.defined.insert(shorten(name.to_owned(), 500));
        }
    }

    /// Base64 long enough to be a file.
    fn payload(&mut self, offset: u64, length: u64, start: &str, facts: &mut Facts) {
        let is_file = length >= SHORTEST && STARTS.iter().any(|known| start.trim_start().starts_with(known));
        if length < MIN_PAYLOAD && !is_file {
            return;
        }
        self.payloads = self.payloads.saturating_add(1);
        if self.payloads > MAX_PAYLOADS {
            if self.payloads == MAX_PAYLOADS.saturating_add(1) {
                facts.incomplete(offset, Gap::Limit, format!("more than {MAX_PAYLOADS} extensions carry Base64"));
            }
            return;
        }
        let stored = Child::stored(format!("payload@{offset}"), offset, length);
        let child = Child { encoding: Encoding::Base64, declared: None, ..stored };
        facts.push(Position::Offset(offset), FactKind::Child(child));
    }

    /// Anything may stand in an extension, for whoever knows it.
    fn extension(&mut self, element: &Element, facts: &mut Facts) {
        let Some(value) = element.find("value") else { return };
        if value.is_base64 {
            self.payload(value.offset, value.length, &value.value, facts);
        }
        if self.extensions < MAX_EXTENSIONS {
            self.extensions = self.extensions.saturating_add(1);
            let key = shorten(element.attribute("name").unwrap_or("Extension").to_owned(), 200);
            let text = shorten(value.value.clone(), 500);
            facts.push(Position::Offset(element.offset), FactKind::Metadata { key, value: text });
        }
    }
}

fn application(element: &Element, facts: &mut Facts) {
    let name = element.attribute("name").unwrap_or_default();
    let version = element.attribute("version").unwrap_or_default();
    facts.property("producer", shorten(format!("{name} {version}").trim().to_owned(), 200));
}

fn java_function(package: &str, class: &str, count: u64) -> FactKind {
    let full = format!("{package}.{class}");
    FactKind::Callable(Callable {
        module: package.to_owned(),
        name: class.to_owned(),
        usage: Usage::Reduce,
        standing: java::judge(&full),
        expression: format!("<Apply function=\"{full}\">"),
        count,
    })
}

/// A table that is not in the document.
fn table(element: &Element, facts: &mut Facts) {
    let detail = "a table of the model is kept elsewhere, and was not read";
    facts.incomplete(element.offset, Gap::Missing, detail);
    addresses(element, facts);
}

fn addresses(element: &Element, facts: &mut Facts) {
    let is_address =
        |value: &&str| value.contains("://") || value.starts_with("jdbc:") || value.starts_with(['/', '\\']);
    let values = element.attributes.iter().filter(|attribute| !attribute.name.starts_with("xmlns"));
    if let Some(address) = values.map(|attribute| attribute.value.as_str()).find(is_address) {
        let detail = format!("a table at '{}'", shorten(address.to_owned(), 200));
        facts.anomaly(element.offset, Anomaly::ExternalData, detail);
    }
}

fn script(element: &Element, facts: &mut Facts) {
    let language = element.attribute("language").or(element.attribute("type")).unwrap_or("a script").to_owned();
    let name = format!("<{}>", element.name);
    let code = Code { name, language: shorten(language, 100).into(), runs: Runs::Used, excerpt: String::new() };
    facts.push(Position::Offset(element.offset), FactKind::Code(code));
}
