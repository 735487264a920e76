//! stub until merged
use waag_evidence::Policy;
/// Settings.
#[derive(Debug, Clone, Default)]
pub struct Settings { /// Policy.
 pub policy: Policy }
