//! What differs between processors: numbers of system calls, and how one is refused.

use std::io;

use nix::libc;
use nix::libc::{c_long, c_uint};

use super::filter::Mark;
use super::kernel::Thread;

/// `AUDIT_ARCH_*` of `linux/audit.h`.
#[cfg(target_arch = "x86_64")]
pub(super) const AUDIT: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub(super) const AUDIT: u32 = 0xc000_00b7;

/// Calls with this bit are of another table, on the same processor.
#[cfg(target_arch = "x86_64")]
pub(super) const OTHER_TABLE: Option<u32> = Some(0x4000_0000);
#[cfg(target_arch = "aarch64")]
pub(super) const OTHER_TABLE: Option<u32> = None;

/// Calls that every processor has.
const COMMON: [(c_long, Mark); 10] = [
    (libc::SYS_openat2, Mark::OpenAt2),
    (libc::SYS_renameat, Mark::RenameAt),
    (libc::SYS_renameat2, Mark::RenameAt),
    (libc::SYS_linkat, Mark::LinkAt),
    (libc::SYS_truncate, Mark::Truncate),
    (libc::SYS_connect, Mark::Connect),
    (libc::SYS_bind, Mark::Bind),
    (libc::SYS_ptrace, Mark::Ptrace),
    (libc::SYS_io_uring_setup, Mark::IoUring),
    (libc::SYS_open_by_handle_at, Mark::ByHandle),
];

/// Calls that only older processors have.
#[cfg(target_arch = "x86_64")]
const OLDER: [(c_long, Mark); 3] =
    [(libc::SYS_creat, Mark::Create), (libc::SYS_rename, Mark::Rename), (libc::SYS_link, Mark::Link)];
#[cfg(target_arch = "aarch64")]
const OLDER: [(c_long, Mark); 0] = [];

/// The old call that opens, where there is one.
#[cfg(target_arch = "x86_64")]
pub(super) const OPEN: Option<c_long> = Some(libc::SYS_open);
#[cfg(target_arch = "aarch64")]
pub(super) const OPEN: Option<c_long> = None;

/// Calls that are looked at whatever their arguments are.
pub(super) fn watched() -> impl Iterator<Item = (c_long, Mark)> {
    COMMON.into_iter().chain(OLDER)
}

/// Refuses the call that a thread stopped before: its number becomes one that there is not, and its result `EPERM`.
#[cfg(target_arch = "x86_64")]
pub(super) fn refuse_call(_thread: Thread, request: impl Fn(c_uint, usize, usize) -> io::Result<()>) -> io::Result<()> {
    // Offsets of `orig_rax` and `rax` in `struct user_regs_struct`, which is the start of `struct user`.
    const NUMBER: usize = 15 * 8;
    const RESULT: usize = 10 * 8;
    request(libc::PTRACE_POKEUSER as c_uint, NUMBER, usize::MAX)?;
    request(libc::PTRACE_POKEUSER as c_uint, RESULT, isize::from(-(libc::EPERM as i16)).cast_unsigned())
}

/// Refuses the call that a thread stopped before: its number becomes one that there is not. The kernel then leaves the
/// first register as it is, so it is set to `EPERM`.
#[cfg(target_arch = "aarch64")]
pub(super) fn refuse_call(_thread: Thread, request: impl Fn(c_uint, usize, usize) -> io::Result<()>) -> io::Result<()> {
    const NT_PRSTATUS: usize = 1;
    const NT_ARM_SYSTEM_CALL: usize = 0x404;
    let number: i32 = -1;
    let place = libc::iovec { iov_base: (&raw const number).cast_mut().cast(), iov_len: size_of::<i32>() };
    request(libc::PTRACE_SETREGSET as c_uint, NT_ARM_SYSTEM_CALL, &raw const place as usize)?;
    // x0..x30, sp, pc, pstate: only the first is changed.
    let mut registers = [0u64; 34];
    let place = libc::iovec { iov_base: (&raw mut registers).cast(), iov_len: size_of_val(&registers) };
    request(libc::PTRACE_GETREGSET as c_uint, NT_PRSTATUS, &raw const place as usize)?;
    registers[0] = i64::from(-libc::EPERM).cast_unsigned();
    request(libc::PTRACE_SETREGSET as c_uint, NT_PRSTATUS, &raw const place as usize)
}
