//! Results of evaluations and what training cost, as cards and files of results say.
//!
//! <https://huggingface.co/docs/hub/model-cards#evaluation-results>, <https://huggingface.co/docs/hub/model-cards-co2>

use super::document::{Document, cut};
use super::files::Found;
use super::model::{Energy, Metric, Remark, Role, Said};
use crate::import::document::Node;

/// Results of one model that are kept.
const MAX_METRICS: usize = 2_000;

/// Results in `model-index` of a card.
pub(super) fn of_card(card: &Document, remarks: &mut Vec<Remark>) -> Vec<Metric> {
    let index = card.root().list("model-index");
    let results = index.iter().flat_map(|entry| entry.list("results"));
    let mut list: Vec<Metric> = results.flat_map(|result| of_result(card, &result)).collect();
    cut(&mut list, MAX_METRICS, "results", &card.file, remarks);
    list
}

fn of_result(card: &Document, result: &Node<'_>) -> Vec<Metric> {
    let task = result.at(&["task", "type"]).or_else(|| result.at(&["task", "name"])).and_then(|node| node.scalar());
    let data = result.get("dataset").and_then(|node| data(&node));
    let metric = |node: &Node<'_>| {
        let kind = node.any(&["type", "name"])?.scalar()?;
        let value = node.get("value")?;
        Some(Metric {
            kind,
            value: value.scalar()?,
            task: task.clone(),
            data: data.clone(),
            verified: node.get("verifyToken").is_some(),
            evidence: card.evidence(&value),
        })
    };
    result.list("metrics").iter().filter_map(metric).collect()
}

/// `name (configuration, split)`.
fn data(node: &Node<'_>) -> Option<String> {
    let name = node.any(&["type", "name", "id"])?.scalar()?;
    let details: Vec<String> = ["config", "split"].iter().filter_map(|key| node.get(key)?.scalar()).collect();
    Some(if details.is_empty() { name } else { format!("{name} ({})", details.join(", ")) })
}

/// Results in files: those of the hub's `.eval_results` and `eval_results.yaml`, and plain numbers in JSON.
pub(super) fn of_files(files: &[&Found], remarks: &mut Vec<Remark>) -> Vec<Metric> {
    let mut list = Vec::new();
    for file in files.iter().filter(|file| file.role == Role::Results) {
        let Some(document) = Document::open(file, remarks) else { continue };
        match document.root().value().is_array() {
            true => list.extend(document.root().items().iter().filter_map(|entry| of_entry(&document, entry))),
            false => {
                list.extend(document.root().members().iter().filter_map(|(key, node)| of_number(&document, key, node)))
            }
        }
        cut(&mut list, MAX_METRICS, "results", &file.path, remarks);
    }
    list
}

/// An entry of `.eval_results/*.yaml`: a dataset with its task, and a value.
fn of_entry(document: &Document, entry: &Node<'_>) -> Option<Metric> {
    let value = entry.any(&["value", "score"])?;
    let dataset = entry.get("dataset");
    let task = dataset.as_ref().and_then(|node| node.any(&["task_id", "task"])?.scalar());
    let kind = entry.any(&["metric", "type", "name"]).and_then(|node| node.scalar()).or_else(|| task.clone())?;
    Some(Metric {
        kind,
        value: value.scalar()?,
        task,
        data: dataset.and_then(|node| data(&node)),
        verified: entry.get("verifyToken").is_some(),
        evidence: document.evidence(&value),
    })
}

/// A number of a trainer: `eval_accuracy`.
fn of_number(document: &Document, key: &str, node: &Node<'_>) -> Option<Metric> {
    let kind = key.strip_prefix("eval_").or_else(|| key.strip_prefix("test_"))?;
    let is_about_time = ["runtime", "per_second", "samples", "steps", "mem_"].iter().any(|part| kind.contains(part));
    let is_result = node.value().is_number() && !is_about_time;
    let metric = |value| Metric {
        kind: kind.to_owned(),
        value,
        task: None,
        data: None,
        verified: false,
        evidence: document.evidence(node),
    };
    is_result.then(|| node.scalar().map(metric)).flatten()
}

/// What training cost: `co2_eq_emissions` of a card, in grams, alone or with what is known beside it.
pub(super) fn energy(card: &Document) -> Option<Energy> {
    let node = card.root().get("co2_eq_emissions")?;
    let number = |node: &Node<'_>| {
        let value = node
            .value()
            .as_f64()
            .or_else(|| node.text()?.parse().ok())
            .filter(|value: &f64| value.is_finite() && *value >= 0.0)?;
        Some(Said { value, evidence: card.evidence(node) })
    };
    if !node.value().is_object() {
        return number(&node).map(|grams| Energy {
            grams: Some(grams),
            kilowatt_hours: None,
            activity: None,
            notes: Vec::new(),
        });
    }
    let notes =
        ["source", "geographical_location", "hardware_used", "cpu_model", "gpu_model", "ram_total_size", "hours_used"];
    let energy = Energy {
        grams: node.get("emissions").and_then(|node| number(&node)),
        kilowatt_hours: node.get("energy_consumed").and_then(|node| number(&node)),
        activity: node.get("training_type").and_then(|node| card.said(&node)),
        notes: notes.iter().filter_map(|key| Some(((*key).to_owned(), card.said(&node.get(key)?)?))).collect(),
    };
    let says_something = energy.grams.is_some() || energy.kilowatt_hours.is_some() || !energy.notes.is_empty();
    says_something.then_some(energy)
}
