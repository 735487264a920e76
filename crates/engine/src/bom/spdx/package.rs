//! Models, datasets, software and files as elements.

use serde_json::{Value, json};
use waag_evidence::{Dependency, DependencySource};

use super::graph::{CREATION, Graph, time};
use super::{licence, name};
use crate::bom::cyclonedx::activity;
use crate::bom::licence::Licences;
use crate::bom::model::{Bom, Evidence, File, Kin, Model, Owner, Purpose, Role, Text};
use crate::bom::writing::{address, name_of, plain};

/// A model: its package, its files, its licences, what it was made from and with.
pub(super) fn model(bom: &Bom, number: usize, datasets: &[String], graph: &mut Graph) -> String {
    let Some(model) = bom.models.get(number) else { return String::new() };
    let id = graph.unique(&format!("model-{}", model.full_name()));
    let mut package = package("ai_AIPackage", &id, &model.name.value);
    package["software_primaryPurpose"] = "model".into();
    identity(&mut package, model, graph);
    let types: Vec<String> =
        [&model.architecture, &model.family].into_iter().flatten().map(|text| plain(&text.value)).collect();
    set(&mut package, "ai_typeOfModel", list(types));
    set(&mut package, "ai_domain", list(model.task.iter().map(|task| plain(&task.value)).collect()));
    set(&mut package, "ai_hyperparameter", entries(settings(model)));
    let metrics = model.metrics.iter().map(|metric| (key(&metric.kind, metric.data.as_deref()), plain(&metric.value)));
    set(&mut package, "ai_metric", entries(metrics.collect()));
    let said = &model.considerations;
    set(&mut package, "ai_limitation", joined(&said.limitations));
    set(&mut package, "ai_informationAboutTraining", joined(&said.training));
    set(&mut package, "ai_informationAboutApplication", joined(&said.uses));
    set(
        &mut package,
        "ai_modelDataPreprocessing",
        list(said.preprocessing.iter().map(|text| plain(&text.value)).collect()),
    );
    set(&mut package, "ai_useSensitivePersonalInformation", Some("noAssertion".into()));
    set(&mut package, "ai_autonomyType", Some("noAssertion".into()));
    set(&mut package, "ai_energyConsumption", energy(model));
    set(&mut package, "comment", comment(model));
    graph.add(package);
    licence::relate(&id, &model.licences, graph);
    parts(bom, number, model, &id, graph);
    ancestors(model, &id, graph);
    for (purpose, kind) in [(Purpose::Training, "trainedOn"), (Purpose::Evaluation, "testedOn")] {
        let used = model.data.iter().filter(|used| used.purpose == purpose);
        let used: Vec<String> = used.filter_map(|used| datasets.get(used.dataset).cloned()).collect();
        graph.relate(&id, kind, &used);
    }
    id
}

fn package(kind: &str, id: &str, title: &str) -> Value {
    json!({ "type": kind, "spdxId": id, "creationInfo": CREATION, "name": name(title) })
}

fn set(element: &mut Value, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        element[key] = value;
    }
}

fn list(texts: Vec<String>) -> Option<Value> {
    (!texts.is_empty()).then(|| texts.into())
}

fn joined(texts: &[Text]) -> Option<Value> {
    let texts: Vec<String> = texts.iter().map(|text| plain(&text.value)).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n").into())
}

fn identity(package: &mut Value, model: &Model, graph: &mut Graph) {
    set(package, "description", model.description.as_ref().map(|text| plain(&text.value).into()));
    set(package, "software_packageVersion", model.version.as_ref().map(|text| plain(&text.value).into()));
    set(package, "software_packageUrl", model.package_url.clone().map(Value::from));
    let download = model.download.as_ref().and_then(|text| address(&text.value));
    set(package, "software_downloadLocation", download.map(Value::from));
    set(package, "releaseTime", model.release.as_ref().map(|release| time(release.value).into()));
    let supplier = model.supplier.as_ref().map(|owner| agent(&owner.value, graph));
    set(package, "suppliedBy", supplier.map(Value::from));
}

/// Whoever has a name on the hub: an organisation or a person, which the name does not tell.
fn agent(title: &str, graph: &mut Graph) -> String {
    graph.once(&format!("agent-{}", plain(title)), |id| package("Agent", id, title))
}

fn key(kind: &str, data: Option<&str>) -> String {
    plain(&data.map_or_else(|| kind.to_owned(), |data| format!("{kind} on {data}")))
}

/// Settings and what was counted over tensors.
fn settings(model: &Model) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> =
        model.settings.iter().map(|(key, text)| (plain(key), plain(&text.value))).collect();
    if let Some(weights) = model.main_weights().filter(|weights| weights.is_counted()) {
        list.push(("parameters".to_owned(), weights.parameters.to_string()));
        list.push(("tensors".to_owned(), weights.tensors.to_string()));
        list.extend(
            weights.dtypes.iter().map(|(dtype, count)| (format!("parameters of {}", plain(dtype)), count.to_string())),
        );
        list.extend(weights.quantisation.iter().map(|text| ("quantisation".to_owned(), plain(&text.value))));
    }
    list.extend(
        model
            .adapter
            .iter()
            .flat_map(|adapter| &adapter.settings)
            .map(|(key, text)| (format!("adapter {key}"), plain(&text.value))),
    );
    list
}

fn entries(list: Vec<(String, String)>) -> Option<Value> {
    let entry = |(key, value): (String, String)| json!({ "type": "DictionaryEntry", "key": key, "value": value });
    (!list.is_empty()).then(|| list.into_iter().map(entry).collect::<Vec<_>>().into())
}

/// Only where kilowatt-hours are known, and of what there is a field for. The quantity is a text: a number becomes a double where a decimal is wanted.
fn energy(model: &Model) -> Option<Value> {
    let energy = model.energy.as_ref()?;
    let hours = energy.kilowatt_hours.as_ref()?;
    let kind = match activity(energy) {
        "fine-tuning" => "ai_finetuningEnergyConsumption",
        "inference" => "ai_inferenceEnergyConsumption",
        "training" => "ai_trainingEnergyConsumption",
        _ => return None,
    };
    let description = json!({
        "type": "ai_EnergyConsumptionDescription",
        "ai_energyQuantity": hours.value.to_string(),
        "ai_energyUnit": "kilowattHour",
    });
    Some(json!({ "type": "ai_EnergyConsumption", kind: [description] }))
}

/// What has no field: where sources disagree, and code that comes with the model.
fn comment(model: &Model) -> Option<Value> {
    let mut lines: Vec<String> = vec![format!("name: {}", model.name.evidence.place())];
    for conflict in &model.conflicts {
        let voices = conflict.voices.iter().map(|voice| format!("{} says {}", voice.source, voice.values.join(", ")));
        lines.push(format!("sources disagree about the {}: {}", conflict.topic, voices.collect::<Vec<_>>().join("; ")));
    }
    lines.extend(model.remote_code.iter().map(|code| format!("remote code: {} = {}", code.class, code.target)));
    Some(plain(&lines.join("\n")).into())
}

fn parts(bom: &Bom, number: usize, model: &Model, id: &str, graph: &mut Graph) {
    let files: Vec<(Role, String)> =
        bom.files_of(Owner::Model(number)).map(|one| (one.role, file(one, graph))).collect();
    graph.relate(id, "contains", &files.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>());
    let of = |role: Role| files.iter().filter(|(own, _)| *own == role).map(|(_, id)| id.clone()).collect::<Vec<_>>();
    graph.relate(id, "hasDocumentation", &of(Role::Card));
    for (at, variant) in model.variants.iter().enumerate() {
        let other = graph.unique(&format!("variant-{}-{}", model.full_name(), variant.name));
        let mut package = package("ai_AIPackage", &other, &variant.name);
        package["software_primaryPurpose"] = "model".into();
        let mut settings: Vec<(String, String)> =
            variant.header.iter().map(|(key, text)| (plain(key), plain(&text.value))).collect();
        if variant.weights.is_counted() {
            settings.push(("parameters".to_owned(), variant.weights.parameters.to_string()));
        }
        set(&mut package, "ai_hyperparameter", entries(settings));
        graph.add(package);
        licence::relate(&other, &Licences::default(), graph);
        let own: Vec<String> = bom.files_of(Owner::Variant(number, at)).map(|one| file(one, graph)).collect();
        graph.relate(&other, "contains", &own);
        let kind = if variant.kin == Kin::Form { "hasVariant" } else { "contains" };
        graph.relate_with(id, kind, &[other], Some(variant.kin.words().to_owned()));
    }
}

fn ancestors(model: &Model, id: &str, graph: &mut Graph) {
    for ancestor in &model.lineage {
        let other = graph.once(&format!("ancestor-{}", plain(&ancestor.name)), |id| {
            let mut package = package("software_Package", id, &ancestor.name);
            package["software_primaryPurpose"] = "model".into();
            let purl = ancestor.uri.clone().filter(|uri| uri.starts_with("pkg:huggingface/"));
            set(&mut package, "software_packageUrl", purl.map(Value::from));
            let home = ancestor.uri.as_deref().and_then(address);
            set(&mut package, "software_homePage", home.map(Value::from));
            set(
                &mut package,
                "software_packageVersion",
                ancestor.revision.as_deref().map(|revision| plain(revision).into()),
            );
            package
        });
        let places = ancestor.evidence.iter().map(Evidence::place).collect::<Vec<_>>().join(", ");
        let relation = ancestor.relation.as_ref().map(|relation| format!("{relation}; ")).unwrap_or_default();
        graph.relate_with(id, "descendantOf", &[other], Some(plain(&format!("{relation}said in {places}"))));
    }
}

/// A dataset. When it was built and by whom stands in no card, and is left out.
pub(super) fn dataset(bom: &Bom, number: usize, graph: &mut Graph) -> String {
    let Some(dataset) = bom.datasets.get(number) else { return String::new() };
    let id = graph.unique(&format!("dataset-{}", dataset.name));
    let mut package = package("dataset_DatasetPackage", &id, &dataset.name);
    package["software_primaryPurpose"] = "data".into();
    package["dataset_datasetType"] = json!([kind_of_data(&dataset.tasks)]);
    package["dataset_hasSensitivePersonalInformation"] = "noAssertion".into();
    let address = dataset.address.as_deref().and_then(address);
    set(&mut package, "software_downloadLocation", address.map(Value::from));
    set(&mut package, "software_packageVersion", dataset.revision.as_deref().map(|revision| plain(revision).into()));
    set(&mut package, "description", dataset.description.as_ref().map(|text| plain(&text.value).into()));
    set(&mut package, "dataset_datasetSize", rows(dataset).map(Value::from));
    graph.add(package);
    licence::relate(&id, &dataset.licences, graph);
    let files: Vec<String> = bom.files_of(Owner::Dataset(number)).map(|one| file(one, graph)).collect();
    graph.relate(&id, "contains", &files);
    id
}

/// The rows of all splits, where the card of the dataset counts them.
fn rows(dataset: &crate::bom::model::Dataset) -> Option<u64> {
    let counts = dataset.size.iter().filter(|(what, _)| what.starts_with("rows of "));
    let counts: Vec<u64> = counts.filter_map(|(_, text)| text.value.parse().ok()).collect();
    (!counts.is_empty()).then(|| counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count)))
}

fn kind_of_data(tasks: &[Text]) -> &'static str {
    let kinds: Vec<&str> = tasks
        .iter()
        .filter_map(|task| {
            let name = task.value.as_str();
            Some(match name {
                _ if name.starts_with("text")
                    || matches!(
                        name,
                        "question-answering" | "summarization" | "translation" | "fill-mask" | "token-classification"
                    ) =>
                {
                    "text"
                }
                _ if name.starts_with("image") || name == "object-detection" => "image",
                _ if name.starts_with("audio") || name == "automatic-speech-recognition" => "audio",
                _ if name.starts_with("video") => "video",
                _ if name.starts_with("tabular") => "structured",
                _ if name.starts_with("time-series") => "timeseries",
                _ => return None,
            })
        })
        .collect();
    kinds.first().copied().unwrap_or("noAssertion")
}

/// What the project needs.
pub(super) fn dependencies(bom: &Bom, graph: &mut Graph) -> Vec<String> {
    bom.dependencies.iter().map(|dependency| software(dependency, graph)).collect()
}

fn software(dependency: &Dependency, graph: &mut Graph) -> String {
    let id = graph.unique(&format!("dependency-{}", name_of(dependency)));
    let mut package = package("software_Package", &id, name_of(dependency));
    package["software_primaryPurpose"] = "library".into();
    set(&mut package, "software_packageVersion", dependency.version.as_deref().map(|version| plain(version).into()));
    set(&mut package, "software_packageUrl", dependency.package_url().map(Value::from));
    let url = match &dependency.source {
        DependencySource::Archive { url } => address(url),
        DependencySource::Repository { url, .. } => address(url.strip_prefix("git+").unwrap_or(url)),
        DependencySource::Index { .. } | DependencySource::Path { .. } => None,
    };
    set(&mut package, "software_downloadLocation", url.map(Value::from));
    let range = dependency.constraint.as_ref().map(|range| format!("accepted: {range}; ")).unwrap_or_default();
    let line = dependency.location.line.map(|line| format!(":{line}")).unwrap_or_default();
    let place = format!("{range}named in {}{line} as {}", dependency.location.file, dependency.written);
    package["software_sourceInfo"] = plain(&place).into();
    graph.add(package);
    id
}

/// The project or folder as a whole.
pub(super) fn project(bom: &Bom, graph: &mut Graph) -> String {
    let id = graph.unique("subject");
    graph.add(package("software_Package", &id, &bom.name));
    id
}

/// A file with its digest; a file without one says why in its comment.
pub(super) fn file(file: &File, graph: &mut Graph) -> String {
    let id = graph.unique(&format!("file-{}", file.path));
    let mut element = package("software_File", &id, &file.path);
    element["software_primaryPurpose"] = purpose(file.role).into();
    element["comment"] = format!("{}, {} bytes", file.role.name(), file.size).into();
    match file.sha256 {
        Some(digest) => {
            element["verifiedUsing"] =
                json!([{ "type": "Hash", "algorithm": "sha256", "hashValue": digest.to_string() }]);
        }
        None => element["comment"] = "could not be read".into(),
    }
    graph.add(element);
    id
}

const fn purpose(role: Role) -> &'static str {
    match role {
        Role::Weights | Role::Adapter => "model",
        Role::Index | Role::Configuration | Role::Tokenizer | Role::Template => "configuration",
        Role::Card | Role::Licence => "documentation",
        Role::RemoteCode | Role::Code => "source",
        Role::Data => "data",
        Role::Results | Role::Provenance => "evidence",
        Role::Dependencies => "manifest",
        Role::Other => "file",
    }
}
