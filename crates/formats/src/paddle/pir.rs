//! Programs as JSON, as PaddlePaddle writes them from version 3 on. Names are shortened: `1.conv2d` is `pd_op.conv2d`.

use crate::child::Role;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::huggingface::inspect_json;
use crate::json::{Event, Segment, Value, looks_like_json, walk};
use crate::source::Source;

use super::operators::Operators;

/// The shortened name of the set that custom operators are in.
const CUSTOM: &str = "3";

static META: Meta = Meta {
    id: "paddle-pir",
    title: "PaddlePaddle program as JSON",
    extensions: &[],
    depth: Depth::Full,
    reads: "every operator of every block, and every value as a configuration",
    specification: "https://github.com/PaddlePaddle/Paddle/tree/develop/paddle/fluid/pir/serialize_deserialize",
};

/// The format.
#[derive(Debug)]
pub struct PaddlePir;

impl Format for PaddlePir {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        looks_like_json(&probe.head).filter(|_| probe.role == Role::Unknown)?;
        let head = String::from_utf8_lossy(&probe.head);
        let words = ["\"base_code\"", "\"magic\"", "\"pir\""];
        words.iter().all(|word| head.contains(word)).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "PaddlePaddle");
        inspect_json(source, context, false, facts);
        let mut operators = Operators::default();
        walk(source, 0, u64::MAX, context.budget, &mut |event| operator(&event, &mut operators, facts));
        operators.report(facts);
    }
}

/// `ops[…]["#"]` at any depth: blocks hold operators, which hold blocks.
fn operator(event: &Event<'_>, operators: &mut Operators, facts: &mut Facts) {
    let [.., Segment::Key(list), Segment::Index(_), Segment::Key(key)] = event.path else { return };
    let Value::Text(name) = event.value else { return };
    if list == "ops" && key == "#" {
        let (set, short) = name.split_once('.').unwrap_or(("", name));
        let short: String = short.chars().take(300).collect();
        operators.add(short, set == CUSTOM || set == "custom_op", event.offset, facts);
    }
}
