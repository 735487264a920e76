//! Lock files that the real tools wrote, read to the same packages; `data/README.md` says where they come from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use waag_code::dependencies::{Reading, examine};
use waag_evidence::Standing;

fn reading(tool: &str) -> Reading {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dependencies/data").join(tool);
    examine(&folder).unwrap()
}

/// Packages of a lock, with their versions and the number of digests.
fn locked(reading: &Reading, file: &str) -> BTreeMap<String, (String, usize)> {
    let of_file = reading.dependencies.iter().filter(|it| it.location.file.ends_with(file));
    let of_lock = of_file.filter(|it| it.standing == Standing::Locked || file == "requirements.txt");
    of_lock.map(|it| (it.name.clone(), (it.version.clone().unwrap_or_default(), it.digests.len()))).collect()
}

#[test]
fn locks_of_every_tool_name_the_same_packages() {
    let expected = ["colorama", "markdown-it-py", "mdurl", "pygments", "rich", "tqdm"];
    for (tool, file) in [
        ("uv", "uv.lock"),
        ("uv", "pylock.toml"),
        ("pip", "requirements.txt"),
        ("poetry", "poetry.lock"),
        ("pdm", "pdm.lock"),
        ("pipenv", "Pipfile.lock"),
    ] {
        let reading = reading(tool);
        let locked = locked(&reading, file);
        for name in expected {
            // These two lock for the system that they run on, where colorama is not needed.
            let Some((version, digests)) = locked.get(name) else {
                assert!(matches!(tool, "pipenv" | "pip") && name == "colorama", "{file} has {name}");
                continue;
            };
            assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{file}: {name} {version}");
            assert!(*digests > 0, "{file}: {name} has digests");
        }
        assert!(reading.files.iter().all(|file| file.complete), "{file}: {:?}", reading.findings);
        assert_eq!(reading.findings, [], "{file}: what the tools write gives no alarm");
    }
}
