//! Addresses that packages come from, without the names and passwords in them.
//! <https://packaging.python.org/en/latest/specifications/version-specifiers/#direct-references>

use std::net::IpAddr;

use waag_evidence::DependencySource;

/// Systems that keep versions, as pip names them before a `+`.
const SYSTEMS: [&str; 4] = ["git+", "hg+", "svn+", "bzr+"];
/// Endings of archives that pip installs.
const ARCHIVES: [&str; 6] = [".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz"];

/// An address, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Where it leads.
    pub(super) source: DependencySource,
    /// Digests in its fragment, as `algorithm:hexadecimal`.
    pub(super) digests: Vec<String>,
    /// The package that its fragment (`#egg=`) or its file's name says.
    pub(super) name: Option<String>,
    /// The version that its file's name says.
    pub(super) version: Option<String>,
}

/// What an address leads to.
pub(super) fn address(url: &str) -> Address {
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let mut found = Address { source: source(rest), digests: Vec::new(), name: None, version: None };
    if let Some((name, version)) = archive_name(rest) {
        (found.name, found.version) = (Some(name), version);
    }
    for part in fragment.split('&') {
        match part.split_once('=') {
            Some(("egg", egg)) if !egg.is_empty() => found.name = Some(without_extras(egg)),
            Some((algorithm, hex)) if is_digest(algorithm, hex) => {
                found.digests.push(format!("{algorithm}:{}", hex.to_ascii_lowercase()));
            }
            _ => {}
        }
    }
    found
}

/// Whether a text can be a digest: to an installer an empty one is none, and nothing is compared.
pub(super) fn is_digest(algorithm: &str, hex: &str) -> bool {
    let known = [("md5", 32), ("sha1", 40), ("sha256", 64), ("sha384", 96), ("sha512", 128)];
    known.contains(&(algorithm, hex.len())) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn without_extras(egg: &str) -> String {
    egg.split('[').next().unwrap_or(egg).to_owned()
}

fn source(url: &str) -> DependencySource {
    if let Some(rest) = SYSTEMS.iter().find_map(|system| url.strip_prefix(system)) {
        return repository(rest, None);
    }
    if let Some(path) = url.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return DependencySource::Path { path: path.to_owned(), editable: false };
    }
    DependencySource::Archive { url: without_login(url).0 }
}

/// A repository at an address that may end in `@revision`; a revision told beside it counts more.
pub(super) fn repository(url: &str, told: Option<&str>) -> DependencySource {
    let (address, written) = revision_of(url);
    let revision = told.or(written).filter(|revision| !revision.is_empty()).map(str::to_owned);
    let commit = revision.clone().filter(|revision| is_commit(revision)).map(|commit| commit.to_ascii_lowercase());
    DependencySource::Repository { url: without_login(address).0, revision, commit }
}

/// Whether a revision is a commit, in full.
pub(super) fn is_commit(revision: &str) -> bool {
    matches!(revision.len(), 40 | 64) && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The address, and the revision after the last `@` of its path; the one before the host is a name to log in with.
fn revision_of(url: &str) -> (&str, Option<&str>) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let path = url.get(start..).and_then(|rest| rest.find(['/', ':']));
    let Some(path) = path.map(|at| start + at) else { return (url, None) };
    match url.get(path..).and_then(|rest| rest.rfind('@')) {
        // `https://name:word@host/…`: what was taken for a path is a password.
        Some(at) if url.get(path..path + at).is_some_and(|before| before.contains('/')) => {
            (&url[..path + at], Some(&url[path + at + 1..]))
        }
        _ => (url, None),
    }
}

/// An address without the name and password before its host, and whether there were any that are no mere variables. A name
/// alone before an address of ssh is no secret.
pub(super) fn without_login(url: &str) -> (String, bool) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), false) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some(at) = rest[..end].rfind('@') else { return (url.to_owned(), false) };
    let login = &rest[..at];
    if scheme.ends_with("ssh") && !login.contains(':') {
        return (url.to_owned(), false);
    }
    (format!("{scheme}://{}", &rest[at + 1..]), holds_secret(login))
}

/// Whether what stands before a host is a secret itself, and not the name of a variable that holds one.
fn holds_secret(login: &str) -> bool {
    let word = login.split_once(':').map_or(login, |(_, word)| word);
    let is_variable = word.starts_with('$') || (word.starts_with("{{") && word.ends_with("}}"));
    let is_placeholder = word.starts_with('<') || word.bytes().all(|byte| byte == b'*');
    !word.is_empty() && !is_variable && !is_placeholder
}

/// A line without names and passwords in its addresses.
pub(super) fn masked(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(colon) = rest.find("://") {
        let host = colon + 3;
        let end = rest[host..].find(['/', '?', '#', ' ', '\t', '"', '\'', ',']).map_or(rest.len(), |at| host + at);
        shown.push_str(&rest[..host]);
        match rest[host..end].rfind('@') {
            Some(at) if is_shown_masked(&rest[..colon], &rest[host..host + at]) => {
                shown.push_str("[secret]@");
                shown.push_str(&rest[host + at + 1..end]);
            }
            _ => shown.push_str(&rest[host..end]),
        }
        rest = &rest[end..];
    }
    shown + rest
}

/// A name alone before an address of ssh is no secret.
fn is_shown_masked(before: &str, login: &str) -> bool {
    holds_secret(login) && (!before.ends_with("ssh") || login.contains(':'))
}

/// The channel of an archive of conda's: its address without the file and the platform.
pub(super) fn channel_of(url: &str) -> Option<String> {
    url.rsplitn(3, '/').nth(2).map(|channel| without_login(channel).0)
}

/// The host of an address, in small letters.
pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = if host.starts_with('[') {
        host.split(']').next().unwrap_or(host)
    } else {
        host.split(':').next().unwrap_or(host)
    };
    host.trim_start_matches('[').to_ascii_lowercase()
}

/// Whether an address is reached without encryption, and not on this machine.
pub(super) fn is_unencrypted(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
    let last = scheme.rsplit('+').next().unwrap_or_default();
    matches!(last, "http" | "git" | "ftp") && !is_loopback(&host(url))
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether a requirement is written as a path or the name of an archive.
pub(super) fn is_path(entry: &str) -> bool {
    let is_archive = ARCHIVES.iter().any(|ending| entry.to_ascii_lowercase().ends_with(ending));
    entry.starts_with(['.', '/', '~'])
        || is_archive
        || (entry.contains(['/', '\\']) && !entry.contains(['=', ';', '@', '<', '>']))
}

/// The package and version in the name of a wheel or source archive.
fn archive_name(url: &str) -> Option<(String, Option<String>)> {
    let file = url.split('?').next()?.rsplit(['/', '\\']).next()?.replace("%2B", "+").replace("%2b", "+");
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        return Some((parts.next()?.to_owned(), parts.next().map(str::to_owned)));
    }
    let stem = [".tar.gz", ".tar.bz2", ".tar.xz", ".tgz"].iter().find_map(|ending| file.strip_suffix(ending))?;
    let (name, version) = stem.rsplit_once('-')?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| (name.to_owned(), Some(version.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_have_a_revision_or_none() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (url, address, revision, is_commit) in [
            ("git+https://github.com/a/b", "https://github.com/a/b", None, false),
            ("git+https://github.com/a/b.git@main#egg=b", "https://github.com/a/b.git", Some("main"), false),
            ("git+ssh://git@github.com/a/b@v1", "ssh://git@github.com/a/b", Some("v1"), false),
            ("git+git@github.com:a/b@v1", "git@github.com:a/b", Some("v1"), false),
            ("git+https://me:word@github.com/a/b", "https://github.com/a/b", None, false),
            (&format!("git+https://h/a/b@{commit}"), "https://h/a/b", Some(commit), true),
            (&format!("git+https://h/a/b@{}", &commit[..12]), "https://h/a/b", Some(&commit[..12]), false),
        ] {
            let DependencySource::Repository { url: found, revision: said, commit } = super::address(url).source else {
                panic!("{url}")
            };
            assert_eq!((found.as_str(), said.as_deref(), commit.is_some()), (address, revision, is_commit), "{url}");
        }
    }

    #[test]
    fn archives_tell_their_name_and_digest() {
        let wheel = "https://x.example/torch-2.1.0%2Bcu118-cp310-cp310-linux_x86_64.whl";
        let found = address(&format!("{wheel}#sha256={}", "AB".repeat(32)));
        assert_eq!((found.name.as_deref(), found.version.as_deref()), (Some("torch"), Some("2.1.0+cu118")));
        assert_eq!(found.digests, [format!("sha256:{}", "ab".repeat(32))]);
        for none in ["sha256=", "sha256=ABCD", "md5=zz", "sha3=00"] {
            assert_eq!(address(&format!("{wheel}#{none}")).digests, [""; 0], "{none}");
        }
        assert_eq!(address("https://x.example/a-b-1.0.tar.gz").name.as_deref(), Some("a-b"));
        assert_eq!(address("https://x.example/archive/main.zip").name, None);
        assert_eq!(address("git+https://x.example/a/b#egg=name[extra]&subdirectory=c").name.as_deref(), Some("name"));
    }

    #[test]
    fn passwords_are_not_kept() {
        for (line, shown) in [
            ("-i https://me:word@host/simple x", "-i https://[secret]@host/simple x"),
            ("-i https://token@host/simple", "-i https://[secret]@host/simple"),
            ("-i https://${USER}:${WORD}@host/simple", "-i https://${USER}:${WORD}@host/simple"),
            ("git+ssh://git@host/a@v1 https://a:b@c", "git+ssh://git@host/a@v1 https://[secret]@c"),
            ("no address", "no address"),
            ("git+ssh://me:word@host/a", "git+ssh://[secret]@host/a"),
        ] {
            assert_eq!(masked(line), shown);
        }
        assert_eq!(without_login("ssh://git@host/a"), ("ssh://git@host/a".to_owned(), false));
        assert_eq!(without_login("https://u:p@host:8/a"), ("https://host:8/a".to_owned(), true));
    }

    #[test]
    fn encryption_is_asked_for_but_on_this_machine() {
        assert!(is_unencrypted("http://pypi.example/simple") && is_unencrypted("git+git://host/a"));
        assert!(
            !is_unencrypted("http://127.0.0.1:3141/x")
                && !is_unencrypted("https://a")
                && !is_unencrypted("git+ssh://a")
        );
        assert!(is_unencrypted("http://127.0.0.1.evil.example/simple") && !is_unencrypted("http://[::1]/simple"));
        assert_eq!(host("https://u:p@[::1]:80/x"), "::1");
    }
}
