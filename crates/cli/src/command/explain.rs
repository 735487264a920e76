use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use waag_engine::output::text::{NAME, Painted};
use waag_engine::output::{Style, View};
use waag_engine::rules::{Meta, RULES};
use waag_engine::sanitize::sanitize;
use waag_engine::{card, licence};

use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{markdown, suggest};

const EXAMPLES: &str = "\
Examples:
  waag explain                  list the rules
  waag explain code-execution   what it reports, why, and what to do";

/// Explain a rule, or list the rules
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Explain {
    /// Id of the rule, as findings name it
    rule: Option<String>,
}

impl Explain {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let style = terminal.style(View::Check, false);
        match &self.rule {
            None => terminal.answer(None, |out| list(out, style))?,
            Some(id) => {
                let rule = rules().into_iter().find(|rule| rule.id == id).ok_or_else(|| unknown(id))?;
                terminal.answer(None, |out| markdown::render(rule.page, out, style))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Every rule: of the formats of files, of papers, and of a project's code.
fn rules() -> Vec<&'static Meta> {
    let of_formats = RULES.iter().map(|rule| rule.meta());
    let of_papers = card::rules::RULES.iter().chain(licence::rules::RULES).copied();
    of_formats.chain(of_papers).chain(waag_code::rules()).collect()
}

fn list(out: &mut dyn Write, style: Style) -> io::Result<()> {
    let rules = rules();
    let widest = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    rules.iter().try_for_each(|rule| {
        let id = Painted(style.color, NAME, format!("{:<widest$}", rule.id));
        writeln!(out, "{id}  {}", rule.title)
    })
}

fn unknown(id: &str) -> Failure {
    let near = suggest::nearest(id, rules().into_iter().map(|rule| rule.id));
    let hint = match near.is_empty() {
        false => format!("did you mean {}?", near.join(" or ")),
        true => "`waag explain` lists the rules".to_owned(),
    };
    Failure::with_hint(format!("there is no rule '{}'", sanitize(id)), hint)
}
