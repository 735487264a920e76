//! `[compute]`: what a project is to run on, which none of its other files says.

use serde::{Deserialize, Serialize};
use toml::Spanned;
use waag_evidence::Location;
use waag_formats::facts::shorten;

use crate::sanitize::sanitize;

/// Characters of what was written that are shown.
const MAX_SHOWN: usize = 40;
/// Digits of one number of a version: a driver has three, and one day perhaps four.
const MAX_DIGITS: usize = 4;
/// The first number of any driver that a version of CUDA in use runs on; CUDA's own are far below.
const LEAST: u32 = 100;

/// The NVIDIA driver of the machines that a project is to run on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Driver {
    /// Its version: `535.104.05`.
    pub version: String,
    /// Who says so: a line of the settings, an option, or the machine itself.
    pub location: Location,
}

/// Why a text is no version of a driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDriver {
    /// It is something else.
    #[error("the driver '{0}' is no version of NVIDIA's driver, which is written like 535.104.05")]
    Form(String),
    /// It is as small as versions of CUDA are, which the same tools print beside it.
    #[error("the driver '{0}' is no version of NVIDIA's driver, but looks like one of CUDA")]
    OfCuda(String),
    /// A branch, of which some drivers are enough and others are not.
    #[error("the driver '{0}' is a branch of NVIDIA's drivers and not one of them")]
    Branch(String),
    /// The settings mean other machines than the one that they are read on.
    #[error("the driver 'here' would be another one on each machine that reads the settings")]
    Here,
}

impl NoDriver {
    /// What to do next.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        HINT
    }
}

/// What to do about a driver that is none.
pub(super) const HINT: &str = "`nvidia-smi --query-gpu=driver_version --format=csv,noheader` prints it on the machine that is \
                               meant; in waag.toml:\n  [compute]\n  driver = \"535.104.05\"";

impl Driver {
    /// A driver of a version that somebody wrote down.
    ///
    /// # Errors
    /// When it is no such version.
    pub fn new(version: &str, location: Location) -> Result<Self, NoDriver> {
        let version = version.trim();
        let shown = || shorten(sanitize(version), MAX_SHOWN);
        let numbers: Vec<&str> = version.split('.').collect();
        let is_number =
            |text: &&str| (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if numbers.len() > 3 || !numbers.iter().all(is_number) {
            return Err(NoDriver::Form(shown()));
        }
        let first: u32 = numbers.first().and_then(|text| text.parse().ok()).unwrap_or_default();
        match numbers.len() {
            _ if first < LEAST => Err(NoDriver::OfCuda(shown())),
            1 => Err(NoDriver::Branch(shown())),
            _ => Ok(Self { version: version.to_owned(), location }),
        }
    }
}

/// The table as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ComputeTable {
    driver: Option<Spanned<String>>,
}

impl ComputeTable {
    /// The driver; where it is none, the byte of the text at which it stands.
    pub(super) fn driver(self, at: impl Fn(usize) -> Location) -> Result<Option<Driver>, (usize, NoDriver)> {
        let Some(found) = self.driver else { return Ok(None) };
        let start = found.span().start;
        let driver = match found.into_inner().as_str() {
            "here" => Err(NoDriver::Here),
            version => Driver::new(version, at(start)),
        };
        driver.map(Some).map_err(|error| (start, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_drivers_are_told_from_other_things() {
        for good in ["535.104.05", "384.81", " 600.1 ", "1000.20.30"] {
            assert_eq!(Driver::new(good, Location::file("x")).unwrap().version, good.trim());
        }
        let refused = |text: &str| Driver::new(text, Location::file("x")).unwrap_err();
        assert!(matches!(refused("12.4"), NoDriver::OfCuda(_)) && matches!(refused("0"), NoDriver::OfCuda(_)));
        assert!(matches!(refused("535"), NoDriver::Branch(_)));
        for bad in ["", "535.", ".5", "-535.1", "5e2.1", "535.104.05.1", "535.1rc1", "here", "535.١", "99999.1"] {
            assert!(matches!(refused(bad), NoDriver::Form(_)), "{bad}");
        }
        let long = refused(&"\u{1b}[31m9".repeat(10_000)).to_string();
        assert!(long.len() < 200 && !long.contains('\u{1b}'), "{long}");
    }
}
