//! What has to hold of every list of tensors before anybody reads one of them.

use std::collections::HashMap;

use super::{Catalogue, Entry, MAX_DIMENSIONS, MAX_TENSORS, Problem, shown};

/// Bytes that all tensors of a file may have together, whatever the file's size.
const FREE_EXPANSION: u64 = 1 << 30;
/// Bytes that all tensors may have for each byte they are views of: tensors that share a storage are honest, and so are
/// masks that repeat a row.
const EXPANSION_PER_BYTE: u64 = 16;

impl Entry {
    /// Number of elements; none when there are more than 64 bits count.
    #[must_use]
    pub fn elements(&self) -> Option<u64> {
        self.shape.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent))
    }

    /// Bytes of all elements, one after another; none when there are more than 64 bits count.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.elements()?.checked_mul(self.dtype.size())
    }

    /// The first byte of its storage behind its last element.
    fn reach(&self) -> Option<u64> {
        if self.shape.contains(&0) {
            return Some(self.view.offset);
        }
        let steps = self.shape.iter().zip(&self.view.strides);
        let mut last = steps.map(|(extent, stride)| extent.saturating_sub(1).checked_mul(*stride));
        let last = last.try_fold(0u64, |sum, step| sum.checked_add(step?))?;
        last.checked_add(1)?.checked_mul(self.dtype.size())?.checked_add(self.view.offset)
    }
}

impl Catalogue {
    /// The same, sorted by name, when no name is there twice, every tensor lies within its storage and all of them
    /// together are not far more than what they are views of.
    ///
    /// # Errors
    /// When any of it does not hold.
    pub fn checked(mut self) -> Result<Self, Problem> {
        if self.tensors.len() > MAX_TENSORS {
            return Err(Problem::unsupported(format!("more than {MAX_TENSORS} tensors")));
        }
        self.tensors.sort_by(|one, other| one.name.cmp(&other.name));
        self.left_out.sort();
        for pair in self.tensors.windows(2) {
            if let [one, other] = pair
                && one.name == other.name
            {
                return Err(Problem::unsupported(format!("two tensors are called '{}'", shown(&one.name))));
            }
        }
        self.tensors.iter().try_for_each(|entry| self.check_place(entry))?;
        self.check_total()?;
        Ok(self)
    }

    fn check_place(&self, entry: &Entry) -> Result<(), Problem> {
        let name = shown(&entry.name);
        if entry.shape.len() > MAX_DIMENSIONS || entry.shape.len() != entry.view.strides.len() {
            return Err(Problem::broken(format!("tensor '{name}' has {} extents", entry.shape.len())));
        }
        let length = self.storages.get(entry.view.storage).map_or(0, super::Storage::length);
        let (Some(_), Some(reach)) = (entry.bytes(), entry.reach()) else {
            return Err(Problem::broken(format!("the size of tensor '{name}' overflows 64 bits")));
        };
        if reach > length {
            let detail = format!("tensor '{name}' reaches to byte {reach} of a storage of {length} bytes");
            return Err(Problem::broken(detail));
        }
        Ok(())
    }

    /// A view may repeat elements, and a short storage may so become more than any disk holds.
    fn check_total(&self) -> Result<(), Problem> {
        let held = self.storages.iter().fold(0u64, |sum, storage| sum.saturating_add(storage.length()));
        let most = held.saturating_mul(EXPANSION_PER_BYTE).saturating_add(FREE_EXPANSION);
        let bytes = |entry: &Entry| entry.bytes().unwrap_or(u64::MAX);
        let total = self.tensors.iter().fold(0u64, |sum, entry| sum.saturating_add(bytes(entry)));
        let largest = self.tensors.iter().max_by_key(|entry| bytes(entry));
        match largest.filter(|_| total > most) {
            None => Ok(()),
            Some(largest) => Err(Problem::unsupported(format!(
                "the tensors repeat {held} stored bytes until they are {total}, of which '{}' alone is {}",
                shown(&largest.name),
                bytes(largest)
            ))),
        }
    }

    /// For every tensor, the first one that is the very same view, which may be itself.
    #[must_use]
    pub fn twins(&self) -> Vec<usize> {
        let mut first = HashMap::new();
        let views = self.tensors.iter().enumerate();
        views.map(|(index, entry)| *first.entry((&entry.view, entry.dtype, &entry.shape)).or_insert(index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dtype, Storage, View, column_major, row_major};
    use super::*;
    use crate::protobuf::Span;

    fn catalogue(shape: &[u64], strides: &[u64], offset: u64) -> Catalogue {
        let view = View { storage: 0, offset, strides: strides.to_vec(), is_swapped: false };
        let entry = Entry { name: "w".into(), dtype: Dtype::F32, shape: shape.to_vec(), view };
        let storages = vec![Storage::Range(Span { offset: 0, length: 24 })];
        Catalogue { tensors: vec![entry], storages, ..Catalogue::default() }
    }

    #[test]
    fn views_lie_within_their_storage() {
        assert!(catalogue(&[2, 3], &[3, 1], 0).checked().is_ok());
        assert!(catalogue(&[3, 2], &[1, 3], 0).checked().is_ok());
        assert!(catalogue(&[0, 9], &[9, 1], 24).checked().is_ok());
        assert!(catalogue(&[2, 3], &[3, 1], 4).checked().is_err());
        assert!(catalogue(&[7], &[1], 0).checked().is_err());
        assert!(catalogue(&[2], &[u64::MAX], 0).checked().is_err());
        assert!(catalogue(&[u64::MAX, 2], &[0, 0], 0).checked().is_err());
        assert!(catalogue(&[2], &[], 0).checked().is_err());
    }

    #[test]
    fn a_short_storage_does_not_become_a_large_tensor() {
        assert!(catalogue(&[1024, 1024], &[0, 0], 0).checked().is_ok());
        let error = catalogue(&[1 << 20, 1 << 20], &[0, 0], 0).checked().unwrap_err();
        assert!(matches!(&error, Problem::Unsupported(detail) if detail.contains("'w' alone")), "{error}");
    }

    #[test]
    fn the_same_name_twice_is_refused_and_the_same_view_twice_is_known() {
        let mut two = catalogue(&[2], &[1], 0);
        two.tensors.push(two.tensors[0].clone());
        assert!(two.clone().checked().is_err());
        two.tensors[1].name = "a".into();
        let two = two.checked().unwrap();
        assert_eq!((two.tensors[0].name.as_str(), two.twins()), ("a", vec![0, 0]));
    }

    #[test]
    fn strides_follow_from_the_order() {
        assert_eq!(row_major(&[2, 3, 4]), [12, 4, 1]);
        assert_eq!(column_major(&[2, 3, 4]), [1, 2, 6]);
        assert_eq!(row_major(&[2, 0, 4]), [4, 4, 1]);
        assert_eq!(row_major(&[]), Vec::<u64>::new());
    }
}
