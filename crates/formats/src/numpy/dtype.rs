//! Element types: how large an element is, and whether it is a Python object.

use super::literal::Literal;

/// Records within records.
const MAX_DEPTH: u32 = 16;

/// An element type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dtype {
    /// As written; a list of fields is shortened to their types.
    pub text: String,
    /// Bytes of one element.
    pub itemsize: u64,
    /// Elements are, or have in them, Python objects, so that the data are a pickle.
    pub has_object: bool,
}

/// Reads a type's short name: `<f8`, `|O`, `|S10`, `<M8[ns]`.
#[must_use]
pub fn parse_dtype(text: &str) -> Option<Dtype> {
    let code = text.strip_prefix(['<', '>', '|', '=']).unwrap_or(text);
    let kind = code.chars().next()?;
    let rest = code.get(kind.len_utf8()..)?;
    let (digits, unit) = match rest.find('[') {
        Some(at) => (rest.get(..at)?, rest.get(at..)?),
        None => (rest, ""),
    };
    let fits = matches!(kind, 'm' | 'M') && is_unit(unit);
    if !unit.is_empty() && !fits {
        return None;
    }
    let number = if digits.is_empty() { None } else { Some(number(digits)?) };
    let itemsize = itemsize(kind, number)?;
    Some(Dtype { text: text.to_owned(), itemsize, has_object: matches!(kind, 'O' | 'T') })
}

fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// `[ns]`, `[25s]`, `[generic]`, `[D/4]`
fn is_unit(unit: &str) -> bool {
    let inner = unit.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| {
        inner.len() <= 24 && inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '/' || c == 'μ')
    })
}

fn itemsize(kind: char, number: Option<u64>) -> Option<u64> {
    match (kind, number) {
        ('i' | 'u', Some(size @ (1 | 2 | 4 | 8))) => Some(size),
        ('f', Some(size @ (2 | 4 | 8 | 12 | 16))) => Some(size),
        ('c', Some(size @ (8 | 16 | 24 | 32))) => Some(size),
        ('b', Some(1)) => Some(1),
        ('S' | 'a' | 'V', size) => Some(size.unwrap_or(0)),
        ('U', size) => size.unwrap_or(0).checked_mul(4),
        ('m' | 'M', Some(8) | None) => Some(8),
        ('O', Some(4 | 8) | None) => Some(8),
        ('T', size) => Some(size.unwrap_or(16)),
        ('b' | 'B' | '?' | 'c', None) => Some(1),
        ('h' | 'H' | 'e', None) => Some(2),
        ('i' | 'I' | 'f', None) => Some(4),
        ('l' | 'L' | 'q' | 'Q' | 'd' | 'F' | 'p' | 'P' | 'n' | 'N', None) => Some(8),
        ('g' | 'D', None) => Some(16),
        ('G', None) => Some(32),
        _ => None,
    }
}

/// A type as a header writes it: a name, a list of fields, or a type with a shape.
pub(super) fn from_literal(literal: &Literal) -> Option<Dtype> {
    any(literal, MAX_DEPTH)
}

fn any(literal: &Literal, depth: u32) -> Option<Dtype> {
    let depth = depth.checked_sub(1)?;
    match literal {
        Literal::Text(text) => parse_dtype(text),
        Literal::List(fields) => record(fields, depth),
        Literal::Tuple(parts) => match parts.as_slice() {
            [base, shape] => array(any(base, depth)?, shape),
            _ => None,
        },
        _ => None,
    }
}

fn record(fields: &[Literal], depth: u32) -> Option<Dtype> {
    let mut whole = Dtype { text: String::from("["), itemsize: 0, has_object: false };
    for field in fields {
        let Literal::Tuple(parts) = field else { return None };
        let one = match parts.as_slice() {
            [name, base] if is_name(name) => any(base, depth)?,
            [name, base, shape] if is_name(name) => array(any(base, depth)?, shape)?,
            _ => return None,
        };
        whole.itemsize = whole.itemsize.checked_add(one.itemsize)?;
        whole.has_object |= one.has_object;
        if whole.text.len() < 200 {
            let comma = if whole.text.len() > 1 { ", " } else { "" };
            whole.text.push_str(comma);
            whole.text.push_str(&one.text);
        }
    }
    whole.text.push(']');
    Some(whole)
}

/// A name, or a title and a name.
fn is_name(literal: &Literal) -> bool {
    match literal {
        Literal::Text(_) => true,
        Literal::Tuple(parts) => parts.len() == 2 && parts.iter().all(|part| matches!(part, Literal::Text(_))),
        _ => false,
    }
}

fn array(base: Dtype, shape: &Literal) -> Option<Dtype> {
    let count = match shape {
        Literal::Number(count) => *count,
        Literal::Tuple(_) => extents(shape)?.iter().try_fold(1u64, |product, &extent| product.checked_mul(extent))?,
        _ => return None,
    };
    Some(Dtype { itemsize: base.itemsize.checked_mul(count)?, ..base })
}

/// A tuple of whole numbers.
pub(super) fn extents(literal: &Literal) -> Option<Vec<u64>> {
    let Literal::Tuple(items) = literal else { return None };
    items.iter().map(|item| if let Literal::Number(extent) = item { Some(*extent) } else { None }).collect()
}
