//! Bytes of a file in order, a block at a time, with the next block read while one is digested.

use std::io;
use std::os::unix::fs::FileExt;

use std::fs::File;

/// Bytes of a block: large enough that calls to the system cost nothing beside digesting.
const BLOCK: usize = 4 << 20;
/// Ranges below this are read and digested in turn: a second hand would cost more than it does.
const WORTH_A_SECOND_HAND: u64 = 8 << 20;

/// Gives the bytes `start..start + length` to `digest`, in order.
///
/// # Errors
/// What the system says, and `UnexpectedEof` when the file ends before.
pub(super) fn each_block(file: &File, start: u64, length: u64, mut digest: impl FnMut(&[u8]) + Send) -> io::Result<()> {
    let room = usize::try_from(length).unwrap_or(usize::MAX).min(BLOCK);
    let mut current = vec![0; room];
    let end = start + length;
    if length < WORTH_A_SECOND_HAND {
        let mut offset = start;
        while offset < end {
            let block = fill(file, offset, end, &mut current)?;
            digest(block);
            offset += block.len() as u64;
        }
        return Ok(());
    }
    let mut next = vec![0; room];
    let mut filled = fill(file, start, end, &mut current)?.len();
    let mut offset = start + filled as u64;
    while filled > 0 {
        let block = &current[..filled];
        let ((), read) = rayon::join(|| digest(block), || fill(file, offset, end, &mut next).map(|block| block.len()));
        filled = read?;
        offset += filled as u64;
        std::mem::swap(&mut current, &mut next);
    }
    Ok(())
}

/// Fills the buffer from `offset`, or what there is before `end`.
fn fill<'a>(file: &File, offset: u64, end: u64, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let wanted = usize::try_from(end - offset).unwrap_or(usize::MAX).min(buffer.len());
    file.read_exact_at(&mut buffer[..wanted], offset)?;
    Ok(&buffer[..wanted])
}
