//! Where nothing can be watched: the program runs, and what was declared is all that is known.

use std::io;

use super::asked::{Asked, Failed};
use super::log;
use super::record::Record;

/// Signals go where they go.
#[derive(Debug)]
pub(super) struct Signals;

impl Signals {
    pub(super) fn hold() -> Self {
        Self
    }
}

pub(super) fn give_way() {}

pub(super) fn sandbox_support() -> Option<String> {
    None
}

/// Runs it to its end.
pub(super) fn run(mut asked: Asked<'_>) -> Result<(u8, Record), Failed> {
    if asked.watched {
        return Err(Failed::Unwatchable(io::ErrorKind::Unsupported.into()));
    }
    if asked.no_network || asked.writable.is_some() {
        return Err(Failed::Unconfined("only Linux on x86-64 and 64-bit ARM can do that".into()));
    }
    let log = asked.log.map(|path| log::Log::open(path, &mut asked.command)).transpose().map_err(Failed::Log)?;
    let mut child = asked.command.spawn().map_err(Failed::Command)?;
    let logging = log.map(|log| log.follow(&mut child));
    let status = child.wait().map_err(Failed::Lost)?;
    logging.into_iter().for_each(log::Logging::finish);
    Ok(((status.code().unwrap_or(1) & 0xff) as u8, Record::default()))
}
