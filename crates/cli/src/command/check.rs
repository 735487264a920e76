use std::process::ExitCode;

use clap::Args;
use waag_engine::output::View;

use super::scan::Job;
use crate::failure::Failure;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  waag check model.pt
  waag check ~/.cache/huggingface/hub/models--gpt2
  waag check models/ --format html --output report.html
  waag check models/ --format github        in a GitHub workflow
  waag check models/ --quiet && python serve.py";

/// Say what a model is, what loading it would do, and whether to load it
///
/// Reads files, folders, archives and Hugging Face caches, names what they are, works out what loading them would do,
/// and judges that by the policy. Nothing is executed. The exit code is the verdict: 0 allow, 1 deny,
/// 3 inconclusive; 2 when nothing was judged.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Check {
    #[command(flatten)]
    job: Job,
}

impl Check {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<ExitCode, Failure> {
        self.job.run(View::Check, terminal)
    }
}
