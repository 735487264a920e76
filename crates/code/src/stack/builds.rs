//! CUDA: what wheels were built for, where such wheels are found, what the driver and the base image have to do with it.

use pep440_rs::Version;
use waag_evidence::Confidence;

use super::claim::{Admitted, Claim, Part, Voice};
use super::families::{no_jax, no_tensorflow, tensorflow_rows};
use super::judge::{Agreement, Grade, Judge, beyond};
use super::tables::{minor_of, tables};
use super::version::build_of;

/// Where PyTorch keeps its builds; a tag of a build follows.
pub(super) const WHEELS: &str = "https://download.pytorch.org/whl/";

impl<'a> Judge<'a> {
    /// Tags of builds: that they can be found, that they exist, and that they agree.
    pub(super) fn builds(&mut self) {
        for tag in self.about(Part::Cuda) {
            match tag.voice {
                Voice::LocalTag => self.local_tag(tag),
                Voice::Index => {
                    let torch = self.beside(tag, Part::Torch);
                    let without_tag: Vec<&Claim> = torch
                        .into_iter()
                        .filter(|torch| torch.voice == Voice::Package && self.tag_of(torch).is_none())
                        .collect();
                    self.compare(tag, &without_tag, |tag, torch| exists(torch, &tag.admitted, Grade::Untested));
                }
                _ => {}
            }
        }
    }

    fn local_tag(&mut self, tag: &Claim) {
        if tag.is_to_be_found {
            let indexes = self.beside(tag, Part::WheelIndex);
            let with_tags: Vec<&Claim> =
                self.beside(tag, Part::Cuda).into_iter().filter(|one| one.voice == Voice::Index).collect();
            let has_every_build = |index: &&Claim| !with_tags.iter().any(|one| one.name == index.name);
            if indexes.is_empty() {
                self.compare(tag, &[tag], |tag, _| not_on_pypi(tag));
            } else if !indexes.iter().any(has_every_build) {
                self.compare(tag, &with_tags, same_build);
            }
        }
        if tag.name == "torch" {
            let torch: Vec<&Claim> =
                self.about(Part::Torch).into_iter().filter(|one| one.location == tag.location).collect();
            self.compare(tag, &torch, |tag, torch| exists(torch, &tag.admitted, Grade::WillNotStart));
        } else {
            let others: Vec<&Claim> = self
                .beside(tag, Part::Cuda)
                .into_iter()
                .filter(|one| one.voice == Voice::LocalTag && one.name == "torch")
                .collect();
            self.compare(tag, &others, agree);
        }
    }

    /// The tag that a package itself has.
    fn tag_of(&self, package: &Claim) -> Option<&'a Claim> {
        let is_its =
            |one: &&Claim| one.voice == Voice::LocalTag && one.name == package.name && one.location == package.location;
        self.claims.iter().filter(|one| one.part == Part::Cuda).find(is_its)
    }

    /// What torch was built for, where that is said: by its tag, the index, or conda.
    pub(super) fn build_of(&self, torch: &Claim) -> Option<&'a Admitted> {
        if let Some(tag) = self.tag_of(torch) {
            return Some(&tag.admitted);
        }
        let beside = self.beside(torch, Part::Cuda);
        let said = beside.into_iter().filter(|one| matches!(one.voice, Voice::Index | Voice::Conda));
        said.map(|one| &one.admitted).next()
    }

    /// The versions of CUDA that torch may have been built for; none where that is not known, or it has none.
    fn cuda_of_torch(&self, torch: &Claim) -> Vec<Version> {
        match (self.build_of(torch), torch.voice) {
            (Some(admitted), _) => admitted.one().into_iter().collect(),
            (None, Voice::Package) => {
                let rows = self.tables.torch.iter().filter(|row| torch.admitted.contains(&row.release.version));
                rows.filter_map(|row| row.cuda.clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The driver against everything that needs one.
    pub(super) fn drivers(&mut self) {
        let drivers = self.about(Part::Driver);
        for driver in drivers {
            let packages = |one: &&Claim| !matches!(one.voice, Voice::Image | Voice::DevelImage);
            for torch in self.about(Part::Torch).into_iter().filter(packages) {
                let cuda = self.cuda_of_torch(torch);
                let has_no_cuda = matches!(self.build_of(torch), Some(Admitted::Build(_)));
                if cuda.is_empty() && !has_no_cuda {
                    let why = format!("{}: not known: the tables do not say which CUDA it brings", torch.told());
                    self.not_known(torch, why);
                }
                self.compare_with_driver(driver, torch, &cuda, "its wheels are built for CUDA");
            }
            for image in
                self.about(Part::Cuda).into_iter().filter(|one| matches!(one.voice, Voice::Image | Voice::DevelImage))
            {
                let cuda: Vec<Version> = image.admitted.one().into_iter().collect();
                self.compare_with_driver(driver, image, &cuda, "the base image has CUDA");
            }
            for tensorflow in self
                .about(Part::Tensorflow)
                .into_iter()
                .filter(|one| one.extras.iter().any(|extra| extra == "and-cuda"))
            {
                let cuda: Vec<Version> =
                    tensorflow_rows(tensorflow).iter().filter_map(|row| row.resolved_cuda.clone()).collect();
                self.compare_with_driver(driver, tensorflow, &cuda, "it comes with CUDA");
            }
            for jax in self.about(Part::Jax) {
                let extra = |row: &&super::tables::Jax| jax.extras.contains(&row.extra);
                let rows = self.tables.jax.iter().filter(|row| jax.admitted.contains(&row.version)).filter(extra);
                // The newest of its major version was taken; all of a major version ask for the same least driver.
                let cuda: Vec<Version> = rows.map(|row| Version::new([minor_of(&row.cuda).0, 0])).collect();
                if cuda.is_empty() && jax.extras.iter().any(|extra| extra.starts_with("cuda")) {
                    self.compare(jax, &[driver], |jax, _| no_jax(jax));
                }
                self.compare_with_driver(driver, jax, &cuda, "it comes with CUDA");
            }
        }
    }

    fn compare_with_driver(&mut self, driver: &Claim, other: &Claim, cuda: &[Version], why: &str) {
        if cuda.is_empty() {
            return;
        }
        self.judgement.compared_with_driver += 1;
        self.compare(other, &[driver], |_, driver| {
            let Some(version) = driver.admitted.one() else {
                return Agreement::NotKnown(format!("{}: not known: no version of a driver", driver.told()));
            };
            let each = cuda.iter().map(|cuda| on_driver(cuda, &version, why));
            // Of a range, the version that asks least may be the one.
            each.min_by_key(rank).unwrap_or(Agreement::Agrees)
        });
    }

    /// The base image against what is installed on it.
    pub(super) fn images(&mut self) {
        let is_image = |claim: &&Claim| matches!(claim.voice, Voice::Image | Voice::DevelImage);
        for image in self.about(Part::Cuda).into_iter().filter(is_image) {
            let torch: Vec<(&Claim, Vec<Version>)> = self
                .beside(image, Part::Torch)
                .into_iter()
                .filter(|one| !is_image(one))
                .map(|one| (one, self.cuda_of_torch(one)))
                .collect();
            for (torch, cuda) in torch.iter().filter(|(_, cuda)| !cuda.is_empty()) {
                self.compare(image, &[torch], |image, _| same_major(image, cuda));
            }
            let tensorflow: Vec<&Claim> =
                self.beside(image, Part::Tensorflow).into_iter().filter(|one| uses_the_systems(one)).collect();
            self.compare(image, &tensorflow, |image, tensorflow| system_library(image, tensorflow, Part::Cuda));
        }
        for image in self.about(Part::Cudnn).into_iter().filter(is_image) {
            let tensorflow: Vec<&Claim> =
                self.beside(image, Part::Tensorflow).into_iter().filter(|one| uses_the_systems(one)).collect();
            self.compare(image, &tensorflow, |image, tensorflow| system_library(image, tensorflow, Part::Cudnn));
        }
        for image in self.about(Part::Torch).into_iter().filter(is_image) {
            let torch: Vec<&Claim> = self.beside(image, Part::Torch).into_iter().filter(|one| !is_image(one)).collect();
            self.compare(image, &torch, |image, torch| match image.admitted.one() {
                Some(one) if !torch.admitted.contains(&one) => Agreement::Clashes(
                    Grade::Untested,
                    Confidence::High,
                    "installing replaces the torch of the image, and what was built for that one stays".to_owned(),
                ),
                _ => Agreement::Agrees,
            });
        }
    }
}

/// Whether a claim about TensorFlow means one that uses the CUDA of the system.
fn uses_the_systems(tensorflow: &Claim) -> bool {
    let brings_its_own = tensorflow.extras.iter().any(|extra| extra == "and-cuda");
    tensorflow.voice == Voice::Package && tensorflow.name != "tensorflow-cpu" && !brings_its_own
}

fn rank(agreement: &Agreement) -> u8 {
    match agreement {
        Agreement::Agrees => 0,
        Agreement::NotKnown(_) => 1,
        Agreement::Clashes(grade, ..) => 2 + *grade as u8,
    }
}

fn not_on_pypi(tag: &Claim) -> Agreement {
    let why =
        format!("builds with a local version are not on the Python Package Index; this one is at {WHEELS}{}", tag.said);
    Agreement::Clashes(Grade::WillNotStart, Confidence::Medium, why)
}

fn same_build(tag: &Claim, index: &Claim) -> Agreement {
    // An index of a kind of build (`rocm`) has its versions below it.
    let kind = tag.said.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    if tag.admitted == index.admitted || kind == index.said {
        return Agreement::Agrees;
    }
    let why = format!("the index has builds for {} only", index.said);
    Agreement::Clashes(Grade::WillNotStart, Confidence::High, why)
}

/// Whether torch was built for this CUDA.
fn exists(torch: &Claim, build: &Admitted, grade: Grade) -> Agreement {
    let Some(cuda) = build.one() else { return Agreement::Agrees };
    let tables = tables();
    let rows: Vec<_> = match torch.admitted.one() {
        Some(one) => tables.minor(&one).into_iter().collect(),
        None => return Agreement::Agrees,
    };
    // What the index itself has counts more than the list of releases.
    let of_index = torch.admitted.one().and_then(|one| tables.torch(&one)).and_then(|row| row.cuda.as_ref());
    if of_index.is_some_and(|one| minor_of(one) == minor_of(&cuda)) {
        return Agreement::Agrees;
    }
    let Some(row) = rows.first() else {
        let versions: Vec<(&Version, &str)> =
            tables.torch.iter().map(|row| (&row.release.version, row.release.released.as_str())).collect();
        return Agreement::NotKnown(format!("{}: {}", torch.told(), beyond("torch", &torch.admitted, &versions)));
    };
    if row.cuda.iter().any(|one| minor_of(one) == minor_of(&cuda)) {
        return Agreement::Agrees;
    }
    let built: Vec<String> = row.cuda.iter().map(build_of).collect();
    let (major, minor) = row.torch;
    let why = format!("torch {major}.{minor} is listed with builds for {}", built.join(", "));
    Agreement::Clashes(grade, Confidence::Medium, why)
}

/// Tags of a companion and of torch.
fn agree(companion: &Claim, torch: &Claim) -> Agreement {
    match (companion.admitted.one(), torch.admitted.one()) {
        (Some(one), Some(other)) if minor_of(&one) == minor_of(&other) => Agreement::Agrees,
        (Some(one), Some(other)) if minor_of(&one).0 == minor_of(&other).0 => Agreement::Clashes(
            Grade::Untested,
            Confidence::High,
            "they are built for different versions of CUDA".to_owned(),
        ),
        (Some(_), Some(_)) => Agreement::Clashes(
            Grade::WillNotStart,
            Confidence::Medium,
            "they are built for different major versions of CUDA, which is refused when they are imported".to_owned(),
        ),
        (None, None) if companion.said == torch.said => Agreement::Agrees,
        _ => Agreement::Clashes(
            Grade::MayLackFeatures,
            Confidence::Medium,
            "one is built for CUDA and the other is not, so operators on the GPU are missing".to_owned(),
        ),
    }
}

/// CUDA on a driver: below the least one nothing starts; below the one that comes with the toolkit, features are missing.
fn on_driver(cuda: &Version, driver: &Version, why: &str) -> Agreement {
    let tables = tables();
    let shown = minor_of(cuda);
    let shown = format!("{}.{}", shown.0, shown.1);
    let toolkit = tables.toolkit(cuda);
    let bundled = toolkit.map(|row| &row.driver);
    let Some(least) = tables.least_driver(cuda).or(bundled) else {
        return Agreement::NotKnown(format!(
            "CUDA {shown}: not known: the tables of {} have no driver for it",
            super::tables::MADE
        ));
    };
    if driver < least {
        let why = format!("{why} {shown}, which needs driver {least} or newer");
        return Agreement::Clashes(Grade::WillNotStart, Confidence::High, why);
    }
    if bundled.is_none() {
        return Agreement::NotKnown(format!(
            "CUDA {shown}: not known: the tables of {} do not have it",
            super::tables::MADE
        ));
    }
    if let Some(bundled) = bundled.filter(|bundled| driver < *bundled) {
        let why = format!(
            "{why} {shown}, which comes with driver {bundled}; an older one runs it without what needs the newer"
        );
        return Agreement::Clashes(Grade::MayLackFeatures, Confidence::High, why);
    }
    Agreement::Agrees
}

/// The CUDA of an image with compilers against that of wheels.
fn same_major(image: &Claim, wheels: &[Version]) -> Agreement {
    let Some(one) = image.admitted.one() else { return Agreement::Agrees };
    if wheels.iter().any(|cuda| minor_of(cuda).0 == minor_of(&one).0) {
        return Agreement::Agrees;
    }
    let built = wheels.last().map(minor_of).unwrap_or_default();
    let why = format!(
        "the wheels bring CUDA {}.{} of their own: extensions cannot be compiled, and two versions of CUDA lie in one image",
        built.0, built.1
    );
    Agreement::Clashes(Grade::MayLackFeatures, Confidence::High, why)
}

/// TensorFlow that uses the CUDA and cuDNN of the image.
fn system_library(image: &Claim, tensorflow: &Claim, part: Part) -> Agreement {
    let Some(one) = image.admitted.one() else { return Agreement::Agrees };
    let rows = tensorflow_rows(tensorflow);
    let Some(last) = rows.last() else { return no_tensorflow(tensorflow) };
    let tested =
        |row: &super::tables::Tensorflow| if part == Part::Cuda { row.cuda.clone() } else { row.cudnn.clone() };
    let same_major = |row: &&&super::tables::Tensorflow| minor_of(&tested(row)).0 == minor_of(&one).0;
    if rows.iter().any(|row| same_major(&row)) {
        return Agreement::Agrees;
    }
    let why =
        format!("it was built for {} {}, finds none on the image, and runs without a GPU", part.name(), tested(last));
    Agreement::Clashes(Grade::MayLackFeatures, Confidence::Medium, why)
}
