//! A map of the change: a row for each layer, a column for each tensor in it, coloured by how much it changed.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::fold::{Numbered, numbered};
use crate::diff::report::{Kind, TensorDiff};
use crate::diff::summary::share;
use crate::output::html::parts::safe;
use crate::output::text::excerpt;

/// Sides of a cell and room for words, in the picture's units.
const CELL: (usize, usize) = (28, 14);
const LEFT: usize = 40;
const TOP: usize = 130;
/// Layers and tensors of each that are drawn.
const MAX_LAYERS: usize = 256;
const MAX_TENSORS: usize = 64;
/// Characters of a tensor's name.
const MAX_NAME: usize = 26;
/// Relative changes from which on a cell is a shade darker.
const SHADES: [f64; 5] = [0.0, 1e-3, 1e-2, 1e-1, 1.0];

/// The map, or nothing when fewer than two layers have the same tensors.
pub(super) fn draw(tensors: &[TensorDiff]) -> String {
    let mut cells: BTreeMap<(u64, Numbered), &TensorDiff> = BTreeMap::new();
    for tensor in tensors {
        if let Some((name, layer)) = numbered(&tensor.name) {
            cells.insert((layer, name), tensor);
        }
    }
    let layers: BTreeSet<u64> = cells.keys().map(|(layer, _)| *layer).collect();
    let mut names: BTreeMap<&Numbered, usize> = BTreeMap::new();
    cells.keys().for_each(|(_, name)| *names.entry(name).or_insert(0) += 1);
    names.retain(|_, count| *count > 1);
    if layers.len() < 2 || names.is_empty() {
        return String::new();
    }
    let columns: Vec<&Numbered> = names.into_keys().take(MAX_TENSORS).collect();
    let layers: Vec<u64> = layers.into_iter().take(MAX_LAYERS).collect();
    format!("<div class=\"card\">{}{}</div>\n", picture(&layers, &columns, &cells), legend())
}

fn picture(layers: &[u64], columns: &[&Numbered], cells: &BTreeMap<(u64, Numbered), &TensorDiff>) -> String {
    let (width, height) = (LEFT + columns.len() * CELL.0 + TOP, TOP + layers.len() * CELL.1 + 4);
    let mut svg = format!(
        "<svg class=\"map\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"relative change by layer and tensor\">"
    );
    for (at, name) in columns.iter().enumerate() {
        let x = LEFT + at * CELL.0 + CELL.0 / 2;
        let text = safe(&excerpt(name.rest(), MAX_NAME));
        svg += &format!("<text x=\"{x}\" y=\"{}\" transform=\"rotate(-55 {x} {})\">{text}</text>", TOP - 6, TOP - 6);
    }
    for (row, layer) in layers.iter().enumerate() {
        let y = TOP + row * CELL.1;
        svg += &format!("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{layer}</text>", LEFT - 6, y + CELL.1 - 4);
        for (column, name) in columns.iter().enumerate() {
            if let Some(tensor) = cells.get(&(*layer, (*name).clone())) {
                svg += &cell(tensor, LEFT + column * CELL.0, y);
            }
        }
    }
    svg + "</svg>"
}

fn cell(tensor: &TensorDiff, x: usize, y: usize) -> String {
    let change = tensor.relative().map_or("no figure".to_owned(), share);
    format!(
        "<rect class=\"cell {}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\"><title>{}: {}, {change}</title></rect>",
        shade(tensor),
        CELL.0,
        CELL.1,
        safe(&tensor.name),
        tensor.kind.name()
    )
}

fn shade(tensor: &TensorDiff) -> &'static str {
    let names = ["heat-1", "heat-2", "heat-3", "heat-4", "heat-5"];
    match (tensor.kind, tensor.relative()) {
        (Kind::Identical | Kind::Renamed, _) => "heat-0",
        (_, None) => "heat-none",
        (_, Some(relative)) => names[SHADES.iter().rposition(|from| relative >= *from).unwrap_or(0)],
    }
}

fn legend() -> String {
    let words = ["the same", "below 0.1 %", "0.1 to 1 %", "1 to 10 %", "10 to 100 %", "100 % and more"];
    let item = |(at, word): (usize, &str)| {
        format!(
            "<li><svg viewBox=\"0 0 10 10\"><rect class=\"heat-{at}\" width=\"10\" height=\"10\"/></svg>{word}</li>"
        )
    };
    let items: String = words.into_iter().enumerate().map(item).collect();
    format!(
        "<ul class=\"legend\">{items}<li><svg viewBox=\"0 0 10 10\"><rect class=\"heat-none\" width=\"10\" height=\"10\"/></svg>not comparable</li></ul>"
    )
}
