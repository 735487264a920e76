use super::*;
use crate::testing::oddities;

fn observed(element: Element, bytes: &[u8], name: &str) -> Vec<String> {
    let mut arrays = Arrays::default();
    let rows = (bytes.len() / element.size() / 32) as u64;
    let length = bytes.len() as u64;
    arrays.add(Array { name: name.into(), element, offset: 0, length, shape: vec![rows, 32] });
    let mut facts = Facts::new();
    arrays.observe(&bytes, &Budget::default(), &mut facts);
    oddities(&facts)
}

/// Weights as training leaves them, without a crate: a generator of Lehmer's, scaled.
fn weights(count: usize) -> Vec<u32> {
    let mut state = 1u64;
    let mut next = || {
        state = state * 48_271 % 0x7FFF_FFFF;
        state as f32 / 2_147_483_647.0
    };
    (0..count).map(|_| ((next() - 0.5) * (next() + 0.01) * 0.1).to_bits()).collect()
}

fn bytes_of(weights: &[u32]) -> Vec<u8> {
    weights.iter().flat_map(|weight| weight.to_le_bytes()).collect()
}

fn hide(payload: &[u8], width: u32, high_first: bool) -> Vec<u8> {
    let mut weights = weights(8192);
    let per = (8 / width) as usize;
    for (at, byte) in payload.iter().enumerate() {
        for part in 0..per {
            let place = if high_first { per - 1 - part } else { part } as u32;
            let bits = (u32::from(*byte) >> (place * width)) & ((1 << width) - 1);
            let weight = &mut weights[at * per + part];
            *weight = *weight >> width << width | bits;
        }
    }
    bytes_of(&weights)
}

#[test]
fn ordinary_weights_are_clean() {
    let weights = weights(32_768);
    assert_eq!(observed(Element::F32, &bytes_of(&weights), "w"), Vec::<String>::new());
    let halves: Vec<u8> = weights.iter().flat_map(|weight| weight.to_le_bytes()[2..].to_vec()).collect();
    assert_eq!(observed(Element::BF16, &halves, "w"), Vec::<String>::new());
    let widened: Vec<u32> = weights.iter().map(|weight| weight & 0xFFFF_0000).collect();
    assert_eq!(observed(Element::F32, &bytes_of(&widened), "w"), Vec::<String>::new());
}

#[test]
fn regular_numbers_are_clean() {
    // Corners of a grid, one of them moved by very little, as geometry's tests have them.
    let grid = |at: u32| f64::from(at / 2 % 100) * 0.009 - 0.486 - if at.is_multiple_of(2) { 9.3e-8 } else { 0.0 };
    let moved = |at: u32| if at.is_multiple_of(2) { -0.486_000_093 } else { -0.09 + 0.009 * f64::from(at / 2) + 7e-9 };
    let steps = |at: u32| f64::from(at) / 1000.0;
    let near = |at: u32| 1.0 + f64::from(at / 3 % 40) * f64::EPSILON * 2.0;
    for numbers in [&grid as &dyn Fn(u32) -> f64, &moved, &steps, &near] {
        let bytes: Vec<u8> = (0..8192).flat_map(|at| numbers(at).to_le_bytes()).collect();
        assert_eq!(payload::find(Element::F64, &bytes), None);
    }
}

#[test]
fn payloads_in_the_lowest_bits_are_told() {
    let program = b"\x7FELF\x02\x01\x01\0\0\0\0\0";
    for width in [1, 2, 4, 8] {
        for high_first in [true, false] {
            assert_eq!(observed(Element::F32, &hide(program, width, high_first), "w"), ["Steganography@0"], "{width}");
            let text = b"import os; os.system('echo waag-inert') # and some more words to read here";
            assert_eq!(observed(Element::F32, &hide(text, width, high_first), "w"), ["Steganography@0"], "{width}");
        }
    }
    let led = [&[0, 0, 1, 0][..], b"\x80\x04\x95\x20\0\0\0\0\0\0\0\x8C"].concat();
    assert_eq!(observed(Element::F32, &hide(&led, 1, true), "w"), ["Steganography@0"]);
}

#[test]
fn tensors_that_are_something_else_are_told() {
    let mut bytes = vec![0; 4096];
    bytes[..7].copy_from_slice(b"\x7FELF\x02\x01\x01");
    assert_eq!(observed(Element::Byte, &bytes, "w"), ["Steganography@0"]);
    assert_eq!(
        observed(
            Element::F32,
            &b"#!/bin/sh\necho waag-inert and something more to do, as long as a line is\n".repeat(20),
            "w"
        )[0],
        "Steganography@0"
    );
}

#[test]
fn numbers_that_no_training_leaves_are_told() {
    let mut weights = weights(8192);
    weights[7] = f32::NAN.to_bits();
    assert_eq!(observed(Element::F32, &bytes_of(&weights), "w"), ["NotFinite@0"]);
    assert_eq!(observed(Element::F32, &bytes_of(&weights), "attn.mask"), Vec::<String>::new());
    assert_eq!(observed(Element::F32, &bytes_of(&vec![0x3F80_0000; 8192]), "w"), ["Degenerate@0"]);
    assert_eq!(observed(Element::F32, &bytes_of(&vec![0x3F80_0000; 8192]), "norm.weight"), Vec::<String>::new());
}

#[test]
fn storages_of_an_unknown_kind_are_told() {
    let spelt = |bytes: &[u8]| {
        let mut facts = Facts::new();
        storage(&bytes, &Budget::default(), &mut facts);
        facts.list().len()
    };
    let text = b"import os; os.system('echo waag-inert') # and some more words to read here";
    assert_eq!(spelt(&hide(text, 1, true)), 1);
    assert_eq!(spelt(&hide(b"\x7FELF\x02\x01\x01\0\0\0\0\0", 8, true)), 1);
    assert_eq!(spelt(&[b"\x7FELF\x02\x01\x01\0".as_slice(), &[0; 100]].concat()), 1);
    assert_eq!(spelt(&bytes_of(&weights(4096))), 0);
    // Codes of characters as whole numbers, as a data set may hold them.
    let codes: Vec<u32> = text.iter().cycle().take(2000).map(|byte| u32::from(*byte)).collect();
    assert_eq!(spelt(&bytes_of(&codes)), 0);
}
