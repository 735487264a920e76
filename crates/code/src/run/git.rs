//! The commit that the code is of, and whether it is that at all.

use std::ffi::OsStr;
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

/// Asks `git`; None where there is no repository, no commit or no git. A script that git does not know is not of the commit.
pub(super) fn commit(folder: &Path, script: Option<&Path>) -> Option<Commit> {
    let commit = ask(folder, &["rev-parse", "--verify", "HEAD"])?;
    if !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let is_known = |script: &Path| {
        let question: [&OsStr; 4] =
            ["ls-files".as_ref(), "--error-unmatch".as_ref(), "--".as_ref(), script.as_os_str()];
        ask(folder, &question).is_some()
    };
    Some(Commit {
        commit,
        remote: ask(folder, &["config", "--get", "remote.origin.url"]).map(|url| without_login(&url)),
        dirty: if script.is_none_or(is_known) { dirty(folder) } else { Some(true) },
        folder: ask(folder, &["rev-parse", "--show-prefix"]).unwrap_or_default(),
    })
}

/// Whether files differ from the commit. Programs that the repository names as filters are not started: whoever made it
/// would run them here. Nor are they within submodules, so that nobody knows of these.
fn dirty(folder: &Path) -> Option<bool> {
    let without = without_filters(folder)?;
    let settings = without.iter().flat_map(|setting| ["-c", setting]);
    let status = ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty"];
    let is_dirty = !ask(folder, &settings.chain(status).collect::<Vec<_>>())?.is_empty();
    let has_submodules = ask(folder, &["ls-files", "--stage"])?.lines().any(|line| line.starts_with("160000 "));
    if is_dirty || !has_submodules { Some(is_dirty) } else { None }
}

/// Settings that turn off every filter that is configured; none where one has a name that cannot be turned off so.
fn without_filters(folder: &Path) -> Option<Vec<String>> {
    let names =
        ask(folder, &["config", "--name-only", "--null", "--get-regexp", r"^filter\..*\.(clean|process|required)$"]);
    let names = names.unwrap_or_default();
    let names = names.split('\0').filter(|name| !name.is_empty());
    let setting = |name: &str| {
        let value = if name.ends_with(".required") { "false" } else { "" };
        (!name.contains(['=', '\n'])).then(|| format!("{name}={value}"))
    };
    names.map(setting).collect()
}

/// A question that changes nothing and starts no other program.
fn ask(folder: &Path, question: &[impl AsRef<OsStr>]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]).args(question).current_dir(folder);
    command.env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> Option<tempfile::TempDir> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.py"), "pass\n").unwrap();
        std::fs::write(folder.path().join("data.csv"), "a\n").unwrap();
        std::fs::write(folder.path().join(".gitattributes"), "*.csv filter=odd\n").unwrap();
        let made =
            run(&folder, &["init", "-q"]) && run(&folder, &["add", "."]) && run(&folder, &["commit", "-qm", "one"]);
        made.then_some(folder)
    }

    fn run(folder: &tempfile::TempDir, arguments: &[&str]) -> bool {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments).current_dir(folder.path());
        git.status().is_ok_and(|status| status.success())
    }

    #[test]
    fn filters_of_the_repository_are_not_run() {
        let Some(folder) = repository() else { return };
        let mark = folder.path().join("ran");
        let filter = format!("touch {}; cat", mark.display());
        assert!(run(&folder, &["config", "filter.odd.clean", &filter]));
        assert!(run(&folder, &["config", "filter.odd.required", "true"]));
        // Of the same length, so that git has to read it.
        std::fs::write(folder.path().join("data.csv"), "b\n").unwrap();
        assert_eq!(commit(folder.path(), None).unwrap().dirty, Some(true));
        assert!(!mark.exists());
    }

    #[test]
    fn a_script_that_git_does_not_know_is_not_of_the_commit() {
        let Some(folder) = repository() else { return };
        std::fs::write(folder.path().join("new.py"), "pass\n").unwrap();
        let dirty = |script: &str| commit(folder.path(), Some(&folder.path().join(script))).unwrap().dirty;
        assert_eq!((dirty("train.py"), dirty("new.py")), (Some(false), Some(true)));
    }
}
