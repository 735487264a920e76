//! Models compiled for one machine or one company's devices: formats without a public specification. They are told apart
//! and searched for programs and plugins, and the rest is said not to be analysed.

use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::child::{Child, Role};
use crate::fact::{Anomaly, Code, Effect, FactKind, Gap, Operator, Position, ReferenceKind, Runs};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe, extension};
use crate::source::{Source, read_up_to};
use crate::text::is_text;

/// Bytes of the description that some exporters write before an engine.
const MAX_DESCRIPTION: u64 = 1 << 20;
/// How much of an engine is searched.
const MAX_SEARCHED: u64 = 1 << 30;
/// How much is searched at once.
const CHUNK: usize = 256 << 10;
/// What must be at hand behind a place that is looked at.
const OVERLAP: usize = 256;
/// Programs that are listed.
const MAX_PROGRAMS: usize = 16;
/// Characters of a path.
const MAX_PATH: usize = 200;
/// Plugins that are listed.
const MAX_PLUGINS: usize = 200;
/// Places of code that are listed.
const MAX_CODE: usize = 16;
/// Text of code that is shown.
const SHOWN: usize = 80;
/// Commands and source code, which nothing that was compiled for a device has in it.
const CODE: &[(&[u8], &str)] = &[
    (b"os.system(", "Python"),
    (b"os.popen(", "Python"),
    (b"import os\n", "Python"),
    (b"import os;", "Python"),
    (b"import subprocess", "Python"),
    (b"subprocess.", "Python"),
    (b"__import__(", "Python"),
    (b"exec(", "Python"),
    (b"eval(", "Python"),
    (b"/bin/sh", "shell"),
    (b"/bin/bash", "shell"),
    (b"/dev/tcp/", "shell"),
    (b"bash -i", "shell"),
    (b"powershell", "shell"),
    (b"cmd.exe", "shell"),
    (b"curl http", "shell"),
    (b"wget http", "shell"),
];
/// Endings of libraries of machine code.
const LIBRARIES: &[&[u8]] = &[b".so", b".dll", b".dylib"];
/// Libraries that the runtimes of such models bring with them.
const OWN_LIBRARIES: &[&str] =
    &["libnv", "nvinfer", "libcu", "cuda", "librknn", "libhailort", "libtensorrt", "libc.", "libm."];
/// The machine of an ELF file for NVIDIA's GPUs.
const CUDA: u16 = 190;

/// Signatures at the start.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"ptrt", "TensorRT engine"),
    (b"ftrt", "TensorRT engine"),
    (b"RKNN", "RKNN model"),
    (b"CYPTRKNN", "encrypted RKNN model"),
    (b"\x01HEF", "Hailo executable"),
    (b"KMDL", "Kendryte model"),
    (b"IMOD", "Ascend offline model"),
    (b"AXMODEL", "Axera model"),
    (b"\xB7\x9C\x04\x05\x4F\x8D\xE5\xF7", "TVM parameters"),
    (b"VPMN", "VeriSilicon graph"),
    (b"\x50\xED\x55\xBA", CUDA_PROGRAMS),
];

const CUDA_PROGRAMS: &str = "CUDA fat binary";

/// Endings of formats without a signature.
const ENDINGS: &[(&str, &str)] = &[
    ("engine", "TensorRT engine"),
    ("plan", "TensorRT engine"),
    ("trt", "TensorRT engine"),
    ("etlt", "encrypted TAO model"),
    ("tlt", "encrypted TAO model"),
    ("mnn", "MNN model"),
    ("nb", "Paddle Lite model"),
    ("kmodel", "Kendryte model"),
    ("om", "Ascend offline model"),
    ("tmfile", "Tengine model"),
    ("hef", "Hailo executable"),
    ("rknn", "RKNN model"),
    ("axmodel", "Axera model"),
    ("blob", "OpenVINO compiled model"),
];

static META: Meta = Meta {
    id: "compiled-model",
    title: "model compiled for one device",
    extensions: &[
        "engine", "plan", "trt", "rknn", "hef", "kmodel", "axmodel", "om", "etlt", "tlt", "mnn", "tmfile", "fatbin",
    ],
    depth: Depth::Surface,
    reads: "which kind it is; programs and names of plugins within it",
    specification: "https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/advanced.html",
};

/// The formats.
#[derive(Debug)]
pub struct CompiledModel;

impl Format for CompiledModel {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role == Role::Numbers {
            return None;
        }
        told(probe.source, probe.name).map(|(certainty, ..)| certainty)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let (kind, start) = told(source, context.name).map_or(("compiled model", 0), |(_, kind, start)| (kind, start));
        facts.property("kind", kind);
        if kind == CUDA_PROGRAMS {
            facts.anomaly(0, Anomaly::Executable, "machine code for NVIDIA's GPUs");
        }
        if kind.starts_with("encrypted") {
            facts.anomaly(0, Anomaly::Encrypted, kind);
        }
        if start > 0 {
            let child = Child::stored("description", 4, start.saturating_sub(4));
            facts.push(Position::Offset(4), FactKind::Child(child));
        }
        Search {
            source,
            budget: context.budget,
            programs: 0,
            gpu: 0,
            plugins: BTreeMap::new(),
            libraries: BTreeMap::new(),
            code: 0,
        }
        .run(start, facts);
        facts.incomplete(
            start,
            Gap::Unsupported,
            format!("{kind}: there is no public specification, so it was only searched"),
        );
    }
}

/// What these bytes are, and where it starts: Ultralytics writes a length and a description before an engine.
fn told(source: &dyn Source, name: &str) -> Option<(Certainty, &'static str, u64)> {
    let head = read_up_to(source, 0, 16);
    let signed =
        |head: &[u8]| SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)).map(|(_, kind)| *kind);
    if let Some(kind) = signed(&head) {
        return Some((Certainty::Certain, kind, 0));
    }
    let (length, rest) = head.split_first_chunk::<4>()?;
    let start = u64::from(u32::from_le_bytes(*length)).saturating_add(4);
    if rest.starts_with(b"{") && start <= MAX_DESCRIPTION {
        let behind = read_up_to(source, start, 4);
        if let Some(kind) = signed(&behind).filter(|kind| kind.starts_with("TensorRT")) {
            return Some((Certainty::Certain, kind, start));
        }
    }
    let ending = extension(name);
    // Notebooks of Mathematica and lists of patterns end so too.
    if ending == "nb" && is_text(&read_up_to(source, 0, 4096)) {
        return None;
    }
    let (_, kind) = ENDINGS.iter().find(|(known, _)| *known == ending)?;
    Some((Certainty::Possible, kind, 0))
}

/// A look at every byte for what starts a program, and for words that name plugins.
struct Search<'s> {
    source: &'s dyn Source,
    budget: &'s Budget,
    programs: usize,
    gpu: u64,
    plugins: BTreeMap<String, (u64, u64)>,
    libraries: BTreeMap<String, u64>,
    code: usize,
}

impl Search<'_> {
    fn run(mut self, start: u64, facts: &mut Facts) {
        let mut offset = start;
        while offset < self.source.len() && offset.saturating_sub(start) < MAX_SEARCHED {
            if self.budget.operate(CHUNK as u64 / 64).is_err() {
                break;
            }
            let chunk = read_up_to(self.source, offset, CHUNK.saturating_add(OVERLAP));
            for (index, byte) in chunk.iter().enumerate().take(CHUNK) {
                let rest = || chunk.get(index..).unwrap_or_default();
                match byte {
                    0x7F | b'M' => self.program(rest(), offset.saturating_add(index as u64), facts),
                    b'.' => self.library(&chunk, index, offset),
                    b'_' => {
                        self.plugin(&chunk, index, offset);
                        self.source_code(rest(), offset.saturating_add(index as u64), facts);
                    }
                    b'/' | b'a'..=b'z' => self.source_code(rest(), offset.saturating_add(index as u64), facts),
                    _ => {}
                }
            }
            offset = offset.saturating_add(CHUNK as u64);
        }
        self.say(facts);
    }

    fn program(&mut self, rest: &[u8], at: u64, facts: &mut Facts) {
        if rest.starts_with(b"\x7FELF") && matches!(rest.get(4), Some(1 | 2)) {
            let machine = rest.get(18..20).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes);
            if machine == CUDA {
                self.gpu = self.gpu.saturating_add(1);
                return;
            }
        } else if !is_windows_program(rest, self.source, at) {
            return;
        }
        self.programs = self.programs.saturating_add(1);
        if self.programs <= MAX_PROGRAMS {
            let child = Child::stored(format!("program@{at:#x}"), at, self.source.len().saturating_sub(at));
            facts.push(Position::Offset(at), FactKind::Child(child));
        }
    }

    /// `EfficientNMS_TRT`: plugins are called so, and every one is code of a library that has to be there.
    fn plugin(&mut self, chunk: &[u8], index: usize, offset: u64) {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let Some(behind) = chunk.get(index..).and_then(|rest| rest.strip_prefix(b"_TRT")) else { return };
        let before = chunk.get(..index).unwrap_or_default();
        let length = before.iter().rev().take_while(|byte| is_word(byte)).take(60).count();
        let name = before.get(index.saturating_sub(length)..).unwrap_or_default();
        if behind.first().is_some_and(is_word) || length < 3 || self.plugins.len() >= MAX_PLUGINS {
            return;
        }
        let name = format!("{}_TRT", String::from_utf8_lossy(name));
        let at = offset.saturating_add(index.saturating_sub(length) as u64);
        let (count, _) = self.plugins.entry(name).or_insert((0, at));
        *count = count.saturating_add(1);
    }

    /// Commands and source code among what was compiled.
    fn source_code(&mut self, rest: &[u8], at: u64, facts: &mut Facts) {
        let Some((_, language)) = CODE.iter().find(|(start, _)| rest.starts_with(start)) else { return };
        self.code = self.code.saturating_add(1);
        if self.code > MAX_CODE {
            return;
        }
        let is_shown = |byte: &&u8| byte.is_ascii_graphic() || **byte == b' ';
        let excerpt: Vec<u8> = rest.iter().take_while(is_shown).take(SHOWN).copied().collect();
        let excerpt = String::from_utf8_lossy(&excerpt).into_owned();
        let code = Code { name: format!("text at {at:#x}"), language: (*language).into(), runs: Runs::Used, excerpt };
        facts.push(Position::Offset(at), FactKind::Code(code));
    }

    /// The path of a library that is not the runtime's own: `/tmp/libodd.so`.
    fn library(&mut self, chunk: &[u8], index: usize, offset: u64) {
        let rest = chunk.get(index..).unwrap_or_default();
        let Some(ending) = LIBRARIES.iter().copied().find(|ending| rest.starts_with(ending)) else { return };
        let is_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+./\\:".contains(byte);
        let before = chunk.get(..index).unwrap_or_default();
        let length = before.iter().rev().take_while(|byte| is_path(byte)).take(MAX_PATH).count();
        let ends = rest.get(ending.len()).is_none_or(|next| !next.is_ascii_alphanumeric());
        let start = index.saturating_sub(length);
        let path = String::from_utf8_lossy(chunk.get(start..index.saturating_add(ending.len())).unwrap_or_default());
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let own = OWN_LIBRARIES.iter().any(|own| name.starts_with(own));
        if length >= 3 && ends && !own && self.libraries.len() < MAX_PLUGINS {
            self.libraries.entry(path.into_owned()).or_insert(offset.saturating_add(start as u64));
        }
    }

    fn say(self, facts: &mut Facts) {
        if self.gpu > 0 {
            facts.property("programs for the GPU", self.gpu.to_string());
        }
        for (target, offset) in self.libraries {
            facts.push(Position::Offset(offset), FactKind::Reference { kind: ReferenceKind::Library, target });
        }
        for (name, (count, offset)) in self.plugins {
            let operator = Operator { name, domain: "TensorRT plugin".into(), effect: Effect::Custom, count };
            facts.push(Position::Offset(offset), FactKind::Operator(operator));
        }
    }
}

/// `MZ`, and where it says so `PE`.
fn is_windows_program(rest: &[u8], source: &dyn Source, at: u64) -> bool {
    let place = rest.strip_prefix(b"MZ").and_then(|_| rest.get(0x3C..0x40)).and_then(|bytes| bytes.try_into().ok());
    let place = place.map_or(0, u32::from_le_bytes);
    (0x40..0x1000).contains(&place) && read_up_to(source, at.saturating_add(u64::from(place)), 4) == b"PE\0\0"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn engine(machine: u8) -> Vec<u8> {
        let mut bytes = b"ptrt\0\0\0\0 EfficientNMS_TRT\0 x_TRTs".to_vec();
        bytes.extend(b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0");
        bytes.extend([machine, 0, 0, 0, 0, 0]);
        bytes
    }

    fn count(facts: &Facts, wanted: fn(&FactKind) -> bool) -> usize {
        facts.list().iter().filter(|fact| wanted(&fact.kind)).count()
    }

    #[test]
    fn plugins_and_programs_of_an_engine_are_told() {
        let facts = inspect(&CompiledModel, "a.engine", &engine(62));
        assert_eq!(oddities(&facts), ["Unsupported@0"]);
        assert_eq!(count(&facts, |kind| matches!(kind, FactKind::Child(_))), 1);
        assert_eq!(count(&facts, |kind| matches!(kind, FactKind::Operator(_))), 1);
    }

    #[test]
    fn programs_for_the_gpu_are_what_an_engine_is_made_of() {
        let facts = inspect(&CompiledModel, "a.engine", &engine(190));
        assert_eq!(count(&facts, |kind| matches!(kind, FactKind::Child(_))), 0);
        assert_eq!(facts.find_property("programs for the GPU"), Some("1"));
    }

    #[test]
    fn libraries_and_source_code_are_told() {
        let bytes = b"ftrt\0\0\0\0libnvinfer.so.8\0/tmp/libodd.so\0 import os\nos.system('echo waag-inert')\0";
        let facts = inspect(&CompiledModel, "a.engine", bytes);
        let libraries = facts.list().iter().filter_map(|fact| match &fact.kind {
            FactKind::Reference { kind: ReferenceKind::Library, target } => Some(target.as_str()),
            _ => None,
        });
        assert_eq!(libraries.collect::<Vec<_>>(), ["/tmp/libodd.so"]);
        assert_eq!(count(&facts, |kind| matches!(kind, FactKind::Code(_))), 2);
    }

    #[test]
    fn a_description_before_an_engine_is_a_child() {
        let bytes = [b"\x02\0\0\0{}".to_vec(), engine(190)].concat();
        let found = CompiledModel.recognise(&Probe::new(&bytes, "yolo.bin", Role::Unknown));
        assert_eq!(found, Some(Certainty::Certain));
        assert_eq!(oddities(&inspect(&CompiledModel, "yolo.engine", &bytes)), ["Unsupported@6"]);
    }

    #[test]
    fn encrypted_models_and_programs_are_told() {
        assert_eq!(oddities(&inspect(&CompiledModel, "a.etlt", b"xxxxxxxx")), ["Encrypted@0", "Unsupported@0"]);
        assert_eq!(oddities(&inspect(&CompiledModel, "a", b"\x50\xED\x55\xBA")), ["Executable@0", "Unsupported@0"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&engine(62), 2000, |bytes| drop(inspect(&CompiledModel, "a.engine", &bytes)));
    }
}
