//! ONNX as text: the form of Protocol Buffers for people, JSON, and ONNX's own syntax. Told apart, not read.

use crate::child::Role;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::Source;
use crate::text::is_text;

static META: Meta = Meta {
    id: "onnx-text",
    title: "ONNX model as text",
    extensions: &["onnxtxt", "onnxtext", "onnxjson"],
    depth: Depth::Surface,
    reads: "which kind of text it is",
    specification: "https://github.com/onnx/onnx/blob/main/docs/Syntax.md",
};

/// A model as text.
#[derive(Debug)]
pub struct OnnxText;

impl Format for OnnxText {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role != Role::Unknown || !is_text(&probe.head) {
            return None;
        }
        let named = probe.extension().starts_with("onnx") && probe.extension() != "onnx";
        let head = String::from_utf8_lossy(&probe.head);
        let start = head.trim_start();
        let is_message =
            start.starts_with("ir_version:") && (head.contains("graph {") || head.contains("opset_import"));
        let first = start.strip_prefix('<').map(str::trim_start);
        let is_syntax = first.is_some_and(|rest| rest.starts_with("ir_version:") || rest.starts_with("opset_import:"));
        (named || is_message || is_syntax).then_some(Certainty::Likely)
    }

    fn inspect(&self, _source: &dyn Source, _context: &Context<'_>, facts: &mut Facts) {
        super::unread("ONNX as text", facts);
    }
}
