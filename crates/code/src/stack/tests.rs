//! The tables agree with themselves, conflicts are found, and what is suggested resolves them.

use proptest::prelude::*;
use waag_evidence::{Dependency, DependencySource, Ecosystem, Standing};

use super::claim::Claim;
use super::judge::judge;
use super::tables::{minor_of, tables};
use super::*;

fn package(requirement: &str, line: u64) -> Dependency {
    let (whole, constraint) = match requirement.find(['=', '<', '>', '~', '!']) {
        Some(at) => (&requirement[..at], Some(requirement[at..].to_owned())),
        None => (requirement, None),
    };
    let (name, extras) = whole.split_once('[').map_or((whole, ""), |(name, rest)| (name, rest.trim_end_matches(']')));
    let version = constraint.as_deref().and_then(|text| text.strip_prefix("==")).map(str::to_owned);
    Dependency {
        ecosystem: Ecosystem::Pypi,
        name: name.to_owned(),
        written: name.to_owned(),
        version,
        constraint,
        extras: extras.split(',').filter(|extra| !extra.is_empty()).map(str::to_owned).collect(),
        marker: None,
        source: DependencySource::Index { url: None },
        digests: Vec::new(),
        standing: Standing::Declared,
        group: None,
        requires: Vec::new(),
        location: Location { line: Some(line), ..Location::file("requirements.txt") },
    }
}

fn statement(text: &str, file: &str) -> Statement {
    Statement { text: text.to_owned(), location: Location::file(file), group: None }
}

/// A project on one line: requirements, and with a letter before a colon what is no requirement.
fn project(text: &str) -> (Stack, Vec<Finding>) {
    let (mut dependencies, mut python, mut indexes, mut images, mut driver) = (vec![], vec![], vec![], vec![], None);
    for (line, word) in (1..).zip(text.split_whitespace()) {
        match word.split_once('|') {
            Some(("python", said)) => python.push(statement(said, ".python-version")),
            Some(("index", said)) => indexes.push(statement(said, "requirements.txt")),
            Some(("image", said)) => images.push(statement(said, "Dockerfile")),
            Some(("driver", said)) => driver = Some(statement(said, "--driver")),
            Some((_, said)) => panic!("{said}"),
            None => dependencies.push(package(word, line)),
        }
    }
    examine(&Project {
        dependencies: &dependencies,
        python: &python,
        indexes: &indexes,
        images: &images,
        driver: driver.as_ref(),
    })
}

/// Whether torch in one file clashes with torchvision in another, which needs an older one.
fn clash(torch: &str, vision: &str) -> bool {
    let at = |requirement: &str, file: &str| Dependency {
        location: Location { line: Some(1), ..Location::file(file) },
        ..package(requirement, 1)
    };
    let dependencies = [at("torch==2.4.0", torch), at("torchvision==0.17.0", vision)];
    !examine(&Project { dependencies: &dependencies, ..Project::default() }).0.conflicts.is_empty()
}

#[test]
fn projects_in_folders_beside_each_other_are_not_compared() {
    assert!(!clash("m/a/requirements.txt", "m/b/requirements.txt"));
    assert!(!clash("a/requirements.txt", "ab/requirements.txt"));
    assert!(!clash("a/Dockerfile", "b/Dockerfile"));
    for (one, other) in [
        ("a/requirements.txt", "a/requirements.txt"),
        ("a/requirements.txt", "a/requirements-dev.txt"),
        ("requirements.txt", "a/b/requirements.txt"),
        ("a/b/requirements.txt", "a/requirements.txt"),
        ("docker/Dockerfile", "app/requirements.txt"),
        ("./a/requirements.txt", "a/requirements-dev.txt"),
    ] {
        assert!(clash(one, other), "{one} and {other}");
    }
}

fn told(text: &str) -> String {
    let (stack, findings) = project(text);
    let mut lines: Vec<String> =
        findings.iter().map(|one| format!("{}: {}\n  next: {}", one.rule, one.message, one.next_step)).collect();
    lines.extend(stack.not_known.iter().map(|one| one.message.clone()));
    lines.join("\n")
}

#[test]
fn what_cannot_start_is_found_with_the_smallest_change() {
    let cases = [
        "torch==2.1.0 torchvision==0.17.0",
        "torch==2.1.0 torchvision==0.17.0 torchaudio==2.2.0",
        "torch==2.1.0 torchvision==0.16.0 torchaudio==2.1.0 python|3.12",
        "torch==2.1.0+cu118",
        "torch==2.1.0+cu118 index|https://download.pytorch.org/whl/cu121",
        "torch==2.1.0+cu124 index|https://download.pytorch.org/whl/cu124",
        "torch==2.4.0 driver|470.82.01",
        "torch==2.4.0 driver|525.60.13",
        "torch==2.4.0 nvidia-cudnn-cu12==8.9.2.26",
        "tensorflow==2.15.0 keras==3.4.0",
        "tensorflow==2.15.1 python|3.12",
        "jax[cuda12]==0.4.35 jaxlib==0.5.3",
        "torch==2.4.0 torch==2.3.0",
        "image|nvidia/cuda:11.8.0-cudnn8-devel-ubuntu22.04 torch==2.6.0",
        "image|nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04 tensorflow==2.19.0",
        "image|pytorch/pytorch:2.3.0-cuda12.1-cudnn8-runtime torchvision==0.17.0",
    ];
    let all: Vec<String> = cases.iter().map(|case| format!("# {case}\n{}", told(case))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn where_the_tables_end_is_said_and_nothing_else() {
    let cases = [
        "torch==2.16.0 python|3.13",
        "torch==1.4.0 torchvision==0.5.0",
        "torch==2.1.7 torchvision==0.16.0",
        "tensorflow==3.0.0 python|3.13",
        "jax==0.4.34 jaxlib==0.4.34",
        "torch==2.4.0 torchvision==0.99.0",
        "image|nvidia/cuda:13.9.0-base-ubuntu24.04 driver|600.1",
    ];
    let all: Vec<String> = cases.iter().map(|case| format!("# {case}\n{}", told(case))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_goes_together_is_left_alone() {
    for case in [
        "torch==2.1.0 torchvision==0.16.0 torchaudio==2.1.0 python|3.11",
        "torch==2.1.0+cu118 torchvision==0.16.0+cu118 index|https://download.pytorch.org/whl/cu118",
        "torch==2.1.0+cu118 index|https://pypi.example.org/simple",
        "torch==2.7.0+rocm6.3 index|https://stable.repo.example.com/rocm/whl-next/",
        "torch>=2.0 torchvision>=0.15 python|>=3.8",
        "torch torchvision torchaudio",
        "torch==2.4.0 driver|535.104.05",
        "torch==2.4.0+cpu driver|390.46 index|https://download.pytorch.org/whl/cpu",
        "image|nvidia/cuda:12.1.1-cudnn8-devel-ubuntu22.04 torch==2.6.0",
        "tensorflow==2.15.1 keras==2.15.0 python|3.11",
        "tensorflow==2.17.0 keras==3.10.0",
        "image|nvidia/cuda:12.3.2-cudnn9-runtime-ubuntu22.04 tensorflow[and-cuda]==2.17.0",
        "jax[cuda12]==0.4.35 jaxlib==0.4.34 python|3.12 driver|535.1",
        "torch==2.14.1 torchvision==0.29.2",
        "torch==2.15.0 torchvision==0.29.2 torchaudio==2.11.0",
        "torchvision==0.29.2 torch>=2.16",
    ] {
        let (stack, findings) = project(case);
        assert!(findings.is_empty(), "{case}: {findings:?}");
        assert!(stack.not_known.is_empty(), "{case}: {:?}", stack.not_known);
        assert!(!stack.claims.is_empty());
    }
}

#[test]
fn cuda_is_documented_by_any_place() {
    for (case, expected) in [
        ("torch==2.1.0", false),
        ("torch==2.1.0+cu118 index|https://download.pytorch.org/whl/cu118", true),
        ("image|nvidia/cuda:12.1.1-base-ubuntu22.04", true),
        ("image|python:3.11", false),
        ("nvidia-cudnn-cu12==8.9.2.26", true),
        ("torch index|https://mirror.example/pytorch-wheels/cu121/", true),
    ] {
        assert_eq!(project(case).0.cuda_documented, expected, "{case}");
    }
}

/// Every row of the tables, as a project that has all of it.
fn rows() -> Vec<String> {
    let tables = tables();
    let mut all = Vec::new();
    let one = |row: &super::tables::Release, name: &str, more: &str| {
        let fitting = (0..40).filter(|minor| row.has_wheel_for(*minor));
        fitting.map(|minor| format!("{name}=={} {more} python|3.{minor}", row.version)).collect::<Vec<_>>()
    };
    for row in &tables.torch {
        let pins: Vec<String> = row.nvidia.iter().map(|(name, version)| format!("{name}=={version}")).collect();
        let driver =
            row.cuda.as_ref().and_then(|cuda| tables.toolkit(cuda)).map(|row| format!("driver|{}", row.driver));
        all.extend(one(&row.release, "torch", &format!("{} {}", pins.join(" "), driver.unwrap_or_default())));
    }
    for (name, rows) in [("torchvision", &tables.torchvision), ("torchaudio", &tables.torchaudio)] {
        for row in rows {
            let torch = row.torch.as_ref().map(|needs| format!("torch{needs}")).unwrap_or_default();
            all.extend(one(&row.release, name, &torch));
        }
    }
    for row in &tables.matrix {
        let (major, minor) = row.torch;
        for cuda in &row.cuda {
            let tag = super::version::build_of(cuda);
            all.push(format!(
                "torch=={major}.{minor}.0+{tag} index|https://download.pytorch.org/whl/{tag} python|3.{}",
                row.python_min.max(8)
            ));
        }
    }
    for row in &tables.tensorflow {
        let version = row.checked.as_ref().unwrap_or(&row.version);
        let (cuda, cudnn) = (minor_of(&row.cuda), minor_of(&row.cudnn));
        let image = format!("image|nvidia/cuda:{}.{}.0-cudnn{}-runtime", cuda.0, cuda.1, cudnn.0);
        for keras in row.keras.iter().map(|keras| format!("keras=={keras}")).chain([String::new()]) {
            all.push(format!("tensorflow=={version} {keras} {image}"));
        }
    }
    for row in &tables.jax {
        all.push(format!("jax[{}]=={} jaxlib=={} python|3.{}", row.extra, row.version, row.jaxlib, row.python_min));
    }
    for row in tables.toolkits.iter().filter(|row| minor_of(&row.cuda).0 >= 11) {
        all.push(format!("image|nvidia/cuda:{}-base driver|{}", row.cuda, row.driver));
    }
    all
}

#[test]
fn every_row_of_the_tables_agrees_with_itself() {
    let rows = rows();
    assert!(rows.len() > 300, "{}", rows.len());
    for row in rows {
        let (stack, _) = project(&row);
        assert!(stack.conflicts.is_empty(), "{row}: {:?}", stack.conflicts);
        assert!(stack.compared > 0, "{row}: nothing was compared");
    }
}

/// What a change makes of claims, as somebody would make it who reads it.
fn changed(text: &str, change: &Change) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_package = |name: &str| word.split(['=', '[', '>', '<']).next() == Some(name);
        words.push(match change.part {
            Part::Python if word.starts_with("python|") => format!("python|{}", change.to),
            Part::Driver if word.starts_with("driver|") => format!("driver|{}", change.to),
            Part::Cuda if word.contains('+') => format!("{}+{}", word.split('+').next().unwrap(), change.to),
            Part::Cuda if word.starts_with("index|") => format!("index|https://download.pytorch.org/whl/{}", change.to),
            Part::BaseImage if word.starts_with("image|nvidia") => format!("image|nvidia/cuda:{}-base", change.to),
            Part::Torch
            | Part::Torchvision
            | Part::Torchaudio
            | Part::Tensorflow
            | Part::Keras
            | Part::Jax
            | Part::Jaxlib
            | Part::Nvidia
                if is_package(&change.name) =>
            {
                format!("{}=={}", change.name, change.to)
            }
            _ => word.to_owned(),
        });
    }
    if change.part == Part::WheelIndex {
        words.push(format!("index|{}", change.to));
    }
    words.join(" ")
}

fn pick<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(proptest::sample::select(all))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_suggested_leaves_nothing_that_cannot_start(
        torch in proptest::sample::select(tables().torch.iter().map(|row| row.release.version.to_string()).collect::<Vec<_>>()),
        vision in pick(tables().torchvision.iter().map(|row| row.release.version.to_string()).collect()),
        audio in pick(tables().torchaudio.iter().map(|row| row.release.version.to_string()).collect()),
        python in pick((8..15).collect::<Vec<u64>>()),
        driver in pick(vec!["470.82.01", "525.60.13", "535.104.05", "590.1"]),
    ) {
        let mut text = format!("torch=={torch}");
        if let Some(vision) = vision { text += &format!(" torchvision=={vision}"); }
        if let Some(audio) = audio { text += &format!(" torchaudio=={audio}"); }
        if let Some(python) = python { text += &format!(" python|3.{python}"); }
        if let Some(driver) = driver { text += &format!(" driver|{driver}"); }
        let (stack, _) = project(&text);
        let bad = stack.conflicts.iter().any(|one| one.grade == Grade::WillNotStart);
        prop_assert!(!bad || !stack.fix.is_empty(), "{text}: no fix");
        let after = stack.fix.iter().fold(text.clone(), |text, change| changed(&text, change));
        let (rest, _) = project(&after);
        let left: Vec<_> = rest.conflicts.iter().filter(|one| one.grade == Grade::WillNotStart).collect();
        prop_assert!(left.is_empty(), "{text} became {after}: {left:?}");
    }
}

#[test]
fn many_claims_end_quickly() {
    let dependencies: Vec<Dependency> =
        (0..3_000).map(|line| package(&format!("torch==2.{}.0", line % 15), line)).collect();
    let (stack, _) = examine(&Project { dependencies: &dependencies, ..Project::default() });
    assert!(!stack.conflicts.is_empty());
    let claims: Vec<Claim> = stack.claims;
    assert!(judge(&claims).compared > 0);
}

#[test]
fn two_that_are_far_apart_meet_half_way() {
    let (stack, _) = project("torch==2.9.0 torchaudio==2.0.1 python|3.8 driver|525.60.13");
    let changes: Vec<String> = stack.fix.iter().map(|one| format!("{} {}", one.name, one.to)).collect();
    assert_eq!(changes, ["torchaudio 2.0.2", "torch 2.0.1"]);
}
