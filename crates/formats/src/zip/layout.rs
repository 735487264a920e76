//! Which program writes archives with these members, and what its loader makes of each.

use crate::child::Role;

/// What an archive is for, told by its members' names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Layout {
    /// `torch.save`.
    PytorchZip,
    /// `torch.jit.save`.
    Torchscript,
    /// `torch.package`.
    TorchPackage,
    /// `numpy.savez`.
    Npz,
    /// Keras 3.
    Keras,
    /// skops.
    Skops,
    /// Nothing known.
    #[default]
    Plain,
}

impl Layout {
    /// Tells the layout from all names.
    pub(super) fn tell(names: &[&str]) -> Self {
        let has = |ending: &str| names.iter().any(|name| inner(name) == ending || *name == ending);
        let below = |folder: &str| names.iter().any(|name| inner(name).starts_with(folder));
        if has(".data/extern_modules") || has(".data/python_version") {
            Self::TorchPackage
        } else if has("constants.pkl") && (below("code/") || has("data.pkl")) {
            Self::Torchscript
        } else if has("data.pkl") && (has("version") || has(".data/version") || below("data/") || names.len() == 1) {
            Self::PytorchZip
        } else if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) {
            Self::Npz
        } else if names.contains(&"config.json") && names.contains(&"model.weights.h5") {
            Self::Keras
        } else if names.contains(&"schema.json") {
            Self::Skops
        } else {
            Self::Plain
        }
    }

    /// The value of the property `layout`.
    pub(super) fn id(self) -> Option<&'static str> {
        Some(match self {
            Self::PytorchZip => "pytorch-zip",
            Self::Torchscript => "torchscript",
            Self::TorchPackage => "torch-package",
            Self::Npz => "npz",
            Self::Keras => "keras",
            Self::Skops => "skops",
            Self::Plain => return None,
        })
    }

    /// The value of the property `framework`.
    pub(super) fn framework(self) -> Option<&'static str> {
        Some(match self {
            Self::PytorchZip | Self::Torchscript | Self::TorchPackage => "PyTorch",
            Self::Npz => "NumPy",
            Self::Keras => "Keras",
            Self::Skops => "scikit-learn",
            Self::Plain => return None,
        })
    }

    /// Whether torch loads it.
    pub(super) fn is_torch(self) -> bool {
        matches!(self, Self::PytorchZip | Self::Torchscript | Self::TorchPackage)
    }

    /// What the loader uses a member for.
    pub(super) fn role(self, name: &str) -> Role {
        if !self.is_torch() {
            return Role::Unknown;
        }
        if name.ends_with(".pkl") {
            return Role::Pickle;
        }
        if is_storage(inner(name)) { Role::Numbers } else { Role::Unknown }
    }
}

/// The part of a name below the archive's own folder.
fn inner(name: &str) -> &str {
    name.split_once('/').map_or("", |(_, rest)| rest)
}

/// `data/7`, `constants/7` and `.data/7.storage`: the folder alone does not make numbers of a member.
fn is_storage(inner: &str) -> bool {
    let numbered = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let folder = ["data/", "constants/", "tensors/"].iter().find_map(|folder| inner.strip_prefix(folder));
    let package = inner.strip_prefix(".data/").and_then(|rest| rest.strip_suffix(".storage"));
    folder.or(package).is_some_and(numbered)
}

/// Programs below other folders than the first member's, which is the one the loader looks in.
pub(super) fn stray_programs<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let folder = names.first().and_then(|name| name.split_once('/')).map_or("", |(folder, _)| folder);
    let own = |name: &str| name.split_once('/').is_some_and(|(first, rest)| first == folder && rest == "data.pkl");
    let program = |name: &str| name == "data.pkl" || name.ends_with("/data.pkl");
    // The only one is no second one, wherever it lies: it is what a scanner and its reader see.
    if names.iter().filter(|name| program(name)).count() < 2 {
        return Vec::new();
    }
    names.iter().copied().filter(|name| program(name) && !own(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_told_by_their_members() {
        let cases: [(&[&str], Layout); 8] = [
            (&["archive/data.pkl", "archive/version", "archive/data/0"], Layout::PytorchZip),
            (&["m/data.pkl", "m/code/__torch__.py", "m/constants.pkl", "m/version"], Layout::Torchscript),
            (&["p/.data/extern_modules", "p/.data/version", "p/a.pkl"], Layout::TorchPackage),
            (&["a.npy", "b.npy"], Layout::Npz),
            (&["metadata.json", "config.json", "model.weights.h5"], Layout::Keras),
            (&["schema.json", "1.npy"], Layout::Skops),
            (&["a.txt", "data.pkl"], Layout::Plain),
            (&[], Layout::Plain),
        ];
        for (names, layout) in cases {
            assert_eq!(Layout::tell(names), layout, "{names:?}");
        }
    }

    #[test]
    fn only_numbered_members_are_numbers() {
        let role = |name| Layout::PytorchZip.role(name);
        assert_eq!(role("archive/data/12"), Role::Numbers);
        assert_eq!(role("archive/data/evil.bin"), Role::Unknown);
        assert_eq!(role("archive/data/evil.pkl"), Role::Pickle);
        assert_eq!(role("archive/.data/3.storage"), Role::Numbers);
        assert_eq!(Layout::Plain.role("archive/data/12"), Role::Unknown);
    }

    #[test]
    fn a_second_program_is_a_stray() {
        assert_eq!(stray_programs(&["a/data.pkl", "a/version", "b/data.pkl"]), ["b/data.pkl"]);
        assert!(stray_programs(&["a/version", "a/data.pkl"]).is_empty());
        assert!(stray_programs(&["version", "data.pkl"]).is_empty());
    }
}
