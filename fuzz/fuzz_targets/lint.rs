#![no_main]

#[path = "../src/lint.rs"]
mod lint;

libfuzzer_sys::fuzz_target!(|data: &[u8]| lint::lint(data));
