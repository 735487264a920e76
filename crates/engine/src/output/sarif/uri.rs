//! File names as URI references.

/// A path as a URI reference: relative paths stay relative, so that a report means the same on another machine.
pub(super) fn from_path(path: &str) -> String {
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let relative = path.trim_start_matches("./").trim_start_matches('/');
    match path.strip_prefix('/') {
        Some(rest) => format!("file:///{}", encode(rest.trim_start_matches('/'))),
        None if is_drive(&path) => format!("file:///{}:{}", &path[..1], encode(&path[2..])),
        None if relative.is_empty() => ".".to_owned(),
        None => encode(relative),
    }
}

fn is_drive(path: &str) -> bool {
    cfg!(windows) && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && path[1..].starts_with(":/")
}

/// Percent-encodes all but unreserved characters and the separator. A colon in a relative reference would be read as
/// the end of a scheme.
fn encode(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        for (path, expected) in [
            ("models/a b.pt", "models/a%20b.pt"),
            ("./model.pt", "model.pt"),
            ("/data/ü.pt", "file:///data/%C3%BC.pt"),
            ("javascript:alert(1)", "javascript%3Aalert%281%29"),
            ("//host/share", "file:///host/share"),
            ("50%?#.pt", "50%25%3F%23.pt"),
            (".", "."),
            ("./", "."),
            ("../up.pt", "../up.pt"),
        ] {
            assert_eq!(from_path(path), expected);
        }
    }
}
