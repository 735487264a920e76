//! What the files of a model prove, without what anybody says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use waag_formats::budget::Budget;
use waag_formats::child;
use waag_formats::fact::FactKind;
use waag_formats::facts::Facts as FormatFacts;
use waag_formats::format::{Context, Format as _};
use waag_formats::source::Source as _;

use crate::import::document::{Node, json, yaml};
use crate::io::FileSource;
use crate::licence::{self, Licence, Recognised};

/// Bytes of a configuration that are read.
const MAX_CONFIGURATION: u64 = 16 << 20;
/// Bytes of a licence's text that are read.
const MAX_LICENCE: u64 = 1 << 20;
/// Files of one folder that are looked at.
const MAX_FILES: usize = 100_000;
/// Endings of files of weights.
pub(super) const WEIGHTS: [&str; 14] = [
    ".safetensors",
    ".gguf",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".onnx",
    ".h5",
    ".keras",
    ".tflite",
    ".msgpack",
    ".skops",
    ".joblib",
    ".pkl",
];
/// Endings of files of data.
const DATA: [&str; 6] = [".parquet", ".arrow", ".jsonl", ".csv", ".tsv", ".ndjson"];

/// Something that a file says, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Told {
    /// What.
    pub value: String,
    /// The file.
    pub file: String,
    /// The key or place in it.
    pub place: String,
}

/// What the files of one folder prove.
#[derive(Debug, Clone, Default)]
pub struct Proven {
    /// Names of its files, sorted; folders end with `/`.
    pub names: BTreeSet<String>,
    /// Files of weights.
    pub weights: Vec<String>,
    /// Files of data.
    pub data: Vec<String>,
    /// Architectures that configurations name.
    pub architectures: Vec<Told>,
    /// Elements of all tensors; none where they could not be counted.
    pub parameters: Option<u64>,
    /// Parameters of each element type.
    pub dtypes: BTreeMap<String, u64>,
    /// Why tensors were not counted.
    pub uncounted: Option<String>,
    /// Tokens that fit into its context.
    pub context: Option<Told>,
    /// The class of its tokenizer.
    pub tokenizer: Option<Told>,
    /// How it is quantised.
    pub quantisation: Option<Told>,
    /// Models that it was made from, as files say that are not the card.
    pub bases: Vec<Told>,
    /// Its kind of adapter.
    pub adapter: Option<Told>,
    /// Texts of licences.
    pub licence_texts: Vec<(String, Option<Recognised>)>,
    /// Licences that other files than the card name.
    pub licences: Vec<(Told, Licence)>,
    /// Its name, as other files than the card say.
    pub own_names: Vec<Told>,
    /// Arguments of its training.
    pub training: Vec<Told>,
    /// Results of evaluations that a trainer has left, by metric.
    pub results: BTreeMap<String, Vec<(f64, String)>>,
    /// Whether results lie beside the card where the Hub reads them: `.eval_results/*.yaml` or `eval_results.yaml`.
    pub has_results: bool,
    /// Whether it has a chat template.
    pub has_chat_template: bool,
    /// Files that could not be read, and why.
    pub unread: Vec<(String, String)>,
    /// Files that were read.
    pub read: Vec<String>,
}

impl Proven {
    /// Whether it is a model: it has weights, or the configuration of some.
    #[must_use]
    pub fn is_model(&self) -> bool {
        !self.weights.is_empty() || !self.architectures.is_empty() || self.adapter.is_some()
    }

    /// Whether it is a dataset: it has files of data, and none of weights.
    #[must_use]
    pub fn is_dataset(&self) -> bool {
        !self.is_model() && (!self.data.is_empty() || self.has("dataset_infos.json"))
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The licences that texts are, where each of them is one without much doubt.
    #[must_use]
    pub fn text_licence(&self) -> Option<String> {
        let known = |text: &&Recognised| text.confidence >= waag_evidence::Confidence::Medium && text.rider.is_none();
        let texts: Vec<&Recognised> = self.licence_texts.iter().filter_map(|(_, text)| text.as_ref()).collect();
        let ids: BTreeSet<&str> =
            texts.iter().flat_map(|text| [&text.id].into_iter().chain(&text.others)).map(String::as_str).collect();
        let is_sure = !texts.is_empty() && texts.len() == self.licence_texts.len() && texts.iter().all(known);
        is_sure.then(|| ids.into_iter().collect::<Vec<_>>().join(" AND "))
    }

    fn has_ending(&self, ending: &str) -> bool {
        self.weights.iter().any(|name| name.ends_with(ending))
    }

    /// The library that the files are made for, where that is beyond doubt.
    #[must_use]
    pub fn library(&self) -> Option<&'static str> {
        let markers = [
            ("modules.json", "sentence-transformers"),
            ("config_sentence_transformers.json", "sentence-transformers"),
            ("adapter_config.json", "peft"),
            ("model_index.json", "diffusers"),
        ];
        let marked = markers.iter().find(|(file, _)| self.has(file)).map(|(_, library)| *library);
        let by_config = || (self.has("config.json") && !self.architectures.is_empty()).then_some("transformers");
        let by_ending = || match () {
            () if self.has_ending(".keras") => Some("keras"),
            () if self.has_ending(".skops") => Some("sklearn"),
            () if self.has_ending(".tflite") => Some("tflite"),
            () => None,
        };
        marked.or_else(by_config).or_else(by_ending)
    }
}

/// Reads what a folder's files prove. Weights are not read, their headers are.
#[must_use]
pub fn prove(folder: &Path) -> Proven {
    let mut proven = Proven::default();
    list(folder, &mut proven);
    let wanted: Vec<String> = proven.names.iter().cloned().collect();
    for name in &wanted {
        let path = folder.join(name);
        match name.as_str() {
            "config.json" => with_json(&mut proven, name, &path, configuration),
            "tokenizer_config.json" => with_json(&mut proven, name, &path, tokenizer),
            "adapter_config.json" => with_json(&mut proven, name, &path, adapter),
            "model_index.json" => with_json(&mut proven, name, &path, pipeline),
            "trainer_state.json" | "training_args.json" | "training_config.json" => {
                with_json(&mut proven, name, &path, training);
            }
            "all_results.json" | "eval_results.json" => with_json(&mut proven, name, &path, results),
            "mergekit_config.yml" | "mergekit_config.yaml" => merged(&mut proven, name, &path),
            "eval_results.yaml" | "eval_results.yml" => proven.has_results = true,
            "chat_template.jinja" | "chat_template.json" => proven.has_chat_template = true,
            _ if is_licence(name) => licence_text(&mut proven, name, &path),
            _ => {}
        }
    }
    count(folder, &mut proven);
    proven
}

fn list(folder: &Path, proven: &mut Proven) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return proven.unread.push((".".to_owned(), error.to_string())),
    };
    for entry in entries.take(MAX_FILES).flatten().filter(|entry| !leads_out(folder, &entry.path())) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        match path.is_dir() {
            true if name == ".eval_results" => proven.has_results |= has_yaml(&path),
            true if !name.starts_with('.') => proven.names.extend([format!("{name}/")]),
            false if path.is_file() => proven.names.extend([name]),
            _ => {}
        }
    }
    let has = |endings: &[&str], name: &str| endings.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
    let is_weights = |name: &&String| has(&WEIGHTS, name) && name.as_str() != "training_args.bin";
    proven.weights = proven.names.iter().filter(is_weights).cloned().collect();
    proven.data = proven.names.iter().filter(|name| has(&DATA, name)).cloned().collect();
    if proven.names.contains("data/") {
        let inner = std::fs::read_dir(folder.join("data")).into_iter().flatten().take(MAX_FILES).flatten();
        let inner = inner.filter(|entry| !leads_out(folder, &entry.path()) && entry.path().is_file());
        let inner = inner.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut found: Vec<String> = inner.filter(|name| has(&DATA, name)).map(|name| format!("data/{name}")).collect();
        found.sort();
        proven.data.extend(found);
    }
}

fn has_yaml(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().take(MAX_FILES).flatten();
    entries
        .map(|entry| entry.path())
        .any(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"))
}

/// Whether a path is a link to somewhere else: what lies there is not the model's. A snapshot in a cache of the hub links to
/// the blobs beside it.
pub(super) fn leads_out(folder: &Path, path: &Path) -> bool {
    let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    let is_inside = || Some(std::fs::canonicalize(path).ok()?.starts_with(crate::walk::bounds_of(folder).ok()?));
    is_link && !is_inside().unwrap_or(false)
}

fn with_json(proven: &mut Proven, name: &str, path: &Path, read: fn(&mut Proven, &str, &Node<'_>)) {
    let bytes = crate::bounded::read(path, MAX_CONFIGURATION).map_err(|error| error.to_string());
    match bytes.and_then(|bytes| json(&bytes)) {
        Ok(document) => {
            proven.read.push(name.to_owned());
            read(proven, name, &Node::root(&document.root));
        }
        Err(why) => proven.unread.push((name.to_owned(), why)),
    }
}

fn told(value: impl Into<String>, file: &str, place: &str) -> Told {
    Told { value: value.into(), file: file.to_owned(), place: place.to_owned() }
}

fn configuration(proven: &mut Proven, file: &str, root: &Node<'_>) {
    for node in root.list("architectures") {
        proven.architectures.extend(node.text().map(|text| told(text, file, node.place())));
    }
    let keys = ["max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx", "max_sequence_length"];
    let nested = [root.clone()].into_iter().chain(root.get("text_config"));
    let context = nested.filter_map(|node| node.any(&keys)).find_map(|node| Some((node.value().as_u64()?, node)));
    proven.context = context.map(|(tokens, node)| told(tokens.to_string(), file, node.place()));
    if let Some(node) = root.get("quantization_config") {
        let method = node.text_of("quant_method").unwrap_or("unnamed method");
        let bits = node.get("bits").and_then(|bits| bits.scalar()).map(|bits| format!(", {bits} bits"));
        let four =
            node.get("load_in_4bit").filter(|flag| *flag.value() == Value::Bool(true)).map(|_| ", 4 bits".into());
        let shown = format!("{method}{}", bits.or(four).unwrap_or_default());
        proven.quantisation = Some(told(shown, file, node.place()));
    }
    if let Some(node) = root.get("_name_or_path") {
        proven.bases.extend(node.text().map(|text| told(text, file, node.place())));
    }
}

fn tokenizer(proven: &mut Proven, file: &str, root: &Node<'_>) {
    proven.tokenizer = root.text_of("tokenizer_class").map(|class| told(class, file, "/tokenizer_class"));
    proven.has_chat_template |= root.get("chat_template").is_some();
}

fn adapter(proven: &mut Proven, file: &str, root: &Node<'_>) {
    let kind = root.text_of("peft_type").unwrap_or("adapter");
    proven.adapter = Some(told(kind, file, "/peft_type"));
    let base = root.text_of("base_model_name_or_path");
    proven.bases.extend(base.map(|text| told(text, file, "/base_model_name_or_path")));
    for key in ["r", "lora_alpha", "lora_dropout", "target_modules", "task_type"] {
        let Some(node) = root.get(key) else { continue };
        let items: Vec<String> = node.items().iter().filter_map(Node::scalar).collect();
        proven.training.push(told(format!("{key}: {}", items.join(", ")), file, node.place()));
    }
}

/// Arguments of a training that say how it went, as trainers write them down.
fn training(proven: &mut Proven, file: &str, root: &Node<'_>) {
    let keys = [
        "num_train_epochs",
        "max_steps",
        "train_batch_size",
        "per_device_train_batch_size",
        "gradient_accumulation_steps",
        "learning_rate",
        "lr_scheduler_type",
        "warmup_ratio",
        "weight_decay",
        "optim",
        "seed",
        "bf16",
        "fp16",
    ];
    for key in keys {
        let Some(node) = root.get(key) else { continue };
        proven.training.extend(node.scalar().map(|value| told(format!("{key}: {value}"), file, node.place())));
    }
}

fn pipeline(proven: &mut Proven, file: &str, root: &Node<'_>) {
    proven.architectures.extend(root.text_of("_class_name").map(|class| told(class, file, "/_class_name")));
}

fn results(proven: &mut Proven, file: &str, root: &Node<'_>) {
    for (key, node) in root.members() {
        let Some(metric) = key.strip_prefix("eval_") else { continue };
        if let Some(value) = node.value().as_f64() {
            proven.results.entry(metric.to_owned()).or_default().push((value, file.to_owned()));
        }
    }
}

fn merged(proven: &mut Proven, file: &str, path: &Path) {
    let bytes = crate::bounded::read(path, MAX_CONFIGURATION).map_err(|error| error.to_string());
    let document = match bytes.and_then(|bytes| yaml(&String::from_utf8_lossy(&bytes))) {
        Ok(document) => document,
        Err(why) => return proven.unread.push((file.to_owned(), why)),
    };
    proven.read.push(file.to_owned());
    let root = Node::root(&document.root);
    let slices = root.list("slices").into_iter().flat_map(|slice| slice.list("sources"));
    for entry in root.list("models").into_iter().chain(slices) {
        if let Some(node) = entry.get("model").filter(|node| node.text().is_some()) {
            let base = told(node.text().unwrap_or_default(), file, node.place());
            if !proven.bases.iter().any(|known| known.value == base.value && known.file == file) {
                proven.bases.push(base);
            }
        }
    }
}

fn is_licence(name: &str) -> bool {
    // Those of others lie beside it in many packages.
    let of_others = ["3rd", "third", "notice", "vendor", "dependenc"];
    if name.ends_with('/') || of_others.iter().any(|word| name.to_ascii_lowercase().contains(word)) {
        return false;
    }
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let stem = stem.split(['-', '_']).next().unwrap_or_default();
    let is_text = !name.contains('.') || [".txt", ".md", ".rst"].iter().any(|ending| name.ends_with(ending));
    matches!(stem, "license" | "licence" | "copying" | "unlicense") && (is_text || name.contains("LICENSE"))
}

fn licence_text(proven: &mut Proven, name: &str, path: &Path) {
    match crate::bounded::read(path, MAX_LICENCE) {
        Ok(bytes) => {
            let recognised = licence::of_text(&String::from_utf8_lossy(&bytes));
            proven.read.push(name.to_owned());
            proven.licence_texts.push((name.to_owned(), recognised));
        }
        Err(error) => proven.unread.push((name.to_owned(), error.to_string())),
    }
}

/// Counts tensors: of the whole folder where its files are one model, or else of each GGUF file.
fn count(folder: &Path, proven: &mut Proven) {
    let files: Vec<PathBuf> =
        proven.weights.iter().filter(|name| name.ends_with(".gguf")).map(|name| folder.join(name)).collect();
    let mut counted = Vec::new();
    for path in &files {
        counted.extend(gguf(path, proven));
    }
    let others = proven.weights.iter().any(|name| !name.ends_with(".gguf"));
    if !others {
        // Variants of one model have the same number of parameters; what differs is no single number.
        if let [first, rest @ ..] = counted.as_slice()
            && rest.iter().all(|other| other == first)
        {
            proven.parameters = Some(*first);
        }
        return;
    }
    match open(folder, proven) {
        Ok(store) => {
            proven.dtypes.clear();
            for tensor in store.tensors() {
                *proven.dtypes.entry(tensor.dtype.to_string()).or_default() += tensor.elements();
            }
            proven.parameters = Some(proven.dtypes.values().sum());
            let read = store.files().iter().filter_map(|path| path.file_name());
            proven.read.extend(read.map(|name| name.to_string_lossy().into_owned()));
        }
        Err(error) => proven.uncounted = Some(error.to_string()),
    }
}

fn open(folder: &Path, proven: &Proven) -> Result<Box<dyn crate::weights::TensorStore>, crate::weights::WeightsError> {
    match proven.weights.iter().find(|name| !name.ends_with(".gguf")) {
        Some(only) if proven.weights.len() == 1 => crate::weights::open(&folder.join(only)),
        _ => crate::weights::open(folder),
    }
}

/// The header of a GGUF file: how many parameters its tensors have.
fn gguf(path: &Path, proven: &mut Proven) -> Option<u64> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let source = match FileSource::open(path) {
        Ok(source) => source,
        Err(error) => {
            proven.unread.push((name, error.to_string()));
            return None;
        }
    };
    let (budget, mut facts) = (Budget::for_size(source.len()), FormatFacts::new());
    let context = Context { name: &name, role: child::Role::Unknown, budget: &budget };
    waag_formats::gguf::Gguf.inspect(&source, &context, &mut facts);
    proven.read.push(name.clone());
    let (mut total, mut has_gap) = (0_u64, false);
    for fact in facts.list() {
        match &fact.kind {
            FactKind::Metadata { key, value } => header(proven, &name, key, value),
            FactKind::Tensor(tensor) => {
                let elements = tensor.shape.iter().try_fold(1_u64, |product, extent| product.checked_mul(*extent));
                total = total.saturating_add(elements.unwrap_or(u64::MAX));
                let all = proven.dtypes.entry(tensor.dtype.clone()).or_default();
                *all = all.saturating_add(elements.unwrap_or(0));
            }
            FactKind::Incomplete { detail, .. } => {
                has_gap = true;
                proven.unread.push((name.clone(), detail.clone()));
            }
            _ => {}
        }
    }
    (!has_gap && total > 0).then_some(total)
}

fn header(proven: &mut Proven, file: &str, key: &str, value: &str) {
    let here = || told(value, file, key);
    match key {
        "general.architecture" => proven.architectures.push(here()),
        "general.license" if !value.is_empty() => proven.licences.push((here(), licence::read(value, None, None))),
        "general.name" => proven.own_names.push(here()),
        "tokenizer.chat_template" => proven.has_chat_template = true,
        _ if key.ends_with(".context_length") => proven.context = Some(here()),
        _ if key.starts_with("general.base_model.") && key.ends_with(".repo_url") => proven.bases.push(here()),
        _ => {}
    }
}

/// A reference without what may be written in several ways: the address of the hub, a revision in it, and capitals.
#[must_use]
pub fn plain_reference(text: &str) -> String {
    let text = text.trim().trim_end_matches('/').to_lowercase();
    let Some((_, address)) = text.split_once("://") else { return text };
    let address = address.trim_start_matches("www.");
    let Some(path) = ["huggingface.co/", "hf.co/"].iter().find_map(|hub| address.strip_prefix(hub)) else {
        return text;
    };
    let path = path.strip_prefix("datasets/").unwrap_or(path);
    let end = ["/tree/", "/resolve/", "/blob/", "?", "#"].iter().filter_map(|mark| path.find(mark)).min();
    path[..end.unwrap_or(path.len())].trim_end_matches('/').to_owned()
}

/// Whether two references are to the same model: by owner and name, or by the name where one of them has no owner.
#[must_use]
pub fn is_same_model(one: &str, other: &str) -> bool {
    let plain = |text: &str| plain_reference(text).replace(['_', ' '], "-");
    let (one, other) = (plain(one), plain(other));
    let name = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    if one.contains('/') && other.contains('/') { one == other } else { name(&one) == name(&other) }
}
