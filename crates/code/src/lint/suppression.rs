//! `# waag: allow[rule] reason`: a finding that somebody has looked at, said where it is. A reason is needed, and what
//! allows nothing is told.

use waag_evidence::Severity;

use super::problem::Problem;
use super::rules::{self, unused_suppression::META};
use super::source::Source;
use super::syntax::{Comment, Span};
use super::unit::Unit;

/// Such a comment.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    rule: String,
    has_reason: bool,
    pub(crate) span: Span,
    own: usize,
    /// The line that it speaks of: its own, or the next one that is no comment where it stands alone.
    line: usize,
    is_used: bool,
}

/// The allowances of a file.
pub(super) fn allowances(source: &Source, comments: &[Comment]) -> Vec<Allowance> {
    let mut allowances: Vec<Allowance> = Vec::new();
    for comment in comments.iter().rev() {
        let found = allowance(source, comment, allowances.last());
        allowances.extend(found);
    }
    allowances.reverse();
    allowances
}

/// Takes away what is allowed, and adds what is wrong with the allowances.
pub(super) fn apply(unit: &Unit, problems: Vec<Problem>) -> Vec<Problem> {
    let mut allowances = unit.allowances.clone();
    if allowances.is_empty() {
        return problems;
    }
    let mut kept: Vec<Problem> =
        problems.into_iter().filter(|problem| !is_allowed(&unit.source, problem, &mut allowances)).collect();
    kept.extend(allowances.iter().filter_map(wrong));
    kept
}

/// Reads a comment; the one after it is known.
fn allowance(source: &Source, comment: &Comment, next: Option<&Allowance>) -> Option<Allowance> {
    let rest = comment.text.trim_start_matches('#').trim_start().strip_prefix("waag:")?.trim_start();
    let (rule, reason) = rest.strip_prefix("allow[")?.split_once(']')?;
    let own = source.line_index(comment.span.start);
    let line = if is_comment(source, own) { statement_after(source, own, next) } else { own };
    Some(Allowance {
        rule: rule.trim().to_owned(),
        has_reason: reason.chars().any(char::is_alphanumeric),
        span: comment.span,
        own,
        line,
        is_used: false,
    })
}

fn is_comment(source: &Source, line: usize) -> bool {
    source.line(line).trim_start().starts_with('#')
}

/// The line that comments on lines of their own speak of; several of them may speak of one.
fn statement_after(source: &Source, own: usize, next: Option<&Allowance>) -> usize {
    let mut line = own + 1;
    let last = source.line_index(u32::MAX);
    while line <= last && is_comment(source, line) {
        match next.filter(|next| next.own == line) {
            Some(next) => return next.line,
            None => line += 1,
        }
    }
    line
}

fn is_allowed(source: &Source, problem: &Problem, allowances: &mut [Allowance]) -> bool {
    if problem.rule == "incomplete-analysis" {
        return false;
    }
    // A call may go over several lines; the comment stands on any of them.
    let lines = source.line_index(problem.span.start)..=source.line_index(problem.span.end);
    let fits = |allowance: &&mut Allowance| {
        allowance.has_reason && allowance.rule == problem.rule && lines.contains(&allowance.line)
    };
    // They are in order of their lines.
    let before = allowances.partition_point(|allowance| allowance.line < *lines.start());
    let after = allowances.partition_point(|allowance| allowance.line <= *lines.end());
    match allowances[before..after].iter_mut().find(fits) {
        Some(allowance) => {
            allowance.is_used = true;
            true
        }
        None => false,
    }
}

fn wrong(allowance: &Allowance) -> Option<Problem> {
    let Allowance { rule, .. } = allowance;
    let (message, next) = if !allowance.has_reason {
        (
            format!("the allowance of {rule} has no reason"),
            "Say behind the bracket why it is acceptable; without a reason it allows nothing.",
        )
    } else if !rules::ALL.iter().any(|known| known.meta().id == rule) {
        (format!("there is no rule {rule} that could be allowed"), "`waag explain` lists the rules.")
    } else if !allowance.is_used {
        (format!("the allowance of {rule} allows nothing here"), "Take the comment away.")
    } else {
        return None;
    };
    Some(Problem::new(&META, allowance.span, message, next).severity(Severity::Low).about(rule.clone()))
}

#[cfg(test)]
mod tests;
