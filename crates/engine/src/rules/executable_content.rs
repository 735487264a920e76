//! Machine code, or a script, where a model should be.

use waag_evidence::finding::{Persona, Severity};
use waag_formats::fact::Anomaly;
use waag_formats::format::extension;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, with_detail};

/// The rule.
#[derive(Debug)]
pub struct ExecutableContent;

static META: Meta = Meta {
    id: "executable-content",
    title: "machine code and scripts among the model's files",
    page: include_str!("executable_content.md"),
};

/// Endings of source files, which people keep beside their models.
const SOURCES: &[&str] = &[
    "awk", "cu", "ipynb", "js", "jl", "lua", "perl", "php", "pl", "prl", "pxd", "pxi", "pyi", "py", "pyx", "r", "rb",
    "tcl", "ts",
];
/// Endings of files that a program of this kind is made from, when something is built.
const DRAFTS: &[&str] = &["in", "j2", "mk", "tmpl"];
/// What builders of software call their scripts.
const BUILDERS: &[&str] = &[
    "GNUmakefile",
    "Makefile",
    "autogen",
    "bootstrap",
    "compile",
    "config.guess",
    "config.sub",
    "configure",
    "depcomp",
    "gradlew",
    "install-sh",
    "makefile",
    "missing",
    "mvnw",
    "rules",
    "test-driver",
];
/// Folders of scripts, which need no ending there.
const SCRIPT_FOLDERS: &[&str] = &["bin", "ci", "contrib", "hooks", "script", "scripts", "tools", "utils"];
/// Parts of the names of weights.
const WEIGHTS: &[&str] = &["model", "weight", "checkpoint", "ckpt"];
/// Endings of scripts for a shell: ordinary beside a model, and out of place within one.
const SHELLS: &[&str] = &["bash", "bat", "cmd", "command", "csh", "fish", "ksh", "ps1", "sh", "zsh"];
/// Words by which a parser tells a script from machine code.
const SCRIPT_WORDS: &[&str] = &["script", "shebang"];

const REMOVE: &str = "do not run or load it: a model is data. Take the weights without this file, and ask the publisher \
                      what it is for";
const READ: &str = "nothing to do unless you run it: read it first, as any code from someone else";

impl Rule for ExecutableContent {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for (position, anomaly, detail) in artifact.anomalies() {
            if anomaly != Anomaly::Executable {
                continue;
            }
            if is_plainly_a_script(artifact, detail) {
                let message = with_detail("a script lies beside the model", detail);
                findings.add(Severity::Info, position, message, READ).persona(Persona::Reviewer);
            } else {
                let message = with_detail("a program stands where a model should be", detail);
                findings.add(Severity::High, position, message, REMOVE);
            }
        }
    }
}

/// Whether this is a script that says so by its name, where such scripts lie. No loader of models runs it.
fn is_plainly_a_script(artifact: &Artifact<'_>, detail: &str) -> bool {
    let detail = detail.to_ascii_lowercase();
    let ending = extension(artifact.name);
    let named_so = SOURCES.contains(&ending.as_str())
        || artifact.is_file && (SHELLS.contains(&ending.as_str()) || builds(artifact));
    let told_so = detail.split(|c: char| !c.is_alphanumeric()).any(|word| SCRIPT_WORDS.contains(&word));
    named_so && (told_so || detail.contains("#!"))
}

/// Whether its name is that of a script that builds software, or it lies where programs lie that are started by hand.
fn builds(artifact: &Artifact<'_>) -> bool {
    let mut parts = artifact.name.rsplit(['/', '\\']);
    let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let small = name.to_ascii_lowercase();
    let ending = extension(artifact.name);
    let is_weights = WEIGHTS.iter().any(|part| small.contains(part));
    let is_tool = !name.contains('.') && SCRIPT_FOLDERS.contains(&folder);
    !is_weights && (BUILDERS.contains(&name) || DRAFTS.contains(&ending.as_str()) || is_tool)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{ZIP, sketch};

    const SCRIPT: &str = "a script for /bin/sh";

    #[test]
    fn machine_code_denies_under_any_name() {
        for name in ["libhelper.so", "model.bin", "train.py", "run.sh"] {
            let said =
                sketch(name, &ZIP).unknown().told(Anomaly::Executable, "an ELF program").said(&ExecutableContent);
            assert_eq!(said, ["high: a program stands where a model should be: an ELF program"], "{name}");
        }
    }

    #[test]
    fn a_script_that_says_so_is_only_named() {
        let building =
            ["Makefile", "a/configure", "install-sh", "setup.py.in", "fast.pyx", "fast.pxd", "repo/bin/track"];
        for name in ["run.sh", "train.py"].into_iter().chain(building) {
            let said = sketch(name, &ZIP).unknown().told(Anomaly::Executable, SCRIPT).said(&ExecutableContent);
            assert_eq!(said, ["info: a script lies beside the model: a script for /bin/sh"], "{name}");
        }
    }

    #[test]
    fn a_script_under_a_models_name_denies() {
        for name in ["model.safetensors", "config.json", "model", "track", "bin/model", "weights.in"] {
            let said = sketch(name, &ZIP).unknown().told(Anomaly::Executable, SCRIPT).said(&ExecutableContent);
            assert!(said[0].starts_with("high"), "{name}");
        }
    }

    #[test]
    fn within_an_archive_a_shell_script_denies_and_source_code_does_not() {
        let said = |name| {
            let member = sketch(name, &ZIP).unknown().within("model.pt");
            member.told(Anomaly::Executable, SCRIPT).said(&ExecutableContent)
        };
        assert!(said("run.sh")[0].starts_with("high"));
        assert!(said("Makefile")[0].starts_with("high"));
        assert!(said("archive/code/__torch__.py")[0].starts_with("info"));
    }

    #[test]
    fn ordinary_facts_give_no_finding() {
        assert!(sketch("run.sh", &ZIP).anomaly(Anomaly::Malformed).said(&ExecutableContent).is_empty());
    }
}
