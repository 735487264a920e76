#![no_main]

#[path = "../src/advisories.rs"]
mod advisories;

libfuzzer_sys::fuzz_target!(|data: &[u8]| advisories::advisories(data));
