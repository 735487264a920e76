//! Keyless signatures, end to end: recorded bundles, and bundles made with an instance on this machine.

// A test may stop at what it did not expect.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod fetching;
mod instance;
mod mutation;
mod recorded;
mod refusals;
mod signing;
