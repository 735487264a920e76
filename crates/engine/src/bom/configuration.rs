//! What configurations say: the architecture, its settings, the tokenizer, code that a loader imports, an adapter.

use super::document::{Document, cut};
use super::files::Found;
use super::folders::{folder_of, inside};
use super::join::weights_of;
use super::model::{Adapter, Evidence, Method, Remark, RemoteCode, Role, Said, Text, Tokenizer};
use crate::import::document::Node;
use crate::io::sha256;
use waag_formats::budget::Budget;
use waag_formats::json::{self, Segment};

/// Settings of one model that are kept.
const MAX_SETTINGS: usize = 500;
/// Bytes of a `tokenizer.json`: those of the largest vocabularies have some 35 million.
const MAX_TOKENIZER: u64 = 64 << 20;
/// Settings that are told elsewhere, or that say nothing of the model itself.
const ELSEWHERE: &[&str] = &[
    "architectures",
    "model_type",
    "auto_map",
    "_name_or_path",
    "transformers_version",
    "quantization_config",
    "id2label",
    "label2id",
    "torch_dtype",
    "dtype",
];
/// Settings of an adapter.
const ADAPTER: &[&str] = &[
    "r",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "task_type",
    "bias",
    "modules_to_save",
    "use_dora",
    "use_rslora",
    "num_virtual_tokens",
];

/// Configurations of a model.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    pub(super) architecture: Option<Text>,
    pub(super) family: Option<Text>,
    pub(super) settings: Vec<(String, Text)>,
    pub(super) quantisation: Option<Text>,
    pub(super) dtype: Option<Text>,
    pub(super) remote_code: Vec<RemoteCode>,
    pub(super) remarks: Vec<Remark>,
}

/// Reads the configurations of a model in a folder.
pub(super) fn read(files: &[&Found], folder: &str) -> Configuration {
    let mut read = Configuration::default();
    for file in
        files.iter().filter(|file| file.role == Role::Configuration || file.path.ends_with("tokenizer_config.json"))
    {
        let name = inside(&file.path, folder);
        if !file.path.ends_with(".json") {
            continue;
        }
        if let Some(document) = Document::open(file, &mut read.remarks) {
            read.take(name, &document, files, folder);
        }
    }
    let place = if folder.is_empty() { "." } else { folder };
    cut(&mut read.settings, MAX_SETTINGS, "settings", place, &mut read.remarks);
    read.remote_code.sort();
    read.remote_code.dedup_by(|one, other| one.class == other.class && one.target == other.target);
    read
}

impl Configuration {
    fn take(&mut self, name: &str, document: &Document, files: &[&Found], folder: &str) {
        let root = document.root();
        self.remote_code.extend(remote_code(document, files, folder));
        match name {
            "config.json" | "params.json" => {
                let first = root.list("architectures").first().and_then(|node| document.said(node));
                self.architecture = self.architecture.take().or(first);
                self.family = self.family.take().or_else(|| document.any(&["model_type"]));
                self.dtype = document.any(&["dtype", "torch_dtype"]);
                self.quantisation = root.get("quantization_config").and_then(|node| quantisation(document, &node));
                self.settings.extend(settings(document));
            }
            "model_index.json" => {
                self.architecture = self.architecture.take().or_else(|| document.any(&["_class_name"]));
            }
            "generation_config.json" => {
                let own = settings(document).into_iter();
                self.settings.extend(own.map(|(key, value)| (format!("generation.{key}"), value)));
            }
            _ => {}
        }
    }
}

/// Numbers, texts and truth values at the top of a configuration.
fn settings(document: &Document) -> Vec<(String, Text)> {
    let members = document.root().members();
    let plain = members
        .iter()
        .filter(|(key, node)| !ELSEWHERE.contains(key) && !key.starts_with('_') && !node.value().is_null());
    plain.filter_map(|(key, node)| Some(((*key).to_owned(), document.said(node)?))).collect()
}

/// `gptq, 4 bits`.
fn quantisation(document: &Document, node: &Node<'_>) -> Option<Text> {
    let method = node.any(&["quant_method", "quant_type"])?.scalar()?;
    let bits = node.any(&["bits", "w_bit"]).and_then(|node| node.scalar());
    let loads = |key: &str, bits: &str| node.get(key).filter(|node| node.value() == true).map(|_| bits.to_owned());
    let bits = bits.or_else(|| loads("load_in_4bit", "4")).or_else(|| loads("load_in_8bit", "8"));
    let value = bits.map_or_else(|| method.clone(), |bits| format!("{method}, {bits} bits"));
    Some(Said { value, evidence: document.evidence(node) })
}

/// `auto_map`: `"AutoModel": "modeling_tiny.TinyModel"`, or `"owner/name--modeling_tiny.TinyModel"`.
fn remote_code(document: &Document, files: &[&Found], folder: &str) -> Vec<RemoteCode> {
    let Some(map) = document.root().get("auto_map") else { return Vec::new() };
    let entries =
        map.members().into_iter().flat_map(|(class, node)| node.items().into_iter().map(move |item| (class, item)));
    entries
        .filter_map(|(class, node)| {
            let target = node.text()?.to_owned();
            let module = target.rsplit_once('.').map(|(module, _)| format!("{}.py", module.replace('.', "/")));
            let file = module.filter(|_| !target.contains("--")).and_then(|wanted| {
                files.iter().find(|file| inside(&file.path, folder) == wanted).map(|file| file.path.clone())
            });
            Some(RemoteCode { class: class.to_owned(), target, file, evidence: document.evidence(&node) })
        })
        .collect()
}

/// What files say of the tokenizer; none where there is no file of one.
pub(super) fn tokenizer(files: &[&Found], folder: &str, remarks: &mut Vec<Remark>) -> Option<Tokenizer> {
    let mut read = Tokenizer::default();
    for file in files.iter().filter(|file| matches!(file.role, Role::Tokenizer | Role::Template)) {
        read.files.push(file.path.clone());
        match inside(&file.path, folder) {
            "tokenizer_config.json" => {
                let Some(document) = Document::open(file, remarks) else { continue };
                read.class = document.any(&["tokenizer_class"]);
                read.templates.extend(templates(&document));
            }
            "tokenizer.json" => match vocabulary(file) {
                Ok(count) => read.vocabulary = count,
                Err(why) => remarks.push(Remark::gap(&file.path, why)),
            },
            "chat_template.jinja" => {
                let digest = file.sha256.map(|digest| digest.to_string());
                read.templates.extend(
                    digest
                        .map(|value| Said { value, evidence: Evidence::of(file.path.clone(), Method::Configuration) }),
                );
            }
            _ => {}
        }
    }
    (!read.files.is_empty()).then_some(read)
}

/// The digests of chat templates: one, or several by name.
fn templates(document: &Document) -> Vec<Text> {
    let Some(node) = document.root().get("chat_template") else { return Vec::new() };
    let texts = node.items().into_iter().filter_map(|item| item.get("template").or(Some(item)));
    texts
        .filter_map(|node| {
            let value = sha256(&node.value().as_str()?.as_bytes()).ok()?.to_string();
            Some(Said { value, evidence: document.evidence(&node) })
        })
        .collect()
}

/// Counts the entries of a vocabulary, of which no tree is made.
fn vocabulary(file: &Found) -> Result<Option<Said<u64>>, String> {
    let bytes = crate::bounded::read(&file.opened, MAX_TOKENIZER).map_err(|error| error.to_string())?;
    let mut count = 0u64;
    let budget = Budget::for_size(bytes.len() as u64);
    let outcome = json::walk(&bytes, 0, bytes.len() as u64, &budget, &mut |event| {
        let is_entry = matches!(event.path, [Segment::Key(model), Segment::Key(vocabulary), _] if model == "model" && vocabulary == "vocab");
        let is_start = !matches!(event.value, json::Value::ObjectEnd(_) | json::Value::ArrayEnd(_));
        count = count.saturating_add(u64::from(is_entry && is_start));
    });
    if !outcome.complete {
        let why = outcome.notes.last().map_or("it ends too early", |note| note.detail.as_str());
        return Err(format!("it is no JSON that can be read to its end: {why}"));
    }
    let place = Some("/model/vocab".to_owned());
    let evidence = Evidence { place, ..Evidence::of(file.path.clone(), Method::Configuration) };
    Ok((count > 0).then_some(Said { value: count, evidence }))
}

/// The adapter among the files; none where there is no file of one.
pub(super) fn adapter(files: &[&Found], remarks: &mut Vec<Remark>) -> Option<Adapter> {
    let all = || files.iter().copied().filter(|file| file.role == Role::Adapter);
    // Those in folders below are others, or checkpoints of this one.
    let folder = all().map(|file| folder_of(&file.path)).min()?;
    let own: Vec<&Found> = all().filter(|file| folder_of(&file.path) == folder).collect();
    let (configurations, weights): (Vec<&Found>, Vec<&Found>) =
        own.iter().copied().partition(|file| file.path.ends_with("adapter_config.json"));
    let container = weights.first().and_then(|file| file.format).unwrap_or("unknown");
    let container = if container == "zip" { "pickle" } else { container };
    let mut adapter = Adapter {
        kind: None,
        settings: Vec::new(),
        weights: weights_of(container, &weights),
        files: own.iter().map(|file| file.path.clone()).collect(),
    };
    if let Some(document) = configurations.first().and_then(|file| Document::open(file, remarks)) {
        adapter.kind = document.any(&["peft_type"]);
        adapter.settings = ADAPTER.iter().filter_map(|key| setting(&document, key)).collect();
    }
    Some(adapter)
}

fn setting(document: &Document, key: &str) -> Option<(String, Text)> {
    let node = document.root().get(key)?;
    let list = || node.items().iter().filter_map(Node::scalar).collect::<Vec<_>>().join(", ");
    let value = if node.value().is_array() { list() } else { node.scalar()? };
    Some((key.to_owned(), Said { value, evidence: document.evidence(&node) }))
}
