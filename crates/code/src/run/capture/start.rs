//! Starts the program: stopped before its first instruction, watched and confined as asked.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, Command};

use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};

use super::filter;
use super::kernel::{self, Thread};
use super::sandbox::Ruleset;

/// Why a program could not be started.
#[derive(Debug)]
pub(super) enum StartError {
    /// It may not be watched here.
    Unwatchable(io::Error),
    /// It could not be confined.
    Unconfined(io::Error),
    /// It is not there, or is no program.
    Command(io::Error),
}

/// What holds for the program.
#[derive(Debug)]
pub(super) struct Confinement {
    pub(super) watched: bool,
    pub(super) no_network: bool,
    pub(super) ruleset: Option<Ruleset>,
    /// The signals that were held back before waag held back more.
    pub(super) signals: SigSet,
}

// What the child says when a step fails.
const NOT_WATCHED: u8 = b'w';
const NOT_CONFINED: u8 = b'c';

/// Starts it. With `watched`, the calling thread is its tracer, and no other thread may wait for it.
pub(super) fn start(mut command: Command, confinement: Confinement) -> Result<Child, StartError> {
    let watched = confinement.watched;
    let (mut said, say) = io::pipe().map_err(StartError::Command)?;
    let (hear, mut answer) = io::pipe().map_err(StartError::Command)?;
    prepare(&mut command, confinement, hear, say);
    // The child waits for its tracer before it becomes another program, and `spawn` waits for that.
    let spawner = std::thread::spawn(move || command.spawn());
    let tracing = if watched { trace(&mut said, &mut answer) } else { Ok(()) };
    let spawned = spawner.join().unwrap_or_else(|_| Err(io::Error::other("starting it broke off")));
    match (spawned, tracing) {
        (Ok(child), _) => Ok(child),
        (Err(_), Err(error)) => Err(StartError::Unwatchable(error)),
        (Err(error), Ok(())) => Err(told(&mut said, error)),
    }
}

fn trace(said: &mut PipeReader, answer: &mut PipeWriter) -> io::Result<()> {
    let mut number = [0; 4];
    // Nothing is said when there is no child; `spawn` says why.
    if said.read_exact(&mut number).is_err() {
        return Ok(());
    }
    let seized = kernel::seize(Thread::from_ne_bytes(number));
    answer.write_all(if seized.is_ok() { b"y" } else { b"n" })?;
    seized
}

fn told(said: &mut PipeReader, error: io::Error) -> StartError {
    let mut step = [0];
    match said.read(&mut step) {
        Ok(1) if step[0] == NOT_WATCHED => StartError::Unwatchable(error),
        Ok(1) if step[0] == NOT_CONFINED => StartError::Unconfined(error),
        _ => StartError::Command(error),
    }
}

/// Adds the steps of the child. All memory is made here, before the fork.
fn prepare(command: &mut Command, confinement: Confinement, hear: PipeReader, say: PipeWriter) {
    let Confinement { watched, no_network, mut ruleset, signals } = confinement;
    let (watching, without_network) = (filter::watching(), filter::without_network());
    kernel::before_exec(command, move || {
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&signals), None)?;
        if watched {
            wait_for_tracer(&hear, &say)?;
        }
        let failed = |step: u8| {
            let _ = nix::unistd::write(say.as_fd(), &[step]);
            io::Error::last_os_error()
        };
        if let Some(ruleset) = ruleset.take() {
            ruleset.enforce().map_err(|()| failed(NOT_CONFINED))?;
        }
        if no_network {
            seccompiler::apply_filter(&without_network).map_err(|_| failed(NOT_CONFINED))?;
        }
        if watched {
            seccompiler::apply_filter(&watching).map_err(|_| failed(NOT_WATCHED))?;
        }
        Ok(())
    });
}

fn wait_for_tracer(hear: &PipeReader, say: &PipeWriter) -> io::Result<()> {
    nix::unistd::write(say.as_fd(), &nix::unistd::getpid().as_raw().to_ne_bytes())?;
    let mut answer = [0];
    nix::unistd::read(hear.as_fd(), &mut answer)?;
    if answer == *b"y" { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}
