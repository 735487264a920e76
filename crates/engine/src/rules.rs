//! The rules. Each is one file with its page beside it, and one line in [`RULES`].

pub mod archive_disagreement;
pub mod code_execution;
pub mod custom_operator;
pub mod dangerous_operator;
pub mod deceptive_name;
pub mod degenerate_tensor;
pub mod embedded_code;
pub mod embedded_secret;
pub mod encrypted_content;
pub mod executable_content;
pub mod extension_mismatch;
pub mod external_data;
pub mod finding;
pub mod foreign_mutation;
pub mod hidden_content;
pub mod hidden_payload;
pub mod incomplete_analysis;
pub mod instantiate_target;
pub mod lock_drift;
pub mod look_alike_name;
pub mod malformed_structure;
pub mod network_address;
pub mod path_traversal;
pub mod reader_disagreement;
pub mod remote_code;
pub mod resource_bomb;
pub mod risky_source;
pub mod template_escape;
#[cfg(test)]
mod testing;
pub mod text_remapping;
pub mod unlisted_callable;
pub mod xml_entity;

use waag_formats::fact::{Anomaly, Callable, Fact, FactKind, Operator, Position};
use waag_formats::format::{Depth, Meta as FormatMeta};

use finding::Findings;

/// Who a rule is.
#[derive(Debug)]
pub struct Meta {
    /// Stable id, kebab-case; reads well after "allow".
    pub id: &'static str,
    /// What it reports, as a noun phrase.
    pub title: &'static str,
    /// Its page: Markdown with fixed headings and a case (input and the findings it must give).
    pub page: &'static str,
}

/// What a rule looks at: the facts of one artifact.
#[derive(Debug, Clone, Copy)]
pub struct Artifact<'a> {
    /// Path of the innermost name: the file's path, or the member's name within its archive.
    pub name: &'a str,
    /// Size in bytes.
    pub size: u64,
    /// The format it was read as.
    pub format: Option<&'static FormatMeta>,
    /// What was read.
    pub facts: &'a [Fact],
    /// Whether it was named by the user or lies in a folder that was; not a member of an archive.
    pub is_file: bool,
}

impl<'a> Artifact<'a> {
    /// Its anomalies, with where and what exactly.
    pub fn anomalies(&self) -> impl Iterator<Item = (Position, Anomaly, &'a str)> {
        self.facts.iter().filter_map(|fact| match &fact.kind {
            FactKind::Anomaly { anomaly, detail } => Some((fact.position, *anomaly, detail.as_str())),
            _ => None,
        })
    }

    /// The callables that loading it looks up or calls.
    pub fn callables(&self) -> impl Iterator<Item = (Position, &'a Callable)> {
        self.facts.iter().filter_map(|fact| match &fact.kind {
            FactKind::Callable(callable) => Some((fact.position, callable)),
            _ => None,
        })
    }

    /// Whether it is a container, whose parts are files of their own.
    #[must_use]
    pub fn is_archive(&self) -> bool {
        self.format.is_some_and(|format| format.depth == Depth::Container)
    }
}

/// A message and its particulars, as far as there are any.
fn with_detail(text: &str, detail: &str) -> String {
    if detail.is_empty() { text.to_owned() } else { format!("{text}: {detail}") }
}

/// An operator's name, with the set it belongs to where that is not the format's own.
fn operator_name(operator: &Operator) -> String {
    if operator.domain.is_empty() { operator.name.clone() } else { format!("{}::{}", operator.domain, operator.name) }
}

/// Module and name of a callable, as they are written in Python.
fn path_of(callable: &Callable) -> String {
    if callable.module.is_empty() { callable.name.clone() } else { format!("{}.{}", callable.module, callable.name) }
}

/// A rule.
pub trait Rule: Sync {
    /// Who it is.
    fn meta(&self) -> &'static Meta;

    /// Adds its opinion about one artifact.
    fn judge(&self, artifact: &Artifact<'_>, findings: &mut Findings<'_>);
}

impl std::fmt::Debug for dyn Rule + '_ {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Rule({})", self.meta().id)
    }
}

/// Every rule, in the order in which they are listed to people.
pub static RULES: &[&dyn Rule] = &[
    &code_execution::CodeExecution,
    &unlisted_callable::UnlistedCallable,
    &foreign_mutation::ForeignMutation,
    &reader_disagreement::ReaderDisagreement,
    &archive_disagreement::ArchiveDisagreement,
    &hidden_content::HiddenContent,
    &remote_code::RemoteCode,
    &template_escape::TemplateEscape,
    &path_traversal::PathTraversal,
    &resource_bomb::ResourceBomb,
    &malformed_structure::MalformedStructure,
    &executable_content::ExecutableContent,
    &extension_mismatch::ExtensionMismatch,
    &deceptive_name::DeceptiveName,
    &lock_drift::LockDrift,
    &instantiate_target::InstantiateTarget,
    &embedded_code::EmbeddedCode,
    &risky_source::RiskySource,
    &dangerous_operator::DangerousOperator,
    &custom_operator::CustomOperator,
    &external_data::ExternalData,
    &xml_entity::XmlEntity,
    &text_remapping::TextRemapping,
    &hidden_payload::HiddenPayload,
    &degenerate_tensor::DegenerateTensor,
    &look_alike_name::LookAlikeName,
    &network_address::NetworkAddress,
    &embedded_secret::EmbeddedSecret,
    &encrypted_content::EncryptedContent,
    &incomplete_analysis::IncompleteAnalysis,
];

/// The rule with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static dyn Rule> {
    RULES.iter().copied().find(|rule| rule.meta().id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use waag_formats::fact::{Code, Effect, Gap, Reach, ReferenceKind, Runs, SourceReach, Standing, Usage};

    use super::testing::{PICKLE, SAFETENSORS, Sketch, ZIP, operator, sketch};
    use super::*;

    /// Files beside the rules that are no rules.
    const NO_RULES: &[&str] = &["finding", "testing"];
    const HEADINGS: &[&str] =
        &["## What it reports", "## Why it matters", "## What to do", "## When it is acceptable", "## Case"];

    /// Every anomaly there is; a test below compares it with the vocabulary's source.
    const ANOMALIES: &[Anomaly] = &[
        Anomaly::ReaderDisagreement,
        Anomaly::HeaderDisagreement,
        Anomaly::HiddenContent,
        Anomaly::TrailingBytes,
        Anomaly::LeadingBytes,
        Anomaly::Nested,
        Anomaly::Polyglot,
        Anomaly::PathTraversal,
        Anomaly::Link,
        Anomaly::DuplicateName,
        Anomaly::ExpansionBomb,
        Anomaly::AllocationBomb,
        Anomaly::Hole,
        Anomaly::Overlap,
        Anomaly::OutOfBounds,
        Anomaly::SizeMismatch,
        Anomaly::ChecksumMismatch,
        Anomaly::Malformed,
        Anomaly::Broken,
        Anomaly::ExtensionMismatch,
        Anomaly::Executable,
        Anomaly::DeceptiveName,
        Anomaly::Encrypted,
        Anomaly::ExternalData,
        Anomaly::XmlEntity,
        Anomaly::NotFinite,
        Anomaly::Degenerate,
        Anomaly::TextRemapping,
        Anomaly::LookAlike,
        Anomaly::Steganography,
        Anomaly::Drift,
        Anomaly::Unlocked,
    ];
    const REACHES: &[Reach] = &[Reach::Internals, Reach::ComputedName, Reach::Host, Reach::Unlisted, Reach::Exhaustion];
    const GAPS: &[Gap] = &[Gap::Limit, Gap::Depth, Gap::Unsupported, Gap::Unreadable, Gap::UnknownFormat, Gap::Missing];
    const USAGES: &[Usage] = &[
        Usage::Reference,
        Usage::Reduce,
        Usage::New,
        Usage::Build,
        Usage::Append,
        Usage::SetItem,
        Usage::AddItem,
        Usage::Instantiate,
    ];
    const SOURCE_REACHES: &[SourceReach] = &[
        SourceReach::HiddenCode,
        SourceReach::Backdoor,
        SourceReach::Program,
        SourceReach::Evaluation,
        SourceReach::NativeCode,
        SourceReach::Library,
        SourceReach::BuildTool,
        SourceReach::Network,
        SourceReach::UnsafeLoad,
        SourceReach::Credentials,
        SourceReach::Installation,
        SourceReach::Files,
    ];
    const MOMENTS: &[Runs] = &[Runs::Loaded, Runs::Used, Runs::Started];

    /// The variants of an enum of the vocabulary, as its source names them.
    fn variants(name: &str) -> BTreeSet<String> {
        let source = include_str!("../../formats/src/fact.rs");
        let start = source.find(&format!("pub enum {name} {{")).unwrap();
        let body = source[start..].lines().skip(1).take_while(|line| *line != "}");
        let at_top =
            |line: &&str| line.starts_with("    ") && line.as_bytes().get(4).is_some_and(u8::is_ascii_uppercase);
        let word = |line: &str| line.trim().chars().take_while(char::is_ascii_alphanumeric).collect();
        body.filter(at_top).map(word).collect()
    }

    #[allow(clippy::use_debug)]
    fn names<T: std::fmt::Debug>(values: &[T]) -> BTreeSet<String> {
        values.iter().map(|value| format!("{value:?}")).collect()
    }

    /// Ids of the rules that have something to say, one for each finding.
    fn claimants(file: &Sketch) -> Vec<&'static str> {
        RULES.iter().flat_map(|rule| file.findings(*rule).into_iter().map(|_| rule.meta().id)).collect()
    }

    fn assert_one_claims(file: &Sketch, what: &str) {
        let ids = claimants(file);
        assert_eq!(ids.len(), 1, "{what} must be claimed by exactly one rule, and is by {ids:?}");
    }

    #[test]
    fn the_lists_here_name_the_whole_vocabulary() {
        assert_eq!(names(ANOMALIES), variants("Anomaly"));
        assert_eq!(names(REACHES), variants("Reach"));
        assert_eq!(names(GAPS), variants("Gap"));
        assert_eq!(names(USAGES), variants("Usage"));
        assert_eq!(names(SOURCE_REACHES), variants("SourceReach"));
        assert_eq!(names(MOMENTS), variants("Runs"));
        assert_eq!(variants("Effect"), ["Computes", "Custom", "Reaches"].map(str::to_owned).into());
        let standings = ["Computed", "Dangerous", "Inert", "Misused", "Unknown", "Unlisted"];
        assert_eq!(variants("Standing"), standings.map(str::to_owned).into());
        // The lengths of other files are compared with theirs by `repository.rs`.
        let described = ["Property", "Metadata", "Tensor", "Storage", "Step", "Template", "FileSize", "Child"];
        let judged = ["Callable", "Mutation", "TemplateReach", "Reference", "Anomaly", "Incomplete"];
        let carried = ["Operator", "Code", "SourceReach", "Secret"];
        let kinds = described.into_iter().chain(judged).chain(carried);
        let kinds: BTreeSet<String> = kinds.map(str::to_owned).collect();
        assert_eq!(
            variants("FactKind"),
            kinds,
            "say below which rule judges the new kind, or list it as a description"
        );
    }

    #[test]
    fn every_anomaly_is_claimed_by_exactly_one_rule_in_every_setting() {
        for &anomaly in ANOMALIES {
            for name in ["model.pkl", "model.safetensors", "config.json", "train.py", "run.sh", "model", "odd.xyz"] {
                for format in [&PICKLE, &SAFETENSORS, &ZIP] {
                    for detail in ["", "a shell script", "an ELF program"] {
                        let what = format!("{:?} of {name} read as {}", [anomaly], format.id);
                        assert_one_claims(&sketch(name, format).told(anomaly, detail), &what);
                        assert_one_claims(&sketch(name, format).within("a.zip").told(anomaly, detail), &what);
                        assert_one_claims(&sketch(name, format).unknown().told(anomaly, detail), &what);
                    }
                }
            }
        }
    }

    #[test]
    fn every_other_opinion_is_claimed_by_exactly_one_rule() {
        let file = || sketch("model.pkl", &PICKLE);
        for &usage in USAGES {
            for standing in [
                Standing::Misused { expected: "a type".into() },
                Standing::Dangerous { effect: "runs a shell command".into(), critical: true },
                Standing::Unlisted { library: "numpy".into() },
                Standing::Unknown,
                Standing::Computed,
            ] {
                assert_one_claims(&file().callable(usage, standing), "a callable");
            }
            let inert = Standing::Inert { reason: "builds data".into() };
            assert!(claimants(&file().callable(usage, inert)).is_empty(), "what is inert is not reported");
        }
        for &reach in REACHES {
            let expression = String::from("''.__class__");
            assert_one_claims(&file().fact(FactKind::TemplateReach { expression, reach }), "a reach");
        }
        for &reason in GAPS {
            assert_one_claims(&file().fact(FactKind::Incomplete { reason, detail: String::new() }), "a gap");
        }
        let mutation = FactKind::Mutation { target: "sys.modules".into(), change: "replaces os".into() };
        assert_one_claims(&file().fact(mutation), "a mutation");
        for kind in
            [ReferenceKind::RemoteCode, ReferenceKind::Library, ReferenceKind::Address, ReferenceKind::PackageIndex]
        {
            let target = "modeling.Model".to_owned();
            assert_one_claims(&file().fact(FactKind::Reference { kind, target }), "a reference");
        }
    }

    #[test]
    fn what_an_artifact_carries_is_claimed_by_exactly_one_rule() {
        let file = || sketch("model.onnx", &SAFETENSORS);
        for effect in [Effect::Custom, Effect::Reaches { what: "writes files".into(), critical: true }] {
            assert_one_claims(&file().fact(operator("Odd", "org.example", effect)), "an operator");
        }
        assert!(claimants(&file().fact(operator("Gemm", "", Effect::Computes))).is_empty());
        for &runs in MOMENTS {
            let code = Code { name: "a".into(), language: "R".into(), runs, excerpt: String::new() };
            assert_one_claims(&file().fact(FactKind::Code(code)), "code");
            for &reach in SOURCE_REACHES {
                let fact = FactKind::SourceReach { expression: "os.system('id')".into(), reach, runs };
                assert_one_claims(&file().fact(fact), "source code");
            }
        }
        assert_one_claims(&file().fact(FactKind::Secret { kind: "a key".into(), shown: "AK".into() }), "a secret");
    }

    #[test]
    fn descriptions_give_no_finding() {
        let tensor = waag_formats::fact::Tensor {
            name: "os.system".into(),
            dtype: "F32".into(),
            shape: vec![2],
            bytes: Some(8),
        };
        let file = sketch("model.pkl", &PICKLE)
            .fact(FactKind::Property { name: "framework".into(), value: "PyTorch".into() })
            .fact(FactKind::Metadata { key: "eval".into(), value: "os.system('id')".into() })
            .fact(FactKind::Tensor(tensor))
            .fact(FactKind::Step { text: "import os".into() })
            .fact(FactKind::Template { name: "chat_template".into(), text: "{{ messages }}".into() })
            .fact(FactKind::Child(waag_formats::child::Child::stored("data.pkl", 0, 9)));
        assert!(claimants(&file).is_empty());
    }

    #[test]
    fn every_file_beside_the_rules_is_registered() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
        let mut files = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if !NO_RULES.contains(&stem.as_str()) {
                files.insert((stem, path.extension().unwrap().to_str().unwrap().to_owned()));
            }
        }
        let stem = |rule: &&dyn Rule| rule.meta().id.replace('-', "_");
        let both = |stem: String| [(stem.clone(), "rs".to_owned()), (stem, "md".to_owned())];
        let expected: BTreeSet<_> = RULES.iter().map(stem).flat_map(both).collect();
        assert_eq!(files, expected, "each rule needs <rule>.rs, <rule>.md and a line in RULES");
    }

    #[test]
    fn ids_are_unique_and_kebab_case() {
        let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.meta().id).collect();
        assert_eq!(ids.len(), RULES.len());
        for id in ids {
            let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
            assert!(id.split('-').all(is_word), "{id}");
            assert_eq!(find(id).map(|rule| rule.meta().id), Some(id));
        }
    }

    /// Ids stand in people's exceptions and dashboards: adding one is fine, changing or removing one breaks those.
    #[test]
    fn ids_are_frozen() {
        let ids: Vec<&str> = RULES.iter().map(|rule| rule.meta().id).collect();
        insta::assert_snapshot!(ids.join("\n"), @"
        code-execution
        unlisted-callable
        foreign-mutation
        reader-disagreement
        archive-disagreement
        hidden-content
        remote-code
        template-escape
        path-traversal
        resource-bomb
        malformed-structure
        executable-content
        extension-mismatch
        deceptive-name
        lock-drift
        instantiate-target
        embedded-code
        risky-source
        dangerous-operator
        custom-operator
        external-data
        xml-entity
        text-remapping
        hidden-payload
        degenerate-tensor
        look-alike-name
        network-address
        embedded-secret
        encrypted-content
        incomplete-analysis
        ");
    }

    #[test]
    fn every_page_has_a_summary_and_the_headings_in_order() {
        for rule in RULES {
            let Meta { id, page, .. } = rule.meta();
            let mut lines = page.lines();
            assert_eq!(lines.next(), Some(format!("# {id}").as_str()));
            let summary = lines.find(|line| !line.is_empty()).unwrap_or_default();
            assert!(summary.ends_with('.') && !summary.starts_with('#'), "{id}: one sentence below the title");
            let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
            assert_eq!(headings, HEADINGS, "{id}");
            assert!(page.contains("```findings\n"), "{id}: a case needs its findings");
        }
    }

    #[test]
    fn the_exception_on_every_page_is_one_for_its_rule() {
        for rule in RULES {
            let Meta { id, page, .. } = rule.meta();
            let (_, snippet) = page.split_once("```toml\n").unwrap();
            let (snippet, _) = snippet.split_once("```").unwrap();
            let policy: waag_evidence::Policy = toml::from_str(snippet).unwrap();
            let rules: Vec<&str> = policy.exceptions.iter().map(|exception| exception.about()).collect();
            assert_eq!(rules, [*id]);
        }
    }
}
