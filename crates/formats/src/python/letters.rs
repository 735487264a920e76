//! Letters that Python reads as plain ones: it normalises names (NFKC), so that `𝐞𝐱𝐞𝐜` is `exec`.

/// Letters of mathematical alphabets that stand outside their blocks.
const STRAY: &[(char, char)] = &[
    ('ℎ', 'h'),
    ('ℬ', 'B'),
    ('ℰ', 'E'),
    ('ℱ', 'F'),
    ('ℋ', 'H'),
    ('ℐ', 'I'),
    ('ℒ', 'L'),
    ('ℳ', 'M'),
    ('ℛ', 'R'),
    ('ℯ', 'e'),
    ('ℊ', 'g'),
    ('ℴ', 'o'),
    ('ℭ', 'C'),
    ('ℌ', 'H'),
    ('ℑ', 'I'),
    ('ℜ', 'R'),
    ('ℨ', 'Z'),
    ('ℂ', 'C'),
    ('ℍ', 'H'),
    ('ℕ', 'N'),
    ('ℙ', 'P'),
    ('ℚ', 'Q'),
    ('ℝ', 'R'),
    ('ℤ', 'Z'),
    ('ª', 'a'),
    ('º', 'o'),
    ('ⁱ', 'i'),
    ('ⁿ', 'n'),
    ('ₐ', 'a'),
    ('ₑ', 'e'),
    ('ₒ', 'o'),
    ('ₓ', 'x'),
    ('ₛ', 's'),
    ('ₜ', 't'),
    ('ₘ', 'm'),
    ('ſ', 's'),
];
const LETTERS: u32 = 52;

/// The plain letter, digit or underscore that a character is normalised to, when it is not one itself.
pub(super) fn plain(character: char) -> Option<char> {
    let code = u32::from(character);
    match code {
        // Micro, superscripts and subscripts aside, nothing below these is meant.
        ..0xAA => None,
        0xFF10..=0xFF5A => {
            char::from_u32(code.saturating_sub(0xFEE0)).filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        }
        0x1_D400..=0x1_D6A3 => {
            let place = code.saturating_sub(0x1_D400).checked_rem(LETTERS)?;
            let base = if place < 26 { 0x41 } else { 0x61 - 26 };
            char::from_u32(place.saturating_add(base))
        }
        0x1_D7CE..=0x1_D7FF => char::from_u32(code.saturating_sub(0x1_D7CE).checked_rem(10)?.saturating_add(0x30)),
        _ => STRAY.iter().find(|(stray, _)| *stray == character).map(|(_, letter)| *letter),
    }
}
