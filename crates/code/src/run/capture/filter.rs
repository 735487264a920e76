//! The filter that the kernel runs before every system call of the program: a handful of calls stop it, all others go
//! through at full speed.

use nix::libc;
use seccompiler::sock_filter;

use super::architecture::{AUDIT, OPEN, OTHER_TABLE, watched};

/// What a stopped call is, as the filter tells the tracer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Mark {
    OpenAt = 1,
    Open,
    OpenAt2,
    Create,
    Rename,
    RenameAt,
    Link,
    LinkAt,
    Truncate,
    Connect,
    Bind,
    SendTo,
    Ptrace,
    IoUring,
    ByHandle,
    Listener,
    Foreign,
}

impl Mark {
    const ALL: [Self; 17] = [
        Self::OpenAt,
        Self::Open,
        Self::OpenAt2,
        Self::Create,
        Self::Rename,
        Self::RenameAt,
        Self::Link,
        Self::LinkAt,
        Self::Truncate,
        Self::Connect,
        Self::Bind,
        Self::SendTo,
        Self::Ptrace,
        Self::IoUring,
        Self::ByHandle,
        Self::Listener,
        Self::Foreign,
    ];

    /// The one with this number.
    pub(super) fn of(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| *mark as u16 == number)
    }

    /// Whether a call of this number can have this mark. A later filter of the program's own may say what it likes.
    pub(super) fn fits(self, call: u64) -> bool {
        let is = |number: libc::c_long| u64::try_from(number).is_ok_and(|number| number == call);
        match self {
            Self::Foreign => true,
            Self::OpenAt => is(libc::SYS_openat),
            Self::Open => OPEN.is_some_and(is),
            Self::SendTo => is(libc::SYS_sendto),
            Self::Listener => is(libc::SYS_seccomp),
            _ => watched().any(|(number, mark)| mark == self && is(number)),
        }
    }

    const fn stop(self) -> u32 {
        libc::SECCOMP_RET_TRACE | self as u32
    }
}

// Offsets in `struct seccomp_data` of `linux/seccomp.h`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// The lower half of an argument, on a little-endian processor.
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
/// The bit by which `O_TMPFILE` differs from opening a folder.
const NAMELESS: u32 = (libc::O_TMPFILE & !libc::O_DIRECTORY).cast_unsigned();
/// `SECCOMP_FILTER_FLAG_NEW_LISTENER` of `linux/seccomp.h`.
const NEW_LISTENER: u32 = 1 << 3;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
const GO: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;

const fn step(code: u16, value: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k: value }
}

/// Skips `steps` when the condition does not hold.
const fn unless(code: u16, value: u32, steps: u8) -> sock_filter {
    sock_filter { code, jt: 0, jf: steps, k: value }
}

/// The filter that stops what is watched. What is to be refused stops too: the tracer refuses it, and remembers.
pub(super) fn watching() -> Vec<sock_filter> {
    let mut filter = head(Mark::Foreign.stop());
    for (call, mark) in watched() {
        filter.extend([unless(EQUAL, call as u32, 1), step(RETURN, mark.stop())]);
    }
    opens(&mut filter, libc::SYS_openat, 2, Mark::OpenAt);
    if let Some(call) = OPEN {
        opens(&mut filter, call, 1, Mark::Open);
    }
    // Whoever answers calls of the program for the kernel lets them through before this filter has its say.
    filter.extend([
        unless(EQUAL, libc::SYS_seccomp as u32, 4),
        step(LOAD, argument(1)),
        unless(ANY_BIT, NEW_LISTENER, 1),
        step(RETURN, Mark::Listener.stop()),
        step(RETURN, GO),
    ]);
    // Most send to whom they are connected to: no address, and nothing to see.
    filter.extend([
        unless(EQUAL, libc::SYS_sendto as u32, 6),
        step(LOAD, argument(4)),
        unless(EQUAL, 0, 3),
        step(LOAD, argument(4) + 4),
        unless(EQUAL, 0, 1),
        step(RETURN, GO),
        step(RETURN, Mark::SendTo.stop()),
    ]);
    filter.push(step(RETURN, GO));
    filter
}

/// Opening a folder, or a mere handle of a place, reads no file; a file without a name is one all the same.
fn opens(filter: &mut Vec<sock_filter>, call: libc::c_long, flags: u32, mark: Mark) {
    filter.extend([
        unless(EQUAL, call as u32, 6),
        step(LOAD, argument(flags)),
        unless(ANY_BIT, NAMELESS, 1),
        step(RETURN, mark.stop()),
        unless(ANY_BIT, (libc::O_DIRECTORY | libc::O_PATH).cast_unsigned(), 1),
        step(RETURN, GO),
        step(RETURN, mark.stop()),
    ]);
}

/// The filter that lets no socket be made but those within this machine, and no ring that could make one.
pub(super) fn without_network() -> Vec<sock_filter> {
    let mut filter = head(REFUSE);
    filter.extend([unless(EQUAL, libc::SYS_io_uring_setup as u32, 1), step(RETURN, REFUSE)]);
    filter.extend([
        unless(EQUAL, libc::SYS_socket as u32, 6),
        step(LOAD, argument(0)),
        unless(EQUAL, libc::AF_UNIX.cast_unsigned(), 1),
        step(RETURN, GO),
        unless(EQUAL, libc::AF_NETLINK.cast_unsigned(), 1),
        step(RETURN, GO),
        step(RETURN, REFUSE),
        step(RETURN, GO),
    ]);
    filter
}

/// Leaves the number of the call to what follows. `foreign` meets calls of another architecture or table, whose numbers
/// would mean something else.
fn head(foreign: u32) -> Vec<sock_filter> {
    let mut head =
        vec![step(LOAD, ARCHITECTURE), sock_filter { code: EQUAL, jt: 1, jf: 0, k: AUDIT }, step(RETURN, foreign)];
    head.push(step(LOAD, NUMBER));
    if let Some(bit) = OTHER_TABLE {
        head.extend([unless(ANY_BIT, bit, 1), step(RETURN, foreign)]);
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a filter as the kernel does: the few instructions that are used here.
    fn verdict(filter: &[sock_filter], number: u32, architecture: u32, arguments: [u64; 6]) -> u32 {
        let mut data = [number.to_le_bytes(), architecture.to_le_bytes()].concat();
        data.extend([0; 8]);
        arguments.iter().for_each(|argument| data.extend(argument.to_le_bytes()));
        let (mut at, mut value) = (0, 0);
        loop {
            let now = &filter[at];
            at += 1;
            match now.code {
                LOAD => value = u32::from_le_bytes(data[now.k as usize..][..4].try_into().unwrap()),
                EQUAL => at += usize::from(if value == now.k { now.jt } else { now.jf }),
                ANY_BIT => at += usize::from(if value & now.k != 0 { now.jt } else { now.jf }),
                RETURN => return now.k,
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn what_matters_stops_and_nothing_else() {
        let filter = watching();
        let of = |call: i64, arguments| verdict(&filter, call as u32, AUDIT, arguments);
        for (call, mark) in watched() {
            assert_eq!(of(call, [0; 6]), mark.stop());
        }
        assert_eq!(of(libc::SYS_openat, [0; 6]), Mark::OpenAt.stop());
        assert_eq!(of(libc::SYS_openat, [0, 0, libc::O_DIRECTORY as u64, 0, 0, 0]), GO);
        assert_eq!(of(libc::SYS_openat, [0, 0, libc::O_TMPFILE as u64, 0, 0, 0]), Mark::OpenAt.stop());
        assert_eq!(of(libc::SYS_sendto, [0; 6]), GO);
        assert_eq!(of(libc::SYS_sendto, [0, 0, 0, 0, 1, 0]), Mark::SendTo.stop());
        assert_eq!(of(libc::SYS_sendto, [0, 0, 0, 0, 1 << 32, 0]), Mark::SendTo.stop());
        assert_eq!(of(libc::SYS_seccomp, [1, 0, 1, 0, 0, 0]), GO);
        assert_eq!(of(libc::SYS_seccomp, [1, u64::from(NEW_LISTENER) | 1, 1, 0, 0, 0]), Mark::Listener.stop());
        for call in [libc::SYS_read, libc::SYS_write, libc::SYS_mmap, libc::SYS_futex, libc::SYS_newfstatat] {
            assert_eq!(of(call, [1; 6]), GO);
        }
        assert_eq!(verdict(&filter, libc::SYS_read as u32, 0x4000_0003, [0; 6]), Mark::Foreign.stop());
        if let Some(bit) = OTHER_TABLE {
            assert_eq!(of(libc::SYS_read | i64::from(bit), [0; 6]), Mark::Foreign.stop());
        }
    }

    #[test]
    fn without_network_there_are_sockets_within_the_machine_only() {
        let filter = without_network();
        let socket = |family: i32| verdict(&filter, libc::SYS_socket as u32, AUDIT, [family as u64, 0, 0, 0, 0, 0]);
        assert_eq!(socket(libc::AF_INET), REFUSE);
        assert_eq!(socket(libc::AF_INET6), REFUSE);
        assert_eq!(socket(libc::AF_PACKET), REFUSE);
        assert_eq!(socket(libc::AF_UNIX), GO);
        assert_eq!(verdict(&filter, libc::SYS_io_uring_setup as u32, AUDIT, [0; 6]), REFUSE);
        assert_eq!(verdict(&filter, libc::SYS_read as u32, AUDIT, [0; 6]), GO);
    }

    #[test]
    fn marks_belong_to_their_calls() {
        assert!(watched().all(|(call, mark)| mark.fits(call as u64)));
        assert!(Mark::OpenAt.fits(libc::SYS_openat as u64) && Mark::Listener.fits(libc::SYS_seccomp as u64));
        assert!(!Mark::Bind.fits(libc::SYS_openat as u64) && !Mark::OpenAt.fits(libc::SYS_openat2 as u64));
    }

    #[test]
    fn marks_have_their_own_numbers() {
        for mark in Mark::ALL {
            assert_eq!(Mark::of(mark as u16), Some(mark));
        }
        assert_eq!(Mark::of(0), None);
    }
}
