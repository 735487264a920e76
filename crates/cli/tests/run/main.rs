//! `waag run` as a shell sees it, with real programs: what they do is seen, and nothing of it changes.

// A test may stop at what it did not expect, and reads only what it made itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

mod again;
mod confined;
mod project;
mod python;
mod watched;
