//! Credentials in text: told by their prefixes in one pass, and believed only when they look drawn at random.

use std::ops::Range;

/// Bytes of a text that no pattern looks beyond.
pub(crate) const REACH: usize = 512;
/// Characters that are shown of a secret.
const SHOWN: usize = 11;

/// What the characters of a token are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Alphabet {
    Letters,
    Upper,
    Alphanumeric,
    Url,
    Base64,
    Hex,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Letters => byte.is_ascii_alphabetic(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::Hex => byte.is_ascii_hexdigit(),
        }
    }
}

/// A kind of token: what it starts with, its alphabet, and the fewest and most characters after the start.
struct Pattern(&'static str, Alphabet, usize, usize, &'static str);

const PATTERNS: &[Pattern] = &[
    Pattern("AKIA", Alphabet::Upper, 16, 16, "an AWS access key"),
    Pattern("ASIA", Alphabet::Upper, 16, 16, "an AWS access key"),
    Pattern("ghp_", Alphabet::Alphanumeric, 36, 36, "a GitHub token"),
    Pattern("gho_", Alphabet::Alphanumeric, 36, 36, "a GitHub token"),
    Pattern("ghu_", Alphabet::Alphanumeric, 36, 36, "a GitHub token"),
    Pattern("ghs_", Alphabet::Alphanumeric, 36, 36, "a GitHub token"),
    Pattern("ghr_", Alphabet::Alphanumeric, 36, 76, "a GitHub token"),
    Pattern("github_pat_", Alphabet::Url, 80, 84, "a GitHub token"),
    Pattern("hf_", Alphabet::Letters, 34, 34, "a Hugging Face token"),
    Pattern("sk-ant-", Alphabet::Url, 80, 140, "an Anthropic key"),
    Pattern("sk-proj-", Alphabet::Url, 40, 200, "an OpenAI key"),
    Pattern("sk-svcacct-", Alphabet::Url, 40, 200, "an OpenAI key"),
    Pattern("sk-or-v1-", Alphabet::Hex, 64, 64, "an OpenRouter key"),
    Pattern("sk-", Alphabet::Alphanumeric, 48, 48, "an OpenAI key"),
    Pattern("AIza", Alphabet::Url, 35, 35, "a Google key"),
    Pattern("xoxb-", Alphabet::Url, 30, 120, "a Slack token"),
    Pattern("xoxp-", Alphabet::Url, 30, 120, "a Slack token"),
    Pattern("xoxa-", Alphabet::Url, 30, 120, "a Slack token"),
    Pattern("xapp-", Alphabet::Url, 60, 160, "a Slack token"),
    Pattern("sk_live_", Alphabet::Alphanumeric, 24, 120, "a Stripe key"),
    Pattern("rk_live_", Alphabet::Alphanumeric, 24, 120, "a Stripe key"),
    Pattern("npm_", Alphabet::Alphanumeric, 36, 36, "an npm token"),
    Pattern("pypi-AgEI", Alphabet::Url, 50, 300, "a PyPI token"),
    Pattern("glpat-", Alphabet::Url, 20, 20, "a GitLab token"),
    Pattern("dckr_pat_", Alphabet::Url, 27, 27, "a Docker token"),
    Pattern("gsk_", Alphabet::Alphanumeric, 52, 52, "a Groq key"),
    Pattern("r8_", Alphabet::Alphanumeric, 37, 37, "a Replicate token"),
    Pattern("nvapi-", Alphabet::Url, 60, 70, "an NVIDIA key"),
    Pattern("AccountKey=", Alphabet::Base64, 88, 88, "an Azure storage key"),
];

const SCHEMES: &[&str] =
    &["postgres://", "postgresql://", "mysql://", "mongodb://", "mongodb+srv://", "redis://", "amqp://"];
const PEM: &str = "-----BEGIN ";
const JWT: &str = "eyJ";

/// The kinds of credentials in a text and where they begin, `most` of them: what they are, and not what they say.
#[must_use]
pub fn kinds(text: &str, most: usize) -> Vec<(&'static str, usize)> {
    find(text.as_bytes(), text.len()).into_iter().take(most).map(|secret| (secret.kind, secret.at)).collect()
}

/// A credential that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Secret {
    /// What it is, with its article: "a GitHub token".
    pub kind: &'static str,
    /// Its first characters.
    pub shown: String,
    /// Where it starts.
    pub at: usize,
}

/// What of a line is not to be shown: what follows the first characters of each credential that starts within its first
/// `most` bytes, up to a quote or the line's end, and what has the form of an AWS secret, whose key may stand elsewhere.
#[must_use]
pub fn hidden(line: &str, most: usize) -> Vec<Range<usize>> {
    let ends = |at: usize| {
        line.get(at..)
            .and_then(|rest| rest.find(['"', '\'', '`', '\n']))
            .map_or(line.len(), |length| at.saturating_add(length))
    };
    let found = find(line.as_bytes(), most).into_iter();
    let mut hidden: Vec<Range<usize>> = found
        .map(|secret| secret.at.saturating_add(secret.shown.len()))
        .map(|start| start..ends(start))
        .chain(aws_secrets(line.as_bytes(), most))
        .collect();
    hidden.sort_by_key(|range| range.start);
    hidden
}

/// Words of 40 characters with letters of both sizes and a digit, drawn at random.
fn aws_secrets(line: &[u8], most: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0_usize;
    let words = line.split(|byte| !Alphabet::Base64.has(*byte) || *byte == b'=').map(move |word| {
        let at = start;
        start = start.saturating_add(word.len()).saturating_add(1);
        (at, word)
    });
    let is_one = |word: &[u8]| {
        let has = |is_it: fn(&u8) -> bool| word.iter().any(is_it);
        word.len() == 40
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_digit)
            && is_random(word)
    };
    words
        .take_while(move |(at, _)| *at < most)
        .filter(move |(_, word)| is_one(word))
        .map(|(at, word)| at.saturating_add(4)..at.saturating_add(word.len()))
}

/// Credentials that start within the first `most` bytes of a text.
#[must_use]
pub fn find(bytes: &[u8], most: usize) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut before = b' ';
    for (at, byte) in bytes.iter().enumerate().take(most) {
        let starts =
            matches!(byte, b'A' | b'g' | b'h' | b's' | b'x' | b'r' | b'n' | b'p' | b'd' | b'-' | b'm' | b'a' | b'e');
        if starts && !before.is_ascii_alphanumeric() && before != b'_' {
            let rest = bytes.get(at..).unwrap_or_default();
            let context =
                || bytes.get(at.saturating_sub(300)..at.saturating_add(300).min(bytes.len())).unwrap_or_default();
            if let Some((kind, length)) = secret(rest, context) {
                let shown = rest.get(..length.min(SHOWN)).unwrap_or_default();
                found.push(Secret { kind, shown: String::from_utf8_lossy(shown).into_owned(), at });
            }
        }
        before = *byte;
    }
    found
}

/// The credential at the start of these bytes, and how many of its characters may be shown.
fn secret<'a>(rest: &[u8], context: impl Fn() -> &'a [u8]) -> Option<(&'static str, usize)> {
    for Pattern(prefix, alphabet, least, most, kind) in PATTERNS {
        let Some(body) = rest.strip_prefix(prefix.as_bytes()) else { continue };
        let length = body.iter().take_while(|byte| alphabet.has(**byte)).count();
        let ends = !body.get(length).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let token = body.get(..length).unwrap_or_default();
        if (*least..=*most).contains(&length) && ends && is_random(token) && fits(prefix, token, context()) {
            return Some((kind, prefix.len().saturating_add(4)));
        }
    }
    if rest.starts_with(PEM.as_bytes()) {
        return private_key(rest).then_some(("a private key", SHOWN));
    }
    if rest.starts_with(JWT.as_bytes()) {
        return web_token(rest).then_some(("a JSON web token", SHOWN));
    }
    let scheme = SCHEMES.iter().find(|scheme| rest.starts_with(scheme.as_bytes()))?;
    let rest = rest.get(scheme.len()..)?;
    has_password(rest).then_some(("a password of a database", scheme.len()))
}

/// What more is asked of some tokens.
fn fits(prefix: &str, token: &[u8], context: &[u8]) -> bool {
    match prefix {
        // The name of an AWS key is no secret; the secret that belongs to it is some 40 characters nearby.
        "AKIA" | "ASIA" => context
            .split(|byte| !Alphabet::Base64.has(*byte) || *byte == b'=')
            .any(|word| word.len() == 40 && is_random(word) && word.iter().any(u8::is_ascii_lowercase)),
        // Every old key of OpenAI has these letters in its middle.
        "sk-" => token.windows(8).any(|part| part == b"T3BlbkFJ"),
        _ => true,
    }
}

/// Whether characters look drawn at random, not written by somebody to stand for a token.
fn is_random(token: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in token {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let lower = String::from_utf8_lossy(token).to_ascii_lowercase();
    let words = [
        "example",
        "xxxx",
        "your",
        "placeholder",
        "dummy",
        "redacted",
        "insert",
        "changeme",
        "abcdef",
        "123456",
        "0000",
        "secret",
        "token",
    ];
    let runs = token.windows(4).any(|part| part.first().is_some_and(|first| part.iter().all(|byte| byte == first)));
    distinct >= token.len().div_ceil(3).clamp(7, 14) && !runs && !words.iter().any(|word| lower.contains(word))
}

/// `-----BEGIN … PRIVATE KEY-----`, and behind it a key: in lines, or in one line with escaped line ends.
fn private_key(rest: &[u8]) -> bool {
    let head = rest.get(..80).unwrap_or(rest);
    let marker = b"PRIVATE KEY-----";
    let Some(at) = head.windows(marker.len()).position(|part| part == marker) else { return false };
    let body = rest.get(at.saturating_add(marker.len())..).unwrap_or_default();
    let body: Vec<u8> =
        body.iter().copied().take(400).skip_while(|byte| matches!(byte, b'\\' | b'n' | b'r' | b'\n' | b' ')).collect();
    let line = body.split(|byte| !Alphabet::Base64.has(*byte)).next().unwrap_or_default();
    line.len() >= 32 && is_random(line.get(..line.len().min(60)).unwrap_or_default())
}

/// Three parts of base64, the first of which is an object that names an algorithm.
fn web_token(rest: &[u8]) -> bool {
    let token: Vec<u8> = rest
        .iter()
        .copied()
        .take(REACH.saturating_mul(4))
        .take_while(|byte| Alphabet::Url.has(*byte) || *byte == b'.')
        .collect();
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    let [header, payload, signature] = parts.as_slice() else { return false };
    // `{"alg":` and `{"typ":` in base64.
    let named = header.starts_with(b"eyJhbGciOi") || header.starts_with(b"eyJ0eXAiOi");
    named && payload.starts_with(b"eyJ") && payload.len() >= 60 && signature.len() >= 40 && is_random(signature)
}

/// `user:password@host`, where the password is one and the host is not this machine.
fn has_password(rest: &[u8]) -> bool {
    let end = rest
        .iter()
        .take(300)
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'/'));
    let address = String::from_utf8_lossy(rest.get(..end.unwrap_or_else(|| rest.len().min(300))).unwrap_or_default())
        .into_owned();
    let Some((user, host)) = address.rsplit_once('@') else { return false };
    let Some((_, password)) = user.split_once(':') else { return false };
    let usual = [
        "pass", "user", "secret", "postgres", "root", "admin", "example", "test", "mysql", "redis", "mongo", "guest",
        "xxx", "***", "pwd", "your",
    ];
    let lower = password.to_ascii_lowercase();
    let written = lower.contains(['{', '$', '[', '%', '(']) || usual.iter().any(|word| lower.contains(word));
    let here = ["localhost", "127.0.0.1", "db", "host", "example", "postgres", "redis", "mysql", "mongo"];
    let host = host.to_ascii_lowercase();
    password.len() >= 8
        && !written
        && host.contains('.')
        && !here.iter().any(|name| host.starts_with(name) || host.contains("example"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        find(text.as_bytes(), text.len()).into_iter().map(|secret| secret.kind).collect()
    }

    /// Put together here, so that nothing in this file is mistaken for a credential.
    fn made(prefix: &str, length: usize) -> String {
        let letters: Vec<char> = "qWzRtYpLkJhGfDsAvCxMnBoIuEQwZrTyPlKj".chars().collect();
        let body: String = (0..length).map(|at| letters[at * 5 % letters.len()]).collect();
        format!("{prefix}{body}")
    }

    #[test]
    fn credentials_are_told() {
        assert_eq!(kinds(&format!("token = \"{}\"", made("hf_", 34))), ["a Hugging Face token"]);
        assert_eq!(kinds(&made("ghp_", 36)), ["a GitHub token"]);
        assert_eq!(kinds(&format!("AKIA{} {}", "QWERTYUIOPASDFGH", made("", 40))), ["an AWS access key"]);
        let lines = format!("AWS_ACCESS_KEY_ID=AKIA{}\nAWS_SECRET_ACCESS_KEY={}\n", "QWERTYUIOPASDFGH", made("", 40));
        assert_eq!(kinds(&lines), ["an AWS access key"]);
        let pem = format!("{PEM}RSA PRIVATE KEY-----\n{}\n", made("MII", 61));
        assert_eq!(kinds(&pem), ["a private key"]);
        assert_eq!(kinds("postgres://bob:hK3v9-qPz@sql.corp.io/x"), ["a password of a database"]);
    }

    #[test]
    fn what_is_not_shown_goes_up_to_a_quote() {
        let without = |line: &str| {
            let mut line = line.to_owned();
            hidden(&line, line.len()).into_iter().rev().for_each(|range| line.replace_range(range, "…"));
            line
        };
        assert_eq!(without(&format!("a = '{}'  # b", made("hf_", 34))), "a = 'hf_qYhA…'  # b");
        let login = "connect('postgres://bob:hK3v9-qPz@sql.corp.io/x', 1)";
        assert_eq!(without(login), "connect('postgres://…', 1)");
        let pem = format!("k = '{PEM}RSA PRIVATE KEY-----\\n{}'", made("MII", 61));
        assert_eq!(without(&pem), "k = '-----BEGIN …'");
        let secret = format!("{}7", made("", 39));
        assert_eq!(without(&format!("f('{secret}')")), format!("f('{}…')", &secret[..4]));
        let commit = "revision='0a1b2c3d4e5f60718293a4b5c6d7e8f901234567'";
        assert_eq!(without(commit), commit);
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        for text in [
            "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "hf_transfer hf_hub_download_with_some_long_name",
            "ghp_your_token_here",
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
            "-----BEGIN PRIVATE KEY-----\n...",
            "postgres://user:password@localhost/db",
            "sk-learn task-specific disk-based",
        ] {
            assert_eq!(kinds(text), Vec::<&str>::new(), "{text}");
        }
    }
}
