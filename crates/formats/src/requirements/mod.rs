//! `requirements.txt` beside a model: what a tool installs before it loads the model, and from where.
//!
//! Installing a package runs its code. A package of the usual index is nobody's surprise; an address, another index or a
//! name that is one letter off a well-known one is said.

mod names;

pub use names::{is_well_known, mistaken_for};

use crate::child::Role;
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind, Runs, SourceReach};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};
use crate::text::is_text;

/// Bytes of one file that are read: some lock files have a megabyte of digests.
const MAX_BYTES: usize = 4 << 20;
/// Characters of an entry that are looked at.
const MAX_ENTRY: usize = 2000;
/// Facts of one file.
const MAX_LISTED: usize = 500;

/// Hosts that packages and repositories are usually fetched from.
const USUAL_HOSTS: &[&str] = &[
    "pypi.org",
    "pypi.python.org",
    "files.pythonhosted.org",
    "test.pypi.org",
    "download.pytorch.org",
    "pypi.nvidia.com",
    "pypi.ngc.nvidia.com",
    "developer.download.nvidia.com",
    "data.pyg.org",
    "data.dgl.ai",
    "pytorch-geometric.com",
    "storage.googleapis.com",
    "huggingface.co",
    "huggingface.github.io",
    "github.com",
    "raw.githubusercontent.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "conda.anaconda.org",
    "repo.anaconda.com",
    "anaconda.org",
    "wheels.vllm.ai",
    "flashinfer.ai",
    "abetlen.github.io",
    "dl.fbaipublicfiles.com",
    "mirrors.aliyun.com",
    "mirrors.cloud.tencent.com",
    "pypi.douban.com",
    "pypi.mirrors.ustc.edu.cn",
    "pypi.tuna.tsinghua.edu.cn",
    "mirrors.tuna.tsinghua.edu.cn",
    "paddle-wheel.bj.bcebos.com",
    "www.paddlepaddle.org.cn",
    "modelscope.oss-cn-beijing.aliyuncs.com",
    "docs.ray.io",
    "download.openmmlab.com",
    "alpacafarm.s3.amazonaws.com",
    "pip.repos.neuron.amazonaws.com",
    "jfrog.io",
];

static META: Meta = Meta {
    id: "requirements",
    title: "Python requirements",
    extensions: &["txt", "in", "pip"],
    depth: Depth::Full,
    reads: "every entry: where packages come from, and names one letter off well-known ones",
    specification: "https://pip.pypa.io/en/stable/reference/requirements-file-format/",
};

/// The format.
#[derive(Debug)]
pub struct Requirements;

impl Format for Requirements {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let name = probe.name.rsplit(['/', '\\', '!']).next().unwrap_or_default().to_ascii_lowercase();
        let ending = matches!(probe.extension().as_str(), "txt" | "in" | "pip");
        let named = ["requirement", "constraints"].iter().any(|start| name.starts_with(start))
            || name.ends_with("requirements.txt");
        let readable = probe.role == Role::Unknown && ending && is_text(&probe.head);
        (readable && (named || is_telling(&probe.head))).then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let bytes = read_up_to(source, 0, MAX_BYTES);
        if source.len() > bytes.len() as u64 {
            facts.incomplete(bytes.len() as u64, Gap::Limit, "a longer list of packages than is read");
        }
        let text = String::from_utf8_lossy(&bytes);
        let mut at = 0u64;
        let before = facts.list().len();
        for line in text.split_inclusive('\n') {
            if let Err(limit) = context.budget.operate(1) {
                return facts.incomplete(at, Gap::Limit, limit.to_string());
            }
            if facts.list().len().saturating_sub(before) > MAX_LISTED {
                return facts.incomplete(at, Gap::Limit, "more odd entries than are listed");
            }
            check_requirement(at, line, facts);
            at = at.saturating_add(line.len() as u64);
        }
        if let Some(nul) = text.find('\0') {
            facts.anomaly(nul as u64, Anomaly::HiddenContent, "what starts as text goes on as binary data");
        }
    }
}

/// Whether a line is an option that only pip's files have.
fn is_telling(head: &[u8]) -> bool {
    const OPTIONS: &[&str] =
        &["--index-url", "--extra-index-url", "--find-links", "--trusted-host", "-e git+", "git+https://"];
    let head = String::from_utf8_lossy(head);
    head.lines().any(|line| OPTIONS.iter().any(|option| line.starts_with(option)))
}

/// Judges one entry as pip takes it: a package, an address, a folder or an option.
pub(crate) fn check_requirement(offset: u64, line: &str, facts: &mut Facts) {
    let line: String = line.chars().take(MAX_ENTRY).collect();
    let entry = line.split(" #").next().unwrap_or_default().trim().trim_end_matches('\\').trim();
    if entry.is_empty() || entry.starts_with('#') {
        return;
    }
    if entry.starts_with('-') {
        return check_option(offset, entry, facts);
    }
    if let Some(address) = address_in(entry) {
        return check_address(offset, entry, address, facts);
    }
    // Windows fetches it from that host, and logs in there.
    if entry.starts_with("\\\\") || entry.starts_with("//") {
        let fact = FactKind::Reference { kind: ReferenceKind::Address, target: shorten(entry.to_owned(), 200) };
        return facts.push(Position::Offset(offset), fact);
    }
    let is_path = entry.starts_with(['.', '/', '~']) || entry.starts_with("file:");
    if is_path || entry.ends_with(".whl") || entry.ends_with(".tar.gz") {
        return installs(offset, entry, facts);
    }
    let end = entry.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(entry.len());
    check_name(offset, entry.get(..end).unwrap_or(entry), facts);
}

/// `--extra-index-url https://…`, `-e git+https://…`, `-f https://…`; others name files beside this one.
fn check_option(offset: u64, entry: &str, facts: &mut Facts) {
    let (option, value) = entry.split_once([' ', '=']).unwrap_or((entry, ""));
    let value = value.trim_start_matches(['=', ' ']).trim();
    match option {
        "-e" | "--editable" => match address_in(value) {
            Some(address) => check_address(offset, entry, address, facts),
            None => installs(offset, entry, facts),
        },
        "-i" | "--index-url" => check_index(offset, entry, value, facts),
        "--trusted-host" => check_address(offset, entry, &format!("https://{value}/"), facts),
        _ => {
            if let Some(address) = address_in(value) {
                check_host(offset, entry, address, facts);
            }
        }
    }
}

/// The address in an entry: `name @ https://…`, `git+ssh://…`.
fn address_in(entry: &str) -> Option<&str> {
    let colon = entry.find("://")?;
    let start = entry.get(..colon)?.rfind([' ', '@', '=']).map_or(0, |space| space.saturating_add(1));
    entry.get(start..)?.split_whitespace().next()
}

/// Judges where something is installed from.
pub(crate) fn check_address(offset: u64, entry: &str, address: &str, facts: &mut Facts) {
    if check_host(offset, entry, address, facts) {
        installs(offset, entry, facts);
    }
}

/// Judges the index that packages are taken from in place of the usual one. Companies have indexes of their own; those
/// have a name, and are reached with encryption.
pub(crate) fn check_index(offset: u64, entry: &str, address: &str, facts: &mut Facts) {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let host = host_of(rest);
    let is_own = scheme.eq_ignore_ascii_case("https") && has_name(&host) && !imitates_host(rest) && !is_usual(&host);
    if !is_own || crate::address::find(address).is_some() {
        check_host(offset, entry, address, facts);
        return;
    }
    let fact = FactKind::Reference { kind: ReferenceKind::PackageIndex, target: shorten(entry.to_owned(), 200) };
    facts.push(Position::Offset(offset), fact);
}

/// Whether a host is a name: the last part of a number, in any notation, starts with a digit.
fn has_name(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    last.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// `pypi.org@example.org`: what looks like the host is whom to log in as.
fn imitates_host(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains('.'))
}

/// The host in what follows the scheme of an address.
fn host_of(rest: &str) -> String {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or(host).split(':').next().unwrap_or(host).to_ascii_lowercase()
}

/// Whether packages are usually fetched from a host.
#[must_use]
pub fn is_usual_host(host: &str) -> bool {
    is_usual(&host.to_ascii_lowercase())
}

fn is_usual(host: &str) -> bool {
    USUAL_HOSTS.iter().any(|usual| host == *usual || host.ends_with(&format!(".{usual}")))
}

/// Whether the host is one of the usual ones; notes the address when it is not, or is reached without encryption.
fn check_host(offset: u64, entry: &str, address: &str, facts: &mut Facts) -> bool {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (scheme, host) = (scheme.to_ascii_lowercase(), host_of(rest));
    let is_file = scheme.ends_with("file");
    let is_plain = matches!(scheme.rsplit('+').next(), Some("http" | "git" | "ftp"));
    if is_file || (is_usual(&host) && !is_plain) {
        return true;
    }
    let fact = FactKind::Reference { kind: ReferenceKind::Address, target: shorten(entry.to_owned(), 200) };
    facts.push(Position::Offset(offset), fact);
    false
}

fn installs(offset: u64, entry: &str, facts: &mut Facts) {
    let expression = shorten(entry.to_owned(), 200);
    let fact = FactKind::SourceReach { expression, reach: SourceReach::Installation, runs: Runs::Started };
    facts.push(Position::Offset(offset), fact);
}

fn check_name(offset: u64, name: &str, facts: &mut Facts) {
    if let Some(meant) = names::mistaken_for(name) {
        facts.anomaly(offset, Anomaly::LookAlike, format!("the package '{name}' is one letter off '{meant}'"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn kinds(text: &str) -> Vec<String> {
        let facts = inspect(&Requirements, "requirements.txt", text.as_bytes());
        let list = facts.list().iter().map(|fact| match &fact.kind {
            FactKind::Reference { kind: ReferenceKind::PackageIndex, target } => format!("index {target}"),
            FactKind::Reference { target, .. } => format!("address {target}"),
            FactKind::SourceReach { expression, .. } => format!("installs {expression}"),
            FactKind::Anomaly { anomaly, .. } => format!("{anomaly:?}"),
            _ => String::new(),
        });
        list.collect()
    }

    #[test]
    fn packages_of_the_index_are_ordinary() {
        let text = "# a comment\ntorch>=2.0 ; python_version > '3'\ntransformers[torch]==4.1 # why\nnumpy\n-r other.txt\n--extra-index-url https://download.pytorch.org/whl/cu118\n";
        assert_eq!(kinds(text), [""; 0]);
    }

    #[test]
    fn addresses_are_told_by_their_host() {
        assert_eq!(kinds("git+https://github.com/a/b@main"), ["installs git+https://github.com/a/b@main"]);
        assert_eq!(kinds("x @ https://evil.example/x.whl"), ["address x @ https://evil.example/x.whl"]);
        assert_eq!(kinds("--index-url=https://evil.example/simple"), ["index --index-url=https://evil.example/simple"]);
        assert_eq!(kinds("--extra-index-url http://pypi.org/simple").len(), 1);
        assert_eq!(kinds("https://pypi.org@evil.example/x.whl").len(), 1);
        assert_eq!(kinds("--trusted-host evil.example"), ["address --trusted-host evil.example"]);
        assert_eq!(kinds("-e ."), ["installs -e ."]);
        assert_eq!(kinds("\\\\192.0.2.1\\share\\x.whl"), ["address \\\\192.0.2.1\\share\\x.whl"]);
    }

    #[test]
    fn an_index_of_ones_own_has_a_name_and_encryption() {
        for named in [
            "pypi.example.org/simple",
            "${USER}:${TOKEN}@pypi.example.org/simple",
            "nexus:8443/simple",
            "a.b.example/x/",
        ] {
            assert_eq!(kinds(&format!("-i https://{named}")), [format!("index -i https://{named}")]);
        }
        for odd in [
            "https://203.0.113.7/",
            "https://[2001:db8::1]/",
            "https://0x7f.1/",
            "https://3405803783/",
            "http://pypi.example.org/simple",
            "https://pypi.org@evil.example/",
            "https://a.ngrok.io/simple",
            "HTTP://a.example/",
        ] {
            assert_eq!(kinds(&format!("--index-url {odd}")), [format!("address --index-url {odd}")]);
        }
        assert_eq!(kinds("--index-url https://pypi.org/simple"), [""; 0]);
        assert_eq!(kinds("--extra-index-url https://pypi.example.org/simple").len(), 1);
    }

    #[test]
    fn look_alikes_are_named() {
        for name in ["reqeusts", "torchh", "nunpy", "transfromers", "scikit-laern"] {
            assert_eq!(kinds(name), ["LookAlike"], "{name}");
        }
        for name in ["scapy", "dataset", "python", "tensorboardX", "simpy", "torch", "ruff"] {
            assert_eq!(kinds(name), [""; 0], "{name}");
        }
    }

    #[test]
    fn no_mutation_panics() {
        let seed =
            b"torch>=2 # x\n-e git+https://github.com/a/b\n--index-url http://x/\nname @ https://y/z.whl\n./local\n";
        mutate(seed, 3000, |bytes| drop(oddities(&inspect(&Requirements, "requirements.txt", &bytes))));
    }
}
