//! Secrets on a command line: they are not written down.

/// What stands in their place.
pub(super) const MASK: &str = "[secret]";
/// Parts of a name that tell a secret.
const NAMES: [&str; 14] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "api-key",
    "api_key",
    "apikey",
    "access-key",
    "access_key",
    "private-key",
    "private_key",
    "credential",
    "authorization",
];
/// How keys of well-known services begin.
const KEYS: [&str; 12] =
    ["hf_", "sk-", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "AKIA", "ASIA", "eyJhbGciOi", "pypi-AgEI"];
/// The shortest key.
const SHORTEST_KEY: usize = 16;
/// Parts of names that are about tokens of a text, and are told.
const NOT_SECRET: [&str; 7] = ["tokenizers", "tokenizer", "tokenize", "tokens", "token-id", "token_id", "token_type"];
/// What stands before a secret in a header.
const SCHEME: &str = "bearer";

/// The words of a command, without what looks like a secret.
pub(super) fn masked(words: &[String]) -> Vec<String> {
    let mut next_is_secret = false;
    words.iter().map(|word| mask(word, &mut next_is_secret)).collect()
}

/// The value of a parameter, or what stands in its place.
pub(super) fn masked_value(name: &str, value: &str) -> String {
    if !value.is_empty() && tells_secret(name) { MASK.to_owned() } else { masked_text(value) }
}

fn mask(word: &str, next_is_secret: &mut bool) -> String {
    if std::mem::take(next_is_secret) && !is_option(word) {
        return MASK.to_owned();
    }
    // The value of an option goes to the end of the word, whatever is in it.
    if word.starts_with('-') && !word.contains(char::is_whitespace) || word.starts_with("--") {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if tells_secret(name) && !name.contains(char::is_whitespace) {
            if value.is_some_and(|value| !value.is_empty()) {
                return format!("{name}={MASK}");
            }
            *next_is_secret = value.is_none();
            return word.to_owned();
        }
    }
    masked_text(word)
}

/// Whether a word after a secret's name is the next option, and no value that begins with a dash.
fn is_option(word: &str) -> bool {
    word.starts_with("--") || (word.starts_with('-') && word.len() <= 2)
}

/// A text, which may be a script, a header or an address, without the secrets in it.
fn masked_text(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut next_is_secret = false;
    for line in text.split_inclusive(|letter: char| "\n\"'".contains(letter)) {
        if let Some(header) = header(line) {
            told.push_str(&header);
            continue;
        }
        let is_end = |letter: char| letter.is_whitespace() || "&?;\"'`()|<>,".contains(letter);
        for piece in line.split_inclusive(is_end) {
            let word = piece.trim_end_matches(is_end);
            told.push_str(&mask_piece(word, &mut next_is_secret));
            told.push_str(&piece[word.len()..]);
        }
    }
    told
}

/// A line that is a header with a secret: `X-Api-Key: …`.
fn header(line: &str) -> Option<String> {
    let (name, value) = line.split_once(": ")?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_secret =
        tells_secret(name) || name.eq_ignore_ascii_case("cookie") || name.to_ascii_lowercase().ends_with("-key");
    let rest = value.trim_end_matches(['\n', '"', '\'']);
    (is_name && is_secret && !rest.trim().is_empty()).then(|| format!("{name}: {MASK}{}", &value[rest.len()..]))
}

fn mask_piece(word: &str, next_is_secret: &mut bool) -> String {
    if word.is_empty() {
        return String::new();
    }
    if std::mem::take(next_is_secret) && !is_option(word) {
        return MASK.to_owned();
    }
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let is_name =
        name.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match value {
        Some(value) if !value.is_empty() && is_name && (tells_secret(name) || is_key_variable(name)) => {
            format!("{name}={MASK}")
        }
        Some(value) if is_key(value) => format!("{name}={MASK}"),
        None if is_key(word) => MASK.to_owned(),
        None => {
            *next_is_secret = word.eq_ignore_ascii_case(SCHEME) || (word.starts_with("--") && tells_secret(word));
            without_login(word)
        }
        Some(_) => without_login(word),
    }
}

/// Variables of the environment with keys: `MY_SERVICE_KEY`.
fn is_key_variable(name: &str) -> bool {
    name.ends_with("_KEY") && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn tells_secret(name: &str) -> bool {
    let mut name = name.to_ascii_lowercase();
    NOT_SECRET.iter().for_each(|part| name = name.replace(part, ""));
    NAMES.iter().any(|part| name.contains(part))
}

fn is_key(value: &str) -> bool {
    value.len() >= SHORTEST_KEY && KEYS.iter().any(|start| value.starts_with(start))
}

/// An address without the name and password before its host: `https://user:word@host`. A name alone is a token for the web,
/// and who one is elsewhere: `ssh://git@host`.
pub(super) fn without_login(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let is_web = scheme.ends_with("http") || scheme.ends_with("https");
    match rest[..end].rfind('@') {
        Some(at) if rest[..at].contains(':') || is_web => format!("{scheme}://{}", &rest[at + 1..]),
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
            ("--auth-token -abc --lr 1", "--auth-token [secret] --lr 1"),
            ("--password -v", "--password -v"),
            ("--tokenizer-auth-token=abc", "--tokenizer-auth-token=[secret]"),
            ("--max-tokens=5 --tokenizer=a/b --pad-token-id=0", "--max-tokens=5 --tokenizer=a/b --pad-token-id=0"),
            ("https://h/x?access_token=abc&y=1", "https://h/x?access_token=[secret]&y=1"),
            ("http://abc@host/x ssh://git@host/x", "http://host/x ssh://git@host/x"),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            assert_eq!(masked(&words).join(" "), expected);
        }
    }

    #[test]
    fn secrets_within_a_word_are_masked() {
        for (word, expected) in [
            ("Authorization: Bearer abc", "Authorization: [secret]"),
            ("X-Api-Key: abc", "X-Api-Key: [secret]"),
            ("Content-Type: text/plain", "Content-Type: text/plain"),
            ("MY_KEY=abc HF_TOKEN=b python t.py --lr=1", "MY_KEY=[secret] HF_TOKEN=[secret] python t.py --lr=1"),
            ("curl -H 'Authorization: Bearer abc' u; x", "curl -H 'Authorization: [secret]' u; x"),
            ("python t.py --token abc && echo done", "python t.py --token [secret] && echo done"),
            ("curl https://me:word@host/a?token=b; ls", "curl https://host/a?token=[secret]; ls"),
            ("lambda key: data[key=1]", "lambda key: data[key=1]"),
        ] {
            assert_eq!(masked(&[word.to_owned()]), [expected]);
        }
    }

    #[test]
    fn values_of_parameters_are_masked_by_name_and_form() {
        let masked = ["hub_token", "lr", "endpoint", "tokenizer"].map(|name| masked_value(name, "http://a@h/x"));
        assert_eq!(masked, ["[secret]", "http://h/x", "http://h/x", "http://h/x"]);
    }
}
