//! What a project says its stack is: one claim for each place that says something.

use pep440_rs::{Version, VersionSpecifiers};
use serde::Serialize;
use waag_evidence::Location;

/// A part of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// PyTorch.
    Torch,
    /// Its companion for images.
    Torchvision,
    /// Its companion for sound.
    Torchaudio,
    /// TensorFlow.
    Tensorflow,
    /// Keras.
    Keras,
    /// JAX.
    Jax,
    /// JAX's compiled part.
    Jaxlib,
    /// The interpreter.
    Python,
    /// CUDA: of a base image, or that wheels were built for.
    Cuda,
    /// cuDNN.
    Cudnn,
    /// A package of NVIDIA's for Python.
    Nvidia,
    /// NVIDIA's driver.
    Driver,
    /// The image that a container begins with.
    BaseImage,
    /// An index of wheels built for one CUDA.
    WheelIndex,
}

impl Part {
    /// Whether it is a library that the tables have versions of.
    #[must_use]
    pub const fn is_framework(self) -> bool {
        matches!(
            self,
            Self::Torch
                | Self::Torchvision
                | Self::Torchaudio
                | Self::Tensorflow
                | Self::Keras
                | Self::Jax
                | Self::Jaxlib
        )
    }

    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::Torchvision => "torchvision",
            Self::Torchaudio => "torchaudio",
            Self::Tensorflow => "tensorflow",
            Self::Keras => "keras",
            Self::Jax => "jax",
            Self::Jaxlib => "jaxlib",
            Self::Python => "Python",
            Self::Cuda => "CUDA",
            Self::Cudnn => "cuDNN",
            Self::Nvidia => "a package of NVIDIA's",
            Self::Driver => "the NVIDIA driver",
            Self::BaseImage => "the base image",
            Self::WheelIndex => "the wheel index",
        }
    }
}

/// How a place says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voice {
    /// As a package of the Python Package Index, or of an index like it.
    Package,
    /// As a package of conda.
    Conda,
    /// By the local version of a package: `+cu118`.
    LocalTag,
    /// By the address of an index.
    Index,
    /// By the name of a base image.
    Image,
    /// By the name of a base image with the compilers of CUDA.
    DevelImage,
    /// In a file that says which Python is used.
    PythonFile,
    /// By whoever runs waag, or their settings.
    Asked,
}

/// Which versions are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admitted {
    /// Exactly one.
    One(Version),
    /// Those within a range.
    Range(VersionSpecifiers),
    /// Any.
    Any,
    /// A build without CUDA: `cpu`, `rocm6.2`, `xpu`.
    Build(String),
    /// What is written is no version that is understood here.
    Unreadable,
}

impl Admitted {
    pub(super) fn contains(&self, version: &Version) -> bool {
        match self {
            Self::One(one) => one.clone().without_local() == *version,
            Self::Range(specifiers) => specifiers.contains(version),
            Self::Any => true,
            Self::Build(_) | Self::Unreadable => false,
        }
    }

    /// The one version, without its local tag.
    pub(super) fn one(&self) -> Option<Version> {
        match self {
            Self::One(version) => Some(version.clone().without_local()),
            _ => None,
        }
    }

    /// Versions that are named in it.
    pub(super) fn named(&self) -> Vec<Version> {
        match self {
            Self::One(version) => vec![version.clone().without_local()],
            Self::Range(specifiers) => specifiers.iter().map(|one| one.version().clone().without_local()).collect(),
            _ => Vec::new(),
        }
    }
}

/// What one place says of one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Claim {
    /// What it is about.
    pub part: Part,
    /// The package's or image's name, as it is compared.
    pub name: String,
    /// What is said, as it is written there; empty where any version is accepted.
    pub said: String,
    /// How it is said.
    pub voice: Voice,
    /// The group, extra or stage that it holds for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// It holds under a condition only: an environment marker.
    pub conditional: bool,
    /// Where it is said.
    pub location: Location,
    #[serde(skip)]
    pub(super) admitted: Admitted,
    /// Somebody has to find it on an index: it is declared, and neither locked nor installed.
    #[serde(skip)]
    pub(super) is_to_be_found: bool,
    /// Extras that are asked for.
    #[serde(skip)]
    pub(super) extras: Vec<String>,
}

impl Claim {
    /// Whether exactly one version is meant.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.admitted.one().is_some()
    }

    /// Whether it is a build without CUDA: for processors, or for other makers' cards.
    #[must_use]
    pub const fn is_without_cuda(&self) -> bool {
        matches!(self.admitted, Admitted::Build(_))
    }

    /// What it says, for people: `torch 2.1.0`, `torchvision >=0.16`.
    #[must_use]
    pub fn told(&self) -> String {
        match self.voice {
            Voice::LocalTag => return format!("{} for {}", self.name, self.said),
            Voice::Index if self.part == Part::Cuda => return format!("the index for {}", self.said),
            // Nothing that is installed says it: who did is part of it.
            Voice::Asked => return format!("{} {} ({})", self.part.name(), self.said, super::place(&self.location)),
            _ => {}
        }
        let name = match self.part {
            Part::Nvidia => self.name.as_str(),
            Part::Tensorflow if self.voice != Voice::Image => self.name.as_str(),
            part => part.name(),
        };
        if self.said.is_empty() { format!("{name} in any version") } else { format!("{name} {}", self.said) }
    }

    /// Whether it is said in the description of an image, where commands follow each other.
    pub(super) fn is_of_recipe(&self) -> bool {
        crate::image::is_read(self.location.file.rsplit('/').next().unwrap_or_default())
    }

    /// Whether this and another can be part of one environment.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        self.group.is_none() || other.group.is_none() || self.group == other.group
    }
}
