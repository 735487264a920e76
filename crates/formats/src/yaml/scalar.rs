//! What a plain scalar is: YAML has no types of its own, readers guess them.

use crate::json::Value;

/// Characters of a number; nothing longer is one.
const MAX_NUMBER: usize = 64;

/// The value of a plain scalar, as Python's and most other readers take it.
#[must_use]
pub(super) fn resolve(text: &str) -> Value<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text),
        _ => Value::Text(text),
    }
}

fn is_number(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.'));
    starts && text.len() <= MAX_NUMBER && (text.parse::<f64>().is_ok() || text.starts_with("0x"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_told_apart() {
        assert_eq!(resolve("~"), Value::Null);
        assert_eq!(resolve("True"), Value::Bool(true));
        assert_eq!(resolve("-1.5e3"), Value::Number("-1.5e3"));
        assert_eq!(resolve("1.2.3"), Value::Text("1.2.3"));
        assert_eq!(resolve("nan"), Value::Text("nan"));
    }
}
