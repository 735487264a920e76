//! Functions of R that no model has to call, wherever a call to them stands.

/// Name, and what calling it does.
const DANGEROUS: &[&str] = &[
    "system",
    "system2",
    "shell",
    "shell.exec",
    "pipe",
    "source",
    "sys.source",
    "dyn.load",
    "library.dynam",
    "download.file",
    "install.packages",
    "socketConnection",
    "serverSocket",
    "unlink",
    "file.remove",
    "Sys.setenv",
    "mcfork",
    "curl_download",
    "install_github",
    "run_process",
    "r_bg",
];

/// Functions that call another by its name.
const BY_NAME: &[&str] = &["do.call", "match.fun", "get", "get0", "getFunction", "getExportedValue"];

/// Whether a call of this name reaches the machine.
pub(super) fn is_dangerous(name: &str) -> bool {
    DANGEROUS.contains(&name)
}

/// Whether a function calls what its arguments name.
pub(super) fn calls_by_name(name: &str) -> bool {
    BY_NAME.contains(&name)
}

/// Whether a function takes another out of a package.
pub(super) fn takes_from_package(name: &str) -> bool {
    matches!(name, "::" | ":::")
}
