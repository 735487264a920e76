//! Parts of constant texts: `text[0]`, `text[1:3]`, `text[::-1]`.

use super::lexer::{Kind, Token};
use super::value::{MAX_WORD, Value};

/// Which characters are meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    At(i64),
    Slice { start: Option<i64>, stop: Option<i64>, step: i64 },
}

/// What stands between the brackets, where that is whole numbers.
pub(super) fn read(tokens: &[Token]) -> Option<Part> {
    const MOST: usize = 10;
    let end = tokens.iter().take(MOST).position(|token| token.is("]"))?;
    let inner = tokens.get(..end)?;
    let mut numbers = inner.split(|token| token.is(":")).map(number);
    let (start, stop, step) = (numbers.next()??, numbers.next(), numbers.next());
    match (stop, step) {
        (None, _) => start.map(Part::At),
        (Some(stop), step) => Some(Part::Slice { start, stop: stop?, step: step.unwrap_or(Some(None))?.unwrap_or(1) }),
    }
}

/// A number, nothing, or something else.
fn number(tokens: &[Token]) -> Option<Option<i64>> {
    match tokens {
        [] => Some(None),
        [Token { kind: Kind::Number(Some(number)), .. }] => Some(Some(*number)),
        [minus, Token { kind: Kind::Number(Some(number)), .. }] if minus.is("-") => Some(number.checked_neg()),
        _ => None,
    }
}

/// Those characters of a text.
pub(super) fn take(text: &str, hidden: bool, part: Part) -> Value {
    let characters: Vec<char> = text.chars().collect();
    let length = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let at = |place: i64| usize::try_from(place).ok().and_then(|place| characters.get(place)).copied();
    let from_end = |place: i64| if place < 0 { place.saturating_add(length) } else { place };
    let taken: String = match part {
        Part::At(place) => match at(from_end(place)) {
            Some(character) => return Value::Text(character.to_string(), true),
            None => return Value::Unknown,
        },
        Part::Slice { step: 0, .. } => return Value::Unknown,
        Part::Slice { start, stop, step } if step > 0 => {
            let first = from_end(start.unwrap_or(0)).clamp(0, length);
            let last = from_end(stop.unwrap_or(length)).clamp(0, length);
            steps(first, step).take_while(|place| *place < last).filter_map(at).collect()
        }
        Part::Slice { start, stop, step } => {
            let end = length.saturating_sub(1);
            let first = start.map_or(end, from_end).clamp(-1, end);
            let last = stop.map_or(-1, |stop| from_end(stop).clamp(-1, end));
            steps(first, step).take_while(|place| *place > last).filter_map(at).collect()
        }
    };
    let is_turned = !matches!(part, Part::Slice { step: 1, .. });
    let is_word = taken.len() <= MAX_WORD && !taken.contains(' ');
    Value::Text(taken, hidden || is_turned || is_word)
}

fn steps(first: i64, step: i64) -> impl Iterator<Item = i64> {
    std::iter::successors(Some(first), move |place| place.checked_add(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str, start: Option<i64>, stop: Option<i64>, step: i64) -> String {
        take(text, false, Part::Slice { start, stop, step }).text().unwrap_or_default().to_owned()
    }

    #[test]
    fn characters_are_taken_as_python_takes_them() {
        assert_eq!(part("xosx", Some(1), Some(3), 1), "os");
        assert_eq!(part("xosx", Some(-3), Some(-1), 1), "os");
        assert_eq!(part("metsys", None, None, -1), "system");
        assert_eq!(part("soo", Some(1), None, -1), "os");
        assert_eq!(part("oxsx", None, Some(9), 2), "os");
        assert_eq!(take("os", false, Part::At(-1)).text(), Some("s"));
        assert_eq!(take("os", false, Part::At(-3)), Value::Unknown);
    }
}
