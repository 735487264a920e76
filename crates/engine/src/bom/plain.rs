//! For people, on one screen.

use std::io::{self, Write};

use super::model::{Bom, Dataset, Evidence, Model, Owner, Purpose, Text, Weights};
use super::writing::name_of;
use crate::output::Style;
use crate::output::text::{DOUBT, Painted, counted, excerpt, listing, parameters, percent, size};
use crate::sanitize::sanitize;

/// Characters of one value.
const MAX_VALUE: usize = 100;
/// Entries of one line.
const MAX_LISTED: usize = 4;
/// Models that are told.
const MAX_MODELS: usize = 5;
/// Datasets, and parts of one model, that are told.
const MAX_PARTS: usize = 6;
/// Remarks that are told.
const MAX_REMARKS: usize = 12;

/// Writes one screen.
///
/// # Errors
/// When `out` cannot be written to.
pub(super) fn write(bom: &Bom, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for model in bom.models.iter().take(MAX_MODELS) {
        write_model(bom, model, out, style)?;
    }
    more(out, bom.models.len(), MAX_MODELS, "more model")?;
    imports(bom, out, style)?;
    if bom.models.is_empty() {
        writeln!(out, "{}  no model among {}", sanitize(&bom.name), counted(bom.files.len() as u64, "file"))?;
    }
    let here = || bom.datasets.iter().enumerate().filter(|(_, dataset)| !dataset.files.is_empty());
    for (number, dataset) in here().take(MAX_PARTS) {
        write_dataset(bom, number, dataset, out)?;
    }
    more(out, here().count(), MAX_PARTS, "more dataset")?;
    software(bom, out)?;
    more(out, bom.training.len(), MAX_PARTS, "more record")?;
    for training in bom.training.iter().take(MAX_PARTS) {
        let run = training.run.as_ref().map(|run| format!(", run {}", excerpt(run, 40))).unwrap_or_default();
        let inputs = counted(training.inputs.len() as u64, "input");
        line(out, "made by", &format!("{}{run}, {inputs}", sanitize(&training.kind)), Some(&training.evidence))?;
    }
    let bytes = bom.files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size));
    let hashed = bom.files.iter().filter(|file| file.sha256.is_some()).count();
    let unread = bom.files.len() - hashed;
    let unread = if unread > 0 { format!(", {unread} could not be read") } else { String::new() };
    writeln!(
        out,
        "\n{}, {} digested (SHA-256), {}{unread}",
        counted(bom.files.len() as u64, "file"),
        hashed,
        size(bytes)
    )?;
    remarks(bom, out, style)
}

fn write_model(bom: &Bom, model: &Model, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let version =
        model.version.as_ref().map(|version| format!(" @ {}", excerpt(&version.value, 40))).unwrap_or_default();
    writeln!(out, "{}{version}  ({})", excerpt(&model.full_name(), MAX_VALUE), sanitize(&model.name.evidence.place()))?;
    let licence = &model.licences;
    match &licence.declared {
        Some(declared) => {
            let expression = declared
                .value
                .expression
                .as_deref()
                .filter(|expression| !expression.eq_ignore_ascii_case(&declared.value.said));
            let expression = expression.map(|expression| format!(" ({})", sanitize(expression))).unwrap_or_default();
            line(
                out,
                "licence",
                &format!("{}{expression}", excerpt(&declared.value.said, MAX_VALUE)),
                Some(&declared.evidence),
            )?;
        }
        None => line(out, "licence", "none is declared", None)?,
    }
    if let Some(concluded) = &licence.concluded {
        line(out, "", &format!("its text is {}", sanitize(&concluded.value.said)), Some(&concluded.evidence))?;
    }
    if let Some(weights) = &model.weights {
        line(out, "weights", &weights_words(weights), None)?;
    }
    for variant in model.variants.iter().take(MAX_PARTS) {
        let text = format!("{}: {}", excerpt(&variant.name, 60), weights_words(&variant.weights));
        line(out, variant.kin.word(), &text, None)?;
    }
    more(out, model.variants.len(), MAX_PARTS, "more set")?;
    if let Some(adapter) = &model.adapter {
        let kind = adapter.kind.as_ref().map_or("adapter", |kind| kind.value.as_str());
        let weights = match adapter.weights.files.is_empty() {
            true => "whose weights are not here".to_owned(),
            false => weights_words(&adapter.weights),
        };
        line(out, "adapter", &format!("{}, {weights}", excerpt(kind, 40)), None)?;
    }
    said(out, "architecture", model.architecture.as_ref().or(model.family.as_ref()))?;
    said(out, "task", model.task.as_ref())?;
    if let Some(tokenizer) = &model.tokenizer {
        let class =
            tokenizer.class.as_ref().map_or_else(|| "of unnamed class".to_owned(), |class| excerpt(&class.value, 60));
        let count = tokenizer.vocabulary.as_ref().map(|count| format!(", {} entries", count.value)).unwrap_or_default();
        line(out, "tokenizer", &format!("{class}{count}"), None)?;
    }
    for ancestor in model.lineage.iter().take(MAX_PARTS) {
        let relation =
            ancestor.relation.as_ref().map(|relation| format!(" ({})", excerpt(relation, 20))).unwrap_or_default();
        let places = listing(ancestor.evidence.iter().map(|evidence| sanitize(&evidence.place())), MAX_LISTED);
        line(out, "made from", &format!("{}{relation}  {places}", excerpt(&ancestor.name, MAX_VALUE)), None)?;
    }
    more(out, model.lineage.len(), MAX_PARTS, "more base model")?;
    for conflict in &model.conflicts {
        let voices: Vec<String> = conflict
            .voices
            .iter()
            .map(|voice| format!("{} says {}", sanitize(&voice.source), excerpt(&voice.values.join(", "), 60)))
            .collect();
        let text = format!("sources disagree about the {}: {}", conflict.topic, voices.join("; "));
        line(out, "", &Painted(style.color, DOUBT, &text).to_string(), None)?;
    }
    data(bom, model, out)?;
    let metrics =
        model.metrics.iter().map(|metric| format!("{} {}", excerpt(&metric.kind, 30), excerpt(&metric.value, 20)));
    if !model.metrics.is_empty() {
        line(out, "results", &listing(metrics.collect::<Vec<_>>().into_iter(), MAX_LISTED), None)?;
    }
    if let Some(grams) = model.energy.as_ref().and_then(|energy| energy.grams.as_ref()) {
        line(out, "emissions", &format!("{} g CO2eq", grams.value), Some(&grams.evidence))?;
    }
    for code in model.remote_code.iter().take(MAX_LISTED) {
        let file = code.file.as_deref().unwrap_or("not here");
        line(out, "remote code", &format!("{} ({})", excerpt(&code.target, 60), sanitize(file)), Some(&code.evidence))?;
    }
    more(out, model.remote_code.len(), MAX_LISTED, "more class")
}

/// Says how many are not told.
fn more(out: &mut dyn Write, count: usize, told: usize, word: &str) -> io::Result<()> {
    match count.saturating_sub(told) {
        0 => Ok(()),
        rest => line(out, "", &format!("… and {} in --format cyclonedx-1.6", counted(rest as u64, word)), None),
    }
}

fn imports(bom: &Bom, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let all = bom.files.iter().flat_map(|file| file.imports.iter().map(move |import| (file, import)));
    let told: Vec<_> = all.filter(|(_, import)| import.standing != "inert").collect();
    for (file, import) in told.iter().take(MAX_LISTED) {
        let text = format!("{} ({}) in {}", excerpt(&import.name, 60), import.standing, sanitize(&file.path));
        line(out, "looks up", &Painted(style.color, DOUBT, &text).to_string(), None)?;
    }
    more(out, told.len(), MAX_LISTED, "more import")
}

fn data(bom: &Bom, model: &Model, out: &mut dyn Write) -> io::Result<()> {
    for (purpose, label) in [(Purpose::Training, "trained on"), (Purpose::Evaluation, "tested on")] {
        let used = model.data.iter().filter(|used| used.purpose == purpose);
        let names: Vec<String> =
            used.filter_map(|used| bom.datasets.get(used.dataset)).map(|dataset| excerpt(&dataset.name, 60)).collect();
        if !names.is_empty() {
            line(out, label, &listing(names.into_iter(), MAX_LISTED), None)?;
        }
    }
    Ok(())
}

fn write_dataset(bom: &Bom, number: usize, dataset: &Dataset, out: &mut dyn Write) -> io::Result<()> {
    let bytes = bom.files_of(Owner::Dataset(number)).fold(0, |sum: u64, file| sum.saturating_add(file.size));
    let count = counted(dataset.files.len() as u64, "file");
    line(out, "data here", &format!("{}: {count}, {}", excerpt(&dataset.name, 60), size(bytes)), None)
}

fn software(bom: &Bom, out: &mut dyn Write) -> io::Result<()> {
    if bom.dependencies.is_empty() {
        return Ok(());
    }
    let exact = bom.dependencies.iter().filter(|dependency| dependency.version.is_some()).count();
    let names = bom.dependencies.iter().map(|dependency| match (&dependency.version, &dependency.constraint) {
        (Some(version), _) => format!("{} {}", excerpt(name_of(dependency), 40), excerpt(version, 20)),
        (None, Some(range)) => format!("{}{}", excerpt(name_of(dependency), 40), excerpt(range, 20)),
        (None, None) => excerpt(name_of(dependency), 40),
    });
    let count = counted(bom.dependencies.len() as u64, "dependency");
    let list = listing(names.collect::<Vec<_>>().into_iter(), MAX_LISTED);
    line(out, "software", &format!("{count}, {exact} at one version: {list}"), None)
}

fn remarks(bom: &Bom, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for remark in bom.remarks.iter().take(MAX_REMARKS) {
        let word = if remark.is_gap { "not read" } else { "note" };
        let text = format!("{word}: {}: {}", sanitize(&remark.location), excerpt(&remark.text, 160));
        writeln!(out, "{}", Painted(style.color && remark.is_gap, DOUBT, &text))?;
    }
    match bom.remarks.len().saturating_sub(MAX_REMARKS) {
        0 => Ok(()),
        more => writeln!(out, "… and {} in --format cyclonedx-1.6", counted(more as u64, "more remark")),
    }
}

/// `2 files of safetensors, 1.2 B parameters (BF16 100 %)`.
pub(super) fn weights_words(weights: &Weights) -> String {
    let files = counted(weights.files.len() as u64, "file");
    let total = weights.dtypes.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
    let shares =
        weights.dtypes.iter().map(|(dtype, count)| format!("{} {}", excerpt(dtype, 16), percent(*count, total)));
    let shares = listing(shares.collect::<Vec<_>>().into_iter(), 3);
    let shares = if shares.is_empty() { String::new() } else { format!(" ({shares})") };
    let quantised =
        weights.quantisation.as_ref().map(|text| format!(", {}", excerpt(&text.value, 40))).unwrap_or_default();
    let missing = if weights.missing.is_empty() {
        String::new()
    } else {
        format!(", {} more are not there", weights.missing.len())
    };
    if !weights.is_counted() {
        return format!("{files} of {}, whose tensors could not be read{missing}", sanitize(weights.container));
    }
    format!(
        "{files} of {}, {} parameters{shares}{quantised}{missing}",
        sanitize(weights.container),
        parameters(weights.parameters)
    )
}

fn said(out: &mut dyn Write, label: &str, text: Option<&Text>) -> io::Result<()> {
    match text {
        Some(text) => line(out, label, &excerpt(&text.value, MAX_VALUE), Some(&text.evidence)),
        None => Ok(()),
    }
}

fn line(out: &mut dyn Write, label: &str, value: &str, evidence: Option<&Evidence>) -> io::Result<()> {
    let place = evidence.map(|evidence| format!("  {}", sanitize(&evidence.place()))).unwrap_or_default();
    writeln!(out, "  {label:<13} {value}{place}")
}
