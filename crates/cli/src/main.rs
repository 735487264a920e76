#![allow(clippy::all, clippy::print_stdout)]
fn main() -> std::process::ExitCode {
    let paths: Vec<_> = std::env::args().skip(1).filter(|a| !a.starts_with("--") && a != "scan" && a != "json").map(std::path::PathBuf::from).collect();
    let r = waag_engine::scan::scan_paths(&paths, &Default::default(), &waag_engine::scan::Silent).unwrap();
    println!("{}", serde_json::to_string(&r).unwrap());
    std::process::ExitCode::from(match r.verdict.decision { waag_evidence::Decision::Allow => 0, waag_evidence::Decision::Deny => 1, _ => 3 })
}
