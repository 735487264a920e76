//! How fast the lint is, and what it finds how often: `lint-speed PATH [RULE]` counts findings by rule, or lists those of one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::use_debug)]

use std::collections::BTreeMap;
use std::time::Instant;

use waag_code::lint::{Options, examine};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("usage: lint-speed PATH [RULE]");
    let rule = arguments.next();
    let start = Instant::now();
    let examined = examine(&[path.into()], &Options::default()).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let bytes: u64 = examined.looked_at.iter().map(|file| file.size).sum();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in &examined.findings {
        *counts.entry(&finding.rule).or_default() += 1;
        if Some(&finding.rule) == rule.as_ref() {
            let line = finding.location.line.unwrap_or(0);
            let evidence = finding.evidence.as_deref().unwrap_or_default();
            println!("{:?} {}:{line}: {} | {evidence}", finding.severity, finding.location.path(), finding.message);
        }
    }
    if rule.is_none() {
        counts.iter().for_each(|(rule, count)| println!("{count:>7} {rule}"));
    }
    let files = examined.looked_at.len();
    println!("{files} files, {:.1} MB in {seconds:.2} s: {:.1} MB/s", bytes as f64 / 1e6, bytes as f64 / 1e6 / seconds);
}
