//! SPDX expressions: read, checked and laid out as the choices that they leave.

use spdx::expression::{ExprNode, Operator};
use spdx::{Expression, LicenseItem, ParseMode};

use super::name;
use super::terms::{self, Commercial, Scope, Terms};

/// Longest expression that is read.
const MAX_EXPRESSION: usize = 2000;
/// Choices that are kept apart; an expression with more is read, and its terms are unknown.
const MAX_CHOICES: usize = 64;

/// An expression that is valid, and what it leaves to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) expression: String,
    /// Each is enough by itself (`OR`), and all licences within one hold together (`AND`).
    pub(super) choices: Vec<Vec<Part>>,
}

/// One licence of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its SPDX id or `LicenseRef-…`, with its exception.
    pub id: String,
    /// What it lets others do; none where that is not known.
    pub terms: Option<Terms>,
}

impl Part {
    pub(super) fn known(terms: &Terms) -> Self {
        Self { id: terms.id().to_owned(), terms: (!terms.unknown).then(|| terms.clone()) }
    }
}

/// Reads an expression, in whatever case and with whatever spaces it is written.
pub(super) fn read(said: &str) -> Option<Read> {
    if said.len() > MAX_EXPRESSION {
        return None;
    }
    let spelt = respelt(said);
    let canonical = match Expression::parse(&spelt) {
        Ok(_) => spelt,
        Err(_) => Expression::canonicalize(&spelt).ok().flatten()?,
    };
    let parsed = Expression::parse_mode(&canonical, ParseMode::STRICT).ok()?;
    let choices = choices(&parsed);
    Some(Read { expression: canonical, choices })
}

/// The expression with operators and ids in the case that they have in the standard.
fn respelt(said: &str) -> String {
    let mut text = String::new();
    for token in said.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
        let token = match token.to_ascii_lowercase().as_str() {
            "and" | "&" => "AND".to_owned(),
            "or" | "|" => "OR".to_owned(),
            "with" => "WITH".to_owned(),
            _ => id(token),
        };
        let glued = text.is_empty() || text.ends_with('(') || token == ")";
        text.push_str(if glued { "" } else { " " });
        text.push_str(&token);
    }
    text
}

fn id(token: &str) -> String {
    let hub = terms::of_hub_id(token).and_then(|terms| terms.expression.clone());
    let own = terms::of_expression(token).and_then(|terms| terms.expression.clone());
    let listed = || spdx::identifiers::LICENSES.iter().find(|licence| licence.name.eq_ignore_ascii_case(token));
    let exception =
        || spdx::identifiers::EXCEPTIONS.iter().find(|exception| exception.name.eq_ignore_ascii_case(token));
    let listed = || listed().map(|licence| licence.name).or_else(|| exception().map(|exception| exception.name));
    hub.or(own).or_else(|| listed().map(str::to_owned)).unwrap_or_else(|| token.to_owned())
}

/// What an expression leaves to choose from; one choice of an unknown licence where it leaves too much.
fn choices(expression: &Expression) -> Vec<Vec<Part>> {
    let mut stack: Vec<Vec<Vec<Part>>> = Vec::new();
    for node in expression.iter() {
        let next = match node {
            ExprNode::Req(requirement) => Some(vec![vec![part(&requirement.req)]]),
            ExprNode::Op(operator) => {
                stack.pop().zip(stack.pop()).and_then(|(right, left)| joined(*operator, left, &right))
            }
        };
        let Some(next) = next else { return vec![vec![Part { id: expression.to_string(), terms: None }]] };
        stack.push(next);
    }
    stack.pop().unwrap_or_default()
}

fn joined(operator: Operator, mut left: Vec<Vec<Part>>, right: &[Vec<Part>]) -> Option<Vec<Vec<Part>>> {
    let both = match operator {
        Operator::Or => {
            left.extend_from_slice(right);
            left
        }
        Operator::And if left.len().saturating_mul(right.len()) > MAX_CHOICES => return None,
        Operator::And => {
            left.iter().flat_map(|one| right.iter().map(move |other| [one.as_slice(), other].concat())).collect()
        }
    };
    (both.len() <= MAX_CHOICES).then_some(both)
}

fn part(requirement: &spdx::LicenseReq) -> Part {
    let id = requirement.to_string();
    let bare = requirement.license.to_string();
    let known = terms::of_expression(&id).or_else(|| terms::of_expression(&bare)).filter(|terms| !terms.unknown);
    let terms = known.cloned().or_else(|| match &requirement.license {
        LicenseItem::Spdx { id, .. } => from_the_list(*id),
        LicenseItem::Other(_) => None,
    });
    Part { id, terms }
}

/// What follows for a licence of the list that has no entry in the table from its approval as open source.
fn from_the_list(id: spdx::LicenseId) -> Option<Terms> {
    if !id.is_osi_approved() {
        return None;
    }
    let share = if id.is_copyleft() { vec![id.name.to_owned()] } else { Vec::new() };
    Some(Terms {
        hub: None,
        own: false,
        expression: Some(id.name.to_owned()),
        name: id.full_name.to_owned(),
        url: None,
        unknown: false,
        derive: true,
        commercial: Commercial::Yes,
        share,
        scope: Scope::Work,
        notice: true,
        restrictions: None,
        naming: None,
        prefix: None,
        network: false,
        patent: false,
        threshold: None,
        data: false,
        read: false,
        note: Some("its terms follow from its approval as open source, not from its text".to_owned()),
    })
}

/// A licence of one name.
pub(super) fn single(id: &str) -> Read {
    match terms::of_expression(id) {
        Some(terms) => Read { expression: terms.id().to_owned(), choices: vec![vec![Part::known(terms)]] },
        None => read(id).unwrap_or_else(|| own(id)),
    }
}

/// A licence of somebody's own, of which nothing is known.
pub(super) fn own(said: &str) -> Read {
    let id = name::reference(said.strip_prefix("LicenseRef-").unwrap_or(said)).unwrap_or_default();
    Read { choices: vec![vec![Part { id: id.clone(), terms: None }]], expression: id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(said: &str) -> String {
        let Some(read) = read(said) else { return "none".to_owned() };
        let choices =
            read.choices.iter().map(|all| all.iter().map(|part| part.id.as_str()).collect::<Vec<_>>().join("+"));
        format!("{} = {}", read.expression, choices.collect::<Vec<_>>().join(" / "))
    }

    #[test]
    fn operators_leave_choices() {
        assert_eq!(shown("mit or apache-2.0"), "MIT OR Apache-2.0 = MIT / Apache-2.0");
        assert_eq!(
            shown("MIT AND (BSD-3-Clause OR ISC)"),
            "MIT AND (BSD-3-Clause OR ISC) = MIT+BSD-3-Clause / MIT+ISC"
        );
        let with = "GPL-2.0-only WITH Classpath-exception-2.0";
        assert_eq!(shown(with), format!("{with} = {with}"));
        assert_eq!(shown("llama3.2 AND mit"), "LicenseRef-llama3.2 AND MIT = LicenseRef-llama3.2+MIT");
        assert_eq!(shown("MIT/Apache-2.0"), "MIT OR Apache-2.0 = MIT / Apache-2.0");
        assert_eq!((shown("MIT OR"), shown("made up"), shown("")), ("none".into(), "none".into(), "none".into()));
    }

    #[test]
    fn an_expression_that_multiplies_ends() {
        let bomb = vec!["(MIT OR ISC)"; 40].join(" AND ");
        let read = read(&bomb).unwrap();
        assert_eq!((read.choices.len(), read.choices[0][0].terms.is_none()), (1, true));
        assert!(super::read(&"(".repeat(1900)).is_none());
    }

    #[test]
    fn a_licence_of_the_list_without_an_entry_has_the_terms_of_open_source() {
        let terms = read("AAL").unwrap().choices[0][0].terms.clone().unwrap();
        assert!(terms.derive && !terms.read);
        assert!(read("Adobe-2006").unwrap().choices[0][0].terms.is_none());
    }
}
