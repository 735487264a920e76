//! Why a command did not do what it was asked: what went wrong, and what to do next.

use std::fmt::Display;
use std::io;

use waag_code::run::RunError;
use waag_code::run::again::RecordedError;
use waag_engine::convert::ConvertError;
use waag_engine::diff::DiffError;
use waag_engine::sanitize::sanitize;
use waag_engine::scan::ScanError;
use waag_engine::settings::SettingsError;
use waag_engine::trust_store::StoreError;
use waag_engine::weights::WeightsError;
use waag_signing::keyless::KeylessError;

/// A failure a person has to hear of, or one nobody is left to hear.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of our output has gone.
    BrokenPipe,
    /// Something to tell.
    Told {
        /// What went wrong, to what.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
}

impl Failure {
    /// A failure with advice.
    pub(crate) fn with_hint(message: impl Display, hint: impl Into<String>) -> Self {
        Self::Told { message: message.to_string(), hint: Some(hint.into()) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Told { message: format!("cannot write the output: {error}"), hint: None },
        }
    }
}

impl From<ScanError> for Failure {
    fn from(error: ScanError) -> Self {
        Self::Told { message: error.to_string(), hint: error.hint() }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

impl From<ConvertError> for Failure {
    fn from(error: ConvertError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

impl From<WeightsError> for Failure {
    fn from(error: WeightsError) -> Self {
        Self::with_hint(waag_engine::sanitize::sanitize(&error.to_string()), error.hint())
    }
}

impl From<DiffError> for Failure {
    fn from(error: DiffError) -> Self {
        Self::with_hint(waag_engine::sanitize::sanitize(&error.to_string()), error.hint())
    }
}

impl From<KeylessError> for Failure {
    fn from(error: KeylessError) -> Self {
        Self::with_hint(sanitize(&error.to_string()), error.hint())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}

impl From<RecordedError> for Failure {
    fn from(error: RecordedError) -> Self {
        Self::with_hint(&error, error.hint())
    }
}
