//! From what a project's files say to claims about its stack.

use std::collections::BTreeSet;
use std::str::FromStr;

use pep440_rs::Version;
use waag_evidence::{Dependency, DependencySource, Ecosystem, Location, Standing};

use super::claim::{Admitted, Claim, Part, Voice};
use super::{Project, Statement, version};

/// Claims that are compared with each other. Honest projects have dozens.
const MAX_CLAIMS: usize = 256;

/// The claims of a project, in the order of what says them, each once for each file; and how many more there are.
pub(super) fn claims(project: &Project<'_>) -> (Vec<Claim>, usize) {
    let mut claims = Vec::new();
    project.dependencies.iter().for_each(|dependency| of_dependency(dependency, &mut claims));
    project.python.iter().for_each(|statement| claims.push(of_python(statement)));
    project.indexes.iter().for_each(|statement| of_index(statement, &mut claims));
    project.images.iter().for_each(|statement| of_image(statement, &mut claims));
    let mut seen = BTreeSet::new();
    claims.retain(|claim| {
        seen.insert((
            claim.part,
            claim.voice,
            claim.name.clone(),
            claim.said.clone(),
            claim.location.file.clone(),
            claim.group.clone(),
        ))
    });
    let left_out = claims.len().saturating_sub(MAX_CLAIMS);
    claims.truncate(MAX_CLAIMS);
    // Whoever names a driver wants it compared, however much else there is.
    claims.extend(project.driver.into_iter().map(of_driver));
    (claims, left_out)
}

fn of_dependency(dependency: &Dependency, claims: &mut Vec<Claim>) {
    let is_conda = dependency.ecosystem == Ecosystem::Conda;
    let Some(part) = part_of(&dependency.name, is_conda) else { return };
    let (stated, range) = (dependency.version.as_deref(), dependency.constraint.as_deref());
    let admitted = if is_conda { version::of_conda(stated, range) } else { version::of_package(stated, range) };
    let claim = Claim {
        part,
        name: dependency.name.clone(),
        said: said(dependency),
        voice: if is_conda { Voice::Conda } else { Voice::Package },
        group: dependency.group.clone(),
        conditional: dependency.marker.is_some(),
        location: dependency.location.clone(),
        admitted,
        is_to_be_found: matches!(dependency.standing, Standing::Declared | Standing::Constrained)
            && matches!(dependency.source, DependencySource::Index { .. }),
        extras: dependency.extras.clone(),
    };
    local_tag(&claim, claims);
    if let DependencySource::Index { url: Some(url) } = &dependency.source {
        index(url, &claim.location, claim.group.as_deref(), claims);
    }
    claims.push(claim);
}

fn said(dependency: &Dependency) -> String {
    let range = dependency.constraint.as_deref().unwrap_or_default().trim();
    dependency.version.clone().unwrap_or_else(|| range.to_owned())
}

/// The part of the stack that a package is.
fn part_of(name: &str, is_conda: bool) -> Option<Part> {
    Some(match name {
        "torch" => Part::Torch,
        "pytorch" if is_conda => Part::Torch,
        "torchvision" => Part::Torchvision,
        "torchaudio" => Part::Torchaudio,
        "tensorflow" | "tensorflow-cpu" | "tensorflow-gpu" => Part::Tensorflow,
        "keras" => Part::Keras,
        "jax" => Part::Jax,
        "jaxlib" => Part::Jaxlib,
        "python" if is_conda => Part::Python,
        "pytorch-cuda" | "cudatoolkit" | "cuda-version" | "cuda-toolkit" if is_conda => Part::Cuda,
        "cudnn" if is_conda => Part::Cudnn,
        _ if name.starts_with("nvidia-") => Part::Nvidia,
        _ => return None,
    })
}

/// `2.1.0+cu118` says which CUDA it was built for.
fn local_tag(claim: &Claim, claims: &mut Vec<Claim>) {
    let Admitted::One(stated) = &claim.admitted else { return };
    let tag: Vec<String> = stated.local().iter().map(ToString::to_string).collect();
    let tag = tag.join(".");
    let Some(admitted) = version::of_build(&tag) else { return };
    claims.push(Claim { part: Part::Cuda, said: tag, voice: Voice::LocalTag, admitted, ..claim.clone() });
}

fn of_python(statement: &Statement) -> Claim {
    let admitted = version::of_package(None, Some(&statement.text));
    claim(Part::Python, "python", &statement.text, Voice::PythonFile, &statement.location, admitted)
}

fn of_index(statement: &Statement, claims: &mut Vec<Claim>) {
    index(&statement.text, &statement.location, statement.group.as_deref(), claims);
}

/// An index, and the CUDA that its address names: `…/whl/cu121`.
fn index(url: &str, location: &Location, group: Option<&str>, claims: &mut Vec<Claim>) {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let build = path.rsplit('/').find_map(|segment| version::of_build(segment).map(|admitted| (segment, admitted)));
    let mut wheels = claim(Part::WheelIndex, url, url, Voice::Index, location, Admitted::Any);
    wheels.group = group.map(str::to_owned);
    if let Some((tag, admitted)) = build {
        claims.push(Claim { part: Part::Cuda, said: tag.to_owned(), admitted, ..wheels.clone() });
    }
    claims.push(wheels);
}

fn of_driver(statement: &Statement) -> Claim {
    let admitted = Version::from_str(&statement.text).map_or(Admitted::Unreadable, Admitted::One);
    claim(Part::Driver, "driver", &statement.text, Voice::Asked, &statement.location, admitted)
}

/// What the name of a well-known base image says.
fn of_image(statement: &Statement, claims: &mut Vec<Claim>) {
    let text = statement.text.split('@').next().unwrap_or_default();
    let (name, tag) = match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (text, ""),
    };
    let voice = if tag.contains("devel") { Voice::DevelImage } else { Voice::Image };
    let mut add = |part: Part, said: &str| {
        let admitted = Version::from_str(said).map_or(Admitted::Unreadable, Admitted::One);
        let mut claim = claim(part, name, said, voice, &statement.location, admitted);
        claim.group.clone_from(&statement.group);
        claims.push(claim);
    };
    let short = name.strip_prefix("docker.io/").unwrap_or(name);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let first = tag.split('-').next().unwrap_or_default();
    match short {
        "nvidia/cuda" | "nvcr.io/nvidia/cuda" => add(Part::Cuda, first),
        "pytorch/pytorch" => add(Part::Torch, first),
        "tensorflow/tensorflow" => add(Part::Tensorflow, first),
        "python" => add(Part::Python, first),
        _ => {}
    }
    for word in tag.split('-') {
        let number = |prefix| word.strip_prefix(prefix).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(cuda) = number("cuda") {
            add(Part::Cuda, cuda);
        } else if let Some(cudnn) = number("cudnn") {
            add(Part::Cudnn, cudnn);
        }
    }
    let mut image = claim(Part::BaseImage, name, &statement.text, voice, &statement.location, Admitted::Any);
    image.group.clone_from(&statement.group);
    claims.push(image);
}

fn claim(part: Part, name: &str, said: &str, voice: Voice, location: &Location, admitted: Admitted) -> Claim {
    Claim {
        part,
        name: name.to_owned(),
        said: said.to_owned(),
        voice,
        group: None,
        conditional: false,
        location: location.clone(),
        admitted,
        is_to_be_found: false,
        extras: Vec::new(),
    }
}
