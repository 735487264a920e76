//! The sandbox, by Landlock: everything can be read, little can be written.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, RestrictionStatus, Ruleset as Rules,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, path_beneath_rules,
};

/// The newest rights that are known here; older kernels hold those that they know.
const KNOWN: ABI = ABI::V5;
/// Devices that programs write to.
const DEVICES: [&str; 7] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/shm", "/dev/pts", "/dev/ptmx"];

/// Rules that can be laid on a process.
#[derive(Debug)]
pub(super) struct Ruleset(RulesetCreated);

impl Ruleset {
    /// Lays them on the calling thread, for good.
    pub(super) fn enforce(self) -> Result<(), ()> {
        let status: RestrictionStatus = self.0.restrict_self().map_err(drop)?;
        if status.ruleset == RulesetStatus::NotEnforced { Err(()) } else { Ok(()) }
    }
}

/// What the kernel can hold of it, for people; None when nothing.
pub(in crate::run) fn support() -> Option<String> {
    let holds = |abi: &ABI| hard(|rules| rules.handle_access(AccessFs::from_all(*abi)));
    let abi = [ABI::V5, ABI::V3, ABI::V2, ABI::V1].into_iter().find(holds)?;
    Some(format!("Landlock, ABI {} or newer", abi as i32))
}

/// Whether the kernel can forbid connections by TCP.
pub(in crate::run) fn support_network() -> bool {
    hard(|rules| rules.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp))
}

/// Whether the kernel holds all of something.
fn hard(handle: impl FnOnce(Rules) -> Result<Rules, RulesetError>) -> bool {
    let rules = Rules::default().set_compatibility(CompatLevel::HardRequirement);
    handle(rules).and_then(Rules::create).is_ok()
}

/// Rules: read everywhere, write only below these places. With `no_network`, no connection by TCP where the kernel has
/// that (Linux 6.7).
pub(super) fn rules(writable: Option<&[PathBuf]>, no_network: bool) -> Result<Ruleset, RulesetError> {
    let mut rules = Rules::default();
    if writable.is_some() {
        rules = rules.handle_access(AccessFs::from_all(KNOWN))?;
    }
    if no_network {
        rules = rules.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?;
    }
    let mut created = rules.create()?;
    if let Some(writable) = writable {
        let read: BitFlags<AccessFs> = AccessFs::from_read(KNOWN);
        let devices = DEVICES.iter().map(Path::new).filter(|device| device.exists());
        created = created
            .add_rules(path_beneath_rules(["/"], read))?
            .add_rules(path_beneath_rules(["/dev"], read | AccessFs::IoctlDev))?
            .add_rules(path_beneath_rules(devices, AccessFs::from_all(KNOWN)))?
            .add_rules(path_beneath_rules(writable, AccessFs::from_all(KNOWN)))?;
    }
    Ok(Ruleset(created))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_can_be_made_for_places_that_are_not_there() {
        let places = [PathBuf::from("/tmp"), PathBuf::from("/not/there")];
        assert!(rules(Some(&places), true).is_ok());
        assert!(rules(None, true).is_ok());
    }
}
