//! Lock files that the real tools wrote, read to the same packages; `data/README.md` says where they come from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use waag_code::dependencies::{Reading, Says, examine};
use waag_evidence::{Dependency, DependencySource, Ecosystem, Standing};

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

/// What pip says that it would install: each package with its digest, one that was withdrawn and one that is given up.
#[test]
fn reports_of_pip_say_what_was_withdrawn() {
    let reading = reading("pip-report");
    assert!(reading.files.iter().all(|file| file.complete), "{:?}", reading.findings);
    let mut names: Vec<&str> = reading.dependencies.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    let asked = ["click-plugins", "requests", "rich", "tqdm"];
    assert!(asked.iter().all(|name| names.contains(name)), "{names:?}");
    let of_index = |it: &Dependency| it.source == DependencySource::Index { url: None } && it.digests.len() == 1;
    assert!(reading.dependencies.iter().all(|it| of_index(it) && it.version.is_some()));
    let requests = reading.dependencies.iter().find(|it| it.name == "requests").unwrap();
    assert_eq!(requests.requires, ["charset-normalizer", "idna", "urllib3", "certifi"]);
    let notices: Vec<_> = reading.notices.iter().map(|it| (it.package.as_str(), it.says)).collect();
    assert_eq!(notices, [("requests", Says::Yanked), ("click-plugins", Says::Inactive)]);
}

/// Every entry of what conda-lock wrote, for every platform, of conda and of pip; in the list and the environment that it
/// renders of them, those of one platform.
#[test]
fn what_conda_lock_writes_is_read_to_the_last_package() {
    let reading = reading("conda-lock");
    assert!(reading.files.iter().all(|file| file.complete), "{:?}", reading.findings);
    let of = |file: &str, ecosystem| {
        let all =
            reading.dependencies.iter().filter(|it| it.location.file.ends_with(file) && it.ecosystem == ecosystem);
        let told = all.map(|it| {
            let kinds: Vec<&str> = it.digests.iter().map(|digest| digest.split(':').next().unwrap()).collect();
            let version = it.version.as_deref().or(it.constraint.as_deref()).unwrap_or_default();
            format!("{} {version} {} {:?}", it.written, kinds.join("+"), it.standing)
        });
        let mut told: Vec<String> = told.collect();
        told.sort();
        told.dedup();
        told
    };
    let conda = |digests: &str, standing: &str| {
        [
            "_libgcc_mutex 0.1",
            "_openmp_mutex 4.5",
            "libgcc-ng 11.2.0",
            "libgomp 11.2.0",
            "libzlib 1.2.11",
            "zlib 1.2.11",
        ]
        .map(|name| format!("{name} {digests} {standing}"))
    };
    let pip =
        |names: &[&str], standing: &str| names.iter().map(|name| format!("{name} {standing}")).collect::<Vec<_>>();
    let wheels = [
        "markdown-it-py 4.3.0 sha256",
        "mdurl 0.1.2 sha256",
        "pygments 2.21.0 sha256",
        "rich 14.1.0 sha256",
        "tqdm 4.67.1 sha256",
    ];
    let unified = of("conda-lock.yml", Ecosystem::Conda);
    assert!(conda("md5+sha256", "Locked").iter().all(|one| unified.contains(one)), "{unified:?}");
    assert_eq!(unified.len(), 6 + 3, "those of Windows too: {unified:?}");
    // A commit is no digest.
    let with_repository = [&wheels[..2], &["peft 0.13.2 "], &wheels[2..]].concat();
    assert_eq!(of("conda-lock.yml", Ecosystem::Pypi), pip(&with_repository, "Locked"));
    assert_eq!(of("conda-linux-64.lock", Ecosystem::Conda), conda("md5", "Locked"));
    let of_list = [&wheels[..2], &["peft  "], &wheels[2..]].concat();
    assert_eq!(of("conda-linux-64.lock", Ecosystem::Pypi), pip(&of_list, "Locked"));
    let of_environment = [&wheels[..2], &["peft 0.13.2 sha256"], &wheels[2..]].concat();
    assert_eq!(of("conda-linux-64.lock.yml", Ecosystem::Pypi), pip(&of_environment, "Declared"));
    assert_eq!(of("conda-linux-64.lock.yml", Ecosystem::Conda).len(), 6);
    let entries = reading.dependencies.iter().filter(|it| it.location.file.ends_with("conda-lock.yml")).count();
    assert_eq!(entries, 24, "one for each platform");
    let commits = reading
        .dependencies
        .iter()
        .filter(|it| matches!(&it.source, DependencySource::Repository { commit: Some(_), .. }));
    assert_eq!(commits.count(), 2);
    let rules: std::collections::BTreeSet<&str> =
        reading.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(
        rules.into_iter().collect::<Vec<_>>(),
        ["unhashed-dependency"],
        "MD5 alone can be forged: {:?}",
        reading.findings
    );
}
