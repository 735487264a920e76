#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| waag_fuzz::ledger_statement(data));
