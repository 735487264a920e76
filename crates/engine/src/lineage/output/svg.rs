//! A picture: what was made stands to the right of what it was made from. Colours repeat what words say; the page's own
//! colours follow the reader's. It holds no script, and nothing that a name could become one with.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::fold::{Children, ends, fold, group_name};
use super::{Told, words};
use crate::lineage::answer::{AnswerEdge, Kind, Level, Missing};
use crate::lineage::layout::{Drawing, Layout, layout};
use crate::output::text::excerpt;
use crate::sanitize::sanitize;

/// Boxes that are drawn: nobody can read more.
const MAX_BOXES: usize = 160;
/// Lines that are drawn.
const MAX_LINES: usize = 1000;
const WIDTH: f64 = 216.0;
const HEIGHT: f64 = 58.0;
const BETWEEN: f64 = 224.0;
/// How far a line runs straight, where its words stand.
const STRAIGHT: f64 = 136.0;
const GAP: f64 = 22.0;
const MARGIN: f64 = 28.0;
const TOP: f64 = 76.0;
const BOTTOM: f64 = 62.0;
/// How much fits into a box in bold, in the width of a common letter; and letters that fit in small, and beside a line.
const ROOM: f64 = 22.5;
const SMALL_LETTERS: usize = 28;
const LINE_LETTERS: usize = 24;
/// Lines of what is told when the mouse rests.
const MAX_TITLE: usize = 24;

const STYLE: &str = "\
.page{fill:#ffffff}.box{fill:#f6f8fa;stroke:#8c959f;stroke-width:1}.back{fill:#eaeef2;stroke:#8c959f;stroke-width:1}\
.asked{stroke:#0969da;stroke-width:2.5}.missing{stroke-dasharray:5 4;stroke:#9a6700}.torn{stroke:#cf222e;stroke-width:2}\
text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328}\
.title{font-size:17px;font-weight:600}.sub{font-size:12px;fill:#59636e}.name{font-size:13px;font-weight:600}\
.kind{font-size:10px;fill:#59636e;letter-spacing:.6px}\
.id{font-size:11px;fill:#59636e;font-family:ui-monospace,'SFMono-Regular','DejaVu Sans Mono',monospace}\
.warn{font-size:10px;fill:#9a6700;font-weight:600}.bad{fill:#cf222e}\
.role{font-size:11px;font-weight:600;paint-order:stroke;stroke:#ffffff;stroke-width:4px;stroke-linejoin:round}\
.who{font-size:10px;paint-order:stroke;stroke:#ffffff;stroke-width:4px;stroke-linejoin:round}\
.line{fill:none;stroke-width:1.8}.signed{stroke:#1a7f37}.file{stroke:#0969da;stroke-dasharray:2 4;stroke-linecap:round}\
.declared{stroke:#9a6700;stroke-dasharray:7 4}.unverified{stroke:#cf222e;stroke-dasharray:10 3 2 3}\
.t-signed{fill:#1a7f37}.t-file{fill:#0969da}.t-declared{fill:#7d4e00}.t-unverified{fill:#cf222e}\
.k-model{fill:#8250df}.k-dataset{fill:#0969da}.k-code{fill:#1b7c83}.k-package{fill:#57606a}.k-environment{fill:#57606a}\
.k-run{fill:#bc4c00}.k-step{fill:#bc4c00}.k-advisory{fill:#cf222e}.k-file{fill:#6e7781}.k-artifact{fill:#6e7781}\
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.box{fill:#161b22;stroke:#6e7681}.back{fill:#21262d;stroke:#6e7681}\
text{fill:#e6edf3}.sub,.kind,.id{fill:#9198a1}.role,.who{stroke:#0d1117}.asked{stroke:#4493f8}.missing{stroke:#d29922}\
.torn{stroke:#f85149}.warn{fill:#d29922}.bad{fill:#f85149}.signed{stroke:#3fb950}.file{stroke:#4493f8}\
.declared{stroke:#d29922}.unverified{stroke:#f85149}.t-signed{fill:#3fb950}.t-file{fill:#4493f8}.t-declared{fill:#d29922}\
.t-unverified{fill:#f85149}.k-model{fill:#a371f7}.k-dataset{fill:#4493f8}.k-code{fill:#39c5cf}}";

/// A box of the picture.
struct Box {
    name: String,
    kind: &'static str,
    word: String,
    id: String,
    title: Vec<String>,
    classes: &'static str,
    warning: Option<(&'static str, bool)>,
    /// Where those behind it are seen, for one that stands for several: to the left or to the right.
    behind: Option<f64>,
}

/// A line of the picture, from what something was made from to what was made.
struct Line {
    from: usize,
    to: usize,
    role: String,
    who: String,
    level: Level,
    title: Vec<String>,
    /// In a circle.
    is_torn: bool,
}

#[derive(Default)]
struct Picture {
    boxes: Vec<Box>,
    lines: Vec<Line>,
    left_out: usize,
}

pub(super) fn render(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let picture = Picture::new(told);
    let heights = vec![HEIGHT; picture.boxes.len()];
    let links: Vec<_> = picture.lines.iter().map(|line| (line.from, line.to)).collect();
    let drawing = Drawing { heights: &heights, links: &links, to_the_right: told.is_upward(), gap: GAP };
    picture.draw(told, &layout(&drawing), out)
}

impl Picture {
    fn new(told: &Told<'_>) -> Self {
        let (answer, children) = (told.answer, fold(told.answer));
        let mut picture = Self::default();
        let mut places = vec![None; answer.nodes.len()];
        let hidden = hidden(told, &children);
        for (node, place) in places.iter_mut().enumerate().filter(|(node, _)| !hidden.contains(node)) {
            if picture.boxes.len() >= MAX_BOXES {
                picture.left_out += 1;
                continue;
            }
            *place = Some(picture.boxes.len());
            picture.boxes.push(node_box(told, node, &children[node]));
        }
        for (node, children) in children.iter().enumerate() {
            let Some(at) = places[node] else { continue };
            for edge in children.edges.iter().map(|place| &answer.edges[*place]) {
                if let (Some(from), Some(to)) = (places[edge.object], places[edge.subject])
                    && picture.lines.len() < MAX_LINES
                {
                    picture.lines.push(line(told, edge, from, to));
                }
            }
            for group in &children.groups {
                picture.group(told, at, group);
            }
        }
        picture
    }

    /// A box for several nodes, and its line.
    fn group(&mut self, told: &Told<'_>, at: usize, group: &[usize]) {
        let answer = told.answer;
        let Some(first) = group.first().map(|place| &answer.edges[*place]) else { return };
        if self.lines.len() >= MAX_LINES {
            return;
        }
        let names = group.iter().map(|place| &answer.nodes[ends(&answer.edges[*place]).1]);
        let kind = names.clone().next().map_or(Kind::Artifact, |node| node.kind);
        let listed: Vec<String> = names.map(words::label).collect();
        let place = self.boxes.len();
        self.boxes.push(Box {
            name: group_name(answer, group),
            kind: kind.word(),
            word: kind.word().to_uppercase(),
            id: excerpt(&listed.join(", "), SMALL_LETTERS),
            title: listed,
            classes: "box",
            warning: None,
            behind: Some(if told.is_upward() { -1.0 } else { 1.0 }),
        });
        let (from, to) = if first.backwards { (at, place) } else { (place, at) };
        self.lines.push(Line { from, to, who: first.level.words().to_owned(), ..line(told, first, from, to) });
    }

    fn draw(&self, told: &Told<'_>, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
        let columns = layout.layers.max(1) as f64;
        let width = (2.0 * MARGIN + columns * WIDTH + (columns - 1.0) * BETWEEN).max(760.0);
        let height = TOP + layout.height + BOTTOM;
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">"
        )?;
        writeln!(out, "<title>{}</title>", escaped(&words::headline(told)))?;
        writeln!(out, "<style>{STYLE}</style>")?;
        writeln!(out, "<rect class=\"page\" width=\"{width:.0}\" height=\"{height:.0}\"/>")?;
        text(out, "title", MARGIN, 34.0, &words::headline(told))?;
        text(out, "sub", MARGIN, 54.0, &self.caption(told))?;
        for (place, (line, path)) in self.lines.iter().zip(&layout.links).enumerate() {
            line.draw(path, self.room(place), out)?;
        }
        for (drawn, (layer, middle)) in self.boxes.iter().zip(&layout.boxes) {
            drawn.draw(x_of(*layer), TOP + middle - HEIGHT / 2.0, out)?;
        }
        for (place, (line, path)) in self.lines.iter().zip(&layout.links).enumerate() {
            line.label(path, self.room(place), out)?;
        }
        legend(height - 26.0, out)?;
        writeln!(out, "</svg>")
    }

    /// What the picture does not show, or what it has to warn of.
    fn caption(&self, told: &Told<'_>) -> String {
        let answer = told.answer;
        let signed = answer.edges.iter().filter(|edge| edge.level == Level::Signed).count();
        let mut parts = vec![format!("{signed} of {} links signed by somebody who is trusted", answer.edges.len())];
        let counts = [
            (answer.conflicts.len(), "conflict"),
            (answer.cycles.len(), "circle"),
            (answer.left_out.len(), "statement not believed"),
        ];
        for (count, noun) in counts.into_iter().filter(|(count, _)| *count > 0) {
            parts.push(if noun.starts_with("statement") {
                format!("{count} statements not believed")
            } else {
                crate::output::text::counted(count as u64, noun)
            });
        }
        if self.left_out > 0 {
            parts.push(format!("{} more boxes not drawn", self.left_out));
        }
        if !answer.incomplete.is_empty() || self.lines.len() >= MAX_LINES {
            parts.push("incomplete".to_owned());
        }
        parts.join(" · ")
    }

    /// Where the words of a line have room: where it is alone.
    fn room(&self, place: usize) -> Room {
        let line = &self.lines[place];
        let from = self.lines.iter().filter(|other| other.from == line.from).count();
        let to = self.lines.iter().filter(|other| other.to == line.to).count();
        match (from, to) {
            (1, _) => Room::Start,
            (_, 1) => Room::End,
            _ => Room::Middle(self.lines.iter().take(place).filter(|other| other.from == line.from).count()),
        }
    }
}

/// Where the words of a line stand.
#[derive(Clone, Copy)]
enum Room {
    Start,
    End,
    /// Somewhere between, with how many lines from the same box before it.
    Middle(usize),
}

/// Nodes that stand for themselves in no box.
fn hidden(told: &Told<'_>, children: &[Children]) -> BTreeSet<usize> {
    let grouped = children.iter().flat_map(|children| children.groups.iter().flatten());
    let grouped = grouped.map(|place| ends(&told.answer.edges[*place]).1);
    children.iter().flat_map(|children| children.names.iter().copied()).chain(grouped).collect()
}

fn node_box(told: &Told<'_>, place: usize, children: &Children) -> Box {
    let (answer, node) = (told.answer, &told.answer.nodes[place]);
    let is_torn = answer.conflicts.iter().any(|conflict| conflict.subject == place);
    let is_circle = answer.cycles.iter().any(|cycle| cycle.contains(&place));
    let mut title = vec![sanitize(&node.id)];
    title.extend(node.label.as_deref().map(sanitize));
    title.extend(children.names.iter().map(|name| format!("= {}", sanitize(&answer.nodes[*name].id))));
    title.extend(node.missing.map(|missing| missing.words().to_owned()));
    let classes = match () {
        () if is_torn || is_circle => "box torn",
        () if node.depth == 0 => "box asked",
        () if node.missing.is_some() => "box missing",
        () => "box",
    };
    let warning = match (is_torn, is_circle, node.missing) {
        (true, ..) => Some(("sources disagree", true)),
        (_, true, _) => Some(("made from itself", true)),
        (.., Some(Missing::Digest)) => Some(("no digest", false)),
        (.., Some(Missing::Statement)) => Some(("origin unknown", false)),
        _ => None,
    };
    // Beside a digest that people call something, the name that others look for says more.
    let alias = children.names.first().map(|name| words::short(&answer.nodes[*name]));
    let (name, short) = (words::headword(node), words::short(node));
    let id = if short == name { alias.unwrap_or_default() } else { short };
    Box {
        name: fit(&name),
        kind: node.kind.word(),
        word: node.kind.word().to_uppercase(),
        id: excerpt(&id, SMALL_LETTERS),
        title,
        classes,
        warning,
        behind: None,
    }
}

fn line(told: &Told<'_>, edge: &AnswerEdge, from: usize, to: usize) -> Line {
    let answer = told.answer;
    let is_torn = edge.relation != "same-as"
        && answer.cycles.iter().any(|cycle| cycle.contains(&edge.subject) && cycle.contains(&edge.object));
    let title = edge.said.iter().map(|said| {
        let cited = answer.statements.get(said.statement);
        let day = cited.and_then(words::day).map(|day| format!(", {day}")).unwrap_or_default();
        let digest = cited.map(|cited| cited.digest.to_string()).unwrap_or_default();
        format!("{}{day} (statement {digest})", words::said(answer, said))
    });
    let title = std::iter::once(edge.relation.to_owned()).chain(title).collect();
    let who = words::who(answer, edge);
    Line { from, to, role: edge.relation.replace('-', " "), who, level: edge.level, title, is_torn }
}

/// As much of a name as there is room for in bold.
fn fit(name: &str) -> String {
    let width = |letter: char| match letter {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | '[' | ']' | ' ' => {
            0.6
        }
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.4,
        'A'..='Z' | '_' | '<' | '>' | '=' | '+' | '#' | '&' => 1.15,
        letter if letter.is_ascii() => 1.0,
        letter if u32::from(letter) < 0x1100 => 1.2,
        _ => 1.8,
    };
    if name.chars().map(width).sum::<f64>() <= ROOM {
        return name.to_owned();
    }
    let mut sum = 0.0;
    let fits = |letter: &char| {
        sum += width(*letter);
        sum <= ROOM - 1.4
    };
    format!("{}…", name.chars().take_while(fits).collect::<String>())
}

const fn class(level: Level) -> &'static str {
    match level {
        Level::Signed => "signed",
        Level::DerivedFromFile => "file",
        Level::SelfDeclared => "declared",
        Level::Unverified => "unverified",
    }
}

impl Box {
    fn draw(&self, x: f64, y: f64, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "<g>{}", title(&self.title))?;
        if let Some(side) = self.behind {
            for step in [8.0, 4.0] {
                let (x, y) = (x + side * step, y - step);
                writeln!(
                    out,
                    "<rect class=\"back\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"7\"/>"
                )?;
            }
        }
        writeln!(
            out,
            "<rect class=\"{}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"7\"/>",
            self.classes
        )?;
        writeln!(
            out,
            "<rect class=\"k-{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"4\" height=\"{:.1}\" rx=\"2\"/>",
            self.kind,
            x + 7.0,
            y + 9.0,
            HEIGHT - 18.0
        )?;
        text(out, "kind", x + 19.0, y + 17.0, &self.word)?;
        text(out, "name", x + 19.0, y + 33.0, &self.name)?;
        text(out, "id", x + 19.0, y + 48.5, &self.id)?;
        if let Some((words, is_bad)) = self.warning {
            let class = if is_bad { "warn bad" } else { "warn" };
            let x = x + WIDTH - 10.0;
            let y = y + 17.0;
            writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{words}</text>")?;
        }
        writeln!(out, "</g>")
    }
}

impl Line {
    /// A curve through every layer that it passes, and an arrow at what was made.
    fn draw(&self, path: &[(usize, f64)], room: Room, out: &mut dyn Write) -> io::Result<()> {
        let points = with_straight(points(path), room);
        let Some(first) = points.first() else { return Ok(()) };
        let mut curve = format!("M{:.1} {:.1}", first.0, first.1);
        for pair in points.windows(2) {
            let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
            let bend = (to_x - x) / 2.0;
            curve.push_str(&format!("C{:.1} {y:.1} {:.1} {to_y:.1} {to_x:.1} {to_y:.1}", x + bend, to_x - bend));
        }
        let class = if self.is_torn { "unverified" } else { class(self.level) };
        writeln!(out, "<g>{}<path class=\"line {class}\" d=\"{curve}\"/>", title(&self.title))?;
        if let Some((x, y)) = points.last()
            && self.role != "same as"
        {
            let back = if points.first().is_some_and(|first| first.0 > *x) { -8.0 } else { 8.0 };
            let from = x - back;
            let (above, below) = (y - 4.5, y + 4.5);
            writeln!(
                out,
                "<path class=\"t-{class}\" d=\"M{x:.1} {y:.1}L{from:.1} {above:.1}L{from:.1} {below:.1}Z\"/>"
            )?;
        }
        writeln!(out, "</g>")
    }

    fn label(&self, path: &[(usize, f64)], room: Room, out: &mut dyn Write) -> io::Result<()> {
        let points = points(path);
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(()) };
        let is_forward = first.0 <= last.0;
        let (x, y, anchor) = match room {
            Room::Start if is_forward => (first.0 + 10.0, first.1, "start"),
            Room::End if is_forward => (last.0 - 14.0, last.1, "end"),
            Room::Middle(before) => {
                // Beside each other's, along the line.
                let share = [0.5, 0.32, 0.68, 0.42, 0.58][before % 5];
                let at = points.windows(2).next().map_or(*first, |pair| on_curve(pair[0], pair[1], share));
                (at.0, at.1, "middle")
            }
            _ => ((first.0 + last.0) / 2.0, f64::midpoint(first.1, last.1), "middle"),
        };
        let class = if self.is_torn { "unverified" } else { class(self.level) };
        let role = escaped(&self.role);
        let who = escaped(&excerpt(&self.who, LINE_LETTERS));
        writeln!(
            out,
            "<text class=\"role t-{class}\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{role}</text>",
            y - 6.0
        )?;
        writeln!(
            out,
            "<text class=\"who t-{class}\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{who}</text>",
            y + 14.0
        )
    }
}

/// Where a line runs: from the right side of a box, past others, to the left side of another.
fn points(path: &[(usize, f64)]) -> Vec<(f64, f64)> {
    let last = path.len().saturating_sub(1);
    let is_forward = path.first().map(|first| first.0) <= path.last().map(|last| last.0);
    let mut points = Vec::new();
    for (place, (layer, middle)) in path.iter().enumerate() {
        let (left, y) = (x_of(*layer), TOP + middle);
        let right = left + WIDTH;
        match (place, is_forward) {
            (0, true) => points.push((right, y)),
            (0, false) => points.push((left, y)),
            (place, true) if place == last => points.push((left, y)),
            (place, false) if place == last => points.push((right, y)),
            (_, true) => points.extend([(left, y), (right, y)]),
            (_, false) => points.extend([(right, y), (left, y)]),
        }
    }
    points
}

/// The same with a point more where the words of the line end, so that it bends only beside them.
fn with_straight(mut points: Vec<(f64, f64)>, room: Room) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else { return points };
    if first.0 <= last.0 {
        match room {
            Room::Start => points.insert(1, (first.0 + STRAIGHT, first.1)),
            Room::End => points.insert(points.len() - 1, (last.0 - STRAIGHT, last.1)),
            Room::Middle(_) => {}
        }
    }
    points
}

/// A point of the curve between two points, as it is drawn.
fn on_curve(from: (f64, f64), to: (f64, f64), share: f64) -> (f64, f64) {
    let rest = 1.0 - share;
    let middle = f64::midpoint(from.0, to.0);
    let weights = [rest * rest * rest, 3.0 * rest * rest * share, 3.0 * rest * share * share, share * share * share];
    let x = weights[0] * from.0 + (weights[1] + weights[2]) * middle + weights[3] * to.0;
    (x, (weights[0] + weights[1]) * from.1 + (weights[2] + weights[3]) * to.1)
}

fn x_of(layer: usize) -> f64 {
    MARGIN + layer as f64 * (WIDTH + BETWEEN)
}

/// What the lines mean.
fn legend(y: f64, out: &mut dyn Write) -> io::Result<()> {
    const MEANINGS: [(Level, &str); 4] = [
        (Level::Signed, "signed by somebody trusted"),
        (Level::DerivedFromFile, "derived from a file"),
        (Level::SelfDeclared, "self-declared"),
        (Level::Unverified, "unverified signature"),
    ];
    let mut x = MARGIN;
    for (level, words) in MEANINGS {
        let end = x + 34.0;
        writeln!(out, "<path class=\"line {}\" d=\"M{x:.1} {y:.1}H{end:.1}\"/>", class(level))?;
        text(out, "sub", end + 7.0, y + 4.0, words)?;
        x = end + 24.0 + words.len() as f64 * 6.4;
    }
    Ok(())
}

fn text(out: &mut dyn Write, class: &str, x: f64, y: f64, words: &str) -> io::Result<()> {
    writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(words))
}

fn title(lines: &[String]) -> String {
    let more = lines.len().saturating_sub(MAX_TITLE);
    let mut shown: Vec<String> = lines.iter().take(MAX_TITLE).map(|line| escaped(line)).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    format!("<title>{}</title>", shown.join("\n"))
}

/// A text of an artifact between tags.
fn escaped(text: &str) -> String {
    let safe = sanitize(text);
    safe.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
