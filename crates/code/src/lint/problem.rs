//! What a rule has to say, before it has a place that people read.

use std::collections::HashSet;

use waag_engine::rules::Meta;
use waag_evidence::finding::Nature;
use waag_evidence::{Confidence, Persona, Severity};

use super::syntax::Span;

/// Bytes that are replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edit {
    /// Which.
    pub(crate) span: Span,
    /// By what.
    pub(crate) text: String,
}

/// What is said instead where some file of the project writes to what a problem is about; then it comes from nowhere else.
#[derive(Debug, Clone)]
pub(crate) struct IfWritten {
    /// What is written to, by its name.
    pub(crate) name: String,
    /// Nothing is said where there is nothing.
    pub(crate) instead: Option<Problem>,
}

/// An opinion about a place in a text.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) rule: &'static str,
    pub(crate) nature: Nature,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) persona: Persona,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) subject: Option<String>,
    pub(crate) next: String,
    /// What settles it and changes nothing else.
    pub(crate) edits: Vec<Edit>,
    /// On what it depends that other files say.
    pub(crate) if_written: Option<Box<IfWritten>>,
}

impl Problem {
    /// A problem of medium severity that a reviewer cares about, read in the text.
    pub(crate) fn new(meta: &Meta, span: Span, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            rule: meta.id,
            nature: Nature::Risk,
            severity: Severity::Medium,
            confidence: Confidence::High,
            persona: Persona::Reviewer,
            span,
            message: message.into(),
            subject: None,
            next: next.into(),
            edits: Vec::new(),
            if_written: None,
        }
    }

    /// Something that was not looked at.
    pub(crate) fn incomplete(span: Span, message: impl Into<String>, next: impl Into<String>) -> Self {
        let meta = Meta { id: "incomplete-analysis", title: "", page: "" };
        Self { nature: Nature::Incomplete, persona: Persona::Everyone, ..Self::new(&meta, span, message, next) }
    }

    /// How bad it is; who loads or runs this cares from high on.
    pub(crate) fn severity(self, severity: Severity) -> Self {
        let persona = if severity >= Severity::High { Persona::Everyone } else { self.persona };
        Self { severity, persona, ..self }
    }

    /// How sure it is.
    pub(crate) fn confidence(self, confidence: Confidence) -> Self {
        Self { confidence, ..self }
    }

    /// For whoever wants to see everything.
    pub(crate) fn for_auditors(self) -> Self {
        Self { persona: Persona::Auditor, ..self }
    }

    /// What it is about.
    pub(crate) fn about(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// What is said instead where the project writes to this itself.
    pub(crate) fn unless_written(self, name: impl Into<String>, instead: Option<Self>) -> Self {
        Self { if_written: Some(Box::new(IfWritten { name: name.into(), instead })), ..self }
    }

    /// What is left of it when it is known what the project writes to.
    pub(crate) fn settled(mut self, written: &HashSet<&str>) -> Option<Self> {
        match self.if_written.take() {
            Some(other) if written.contains(other.name.as_str()) => other.instead,
            _ => Some(self),
        }
    }

    /// The edits that settle it.
    pub(crate) fn fixed_by(self, edits: Vec<Edit>) -> Self {
        Self { edits, ..self }
    }
}
