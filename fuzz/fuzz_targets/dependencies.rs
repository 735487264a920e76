#![no_main]

#[path = "../src/dependencies.rs"]
mod dependencies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dependencies::dependencies(data));
