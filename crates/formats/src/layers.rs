//! Networks written as lists of layers in text: Darknet's configurations and NCNN's parameters; and Darknet's weights.

use std::collections::BTreeMap;

use crate::child::Role;
use crate::cursor::Cursor;
use crate::embedded;
use crate::fact::{Anomaly, Effect, FactKind, Gap, Operator, Position, ReferenceKind};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source, read_up_to};
use crate::text::is_text;
use crate::unrecognised::unrecognised;

/// Bytes of a line.
const MAX_LINE: usize = 64 << 10;
/// Kinds of layers that are listed.
const MAX_KINDS: usize = 5000;
/// First line of NCNN's text.
const NCNN_MAGIC: &[u8] = b"7767517";
/// The same as a number, in NCNN's compiled parameters.
const NCNN_COMPILED: &[u8] = &[0xDD, 0x85, 0x76, 0];

static DARKNET: Meta = Meta {
    id: "darknet",
    title: "Darknet network",
    extensions: &["cfg"],
    depth: Depth::Full,
    reads: "the sections, each of which is a layer",
    specification: "https://github.com/AlexeyAB/darknet/wiki/CFG-Parameters-in-the-different-layers",
};

/// Darknet's configuration.
#[derive(Debug)]
pub struct Darknet;

impl Format for Darknet {
    fn meta(&self) -> &'static Meta {
        &DARKNET
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers || !is_text(&probe.head) {
            return None;
        }
        let first = probe.head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let section =
            first.into_iter().find(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b";"))?;
        matches!(section, b"[net]" | b"[network]").then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        if !is_text(&read_up_to(source, 0, 4096)) {
            return unrecognised(source, context, "a configuration", facts);
        }
        facts.property("framework", "Darknet");
        let mut kinds = Kinds::default();
        let mut picture = Picture::default();
        lines(source, context, facts, |at, line| {
            picture.line(at, line);
            let section = line.strip_prefix('[').and_then(|rest| rest.split(']').next());
            if let Some(section) = section.filter(|section| !matches!(*section, "net" | "network")) {
                kinds.add(section, at);
            }
        });
        picture.check(facts);
        kinds.say(facts, |_| Effect::Computes);
    }
}

/// Bytes of a picture that no network takes.
const MAX_PICTURE: u64 = 1 << 34;

/// What a network takes, by its first section: memory for it is taken before anything else is read.
#[derive(Debug, Default)]
struct Picture {
    sections: u32,
    extents: u64,
    offset: u64,
}

impl Picture {
    fn line(&mut self, at: u64, line: &str) {
        if line.starts_with('[') {
            self.sections = self.sections.saturating_add(1);
            if self.sections == 1 {
                (self.extents, self.offset) = (4, at);
            }
        }
        let Some((key, value)) = line.split_once('=').filter(|_| self.sections == 1) else { return };
        if let (true, Ok(value)) = (matches!(key.trim(), "width" | "height" | "channels"), value.trim().parse::<u64>())
        {
            self.extents = self.extents.saturating_mul(value.max(1));
        }
    }

    fn check(&self, facts: &mut Facts) {
        if self.extents > MAX_PICTURE {
            let detail = format!("the network takes pictures of {} bytes", self.extents);
            facts.anomaly(self.offset, Anomaly::AllocationBomb, detail);
        }
    }
}

static NCNN: Meta = Meta {
    id: "ncnn",
    title: "NCNN network",
    extensions: &["param"],
    depth: Depth::Full,
    reads: "the layers and their kinds, against the number that is declared",
    specification: "https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure",
};

/// NCNN's parameters.
#[derive(Debug)]
pub struct Ncnn;

impl Format for Ncnn {
    fn meta(&self) -> &'static Meta {
        &NCNN
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers {
            return None;
        }
        let text = probe
            .head
            .strip_prefix(NCNN_MAGIC)
            .is_some_and(|rest| rest.starts_with(b"\n") || rest.starts_with(b"\r\n"));
        let compiled = probe.starts_with(NCNN_COMPILED) && probe.name.ends_with(".param.bin");
        (text || compiled).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let head = read_up_to(source, 0, NCNN_MAGIC.len());
        if head != NCNN_MAGIC && !head.starts_with(NCNN_COMPILED) {
            return unrecognised(source, context, "an NCNN network", facts);
        }
        facts.property("framework", "NCNN");
        if Cursor::sparing(source, 0).take(4).is_ok_and(|head| head == NCNN_COMPILED) {
            return facts.incomplete(0, Gap::Unsupported, "the layers are compiled to numbers");
        }
        let (mut kinds, mut number, mut declared) = (Kinds::default(), 0u64, None);
        lines(source, context, facts, |at, line| {
            let mut words = line.split_ascii_whitespace();
            match (number, words.next()) {
                (_, None) => return,
                (0, _) => {}
                (1, Some(count)) => declared = count.parse::<u64>().ok(),
                (_, Some(kind)) => kinds.add(kind, at),
            }
            number = number.saturating_add(1);
        });
        let layers = number.saturating_sub(2);
        if declared != Some(layers) {
            let declared = declared.map_or("no".to_owned(), |count| count.to_string());
            facts.anomaly(0, Anomaly::Malformed, format!("{declared} layers are declared where {layers} are"));
        }
        let name = context.name.rsplit(['/', '\\']).next().unwrap_or_default();
        if let Some(stem) = name.strip_suffix(".param") {
            let target = format!("{stem}.bin");
            facts.push(Position::Whole, FactKind::Reference { kind: ReferenceKind::Numbers, target });
        }
        // What its converter could not turn into layers keeps the name it had.
        kinds.say(facts, |kind| if kind.contains(['.', ':']) { Effect::Custom } else { Effect::Computes });
    }
}

/// Kinds of layers, how many there are and where the first is.
#[derive(Debug, Default)]
struct Kinds {
    kinds: BTreeMap<String, (u64, u64)>,
    is_cut: bool,
}

impl Kinds {
    fn add(&mut self, kind: &str, at: u64) {
        if let Some((count, _)) = self.kinds.get_mut(kind) {
            *count = count.saturating_add(1);
        } else if self.kinds.len() < MAX_KINDS {
            self.kinds.insert(shorten(kind.to_owned(), 200), (1, at));
        } else {
            self.is_cut = true;
        }
    }

    fn say(self, facts: &mut Facts, effect: fn(&str) -> Effect) {
        for (name, (count, offset)) in self.kinds {
            let operator = Operator { effect: effect(&name), name, domain: String::new(), count };
            facts.push(Position::Offset(offset), FactKind::Operator(operator));
        }
        if self.is_cut {
            facts.incomplete(0, Gap::Limit, format!("more than {MAX_KINDS} kinds of layers"));
        }
    }
}

/// Calls with every line and where it starts.
fn lines(source: &dyn Source, context: &Context<'_>, facts: &mut Facts, mut line: impl FnMut(u64, &str)) {
    let mut cursor = Cursor::new(source, 0);
    while cursor.remaining() > 0 {
        let at = cursor.position();
        if let Err(limit) = context.budget.operate(1) {
            return facts.incomplete(at, Gap::Limit, limit.to_string());
        }
        let rest = usize::try_from(cursor.remaining()).unwrap_or(usize::MAX);
        let bytes = match cursor.line(MAX_LINE) {
            Err(ReadError::End) if rest < MAX_LINE => cursor.take(rest),
            other => other,
        };
        match bytes {
            Ok(bytes) if bytes.contains(&0) => {
                return facts.anomaly(at, Anomaly::HiddenContent, "what starts as text goes on as binary data");
            }
            Ok(bytes) => line(at, String::from_utf8_lossy(bytes).trim()),
            Err(_) => return facts.incomplete(at, Gap::Limit, format!("a line is longer than {MAX_LINE} bytes")),
        }
    }
}

static WEIGHTS: Meta = Meta {
    id: "darknet-weights",
    title: "Darknet weights",
    extensions: &["weights"],
    depth: Depth::Full,
    reads: "the version, and that numbers follow to the end",
    specification: "https://github.com/AlexeyAB/darknet/blob/master/src/parser.c",
};

/// Darknet's weights: numbers without names.
#[derive(Debug)]
pub struct DarknetWeights;

impl Format for DarknetWeights {
    fn meta(&self) -> &'static Meta {
        &WEIGHTS
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let named = probe.role != Role::Numbers && probe.extension() == "weights";
        (named && header(probe.source).is_some()).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let Some((version, length)) = header(source) else {
            return unrecognised(source, context, "Darknet's weights", facts);
        };
        facts.property("framework", "Darknet");
        facts.property("version", version);
        let bytes = source.len().saturating_sub(length);
        facts.property("numbers", (bytes / 4).to_string());
        embedded::open(source, "numbers", length, bytes, facts);
        if !bytes.is_multiple_of(4) {
            facts.anomaly(length, Anomaly::SizeMismatch, format!("{bytes} bytes are no whole count of numbers"));
        }
    }
}

/// The version, and how long the header is: the count of pictures seen has grown to eight bytes.
fn header(source: &dyn Source) -> Option<(String, u64)> {
    let mut cursor = Cursor::sparing(source, 0);
    let (major, minor, revision) = (cursor.u32().ok()?, cursor.u32().ok()?, cursor.u32().ok()?);
    if major > 0 || !(1..=5).contains(&minor) || revision > 100 {
        return None;
    }
    let length = if minor >= 2 { 20 } else { 16 };
    (source.len() >= length).then(|| (format!("{major}.{minor}.{revision}"), length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    const PARAM: &[u8] = b"7767517\n2 2\nInput data 0 1 data 0=3\nConvolution c 1 1 data c 0=8\n";

    fn operators(facts: &Facts) -> usize {
        facts.list().iter().filter(|fact| matches!(fact.kind, FactKind::Operator(_))).count()
    }

    #[test]
    fn layers_are_counted() {
        let facts = inspect(&Ncnn, "a.param", PARAM);
        assert_eq!((operators(&facts), oddities(&facts)), (2, Vec::new()));
        let facts = inspect(&Darknet, "a.cfg", b"# yolo\n[net]\nbatch=1\n[convolutional]\n[yolo]\n[convolutional]");
        assert_eq!((operators(&facts), oddities(&facts)), (2, Vec::new()));
    }

    #[test]
    fn pictures_beyond_memory_are_told() {
        let large = b"[net]\nwidth=2000000000\nheight=2000000000\nchannels=3\n[convolutional]\n";
        assert_eq!(oddities(&inspect(&Darknet, "a.cfg", large)), ["AllocationBomb@0"]);
        let plain = b"[net]\nbatch=64\nwidth=608\nheight=608\nchannels=3\n[convolutional]\nwidth=2000000000000\n";
        assert!(oddities(&inspect(&Darknet, "a.cfg", plain)).is_empty());
    }

    #[test]
    fn layers_that_are_not_there_are_told() {
        let bytes = [PARAM, b"ReLU r 1 1 c r\n"].concat();
        assert_eq!(oddities(&inspect(&Ncnn, "a.param", &bytes)), ["Malformed@0"]);
    }

    #[test]
    fn weights_are_whole_numbers() {
        let mut bytes = [0u32, 2, 5, 0, 0].map(u32::to_le_bytes).concat();
        bytes.extend([0; 8]);
        assert!(oddities(&inspect(&DarknetWeights, "a.weights", &bytes)).is_empty());
        bytes.push(0);
        assert_eq!(oddities(&inspect(&DarknetWeights, "a.weights", &bytes)), ["SizeMismatch@20"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(PARAM, 1500, |bytes| drop((inspect(&Ncnn, "", &bytes), inspect(&Darknet, "", &bytes))));
        mutate(&[0; 40], 300, |bytes| drop(inspect(&DarknetWeights, "", &bytes)));
    }
}
