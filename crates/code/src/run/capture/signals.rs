//! Signals that are sent to waag while a program runs are meant for the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, pthread_sigmask, raise};
use nix::sys::signalfd::SignalFd;
use nix::unistd::Pid;

const FORWARDED: [Signal; 6] =
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];
/// `SI_KERNEL`: the terminal sent it, to the program as well.
const BY_TERMINAL: i32 = 0x80;

/// Signals are held back and given to the program. Without one, they do what they always do.
#[derive(Debug)]
pub(in crate::run) struct Signals {
    program: Arc<AtomicI32>,
    /// The signals that were held back before.
    pub(in crate::run) before: SigSet,
}

impl Signals {
    /// From here on, for the calling thread and those that it starts.
    pub(in crate::run) fn hold() -> Self {
        let before = SigSet::thread_get_mask().unwrap_or_else(|_| SigSet::empty());
        let held: SigSet = FORWARDED.into_iter().collect();
        let program = Arc::new(AtomicI32::new(0));
        if pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&held), None).is_ok()
            && let Ok(descriptor) = SignalFd::new(&held)
        {
            let program = Arc::clone(&program);
            std::thread::spawn(move || forward(&descriptor, &program));
        }
        Self { program, before }
    }

    /// The program that is meant; 0 when it has ended.
    pub(in crate::run) fn meant_for(&self, program: i32) {
        self.program.store(program, Ordering::SeqCst);
    }
}

fn forward(descriptor: &SignalFd, program: &AtomicI32) {
    while let Ok(Some(received)) = descriptor.read_signal() {
        let Ok(number) = Signal::try_from(received.ssi_signo.cast_signed()) else { continue };
        match program.load(Ordering::SeqCst) {
            0 => end_by(number),
            _ if received.ssi_code == BY_TERMINAL => {}
            program => drop(kill(Pid::from_raw(program), number)),
        }
    }
}

/// No program runs: waag itself is meant.
fn end_by(number: Signal) {
    let only: SigSet = [number].into_iter().collect();
    let _ = pthread_sigmask(SigmaskHow::SIG_UNBLOCK, Some(&only), None);
    let _ = raise(number);
    // It was ignored.
    let _ = pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&only), None);
}
