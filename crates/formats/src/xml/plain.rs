//! XML that is no model: described, and judged by what it makes its reader fetch.

use super::token::Element;
use super::{Visitor, inspect_xml, reader};
use crate::child::Role;
use crate::fact::{FactKind, Position, ReferenceKind};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::Source;
use crate::wide_text::is_wide;

/// Namespaces that are named.
const MAX_NAMESPACES: usize = 16;

static META: Meta = Meta {
    id: "xml",
    title: "XML document",
    extensions: &["xml", "svg", "xsd", "xsl", "xslt"],
    depth: Depth::Surface,
    reads: "that it is well formed, its outermost element, and entities, inclusions and definitions that it declares",
    specification: "https://www.w3.org/TR/xml/",
};

/// The format.
#[derive(Debug)]
pub struct Xml;

impl Format for Xml {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers || is_wide(&probe.head) {
            return None;
        }
        let root = reader::root_of(&probe.head);
        let is_model =
            root.as_ref().is_some_and(|(root, tag)| super::pmml::is_root(root) || super::openvino::is_root(root, tag));
        (!is_model && is_xml(probe, root.is_some())).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        inspect_xml(source, context, facts);
    }
}

/// A declaration says so in any encoding; without one, the name has to.
fn is_xml(probe: &Probe<'_>, has_root: bool) -> bool {
    let head = probe.head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&probe.head).trim_ascii_start();
    let declared: [&[u8]; 6] = [
        b"<?xml",
        b"<\0?\0x\0m\0l\0",
        b"\0<\0?\0x\0m\0l",
        b"\xFF\xFE<\0?\0x\0m\0l\0",
        b"\xFE\xFF\0<\0?\0x\0m\0l",
        b"\x4C\x6F\xA7\x94\x93",
    ];
    let named = META.extensions.contains(&probe.extension().as_str());
    // A declaration of the document type is HTML more often, which no reader of XML is given.
    let typed = head.starts_with(b"<!DOCTYPE")
        && !head.get(..64).unwrap_or(head).to_ascii_lowercase().windows(4).any(|word| word == b"html");
    declared.iter().any(|start| head.starts_with(start)) || typed || named && has_root
}

/// Says which document it is.
#[derive(Debug, Default)]
pub(super) struct PlainVisitor {
    elements: u64,
    namespaces: usize,
}

impl Visitor for PlainVisitor {
    fn start(&mut self, element: &Element, path: &[String], facts: &mut Facts) {
        self.elements = self.elements.saturating_add(1);
        if path.is_empty() {
            facts.property("document", shorten(element.local().to_owned(), 200));
        }
        for attribute in element.attributes.iter().filter(|attribute| attribute.name.starts_with("xmlns")) {
            if self.namespaces < MAX_NAMESPACES {
                self.namespaces = self.namespaces.saturating_add(1);
                let (key, value) = (shorten(attribute.name.clone(), 200), shorten(attribute.value.clone(), 200));
                facts.push(Position::Offset(attribute.offset), FactKind::Metadata { key, value });
            }
        }
        kernel(element, path, facts);
    }

    fn finish(&mut self, facts: &mut Facts) {
        facts.property("elements", self.elements.to_string());
    }

    fn is_model(&self) -> bool {
        false
    }
}

/// `<CustomLayer><Kernel><Source filename=…>`: OpenVINO compiles that file for the GPU.
fn kernel(element: &Element, path: &[String], facts: &mut Facts) {
    let within = path.iter().any(|name| name == "CustomLayer");
    let file = element.attribute("filename").filter(|_| within && element.local() == "Source");
    if let Some(file) = file {
        let target = shorten(file.to_owned(), 200);
        facts.push(Position::Offset(element.offset), FactKind::Reference { kind: ReferenceKind::RemoteCode, target });
    }
}
