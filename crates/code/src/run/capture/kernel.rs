//! The calls to the system that Rust cannot check, each with the reason why it is sound. Nothing else in this crate is
//! unsafe.

#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::libc;

use super::architecture;

/// A thread of a traced program, as the kernel numbers it.
pub(super) type Thread = libc::pid_t;

/// Children and threads are followed from their first instruction; when waag dies, nothing goes on unwatched.
const OPTIONS: libc::c_int = libc::PTRACE_O_TRACESECCOMP
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_EXITKILL;
/// `PTRACE_GET_SYSCALL_INFO`, Linux 5.3.
const GET_SYSCALL_INFO: libc::c_uint = 0x420e;
const PTRACE_LISTEN: libc::c_uint = 0x4208;
const EVENT_STOP: libc::c_int = 128;

/// What a system call is about to do, or what it gave back: `struct ptrace_syscall_info` of `linux/ptrace.h`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CallInfo {
    operation: u8,
    padding: [u8; 3],
    architecture: u32,
    instruction: u64,
    stack: u64,
    data: [u64; 8],
}

impl CallInfo {
    /// The six arguments; of a stop before the call.
    pub(super) fn arguments(&self) -> [u64; 6] {
        let [_, first, second, third, fourth, fifth, sixth, _] = self.data;
        [first, second, third, fourth, fifth, sixth]
    }

    /// The number of the call; of a stop before it.
    pub(super) fn number(&self) -> u64 {
        self.data[0]
    }

    /// What the filter said of it; of a stop before the call.
    pub(super) fn marked(&self) -> u16 {
        (self.data[7] & 0xffff) as u16
    }

    /// What the call gave back; of a stop after it. Negative when it failed.
    pub(super) fn result(&self) -> i64 {
        self.data[0].cast_signed()
    }
}

/// Why a thread stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It ended.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
    /// The filter stopped it before a call.
    Filter,
    /// A call is done.
    CallDone,
    /// Another program runs in it.
    Exec,
    /// All threads of its process are stopped by this signal.
    Group(i32),
    /// It is about to receive a signal.
    Signal(i32),
    /// Something that needs no answer: a child, or the first stop of one.
    Other,
}

impl Stop {
    fn of(status: libc::c_int) -> Self {
        if libc::WIFEXITED(status) {
            return Self::Exited(libc::WEXITSTATUS(status));
        }
        if libc::WIFSIGNALED(status) {
            return Self::Killed(libc::WTERMSIG(status));
        }
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        match event {
            0 if signal == libc::SIGTRAP | 0x80 => Self::CallDone,
            0 => Self::Signal(signal),
            libc::PTRACE_EVENT_SECCOMP => Self::Filter,
            libc::PTRACE_EVENT_EXEC => Self::Exec,
            EVENT_STOP if [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&signal) => {
                Self::Group(signal)
            }
            _ => Self::Other,
        }
    }
}

fn request(request: libc::c_uint, thread: Thread, address: usize, data: usize) -> io::Result<libc::c_long> {
    // SAFETY: the requests of this file take numbers, or an address and a length that the caller keeps valid for the call.
    let done = unsafe { libc::ptrace(request as _, thread, address, data) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(done) }
}

/// Becomes the tracer of a child that waits for it.
pub(super) fn seize(thread: Thread) -> io::Result<()> {
    request(libc::PTRACE_SEIZE as libc::c_uint, thread, 0, OPTIONS.cast_unsigned() as usize).map(drop)
}

/// Lets a thread go on, and receive a signal when it is not 0. With `after_call`, until its call is done.
pub(super) fn go_on(thread: Thread, signal: i32, after_call: bool) {
    let kind = if after_call { libc::PTRACE_SYSCALL } else { libc::PTRACE_CONT };
    // A thread that was killed meanwhile is told by the next wait.
    let _ = request(kind as libc::c_uint, thread, 0, usize::try_from(signal).unwrap_or(0));
}

/// Leaves a thread stopped as the signal wants, until another one lets it go on.
pub(super) fn stay_stopped(thread: Thread) {
    let _ = request(PTRACE_LISTEN, thread, 0, 0);
}

/// What the call is that a thread stopped at.
pub(super) fn call_of(thread: Thread) -> io::Result<CallInfo> {
    let mut info = CallInfo::default();
    let address = &raw mut info as usize;
    // The kernel writes no more than the size that it is told.
    request(GET_SYSCALL_INFO, thread, size_of::<CallInfo>(), address)?;
    Ok(info)
}

/// Lets the call that a thread stopped before fail with `EPERM`.
pub(super) fn refuse_call(thread: Thread) -> io::Result<()> {
    architecture::refuse_call(thread, |kind, address, data| request(kind, thread, address, data).map(drop))
}

/// Waits until a traced thread stops or ends. None when there is none left.
pub(super) fn wait() -> io::Result<Option<(Thread, Stop)>> {
    loop {
        let mut status = 0;
        // SAFETY: the status is a place for one number, which is all that is written.
        let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
        if thread > 0 {
            return Ok(Some((thread, Stop::of(status))));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECHILD) => return Ok(None),
            _ => return Err(error),
        }
    }
}

/// Runs a step in the child, between fork and exec.
pub(super) fn before_exec(command: &mut Command, step: impl FnMut() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: the steps that are given here make system calls and touch memory that was made before the fork. They
    // neither allocate nor take locks, which another thread of the parent may have held.
    unsafe { command.pre_exec(step) };
}

/// Makes the calling thread give way to others: what is watched goes first.
pub(in crate::run) fn give_way() {
    // SAFETY: three numbers; 0 names the calling thread.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
}
