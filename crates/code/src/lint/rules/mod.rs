//! The rules. Each is one file with its page beside it, and one line in [`ALL`] and [`RULES`].

pub mod changing_seed;
pub mod custom_operator_library;
pub mod downloaded_code;
pub mod hard_coded_secret;
pub mod late_environment;
pub mod malformed_notebook;
pub mod missing_seed;
pub mod nondeterministic_algorithm;
pub mod personal_path;
pub mod shell_input;
pub mod trusted_remote_code;
pub mod unchecked_download;
pub mod unordered_listing;
pub mod unpinned_install;
pub mod unpinned_remote;
pub mod unrecorded_training;
pub mod unsafe_extraction;
pub mod unsafe_load;
pub mod unsafe_yaml;
pub mod unseeded_loader;
pub mod untrusted_instantiation;
pub mod unused_suppression;
pub mod unverified_connection;

use waag_engine::rules::Meta;

use super::rule::Rule;

/// Every rule, in the order in which they are listed to people.
pub(crate) static ALL: &[&dyn Rule] = &[
    &unsafe_load::UnsafeLoad,
    &unsafe_yaml::UnsafeYaml,
    &trusted_remote_code::TrustedRemoteCode,
    &custom_operator_library::CustomOperatorLibrary,
    &downloaded_code::DownloadedCode,
    &unsafe_extraction::UnsafeExtraction,
    &shell_input::ShellInput,
    &unverified_connection::UnverifiedConnection,
    &untrusted_instantiation::UntrustedInstantiation,
    &unpinned_remote::UnpinnedRemote,
    &unchecked_download::UncheckedDownload,
    &unpinned_install::UnpinnedInstall,
    &missing_seed::MissingSeed,
    &changing_seed::ChangingSeed,
    &unseeded_loader::UnseededLoader,
    &nondeterministic_algorithm::NondeterministicAlgorithm,
    &late_environment::LateEnvironment,
    &unordered_listing::UnorderedListing,
    &unrecorded_training::UnrecordedTraining,
    &personal_path::PersonalPath,
    &hard_coded_secret::HardCodedSecret,
    &malformed_notebook::MalformedNotebook,
    &unused_suppression::UnusedSuppression,
];

/// Who the rules are, in the same order.
pub static RULES: &[&Meta] = &[
    &unsafe_load::META,
    &unsafe_yaml::META,
    &trusted_remote_code::META,
    &custom_operator_library::META,
    &downloaded_code::META,
    &unsafe_extraction::META,
    &shell_input::META,
    &unverified_connection::META,
    &untrusted_instantiation::META,
    &unpinned_remote::META,
    &unchecked_download::META,
    &unpinned_install::META,
    &missing_seed::META,
    &changing_seed::META,
    &unseeded_loader::META,
    &nondeterministic_algorithm::META,
    &late_environment::META,
    &unordered_listing::META,
    &unrecorded_training::META,
    &personal_path::META,
    &hard_coded_secret::META,
    &malformed_notebook::META,
    &unused_suppression::META,
];

#[cfg(test)]
mod tests;
