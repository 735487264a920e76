//! For reading, sending and filing: one page that holds everything it needs and runs nothing.

mod map;

use std::io::{self, Write};

use super::rows::{Row, rows};
use crate::diff::Diff;
use crate::diff::report::{Kind, ModelSide};
use crate::output::html::parts::{code, safe, tile, titled};
use crate::output::text;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("../../output/html/page.css");
const OWN_STYLE: &str = include_str!("html/diff.css");

/// Writes a comparison as a page.
///
/// # Errors
/// When `out` cannot be written to.
pub(super) fn render(diff: &Diff, top: usize, out: &mut dyn Write) -> io::Result<()> {
    // Filled in one pass: what is inserted is never searched for marks again.
    for (index, piece) in PAGE.split("{{").enumerate() {
        match piece.split_once("}}").filter(|_| index > 0) {
            Some((name, rest)) => write!(out, "{}{rest}", section(name, diff, top))?,
            None => write!(out, "{piece}")?,
        }
    }
    Ok(())
}

fn section(name: &str, diff: &Diff, top: usize) -> String {
    match name {
        "version" => env!("CARGO_PKG_VERSION").to_owned(),
        "title" => format!("{} and {}", safe(&diff.old.path), safe(&diff.new.path)),
        "style" => format!("{STYLE}{OWN_STYLE}"),
        "summary" => summary(diff),
        "tiles" => tiles(diff),
        "sides" => sides(diff),
        "map" => titled("Where it changed", &map::draw(&diff.tensors)),
        "kinds" => Kind::ALL.iter().map(|kind| kind_section(diff, *kind, top)).collect(),
        _ => String::new(),
    }
}

fn summary(diff: &Diff) -> String {
    let (tone, word, icon) = match diff.is_identical() {
        true => ("allow", "the same weights", "<path d=\"M8 12.5l3 3 5.5-6.5\"/>"),
        false => ("inconclusive", "different weights", "<path d=\"M7 9.5h10M7 14.5h10M14.5 6.5l-5 11\"/>"),
    };
    let mut notes: String = diff.summary.notes.iter().map(|note| format!("<p>{}</p>", safe(note))).collect();
    if let Some(only) = &diff.only {
        notes += &format!("<p>Only names that match {} were compared.</p>", code(only));
    }
    format!(
        "<section class=\"verdict {tone}\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"12\" cy=\"12\" r=\"10\"/>{icon}</svg>\
         <div><h1>{word}</h1><p>{}</p>{notes}</div></section>\n",
        safe(&diff.summary.text)
    )
}

fn tiles(diff: &Diff) -> String {
    let counts = Kind::ALL.iter().filter(|kind| diff.count(**kind) > 0);
    let tiles: String = counts.map(|kind| tile(kind.name(), &diff.count(*kind).to_string())).collect();
    format!("<dl class=\"tiles\">{tiles}</dl>\n")
}

fn sides(diff: &Diff) -> String {
    let row = |which: &str, side: &ModelSide| {
        format!(
            "<tr><td>{}</td><td>{which}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td><code>{}</code></td></tr>\n",
            code(&side.path),
            side.tensors,
            text::parameters(side.elements),
            side.root
        )
    };
    let head = "<thead><tr><th>model</th><th></th><th class=\"number\">tensors</th><th class=\"number\">numbers</th><th>root (SHA-256)</th></tr></thead>";
    let rows = row("first", &diff.old) + &row("second", &diff.new);
    titled(
        "The two models",
        &format!("<div class=\"card scroll\"><table>{head}<tbody>\n{rows}</tbody></table></div>\n"),
    )
}

fn kind_section(diff: &Diff, kind: Kind, top: usize) -> String {
    let rows = rows(&diff.tensors, kind);
    if rows.is_empty() || kind == Kind::Identical {
        return String::new();
    }
    let lines: String = rows.iter().take(top).map(line).collect();
    let head = "<thead><tr><th>tensors</th><th class=\"number\">relative change</th><th>in detail</th></tr></thead>";
    let mut table = format!("<div class=\"card scroll\"><table>{head}<tbody>\n{lines}</tbody></table></div>\n");
    let hidden = rows.len().saturating_sub(top);
    if hidden > 0 {
        let more = text::counted(hidden as u64, "more line");
        table += &format!("<p class=\"quiet\">… and {more}. <code>--format json</code> lists all.</p>\n");
    }
    let title = format!("{}: {}, {}", kind.name(), text::counted(diff.count(kind), "tensor"), kind.about());
    titled(&title, &table)
}

fn line(row: &Row<'_>) -> String {
    let (name, detail) = (code(&row.name), safe(&row.detail()));
    format!("<tr><td>{name}</td><td class=\"number\">{}</td><td class=\"detail\">{detail}</td></tr>\n", row.change())
}
