//! FlatBuffers without a schema compiler: tables, vectors and strings, each checked against the file before it is read.
//!
//! A reader that trusts the offsets of a table reads outside the file; so here every access can fail, and says where.
//! What was reached is remembered, so that bytes which no part of the structure claims can be shown afterwards.
//! Specification: <https://flatbuffers.dev/internals/>.

use std::cell::RefCell;

use crate::source::{Source, read_exact_at, read_up_to};

/// Bytes read at once: tables and their fields lie close together.
const PAGE: u64 = 4096;
/// Pages kept.
const PAGES: u64 = 64;
const PAGE_SIZE: usize = 4096;
const PAGES_KEPT: usize = 64;
/// Objects whose place is remembered.
const MAX_TOUCHED: usize = 1 << 20;

/// A reference that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Broken {
    /// Where it is.
    pub offset: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

fn broken<T>(offset: u64, what: &'static str) -> Result<T, Broken> {
    Err(Broken { offset, what })
}

/// A buffer, and what of it has been reached.
pub struct FlatBuffer<'a> {
    source: &'a dyn Source,
    length: u64,
    pages: RefCell<Vec<(u64, Vec<u8>)>>,
    touched: RefCell<Vec<(u64, u64)>>,
}

impl std::fmt::Debug for FlatBuffer<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "FlatBuffer({} bytes)", self.length)
    }
}

impl<'a> FlatBuffer<'a> {
    /// A buffer that is the whole of a source.
    #[must_use]
    pub fn new(source: &'a dyn Source) -> Self {
        let pages = RefCell::new(vec![(u64::MAX, Vec::new()); PAGES_KEPT]);
        Self { source, length: source.len(), pages, touched: RefCell::default() }
    }

    /// The table that everything else hangs on.
    ///
    /// # Errors
    /// [`Broken`] when it is not within the file.
    pub fn root(&'a self) -> Result<Table<'a>, Broken> {
        let offset = u32::from_le_bytes(self.array(0)?);
        self.touch(0, 8);
        Table::at(self, offset.into())
    }

    /// Length of the source.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Remembers that a part of the structure claims these bytes.
    pub fn touch(&self, offset: u64, length: u64) {
        let mut touched = self.touched.borrow_mut();
        if touched.len() < MAX_TOUCHED {
            touched.push((offset, offset.saturating_add(length)));
        }
    }

    /// Whether everything that was reached is remembered.
    #[must_use]
    pub fn remembers_all(&self) -> bool {
        self.touched.borrow().len() < MAX_TOUCHED
    }

    /// Where the last thing ends that was reached.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.touched.borrow().iter().map(|(_, end)| *end).max().unwrap_or(0)
    }

    /// The ranges, longer than `least`, between what was reached.
    #[must_use]
    pub fn gaps(&self, least: u64) -> Vec<(u64, u64)> {
        let mut touched = self.touched.borrow_mut();
        touched.sort_unstable();
        let (mut gaps, mut covered) = (Vec::new(), 0u64);
        for &(start, end) in touched.iter() {
            if start.saturating_sub(covered) > least {
                gaps.push((covered, start));
            }
            covered = covered.max(end);
        }
        gaps
    }

    fn array<const N: usize>(&self, offset: u64) -> Result<[u8; N], Broken> {
        let mut bytes = [0; N];
        let page = offset / PAGE;
        let within = usize::try_from(offset % PAGE).unwrap_or(0);
        let mut pages = self.pages.borrow_mut();
        let slot = usize::try_from(page % PAGES).unwrap_or(0);
        if let Some((number, kept)) = pages.get_mut(slot) {
            if *number != page {
                *number = page;
                *kept = read_up_to(self.source, page.saturating_mul(PAGE), PAGE_SIZE);
            }
            if let Some(found) = kept.get(within..within.saturating_add(N)) {
                bytes.copy_from_slice(found);
                return Ok(bytes);
            }
        }
        match read_exact_at(self.source, offset, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(_) => broken(offset, "a reference leads outside the file"),
        }
    }

    /// Follows the reference at `place`.
    fn follow(&self, place: u64) -> Result<u64, Broken> {
        let distance = u32::from_le_bytes(self.array(place)?);
        if distance == 0 {
            return broken(place, "a reference leads to itself");
        }
        Ok(place.saturating_add(distance.into()))
    }

    fn vector(&'a self, offset: u64, width: u64) -> Result<Vector<'a>, Broken> {
        let count = u64::from(u32::from_le_bytes(self.array(offset)?));
        let start = offset.saturating_add(4);
        let bytes = count.saturating_mul(width);
        if bytes > self.length.saturating_sub(start) {
            return broken(offset, "a vector ends outside the file");
        }
        self.touch(offset, bytes.saturating_add(4));
        Ok(Vector { buffer: self, start, count, width })
    }
}

/// A table: fields by their number in the schema.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    buffer: &'a FlatBuffer<'a>,
    /// Where it is.
    pub offset: u64,
    fields: u64,
    fields_size: u16,
    size: u16,
}

macro_rules! scalars {
    ($($name:ident $type:ty),*) => {$(
        /// A number, when it is there.
        ///
        /// # Errors
        /// [`Broken`] when the table has no room for it.
        pub fn $name(&self, field: u16) -> Result<Option<$type>, Broken> {
            let place = self.place(field, size_of::<$type>() as u64)?;
            place.map(|place| Ok(<$type>::from_le_bytes(self.buffer.array(place)?))).transpose()
        }
    )*};
}

impl<'a> Table<'a> {
    fn at(buffer: &'a FlatBuffer<'a>, offset: u64) -> Result<Self, Broken> {
        let back = i64::from(i32::from_le_bytes(buffer.array(offset)?));
        let Some(fields) = offset.checked_add_signed(back.saturating_neg()) else {
            return broken(offset, "a table's list of fields is outside the file");
        };
        let fields_size = u16::from_le_bytes(buffer.array(fields)?);
        let size = u16::from_le_bytes(buffer.array(fields.saturating_add(2))?);
        let fits = |start: u64, size: u16| start.saturating_add(size.into()) <= buffer.length;
        if fields_size < 4 || size < 4 || !fits(fields, fields_size) || !fits(offset, size) {
            return broken(offset, "a table does not fit in the file");
        }
        buffer.touch(fields, fields_size.into());
        buffer.touch(offset, size.into());
        Ok(Self { buffer, offset, fields, fields_size, size })
    }

    /// Where a field of `width` bytes is.
    fn place(&self, field: u16, width: u64) -> Result<Option<u64>, Broken> {
        let entry = u64::from(field).saturating_mul(2).saturating_add(4);
        if entry.saturating_add(2) > self.fields_size.into() {
            return Ok(None);
        }
        let within = u16::from_le_bytes(self.buffer.array(self.fields.saturating_add(entry))?);
        if within == 0 {
            return Ok(None);
        }
        if u64::from(within).saturating_add(width) > self.size.into() {
            return broken(self.offset, "a field lies outside its table");
        }
        Ok(Some(self.offset.saturating_add(within.into())))
    }

    scalars!(u8 u8, i8 i8, u32 u32, i32 i32, u64 u64);

    /// Whether a field is there at all.
    ///
    /// # Errors
    /// [`Broken`] when it is outside the table.
    pub fn has(&self, field: u16) -> Result<bool, Broken> {
        Ok(self.place(field, 1)?.is_some())
    }

    /// A table within this one.
    ///
    /// # Errors
    /// [`Broken`] when it is not within the file.
    pub fn table(&self, field: u16) -> Result<Option<Table<'a>>, Broken> {
        let Some(place) = self.place(field, 4)? else { return Ok(None) };
        Table::at(self.buffer, self.buffer.follow(place)?).map(Some)
    }

    /// A vector whose elements are `width` bytes: 4 for references to tables and strings.
    ///
    /// # Errors
    /// [`Broken`] when it is not within the file.
    pub fn vector(&self, field: u16, width: u64) -> Result<Option<Vector<'a>>, Broken> {
        let Some(place) = self.place(field, 4)? else { return Ok(None) };
        self.buffer.vector(self.buffer.follow(place)?, width).map(Some)
    }

    /// A string, at most `most` bytes of it; empty when it is not there.
    ///
    /// # Errors
    /// [`Broken`] when it is not within the file.
    pub fn text(&self, field: u16, most: usize) -> Result<String, Broken> {
        Ok(self.vector(field, 1)?.map(|vector| vector.text_of(most)).unwrap_or_default())
    }
}

/// A vector: a count, and elements of one size.
#[derive(Debug, Clone, Copy)]
pub struct Vector<'a> {
    buffer: &'a FlatBuffer<'a>,
    /// Where its first element is.
    pub start: u64,
    /// How many elements it has.
    pub count: u64,
    width: u64,
}

impl<'a> Vector<'a> {
    fn place(&self, index: u64) -> Result<u64, Broken> {
        if index >= self.count {
            return broken(self.start, "an index lies behind its vector");
        }
        Ok(self.start.saturating_add(index.saturating_mul(self.width)))
    }

    /// How many bytes the elements take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.count.saturating_mul(self.width)
    }

    /// A table in the vector.
    ///
    /// # Errors
    /// [`Broken`] when it is not within the file, or there is no such element.
    pub fn table(&self, index: u64) -> Result<Table<'a>, Broken> {
        Table::at(self.buffer, self.buffer.follow(self.place(index)?)?)
    }

    /// A number in the vector.
    ///
    /// # Errors
    /// [`Broken`] when there is no such element.
    pub fn i32(&self, index: u64) -> Result<i32, Broken> {
        Ok(i32::from_le_bytes(self.buffer.array(self.place(index)?)?))
    }

    /// A string in the vector, at most `most` bytes of it.
    ///
    /// # Errors
    /// [`Broken`] when it is not within the file, or there is no such element.
    pub fn text(&self, index: u64, most: usize) -> Result<String, Broken> {
        let offset = self.buffer.follow(self.place(index)?)?;
        Ok(self.buffer.vector(offset, 1)?.text_of(most))
    }

    /// The vector's own bytes as text, at most `most` of them.
    #[must_use]
    pub fn text_of(&self, most: usize) -> String {
        let count = most.min(usize::try_from(self.bytes()).unwrap_or(usize::MAX));
        String::from_utf8_lossy(&read_up_to(self.buffer.source, self.start, count)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root with a number, a string and a vector, as the reference library writes it.
    fn sample() -> Vec<u8> {
        let mut bytes = vec![16, 0, 0, 0, b'T', b'E', b'S', b'T'];
        bytes.extend([8, 0, 12, 0, 4, 0, 8, 0]);
        bytes.extend(8_i32.to_le_bytes());
        bytes.extend(7_u32.to_le_bytes());
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend([2, 0, 0, 0, b'h', b'i', 0, 0]);
        bytes
    }

    #[test]
    fn fields_are_found_by_number() -> Result<(), Broken> {
        let bytes = sample();
        let buffer = FlatBuffer::new(&bytes);
        let root = buffer.root()?;
        assert_eq!(root.u32(0)?, Some(7));
        assert_eq!(root.text(1, 10)?, "hi");
        assert_eq!(root.u32(9)?, None);
        assert_eq!(buffer.end(), 34);
        assert_eq!(buffer.gaps(0), []);
        Ok(())
    }

    #[test]
    fn references_out_of_the_file_are_told() {
        for (at, value) in [(0_usize, 0xFF_u8), (16, 0xFF), (24, 0xFF), (28, 0xFF), (8, 0xFF), (14, 0xFF), (10, 1)] {
            let mut bytes = sample();
            bytes[at] = value;
            let buffer = FlatBuffer::new(&bytes);
            let read = buffer.root().and_then(|root| root.text(1, 10));
            assert!(read.is_err(), "{at}: {read:?}");
        }
    }
}
