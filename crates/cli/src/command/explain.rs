use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use waag_engine::output::text::{NAME, Painted};
use waag_engine::output::{Style, View};
use waag_engine::rules::{self, RULES};
use waag_engine::sanitize::sanitize;

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
                let rule = rules::find(id).ok_or_else(|| unknown(id))?;
                terminal.answer(None, |out| markdown::render(rule.meta().page, out, style))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(out: &mut dyn Write, style: Style) -> io::Result<()> {
    let widest = RULES.iter().map(|rule| rule.meta().id.len()).max().unwrap_or(0);
    RULES.iter().try_for_each(|rule| {
        let id = Painted(style.color, NAME, format!("{:<widest$}", rule.meta().id));
        writeln!(out, "{id}  {}", rule.meta().title)
    })
}

fn unknown(id: &str) -> Failure {
    let near = suggest::nearest(id, RULES.iter().map(|rule| rule.meta().id));
    let hint = match near.is_empty() {
        false => format!("did you mean {}?", near.join(" or ")),
        true => "`waag explain` lists the rules".to_owned(),
    };
    Failure::with_hint(format!("there is no rule '{}'", sanitize(id)), hint)
}
