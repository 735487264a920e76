//! For reading, sending and filing: one page that holds everything it needs and runs nothing.

use std::io::{self, Write};

use waag_evidence::DependencySource;

use super::model::{Ancestor, Bom, Evidence, Model, Text};
use super::plain::weights_words;
use super::writing::name_of;
use crate::output::html::parts::{code, safe, tile, titled};
use crate::output::text::{counted, excerpt, parameters, size};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("../output/html/page.css");
const OWN_STYLE: &str = "dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: .6rem 0 0; }\n\
                         dl.facts dt { color: var(--quiet); font-size: .875rem; }\n\
                         dl.facts dd { margin: 0; min-width: 0; white-space: pre-line; }\n";
/// Rows of one table.
const MAX_ROWS: usize = 2_000;
/// Characters of one value.
const MAX_VALUE: usize = 2_000;

/// Writes a page.
///
/// # Errors
/// When `out` cannot be written to.
pub(super) fn write(bom: &Bom, out: &mut dyn Write) -> io::Result<()> {
    // Filled in one pass: what is inserted is never searched for marks again.
    for (index, piece) in PAGE.split("{{").enumerate() {
        match piece.split_once("}}").filter(|_| index > 0) {
            Some((name, rest)) => write!(out, "{}{rest}", section(name, bom))?,
            None => write!(out, "{piece}")?,
        }
    }
    Ok(())
}

fn section(name: &str, bom: &Bom) -> String {
    match name {
        "version" => env!("CARGO_PKG_VERSION").to_owned(),
        "title" => safe(&bom.name),
        "style" => format!("{STYLE}{OWN_STYLE}"),
        "models" => bom.models.iter().map(|one| model(bom, one)).collect(),
        "datasets" => titled("Datasets", &datasets(bom)),
        "software" => titled("Software", &software(bom)),
        "training" => titled("How it was made", &training(bom)),
        "files" => titled("Files", &files(bom)),
        "remarks" => titled("What is to be said", &remarks(bom)),
        _ => String::new(),
    }
}

fn model(bom: &Bom, model: &Model) -> String {
    let mut tiles = String::new();
    if let Some(weights) = model.main_weights().filter(|weights| weights.is_counted()) {
        tiles += &tile("parameters", &parameters(weights.parameters));
        tiles += &tile("tensors", &weights.tensors.to_string());
        tiles += &tile("size", &size(weights.bytes));
        if let Some((dtype, _)) = weights.dtypes.first() {
            tiles += &tile("element type", &safe(dtype));
        }
    }
    tiles += &tile("files", &bom.files.len().to_string());
    let about = model.description.as_ref().map(|text| format!("<p>{}</p>", lines(&text.value))).unwrap_or_default();
    let conflicts: String = model
        .conflicts
        .iter()
        .map(|conflict| {
            let voices = conflict
                .voices
                .iter()
                .map(|voice| format!("{} says {}", code(&voice.source), safe(&voice.values.join(", "))));
            format!(
                "<p class=\"effect inconclusive\">Sources disagree about the {}: {}.</p>",
                conflict.topic,
                voices.collect::<Vec<_>>().join("; ")
            )
        })
        .collect();
    let title = safe(&model.full_name());
    let facts = facts(bom, model);
    format!(
        "<section>\n<h2>{title}</h2>\n{about}<dl class=\"tiles\">{tiles}</dl>\n<div class=\"card\">{conflicts}<dl class=\"facts\">{facts}</dl></div>\n</section>\n"
    )
}

fn facts(bom: &Bom, model: &Model) -> String {
    let mut rows = String::new();
    rows += &text("name", Some(&model.name));
    rows += &text("supplier", model.supplier.as_ref());
    rows += &text("version", model.version.as_ref());
    rows += &model.package_url.as_ref().map(|purl| row("package URL", &code(purl))).unwrap_or_default();
    if let Some(declared) = &model.licences.declared {
        let expression = declared.value.expression.as_deref().unwrap_or("no expression of SPDX");
        rows += &row(
            "licence",
            &format!("{} ({}){}", safe(&declared.value.said), safe(expression), place(&declared.evidence)),
        );
    } else {
        rows += &row("licence", "none is declared");
    }
    if let Some(concluded) = &model.licences.concluded {
        rows += &row("licence text", &format!("{}{}", safe(&concluded.value.said), place(&concluded.evidence)));
    }
    rows += &text("architecture", model.architecture.as_ref());
    rows += &text("family", model.family.as_ref());
    rows += &text("task", model.task.as_ref());
    rows += &text("library", model.library.as_ref());
    rows += &model.weights.as_ref().map(|weights| row("weights", &safe(&weights_words(weights)))).unwrap_or_default();
    for variant in &model.variants {
        rows +=
            &row(variant.kin.word(), &format!("{}: {}", safe(&variant.name), safe(&weights_words(&variant.weights))));
    }
    if let Some(adapter) = &model.adapter {
        rows += &text("adapter", adapter.kind.as_ref());
        rows += &row("adapter weights", &safe(&weights_words(&adapter.weights)));
        rows += &adapter
            .settings
            .iter()
            .map(|(key, value)| text(&format!("adapter {key}"), Some(value)))
            .collect::<String>();
    }
    if let Some(tokenizer) = &model.tokenizer {
        rows += &text("tokenizer", tokenizer.class.as_ref());
        rows += &tokenizer
            .templates
            .iter()
            .map(|template| text("chat template, SHA-256", Some(template)))
            .collect::<String>();
    }
    rows += &model.lineage.iter().map(ancestor).collect::<String>();
    for used in &model.data {
        let purpose = if used.purpose == super::model::Purpose::Training { "trained on" } else { "tested on" };
        let named = bom.datasets.get(used.dataset).map(|dataset| safe(&dataset.name)).unwrap_or_default();
        rows += &row(purpose, &format!("{named}{}", used.evidence.first().map(place).unwrap_or_default()));
    }
    for metric in &model.metrics {
        let on = metric.data.as_ref().map(|data| format!(" on {}", safe(data))).unwrap_or_default();
        rows +=
            &row("result", &format!("{} {}{on}{}", safe(&metric.kind), safe(&metric.value), place(&metric.evidence)));
    }
    if let Some(grams) = model.energy.as_ref().and_then(|energy| energy.grams.as_ref()) {
        rows += &row("emissions", &format!("{} g CO2eq{}", grams.value, place(&grams.evidence)));
    }
    let said = &model.considerations;
    for (label, texts) in [
        ("meant for", &said.uses),
        ("limitations", &said.limitations),
        ("ethics", &said.ethics),
        ("training", &said.training),
    ] {
        rows += &texts.iter().map(|one| text(label, Some(one))).collect::<String>();
    }
    for remote in &model.remote_code {
        rows += &row("remote code", &format!("{}{}", code(&remote.target), place(&remote.evidence)));
    }
    rows + &model.settings.iter().map(|(key, value)| text(key, Some(value))).collect::<String>()
}

fn ancestor(ancestor: &Ancestor) -> String {
    let relation = ancestor.relation.as_ref().map(|relation| format!(" ({})", safe(relation))).unwrap_or_default();
    let places: String = ancestor.evidence.iter().map(place).collect();
    row("made from", &format!("{}{relation}{places}", safe(&ancestor.name)))
}

fn text(label: &str, text: Option<&Text>) -> String {
    text.map(|text| row(label, &format!("{}{}", lines(&text.value), place(&text.evidence)))).unwrap_or_default()
}

fn row(label: &str, value: &str) -> String {
    format!("<dt>{}</dt><dd>{value}</dd>", safe(label))
}

fn place(evidence: &Evidence) -> String {
    format!(" <span class=\"quiet\">{}</span>", code(&evidence.place()))
}

/// A text of several lines.
fn lines(text: &str) -> String {
    let text: String = text.chars().take(MAX_VALUE).collect();
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

fn table(head: &[&str], rows: Vec<String>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head: String = head.iter().map(|title| format!("<th>{title}</th>")).collect();
    let more = rows.len().saturating_sub(MAX_ROWS);
    let more = if more > 0 {
        format!("<p class=\"quiet\">… and {}.</p>\n", counted(more as u64, "more row"))
    } else {
        String::new()
    };
    let rows: String = rows.into_iter().take(MAX_ROWS).collect();
    format!(
        "<div class=\"card scroll\"><table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>\n{more}"
    )
}

fn cells(cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr>{cells}</tr>\n")
}

fn datasets(bom: &Bom) -> String {
    let rows = bom.datasets.iter().map(|dataset| {
        let size = dataset.size.iter().map(|(what, size)| format!("{}: {}", safe(what), safe(&size.value)));
        let licence = dataset.licences.declared.as_ref().map(|declared| safe(&declared.value.said)).unwrap_or_default();
        let revision = dataset.revision.as_deref().map(safe).unwrap_or_default();
        let places: String = dataset.evidence.iter().map(place).collect();
        let here = counted(dataset.files.len() as u64, "file");
        cells(&[safe(&dataset.name), revision, licence, here, size.collect::<Vec<_>>().join(", "), places])
    });
    table(&["name", "revision", "licence", "here", "size", "said in"], rows.collect())
}

fn software(bom: &Bom) -> String {
    let rows = bom.dependencies.iter().map(|one| {
        let source = match &one.source {
            DependencySource::Index { url } => url.clone().unwrap_or_default(),
            DependencySource::Archive { url } | DependencySource::Repository { url, .. } => url.clone(),
            DependencySource::Path { path, .. } => path.clone(),
        };
        let line = one.location.line.map(|line| format!(":{line}")).unwrap_or_default();
        let version = one.version.as_deref().map(safe).unwrap_or_default();
        let range = one.constraint.as_deref().map(safe).unwrap_or_default();
        cells(&[
            safe(name_of(one)),
            version,
            range,
            safe(&excerpt(&source, 120)),
            code(&format!("{}{line}", one.location.file)),
        ])
    });
    table(&["package", "version", "accepted", "from", "said in"], rows.collect())
}

fn training(bom: &Bom) -> String {
    let card = |training: &super::model::Training| {
        let mut rows = row("step", &safe(&training.kind));
        rows += &training.run.as_ref().map(|run| row("run", &safe(run))).unwrap_or_default();
        rows += &training.builder.as_ref().map(|builder| row("by", &safe(builder))).unwrap_or_default();
        for (role, name, digest) in training.inputs.iter().take(MAX_ROWS) {
            let digest = digest.as_ref().map(|digest| format!(" {}", code(digest))).unwrap_or_default();
            rows += &row(role, &format!("{}{digest}", safe(name)));
        }
        rows += &training.parameters.iter().map(|(key, value)| row(key, &safe(value))).collect::<String>();
        format!(
            "<div class=\"card\"><dl class=\"facts\">{rows}{}</dl></div>\n",
            row("recorded in", &place(&training.evidence))
        )
    };
    bom.training.iter().map(card).collect()
}

fn files(bom: &Bom) -> String {
    let rows = bom.files.iter().map(|file| {
        let digest = file.sha256.map_or_else(|| "could not be read".to_owned(), |digest| code(&digest.to_string()));
        cells(&[code(&file.path), file.role.name().to_owned(), size(file.size), digest])
    });
    table(&["path", "for", "size", "SHA-256"], rows.collect())
}

fn remarks(bom: &Bom) -> String {
    let rows = bom.remarks.iter().map(|remark| {
        let word = if remark.is_gap { "<b class=\"inconclusive\">not read</b>" } else { "note" };
        cells(&[code(&remark.location), word.to_owned(), safe(&remark.text)])
    });
    table(&["where", "", "what"], rows.collect())
}
