//! How models were made, as workflows: what went in, what was chosen, what came out.

use super::document::{Formula, Input, Output, Parameter, Reference, Workflow};
use super::{References, named, property};
use crate::bom::model::{Bom, Training};
use crate::bom::writing::{encoded, plain};

/// One formula for each record.
pub(super) fn formulas(bom: &Bom, names: &References) -> Vec<Formula> {
    bom.training.iter().enumerate().map(|(number, training)| formula(bom, names, number, training)).collect()
}

fn formula(bom: &Bom, names: &References, number: usize, training: &Training) -> Formula {
    let reference = format!("training:{number}");
    let mut inputs: Vec<Input> = training.inputs.iter().map(|one| input(bom, names, one)).collect();
    let mut parameters: Vec<Parameter> = Vec::new();
    for (name, value) in &training.parameters {
        let parameter = Parameter { name: plain(name), value: plain(value) };
        if !parameters.contains(&parameter) {
            parameters.push(parameter);
        }
    }
    if !parameters.is_empty() {
        inputs.push(Input { resource: None, parameters, properties: Vec::new() });
    }
    // The schema wants each only once.
    let mut once: Vec<Input> = Vec::new();
    inputs.into_iter().for_each(|input| {
        if !once.contains(&input) {
            once.push(input)
        }
    });
    let mut properties = vec![
        property("waag:training:recorded-in", &training.evidence.place()),
        property("waag:training:record-bears-signature", if training.signed { "yes" } else { "no" }),
    ];
    properties.extend(training.builder.iter().map(|builder| property("waag:training:builder", builder)));
    let workflow = Workflow {
        uid: named(training.run.as_deref().unwrap_or(&reference)),
        reference: format!("{reference}/workflow"),
        name: plain(&training.kind),
        task_types: vec!["build"],
        inputs: once,
        outputs: training.outputs.iter().map(|path| output(path)).collect(),
        time_start: training.started.map(|time| time.to_string()),
        time_end: training.finished.map(|time| time.to_string()),
        properties,
    };
    Formula { reference, workflows: vec![workflow] }
}

/// What went in: by reference where the document has it, else as a parameter by name.
fn input(bom: &Bom, names: &References, (role, name, digest): &(String, String, Option<String>)) -> Input {
    let properties = digest.iter().map(|digest| property("waag:training:digest", digest));
    let dataset = bom.datasets.iter().position(|dataset| dataset.name == *name).and_then(|at| names.datasets.get(at));
    let mut properties: Vec<_> = properties.collect();
    match dataset {
        Some(reference) => {
            properties.push(property("waag:training:role", role));
            let resource = Some(Reference { reference: reference.clone() });
            Input { resource, parameters: Vec::new(), properties }
        }
        None => {
            let parameters = vec![Parameter { name: plain(role), value: plain(name) }];
            Input { resource: None, parameters, properties }
        }
    }
}

fn output(path: &str) -> Output {
    Output { kind: "artifact", resource: Reference { reference: format!("file:{}", encoded(path)) } }
}
