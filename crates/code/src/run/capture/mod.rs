//! Watching by `ptrace`, where a seccomp filter lets all but a few calls through at full speed: Linux on x86-64 and
//! 64-bit ARM. Nothing of it needs privileges.

mod architecture;
mod calls;
mod filter;
mod kernel;
mod memory;
mod sandbox;
mod signals;
mod start;
mod tracer;

use std::io;
use std::process::Child;

use nix::unistd::Pid;

use self::start::{Confinement, StartError};
use self::tracer::Tracer;
use super::asked::{Asked, Failed};
use super::log;
use super::record::Record;

pub(super) use kernel::give_way;
pub(super) use sandbox::support as sandbox_support;
pub(super) use signals::Signals;

/// Runs it to its end and that of everything it started. Gives its exit code and what was seen.
pub(super) fn run(mut asked: Asked<'_>) -> Result<(u8, Record), Failed> {
    let ruleset = ruleset(&asked)?;
    let log = asked.log.map(|path| log::Log::open(path, &mut asked.command)).transpose().map_err(Failed::Log)?;
    let confinement =
        Confinement { watched: asked.watched, no_network: asked.no_network, ruleset, signals: asked.signals.before };
    let mut child = start::start(asked.command, confinement).map_err(|error| match error {
        StartError::Unwatchable(error) => Failed::Unwatchable(error),
        StartError::Unconfined(error) => Failed::Unconfined(error.to_string()),
        StartError::Command(error) => Failed::Command(error),
    })?;
    let logging = log.map(|log| log.follow(&mut child));
    let main = Pid::from_raw(child.id().cast_signed());
    asked.signals.meant_for(main.as_raw());
    let done = if asked.watched {
        let mut tracer = Tracer::new(main.as_raw(), asked.places, asked.hashing);
        let code = tracer.follow(|| asked.signals.meant_for(0));
        code.map(|code| (code, tracer.record))
    } else {
        unwatched(&mut child).map(|code| (code, Record::default()))
    };
    asked.signals.meant_for(0);
    logging.into_iter().for_each(log::Logging::finish);
    done.map_err(Failed::Lost)
}

fn ruleset(asked: &Asked<'_>) -> Result<Option<sandbox::Ruleset>, Failed> {
    if asked.writable.is_some() && sandbox::support().is_none() {
        return Err(Failed::Unconfined("the kernel has no Landlock, or it is turned off".into()));
    }
    let wanted = asked.writable.is_some() || (asked.no_network && sandbox::support_network());
    let rules = wanted.then(|| sandbox::rules(asked.writable, asked.no_network)).transpose();
    rules.map_err(|error| Failed::Unconfined(error.to_string()))
}

fn unwatched(child: &mut Child) -> io::Result<u8> {
    use std::os::unix::process::ExitStatusExt as _;
    let status = child.wait()?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok((code & 0xff) as u8)
}
