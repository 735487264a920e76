//! Labelled lines in a card: `- **Parameters:** 7B`, `| Model size | 7B |`, `Parameters: 7B`.

/// Labelled lines that are taken of one card.
const MAX_LABELS: usize = 10_000;
/// Longest label.
const MAX_LABEL: usize = 60;

/// A label and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// In small letters, without marks.
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) offset: usize,
}

/// The labelled lines of a text; none of those within fenced code.
pub(crate) fn labelled(text: &str) -> Vec<Label> {
    let (mut labels, mut at, mut in_code) = (Vec::new(), 0, false);
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if !in_code && labels.len() < MAX_LABELS {
            labels.extend(label(line).map(|(key, value)| Label { key, value, offset: at }));
        }
        at += line.len();
    }
    labels
}

fn label(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (key, value) = match line.strip_prefix('|') {
        Some(row) => {
            let mut cells = row.trim_end_matches('|').split('|');
            let pair = (cells.next()?, cells.next()?);
            // A row of more cells compares several things.
            cells.next().is_none().then_some(pair)?
        }
        None => line.trim_start_matches(['-', '*', '+', ' ']).split_once(':')?,
    };
    let plain = |text: &str| text.replace(['*', '_', '`'], "").trim().to_owned();
    let (key, value) = (plain(key).to_lowercase(), plain(value));
    (!key.is_empty() && key.len() <= MAX_LABEL && !value.is_empty()).then_some((key, value))
}

/// A number of parameters as people write it: `7B`, `1.24 billion`, `124M`, `6,738,415,616`.
pub(crate) fn count(text: &str) -> Option<f64> {
    let text = text.trim().trim_start_matches(['~', '≈', ' ']);
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || matches!(letter, '.' | ','))).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let number: f64 = digits.replace(',', "").parse().ok()?;
    let unit = rest.trim_start().to_lowercase();
    let unit = unit.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    let factor = match unit {
        "t" | "trillion" => 1e12,
        "b" | "billion" | "bn" => 1e9,
        "m" | "million" | "mio" => 1e6,
        "k" | "thousand" => 1e3,
        // A bare small number is no count of parameters.
        "" | "parameters" | "params" if number >= 1000.0 => 1.0,
        _ => return None,
    };
    Some(number * factor)
}

/// The number of parameters in a name: `Llama-3.2-1B`, `opt-125m`, `Mixtral-8x7B`.
pub(crate) fn count_in_name(name: &str) -> Option<f64> {
    let of_something_else = ["token", "word", "step", "example", "sample", "context", "row", "image"];
    let words: Vec<&str> = name.split(['-', '_', ' ', '/', '(', ')']).filter(|word| !word.is_empty()).collect();
    let following = words.iter().skip(1).map(|word| word.to_lowercase()).chain([String::new()]);
    let counts =
        words.iter().zip(following).filter(|(_, next)| !of_something_else.iter().any(|word| next.starts_with(word)));
    let parts = counts.filter_map(|(part, _)| {
        let (times, part) = match part.split_once(['x', 'X']) {
            Some((times, rest)) => (times.parse::<f64>().ok()?, rest),
            None => (1.0, *part),
        };
        let unit = part.chars().last().filter(|unit| matches!(unit, 'b' | 'B' | 'm' | 'M'))?;
        let digits = part.get(..part.len() - unit.len_utf8())?;
        let is_number = digits.starts_with(|first: char| first.is_ascii_digit());
        let number = is_number.then(|| digits.parse::<f64>().ok())??;
        Some(times * number * if unit.eq_ignore_ascii_case(&'b') { 1e9 } else { 1e6 })
    });
    parts.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_however_they_are_set() {
        let text = "- **Parameters:** 7B\n| Model size | 1.2 billion |\n| a | b | c |\n```\nx: y\n```\n*Developed by:* Ada\nTensor type: BF16\n";
        let labels: Vec<String> = labelled(text).iter().map(|label| format!("{}={}", label.key, label.value)).collect();
        assert_eq!(labels, ["parameters=7B", "model size=1.2 billion", "developed by=Ada", "tensor type=BF16"]);
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(count("~1.24 billion parameters"), Some(1.24e9));
        assert_eq!(count("6,738,415,616"), Some(6_738_415_616.0));
        assert_eq!((count("12"), count("fast"), count("3 layers")), (None, None, None));
        assert_eq!(count_in_name("org/Llama-3.2-1B-Instruct"), Some(1e9));
        assert_eq!((count_in_name("Tiny (100M tokens)"), count_in_name("Tiny-7B 2M steps")), (None, Some(7e9)));
        assert_eq!((count_in_name("opt-125m"), count_in_name("Mixtral-8x7B")), (Some(125e6), Some(56e9)));
        assert_eq!(
            (count_in_name("bert-base"), count_in_name("gpt-4b-x"), count_in_name("web")),
            (None, Some(4e9), None)
        );
    }
}
