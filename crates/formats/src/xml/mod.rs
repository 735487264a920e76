//! XML as hostile input: streamed, bounded, with the offset of everything; and the models that are written in it.
//!
//! No tree is built and no entity is expanded. Whatever the file is called, its outermost element decides what is looked
//! for in it.

mod doctype;
mod openvino;
mod plain;
mod pmml;
mod reader;
#[cfg(test)]
mod tests;
mod token;

pub use openvino::OpenVino;
pub use plain::Xml;
pub use pmml::Pmml;

use crate::facts::Facts;
use crate::format::Context;
use crate::source::{Source, read_up_to};
use crate::unrecognised::unrecognised;
use token::{Element, Run};

/// White space that may stand before a document.
const HEAD: usize = 4096;

/// What a kind of document makes of its parts.
trait Visitor {
    /// An element opens. `path` has the local names that lead to it.
    fn start(&mut self, element: &Element, path: &[String], facts: &mut Facts);

    /// Text within the innermost element of `path`.
    fn text(&mut self, _run: &Run, _path: &[String], _facts: &mut Facts) {}

    /// An element of this local name closes; `path` leads to it.
    fn end(&mut self, _name: &str, _path: &[String], _facts: &mut Facts) {}

    /// The document has ended.
    fn finish(&mut self, _facts: &mut Facts) {}

    /// Whether it is a model, which needs no declarations of entities at all.
    fn is_model(&self) -> bool {
        true
    }
}

/// The visitor for a document with this outermost element.
fn visitor_for(root: &Element, file: &str) -> Box<dyn Visitor> {
    match root.local() {
        "PMML" => Box::new(pmml::PmmlVisitor::default()),
        "net" if root.attribute("version").is_some() => Box::new(openvino::NetVisitor::new(file)),
        _ => Box::new(plain::PlainVisitor::default()),
    }
}

/// Reads any XML.
fn inspect_xml(source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
    let head = read_up_to(source, 0, HEAD);
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).trim_ascii_start();
    let starts: [&[u8]; 5] = [b"<", b"\xFF\xFE", b"\xFE\xFF", b"\0", b"\x4C\x6F\xA7\x94"];
    if starts.iter().any(|start| text.starts_with(start)) {
        reader::Reader::new(source, context, facts).document();
    } else {
        unrecognised(source, context, "an XML document", facts);
    }
}
