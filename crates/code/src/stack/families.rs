//! What the packages of one family ask of each other and of Python.

use pep440_rs::{Version, VersionSpecifiers};
use waag_evidence::Confidence;

use super::claim::{Admitted, Claim, Part, Voice};
use super::judge::{Agreement, Grade, Judge, beyond, minors_of, told_minors};
use super::tables::{Companion, Release, Tables, Tensorflow, minor_of, tables};

impl Judge<'_> {
    /// torch, torchvision, torchaudio, the Python that they have wheels for, and NVIDIA's packages that torch pins.
    pub(super) fn torch_family(&mut self) {
        for claim in self.about(Part::Torch) {
            self.with_python(claim, torch_on_python);
        }
        for (part, rows) in [(Part::Torchvision, &self.tables.torchvision), (Part::Torchaudio, &self.tables.torchaudio)]
        {
            for claim in self.about(part) {
                let torch = self.beside(claim, Part::Torch);
                self.compare(claim, &torch, |one, other| on_an_image(companion(one, other, rows), other));
                self.with_python(claim, |one, other| {
                    let releases: Vec<&Release> = rows.iter().map(|row| &row.release).collect();
                    wheels(one, other, &releases)
                });
            }
        }
        for claim in self.about(Part::Nvidia) {
            let torch = self.beside(claim, Part::Torch);
            let from_index: Vec<&Claim> = torch.into_iter().filter(|torch| self.is_from_pypi(torch)).collect();
            self.compare(claim, &from_index, nvidia);
        }
    }

    /// TensorFlow, Keras and Python.
    pub(super) fn tensorflow_family(&mut self) {
        for claim in self.about(Part::Tensorflow) {
            self.with_python(claim, tensorflow_on_python);
        }
        for claim in self.about(Part::Keras) {
            let tensorflow = self.beside(claim, Part::Tensorflow);
            self.compare(claim, &tensorflow, keras);
        }
    }

    /// JAX, its compiled part and Python.
    pub(super) fn jax_family(&mut self) {
        for claim in self.about(Part::Jax) {
            self.with_python(claim, jax_on_python);
        }
        for claim in self.about(Part::Jaxlib) {
            let jax = self.beside(claim, Part::Jax);
            self.compare(claim, &jax, jaxlib);
        }
    }

    /// Compares with Python, unless a condition may already have taken care of that.
    fn with_python(&mut self, claim: &Claim, test: impl Fn(&Claim, &Claim) -> Agreement) {
        // An image brings its own Python, whatever else is said.
        if claim.conditional || matches!(claim.voice, Voice::Image | Voice::DevelImage) {
            return;
        }
        let python = self.beside(claim, Part::Python);
        self.compare(claim, &python, test);
    }

    /// Whether a claim about torch means the wheels of the Python Package Index.
    fn is_from_pypi(&self, torch: &Claim) -> bool {
        torch.voice == Voice::Package && self.build_of(torch).is_none()
    }
}

/// Rows that a claim admits.
fn admitted<'t, T>(claim: &Claim, rows: &'t [T], version: impl Fn(&T) -> &Version) -> Vec<&'t T> {
    rows.iter().filter(|row| claim.admitted.contains(version(row))).collect()
}

fn not_in_releases(claim: &Claim, releases: &[&Release]) -> Agreement {
    let versions: Vec<(&Version, &str)> =
        releases.iter().map(|release| (&release.version, release.released.as_str())).collect();
    Agreement::NotKnown(format!("{}: {}", claim.told(), beyond(claim.part.name(), &claim.admitted, &versions)))
}

fn clash(grade: Grade, why: String) -> Agreement {
    Agreement::Clashes(grade, Confidence::High, why)
}

/// torchvision or torchaudio with torch.
fn companion(claim: &Claim, torch: &Claim, rows: &[Companion]) -> Agreement {
    let admitted = admitted(claim, rows, |row| &row.release.version);
    if admitted.is_empty() {
        let releases: Vec<&Release> = rows.iter().map(|row| &row.release).collect();
        return not_in_releases(claim, &releases);
    }
    if torch.admitted == Admitted::Unreadable {
        return Agreement::NotKnown(format!("{}: not known: no version that can be read", torch.told()));
    }
    let accepts = |row: &&&Companion| row.torch.as_ref().is_none_or(|needs| overlap(&torch.admitted, needs));
    if admitted.iter().any(|row| accepts(&row)) {
        return Agreement::Agrees;
    }
    let Some(row) = admitted.last() else { return Agreement::Agrees };
    let needs = row.torch.as_ref().map(ToString::to_string).unwrap_or_default();
    let why = format!("{} {} needs torch {needs}", claim.part.name(), row.release.version);
    let confidence = if row.is_read { Confidence::High } else { Confidence::Medium };
    Agreement::Clashes(Grade::WillNotStart, confidence, why)
}

/// The torch of an image is replaced when something asks for another; that is no reason not to start.
fn on_an_image(agreement: Agreement, torch: &Claim) -> Agreement {
    match agreement {
        Agreement::Clashes(_, confidence, why) if matches!(torch.voice, Voice::Image | Voice::DevelImage) => {
            let why = format!("{why}, so installing replaces the torch of the image");
            Agreement::Clashes(Grade::Untested, confidence, why)
        }
        other => other,
    }
}

/// Whether some version is admitted by both: of those in the tables and those named in either.
fn overlap(torch: &Admitted, needs: &VersionSpecifiers) -> bool {
    if let Some(one) = torch.one() {
        return needs.contains(&one);
    }
    let mut named = torch.named();
    named.extend(needs.iter().map(|one| one.version().clone()));
    let mut known = tables().torch.iter().map(|row| &row.release.version).chain(&named);
    known.any(|version| torch.contains(version) && needs.contains(version))
}

fn torch_on_python(torch: &Claim, python: &Claim) -> Agreement {
    let tables = tables();
    let is_wheel = torch.voice == Voice::Package;
    let is_listed = tables.torch.iter().any(|row| torch.admitted.contains(&row.release.version));
    if is_wheel && is_listed {
        let releases: Vec<&Release> = tables.torch.iter().map(|row| &row.release).collect();
        return wheels(torch, python, &releases);
    }
    by_matrix(torch, python, tables)
}

/// By torch's own list, which says less than wheels do.
fn by_matrix(torch: &Claim, python: &Claim, tables: &Tables) -> Agreement {
    let known: Vec<_> = match torch.admitted.one() {
        Some(one) => tables.minor(&one).into_iter().collect(),
        None => tables
            .matrix
            .iter()
            .filter(|row| torch.admitted.contains(&Version::new([row.torch.0, row.torch.1])))
            .collect(),
    };
    if known.is_empty() {
        let releases: Vec<&Release> = tables.torch.iter().map(|row| &row.release).collect();
        return not_in_releases(torch, &releases);
    }
    let minors = match minors_of(python) {
        Ok(minors) => minors,
        Err(unknown) => return unknown,
    };
    let is_tested = |minor: &u64| known.iter().any(|row| (row.python_min..=row.python_max).contains(minor));
    if minors.iter().any(is_tested) {
        return Agreement::Agrees;
    }
    clash(Grade::Untested, format!("torch's list of releases has no Python {} for it", told_minors(&minors)))
}

/// Whether there is a wheel of some admitted version for some admitted Python.
fn wheels(claim: &Claim, python: &Claim, releases: &[&Release]) -> Agreement {
    let known: Vec<&&Release> = releases.iter().filter(|release| claim.admitted.contains(&release.version)).collect();
    let Some(last) = known.last() else { return not_in_releases(claim, releases) };
    let minors = match minors_of(python) {
        Ok(minors) => minors,
        Err(unknown) => return unknown,
    };
    if known.iter().any(|release| minors.iter().any(|minor| release.has_wheel_for(*minor))) {
        return Agreement::Agrees;
    }
    // A release that the tables do not have may have a wheel.
    if claim.admitted.one().is_none() && claim.admitted.contains(&after(&last.version)) {
        return Agreement::NotKnown(format!(
            "{} on Python {}: not known: the tables end at {} {}, of {}",
            claim.told(),
            told_minors(&minors),
            claim.part.name(),
            last.version,
            last.released
        ));
    }
    let have: Vec<u64> = (0..40).filter(|minor| known.iter().any(|release| release.has_wheel_for(*minor))).collect();
    let which = if known.len() == 1 { format!("{} {}", claim.part.name(), last.version) } else { claim.told() };
    let why =
        format!("there are wheels of {which} for Python {}, and none for {}", told_minors(&have), told_minors(&minors));
    clash(Grade::WillNotStart, why)
}

/// A version after this one, of the next minor.
fn after(version: &Version) -> Version {
    let (major, minor) = minor_of(version);
    Version::new([major, minor.saturating_add(1)])
}

/// NVIDIA's packages that torch pins exactly.
fn nvidia(claim: &Claim, torch: &Claim) -> Agreement {
    let tables = tables();
    let rows = admitted(torch, &tables.torch, |row| &row.release.version);
    if rows.is_empty() {
        let releases: Vec<&Release> = tables.torch.iter().map(|row| &row.release).collect();
        return not_in_releases(torch, &releases);
    }
    let needs = |row: &&super::tables::Torch| row.nvidia.iter().find(|(name, _)| *name == claim.name).cloned();
    let needed: Vec<_> = rows.iter().map(needs).collect();
    // A torch that says nothing of this package does not mind which one is there.
    if needed.iter().any(|one| one.as_ref().is_none_or(|(_, version)| claim.admitted.contains(version))) {
        return Agreement::Agrees;
    }
    let Some((row, Some((name, version)))) = rows.iter().zip(needed).next_back() else { return Agreement::Agrees };
    let why = format!("torch {} pins {name}=={version}", row.release.version);
    // One command after another, as in a Dockerfile, replaces it with no more than a warning.
    let grade = if claim.is_to_be_found && !claim.is_of_recipe() { Grade::WillNotStart } else { Grade::Untested };
    Agreement::Clashes(grade, Confidence::Medium, why)
}

/// Rows of TensorFlow that a claim admits: one stands for its minor version.
pub(super) fn tensorflow_rows(claim: &Claim) -> Vec<&'static Tensorflow> {
    let is_admitted = |row: &&Tensorflow| match claim.admitted.one() {
        Some(one) => minor_of(&one) == minor_of(&row.version),
        None => {
            claim.admitted.contains(&row.version)
                || row.checked.as_ref().is_some_and(|checked| claim.admitted.contains(checked))
        }
    };
    tables().tensorflow.iter().filter(is_admitted).collect()
}

/// That the tables do not have this TensorFlow.
pub(super) fn no_tensorflow(claim: &Claim) -> Agreement {
    let versions: Vec<(&Version, &str)> = tables().tensorflow.iter().map(|row| (&row.version, "2026-03-11")).collect();
    Agreement::NotKnown(format!("{}: {}", claim.told(), beyond("tensorflow", &claim.admitted, &versions)))
}

fn tensorflow_on_python(claim: &Claim, python: &Claim) -> Agreement {
    let rows = tensorflow_rows(claim);
    if rows.is_empty() {
        return no_tensorflow(claim);
    }
    let minors = match minors_of(python) {
        Ok(minors) => minors,
        Err(unknown) => return unknown,
    };
    let has_wheel = |row: &&&Tensorflow| minors.iter().any(|minor| row.python_tags.contains(&format!("cp3{minor}")));
    let is_tested = |row: &&&Tensorflow| {
        let within = |minor: &u64| row.python.iter().any(|(from, to)| (from..=to).contains(&minor));
        minors.iter().any(within)
    };
    if rows.iter().any(|row| has_wheel(&row) || (row.python_tags.is_empty() && is_tested(&row))) {
        return Agreement::Agrees;
    }
    let told = told_minors(&minors);
    if rows.iter().all(|row| !row.python_tags.is_empty()) {
        return clash(Grade::WillNotStart, format!("there is no wheel of it for Python {told}"));
    }
    clash(Grade::Untested, format!("it was not built and tested for Python {told}"))
}

/// Keras with TensorFlow. A resolver took the newest Keras that is accepted, so a newer one is not; how old it may be is
/// not known.
fn keras(claim: &Claim, tensorflow: &Claim) -> Agreement {
    let rows = tensorflow_rows(tensorflow);
    if rows.is_empty() {
        return no_tensorflow(tensorflow);
    }
    let with_keras: Vec<_> = rows.iter().filter(|row| !row.keras.is_empty()).collect();
    let (Some(newest), Some(oldest)) = (
        with_keras.iter().filter_map(|row| row.keras.iter().max()).max(),
        with_keras.iter().filter_map(|row| row.keras.iter().min()).min(),
    ) else {
        return Agreement::NotKnown(format!("{}: not known: the tables have no keras for it", tensorflow.told()));
    };
    let Some(one) = claim.admitted.one() else {
        let mut known = with_keras.iter().flat_map(|row| &row.keras);
        let is_admitted = known.any(|version| claim.admitted.contains(version));
        return if is_admitted {
            Agreement::Agrees
        } else {
            clash(Grade::Untested, format!("{} goes with keras {newest}", tensorflow.told()))
        };
    };
    let newest_of_all = tables().tensorflow.iter().filter_map(|row| row.keras.iter().max()).max();
    if one > *newest && newest_of_all.is_some_and(|all| newest < all) {
        return clash(Grade::WillNotStart, format!("{} accepts keras up to {newest}", tensorflow.told()));
    }
    if one > *newest {
        return Agreement::NotKnown(format!("{}: not known: the tables end at keras {newest}", claim.told()));
    }
    if one < *oldest && minor_of(&one).0 != minor_of(oldest).0 {
        return clash(
            Grade::Untested,
            format!("{} goes with keras {oldest} or newer, as far as is known", tensorflow.told()),
        );
    }
    Agreement::Agrees
}

/// That the tables do not have this JAX.
pub(super) fn no_jax(claim: &Claim) -> Agreement {
    let versions: Vec<(&Version, &str)> =
        tables().jax.iter().map(|row| (&row.version, row.released.as_str())).collect();
    Agreement::NotKnown(format!("{}: {}", claim.told(), beyond("jax", &claim.admitted, &versions)))
}

fn jax_on_python(claim: &Claim, python: &Claim) -> Agreement {
    let mut least: Vec<u64> =
        tables().jax.iter().filter(|row| claim.admitted.contains(&row.version)).map(|row| row.python_min).collect();
    let declared = tables().declared.iter().filter(|row| row.package == "jax" && row.needs == "python");
    let declared = declared.filter(|row| claim.admitted.contains(&row.version));
    least.extend(declared.filter_map(|row| row.specifiers.iter().next().map(|one| minor_of(one.version()).1)));
    let Some(least) = least.into_iter().min() else { return no_jax(claim) };
    match minors_of(python) {
        Err(unknown) => unknown,
        Ok(minors) if minors.iter().any(|minor| *minor >= least) => Agreement::Agrees,
        Ok(minors) => {
            clash(Grade::WillNotStart, format!("it needs Python 3.{least} or newer, and not {}", told_minors(&minors)))
        }
    }
}

/// jaxlib with JAX: not newer than what the newest resolution took, and as old as its metadata allows, where that was read.
fn jaxlib(claim: &Claim, jax: &Claim) -> Agreement {
    let declared = tables().declared.iter().filter(|row| row.package == "jax" && row.needs == "jaxlib");
    let declared: Vec<_> = declared.filter(|row| jax.admitted.contains(&row.version)).collect();
    let rows = admitted(jax, &tables().jax, |row| &row.version);
    let Some(newest) = rows.iter().map(|row| &row.jaxlib).max() else {
        let Some(row) = declared.last() else { return no_jax(jax) };
        let fits = claim.admitted.one().is_none_or(|one| row.specifiers.contains(&one));
        if fits {
            return Agreement::Agrees;
        }
        return clash(Grade::WillNotStart, format!("jax {} needs jaxlib {}", row.version, row.specifiers));
    };
    let Some(one) = claim.admitted.one() else { return Agreement::Agrees };
    if declared.iter().any(|row| row.specifiers.contains(&one)) {
        return Agreement::Agrees;
    }
    if one > *newest {
        return clash(Grade::WillNotStart, format!("{} accepts jaxlib up to {newest}", jax.told()));
    }
    if rows.iter().any(|row| row.jaxlib == one) {
        return Agreement::Agrees;
    }
    clash(
        Grade::Untested,
        format!("{} goes with jaxlib {newest}; whether it accepts an older one is not known", jax.told()),
    )
}
