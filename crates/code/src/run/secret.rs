//! Secrets on a command line: they are not written down.

/// What stands in their place.
pub(super) const MASK: &str = "[secret]";
/// Parts of an option's name that tell a secret.
const OPTIONS: [&str; 9] =
    ["token", "password", "passwd", "secret", "api-key", "api_key", "apikey", "access-key", "credential"];
/// How keys of well-known services begin.
const KEYS: [&str; 12] =
    ["hf_", "sk-", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "AKIA", "ASIA", "eyJhbGciOi", "pypi-AgEI"];
/// The shortest key.
const SHORTEST_KEY: usize = 16;
/// Options that count tokens of a text, and are told.
const NOT_SECRET: [&str; 6] = ["tokens", "tokenizer", "tokenize", "token-id", "token_id", "token_type"];

/// The words of a command, without what looks like a secret.
pub(super) fn masked(words: &[String]) -> Vec<String> {
    let mut next_is_secret = false;
    words.iter().map(|word| mask(word, &mut next_is_secret)).collect()
}

fn mask(word: &str, next_is_secret: &mut bool) -> String {
    if std::mem::take(next_is_secret) && !word.starts_with('-') {
        return MASK.to_owned();
    }
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let is_name =
        name.starts_with('-') || (value.is_some() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    if is_name && tells_secret(name) {
        if value.is_some_and(|value| !value.is_empty()) {
            return format!("{name}={MASK}");
        }
        *next_is_secret = value.is_none();
        return word.to_owned();
    }
    match value {
        Some(value) if is_key(value) => format!("{name}={MASK}"),
        None if is_key(word) => MASK.to_owned(),
        _ => without_login(word),
    }
}

fn tells_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    OPTIONS.iter().any(|part| name.contains(part)) && !NOT_SECRET.iter().any(|part| name.contains(part))
}

fn is_key(value: &str) -> bool {
    value.len() >= SHORTEST_KEY && KEYS.iter().any(|start| value.starts_with(start))
}

/// An address without the name and password before its host: `https://user:word@host`.
pub(super) fn without_login(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) if rest[..at].contains(':') || scheme.ends_with("https") => format!("{scheme}://{}", &rest[at + 1..]),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        for (words, expected) in [
            ("train.py --token abc --lr 1", "train.py --token [secret] --lr 1"),
            ("--hf-token=abc x", "--hf-token=[secret] x"),
            ("--max-tokens 5 --tokenizer t", "--max-tokens 5 --tokenizer t"),
            ("hf_abcdefghijklmnopqrst", "[secret]"),
            ("WANDB_API_KEY=1 sk-short", "WANDB_API_KEY=[secret] sk-short"),
            ("--key=AKIAABCDEFGHIJKLMNOP", "--key=[secret]"),
            ("https://me:word@host/a", "https://host/a"),
            ("s3://bucket/a@b", "s3://bucket/a@b"),
            ("--password --other", "--password --other"),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            assert_eq!(masked(&words).join(" "), expected);
        }
    }
}
