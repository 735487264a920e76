//! System calls that stopped a thread, as what they are about to do.

use std::path::{Path, PathBuf};

use nix::libc;

use super::filter::Mark;
use super::kernel::{CallInfo, Thread};
use super::memory;
use super::tracer::resolve;
use crate::run::place;

/// What a call is about to do.
#[derive(Debug)]
pub(super) enum Call {
    Open(Opening),
    Rename {
        old: PathBuf,
        new: PathBuf,
    },
    Link {
        old: PathBuf,
        new: PathBuf,
    },
    Truncate(PathBuf),
    Connect(String),
    Bind(String),
    /// It is to fail, because it would hide what follows.
    Refused(&'static str),
    /// It goes on, and something of it is not seen.
    Unseen(&'static str),
    /// Nothing that matters.
    Nothing,
}

/// A file that is about to be opened.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) path: PathBuf,
    /// Whether its bytes may change.
    pub(super) writes: bool,
    /// Whether what it has is thrown away.
    pub(super) truncates: bool,
    /// Whether the name alone does not tell what it leads to.
    pub(super) unclear: bool,
}

impl Opening {
    fn of(asked: &Path, path: PathBuf, flags: i32) -> Self {
        let reads_only = flags & libc::O_ACCMODE == libc::O_RDONLY;
        let truncates = flags & libc::O_TRUNC != 0;
        // Making an empty file is writing it; opening one that is there is not.
        let makes = flags & libc::O_CREAT != 0 && !path.exists();
        let unclear = place::goes_up(asked);
        Self { path, writes: !reads_only || truncates || makes, truncates, unclear }
    }
}

impl Call {
    pub(super) fn of(thread: Thread, info: &CallInfo) -> Self {
        let [first, second, third, fourth, fifth, sixth] = info.arguments();
        let here = libc::AT_FDCWD;
        let folder = |argument: u64| (argument & 0xffff_ffff) as u32 as i32;
        let flags = |argument: u64| (argument & 0xffff_ffff) as u32 as i32;
        let open = |folder, name, flags| opening(thread, folder, name, flags);
        let Some(mark) = Mark::of(info.marked()).filter(|mark| mark.fits(info.number())) else {
            return Self::Refused(
                "calls that a filter of the program's own stopped were refused: they would go unseen",
            );
        };
        match mark {
            Mark::Open => open(here, first, flags(second)),
            Mark::OpenAt => open(folder(first), second, flags(third)),
            Mark::OpenAt2 => match memory::number(thread, third) {
                Some(how) => open(folder(first), second, flags(how)),
                None => Self::Nothing,
            },
            Mark::Create => open(here, first, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC),
            Mark::Rename => names(thread, (here, first), (here, second), |old, new| Self::Rename { old, new }),
            Mark::RenameAt => {
                names(thread, (folder(first), second), (folder(third), fourth), |old, new| Self::Rename { old, new })
            }
            Mark::Link => names(thread, (here, first), (here, second), |old, new| Self::Link { old, new }),
            Mark::LinkAt => {
                names(thread, (folder(first), second), (folder(third), fourth), |old, new| Self::Link { old, new })
            }
            Mark::Truncate => path(thread, here, first).map_or(Self::Nothing, |(_, path)| Self::Truncate(path)),
            Mark::Connect => memory::address(thread, second, third).map_or(Self::Nothing, Self::Connect),
            Mark::SendTo => memory::address(thread, fifth, sixth).map_or(Self::Nothing, Self::Connect),
            Mark::Bind => memory::address(thread, second, third).map_or(Self::Nothing, Self::Bind),
            Mark::Ptrace => Self::Unseen("calls of ptrace: a program that is watched cannot be watched by another"),
            Mark::IoUring => Self::Refused("io_uring was refused: it would open files unseen"),
            Mark::ByHandle => Self::Refused("opening by handle was refused: it would open files unseen"),
            Mark::Listener => {
                Self::Refused("a listener to system calls was refused: it would let files be opened unseen")
            }
            Mark::Foreign => Self::Refused("calls of another architecture were refused: they would go unseen"),
        }
    }
}

fn path(thread: Thread, folder: i32, name: u64) -> Option<(PathBuf, PathBuf)> {
    let asked = memory::name(thread, name)?;
    let path = resolve(thread, folder, &asked)?;
    Some((asked, path))
}

fn opening(thread: Thread, folder: i32, name: u64, flags: i32) -> Call {
    if flags & libc::O_PATH != 0 {
        return Call::Nothing;
    }
    match path(thread, folder, name) {
        Some((asked, path)) => Call::Open(Opening::of(&asked, path, flags)),
        None if is_readable(thread) => Call::Nothing,
        None => Call::Unseen("files opened by a program that lets nobody look at it"),
    }
}

/// Whether the thread's memory can be seen at all: what it gave to the kernel may just be no address.
fn is_readable(thread: Thread) -> bool {
    std::fs::read_link(format!("/proc/{thread}/cwd")).is_ok()
}

fn names(thread: Thread, old: (i32, u64), new: (i32, u64), call: impl FnOnce(PathBuf, PathBuf) -> Call) -> Call {
    match (path(thread, old.0, old.1), path(thread, new.0, new.1)) {
        (Some((_, old)), Some((_, new))) => call(entry(&old), entry(&new)),
        _ => Call::Nothing,
    }
}

/// The name of an entry, with the links of its folder followed, but not its own.
fn entry(path: &Path) -> PathBuf {
    match (path.parent().map(std::fs::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}
