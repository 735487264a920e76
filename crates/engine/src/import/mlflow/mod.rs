//! MLflow: runs in a folder `mlruns`, and runs and registered models on a server.
//!
//! What the tracker holds is anybody's word: servers have no accounts unless somebody sets them up, tags can be overwritten and
//! aliases moved, and artifacts have no digest at all. So every artifact is read and digested, evidence is kept as an artifact
//! with nothing but its digest in a tag, and a verdict resolves alias, version, source and bytes anew each time.

#[cfg(feature = "online")]
mod evidence;
pub mod folder;
#[cfg(feature = "online")]
mod http;
mod record;
#[cfg(feature = "online")]
mod registry;
#[cfg(feature = "online")]
mod remote;
#[cfg(feature = "online")]
mod server;
mod target;
#[cfg(feature = "online")]
mod verdict;

#[cfg(feature = "online")]
pub use http::{Credentials, HttpError};
#[cfg(feature = "online")]
pub use remote::import_remote;
#[cfg(feature = "online")]
pub use server::{MlflowError, Server};
pub use target::{Address, Target, TargetError};
#[cfg(feature = "online")]
pub use verdict::{Problem, ProblemKind, Published, VerdictReport, publish, verify};
