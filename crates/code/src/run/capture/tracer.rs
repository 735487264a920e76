//! Follows a program and everything that it starts, from stop to stop, and remembers what matters.
//!
//! A call is looked at before it is made. Only where the name that is given says too little, the thread is stopped a second
//! time, when the call is done: files that are written, and files of the user's own that were not seen yet, whose links
//! are followed by what the kernel opened.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use nix::libc;

use super::calls::{Call, Opening};
use super::kernel::{self, Stop, Thread};
use crate::run::hashing::{Hashing, Urgency, hash_file};
use crate::run::place::{self, Place, Places};
use crate::run::record::{Read, Record, Write};
use crate::run::stamp::Stamp;

/// Files that are written to where they are, up to which the bytes before are hashed while the program waits.
const HASHED_AT_ONCE: u64 = 16 << 20;
/// Names that are remembered as seen.
const MAX_SEEN: usize = 500_000;

/// What a thread is doing while its call is made.
#[derive(Debug)]
enum Pending {
    Read(PathBuf),
    Write { path: PathBuf, before: Option<Before> },
    Rename { old: PathBuf, new: PathBuf, moved: Option<(File, Read)> },
    Link { old: PathBuf, new: PathBuf },
    Truncate { path: PathBuf, before: Before },
}

/// A file before it is written to.
#[derive(Debug, Clone, Default)]
struct Before {
    /// What it was, when some of its bytes stay.
    kept: Option<Read>,
}

/// Follows one run.
#[derive(Debug)]
pub(super) struct Tracer<'a> {
    pub(super) places: &'a Places,
    pub(super) hashing: &'a Hashing,
    pub(super) record: Record,
    pending: HashMap<Thread, Pending>,
    /// Names that were looked at, with the file that each led to: it may lead to another one by now.
    seen: HashMap<PathBuf, Identity>,
    main: Thread,
    started: bool,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(main: Thread, places: &'a Places, hashing: &'a Hashing) -> Self {
        Self {
            places,
            hashing,
            record: Record::default(),
            pending: HashMap::new(),
            seen: HashMap::new(),
            main,
            started: false,
        }
    }

    /// Follows until nothing is left that runs. Gives the program's exit code, 128 and the signal when one ended it.
    pub(super) fn follow(&mut self, mut main_ended: impl FnMut()) -> io::Result<u8> {
        let mut code = None;
        while let Some((thread, stop)) = kernel::wait()? {
            match stop {
                Stop::Exited(_) | Stop::Killed(_) => {
                    self.pending.remove(&thread);
                    if thread == self.main {
                        code = Some(exit_code(stop));
                        main_ended();
                    }
                }
                Stop::Filter => self.before_call(thread),
                Stop::CallDone => {
                    self.after_call(thread);
                    kernel::go_on(thread, 0, false);
                }
                Stop::Exec => {
                    self.executed(thread);
                    kernel::go_on(thread, 0, false);
                }
                Stop::Group(_) => kernel::stay_stopped(thread),
                Stop::Signal(signal) => kernel::go_on(thread, signal, self.pending.contains_key(&thread)),
                Stop::Other => kernel::go_on(thread, 0, false),
            }
        }
        code.ok_or_else(|| io::Error::other("it ended unseen"))
    }

    fn executed(&mut self, thread: Thread) {
        self.pending.remove(&thread);
        match std::fs::read_link(format!("/proc/{thread}/exe")) {
            Ok(program) => {
                self.programs_bits(thread);
                self.hashing.want(&program, None, Urgency::Later);
                self.record.ran(program);
            }
            Err(_) => self.record.gap("programs whose file is not known"),
        }
        if !std::mem::replace(&mut self.started, true) {
            self.inherited(thread);
        }
    }

    /// What runs with other rights than its user's cannot be watched by that user, so the kernel leaves the rights out.
    fn programs_bits(&mut self, thread: Thread) {
        use std::os::unix::fs::MetadataExt as _;
        if std::fs::metadata(format!("/proc/{thread}/exe")).is_ok_and(|file| file.mode() & 0o6000 != 0) {
            self.record.gap("programs that were to run as another user (setuid), and ran as this one");
        }
    }

    /// Files that the program was given open, such as the standard input.
    fn inherited(&mut self, thread: Thread) {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{thread}/fd")) else { return };
        for descriptor in descriptors.flatten() {
            let place = descriptor.path();
            let flags = std::fs::metadata(&place).ok().filter(Metadata::is_file).and_then(|_| flags_of(&place));
            let (Some(flags), Ok(real)) = (flags, std::fs::read_link(&place)) else { continue };
            match flags & libc::O_ACCMODE.cast_unsigned() {
                0 => self.opened_to_read(&place, &real, real.clone()),
                // What waag has to say goes there too, when all is hashed.
                _ if place.ends_with("2") => {}
                _ => self.record.wrote(&real, Write { existed: false }),
            }
        }
    }

    fn before_call(&mut self, thread: Thread) {
        let call = kernel::call_of(thread).ok().map(|info| Call::of(thread, &info));
        let pending = match call {
            Some(Call::Open(opening)) => self.opening(&opening),
            Some(Call::Refused(why)) => {
                self.record.gap(why);
                let _ = kernel::refuse_call(thread);
                None
            }
            Some(Call::Rename { old, new }) => self.naming(old, new).map(|(old, new)| {
                let moved = self.moving(&old);
                Pending::Rename { old, new, moved }
            }),
            Some(Call::Link { old, new }) => self.naming(old, new).map(|(old, new)| Pending::Link { old, new }),
            Some(Call::Truncate(path)) => {
                let before = self.before(&path, true);
                Some(Pending::Truncate { before: before.unwrap_or_default(), path })
            }
            Some(Call::Connect(address)) => {
                self.record.connects(address);
                None
            }
            Some(Call::Bind(address)) => {
                self.record.binds(address);
                None
            }
            Some(Call::Unseen(what)) => {
                self.record.gap(what);
                None
            }
            Some(Call::Nothing) | None => None,
        };
        let after_call = pending.is_some();
        if let Some(pending) = pending {
            self.pending.insert(thread, pending);
        }
        kernel::go_on(thread, 0, after_call);
    }

    fn opening(&mut self, opening: &Opening) -> Option<Pending> {
        let path = &opening.path;
        if opening.writes {
            let before = self.before(path, !opening.truncates);
            return Some(Pending::Write { path: path.clone(), before });
        }
        // What goes up, and may go through links on its way, is told by what the kernel opens.
        let place = if opening.unclear { Place::Own } else { self.places.of(path) };
        match place {
            // What lies nowhere by its name can be a link: `/proc/self/fd/3`, or one that the program made.
            Place::Nowhere | Place::Own => {
                let is_seen = self.seen.get(path).is_some_and(|seen| identity(path) == Some(*seen));
                (!is_seen).then(|| Pending::Read(path.clone()))
            }
            Place::Package | Place::Standard | Place::System => {
                self.fold(path);
                None
            }
        }
    }

    fn fold(&mut self, path: &Path) {
        if self.record.fold(path) {
            self.hashing.want(path, None, Urgency::Later);
        }
    }

    /// Looks at a file that is about to be written to. None when there is none.
    fn before(&mut self, path: &Path, keeps: bool) -> Option<Before> {
        let metadata = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
        let real = std::fs::canonicalize(path).ok()?;
        // Its digest is of the bytes that were read, so they must not change before it is taken.
        self.hashing.settle(&real);
        let known = self.record.reads.contains_key(&real) || self.record.writes.contains_key(&real);
        if !keeps || known || metadata.len() == 0 || self.places.of(&real) == Place::Nowhere {
            return Some(Before::default());
        }
        let digest = (metadata.len() <= HASHED_AT_ONCE).then(|| hash_file(path).ok()?.digest).flatten();
        if digest.is_none() {
            self.record.gap("long files that were written to where they are: what they were before is not known");
        }
        Some(Before {
            kept: Some(Read {
                asked: path.to_owned(),
                stamp: Some(Stamp::of(&metadata)),
                digest,
                program: false,
                moved: false,
            }),
        })
    }

    /// Before a name is taken, whoever had it is read to its end.
    fn naming(&mut self, old: PathBuf, new: PathBuf) -> Option<(PathBuf, PathBuf)> {
        (self.places.of(&new) != Place::Nowhere).then_some((old, new))
    }

    /// A file that was there before the run, and is about to get another name: it is an input, whatever becomes of it.
    fn moving(&self, old: &Path) -> Option<(File, Read)> {
        if self.places.of(old) != Place::Own || self.record.writes.contains_key(old) {
            return None;
        }
        let is_file = std::fs::symlink_metadata(old).is_ok_and(|metadata| metadata.is_file());
        let file = is_file.then(|| File::open(old).ok()).flatten()?;
        let stamp = Some(Stamp::of(&file.metadata().ok()?));
        Some((file, Read { asked: old.to_owned(), stamp, ..Read::default() }))
    }

    fn renamed(&mut self, old: &Path, new: &Path, moved: Option<(File, Read)>) {
        if let Some((file, read)) = moved
            && self.record.read(old, read)
        {
            self.hashing.want(old, Some(file), Urgency::Now);
        }
        self.record.renamed(old, new);
    }

    fn after_call(&mut self, thread: Thread) {
        let (Some(pending), Ok(info)) = (self.pending.remove(&thread), kernel::call_of(thread)) else { return };
        let result = info.result();
        if result < 0 {
            return;
        }
        let opened = || PathBuf::from(format!("/proc/{thread}/fd/{result}"));
        match pending {
            Pending::Read(path) => {
                let descriptor = opened();
                let real = std::fs::read_link(&descriptor).unwrap_or_else(|_| path.clone());
                self.opened_to_read(&descriptor, &real, path);
            }
            Pending::Write { path, before } => self.opened_to_write(&opened(), &path, before),
            Pending::Rename { old, new, moved } => self.renamed(&old, &new, moved),
            Pending::Link { old, new } => self.record.linked(&old, &new),
            Pending::Truncate { path, before } => self.wrote(&path, Some(before)),
        }
    }

    fn opened_to_read(&mut self, descriptor: &Path, real: &Path, asked: PathBuf) {
        // What descriptors are called in `/proc` is never twice the same.
        if let Some(identity) =
            identity(descriptor).filter(|_| self.seen.len() < MAX_SEEN && !asked.starts_with("/proc"))
        {
            self.seen.insert(asked.clone(), identity);
        }
        match self.places.of(real) {
            Place::Nowhere => return,
            Place::Own => {}
            Place::Package | Place::Standard | Place::System => return self.fold(real),
        }
        let Ok(metadata) = std::fs::metadata(descriptor) else { return };
        if !metadata.is_file() {
            return;
        }
        let stamp = Some(Stamp::of(&metadata));
        if self.record.read(real, Read { asked, stamp, ..Read::default() }) {
            self.hashing.want(real, File::open(descriptor).ok(), Urgency::Now);
        }
    }

    fn opened_to_write(&mut self, descriptor: &Path, path: &Path, before: Option<Before>) {
        if std::fs::metadata(descriptor).is_ok_and(|metadata| metadata.is_file()) {
            let real = std::fs::read_link(descriptor).unwrap_or_else(|_| path.to_owned());
            self.wrote(&real, before);
        }
    }

    fn wrote(&mut self, real: &Path, before: Option<Before>) {
        if self.places.of(real) == Place::Nowhere {
            return;
        }
        let existed = before.is_some();
        if let Some(kept) = before.and_then(|before| before.kept) {
            self.record.read(real, kept);
        }
        self.record.wrote(real, Write { existed });
    }
}

/// The device and number of a file.
type Identity = (u64, u64);

/// Which file a name leads to.
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// The flags that a file was opened with: `fdinfo` has them in octal digits.
fn flags_of(descriptor: &Path) -> Option<u32> {
    let name = descriptor.to_str()?.replace("/fd/", "/fdinfo/");
    let text = waag_engine::bounded::read(Path::new(&name), 1 << 16).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let digits = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
    u32::from_str_radix(digits.trim(), 8).ok()
}

fn exit_code(stop: Stop) -> u8 {
    match stop {
        Stop::Exited(code) => (code & 0xff) as u8,
        Stop::Killed(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        _ => 0,
    }
}

/// Resolves what a thread calls a file: against its folder or the one it names.
pub(super) fn resolve(thread: Thread, folder: i32, name: &Path) -> Option<PathBuf> {
    let absolute = if name.is_absolute() {
        name.to_owned()
    } else {
        let base = match folder {
            libc::AT_FDCWD => format!("/proc/{thread}/cwd"),
            descriptor => format!("/proc/{thread}/fd/{descriptor}"),
        };
        std::fs::read_link(base).ok()?.join(name)
    };
    Some(place::normal(&own(thread, &absolute)))
}

/// What `/proc/self` leads to from the thread's side.
fn own(thread: Thread, path: &Path) -> PathBuf {
    match path.strip_prefix("/proc/self") {
        Ok(rest) => Path::new("/proc").join(thread.to_string()).join(rest),
        Err(_) => path.to_owned(),
    }
}
