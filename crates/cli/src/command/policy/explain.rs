//! What a control asks, and why a subject was judged as it was.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use waag_engine::io::write_atomically;
use waag_engine::output::controls::{self, level_words};
use waag_engine::output::text::{HEADING, NAME, Painted, QUIET, decision_style, decision_word, excerpt, wrap};
use waag_engine::output::{Style, View, subject, write_json};
use waag_engine::report::Report;
use waag_engine::sanitize::sanitize;
use waag_engine::scan::{Options, scan_paths};
use waag_engine::settings::policy_test::EvidenceFile;
use waag_evidence::condition::variables::{Field, Kind, VARIABLES};
use waag_evidence::control::{self, Group};
use waag_evidence::policy::Policy;
use waag_evidence::rule::PolicyRule;
use waag_evidence::verdict::{Judged, Seen};
use waag_evidence::{CONTROLS, Control, Evidence};

use crate::command::exit_code;
use crate::command::project::{in_force, sources, tell_own_word};
use crate::failure::Failure;
use crate::progress::Bar;
use crate::suggest;
use crate::terminal::Terminal;

/// What conditions may ask, by the name that stands for it here.
const CONDITIONS: &str = "conditions";
/// Things that a control saw, that are told.
const MAX_SEEN: usize = 5;
/// Characters of one of them.
const MAX_TEXT: usize = 200;

const EXAMPLES: &str = "\
Examples:
  waag policy explain                      list the controls
  waag policy explain signature            what it asks, why, and how to pass
  waag policy explain conditions           what [[policy.rule]] may ask
  waag policy explain models/base          why it is allowed or denied, control by control
  waag policy explain models/base --evidence base.json     keep what is known of it, for `waag policy test`";

/// Explain a control, or why something is judged as it is
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Explain {
    /// Id of a control, name of a rule of the policy, `conditions`, or a path
    #[arg(value_name = "CONTROL|PATH", value_hint = ValueHint::AnyPath)]
    what: Option<String>,

    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,

    /// Write what is known of the path to a file, for tests of the policy
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "what")]
    evidence: Option<PathBuf>,
}

impl Explain {
    pub(super) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let (options, found) = in_force(self.config.as_deref())?;
        let style = terminal.style(View::Check, false);
        let policy = &options.settings.policy;
        let Some(what) = &self.what else {
            terminal.answer(None, |out| list(out, style))?;
            return Ok(ExitCode::SUCCESS);
        };
        let rule = policy.rules.iter().find(|rule| rule.name == *what);
        match (control::find(what), rule) {
            (Some(control), _) => terminal.answer(None, |out| explain(control, policy, out, style))?,
            (None, Some(rule)) => terminal.answer(None, |out| own(rule, out, style))?,
            (None, None) if what == CONDITIONS => terminal.answer(None, |out| conditions(out, style))?,
            (None, None) if Path::new(what).exists() => {
                if let Some(found) = found {
                    tell_own_word(&found, &[PathBuf::from(what)], terminal);
                }
                return self.subject(Path::new(what), options, terminal);
            }
            (None, None) => return Err(unknown(what, policy)),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn subject(&self, path: &Path, options: Options, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let options = Options { controls: Some(sources(&options.settings)), ..options };
        let bar = Bar::new(terminal.is_watched());
        let report = scan_paths(&[path.to_owned()], &options, &bar)?;
        bar.finish();
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| replay(&report, out, style))?;
        let decision = report.verdict.decision;
        if let Some(file) = &self.evidence {
            keep(file, report)?;
        }
        Ok(exit_code(decision))
    }
}

/// Writes what is known, so that the same verdict follows from it anywhere.
fn keep(path: &Path, report: Report) -> Result<(), Failure> {
    let evidence = Evidence { findings: report.findings, ..report.evidence };
    let file = EvidenceFile { subject: report.subject, evidence };
    let written = write_atomically(path, |out| write_json(&file, out).map(|()| None::<()>));
    written.map(|_| ()).map_err(|error| {
        let path = sanitize(&path.display().to_string());
        Failure::with_hint(format!("cannot write '{path}': {error}"), "name a file in a folder that exists")
    })
}

fn list(out: &mut dyn Write, style: Style) -> io::Result<()> {
    let widest = CONTROLS.iter().map(|control| control.id.len()).max().unwrap_or(0);
    CONTROLS.iter().try_for_each(|control| {
        let id = Painted(style.color, NAME, format!("{:<widest$}", control.id));
        writeln!(out, "{id}  {}", control.title)
    })
}

fn explain(control: &Control, policy: &Policy, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let (level, origin) = policy.level(control);
    writeln!(out, "{}", Painted(style.color, HEADING, control.id))?;
    writeln!(out, "{}\n", control.title)?;
    let level = format!("{}; by default {}", level_words(level, origin), control.default);
    let parts = [("why", control.why), ("needs", control.needs), ("pass", control.pass), ("level", &level)];
    for (label, text) in parts {
        labelled(out, style, label, text)?;
    }
    let set = format!("[policy.controls]\n        {} = \"deny\"", control.id);
    writeln!(out, "{} {set}", Painted(style.color, QUIET, format!("{:>6}:", "set")))
}

fn own(rule: &PolicyRule, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let PolicyRule { name, when, then, reason, next } = rule;
    writeln!(out, "{}", Painted(style.color, HEADING, sanitize(name)))?;
    writeln!(out, "{}\n", sanitize(reason))?;
    let then = then.to_string();
    for (label, text) in [("when", when.text()), ("then", &then), ("next", next)] {
        labelled(out, style, label, text)?;
    }
    Ok(())
}

/// The variables, and the fields of what is in them.
fn conditions(out: &mut dyn Write, style: Style) -> io::Result<()> {
    for variable in VARIABLES {
        let name = Painted(style.color, NAME, variable.name);
        writeln!(out, "{name}  {}: {}", variable.kind, variable.about)?;
        let fields: &[Field] = match variable.kind {
            Kind::Object(fields) => fields,
            Kind::List(Kind::Object(fields)) => fields,
            _ => &[],
        };
        for field in fields {
            writeln!(out, "    .{:<11} {:<15} {}", field.name, field.kind.to_string(), field.about)?;
        }
    }
    writeln!(
        out,
        "\nfunctions: exists, all, exists_one and filter over lists; has, size, contains, startsWith, endsWith, in"
    )
}

/// Every control that was asked, in groups.
fn replay(report: &Report, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let mut advice = String::new();
    for group in Group::ALL {
        let mut of = report.verdict.controls.iter().filter(|judged| judged.group == group).peekable();
        if of.peek().is_some() {
            writeln!(out, "{}", Painted(style.color, HEADING, group.title()))?;
            of.try_for_each(|judged| answer(report, judged, &mut advice, out, style))?;
            writeln!(out)?;
        }
    }
    let decision = report.verdict.decision;
    let word = Painted(style.color, decision_style(decision), decision_word(decision));
    writeln!(out, "{word}: {}", subject::reason(report))
}

/// One control. Advice that was just given is not repeated.
fn answer(report: &Report, judged: &Judged, advice: &mut String, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let outcome = Painted(style.color, decision_style(judged.decision), format!("{:<14}", judged.outcome.name()));
    let id = Painted(style.color, NAME, sanitize(&judged.id));
    writeln!(out, "  {outcome} {id}  {}", level_words(judged.level, judged.origin))?;
    // What speaks against it is told first, and what decides nothing is not told beside it.
    let mut seen: Vec<&Seen> = judged.observations.iter().collect();
    seen.sort_by_key(|seen| std::cmp::Reverse((seen.decision, seen.observation.outcome)));
    for seen in seen.iter().take(MAX_SEEN) {
        let place = match controls::place(report, seen).as_str() {
            "" => String::new(),
            place => format!("{}: ", sanitize(place)),
        };
        let excepted = if seen.exception.is_some() { " (excepted)" } else { "" };
        let text = format!("{place}{}{excepted}", excerpt(&seen.observation.seen, MAX_TEXT));
        writeln!(out, "      {}", wrap(&text, style.width.saturating_sub(6)).join("\n      "))?;
        let observation = &seen.observation;
        let is_new = !observation.next.is_empty() && observation.next != *advice;
        if observation.outcome.is_open() && seen.exception.is_none() && is_new {
            advice.clone_from(&observation.next);
            let next = format!("next: {}", sanitize(&observation.next));
            writeln!(out, "      {}", wrap(&next, style.width.saturating_sub(6)).join("\n      "))?;
        }
    }
    match seen.len().saturating_sub(MAX_SEEN) {
        0 => Ok(()),
        more => writeln!(out, "      … and {more} more (`waag check --format json` lists all)"),
    }
}

fn labelled(out: &mut dyn Write, style: Style, label: &str, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let lines = wrap(&sanitize(text), style.width.saturating_sub(8));
    writeln!(out, "{} {}", Painted(style.color, QUIET, format!("{label:>6}:")), lines.join("\n        "))
}

fn unknown(what: &str, policy: &Policy) -> Failure {
    let names = CONTROLS.iter().map(|control| control.id).chain(policy.rules.iter().map(|rule| rule.name.as_str()));
    let near = suggest::nearest(what, names);
    let hint = match near.is_empty() {
        false => format!("did you mean {}?", near.join(" or ")),
        true => "`waag policy explain` lists the controls".to_owned(),
    };
    Failure::with_hint(format!("there is no control and no file '{}'", sanitize(what)), hint)
}
