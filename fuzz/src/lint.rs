//! What must hold of the lint whatever the bytes are: it ends, it says what it did not read, and an edit that it offers
//! leaves nothing to edit behind.

use waag_code::lint::{Examined, Options, examine_bytes};

/// Reads bytes as Python, as a notebook and as a configuration.
pub fn lint(data: &[u8]) {
    let options = Options { torch: "2.5.0".parse().ok(), ..Options::default() };
    for name in ["fuzz.py", "fuzz.ipynb", "fuzz.json", "fuzz.yaml"] {
        let examined = examine_bytes(name, data.to_vec(), &options);
        check(&examined);
        if let Some(fix) = examined.fixes.first() {
            assert_eq!(fix.before, data, "what is edited is what was read");
            assert_ne!(fix.after, data, "an edit changes something");
            let again = examine_bytes(name, fix.after.clone(), &options);
            assert!(again.fixes.is_empty(), "a second time changes nothing");
        }
    }
}

fn check(examined: &Examined) {
    for finding in &examined.findings {
        assert!(finding.location.line.is_none_or(|line| line > 0), "lines are counted from 1");
        assert!(!finding.message.is_empty() && !finding.message.contains('\n'), "a message is one line");
    }
    let is_incomplete = examined.looked_at.iter().any(|file| !file.is_complete);
    assert!(!is_incomplete || !examined.findings.is_empty(), "what was not read is said");
}
