//! The parts of the page. Whatever comes from an artifact goes through [`safe`].

use waag_evidence::control::Group;
use waag_evidence::finding::Nature;
use waag_evidence::verdict::Judged;
use waag_evidence::{Confidence, Decision, Finding};

use crate::output::subject::Subject;
use crate::output::{controls, text};
use crate::report::{Analysis, ArtifactReport, Report};
use crate::sanitize::sanitize;

/// Characters of evidence on the page.
const MAX_EVIDENCE: usize = 1000;
/// Shares of a bar that have a colour of their own; the rest shares the last.
const MAX_SHARES: usize = 4;

/// A text as HTML: what deceives is escaped first, then what a browser would interpret.
pub(crate) fn safe(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in sanitize(text).chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// A name or code.
pub(crate) fn code(text: &str) -> String {
    format!("<code>{}</code>", safe(text))
}

/// A section with its heading; nothing when it would be empty.
pub(crate) fn titled(title: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { format!("<section>\n<h2>{title}</h2>\n{content}</section>\n") }
}

/// A number with its name.
pub(crate) fn tile(name: &str, value: &str) -> String {
    format!("<div><dt>{name}</dt><dd>{value}</dd></div>")
}

/// The paths of the report.
pub(super) fn paths(report: &Report) -> String {
    let first: Vec<String> = report.paths.iter().take(3).map(|path| safe(path)).collect();
    let more = report.paths.len().saturating_sub(first.len());
    if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
}

/// What a file is and what loading it does; code is not loaded.
pub(super) fn subject(subject: &Subject<'_>, is_code: bool) -> String {
    let name = code(subject.file);
    let kind = safe(&subject.kind());
    let size = text::size(subject.main.size);
    let digest = subject.main.sha256.map(|digest| format!("<p class=\"quiet mono\">sha256:{digest}</p>"));
    let numbers = shares(subject);
    let effect = if is_code { String::new() } else { loading(subject) };
    let digest = digest.unwrap_or_default();
    format!("<div class=\"card\"><h3>{name}</h3><p>{kind}, {size}</p>{numbers}{digest}{effect}</div>\n")
}

fn loading(subject: &Subject<'_>) -> String {
    let effect = subject.effect();
    let tone = text::decision_word(effect.decision());
    format!("<p class=\"effect {tone}\">Loading it {}</p>", safe(&effect.words()))
}

/// Parameters by element type, as a bar with its legend.
fn shares(subject: &Subject<'_>) -> String {
    if subject.tensors.tensors == 0 {
        return String::new();
    }
    let parameters = text::parameters(subject.tensors.parameters);
    let tensors = text::counted(subject.tensors.tensors, "tensor");
    let (bar, legend) = bar(&grouped(&subject.dtypes));
    format!("<p>{parameters} parameters in {tensors}</p>{bar}{legend}")
}

/// The largest shares by name, and the sum of the others.
fn grouped<'a>(dtypes: &[(&'a str, u64)]) -> Vec<(&'a str, u64)> {
    let mut shares: Vec<(&str, u64)> = dtypes.iter().take(MAX_SHARES).copied().collect();
    let others = dtypes.iter().skip(MAX_SHARES).fold(0, |sum: u64, (_, elements)| sum.saturating_add(*elements));
    if others > 0 {
        shares.push(("others", others));
    }
    shares
}

fn bar(shares: &[(&str, u64)]) -> (String, String) {
    let whole = shares.iter().fold(0, |sum: u64, (_, elements)| sum.saturating_add(*elements));
    let (mut start, mut bar, mut legend) = (0, String::new(), String::new());
    for (index, (name, elements)) in shares.iter().enumerate() {
        let width = u128::from(*elements) * 1000 / u128::from(whole.max(1));
        bar += &format!("<rect class=\"share-{index}\" x=\"{start}\" width=\"{width}\" height=\"10\"/>");
        let swatch = format!(
            "<svg viewBox=\"0 0 1 1\" aria-hidden=\"true\"><rect class=\"share-{index}\" width=\"1\" height=\"1\"/></svg>"
        );
        legend += &format!("<li>{swatch}{} {}</li>", safe(&text::excerpt(name, 24)), text::percent(*elements, whole));
        start += width;
    }
    let bar = format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{bar}</svg>"
    );
    if shares.is_empty() { Default::default() } else { (bar, format!("<ul class=\"legend\">{legend}</ul>")) }
}

/// A finding with everything that helps to act on it.
pub(super) fn finding(finding: &Finding, excepted: bool) -> String {
    let severity = text::severity_word(finding.severity);
    let (class, note) = if excepted { (" excepted", "<span>excepted</span>") } else { ("", "") };
    let evidence = finding.evidence.as_ref().map(|text| safe(&text::excerpt(text, MAX_EVIDENCE)));
    let seen = evidence.map(|text| format!("<dt>seen</dt><dd><pre>{text}</pre></dd>")).unwrap_or_default();
    format!(
        "<article class=\"card finding {severity}{class}\"><header><span class=\"chip\">{severity}</span><code>{}</code>{}{note}</header>\
         <h3>{}</h3><dl><dt>at</dt><dd><code>{}</code></dd>{seen}<dt>next</dt><dd>{}</dd></dl></article>\n",
        safe(&finding.rule),
        remarks(finding),
        safe(&finding.message),
        safe(&text::place(&finding.location)),
        safe(&finding.next_step),
    )
}

/// What qualifies a finding: how often, how sure, and whether it is about what was not seen.
fn remarks(finding: &Finding) -> String {
    let mut remarks = Vec::new();
    if finding.count > 1 {
        remarks.push(format!("seen {} times", finding.count));
    }
    if finding.confidence != Confidence::High {
        remarks.push(format!("confidence: {}", text::confidence_word(finding.confidence)));
    }
    if finding.nature == Nature::Incomplete {
        remarks.push("not analysed in full".to_owned());
    }
    remarks.iter().map(|remark| format!("<span class=\"quiet\">{remark}</span>")).collect()
}

/// The controls and what they answered, group by group.
pub(super) fn controls(report: &Report) -> String {
    if controls::beside_findings(report).next().is_none() {
        return String::new();
    }
    let head =
        "<thead><tr><th>control</th><th>answer</th><th>level</th><th>what was seen</th><th>next</th></tr></thead>";
    let mut bodies = String::new();
    for group in Group::ALL {
        let rows: String = report.verdict.controls.iter().filter(|judged| judged.group == group).map(control).collect();
        if !rows.is_empty() {
            bodies += &format!("<tbody>\n<tr><th colspan=\"5\">{}</th></tr>\n{rows}</tbody>", group.title());
        }
    }
    titled("Controls", &format!("<div class=\"card scroll\"><table>{head}{bodies}</table></div>\n"))
}

fn control(judged: &Judged) -> String {
    let answer = match judged.decision {
        Decision::Allow if judged.outcome.is_open() => judged.outcome.name().to_owned(),
        Decision::Allow => format!("<span class=\"quiet\">{}</span>", judged.outcome),
        decision => format!("<b class=\"{decision}\">{}</b>", judged.outcome),
    };
    let next = controls::worst(judged).map(|(seen, _)| safe(&seen.observation.next)).unwrap_or_default();
    format!(
        "<tr><td>{}<br><span class=\"quiet\">{}</span></td><td>{answer}</td><td>{}</td><td>{}</td><td>{next}</td></tr>\n",
        code(&judged.id),
        safe(&judged.title),
        controls::level_words(judged.level, judged.origin),
        safe(&controls::told(judged)),
    )
}

/// The exceptions of the policy and what became of them.
pub(super) fn exceptions(report: &Report) -> String {
    let rows: String = (0..report.exceptions.len()).map(|index| exception(report, index)).collect();
    if rows.is_empty() {
        return rows;
    }
    let head =
        "<thead><tr><th>path</th><th>rule or control</th><th>reason</th><th>until</th><th>state</th></tr></thead>";
    titled("Exceptions", &format!("<div class=\"card scroll\"><table>{head}<tbody>\n{rows}</tbody></table></div>\n"))
}

fn exception(report: &Report, index: usize) -> String {
    let exception = &report.exceptions[index];
    let covered = controls::covered(report, index);
    let noun = if exception.rule.is_some() { "finding" } else { "answer" };
    let state = match covered {
        0 if report.verdict.ended_exceptions.contains(&index) => "<b class=\"inconclusive\">has ended</b>".to_owned(),
        0 => "<b class=\"inconclusive\">matches nothing</b>".to_owned(),
        _ => format!("applied to {}", text::counted(covered, noun)),
    };
    let (path, rule, reason) = (code(&exception.path), code(exception.about()), safe(&exception.reason));
    format!("<tr><td>{path}</td><td>{rule}</td><td>{reason}</td><td>{}</td><td>{state}</td></tr>\n", exception.until)
}

/// One artifact as a row.
pub(super) fn row(artifact: &ArtifactReport) -> String {
    let analysis = match artifact.analysis {
        Analysis::Complete => "complete",
        Analysis::Partial => "<b class=\"inconclusive\">partial</b>",
        Analysis::NotAnalysed => "<span class=\"quiet\">not analysed</span>",
    };
    let tensors = match artifact.tensors.tensors {
        0 => String::new(),
        tensors => tensors.to_string(),
    };
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{tensors}</td><td>{analysis}</td></tr>\n",
        code(&artifact.location.path()),
        safe(artifact.title),
        text::size(artifact.size)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(safe("<b a='\"'>&\n"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\\n");
    }

    #[test]
    fn small_shares_are_summed_up() {
        let dtypes = [("a", 5), ("b", 4), ("c", 3), ("d", 2), ("e", 1), ("f", 1)];
        assert_eq!(grouped(&dtypes)[3..], [("d", 2), ("others", 2)]);
    }
}
