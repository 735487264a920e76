//! Corruptions that are always the same, so that a failure can be had again.

/// Values at which readers of lengths and counts go wrong.
const EDGES: [u64; 6] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, u64::MAX];
/// Bytes that are removed or doubled at once, at most.
const RUN: usize = 64;

/// Calls `check` with `rounds` different corruptions of `seed`, always the same ones.
pub fn mutate(seed: &[u8], rounds: u64, mut check: impl FnMut(Vec<u8>)) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..rounds {
        let mut bytes = seed.to_vec();
        for _ in 0..=random.below(4) {
            corrupt(&mut bytes, &mut random);
        }
        check(bytes);
    }
}

fn corrupt(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let end = (at + random.below(RUN)).min(bytes.len());
    match random.below(8) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => bytes.extend_from_within(at..end),
        3 => bytes.insert(at, random.byte()),
        4 => overwrite(bytes, at, &EDGES[random.below(EDGES.len())].to_le_bytes()[..1 << random.below(4)]),
        5 => overwrite(bytes, at, &random.next().to_le_bytes()[..5]),
        _ => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << random.below(8)),
    }
}

fn overwrite(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes[at..].iter_mut().zip(new).for_each(|(byte, new)| *byte = *new);
}

/// Marsaglia's xorshift: enough for this, and without a crate.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1) as u64;
        usize::try_from(self.next() % bound).expect("less than a usize")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[7]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corruptions_differ_from_each_other_and_never_change() {
        let collect = || {
            let mut all = Vec::new();
            mutate(b"a small seed", 200, |bytes| all.push(bytes));
            all
        };
        let once = collect();
        assert_eq!(once, collect());
        assert_eq!(once.len(), 200);
        let mut different = once.clone();
        different.sort_unstable();
        different.dedup();
        assert!(different.len() > 150, "{}", different.len());
    }

    #[test]
    fn nothing_can_be_corrupted_too() {
        mutate(b"", 100, |bytes| assert!(bytes.len() < 100));
    }
}
