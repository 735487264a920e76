//! Evidence as values of the language.

use std::collections::{BTreeSet, HashMap};

use cel::Value;

use super::{ConditionError, Known, MAX_ITEMS, MAX_TEXT};
use crate::control::CONTROLS;
use crate::finding::{Finding, Nature, Severity};
use crate::gathered::{
    Ancestor, Assurance, Evidence, FileEvidence, SignatureEvidence, SignatureState, StatementEvidence, Subject,
};

/// The values of variables.
pub(super) fn values(
    variables: &[String],
    subject: &Subject,
    evidence: &Evidence,
    known: &Known,
) -> Result<Vec<(String, Value)>, ConditionError> {
    let value = |variable: &String| {
        let maker = Maker { variable };
        Ok((variable.clone(), maker.value(subject, evidence, known)?))
    };
    variables.iter().map(value).collect()
}

/// Makes the value of one variable.
struct Maker<'a> {
    variable: &'a str,
}

type Made = Result<Value, ConditionError>;

impl Maker<'_> {
    fn value(&self, subject: &Subject, evidence: &Evidence, known: &Known) -> Made {
        match self.variable {
            "subject" => self.subject(subject),
            "files" => self.list(&evidence.files, |file| self.file(file)),
            "findings" => self.findings(evidence, known),
            "signers" => self.signers(evidence),
            "statements" if evidence.statements.searched.is_empty() => self.not_known("nobody looked for statements"),
            "statements" => self.list(&evidence.statements.found, |statement| self.statement(statement)),
            "ancestors" => self.ancestors(evidence),
            "controls" => Ok(controls(known)),
            _ => self.not_known("there is no such variable"),
        }
    }

    fn not_known(&self, why: &'static str) -> Made {
        Err(ConditionError::NotKnown { variable: self.variable.to_owned(), why })
    }

    fn text(&self, text: &str) -> Made {
        match text.chars().nth(MAX_TEXT) {
            Some(_) => Err(ConditionError::TooLong { variable: self.variable.to_owned() }),
            None => Ok(text.into()),
        }
    }

    fn list<T>(&self, items: &[T], value: impl Fn(&T) -> Made) -> Made {
        if items.len() > MAX_ITEMS {
            return Err(ConditionError::TooMany { variable: self.variable.to_owned(), count: items.len() });
        }
        Ok(items.iter().map(value).collect::<Result<Vec<_>, _>>()?.into())
    }

    fn subject(&self, subject: &Subject) -> Made {
        Ok(object([
            ("name", self.text(&subject.name)?),
            ("formats", self.list(&subject.formats, |format| self.text(format))?),
            ("size", int(subject.size)),
            ("files", int(subject.files)),
        ]))
    }

    fn file(&self, file: &FileEvidence) -> Made {
        Ok(object([
            ("path", self.text(&file.path)?),
            ("format", self.text(file.format.as_deref().unwrap_or_default())?),
            ("size", int(file.size)),
            ("tensors", int(file.tensors)),
        ]))
    }

    fn findings(&self, evidence: &Evidence, known: &Known) -> Made {
        let open = evidence.findings.iter().enumerate().filter(|(index, _)| !known.excepted.contains_key(index));
        let open: Vec<&Finding> = open.map(|(_, finding)| finding).collect();
        self.list(&open, |finding| {
            let (severity, grade) = severity(finding.severity);
            Ok(object([
                ("rule", self.text(&finding.rule)?),
                ("severity", severity.into()),
                ("grade", Value::Int(grade)),
                ("nature", if finding.nature == Nature::Incomplete { "incomplete" } else { "risk" }.into()),
                ("file", self.text(&finding.location.file)?),
                ("message", self.text(&finding.message)?),
                ("subject", self.text(finding.subject.as_deref().unwrap_or_default())?),
            ]))
        })
    }

    fn signers(&self, evidence: &Evidence) -> Made {
        if evidence.signatures.is_empty() {
            return self.not_known("nobody looked for signatures");
        }
        if evidence.signatures.iter().any(|signature| matches!(signature.state, SignatureState::Unjudged { .. })) {
            return self.not_known("a signature could not be judged");
        }
        let signed = |signature: &SignatureEvidence| match &signature.state {
            SignatureState::Good { signers, .. } => signers.iter().cloned().collect(),
            _ => BTreeSet::new(),
        };
        let signed: BTreeSet<BTreeSet<String>> = evidence.signatures.iter().map(signed).collect();
        // Whoever signed one of several parts says nothing of the others.
        if signed.len() > 1 {
            return self.not_known("not all parts are signed by the same");
        }
        let signers: Vec<String> = signed.into_iter().flatten().collect();
        self.list(&signers, |signer| self.text(signer))
    }

    fn statement(&self, statement: &StatementEvidence) -> Made {
        let provenance = statement.provenance.as_ref();
        Ok(object([
            ("type", self.text(&statement.predicate_type)?),
            ("signer", self.text(statement.signer.as_deref().unwrap_or_default())?),
            ("trusted", Value::Bool(statement.trusted)),
            ("build_type", self.text(provenance.map_or("", |facts| &facts.build_type))?),
            ("builder", self.text(provenance.map_or("", |facts| &facts.builder))?),
        ]))
    }

    /// Of ancestors that are not all known, nothing follows.
    fn ancestors(&self, evidence: &Evidence) -> Made {
        let ancestry = &evidence.ancestry;
        if ancestry.searched.is_empty() {
            return self.not_known("nobody looked for ancestors");
        }
        if !ancestry.missing.is_empty() || !ancestry.incomplete.is_empty() {
            return self.not_known("not all ancestors are known");
        }
        self.list(&ancestry.nodes, |node| self.ancestor(node))
    }

    fn ancestor(&self, node: &Ancestor) -> Made {
        let signer = match &node.assurance {
            Assurance::Signed { by, .. } => by.as_str(),
            _ => "",
        };
        Ok(object([
            ("name", self.text(&node.name)?),
            ("sha256", node.digest.map(|digest| digest.to_string()).unwrap_or_default().into()),
            ("role", node.role.name().into()),
            ("depth", int(node.depth.into())),
            ("signer", self.text(signer)?),
            ("trusted", Value::Bool(node.is_trusted())),
            ("denied", Value::Bool(node.denied.is_some())),
        ]))
    }
}

/// The answers of all controls: those that are not asked are off.
fn controls(known: &Known) -> Value {
    let answer = |id: &str| known.outcomes.get(id).map_or("off", |outcome| outcome.name());
    let pairs = CONTROLS.iter().map(|control| (control.id.to_owned(), Value::from(answer(control.id))));
    pairs.collect::<HashMap<String, Value>>().into()
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<HashMap<String, Value>>().into()
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

const fn severity(severity: Severity) -> (&'static str, i64) {
    match severity {
        Severity::Info => ("info", 0),
        Severity::Low => ("low", 1),
        Severity::Medium => ("medium", 2),
        Severity::High => ("high", 3),
        Severity::Critical => ("critical", 4),
    }
}
