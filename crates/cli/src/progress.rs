//! Progress for whoever waits at a terminal.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use waag_engine::output::text::excerpt;
use waag_engine::scan::Progress;

/// What is over sooner needs no bar, which would only flicker.
const PATIENCE: Duration = Duration::from_millis(500);
/// Characters shown of the file at hand.
const MAX_NAME: usize = 40;
const TEMPLATE: &str = "{bar:24} {bytes}/{total_bytes}, {bytes_per_sec}, {msg}";

/// A bar that appears when the work takes long.
#[derive(Debug)]
pub(crate) struct Bar {
    watched: bool,
    /// What is counted: files, tensors.
    noun: &'static str,
    start: Instant,
    files: AtomicU64,
    total: AtomicU64,
    done: AtomicU64,
    bar: OnceLock<ProgressBar>,
}

impl Bar {
    pub(crate) fn new(watched: bool) -> Self {
        Self::of("files", watched)
    }

    /// A bar that counts these things.
    pub(crate) fn of(noun: &'static str, watched: bool) -> Self {
        let zero = || AtomicU64::new(0);
        Self { watched, noun, start: Instant::now(), files: zero(), total: zero(), done: zero(), bar: OnceLock::new() }
    }

    /// Takes the bar away, before the answer is written.
    pub(crate) fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }

    fn draw(&self) -> ProgressBar {
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(self.total.load(Relaxed)).with_style(style).with_elapsed(self.start.elapsed())
    }
}

impl Progress for Bar {
    fn wants_bytes(&self) -> bool {
        self.watched
    }

    fn total(&self, files: u64, bytes: u64) {
        self.files.store(files, Relaxed);
        self.total.store(bytes, Relaxed);
    }

    fn advance(&self, bytes: u64, name: &str) {
        let done = self.done.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if !self.watched || self.start.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_init(|| self.draw());
        bar.set_position(done);
        bar.set_message(format!("{} {}, {}", self.files.load(Relaxed), self.noun, excerpt(name, MAX_NAME)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_watching_sees_no_bar() {
        let bar = Bar::new(false);
        bar.total(1, 10);
        bar.advance(10, "a");
        assert!(bar.bar.get().is_none());
    }

    #[test]
    fn the_template_is_one() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
