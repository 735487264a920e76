//! Codes of languages: ISO 639, with what the Hub allows besides.

/// ISO 639-1.
const TWO_LETTERS: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv \
    dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu \
    ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne \
    ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su \
    sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// What is no code and is written all the same: names, and codes of countries.
const MEANT: &[(&str, &str)] = &[
    ("english", "en"),
    ("german", "de"),
    ("french", "fr"),
    ("spanish", "es"),
    ("chinese", "zh"),
    ("japanese", "ja"),
    ("korean", "ko"),
    ("russian", "ru"),
    ("arabic", "ar"),
    ("hindi", "hi"),
    ("portuguese", "pt"),
    ("italian", "it"),
    ("dutch", "nl"),
    ("jp", "ja"),
    ("cn", "zh"),
    ("gr", "el"),
    ("cz", "cs"),
    ("dk", "da"),
    ("us", "en"),
    ("gb", "en"),
    ("vn", "vi"),
    ("ua", "uk"),
    ("in", "hi"),
    ("br", "pt or br"),
];

/// What is wrong with a code, as the end of a sentence; none where it can be one.
pub(super) fn fault(code: &str) -> Option<String> {
    let lower = code.to_ascii_lowercase();
    if matches!(lower.as_str(), "code" | "multilingual") {
        return None;
    }
    // A region or script may follow: `zh-CN`, `sr-Latn`, `zh_TW`.
    let mut parts = code.split(['-', '_']);
    let first = parts.next().unwrap_or_default();
    let is_word = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_small = first.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_code = match first.len() {
        2 => TWO_LETTERS.split_whitespace().any(|known| known == first),
        3 => is_small,
        _ => false,
    };
    if is_code && parts.all(is_word) {
        return None;
    }
    let meant = MEANT.iter().find(|(said, _)| *said == lower).map(|(_, code)| *code);
    Some(meant.map(|code| format!(": {code} here, it seems")).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_from_names_and_countries() {
        for code in ["en", "sw", "zh-CN", "sr-Latn", "yue", "multilingual", "code", "zh_TW"] {
            assert_eq!(fault(code), None, "{code}");
        }
        assert_eq!(fault("english").as_deref(), Some(": en here, it seems"));
        for code in ["jp", "EN", "xx", "e", "English language", "zh-", ""] {
            assert!(fault(code).is_some(), "{code}");
        }
    }
}
