//! Where a package came from, where that was no index, as installers write it down (PEP 610).
//! <https://packaging.python.org/en/latest/specifications/direct-url-data-structure/>

use waag_evidence::DependencySource;

use super::source;
use super::tree::Node;

/// The source, and the digests of its archive; none where it names no address.
pub(super) fn read(root: &Node) -> Option<(DependencySource, Vec<String>)> {
    let url = root.text_of("url")?;
    if let Some(vcs) = root.get("vcs_info") {
        let told = vcs.text_of("commit_id").or_else(|| vcs.text_of("requested_revision"));
        return Some((source::repository(url, told), Vec::new()));
    }
    if let Some(directory) = root.get("dir_info") {
        let path = url.strip_prefix("file://").unwrap_or(url).to_owned();
        let editable = directory.flag_of("editable").unwrap_or(false);
        return Some((DependencySource::Path { path, editable }, Vec::new()));
    }
    Some((source::address(url).source, archive_digests(root)))
}

/// The digests of an archive, as `algorithm:hexadecimal`.
pub(super) fn archive_digests(root: &Node) -> Vec<String> {
    let hashes = root.at(&["archive_info", "hashes"]).map(Node::members).unwrap_or_default();
    hashes.iter().filter_map(|(kind, hex)| Some(format!("{kind}:{}", hex.text()?))).collect()
}
