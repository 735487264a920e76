//! What must hold whatever the bytes are. Fuzzers and the smoke test call these and nothing else.

use waag_engine::examine::Examination;
use waag_engine::io::MemoryPlan;
use waag_engine::ledger::entry::{self, Entry};
use waag_engine::lineage::extract::extract;
use waag_engine::lineage::graph::Graph;
use waag_engine::lineage::pages::Pages;
use waag_engine::lineage::picture::{Layout, Picture};
use waag_engine::lineage::walk::{Bits, Direction, Walk};
use waag_evidence::finding::Location;
use waag_formats::FORMATS;
use waag_formats::budget::Budget;
use waag_formats::child::{Child, Encoding, Role};
use waag_formats::fact::FactKind;
use waag_formats::facts::Facts;
use waag_formats::format::{Certainty, Context, Probe};
use waag_formats::numpy::Plain;
use waag_formats::pickle::{Place, state};
use waag_formats::weights::{self, Catalogue, Storage};
use waag_signing::bundle::Bundle;
use waag_signing::certificate::Certificate;
use waag_signing::key::{Curve, PublicKey};
use waag_signing::model_statement::{ModelStatement, write};

/// Facts that a file may give: the limits of each kind, and a small budget's members.
const MAX_FACTS: usize = 70_000;
/// Bytes that may be decoded on a small budget.
const MAX_DECODED: usize = 4 << 20;
/// Artifacts that may be reported on a small budget.
const MAX_ARTIFACTS: usize = 20_000;
/// Children of one file that are decoded.
const CHILDREN: usize = 8;

const ENCODINGS: [Encoding; 11] = [
    Encoding::Stored,
    Encoding::Deflate,
    Encoding::Zlib,
    Encoding::Gzip,
    Encoding::Bzip2,
    Encoding::Xz,
    Encoding::Lzma,
    Encoding::Zstd,
    Encoding::Lz4,
    Encoding::Base64,
    Encoding::SevenZip { index: 0 },
];

/// Reads bytes as a format, whether they look like it or not: a name can promise it, and a loader believe it.
pub fn examine(id: &str, data: &[u8]) {
    let format = FORMATS.iter().find(|format| format.meta().id == id);
    let Some(format) = format else { panic!("'{id}' is the id of no format") };
    let certainty = format.recognise(&Probe::new(&data, "model", Role::Unknown));
    let budget = Budget::small();
    let mut facts = Facts::with_steps();
    format.inspect(&data, &Context { name: "model", role: Role::Unknown, budget: &budget }, &mut facts);
    check(&facts);
    // Plain data that is well formed may leave nothing to say; what bears a signature never does.
    let is_signed = certainty == Some(Certainty::Certain);
    assert!(!is_signed || !facts.list().is_empty(), "{id} is certain of these bytes and says nothing");
    for child in facts.list().iter().filter_map(|fact| child_of(&fact.kind)).take(CHILDREN) {
        decode_child(data, child, &budget);
    }
}

/// Decodes bytes in the way that the first of them chooses.
pub fn decode(data: &[u8]) {
    let Some((choice, stored)) = data.split_first() else { return };
    let encoding = ENCODINGS[usize::from(*choice) % ENCODINGS.len()];
    let child = Child { encoding, declared: None, ..Child::stored("child", 0, stored.len() as u64) };
    decode_child(stored, &child, &Budget::small());
}

/// Looks for pickles anywhere.
pub fn search(data: &[u8]) {
    let mut facts = Facts::new();
    waag_formats::pickle::search(&data, 0, &Budget::small(), &mut facts);
    check(&facts);
    for place in [Place::Bytes, Place::Text, Place::Document] {
        let mut facts = Facts::new();
        waag_formats::pickle::search_beneath(&data, place, &Budget::small(), &mut facts);
        check(&facts);
    }
}

/// Reads weights in every way: whatever is given lies within what it is said to lie in, and is not far more than it.
pub fn weights(data: &[u8]) {
    let budget = Budget::small();
    let lists = [
        state::read(&data, &budget),
        state::read_legacy(&data, &budget),
        weights::read_safetensors(&data, &budget),
        waag_formats::gguf::read_plain(&data, &budget),
        waag_formats::messagepack::read_plain(&data, &budget),
        waag_formats::hdf5::read_plain(&data, &budget),
    ];
    lists.into_iter().filter_map(|list| list.and_then(Catalogue::checked).ok()).for_each(|list| placed(&list, data));
    if let Ok(Plain::Tensor(array)) = waag_formats::numpy::read_plain(&data, "array") {
        array.checked().iter().for_each(|list| placed(list, data));
    }
    if let Ok((members, _)) = waag_formats::zip::members(&data, &budget) {
        members.iter().take(CHILDREN).for_each(|member| decode_child(data, member, &budget));
    }
}

fn placed(list: &Catalogue, data: &[u8]) {
    assert!(list.tensors.windows(2).all(|pair| pair[0].name < pair[1].name), "names in order, each once");
    for entry in &list.tensors {
        let length = list.storages[entry.view.storage].length();
        if entry.shape.contains(&0) {
            continue;
        }
        let steps = entry.shape.iter().zip(&entry.view.strides);
        let last: u64 = steps.map(|(extent, stride)| (extent - 1) * stride).sum();
        let end = entry.view.offset + (last + 1) * entry.dtype.size();
        assert!(end <= length, "'{}' ends at {end} of {length}", entry.name);
    }
    for storage in &list.storages {
        if let Storage::Chunked(chunked) = storage {
            for index in 0..chunked.chunks().min(CHILDREN) {
                let Ok(bytes) = chunked.chunk(&data, index, &Budget::small()) else { continue };
                for (at, run) in chunked.runs(index) {
                    assert!(run.end <= bytes.len() && at + run.len() as u64 <= chunked.length(), "a run at {at}");
                }
            }
        }
    }
}

/// Reads a signature, and what may be in one. What is read is read again as it is written.
pub fn signature(data: &[u8]) {
    let _ = (Certificate::from_der(data), PublicKey::from_der(data), PublicKey::from_point(Curve::P256, data));
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = (Certificate::from_pem(text), PublicKey::from_pem(text));
    }
    statement(data);
    let Ok(bundle) = Bundle::parse(data) else { return };
    let again = bundle.to_json().and_then(|json| Bundle::parse(&json));
    assert_eq!(again.as_ref(), Ok(&bundle));
    let _ = bundle.material();
    if let Ok(payload) = bundle.dsse_envelope.payload_bytes() {
        statement(&payload);
    }
}

/// Takes a document into a ledger: what is kept is kept as the same, and every edge is between nodes that are there.
pub fn ledger_statement(data: &[u8]) {
    picture_of(data);
    let digest = entry::digest_of(data);
    if let Ok(said) = extract(data, &digest) {
        assert!(said.subjects.iter().all(|place| *place < said.nodes.len()));
        let ends = said.edges.iter().flat_map(|edge| [edge.subject, edge.object]);
        assert!(ends.into_iter().all(|place| place < said.nodes.len()));
        // Every name of a list costs a few bytes, so there are never many more edges than bytes.
        assert!(said.nodes.len() <= data.len() && said.edges.len() <= data.len());
        assert_eq!(extract(data, &digest).as_ref(), Ok(&said));
    }
    let Ok(kept) = Entry::of_document(data) else { return };
    assert_eq!(Entry::of_document(&kept.bytes).as_ref(), Ok(&kept));
    assert!(!kept.bytes.contains(&b'\n'), "an entry is one line");
    if let Ok(opened) = entry::open(&kept.bytes) {
        let _ = extract(&opened.payload, &kept.digest);
    }
}

/// Whatever numbers are in a picture, what is read of it stays inside.
fn picture_of(data: &[u8]) {
    let layout = Layout { nodes: 4, edges: 8, keys: 64 };
    let graph = Graph::of(Picture::new(layout, Pages::Memory(data.to_vec())));
    for direction in [Direction::Ancestors, Direction::Descendants] {
        let walk = Walk::new(&graph, &[0, 3], direction, &Bits::default(), 16);
        assert!(walk.visits.iter().all(|visit| graph.key(visit.node).len() <= 64));
    }
}

fn statement(payload: &[u8]) {
    let Ok(read) = ModelStatement::parse(payload) else { return };
    let Ok(written) = write(&read.manifest) else { panic!("a manifest that was read can be written") };
    // What an early signer wrote has no name, which every later statement has.
    if !read.manifest.name.is_empty() {
        let again = ModelStatement::parse(&written).map(|again| again.manifest.resources.len());
        assert_eq!(again, Ok(read.manifest.resources.len()));
    }
}

/// Tells the format, reads, opens and judges, as a scan does.
pub fn scan(data: &[u8]) {
    let (budget, memory) = (Budget::small(), MemoryPlan::default());
    let examination = Examination { budget: &budget, memory: &memory, digests: true, keep_facts: true };
    let examined = examination.file(&data, Location::file("model"));
    assert!((1..=MAX_ARTIFACTS).contains(&examined.artifacts.len()), "{} artifacts", examined.artifacts.len());
    assert_eq!(examined.artifacts.len(), examined.facts.len());
    examined.facts.iter().for_each(check);
    for finding in &examined.findings {
        assert!(
            !finding.message.is_empty() && !finding.message.contains('\n'),
            "{}: {}",
            finding.rule,
            finding.message
        );
    }
}

fn check(facts: &Facts) {
    assert!(facts.list().len() <= MAX_FACTS, "{} facts", facts.list().len());
}

fn child_of(kind: &FactKind) -> Option<&Child> {
    match kind {
        FactKind::Child(child) => Some(child),
        _ => None,
    }
}

fn decode_child(data: &[u8], child: &Child, budget: &Budget) {
    let mut decoded = Vec::new();
    // Damage is no failure: what came out before it counts.
    let _ = waag_formats::decode::decode(&data, child, budget, &mut decoded);
    assert!(decoded.len() <= MAX_DECODED || child.encoding == Encoding::Stored, "{} bytes", decoded.len());
}
