//! `.python-version`: which Python pyenv and uv take. <https://github.com/pyenv/pyenv#choose-the-python-version>

use super::Page;

pub(super) fn read(page: &mut Page<'_>) {
    for (line, text) in (1u64..).zip(page.text.text.lines().take(100)) {
        let text = text.split('#').next().unwrap_or_default().trim();
        let version = text.strip_prefix("cpython@").or_else(|| text.strip_prefix("cpython-")).unwrap_or(text);
        if version.is_empty() || !version.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        page.python(&exactly(version), line);
    }
}

/// `3.11` is any 3.11, `3.11.7` is that one.
pub(super) fn exactly(version: &str) -> String {
    let version = version.trim();
    match version.split('.').count() {
        0..=2 if !version.ends_with('*') => format!("=={version}.*"),
        _ => format!("=={version}"),
    }
}
