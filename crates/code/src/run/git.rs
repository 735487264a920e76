//! The commit that the code is of, and whether it is that at all.

use std::path::Path;
use std::process::{Command, Stdio};

use super::secret::without_login;

/// Where the code is from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Commit {
    /// The digest of the commit: 40 or 64 hexadecimal digits.
    pub(super) commit: String,
    /// Where it can be had, if a remote is known.
    pub(super) remote: Option<String>,
    /// Whether files differ from it; None when that could not be found out.
    pub(super) dirty: Option<bool>,
    /// The working directory below the repository's root.
    pub(super) folder: String,
}

/// Asks `git`; None where there is no repository, no commit or no git.
pub(super) fn commit(folder: &Path) -> Option<Commit> {
    let commit = ask(folder, &["rev-parse", "--verify", "HEAD"])?;
    if !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(Commit {
        commit,
        remote: ask(folder, &["config", "--get", "remote.origin.url"]).map(|url| without_login(&url)),
        dirty: ask(folder, &["status", "--porcelain", "--untracked-files=no"]).map(|text| !text.is_empty()),
        folder: ask(folder, &["rev-parse", "--show-prefix"]).unwrap_or_default(),
    })
}

/// A question that changes nothing and starts no other program.
fn ask(folder: &Path, question: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]).args(question).current_dir(folder);
    command.env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
