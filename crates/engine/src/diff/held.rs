//! Changes that are kept between the passes over a matrix: what is read, decoded and subtracted once is there for every
//! question about its directions. How much is kept depends on what there is room for, and the answers do not.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::view::CHUNK;

/// Pieces that all pairs together keep: 128 MiB.
const MOST: usize = (128 << 20) / (CHUNK * 4);

/// The room that all pairs share. Its memory is used again and again: to ask the system for more costs as much as reading.
#[derive(Debug)]
pub(super) struct Room {
    free: Mutex<Free>,
}

#[derive(Debug)]
struct Free {
    buffers: Vec<Vec<f32>>,
    /// Buffers that may still be made.
    unmade: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { free: Mutex::new(Free { buffers: Vec::new(), unmade: MOST }) }
    }
}

impl Room {
    fn take(&self) -> Option<Vec<f32>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.buffers.pop().or_else(|| {
            free.unmade = free.unmade.checked_sub(1)?;
            Some(Vec::with_capacity(CHUNK))
        })
    }

    fn give_back(&self, buffer: Vec<f32>) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).buffers.push(buffer);
    }
}

/// What is kept of the pieces of one pair.
#[derive(Debug)]
pub(super) struct Held<'a> {
    room: &'a Room,
    pieces: Vec<OnceLock<Kept>>,
}

/// A piece of a change.
#[derive(Debug)]
pub(super) enum Kept {
    /// All of it is zero.
    Unchanged,
    /// Its numbers.
    Changed(Vec<f32>),
}

impl<'a> Held<'a> {
    /// Nothing yet of so many pieces.
    pub(super) fn new(room: &'a Room, pieces: usize) -> Self {
        Self { room, pieces: std::iter::repeat_with(OnceLock::new).take(pieces).collect() }
    }

    /// A buffer for a piece of so many numbers, where there is room for it.
    pub(super) fn buffer(&self, numbers: usize) -> Option<Vec<f32>> {
        if numbers <= CHUNK { self.room.take() } else { None }
    }

    /// Keeps a piece.
    pub(super) fn keep(&self, piece: usize, kept: Kept) {
        if let Some(Err(Kept::Changed(buffer))) = self.pieces.get(piece).map(|place| place.set(kept)) {
            self.room.give_back(buffer);
        }
    }

    /// What is kept of a piece.
    pub(super) fn piece(&self, piece: usize) -> Option<&Kept> {
        self.pieces.get(piece)?.get()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        for place in &mut self.pieces {
            if let Some(Kept::Changed(buffer)) = place.take() {
                self.room.give_back(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared_and_given_back() {
        let room = Room::default();
        room.free.lock().unwrap().unmade = 2;
        let held = Held::new(&room, 3);
        for piece in 0..2 {
            let buffer = held.buffer(4).unwrap();
            held.keep(piece, Kept::Changed(buffer));
        }
        held.keep(2, Kept::Unchanged);
        assert!(held.buffer(4).is_none() && matches!(held.piece(2), Some(Kept::Unchanged)));
        drop(held);
        assert!(Held::new(&room, 1).buffer(4).is_some());
        assert!(Held::new(&room, 1).buffer(CHUNK + 1).is_none(), "a long row would take more than its share");
    }
}
