//! The policy in force, and where each value comes from.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use serde::Serialize;
use waag_engine::output::controls::level_words;
use waag_engine::output::text::{HEADING, NAME, Painted, QUIET, counted, excerpt, severity_word};
use waag_engine::output::{Style, View, write_json};
use waag_engine::sanitize::sanitize;
use waag_engine::settings::Settings;
use waag_evidence::control::Group;
use waag_evidence::exception::Exception;
use waag_evidence::policy::Origin;
use waag_evidence::rule::PolicyRule;
use waag_evidence::{CONTROLS, Level, Policy, Severity, Sha256Digest};

use crate::command::formats::Telling;
use crate::command::project::in_force;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Characters of a condition or reason on a line.
const MAX_TEXT: usize = 100;

/// Show the policy in force, and where each value comes from
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,

    /// How to tell it
    #[arg(long, short, value_name = "FORMAT", default_value = "plain")]
    format: Telling,

    /// Write the text that the policy's digest is over
    #[arg(long, conflicts_with = "format")]
    canonical: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    sha256: Sha256Digest,
    deny_at: Severity,
    inconclusive_at: Severity,
    allow_incomplete_unsafe: bool,
    controls: Vec<ShownControl>,
    rules: &'a [PolicyRule],
    sources: &'a [String],
    exceptions: &'a [Exception],
}

#[derive(Serialize)]
struct ShownControl {
    id: &'static str,
    group: Group,
    title: &'static str,
    level: Level,
    origin: Origin,
    default: Level,
}

impl Show {
    pub(super) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let (options, file) = in_force(self.config.as_deref())?;
        let settings = options.settings;
        let style = terminal.style(View::Check, false);
        terminal.answer(None, |out| match self.format {
            _ if self.canonical => write!(out, "{}", settings.policy.canonical(&settings.trust)),
            Telling::Json => write_json(&Shown::of(&settings), out),
            Telling::Plain => plain(&settings, file.as_deref().map(|file| file.display().to_string()), out, style),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl<'a> Shown<'a> {
    fn of(settings: &'a Settings) -> Self {
        let policy = &settings.policy;
        Self {
            sha256: settings.policy_digest(),
            deny_at: policy.deny_at,
            inconclusive_at: policy.inconclusive_at,
            allow_incomplete_unsafe: policy.allow_incomplete_unsafe,
            controls: controls(policy),
            rules: &policy.rules,
            sources: &policy.sources,
            exceptions: &policy.exceptions,
        }
    }
}

fn controls(policy: &Policy) -> Vec<ShownControl> {
    let shown = CONTROLS.iter().map(|control| {
        let (level, origin) = policy.level(control);
        let (id, group, title) = (control.id, control.group, control.title);
        ShownControl { id, group, title, level, origin, default: control.default }
    });
    shown.collect()
}

fn plain(settings: &Settings, file: Option<String>, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let policy = &settings.policy;
    let paint = |paint, text: String| Painted(style.color, paint, text);
    let from = file.map_or_else(|| "the default: there is no waag.toml here".to_owned(), |file| sanitize(&file));
    writeln!(out, "policy from {from}")?;
    writeln!(out, "{}", paint(QUIET, format!("sha256:{}", settings.policy_digest())))?;
    writeln!(out, "\n{}", paint(HEADING, "findings".into()))?;
    let default = Policy::default();
    let origin = |same: bool| if same { "" } else { " (waag.toml)" };
    let deny = (severity_word(policy.deny_at), origin(policy.deny_at == default.deny_at));
    let open = (severity_word(policy.inconclusive_at), origin(policy.inconclusive_at == default.inconclusive_at));
    writeln!(out, "  deny from {}{}, inconclusive from {}{}", deny.0, deny.1, open.0, open.1)?;
    let controls = controls(policy);
    let widest = controls.iter().map(|control| control.id.len()).max().unwrap_or(0);
    let words = |control: &ShownControl| level_words(control.level, control.origin);
    let levels = controls.iter().map(|control| words(control).len()).max().unwrap_or(0);
    for group in Group::ALL {
        let mut of = controls.iter().filter(|control| control.group == group).peekable();
        if of.peek().is_some() {
            writeln!(out, "\n{}", paint(HEADING, group.title().into()))?;
        }
        for control in of {
            let id = paint(NAME, format!("{:<widest$}", control.id));
            writeln!(out, "  {id}  {:<levels$}  {}", words(control), control.title)?;
        }
    }
    own(settings, out, style)
}

/// What has no default: conditions, places, exceptions, and who may sign.
fn own(settings: &Settings, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let policy = &settings.policy;
    let heading = |text: &'static str| Painted(style.color, HEADING, text);
    if !policy.rules.is_empty() {
        writeln!(out, "\n{}", heading(Group::Conditions.title()))?;
    }
    for PolicyRule { name, when, then, reason, .. } in &policy.rules {
        let name = Painted(style.color, NAME, sanitize(name));
        writeln!(out, "  {name}  {then} when {}", excerpt(when.text(), MAX_TEXT))?;
        writeln!(out, "    {}", excerpt(reason, MAX_TEXT))?;
    }
    if !policy.sources.is_empty() {
        writeln!(out, "\n{}\n  {}", heading("sources"), sanitize(&policy.sources.join(", ")))?;
    }
    if !policy.exceptions.is_empty() {
        writeln!(out, "\n{}", heading("exceptions"))?;
    }
    for exception in &policy.exceptions {
        let (about, path) = (sanitize(exception.about()), sanitize(&exception.path));
        writeln!(out, "  {about} in {path} until {} ({})", exception.until, excerpt(&exception.reason, MAX_TEXT))?;
    }
    let trust = &settings.trust;
    if !trust.is_empty() {
        let count = |number: usize, noun| counted(number as u64, noun);
        let (signers, rules) = (count(trust.signers.len(), "signer"), count(trust.rules.len(), "rule"));
        writeln!(out, "\n{}", heading("trust"))?;
        writeln!(out, "  {signers}, {rules}, {}", count(trust.denied.len(), "denied digest"))?;
    }
    Ok(())
}
