//! An x-ray for people: the artifact, its facts by kind, then what is inside it.

use std::io::{self, Write};

use waag_engine::output::Style;
use waag_engine::output::text::{HEADING, NAME, Painted, QUIET, counted, parameters, percent, size};
use waag_engine::report::{Analysis, ArtifactReport};
use waag_engine::sanitize::sanitize;
use waag_engine::scan::Xray;

use super::sections::{SECTIONS, Section};

/// Lines of a list that are shown unless all are asked for.
const MAX_LINES: usize = 20;

/// Writes the x-ray.
pub(super) fn render(xray: &Xray, all: bool, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let most = if all { usize::MAX } else { MAX_LINES };
    Page { out, style, most, cut: false }.whole(xray)
}

struct Page<'a> {
    out: &'a mut dyn Write,
    style: Style,
    most: usize,
    /// Whether anything was left out.
    cut: bool,
}

impl Page<'_> {
    fn whole(&mut self, xray: &Xray) -> io::Result<()> {
        self.artifact(xray)?;
        let mut tree = Vec::new();
        outline(xray, 0, &mut tree);
        self.list("Inside", &tree)?;
        self.members(xray)?;
        if self.cut { writeln!(self.out, "\n--all shows every line") } else { Ok(()) }
    }

    /// Members below one another, each that has something to show.
    fn members(&mut self, xray: &Xray) -> io::Result<()> {
        for member in &xray.members {
            if has_something(member) {
                writeln!(self.out)?;
                self.artifact(member)?;
            }
            self.members(member)?;
        }
        Ok(())
    }

    fn artifact(&mut self, xray: &Xray) -> io::Result<()> {
        let name = Painted(self.style.color, HEADING, sanitize(&xray.artifact.location.path()));
        writeln!(self.out, "{name}  {}, {}", xray.artifact.title, size(xray.artifact.size))?;
        if let Some(numbers) = numbers(&xray.artifact) {
            writeln!(self.out, "  {numbers}")?;
        }
        if let Some(digest) = xray.artifact.sha256 {
            writeln!(self.out, "  {}", Painted(self.style.color, QUIET, format!("sha256:{digest}")))?;
        }
        if let Some(gap) = gap(xray.artifact.analysis) {
            writeln!(self.out, "  {gap}")?;
        }
        SECTIONS.iter().try_for_each(|section| self.section(section, xray))
    }

    fn section(&mut self, section: &Section, xray: &Xray) -> io::Result<()> {
        let lines: Vec<String> = xray.facts.iter().filter_map(section.line).flat_map(|lines| split(&lines)).collect();
        self.list(section.title, &lines)
    }

    fn list(&mut self, title: &str, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{}", Painted(self.style.color, NAME, title))?;
        for line in lines.iter().take(self.most) {
            writeln!(self.out, "  {}", line.trim_end())?;
        }
        match lines.len().saturating_sub(self.most) {
            0 => Ok(()),
            more => {
                self.cut = true;
                writeln!(self.out, "  … and {}", counted(more as u64, "more line"))
            }
        }
    }
}

/// The lines of one fact. Breaks in it are the section's own: what an artifact says has none left.
fn split(lines: &str) -> Vec<String> {
    lines.split('\n').map(str::to_owned).collect()
}

fn outline(xray: &Xray, depth: usize, lines: &mut Vec<String>) {
    for member in &xray.members {
        let name = member.artifact.location.members.last().map(|name| sanitize(name)).unwrap_or_default();
        let (title, size) = (member.artifact.title, size(member.artifact.size));
        lines.push(format!("{}{name}  {title}, {size}", "  ".repeat(depth)));
        outline(member, depth + 1, lines);
    }
}

fn has_something(xray: &Xray) -> bool {
    SECTIONS.iter().any(|section| xray.facts.iter().any(|fact| (section.line)(fact).is_some()))
}

fn numbers(artifact: &ArtifactReport) -> Option<String> {
    let whole = artifact.dtypes.iter().fold(0, |sum: u64, (_, elements)| sum.saturating_add(*elements));
    let share = |(name, elements): &(String, u64)| format!("{} {}", sanitize(name), percent(*elements, whole));
    let dtypes: Vec<String> = artifact.dtypes.iter().map(share).collect();
    let separator = if dtypes.is_empty() { "" } else { ": " };
    let tensors = counted(artifact.tensors.tensors, "tensor");
    let parameters = parameters(artifact.tensors.parameters);
    (artifact.tensors.tensors > 0)
        .then(|| format!("{parameters} parameters in {tensors}{separator}{}", dtypes.join(", ")))
}

fn gap(analysis: Analysis) -> Option<&'static str> {
    match analysis {
        Analysis::Complete => None,
        Analysis::Partial => Some("analysed in part: see below what is missing"),
        Analysis::NotAnalysed => Some("not analysed: nobody here knows this format"),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use waag_engine::report::Loading;
    use waag_evidence::Location;
    use waag_formats::fact::{Anomaly, Callable, Fact, FactKind, Gap, Position, Reach, Standing, Tensor, Usage};
    use waag_formats::facts::TensorTotals;

    use super::*;

    fn fact(offset: u64, kind: FactKind) -> Fact {
        Fact { position: Position::Offset(offset), kind }
    }

    fn callable(module: &str, name: &str, expression: &str, standing: Standing) -> FactKind {
        FactKind::Callable(Callable {
            module: module.into(),
            name: name.into(),
            usage: Usage::Reduce,
            standing,
            expression: expression.into(),
            count: 2,
        })
    }

    fn artifact(members: &[&str], title: &'static str) -> ArtifactReport {
        let members = members.iter().map(|&member| member.into()).collect();
        ArtifactReport {
            location: Location { members, ..Location::file("model\u{202e}.pt") },
            size: 61_440,
            format: Some("any"),
            title,
            sha256: None,
            analysis: Analysis::Complete,
            properties: Vec::new(),
            tensors: TensorTotals { tensors: 30, parameters: 12_000_000, bytes: 24_000_000 },
            dtypes: vec![("F16".into(), 12_000_000)],
            loading: Loading::default(),
        }
    }

    fn pickle() -> Vec<Fact> {
        let mut facts = vec![
            fact(0, FactKind::Property { name: Cow::Borrowed("protocol"), value: "2".into() }),
            fact(
                2,
                callable(
                    "torch._utils",
                    "_rebuild_tensor_v2",
                    "_rebuild_tensor_v2(…)",
                    Standing::Inert { reason: "builds a tensor".into() },
                ),
            ),
            fact(
                498,
                callable(
                    "os",
                    "system",
                    "os.system('id\u{1b}')",
                    Standing::Dangerous { effect: "runs a shell command".into(), critical: true },
                ),
            ),
            fact(502, FactKind::Mutation { target: "builtins".into(), change: "sets 'x'".into() }),
            fact(1, FactKind::Step { text: "import os".into() }),
            fact(3, FactKind::Step { text: "var0 = os.system('id')".into() }),
            fact(9, FactKind::Anomaly { anomaly: Anomaly::TrailingBytes, detail: "7 bytes after STOP".into() }),
            fact(
                10,
                FactKind::Incomplete { reason: Gap::Unsupported, detail: "persistent ids of another kind".into() },
            ),
        ];
        facts.extend((0..25).map(|index| {
            let name = format!("layer.{index}.weight\n");
            fact(
                index,
                FactKind::Tensor(Tensor { name, dtype: "F16".into(), shape: vec![768, 768], bytes: Some(1_179_648) }),
            )
        }));
        facts
    }

    #[test]
    fn an_xray_reads_well() {
        let template = [
            fact(
                0,
                FactKind::Template {
                    name: "tokenizer.chat_template".into(),
                    text: "{% for m in messages %}\n{{ m\u{1b} }}\n{% endfor %}".into(),
                },
            ),
            fact(7, FactKind::TemplateReach { expression: "x.__class__".into(), reach: Reach::Internals }),
            fact(0, FactKind::Metadata { key: "format".into(), value: "pt".into() }),
        ];
        let inner = Xray { artifact: artifact(&["archive/data.pkl"], "Pickle"), facts: pickle(), members: Vec::new() };
        let version = Xray { artifact: artifact(&["archive/version"], "Text"), facts: Vec::new(), members: Vec::new() };
        let whole =
            Xray { artifact: artifact(&[], "PyTorch zip"), facts: template.to_vec(), members: vec![inner, version] };
        let mut bytes = Vec::new();
        render(&whole, false, &mut bytes, Style::default()).unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap());
    }
}
