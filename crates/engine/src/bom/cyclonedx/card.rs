//! The model card of a component, and what scorers look for elsewhere.

use super::component::Occurrences;
use super::document::{
    Considerations, EnergyConsumption, EnvironmentalConsiderations, Kind, Measure, ModelCard, ModelParameters,
    PerformanceMetric, Property, QuantitativeAnalysis, Reference, Risk,
};
use super::{References, property};
use crate::bom::model::{Bom, Energy, Metric, Model, Purpose, Text};
use crate::bom::writing::plain;

/// Grams of a tonne.
const GRAMS: f64 = 1e6;
/// Settings that scorers know by another name.
const GGUF_NAMES: &[(&str, &str)] = &[
    ("vocab_size", "vocabSize"),
    ("context_length", "contextLength"),
    ("max_position_embeddings", "contextLength"),
    ("embedding_length", "embeddingLength"),
    ("hidden_size", "embeddingLength"),
    ("block_count", "blockCount"),
    ("num_hidden_layers", "blockCount"),
    ("attention.head_count", "attentionHeadCount"),
    ("num_attention_heads", "attentionHeadCount"),
    ("attention.head_count_kv", "attentionHeadCountKV"),
    ("num_key_value_heads", "attentionHeadCountKV"),
    ("feed_forward_length", "feedForwardLength"),
    ("intermediate_size", "feedForwardLength"),
    ("rope.dimension_count", "ropeDimensionCount"),
    ("general.quantization_version", "quantizationVersion"),
];
/// What goes in and comes out, by task, where the task says it.
const TASKS: &[(&str, &str, &str)] = &[
    ("text-generation", "text", "text"),
    ("text2text-generation", "text", "text"),
    ("summarization", "text", "text"),
    ("translation", "text", "text"),
    ("fill-mask", "text", "text"),
    ("question-answering", "text", "text"),
    ("text-classification", "text", "class labels"),
    ("token-classification", "text", "class labels"),
    ("zero-shot-classification", "text", "class labels"),
    ("feature-extraction", "text", "embeddings"),
    ("sentence-similarity", "text", "embeddings"),
    ("image-classification", "image", "class labels"),
    ("object-detection", "image", "bounding boxes"),
    ("image-segmentation", "image", "masks"),
    ("image-to-text", "image", "text"),
    ("image-text-to-text", "image, text", "text"),
    ("text-to-image", "text", "image"),
    ("automatic-speech-recognition", "audio", "text"),
    ("text-to-speech", "text", "audio"),
    ("audio-classification", "audio", "class labels"),
];

/// The model card; none where there is nothing to say.
pub(super) fn card(model: &Model, names: &References, seen: &mut Occurrences) -> Option<ModelCard> {
    let parameters = parameters(model, names, seen);
    let metrics: Vec<PerformanceMetric> = model.metrics.iter().map(|metric| performance(metric, seen)).collect();
    let considerations = considerations(model, seen);
    let properties = properties(model, seen);
    let card = ModelCard {
        model_parameters: (parameters != ModelParameters::default()).then_some(parameters),
        quantitative_analysis: (!metrics.is_empty()).then_some(QuantitativeAnalysis { performance_metrics: metrics }),
        considerations,
        properties,
    };
    let says_something = card.model_parameters.is_some()
        || card.quantitative_analysis.is_some()
        || card.considerations.is_some()
        || !card.properties.is_empty();
    says_something.then_some(card)
}

fn parameters(model: &Model, names: &References, seen: &mut Occurrences) -> ModelParameters {
    let mut data: Vec<String> = Vec::new();
    for used in &model.data {
        let purpose = if used.purpose == Purpose::Training { "training data" } else { "evaluation data" };
        used.evidence.iter().for_each(|evidence| seen.add(purpose, evidence));
        data.extend(names.datasets.get(used.dataset).cloned());
    }
    data.sort();
    data.dedup();
    let task = seen.text("task", model.task.as_ref());
    let known = TASKS.iter().find(|(name, ..)| task.as_deref() == Some(name));
    let kinds = |text: &str| text.split(", ").map(|format| Kind { format: format.to_owned() }).collect();
    ModelParameters {
        inputs: known.map(|(_, input, _)| kinds(input)).unwrap_or_default(),
        outputs: known.map(|(_, _, output)| kinds(output)).unwrap_or_default(),
        task,
        architecture_family: seen.text("architecture family", model.family.as_ref()),
        model_architecture: seen.text("architecture", model.architecture.as_ref()),
        datasets: data.into_iter().map(|reference| Reference { reference }).collect(),
    }
}

fn performance(metric: &Metric, seen: &mut Occurrences) -> PerformanceMetric {
    seen.add(&format!("metric {}", metric.kind), &metric.evidence);
    let parts: Vec<&str> = [metric.task.as_deref(), metric.data.as_deref()].into_iter().flatten().collect();
    let slice = (!parts.is_empty()).then(|| plain(&parts.join(" on ")));
    PerformanceMetric { kind: plain(&metric.kind), value: plain(&metric.value), slice }
}

fn considerations(model: &Model, seen: &mut Occurrences) -> Option<Considerations> {
    let said = &model.considerations;
    let mut list = |field: &str, texts: &[Text]| -> Vec<String> {
        texts.iter().filter_map(|text| seen.text(field, Some(text))).collect()
    };
    let read = Considerations {
        use_cases: list("use cases", &said.uses),
        technical_limitations: list("limitations", &said.limitations),
        ethical_considerations: list("ethical considerations", &said.ethics)
            .into_iter()
            .map(|name| Risk { name })
            .collect(),
        environmental_considerations: model.energy.as_ref().map(|energy| environmental(energy, seen)),
    };
    let is_empty = read.use_cases.is_empty()
        && read.technical_limitations.is_empty()
        && read.ethical_considerations.is_empty()
        && read.environmental_considerations.is_none();
    (!is_empty).then_some(read)
}

/// Energy in the standard's own form where kilowatt-hours are known; emissions alone have no place there, and become
/// properties.
fn environmental(energy: &Energy, seen: &mut Occurrences) -> EnvironmentalConsiderations {
    for evidence in energy
        .grams
        .iter()
        .map(|grams| &grams.evidence)
        .chain(energy.kilowatt_hours.iter().map(|hours| &hours.evidence))
    {
        seen.add("energy", evidence);
    }
    let consumption = energy.kilowatt_hours.as_ref().map(|hours| EnergyConsumption {
        activity: activity(energy),
        energy_providers: Vec::new(),
        activity_energy_cost: Measure { value: hours.value, unit: "kWh" },
        co2_cost_equivalent: energy.grams.as_ref().map(|grams| Measure { value: grams.value / GRAMS, unit: "tCO2eq" }),
    });
    let grams = energy.grams.iter().map(|grams| property("waag:energy:co2eq-grams", &grams.value.to_string()));
    let activity = energy.activity.iter().map(|text| property("waag:energy:activity", &text.value));
    let notes = energy.notes.iter().map(|(key, text)| property(&format!("waag:energy:{key}"), &text.value));
    EnvironmentalConsiderations {
        energy_consumptions: consumption.into_iter().collect(),
        properties: grams.chain(activity).chain(notes).collect(),
    }
}

/// The activity in the standard's words.
pub(crate) fn activity(energy: &Energy) -> &'static str {
    let said =
        energy.activity.as_ref().map(|text| text.value.to_lowercase().replace(['_', ' '], "-")).unwrap_or_default();
    match said.as_str() {
        "fine-tuning" | "finetuning" => "fine-tuning",
        "pre-training" | "pretraining" | "training" | "" => "training",
        "inference" => "inference",
        _ => "other",
    }
}

fn properties(model: &Model, seen: &mut Occurrences) -> Vec<Property> {
    let mut list = Vec::new();
    for (key, value) in &model.settings {
        seen.add(key, &value.evidence);
        list.push(property(&format!("waag:setting:{}", plain(key)), &value.value));
        let known = GGUF_NAMES.iter().find(|(own, _)| own == key);
        list.extend(known.map(|(_, name)| property(name, &value.value)));
    }
    if !model.settings.is_empty() {
        let object: serde_json::Map<String, serde_json::Value> =
            model.settings.iter().map(|(key, value)| (plain(key), plain(&value.value).into())).collect();
        list.push(property("genai:aibom:modelcard:hyperparameter", &serde_json::Value::Object(object).to_string()));
    }
    let class = model.tokenizer.as_ref().and_then(|tokenizer| tokenizer.class.as_ref());
    list.extend(class.map(|class| property("tokenizerClass", &class.value)));
    let data = |purpose| model.data.iter().filter(move |used| used.purpose == purpose).count();
    list.push(property("waag:data:training", &data(Purpose::Training).to_string()));
    list.push(property("waag:data:evaluation", &data(Purpose::Evaluation).to_string()));
    list.retain(|property| !(property.name.starts_with("waag:data:") && property.value == "0"));
    let verified = model.metrics.iter().filter(|metric| metric.verified);
    list.extend(verified.map(|metric| property("waag:metric:has-verify-token", &metric.kind)));
    list
}

/// What the completeness score of the OWASP AI SBOM generator looks for among the properties of the document, each only
/// where it is known.
pub(super) fn for_scorers(bom: &Bom) -> Vec<Property> {
    let Some(model) = bom.models.first() else { return Vec::new() };
    let first = |texts: &[Text]| texts.first().map(|text| text.value.clone());
    let energy = model.energy.as_ref();
    let hours = energy.and_then(|energy| energy.kilowatt_hours.as_ref());
    let known: Vec<(&str, Option<String>)> = vec![
        ("primaryPurpose", model.task.as_ref().map(|task| task.value.clone())),
        ("suppliedBy", model.supplier.as_ref().map(|owner| owner.value.clone())),
        ("informationAboutTraining", first(&model.considerations.training)),
        ("informationAboutApplication", first(&model.considerations.uses)),
        ("intendedUse", first(&model.considerations.uses)),
        ("modelDataPreprocessing", first(&model.considerations.preprocessing)),
        ("metric", model.metrics.first().map(|metric| format!("{}: {}", metric.kind, metric.value))),
        ("energyConsumption", energy.filter(|_| hours.is_some()).map(|energy| activity(energy).to_owned())),
        ("energyQuantity", hours.map(|hours| hours.value.to_string())),
        ("energyUnit", hours.map(|_| "kWh".to_owned())),
    ];
    known.into_iter().filter_map(|(name, value)| Some(property(name, &value?))).collect()
}
