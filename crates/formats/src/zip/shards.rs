//! Archives one after another in one file, as torch's distributed checkpoints keep them.
//!
//! Their loader takes each by its offset from another file, so what would be a second end record elsewhere is the format
//! itself. Each archive becomes a child and is judged alone; a file that does not split without rest is no such file.

use super::end;
use super::local;
use crate::budget::Budget;
use crate::format::extension;
use crate::source::{Source, Window, read_up_to};

/// The ending torch gives these files.
const EXTENSION: &str = "distcp";

/// The archives' starts and ends in order, when the file is nothing but two archives or more.
pub(super) fn split(source: &dyn Source, name: &str, budget: &Budget) -> Option<Vec<(u64, u64)>> {
    if extension(name) != EXTENSION {
        return None;
    }
    let (mut shards, mut end) = (Vec::new(), source.len());
    while end > 0 {
        budget.admit(1).ok()?;
        let start = start(source, end).filter(|&start| start < end)?;
        shards.push((start, end));
        end = start;
    }
    shards.reverse();
    (shards.len() > 1).then_some(shards)
}

/// Where the archive that ends at `end` starts: its directory stands that much later than it says.
fn start(source: &dyn Source, end: u64) -> Option<u64> {
    let window = Window::new(source, 0, end);
    let found =
        end::find(&window).into_iter().next().filter(|found| found.end == end && found.disagreements.is_empty())?;
    let start = found.places.first()?.shift;
    (read_up_to(&window, start, local::SIGNATURE.len()) == local::SIGNATURE).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::build::Archive;

    #[test]
    fn archives_without_rest_are_split() {
        let (first, second) =
            (Archive::new().file("a", b"1").finish(), Archive::new().file("b", b"2").zip64().finish());
        let mut both = [first.clone(), second].concat();
        let length = first.len() as u64;
        let split = |bytes: &Vec<u8>, name| split(bytes, name, &Budget::small());
        assert_eq!(split(&both, "__0_0.distcp"), Some(vec![(0, length), (length, both.len() as u64)]));
        assert_eq!(split(&both, "model.pt"), None);
        assert_eq!(split(&first, "__0_0.distcp"), None);
        both.insert(0, b'x');
        assert_eq!(split(&both, "__0_0.distcp"), None);
    }
}
