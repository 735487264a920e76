//! A graph that its runtime cannot run alone: operators and kernels that come from somewhere else.

use waag_evidence::finding::{Confidence, Severity};
use waag_formats::fact::{Effect, FactKind, Operator, ReferenceKind};
use waag_formats::look_alike;

use super::finding::Findings;
use super::{Artifact, Meta, Rule, operator_name};

/// The rule.
#[derive(Debug)]
pub struct CustomOperator;

static META: Meta = Meta {
    id: "custom-operator",
    title: "operators and libraries that no runtime brings with it",
    page: include_str!("custom_operator.md"),
};

const NEXT_STEP: &str =
    "find out which package provides it, and read or trust that package first: the model cannot run without it";
const LIBRARY: &str =
    "do not load it: a model that opens a library of machine code runs that code. Ask for one that does not";

/// Characters of a name that are looked at.
const MAX_NAME: usize = 200;
/// Words of a name by which an operator says that it runs more than mathematics.
const TELLING: &[&str] = &[
    "cmd",
    "command",
    "dlopen",
    "eval",
    "exec",
    "library",
    "popen",
    "python",
    "pyop",
    "shell",
    "subprocess",
    "system",
];
/// Pairs of words that say the same.
const TELLING_PAIRS: &[[&str; 2]] =
    &[["py", "func"], ["py", "custom"], ["py", "op"], ["load", "plugin"], ["run", "script"]];
/// Endings of libraries and programs.
const FILES: &[&str] = &[".so", ".dll", ".dylib", ".exe", ".sh", ".py"];
/// The sets of the standard, which others are named after.
const STANDARD: &str = "ai.onnx";

/// Why an operator that the runtime does not have is more than one of somebody's own.
fn telling(operator: &Operator) -> Option<&'static str> {
    let whole = format!("{} {}", operator.domain, operator.name);
    let words = words(&whole);
    let pair = |pair: &[&str; 2]| words.windows(2).any(|two| two == pair);
    if words.iter().any(|word| TELLING.contains(&word.as_str())) || TELLING_PAIRS.iter().any(pair) {
        return Some("its name says that it runs something");
    }
    let name = operator.name.to_ascii_lowercase();
    if name.contains(['/', '\\']) && name.contains('.') || FILES.iter().any(|ending| name.ends_with(ending)) {
        return Some("its name is that of a file");
    }
    imitates(&operator.domain).then_some("its set is named so as to be taken for the standard's")
}

/// The words of a name: `PyCustomOpDef` is four.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for character in name.chars().take(MAX_NAME) {
        let starts = !character.is_alphanumeric() || character.is_uppercase() && small;
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        small = character.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words
}

/// `AI.ONNX`, `ai.0nnx`, `ai.onnx.odd`, and the same in letters of another script.
fn imitates(domain: &str) -> bool {
    let plain = domain.trim().to_lowercase().replace('0', "o");
    let is_below = plain.strip_prefix(STANDARD).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    is_below || look_alike::mixed_script(domain).is_some()
}

impl Rule for CustomOperator {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>) {
        for fact in artifact.facts {
            match &fact.kind {
                FactKind::Operator(operator) if operator.effect == Effect::Custom => {
                    let name = operator_name(operator);
                    let message =
                        format!("running this model needs code that its runtime does not have: operator {name}");
                    let (severity, message) = match telling(operator) {
                        Some(why) => (Severity::High, format!("{message}, and {why}")),
                        None => (Severity::Medium, message),
                    };
                    let draft = findings.add(severity, fact.position, message, NEXT_STEP);
                    draft.confidence(Confidence::Medium).subject(&operator.name).count(operator.count);
                }
                FactKind::Reference { kind: ReferenceKind::Library, target } => {
                    let message = format!("running this model opens a library of machine code: {target}");
                    findings.add(Severity::High, fact.position, message, LIBRARY).subject(target);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{SAFETENSORS, operator, sketch};

    #[test]
    fn an_operator_nobody_brings_is_inconclusive() {
        let file = sketch("model.onnx", &SAFETENSORS).fact(operator("Odd", "org.example", Effect::Custom));
        assert_eq!(
            file.said(&CustomOperator),
            ["medium: running this model needs code that its runtime does not have: operator org.example::Odd"]
        );
    }

    #[test]
    fn names_that_say_what_they_do_deny() {
        for (name, domain) in [
            ("PyCustomOpDef", "ai.onnx.contrib"),
            ("RunShell", ""),
            ("os.system", ""),
            ("/tmp/libodd.so", ""),
            ("LoadLibrary", ""),
            ("MatMul", "ai.0nnx"),
            ("MatMul", "AI.ONNX"),
            ("MatMul", "\u{430}i.onnx"),
        ] {
            let file = sketch("model.onnx", &SAFETENSORS).fact(operator(name, domain, Effect::Custom));
            assert_eq!(file.findings(&CustomOperator)[0].severity, Severity::High, "{domain}::{name}");
        }
        for (name, domain) in [
            ("TFLite_Detection_PostProcess", ""),
            ("Convolution2DTransposeBias", ""),
            ("EfficientNMS_TRT", "TensorRT plugin"),
            ("RaggedTensorToTensor", "com.example"),
            ("Executor", "org.example"),
            ("EcosystemPyramid", "org.evaluation"),
            ("InjectNoise", "org.example"),
            ("PayloadDecoder", "org.example"),
        ] {
            let file = sketch("model.onnx", &SAFETENSORS).fact(operator(name, domain, Effect::Custom));
            assert_eq!(file.findings(&CustomOperator)[0].severity, Severity::Medium, "{domain}::{name}");
        }
    }

    #[test]
    fn a_library_denies() {
        let target = "/tmp/kernels.so".to_owned();
        let file = sketch("a.pb", &SAFETENSORS).fact(FactKind::Reference { kind: ReferenceKind::Library, target });
        assert_eq!(
            file.said(&CustomOperator),
            ["high: running this model opens a library of machine code: /tmp/kernels.so"]
        );
    }

    #[test]
    fn ordinary_operators_give_no_finding() {
        let file = sketch("model.onnx", &SAFETENSORS).fact(operator("Gemm", "", Effect::Computes));
        assert!(file.said(&CustomOperator).is_empty());
    }
}
