//! What anchors hold, kept to be shown again where aliases name them.

use std::collections::BTreeMap;

/// Bytes of anchored values that are kept.
const MAX_BYTES: usize = 16 << 20;
/// Anchors of one document.
const MAX_ANCHORS: usize = 50_000;
/// What one kept item costs beside its text.
const ITEM: usize = 64;

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A scalar; plain ones may be numbers.
    Scalar {
        /// Its text.
        text: String,
        /// Whether it stands without quotes.
        is_plain: bool,
    },
    /// A mapping or a sequence opens.
    Open {
        /// Whether it is a mapping.
        is_mapping: bool,
    },
    /// The innermost container closes.
    Close,
    /// Another value, by the number of its anchor.
    Alias(usize),
}

/// A piece with its tag, where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub item: Item,
    pub tag: Option<String>,
    pub offset: u64,
}

/// The pieces of all anchored values of a document.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pieces: Vec<Piece>,
    bytes: usize,
    ranges: BTreeMap<usize, (usize, usize)>,
    /// Anchored containers that are still open: number, start, depth within.
    open: Vec<(usize, usize, usize)>,
}

impl Tape {
    /// Takes the next piece of a document, which `anchor` names when it is not 0. False when there is no more room.
    pub(super) fn take(&mut self, piece: &Piece, anchor: usize) -> bool {
        if anchor == 0 && self.open.is_empty() {
            return true;
        }
        let text = if let Item::Scalar { text, .. } = &piece.item { text.len() } else { 0 };
        let tag = piece.tag.as_ref().map_or(0, String::len);
        self.bytes = self.bytes.saturating_add(ITEM).saturating_add(text).saturating_add(tag);
        if self.bytes > MAX_BYTES || self.ranges.len() > MAX_ANCHORS {
            return false;
        }
        let start = self.pieces.len();
        self.pieces.push(piece.clone());
        match piece.item {
            Item::Open { .. } => self.opened(start, anchor),
            Item::Close => self.closed(),
            _ if anchor != 0 => drop(self.ranges.insert(anchor, (start, self.pieces.len()))),
            _ => {}
        }
        true
    }

    fn opened(&mut self, start: usize, anchor: usize) {
        for (.., depth) in &mut self.open {
            *depth = depth.saturating_add(1);
        }
        if anchor != 0 {
            self.open.push((anchor, start, 1));
        }
    }

    fn closed(&mut self) {
        let end = self.pieces.len();
        for (anchor, start, depth) in &mut self.open {
            *depth = depth.saturating_sub(1);
            if *depth == 0 {
                self.ranges.insert(*anchor, (*start, end));
            }
        }
        self.open.retain(|(.., depth)| *depth > 0);
    }

    /// Where the pieces of an anchor are; none while it is still open, as in a value that contains itself.
    pub(super) fn range(&self, anchor: usize) -> Option<(usize, usize)> {
        self.ranges.get(&anchor).copied()
    }

    /// One piece.
    pub(super) fn piece(&self, index: usize) -> Option<&Piece> {
        self.pieces.get(index)
    }

    /// Forgets everything: anchors live as long as their document.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
