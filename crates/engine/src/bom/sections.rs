//! Parts of a card that are written for people, taken word for word from under the headings that cards have.

use super::document::{Document, cut, shortened};
use super::model::{Considerations, Evidence, Method, Remark, Said, Text};

/// Headings, in the letters that are left when everything else is taken away, and the part that is under them.
const HEADINGS: &[(&[&str], Part)] = &[
    (
        &["uses", "intendeduse", "intendeduses", "directuse", "downstreamuse", "intendeduseslimitations", "usecases"],
        Part::Uses,
    ),
    (
        &[
            "limitations",
            "biasrisksandlimitations",
            "biasriskslimitations",
            "outofscopeuse",
            "limitationsandbias",
            "knownlimitations",
            "limitationsandbiases",
        ],
        Part::Limitations,
    ),
    (
        &["ethicalconsiderations", "ethicalconsiderationsandlimitations", "ethics", "risks", "bias", "biases"],
        Part::Ethics,
    ),
    (&["trainingdata", "trainingprocedure", "trainingdetails", "training", "traininghyperparameters"], Part::Training),
    (&["preprocessing", "preprocessingoptional", "datapreprocessing"], Part::Preprocessing),
];
/// What templates of cards leave where somebody should have written.
const PLACEHOLDERS: &[&str] = &["more information needed", "needs more information"];
/// Sections that are taken.
const MAX_SECTIONS: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Uses,
    Limitations,
    Ethics,
    Training,
    Preprocessing,
}

/// The first paragraph of a card, and the parts that have a heading of their own.
pub(super) fn read(card: &Document, remarks: &mut Vec<Remark>) -> (Option<Text>, Considerations) {
    let mut read = Considerations::default();
    let Some((first, body)) = &card.body else { return (None, read) };
    let mut sections = sections(body, *first);
    cut(&mut sections, MAX_SECTIONS, "sections", &card.file, remarks);
    let mut description = None;
    for section in &sections {
        let Some(text) = section.text() else { continue };
        let evidence = Evidence { line: Some(section.line), ..Evidence::of(card.file.clone(), Method::Card) };
        let said = Said { value: text, evidence };
        match part_of(&section.heading) {
            Some(Part::Uses) => read.uses.push(said),
            Some(Part::Limitations) => read.limitations.push(said),
            Some(Part::Ethics) => read.ethics.push(said),
            Some(Part::Training) => read.training.push(said),
            Some(Part::Preprocessing) => read.preprocessing.push(said),
            None if description.is_none() => description = Some(first_paragraph(said)),
            None => {}
        }
    }
    (description, read)
}

fn part_of(heading: &str) -> Option<Part> {
    let plain: String =
        heading.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    HEADINGS.iter().find(|(names, _)| names.contains(&plain.as_str())).map(|(_, part)| *part)
}

fn first_paragraph(said: Text) -> Text {
    let value = said.value.split("\n\n").next().unwrap_or_default().trim().to_owned();
    Said { value, ..said }
}

struct Section<'a> {
    heading: String,
    /// The line of its first text.
    line: u64,
    lines: Vec<&'a str>,
}

impl Section<'_> {
    /// What stands there; nothing where it is a placeholder, a comment or an image alone.
    fn text(&self) -> Option<String> {
        let text = self.lines.join("\n");
        let text = text.trim();
        let is_letter = text.chars().any(char::is_alphanumeric);
        let lower = text.to_lowercase();
        let is_empty = PLACEHOLDERS
            .iter()
            .any(|placeholder| lower.contains(placeholder) && lower.len() < placeholder.len().saturating_add(8));
        let is_comment = text.starts_with("<!--") && text.ends_with("-->");
        (is_letter && !is_empty && !is_comment).then(|| shortened(text))
    }
}

fn sections(body: &str, first: u64) -> Vec<Section<'_>> {
    let mut sections = vec![Section { heading: String::new(), line: first, lines: Vec::new() }];
    let mut is_code = false;
    for (number, line) in body.lines().enumerate() {
        let at = first.saturating_add(number as u64);
        is_code ^= line.trim_start().starts_with("```");
        let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
        let is_heading = !is_code && (1..=6).contains(&hashes) && line[hashes..].starts_with(' ');
        if is_heading {
            let heading = line[hashes..].trim().to_owned();
            sections.push(Section { heading, line: at.saturating_add(1), lines: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            let is_blank =
                line.trim().is_empty() || line.trim_start().starts_with("<!--") && line.trim_end().ends_with("-->");
            if section.lines.is_empty() && is_blank {
                section.line = at.saturating_add(1);
            } else {
                section.lines.push(line);
            }
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(text: &str) -> (Option<Text>, Considerations) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("README.md");
        std::fs::write(&path, text).unwrap();
        read(&Document::card("README.md", &path).unwrap().0, &mut Vec::new())
    }

    #[test]
    fn headings_say_what_stands_under_them() {
        let text = "---\na: 1\n---\n# Tiny\n\nA small model.\n\nMore.\n\n## Bias, Risks, and Limitations\n\n\
                    Known bias toward English.\n\n## Uses\n[More Information Needed]\n\n```\n# Limitations\n```\n";
        let (description, read) = card(text);
        let description = description.unwrap();
        assert_eq!((description.value.as_str(), description.evidence.line), ("A small model.", Some(6)));
        assert_eq!(read.limitations.len(), 1);
        assert_eq!(
            (read.limitations[0].value.as_str(), read.limitations[0].evidence.line),
            ("Known bias toward English.", Some(12))
        );
    }

    #[test]
    fn placeholders_and_comments_say_nothing() {
        let (description, read) =
            card("## Limitations\n\n<!-- say what it cannot do -->\n\n## Uses\n\n[More Information Needed]\n");
        assert_eq!((description, read), (None, Considerations::default()));
    }
}
