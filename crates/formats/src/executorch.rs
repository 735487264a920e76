//! ExecuTorch: a FlatBuffer of plans that name kernels and delegates, and segments of bytes behind it.

use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{Anomaly, Effect, FactKind, Gap, Operator, Position};
use crate::facts::Facts;
use crate::flatbuffers::{Broken, FlatBuffer, Table, Vector};
use crate::foreign;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::Span;
use crate::source::{Source, Window, read_up_to};

/// Bytes of a name that are read.
const MAX_NAME: usize = 300;
/// Steps that reading a table costs.
const TABLE: u64 = 256;
/// Bytes between parts that are too few to hide anything.
const MAX_GAP: u64 = 16;
/// Operators that are told apart.
const MAX_OPERATORS: usize = 10_000;
/// Bytes of padding that writers put between segments and behind the last: a page of a large-page machine.
const MAX_PADDING: u64 = 65_536;

/// Backends that come with the runtime.
const BACKENDS: &[&str] = &[
    "ArmBackend",
    "CoreMLBackend",
    "CudaBackend",
    "EnnBackend",
    "EthosUBackend",
    "MPSBackend",
    "MetalBackend",
    "NeuronBackend",
    "NeutronBackend",
    "NxpNeutronBackend",
    "OpenvinoBackend",
    "QnnBackend",
    "TOSABackend",
    "VGFBackend",
    "VulkanBackend",
    "XnnpackBackend",
];

/// Sets of operators that the runtime's own kernels serve.
const DOMAINS: &[&str] = &[
    "aten",
    "prim",
    "prims",
    "executorch_prim",
    "dim_order_ops",
    "_clone_dim_order",
    "et_vk",
    "quantized_decomposed",
    "llama",
    "torchao",
    "cadence",
    "cortex_m",
    "quantized_ops",
    "et_copy",
    "higher_order",
    "bundled_program",
];

static META: Meta = Meta {
    id: "executorch",
    title: "ExecuTorch program",
    extensions: &["pte", "ptd"],
    depth: Depth::Surface,
    reads: "extended header, operators, delegates and where the segments lie; not the values and instructions",
    specification: "https://github.com/pytorch/executorch/blob/main/schema/program.fbs",
};

/// The format.
#[derive(Debug)]
pub struct ExecuTorch;

impl Format for ExecuTorch {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let identifier = probe.head.get(4..8)?;
        let known = matches!(identifier, [b'E' | b'F', b'T', a, b] if a.is_ascii_digit() && b.is_ascii_digit());
        let extended = matches!(probe.head.get(8..12), Some(b"eh00" | b"FH01"));
        known.then_some(if extended { Certainty::Certain } else { Certainty::Likely })
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let head = read_up_to(source, 0, 64);
        facts.property("framework", "ExecuTorch");
        facts.property("identifier", String::from_utf8_lossy(head.get(4..8).unwrap_or_default()));
        let is_data = head.get(4) == Some(&b'F');
        let expected: &[u8] = if is_data { b"FT01" } else { b"ET12" };
        if head.get(4..8) != Some(expected) {
            let detail = "the identifier is not that of the version that is read here";
            facts.incomplete(4, Gap::Unsupported, detail);
        }
        let (program, segments) = extended(&head, source.len(), is_data, facts);
        let window = Window::new(source, 0, program);
        let buffer = FlatBuffer::new(&window);
        let mut reader = Reader { source, facts, budget: context.budget, segments, length: source.len(), end: program };
        let read = buffer.root().and_then(|root| if is_data { reader.data(&root) } else { reader.program(&root) });
        if let Err(error) = read {
            facts.anomaly(error.offset, Anomaly::OutOfBounds, error.what);
            return;
        }
        let end = reader.end;
        // Values and instructions are not read one by one, so what is between the parts that are is searched.
        for (start, stop) in buffer.gaps(MAX_GAP).into_iter().chain([(buffer.end(), program)]) {
            let span = Span { offset: start, length: stop.saturating_sub(start) };
            foreign::search(source, span, context.budget, facts);
        }
        tail(source, end, facts);
    }
}

/// Sizes of program and segments from the header behind the identifier; the whole file when there is none.
fn extended(head: &[u8], length: u64, is_data: bool, facts: &mut Facts) -> (u64, u64) {
    let number = |at: usize| {
        let bytes = head.get(at..at.saturating_add(8)).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_le_bytes)
    };
    let (program, segments) = match (head.get(8..12), is_data) {
        (Some(b"eh00"), false) => (number(16), number(24)),
        // Offset and size of the structure, then offset and size of the segments.
        (Some(b"FH01"), true) => (number(16).saturating_add(number(24)), number(32)),
        _ => return (length, 0),
    };
    if program > length || segments > length || program < 8 {
        let detail = format!("the header says {program} bytes of program and segments at {segments} of {length}");
        facts.anomaly(8, Anomaly::OutOfBounds, detail);
    }
    (program.min(length), segments)
}

struct Reader<'f> {
    source: &'f dyn Source,
    facts: &'f mut Facts,
    budget: &'f Budget,
    segments: u64,
    length: u64,
    end: u64,
}

impl Reader<'_> {
    fn each<'t>(
        &mut self,
        vector: Option<Vector<'t>>,
        mut visit: impl FnMut(&mut Self, Table<'t>) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let Some(vector) = vector else { return Ok(()) };
        for index in 0..vector.count {
            if let Err(error) = self.budget.operate(TABLE) {
                self.facts.incomplete(vector.start, Gap::Limit, error.to_string());
                return Ok(());
            }
            visit(self, vector.table(index)?)?;
        }
        Ok(())
    }

    fn program(&mut self, root: &Table<'_>) -> Result<(), Broken> {
        self.facts.property("version", root.u32(0)?.unwrap_or(0).to_string());
        let inline = root.vector(3, 4)?.map_or(0, |list| list.count);
        self.each(root.vector(2, 4)?, |reader, constant| reader.bytes(&constant, "constant", false))?;
        self.each(root.vector(3, 4)?, |reader, data| reader.bytes(&data, "delegate", true))?;
        let segments = root.vector(4, 4)?;
        let count = segments.map_or(0, |list| list.count);
        self.each(segments, |reader, segment| reader.segment(&segment))?;
        let mut operators = BTreeMap::new();
        self.each(root.vector(1, 4)?, |reader, plan| {
            reader.facts.property("plan", plan.text(0, MAX_NAME)?);
            reader.each(plan.vector(6, 4)?, |reader, operator| reader.operator(&operator, &mut operators))?;
            reader.each(plan.vector(7, 4)?, |reader, delegate| reader.delegate(&delegate, inline, count))
        })?;
        for (at, operator) in operators.into_values() {
            self.facts.push(Position::Offset(at), FactKind::Operator(operator));
        }
        Ok(())
    }

    /// A file of tensors: the segments are the numbers.
    fn data(&mut self, root: &Table<'_>) -> Result<(), Broken> {
        self.facts.property("version", root.u32(0)?.unwrap_or(0).to_string());
        self.facts.property("kind", "tensors");
        self.each(root.vector(1, 4)?, |reader, segment| reader.segment(&segment))
    }

    /// Bytes in the structure itself.
    fn bytes(&mut self, table: &Table<'_>, name: &str, is_text: bool) -> Result<(), Broken> {
        if let Some(data) = table.vector(0, 1)? {
            let span = Span { offset: data.start, length: data.count };
            foreign::open(self.source, name, span, is_text, self.budget, self.facts);
        }
        Ok(())
    }

    fn segment(&mut self, table: &Table<'_>) -> Result<(), Broken> {
        let (offset, size) = (table.u64(0)?.unwrap_or(0), table.u64(1)?.unwrap_or(0));
        let start = self.segments.saturating_add(offset);
        let end = start.saturating_add(size);
        if end > self.length {
            let detail = format!("a segment of {size} bytes at {start} ends outside the file");
            self.facts.anomaly(table.offset, Anomaly::OutOfBounds, detail);
        }
        let span = Span { offset: start, length: size };
        foreign::open(self.source, "segment", span, false, self.budget, self.facts);
        self.end = self.end.max(end);
        Ok(())
    }

    fn operator(
        &mut self,
        table: &Table<'_>,
        known: &mut BTreeMap<(String, String), (u64, Operator)>,
    ) -> Result<(), Broken> {
        let whole = table.text(0, MAX_NAME)?;
        let (domain, name) = whole.split_once("::").unwrap_or(("", &whole));
        let effect = if DOMAINS.contains(&domain) { Effect::Computes } else { Effect::Custom };
        let key = (domain.to_owned(), name.to_owned());
        if known.len() >= MAX_OPERATORS && !known.contains_key(&key) {
            self.facts.incomplete(table.offset, Gap::Limit, format!("more than {MAX_OPERATORS} operators"));
            return Ok(());
        }
        let first = Operator { name: name.to_owned(), domain: domain.to_owned(), effect, count: 0 };
        let (_, operator) = known.entry(key).or_insert((table.offset, first));
        operator.count = operator.count.saturating_add(1);
        Ok(())
    }

    /// Part of the graph that a backend runs, in a form of its own.
    fn delegate(&mut self, table: &Table<'_>, inline: u64, segments: u64) -> Result<(), Broken> {
        let id = table.text(0, MAX_NAME)?;
        if let Some(place) = table.table(1)? {
            let index = u64::from(place.u32(1)?.unwrap_or(0));
            let most = if place.u8(0)?.unwrap_or(0) == 0 { inline } else { segments };
            if index >= most {
                let detail = format!("delegate '{id}' has its data at place {index} of {most}");
                self.facts.anomaly(table.offset, Anomaly::OutOfBounds, detail);
            }
        }
        let effect = if BACKENDS.contains(&id.as_str()) { Effect::Computes } else { Effect::Custom };
        let operator = Operator { name: id, domain: "delegate".to_owned(), effect, count: 1 };
        self.facts.push(Position::Offset(table.offset), FactKind::Operator(operator));
        Ok(())
    }
}

fn tail(source: &dyn Source, end: u64, facts: &mut Facts) {
    let rest = source.len().saturating_sub(end);
    let glance = read_up_to(source, end, 4096);
    if rest == 0 || (rest <= MAX_PADDING && glance.iter().all(|byte| *byte == 0)) {
        return;
    }
    facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the last segment"));
    facts.push(Position::Offset(end), FactKind::Child(Child::stored(format!("trailing@{end}"), end, rest)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};
    use waag_testkit::flatbuffers::{Field, write};

    fn program(operator: &str, backend: &str) -> Vec<u8> {
        let operators = Field::Tables(vec![vec![Field::Text(operator.into())]]);
        let place = Field::Table(vec![Field::Byte(1), Field::Word(0)]);
        let delegates = Field::Tables(vec![vec![Field::Text(backend.into()), place]]);
        let mut plan = vec![Field::Text("forward".into())];
        plan.extend([Field::Absent, Field::Absent, Field::Absent, Field::Absent, Field::Absent]);
        plan.extend([operators, delegates]);
        let segments = Field::Tables(vec![vec![Field::Long(0), Field::Long(4)]]);
        write(b"ET12", &[Field::Word(0), Field::Tables(vec![plan]), Field::Absent, Field::Absent, segments])
    }

    #[test]
    fn operators_and_delegates_are_told() {
        let facts = inspect(&ExecuTorch, "a.pte", &program("aten::add", "XnnpackBackend"));
        assert_eq!(oddities(&facts), Vec::<String>::new());
        let effects = |bytes: &[u8]| {
            let facts = inspect(&ExecuTorch, "a.pte", bytes);
            let effect =
                |kind: &FactKind| if let FactKind::Operator(it) = kind { Some(it.effect.clone()) } else { None };
            facts.list().iter().filter_map(|fact| effect(&fact.kind)).collect::<Vec<_>>()
        };
        assert_eq!(effects(&program("aten::add", "XnnpackBackend")), [Effect::Computes, Effect::Computes]);
        assert_eq!(effects(&program("my::add", "Odd")), [Effect::Custom, Effect::Custom]);
    }

    #[test]
    fn other_versions_and_hidden_programs_are_not_cleared() {
        let mut bytes = program("aten::add", "XnnpackBackend");
        bytes.extend(b"\x80\x02cos\nsystem\nU\x0fecho waag-inert\x85R.");
        let facts = inspect(&ExecuTorch, "a.pte", &bytes);
        assert!(facts.has_anomaly(Anomaly::HiddenContent));
        bytes[6..8].copy_from_slice(b"99");
        assert!(oddities(&inspect(&ExecuTorch, "a.pte", &bytes)).contains(&"Unsupported@4".to_owned()));
    }

    #[test]
    fn corrupted_programs_do_not_panic() {
        mutate(&program("aten::add", "XnnpackBackend"), 3000, |bytes| {
            inspect(&ExecuTorch, "a.pte", &bytes);
        });
    }
}
