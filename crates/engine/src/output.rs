//! How a report is told. Each way is one file and one line in [`OUTPUTS`].

mod checklist;
pub mod collection;
pub mod controls;
mod github;
pub(crate) mod html;
mod json;
mod junit;
mod plain;
#[cfg(test)]
mod sample;
mod sarif;
pub mod subject;
pub mod text;

use std::io::{self, Write};

use crate::report::Report;

/// Columns that are written when nobody knows how wide the reader's screen is.
pub const DEFAULT_WIDTH: usize = 100;

/// How much of a report is asked for. Only formats for people care; the others always tell all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What it is, what was found, and the verdict.
    Check,
    /// What was found.
    Findings,
    /// The verdict alone.
    Verdict,
}

/// How to write for this reader.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// How much is asked for.
    pub view: View,
    /// Whether the reader's terminal shows colours.
    pub color: bool,
    /// Columns the reader sees.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { view: View::Check, color: false, width: DEFAULT_WIDTH }
    }
}

/// A way to tell a report.
pub trait Output: Sync {
    /// Its name, as given to `--format`.
    fn id(&self) -> &'static str;

    /// Who it is for, in a few words.
    fn about(&self) -> &'static str;

    /// Writes the report. The same report gives the same bytes.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    fn render(&self, report: &Report, out: &mut dyn Write, style: Style) -> io::Result<()>;
}

impl std::fmt::Debug for dyn Output + '_ {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Output({})", self.id())
    }
}

/// Every output, in the order in which they are listed to people. The first is the default.
pub static OUTPUTS: &[&dyn Output] =
    &[&plain::Plain, &json::Json, &sarif::Sarif, &github::GitHub, &junit::Junit, &html::Html];

/// The output with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static dyn Output> {
    OUTPUTS.iter().copied().find(|output| output.id() == id)
}

pub use json::write_json;

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(output: &dyn Output, report: &Report, style: Style) -> String {
        let mut bytes = Vec::new();
        output.render(report, &mut bytes, style).unwrap();
        String::from_utf8(bytes).unwrap().replace(env!("CARGO_PKG_VERSION"), "[version]")
    }

    /// The rules' pages have tests of their own, and would change these snapshots with every word.
    fn without_rules(sarif: &str) -> String {
        let mut log: serde_json::Value = serde_json::from_str(sarif).unwrap();
        log["runs"][0]["tool"]["driver"]["rules"] = "[rules]".into();
        for result in log["runs"][0]["results"].as_array_mut().unwrap() {
            result["ruleIndex"] = "[index]".into();
        }
        serde_json::to_string_pretty(&log).unwrap()
    }

    #[test]
    fn every_output_of_every_kind_of_report() {
        for output in OUTPUTS {
            for (name, report) in sample::all() {
                let mut text = rendered(*output, &report, Style::default());
                if output.id() == "sarif" {
                    text = without_rules(&text);
                }
                insta::assert_snapshot!(format!("{}-{name}", output.id()), text);
            }
        }
    }

    #[test]
    fn plain_tells_less_when_less_is_asked_for() {
        let report = sample::deny();
        let view = |view| rendered(&plain::Plain, &report, Style { view, ..Style::default() });
        insta::assert_snapshot!("plain-findings", view(View::Findings));
        insta::assert_snapshot!("plain-verdict", view(View::Verdict));
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let report = sample::deny();
        let style = Style { color: true, ..Style::default() };
        let coloured = rendered(&plain::Plain, &report, style);
        insta::assert_snapshot!("plain-colour", coloured.escape_debug().to_string().replace("\\n", "\n"));
    }

    /// Nothing an artifact says may reach a terminal, a runner or a browser as anything but text.
    #[test]
    fn no_output_lets_a_name_act() {
        for output in OUTPUTS {
            let text = rendered(*output, &sample::deny(), Style::default());
            let acts = |line: &&str| crate::sanitize::is_deceptive(line);
            assert_eq!(text.lines().find(acts), None, "{}", output.id());
            assert!(output.id() != "html" || !text.contains("<script"));
            assert!(!text.lines().any(|line| line.starts_with("::set-output")), "{}", output.id());
        }
    }

    #[test]
    fn ids_are_unique() {
        for (index, output) in OUTPUTS.iter().enumerate() {
            assert!(OUTPUTS[..index].iter().all(|other| other.id() != output.id()));
        }
    }
}
