//! Addresses where a model needs none: what phones home, takes what is sent to it, or runs in a viewer.

/// Hosts that take or give anything without asking who it is.
const HOSTS: &[&str] = &[
    "webhook.site",
    "requestbin",
    "pipedream.net",
    "ngrok.io",
    "ngrok-free.app",
    "ngrok.app",
    "trycloudflare.com",
    "transfer.sh",
    "pastebin.com/raw",
    "paste.ee/r",
    "hastebin.com/raw",
    "discord.com/api/webhooks",
    "discordapp.com/api/webhooks",
    "api.telegram.org/bot",
    "interact.sh",
    "oast.pro",
    "oast.live",
    "oast.fun",
    "oast.me",
    "oast.site",
    "oast.online",
    "burpcollaborator.net",
    "oastify.com",
    "dnslog.cn",
    "ceye.io",
    "serveo.net",
    "localhost.run",
    "loca.lt",
    "beeceptor.com",
    "canarytokens.",
    "anonfiles.com",
    "file.io/",
    "termbin.com",
    ".onion",
    "hooks.slack.com/services",
];
/// Addresses that are programs.
const PROGRAMS: &[&str] = &["javascript:", "data:text/html", "vbscript:"];
/// Bytes of one text that are looked at.
const MAX_TEXT: usize = 64 * 1024;
/// Characters of an address that are shown.
const MAX_SHOWN: usize = 120;

/// The first address in a text that a model has no use for.
pub(crate) fn find(text: &str) -> Option<String> {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let text = text.get(..end)?;
    let is_end =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | ',' | '{' | '}' | '|');
    let odd = text.split(is_end).find(|word| is_odd(word))?;
    Some(odd.chars().take(MAX_SHOWN).collect())
}

fn is_odd(word: &str) -> bool {
    if word.len() < 7 || !word.contains(['.', ':']) {
        return false;
    }
    let lower = word.to_ascii_lowercase();
    if PROGRAMS.iter().any(|start| lower.starts_with(start) && lower.len() > start.len()) {
        return true;
    }
    let linked = lower.split_once("://").map(|(_, rest)| rest);
    let rest = linked.unwrap_or(&lower);
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..host_end).unwrap_or_default();
    let named = |known: &&&str| match known.split_once('/') {
        Some(_) => rest.contains(**known),
        None => host.contains(**known) && host.contains('.'),
    };
    let is_service = HOSTS.iter().any(|known| named(&known)) && (linked.is_some() || host.ends_with(".onion"));
    is_service || is_public_socket(host.rsplit('@').next().unwrap_or_default(), linked.is_some())
}

/// `203.0.113.7:4444`, or an address in numbers behind a scheme; not those of a private network or of this machine.
fn is_public_socket(host: &str, linked: bool) -> bool {
    let (numbers, port) = host.split_once(':').map_or((host, None), |(numbers, port)| (numbers, Some(port)));
    let parts: Option<Vec<u8>> = numbers.split('.').map(|part| part.parse().ok()).collect();
    let Some([first, second, ..]) = parts.as_deref().filter(|parts| parts.len() == 4) else { return false };
    let private = match (first, second) {
        (0 | 10 | 127 | 255, _) | (192, 168) | (169, 254) => true,
        (172, second) => (16..32).contains(second),
        (first, _) => *first >= 224,
    };
    let has_port = port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    !private && (has_port || linked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_addresses_are_told() {
        for text in [
            "203.0.113.7:4444",
            "send to http://198.51.100.3/x please",
            "https://abc123.ngrok.io/a",
            "https://discord.com/api/webhooks/1/a",
            "http://expyuzz4wqqyqhjn.onion/",
            "javascript:alert(1)",
            "https://webhook.site/abc",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are_not() {
        for text in [
            "https://huggingface.co/a/b",
            "https://github.com/a/b",
            "https://arxiv.org/abs/1706.03762",
            "http://127.0.0.1:8000",
            "http://192.168.0.1:80",
            "1.2.3.4",
            "version 10.0.0.1",
            "http://www.w3.org/2000/svg",
            "javascript: the good parts",
            "a:b",
            "ratio 1.2:3.4",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
