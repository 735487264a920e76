//! A log of what a program prints, which is shown all the same.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// A log that is about to be written.
#[derive(Debug)]
pub(super) struct Log(Arc<Mutex<File>>);

/// A log that is being written.
#[derive(Debug)]
pub(super) struct Logging(Vec<JoinHandle<()>>);

impl Log {
    /// Makes the file, and lets the command print to waag.
    pub(super) fn open(path: &Path, command: &mut Command) -> io::Result<Self> {
        let file = File::create(path)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    /// Copies what the child prints, as it comes.
    pub(super) fn follow(self, child: &mut Child) -> Logging {
        let out = child.stdout.take().map(|from| copy(from, io::stdout(), Arc::clone(&self.0)));
        let err = child.stderr.take().map(|from| copy(from, io::stderr(), self.0));
        Logging(out.into_iter().chain(err).collect())
    }
}

impl Logging {
    /// Waits until everything is written.
    pub(super) fn finish(self) {
        self.0.into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// When nobody is left to show it to, the program is told by a broken pipe, as it would have been without us.
fn copy(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    log: Arc<Mutex<File>>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            let _ = log.lock().unwrap_or_else(PoisonError::into_inner).write_all(&buffer[..length]);
            if to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    })
}
