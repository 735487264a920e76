//! Writes the seeds of the fuzzers: a folder for each target below the folder given.
//!
//! `cargo run -p waag-testkit --features seeds --example make-seeds -- fuzz/corpus TARGET…`

#![expect(clippy::expect_used, reason = "what fails here fails for the person who ran it")]

use std::path::Path;

use waag_testkit::seeds::{all_seeds, seeds};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().expect("usage: make-seeds FOLDER TARGET…");
    for target in arguments {
        let folder = Path::new(&root).join(&target);
        std::fs::create_dir_all(&folder)?;
        // A target that is no format reads whatever it is given.
        let own = seeds(&target.trim_start_matches("format_").replace('_', "-"));
        let seeds = if own.is_empty() { all_seeds() } else { own };
        for (index, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{index:02}")), seed)?;
        }
    }
    Ok(())
}
