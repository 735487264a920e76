//! What a `RUN` installs: with pip, uv, conda, and the package manager of the system.

use waag_evidence::{Dependency, DependencySource, Ecosystem, Location, Standing};

use super::shell::{Command, Word};

/// Options of pip and uv that take a value.
const WITH_VALUE: &[&str] = &[
    "-r",
    "--requirement",
    "--requirements",
    "-c",
    "--constraint",
    "--constraints",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--trusted-host",
    "-t",
    "--target",
    "--platform",
    "--python-version",
    "--prefix",
    "--root",
    "--no-binary",
    "--only-binary",
    "--cache-dir",
    "--timeout",
    "--retries",
    "--progress-bar",
    "--upgrade-strategy",
    "--global-option",
    "--config-settings",
    "-C",
    "--proxy",
    "--cert",
    "--report",
    "--src",
    "--abi",
    "--implementation",
    "--log",
    "--python",
    "-p",
    "--index",
    "--default-index",
    "--index-strategy",
    "--torch-backend",
    "--build-option",
    "--exists-action",
    "-b",
    "--build",
    "--no-binary-package",
    "--override",
    "--overrides",
    "-P",
    "--upgrade-package",
    "--resolution",
    "--prerelease",
    "--link-mode",
    "--allow-insecure-host",
    "--keyring-provider",
    "--root-user-action",
    "--exclude-newer",
    "--client-cert",
    "--extra",
    "--group",
    "--optional",
    "--marker",
    "--package",
    "--rev",
    "--tag",
    "--branch",
];
/// Options of conda that take a value.
const CONDA_WITH_VALUE: &[&str] =
    &["-c", "--channel", "-n", "--name", "-p", "--prefix", "-f", "--file", "--solver", "--repodata-fn"];

/// What is installed, and from where.
#[derive(Debug, Default)]
pub(super) struct Installs {
    pub(super) packages: Vec<Dependency>,
    /// Packages of the system.
    pub(super) system: Vec<(String, Location)>,
    /// Indexes that are named: the option, the address, where.
    pub(super) indexes: Vec<(String, String, Location)>,
    /// Words that name something which is not known.
    pub(super) open: Vec<(String, Location)>,
}

impl Installs {
    /// Adds what a command installs.
    pub(super) fn command(&mut self, command: &Command, group: Option<&str>, place: &dyn Fn(&Word) -> Location) {
        let words = command.proper();
        let Some((ecosystem, arguments)) = installer(words) else { return };
        match ecosystem {
            Installer::Pip => self.pip(arguments, group, place),
            Installer::Conda => self.conda(arguments, group, place),
            Installer::System => {
                let names = arguments.iter().filter(|word| !word.text.starts_with('-') && !word.is_open);
                self.system.extend(names.map(|word| (word.text.clone(), place(word))));
            }
        }
    }

    fn pip(&mut self, arguments: &[Word], group: Option<&str>, place: &dyn Fn(&Word) -> Location) {
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            let (option, value) = text
                .split_once('=')
                .filter(|_| text.starts_with("--"))
                .map_or((text, None), |(a, b)| (a, Some(b.to_owned())));
            if option == "-e" || option == "--editable" {
                if let Some(next) = words.next() {
                    self.requirement(next, group, &place(next));
                }
            } else if option.starts_with('-') {
                let takes = WITH_VALUE.contains(&option);
                let value = value.or_else(|| takes.then(|| words.next().map(|word| word.text.clone())).flatten());
                self.option(option, value, &place(word));
            } else {
                self.requirement(word, group, &place(word));
            }
        }
    }

    fn option(&mut self, option: &str, value: Option<String>, location: &Location) {
        let Some(value) = value else { return };
        let is_index = matches!(
            option,
            "-i" | "--index-url"
                | "--extra-index-url"
                | "-f"
                | "--find-links"
                | "--trusted-host"
                | "--index"
                | "--default-index"
                | "--allow-insecure-host"
        );
        if is_index {
            self.indexes.push((option.to_owned(), value, location.clone()));
        }
    }

    fn requirement(&mut self, word: &Word, group: Option<&str>, location: &Location) {
        let text = word.text.trim();
        if let Some(source) = elsewhere(text) {
            let name = elsewhere_name(text);
            // What lies beside the file is the project itself.
            if matches!(source, DependencySource::Path { .. }) {
                return;
            }
            self.packages.push(dependency(Ecosystem::Pypi, &name, None, source, group, location));
        } else if word.is_open {
            self.open.push((text.to_owned(), location.clone()));
        } else if let Some((name, extras, constraint)) = split(text) {
            let source = DependencySource::Index { url: None };
            let mut found = dependency(Ecosystem::Pypi, name, constraint, source, group, location);
            found.extras = extras;
            self.packages.push(found);
        }
    }

    fn conda(&mut self, arguments: &[Word], group: Option<&str>, place: &dyn Fn(&Word) -> Location) {
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            if word.text.starts_with('-') {
                if CONDA_WITH_VALUE.contains(&word.text.as_str()) {
                    words.next();
                }
            } else if word.is_open {
                self.open.push((word.text.clone(), place(word)));
            } else {
                let text = word.text.rsplit("::").next().unwrap_or_default();
                let end = text.find(|c: char| "=<>!~ ".contains(c)).unwrap_or(text.len());
                let (name, constraint) = text.split_at(end);
                let constraint = Some(constraint.trim()).filter(|text| !text.is_empty());
                let source = DependencySource::Index { url: None };
                self.packages.push(dependency(Ecosystem::Conda, name, constraint, source, group, &place(word)));
            }
        }
    }
}

enum Installer {
    Pip,
    Conda,
    System,
}

/// Which installer a command calls to install, and the words for it.
fn installer(words: &[Word]) -> Option<(Installer, &[Word])> {
    let text = |index: usize| words.get(index).map(|word| word.text.as_str()).unwrap_or_default();
    let program = text(0).rsplit('/').next().unwrap_or_default();
    let after = |index: usize| words.get(index..).unwrap_or_default();
    let is_version = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if program.strip_prefix("pip").is_some_and(is_version) {
        return verb(Installer::Pip, after(1), &["install"]);
    }
    if program.strip_prefix("python").is_some_and(is_version) {
        let at = words.iter().position(|word| word.text == "-m").filter(|at| *at < 4)?;
        return match text(at + 1) {
            "pip" => verb(Installer::Pip, after(at + 2), &["install"]),
            "uv" => uv(after(at + 2)),
            _ => None,
        };
    }
    match program {
        "uv" => uv(after(1)),
        "conda" | "mamba" | "micromamba" => verb(Installer::Conda, after(1), &["install", "create"]),
        "apt-get" | "apt" | "yum" | "dnf" | "microdnf" => verb(Installer::System, after(1), &["install"]),
        "apk" => verb(Installer::System, after(1), &["add"]),
        _ => None,
    }
}

/// What `uv` installs: `uv add`, and `uv pip install`.
fn uv(words: &[Word]) -> Option<(Installer, &[Word])> {
    let (_, pip) = verb(Installer::Pip, words, &["add"]).or_else(|| verb(Installer::Pip, words, &["pip"]))?;
    match words.iter().find(|word| !word.text.starts_with('-'))?.text.as_str() {
        "pip" => verb(Installer::Pip, pip, &["install"]),
        _ => Some((Installer::Pip, pip)),
    }
}

/// The words after a verb, before which only options stand.
fn verb<'a>(installer: Installer, words: &'a [Word], verbs: &[&str]) -> Option<(Installer, &'a [Word])> {
    let at = words.iter().position(|word| verbs.contains(&word.text.as_str()))?;
    let only_options = words[..at].iter().all(|word| word.text.starts_with('-'));
    only_options.then(|| (installer, &words[at + 1..]))
}

/// Where a requirement comes from, when that is no index.
fn elsewhere(text: &str) -> Option<DependencySource> {
    let address = text.split_once(" @ ").map_or(text, |(_, address)| address);
    let address = address
        .split_once('@')
        .filter(|(name, rest)| !name.contains(':') && rest.contains("://"))
        .map_or(address, |(_, rest)| rest);
    if let Some(url) = address.strip_prefix("git+") {
        let end = url.split('#').next().unwrap_or_default();
        let (url, revision) = match end.rsplit_once('@') {
            Some((url, revision))
                if url.contains("://") && url.rsplit("://").next().is_some_and(|rest| rest.contains('/')) =>
            {
                (url, Some(revision.to_owned()))
            }
            _ => (end, None),
        };
        let commit = revision.clone().filter(|one| one.len() == 40 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        return Some(DependencySource::Repository { url: url.to_owned(), revision, commit });
    }
    if address.contains("://") {
        return Some(DependencySource::Archive { url: address.to_owned() });
    }
    let is_file = [".whl", ".tar.gz", ".zip"].iter().any(|ending| address.ends_with(ending));
    let is_path = address.starts_with(['.', '/', '~']) || address.contains('/') || is_file;
    is_path.then(|| DependencySource::Path { path: address.to_owned(), editable: false })
}

/// The name of what is no requirement by name: what its address says of it.
fn elsewhere_name(text: &str) -> String {
    let named = text
        .split_once('@')
        .map(|(name, _)| name.trim())
        .filter(|name| !name.is_empty() && !name.contains([':', '/', '.']));
    let egg = text.split_once("#egg=").map(|(_, name)| name.split(['&', '[']).next().unwrap_or_default());
    let last = || {
        let path = text.split(['#', '?']).next().unwrap_or_default().trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        let last = last.split(['@', '[']).next().unwrap_or_default().trim_end_matches(".git");
        let is_version = |at: &usize| last[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        let end = last.match_indices('-').map(|(at, _)| at).find(is_version).unwrap_or(last.len());
        last[..end].to_owned()
    };
    egg.or(named).map_or_else(last, str::to_owned)
}

/// `name[extras]constraint; marker`.
fn split(text: &str) -> Option<(&str, Vec<String>, Option<&str>)> {
    let text = text.split(';').next().unwrap_or_default().trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((extras, rest)) => (extras.split(',').map(|one| one.trim().to_owned()).collect(), rest),
        None => (Vec::new(), rest),
    };
    let rest = rest.trim();
    if !rest.is_empty() && !rest.starts_with(['=', '<', '>', '!', '~']) {
        return None;
    }
    Some((name, extras, Some(rest).filter(|rest| !rest.is_empty())))
}

fn dependency(
    ecosystem: Ecosystem,
    name: &str,
    constraint: Option<&str>,
    source: DependencySource,
    group: Option<&str>,
    location: &Location,
) -> Dependency {
    let exact = constraint.and_then(|text| match ecosystem {
        Ecosystem::Pypi => text.strip_prefix("===").or_else(|| text.strip_prefix("==")),
        Ecosystem::Conda => {
            text.strip_prefix("==").or_else(|| text.strip_prefix('=').filter(|rest| rest.matches('.').count() >= 2))
        }
    });
    let version =
        exact.map(str::trim).filter(|text| !text.contains(['*', ',', '=', '<', '>', '!']) && !text.is_empty());
    Dependency {
        ecosystem,
        name: waag_evidence::dependency::normalised(name),
        written: name.to_owned(),
        constraint: constraint.map(str::to_owned),
        version: version.map(str::to_owned),
        extras: Vec::new(),
        marker: None,
        source,
        digests: Vec::new(),
        standing: Standing::Declared,
        group: group.map(str::to_owned),
        requires: Vec::new(),
        location: location.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::shell::commands;
    use crate::image::variables::Variables;

    fn shown(script: &str) -> Vec<String> {
        let mut installs = Installs::default();
        for command in commands(script, &Variables::default()) {
            installs.command(&command, None, &|_| Location::file("Dockerfile"));
        }
        let mut all: Vec<String> = installs
            .packages
            .iter()
            .map(|one| {
                format!(
                    "{} {} {}",
                    one.name,
                    one.constraint.as_deref().unwrap_or("any"),
                    one.version.as_deref().unwrap_or("-")
                )
            })
            .collect();
        all.extend(installs.indexes.iter().map(|(option, value, _)| format!("{option} {value}")));
        all.extend(installs.system.iter().map(|(name, _)| format!("system {name}")));
        all.extend(installs.open.iter().map(|(name, _)| format!("open {name}")));
        all
    }

    #[test]
    fn installers_and_their_options() {
        assert_eq!(
            shown(
                "pip3 install --no-cache-dir -U 'torch==2.1.0+cu118' numpy \"x[y,z]>=1,<2\" -r r.txt --extra-index-url https://a/whl/cu118"
            ),
            ["torch ==2.1.0+cu118 2.1.0+cu118", "numpy any -", "x >=1,<2 -", "--extra-index-url https://a/whl/cu118"]
        );
        assert_eq!(
            shown(
                "python3 -u -m pip --quiet install a==1 && uv pip install --system b && pip list && pip install c==$V"
            ),
            ["a ==1 1", "b any -", "open c==$V"]
        );
        assert_eq!(
            shown("python -m uv pip install a==1; uv add --group dev 'b>=2' && uv -q pip install add && uv pip list"),
            ["a ==1 1", "b >=2 -", "add any -"]
        );
        assert_eq!(
            shown("conda install -y -c pytorch pytorch==2.1.0 pytorch::torchvision cudatoolkit=11.8"),
            ["pytorch ==2.1.0 2.1.0", "torchvision any -", "cudatoolkit =11.8 -"]
        );
        assert_eq!(shown("apt-get update && apt-get install -y git curl"), ["system git", "system curl"]);
        assert_eq!(
            shown("pip install git+https://github.com/a/b.git@v1 . ./x.whl https://h/c-0.1.whl d@git+https://h/e"),
            ["b any -", "c any -", "d any -"]
        );
    }
}
