//! Everything that came out of an artifact goes through here before a person sees it.
//!
//! Control characters move cursors and recolour terminals, direction marks reorder what is read, zero-width
//! characters hide differences. All of them are shown as escapes.

/// A text that is safe to print on one line: what could deceive is escaped as in Rust and Python (`\n`, `\u{202e}`).
#[must_use]
pub fn sanitize(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if deceives(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Whether a text holds a character that [`sanitize`] escapes.
#[must_use]
pub fn is_deceptive(text: &str) -> bool {
    text.chars().any(deceives)
}

fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_escaped() {
        for (text, expected) in [
            ("plain.pt", "plain.pt"),
            ("Модель-模型.pt", "Модель-模型.pt"),
            ("a\nb", "a\\nb"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("model\u{202e}tp.exe", "model\\u{202e}tp.exe"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(sanitize(text), expected);
        }
        assert!(is_deceptive("\u{9b}31m"));
    }
}
