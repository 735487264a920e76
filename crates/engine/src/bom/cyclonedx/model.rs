//! Models and datasets as components.

use super::component::{Occurrences, file};
use super::document::{Component, Contents, Data, Entity, ExternalReference, IdentityEvidence, Pedigree, Technique};
use super::{References, card, licence, named, property};
use crate::bom::licence::Licences;
use crate::bom::model::{Adapter, Ancestor, Bom, Evidence, Method, Model, Owner, Role, Text, Variant, Weights};
use crate::bom::writing::{address, plain};

/// A model with its files, its variants and its adapter.
pub(super) fn component(bom: &Bom, number: usize, names: &References) -> Component {
    let Some((model, reference)) = bom.models.get(number).zip(names.models.get(number)) else {
        return Component::default();
    };
    let mut seen = Occurrences::default();
    let mut component = Component {
        kind: "machine-learning-model",
        reference: reference.clone(),
        name: named(&model.name.value),
        group: model.package_url.as_ref().and(model.supplier.as_ref()).map(|owner| plain(&owner.value)),
        supplier: model.supplier.as_ref().map(|owner| Entity { name: plain(&owner.value), url: Vec::new() }),
        version: seen.text("version", model.version.as_ref()),
        description: seen.text("description", model.description.as_ref()),
        purl: model.package_url.clone(),
        references: references(model),
        pedigree: pedigree(model, &mut seen),
        card: card::card(model, names, &mut seen),
        ..Component::default()
    };
    seen.add("name", &model.name.evidence);
    properties(&mut component, model, &mut seen);
    let mut parts: Vec<Component> =
        bom.files_of(Owner::Model(number)).filter(|file| !is_of_adapter(model, &file.path)).map(file).collect();
    parts.extend(
        model
            .adapter
            .iter()
            .filter(|_| model.weights.is_some())
            .map(|adapter| adapter_component(bom, adapter, reference)),
    );
    let variants = model.variants.iter().enumerate();
    parts.extend(
        variants.map(|(at, one)| variant(bom, one, Owner::Variant(number, at), &format!("variant:{at}:{reference}"))),
    );
    component.components = parts;
    licensed(&mut component, &model.licences, &mut seen);
    component.evidence = Some(document_evidence(seen, identity(model), &model.licences));
    component
}

fn document_evidence(
    seen: Occurrences,
    identity: Vec<IdentityEvidence>,
    licences: &Licences,
) -> super::document::Evidence {
    let concluded = licences.concluded.iter().map(|concluded| licence::choice(&concluded.value, "concluded"));
    super::document::Evidence { identity, licenses: concluded.collect(), ..seen.into_evidence() }
}

/// An adapter is a part of its own only beside weights; alone, it is the model.
fn is_of_adapter(model: &Model, path: &str) -> bool {
    model.weights.is_some() && model.adapter.iter().any(|adapter| adapter.files.iter().any(|file| file == path))
}

/// What says who it is, and how sure that is: what stands in the files is theirs, a folder is named by anybody.
fn identity(model: &Model) -> Vec<IdentityEvidence> {
    let mut list = vec![identified("name", &model.name)];
    list.extend(model.version.iter().map(|version| identified("version", version)));
    let purl =
        model.package_url.as_ref().map(|purl| Text { value: purl.clone(), evidence: model.name.evidence.clone() });
    list.extend(purl.iter().map(|purl| identified("purl", purl)));
    list
}

fn identified(field: &'static str, text: &Text) -> IdentityEvidence {
    let (technique, confidence) = technique(&text.evidence);
    let value = plain(&text.evidence.place());
    let methods = vec![Technique { technique, confidence, value }];
    IdentityEvidence { field, confidence, concluded_value: plain(&text.value), methods }
}

fn technique(evidence: &Evidence) -> (&'static str, f64) {
    match evidence.method {
        Method::Card | Method::Configuration => ("manifest-analysis", 0.8),
        Method::Header | Method::Tensors | Method::LicenceText => ("binary-analysis", 0.8),
        Method::Path => ("filename", 0.5),
        Method::Given => ("other", 1.0),
    }
}

/// Declared licences go to the component; further voices to its properties.
fn licensed(component: &mut Component, licences: &Licences, seen: &mut Occurrences) {
    if let Some(declared) = &licences.declared {
        component.licenses.push(licence::choice(&declared.value, "declared"));
        component.properties.push(property("waag:licence:declared", &declared.value.said));
        seen.add("licence", &declared.evidence);
    }
    if let Some(concluded) = &licences.concluded {
        component.properties.push(property(
            "waag:licence:concluded",
            concluded.value.expression.as_deref().unwrap_or(&concluded.value.said),
        ));
        seen.add("concluded licence", &concluded.evidence);
        if component.licenses.is_empty() {
            component.licenses.push(licence::choice(&concluded.value, "concluded"));
        }
    }
    for further in &licences.further {
        component
            .properties
            .push(property("waag:licence:also", &format!("{} ({})", further.value, further.evidence.place())));
    }
}

fn references(model: &Model) -> Vec<ExternalReference> {
    let reference = |kind, url: &str| Some(ExternalReference { kind, url: address(url)?, comment: None });
    let mut list: Vec<ExternalReference> = Vec::new();
    list.extend(model.download.as_ref().and_then(|download| reference("distribution", &download.value)));
    list.extend(
        model.licences.declared.as_ref().and_then(|declared| reference("license", declared.value.link.as_deref()?)),
    );
    for link in &model.links {
        let kind = match link.kind {
            "repository" => "vcs",
            "home" => "website",
            "paper" => "documentation",
            _ => "other",
        };
        list.extend(reference(kind, &link.address.value));
    }
    list.sort();
    list.dedup();
    list
}

/// What it was made from, with each place that says so, and where places disagree.
fn pedigree(model: &Model, seen: &mut Occurrences) -> Option<Pedigree> {
    let notes: Vec<String> = model
        .conflicts
        .iter()
        .map(|conflict| {
            let voices =
                conflict.voices.iter().map(|voice| format!("{} says {}", voice.source, voice.values.join(", ")));
            format!("sources disagree about the {}: {}", conflict.topic, voices.collect::<Vec<_>>().join("; "))
        })
        .collect();
    for ancestor in &model.lineage {
        ancestor.evidence.iter().for_each(|evidence| seen.add("base model", evidence));
    }
    let ancestors: Vec<Component> = model.lineage.iter().map(|one| ancestor(one, model)).collect();
    let notes = Some(plain(&notes.join("\n"))).filter(|notes| !notes.is_empty());
    (!ancestors.is_empty() || notes.is_some()).then_some(Pedigree { ancestors, notes })
}

fn ancestor(ancestor: &Ancestor, model: &Model) -> Component {
    let purl = ancestor.uri.as_deref().filter(|uri| uri.starts_with("pkg:huggingface/"));
    let (group, name) = match ancestor.name.split_once('/').filter(|_| purl.is_some()) {
        Some((group, name)) => (Some(plain(group)), name),
        None => (None, ancestor.name.as_str()),
    };
    let version = purl.and_then(|purl| purl.split_once('@')).map(|(_, version)| version.to_owned());
    let mut properties: Vec<_> =
        ancestor.relation.iter().map(|relation| property("waag:lineage:relation", relation)).collect();
    if ancestor.relation.is_none() && model.adapter.is_some() && model.weights.is_none() {
        properties.push(property("waag:lineage:relation", "adapter"));
    }
    properties.extend(ancestor.revision.iter().map(|revision| property("waag:lineage:revision", revision)));
    properties.extend(ancestor.evidence.iter().map(|evidence| property("waag:lineage:said-in", &evidence.place())));
    let website = ancestor.uri.as_deref().and_then(address);
    Component {
        kind: "machine-learning-model",
        name: named(name),
        group,
        version,
        // Without a commit it names no one thing, but it leads to the right place all the same.
        purl: purl.map(str::to_owned),
        references: website.map(|url| ExternalReference { kind: "website", url, comment: None }).into_iter().collect(),
        properties,
        ..Component::default()
    }
}

fn properties(component: &mut Component, model: &Model, seen: &mut Occurrences) {
    let list = &mut component.properties;
    if let Some(weights) = &model.weights {
        list.extend(numbers(weights));
    }
    if let (None, Some(adapter)) = (&model.weights, &model.adapter) {
        list.extend(numbers(&adapter.weights));
        list.extend(adapter_properties(adapter));
    }
    if let Some(tokenizer) = &model.tokenizer {
        list.extend(
            seen.text("tokenizer class", tokenizer.class.as_ref())
                .map(|class| property("waag:tokenizer:class", &class)),
        );
        list.extend(
            tokenizer.vocabulary.as_ref().map(|count| property("waag:tokenizer:vocabulary", &count.value.to_string())),
        );
        for template in &tokenizer.templates {
            list.push(property("waag:tokenizer:chat-template:sha256", &template.value));
            seen.add("chat template", &template.evidence);
        }
    }
    for code in &model.remote_code {
        let file = code.file.as_deref().map_or("not here", |file| file);
        list.push(property("waag:remote-code", &format!("{} = {} ({file})", code.class, code.target)));
        seen.add("remote code", &code.evidence);
    }
    list.extend(seen.text("library", model.library.as_ref()).map(|library| property("waag:library", &library)));
    list.extend(model.languages.iter().map(|language| property("waag:language", &language.value)));
    list.extend(model.tags.iter().map(|tag| property("waag:tag", &tag.value)));
    list.extend(model.release.iter().map(|release| property("waag:release-time", &release.value.to_string())));
}

/// What was counted over tensors.
fn numbers(weights: &Weights) -> Vec<super::document::Property> {
    let mut list = vec![
        property("waag:weights:container", weights.container),
        property("waag:weights:files", &weights.files.len().to_string()),
    ];
    if weights.is_counted() {
        list.push(property("waag:weights:tensors", &weights.tensors.to_string()));
        list.push(property("waag:weights:parameters", &weights.parameters.to_string()));
        list.push(property("waag:weights:bytes", &weights.bytes.to_string()));
    }
    list.extend(
        weights
            .dtypes
            .iter()
            .map(|(dtype, count)| property(&format!("waag:weights:dtype:{}", plain(dtype)), &count.to_string())),
    );
    list.extend(weights.quantisation.as_ref().map(|text| property("waag:weights:quantisation", &text.value)));
    list.extend(weights.missing.iter().map(|file| property("waag:weights:missing", file)));
    list.extend(weights.incomplete.as_ref().map(|why| property("waag:weights:incomplete", why)));
    list
}

fn adapter_properties(adapter: &Adapter) -> Vec<super::document::Property> {
    let kind = adapter.kind.iter().map(|kind| property("waag:adapter:kind", &kind.value));
    kind.chain(adapter.settings.iter().map(|(key, value)| property(&format!("waag:adapter:{key}"), &value.value)))
        .collect()
}

fn variant(bom: &Bom, variant: &Variant, owner: Owner, reference: &str) -> Component {
    let mut properties = numbers(&variant.weights);
    properties.extend(variant.header.iter().map(|(key, value)| property(&format!("waag:header:{key}"), &value.value)));
    Component {
        kind: "machine-learning-model",
        reference: reference.to_owned(),
        name: named(&variant.name),
        description: Some(variant.kin.words().to_owned()),
        components: bom.files_of(owner).map(file).collect(),
        properties,
        ..Component::default()
    }
}

fn adapter_component(bom: &Bom, adapter: &Adapter, reference: &str) -> Component {
    let mut properties = numbers(&adapter.weights);
    properties.extend(adapter_properties(adapter));
    let kind = adapter.kind.as_ref().map_or("adapter", |kind| kind.value.as_str());
    let own = bom.files.iter().filter(|one| one.role == Role::Adapter && adapter.files.contains(&one.path));
    Component {
        kind: "machine-learning-model",
        reference: format!("adapter:{reference}"),
        name: named(&format!("adapter ({kind})")),
        components: own.map(file).collect(),
        properties,
        ..Component::default()
    }
}

/// A dataset with the files of it that are here.
pub(super) fn dataset(bom: &Bom, number: usize, names: &References) -> Component {
    let Some((dataset, reference)) = bom.datasets.get(number).zip(names.datasets.get(number)) else {
        return Component::default();
    };
    let mut seen = Occurrences::default();
    dataset.evidence.iter().for_each(|evidence| seen.add("name", evidence));
    let url = dataset.address.as_deref().and_then(address);
    let mut properties: Vec<_> = dataset
        .size
        .iter()
        .map(|(what, size)| property(&format!("waag:dataset:{}", plain(what)), &size.value))
        .collect();
    properties.extend(dataset.revision.iter().map(|revision| property("waag:dataset:revision", revision)));
    properties.extend(dataset.tasks.iter().map(|task| property("waag:dataset:task", &task.value)));
    properties.extend(dataset.languages.iter().map(|language| property("waag:language", &language.value)));
    let description = seen.text("description", dataset.description.as_ref());
    let contents = Contents { url: url.clone(), properties };
    let is_empty = contents.url.is_none() && contents.properties.is_empty();
    let mut component = Component {
        kind: "data",
        reference: reference.clone(),
        name: named(&dataset.name),
        references: url.map(|url| ExternalReference { kind: "distribution", url, comment: None }).into_iter().collect(),
        components: bom.files_of(Owner::Dataset(number)).map(file).collect(),
        data: vec![Data {
            kind: "dataset",
            name: named(&dataset.name),
            contents: (!is_empty).then_some(contents),
            description,
        }],
        ..Component::default()
    };
    licensed(&mut component, &dataset.licences, &mut seen);
    component.evidence = Some(document_evidence(seen, Vec::new(), &dataset.licences));
    component
}
