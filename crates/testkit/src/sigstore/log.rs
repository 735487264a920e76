//! A log that only grows (RFC 6962): leaves, a root, proofs that a leaf is under the root, and signed checkpoints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::key::Key;

type Hash = [u8; 32];

/// A log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) key: Key,
    pub(super) origin: String,
    leaves: Vec<Hash>,
}

/// Where an entry is, and what proves it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) index: u64,
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) path: Vec<Hash>,
    pub(super) checkpoint: String,
}

impl Log {
    /// A log that has entries already, so that proofs prove something.
    pub(super) fn new(key: Key, origin: &str) -> Self {
        let leaves = ["one", "two", "three"].map(|entry| leaf(entry.as_bytes())).to_vec();
        Self { key, origin: origin.to_owned(), leaves }
    }

    /// Takes an entry.
    pub(super) fn append(&mut self, body: &[u8]) -> Place {
        let index = self.leaves.len();
        self.leaves.push(leaf(body));
        let root = root(&self.leaves);
        let size = self.leaves.len() as u64;
        Place {
            index: index as u64,
            size,
            root,
            path: path(index, &self.leaves),
            checkpoint: self.checkpoint(size, &root),
        }
    }

    /// A signed note (C2SP): origin, size, root, and a signature with the first bytes of the key's name before it.
    fn checkpoint(&self, size: u64, root: &Hash) -> String {
        let note = format!("{}\n{size}\n{}\n", self.origin, STANDARD.encode(root));
        let signature = [&self.key.id()[..4], &self.key.sign(note.as_bytes())].concat();
        format!("{note}\n\u{2014} {} {}\n", self.origin, STANDARD.encode(signature))
    }
}

fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The largest power of two below a number of leaves.
fn split(leaves: usize) -> usize {
    leaves.next_power_of_two() / 2
}

fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// What has to be added to a leaf, from the bottom up, to get the root.
fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, other) =
        if index < middle { (path(index, left), root(right)) } else { (path(index - middle, right), root(left)) };
    path.push(other);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_root() {
        let leaves: Vec<Hash> = (0..7u8).map(|number| leaf(&[number])).collect();
        let [a, b, c, d, e, f, g] = leaves[..] else { panic!("seven leaves") };
        let left = node(&node(&a, &b), &node(&c, &d));
        assert_eq!(root(&leaves), node(&left, &node(&node(&e, &f), &g)));
        assert_eq!(path(6, &leaves), [node(&e, &f), left]);
        assert_eq!(path(2, &leaves), [d, node(&a, &b), node(&node(&e, &f), &g)]);
    }
}
