//! `waag fetch`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use waag_engine::lock::{FILE_NAME, Fetched, ProjectLock, fetch};
use waag_engine::output::text::counted;
use waag_engine::sanitize::sanitize;

use super::lock::remaining;
use super::project::Project;
use crate::failure::Failure;
use crate::progress::Bar;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag fetch --from /mnt/models            everything that waag.lock names
  waag fetch base --from ~/.cache/huggingface/hub/models--org--base";

/// Bring exactly what waag.lock names from a folder
///
/// Files are looked for under the project's own paths, under the names of models and datasets, and under their digests,
/// as image layouts, Hugging Face caches and Git LFS keep them. A file takes its place only when all of its bytes have
/// the digest that was locked; until then nothing is replaced.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Fetch {
    /// Models and datasets to bring, by name or path; all when none is named
    #[arg(value_name = "NAME", help_heading = "Input")]
    names: Vec<String>,

    /// The folder to take from
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = "Input")]
    from: PathBuf,

    /// Settings file, instead of the nearest waag.toml up to the repository's root
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Input")]
    config: Option<PathBuf>,
}

impl Fetch {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        let root = Project::find(self.config.as_deref())?.root;
        let project = ProjectLock::load(&root)?.ok_or_else(|| {
            Failure::with_hint(
                format!("the project has no {FILE_NAME}"),
                "make it with `waag lock`, where its files are",
            )
        })?;
        self.check_names(&project)?;
        if !self.from.is_dir() {
            return Err(Failure::with_hint(
                format!("'{}' is no folder", sanitize(&self.from.display().to_string())),
                "name the folder that has the files with --from",
            ));
        }
        let bar = Bar::new(terminal.is_watched());
        let fetched = fetch(&project, &self.from, &self.names, &bar);
        bar.finish();
        let failed = fetched.iter().filter(|(_, became)| !is_good(became)).count();
        terminal.answer(None, |out| tell(&fetched, out))?;
        for (path, drift) in remaining(&project, &self.names) {
            terminal.note(sanitize(&format!("{path}/{} {}", drift.path, drift.kind)));
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }

    fn check_names(&self, project: &ProjectLock) -> Result<(), Failure> {
        let known = |name: &&String| {
            project.lock.ingredients.iter().any(|locked| locked.name == **name || locked.path == **name)
        };
        match self.names.iter().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let names: Vec<&str> = project.lock.ingredients.iter().map(|locked| locked.name.as_str()).collect();
                Err(Failure::with_hint(
                    format!("{FILE_NAME} has no '{}'", sanitize(name)),
                    format!("it has {}", sanitize(&names.join(", "))),
                ))
            }
        }
    }
}

fn is_good(became: &Fetched) -> bool {
    matches!(became, Fetched::Present | Fetched::Copied(_))
}

fn tell(fetched: &[(String, Fetched)], out: &mut dyn Write) -> io::Result<()> {
    for (path, became) in fetched {
        let line = match became {
            Fetched::Present => continue,
            Fetched::Copied(_) => format!("fetched    {path}"),
            Fetched::NotFound => format!("not found  {path}"),
            Fetched::Different { from, found } => {
                format!("different  {path}: '{}' has {found}, which was not locked", from.display())
            }
            Fetched::Failed(why) => format!("failed     {path}: {why}"),
        };
        writeln!(out, "{}", sanitize(&line))?;
    }
    let count = |wanted: fn(&Fetched) -> bool| fetched.iter().filter(|(_, became)| wanted(became)).count() as u64;
    let copied = counted(count(|became| matches!(became, Fetched::Copied(_))), "file");
    let present = count(|became| matches!(became, Fetched::Present));
    let missing = count(|became| !is_good(became));
    write!(out, "{copied} fetched, {present} already there")?;
    if missing > 0 {
        write!(out, ", {missing} not to be had")?;
    }
    writeln!(out)
}
