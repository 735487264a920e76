//! placeholder
#[cfg(test)]
pub(crate) mod tests {
    /// Runs `check` on damaged copies of `sample`: bytes changed, removed, doubled, cut off; the same ones every time.
    pub(crate) fn mutate(sample: &[u8], runs: u32, mut check: impl FnMut(&Vec<u8>)) {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below.max(1) as u64) as usize
        };
        for _ in 0..runs {
            let mut bytes = sample.to_vec();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                match random(6) {
                    0 => bytes.truncate(at),
                    1 => drop(bytes.drain(at..(at + random(16)).min(bytes.len()))),
                    2 => bytes.extend_from_within(at..(at + 64).min(sample.len()).min(bytes.len()).max(at)),
                    3 => bytes.get_mut(at).into_iter().for_each(|byte| *byte = [0, 1, 0x7f, 0xff][random(4)]),
                    _ => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << random(8)),
                }
            }
            check(&bytes);
        }
    }
}

use crate::budget::{Budget,Exhausted}; use crate::child::Child; use crate::source::Source;
#[derive(Debug)] pub struct Decoded{pub bytes:u64,pub consumed:u64,pub trailing:u64,pub checksum_ok:bool}
#[derive(Debug,thiserror::Error)] pub enum DecodeError{#[error("bomb")]Bomb,#[error("{0}")]Exhausted(Exhausted),#[error("{0}")]Unsupported(String),#[error("{0}")]Damaged(String)}
pub fn decode(_p:&dyn Source,_c:&Child,_b:&Budget,_o:&mut dyn std::io::Write)->Result<Decoded,DecodeError>{Err(DecodeError::Unsupported("stub".into()))}
