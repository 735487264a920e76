//! What people write by hand beside a model: `provenance.yaml`, `modelcard.yaml`, `MANIFEST.yaml`. There is no standard for them;
//! the keys that are common are read, wherever they stand.

use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::checked::{Pinned, parse_digest};
use super::document::{Node, yaml};
use super::identity::{Kind, guessed, is_local, python_package};
use super::intake::{Grade, Intake};
use super::page::Page;
use super::run::commit;
use super::{Found, Importer, Taken};
use crate::pins::PinAlgorithm;

/// Keys by the part that what stands under them had.
const ROLES: &[(&[&str], Role, Kind)] = &[
    (&["base_model", "base_models", "parent_model", "finetuned_from", "fine_tuned_from"], Role::BaseModel, Kind::Model),
    (&["adapter", "adapters"], Role::Adapter, Kind::Model),
    (&["teacher", "teacher_model"], Role::Teacher, Kind::Model),
    (&["tokenizer"], Role::Tokenizer, Kind::Model),
    (
        &["training_data", "training_dataset", "training_datasets", "train_data", "dataset", "datasets"],
        Role::Dataset,
        Kind::Dataset,
    ),
    (
        &["evaluation_data", "evaluation_dataset", "evaluation_datasets", "eval_data", "eval_dataset", "test_data"],
        Role::EvaluationDataset,
        Kind::Dataset,
    ),
];
/// Mappings within which the same keys are looked for.
const SECTIONS: &[&str] = &["model", "model_details", "training", "evaluation", "lineage", "provenance"];
/// Mappings and lists of files with digests.
const FILES: &[&str] = &["files", "artifacts", "checksums", "hashes", "digests"];
/// Keys of the digest of something.
const DIGESTS: &[&str] = &["sha256", "digest", "checksum", "hash", "sha512", "sha1", "md5"];

macro_rules! importer {
    ($type:ident, $name:literal, $reads:literal, $($file:literal),+) => {
        /// The importer.
        #[derive(Debug)]
        pub(super) struct $type;

        impl Importer for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn reads(&self) -> &'static str {
                $reads
            }

            fn takes(&self, file: &Found<'_>) -> Option<Taken> {
                let names: &[&str] = &[$($file),+];
                names.iter().any(|name| file.name.eq_ignore_ascii_case(name)).then_some(Taken::File)
            }

            fn read(&self, path: &Path, intake: &mut Intake<'_>) {
                import($name, path, intake);
            }
        }
    };
}

importer!(
    Provenance,
    "provenance-yaml",
    "provenance.yaml: model, base_model, training_data, dependencies, training",
    "provenance.yaml",
    "provenance.yml"
);
importer!(
    ModelCard,
    "modelcard-yaml",
    "modelcard.yaml: base_model, datasets, evaluation_data, license",
    "modelcard.yaml",
    "modelcard.yml",
    "model_card.yaml",
    "model_card.yml"
);
importer!(
    Manifest,
    "manifest-yaml",
    "MANIFEST.yaml: files with digests, which are checked",
    "MANIFEST.yaml",
    "MANIFEST.yml"
);

fn import(kind: &'static str, path: &Path, intake: &mut Intake<'_>) {
    let Some((mut page, bytes)) = Page::open(kind, path, Voice::SelfDeclared, intake) else { return };
    if let Some(document) = page.document(yaml(&String::from_utf8_lossy(&bytes))) {
        let root = Node::root(&document.root);
        let time = root.any(&["date", "created", "created_at", "timestamp"]).and_then(|node| node.text()?.parse().ok());
        page.said_at = time;
        let folder = path.parent().unwrap_or(Path::new("."));
        Hand { page: &mut page, folder, intake }.read(&root);
    }
    intake.take(page);
}

/// A file by hand while it is read.
struct Hand<'h, 'p> {
    page: &'h mut Page,
    folder: &'h Path,
    intake: &'h mut Intake<'p>,
}

impl Hand<'_, '_> {
    fn read(&mut self, root: &Node<'_>) {
        let subject = self.subject(root);
        let sections = SECTIONS.iter().filter_map(|key| root.get(key)).filter(|node| node.value().is_object());
        for section in std::iter::once(root.clone()).chain(sections) {
            self.roles(&subject, &section);
            self.code(&subject, &section);
        }
        for node in root.list("dependencies") {
            self.dependencies(&subject, &node);
        }
        for key in FILES {
            if let Some(files) = root.get(key) {
                self.files(&subject, &files);
            }
        }
        let licence = root.any(&["license", "licence"]).or_else(|| root.at(&["model_details", "license"]));
        if let Some((node, text)) = licence.and_then(|node| Some((node.clone(), node.text()?))) {
            self.page.licence(&subject, text, node.place());
        }
    }

    /// What the file is about: the file or model that it names, or else the folder that it lies in.
    fn subject(&mut self, root: &Node<'_>) -> ResourceDescriptor {
        let named = root
            .get("model")
            .filter(|node| node.text().is_some() || node.any(DIGESTS).is_some() || node.get("path").is_some());
        let described = named.and_then(|node| self.described(&node, Kind::Model));
        match described {
            Some(subject) if !subject.digest.is_empty() => subject,
            _ => self.intake.folder(self.folder),
        }
    }

    fn roles(&mut self, subject: &ResourceDescriptor, section: &Node<'_>) {
        for (keys, role, kind) in ROLES {
            let found = keys.iter().flat_map(|key| section.list(key));
            for node in found.collect::<Vec<_>>() {
                if let Some(object) = self.described(&node, *kind) {
                    self.page.claim(subject, *role, object, node.place());
                }
            }
        }
    }

    /// A script with its digest, and a commit.
    fn code(&mut self, subject: &ResourceDescriptor, section: &Node<'_>) {
        if let Some((node, path)) = section.get("script").and_then(|node| Some((node.clone(), node.text()?))) {
            let digest = section.text_of("script_sha256").and_then(parse_digest);
            let pinned = digest.as_ref().map(|(algorithm, digits)| (*algorithm, digits.as_str()));
            let object = Pinned { path, folder: self.folder, digest: pinned }.resource(self.intake);
            self.page.claim(subject, Role::Code, object, node.place());
        }
        if let Some((node, text)) =
            section.any(&["git_commit", "commit", "code_commit"]).and_then(|node| Some((node.clone(), node.text()?)))
        {
            let remote = section.any(&["git_repo", "repository", "git_url", "code_repository"]);
            if let Some(object) = commit(text, remote.as_ref().and_then(Node::text)) {
                self.page.claim(subject, Role::Code, object, node.place());
            }
        }
    }

    /// `torch==2.4.0`, `{name: torch, version: 2.4.0}` or `{torch: 2.4.0}`.
    fn dependencies(&mut self, subject: &ResourceDescriptor, node: &Node<'_>) {
        if let Some(text) = node.text() {
            let (name, version) = text.split_once("==").map_or((text, None), |(name, version)| (name, Some(version)));
            let bare = name.split(['<', '>', '=', '!', '~', '[', ';', ' ']).next().unwrap_or(name);
            let mut object = python_package(bare.trim(), version.map(str::trim));
            if bare != name {
                object.annotations.insert("requirement".to_owned(), text.into());
            }
            return self.page.claim(subject, Role::Dependency, object, node.place());
        }
        if let Some(name) = node.text_of("name") {
            let version = node.get("version").and_then(|version| version.scalar());
            return self.page.claim(subject, Role::Dependency, python_package(name, version.as_deref()), node.place());
        }
        for (name, version) in node.members() {
            let object = python_package(name, version.scalar().as_deref());
            self.page.claim(subject, Role::Dependency, object, version.place());
        }
    }

    /// Files with digests: a mapping from paths, or a list of mappings.
    fn files(&mut self, subject: &ResourceDescriptor, files: &Node<'_>) {
        let mut listed: Vec<(String, Option<String>, Node<'_>)> = Vec::new();
        if files.value().is_object() {
            for (path, node) in files.members() {
                let digest = node.scalar().or_else(|| node.any(DIGESTS).and_then(|digest| digest.scalar()));
                listed.push((path.to_owned(), digest, node));
            }
        } else {
            for node in files.items() {
                let path = node.any(&["path", "file", "filename", "name"]).and_then(|path| path.scalar());
                let digest = node.any(DIGESTS).and_then(|digest| digest.scalar());
                if let Some(path) = path.or_else(|| node.scalar()) {
                    listed.push((path, digest, node));
                }
            }
        }
        for (path, digest, node) in listed {
            self.file(subject, &path, digest.as_deref(), &node);
        }
    }

    fn file(&mut self, subject: &ResourceDescriptor, path: &str, digest: Option<&str>, node: &Node<'_>) {
        let parsed = digest.and_then(parse_digest);
        if let (Some(text), None) = (digest, &parsed) {
            self.page.remark_at(Grade::Unchecked, node, format!("'{text}' is no digest that is known here"));
        }
        let pinned = parsed.as_ref().map(|(algorithm, digits)| (*algorithm, digits.as_str()));
        let file = Pinned { path, folder: self.folder, digest: pinned }.resource(self.intake);
        if self.is_missing(path) {
            self.page.remark_at(Grade::Wrong, node, format!("'{path}' is listed and not there"));
        }
        self.page.claim(&file, Role::PartOf, subject.clone(), node.place());
    }

    /// A file or folder beside the source, by its bytes.
    fn local(&mut self, path: &str, digest: Option<(PinAlgorithm, &str)>) -> ResourceDescriptor {
        let place = self.folder.join(path);
        if waag_evidence::manifest::is_inside(path) && digest.is_none() && self.intake.has_folder(&place) {
            return ResourceDescriptor { name: Some(path.to_owned()), ..self.intake.folder(&place) };
        }
        Pinned { path, folder: self.folder, digest }.resource(self.intake)
    }

    fn is_missing(&self, path: &str) -> bool {
        let path = path.trim_start_matches("./");
        waag_evidence::manifest::is_inside(path) && std::fs::symlink_metadata(self.folder.join(path)).is_err()
    }

    /// A thing by text, or by a mapping with its name, path, address, revision and digest.
    fn described(&mut self, node: &Node<'_>, kind: Kind) -> Option<ResourceDescriptor> {
        if let Some(text) = node.text() {
            return Some(match self.is_missing(text) || !waag_evidence::manifest::is_inside(text) {
                true if is_local(text) => ResourceDescriptor { name: Some(text.to_owned()), ..Default::default() },
                true => guessed(text, kind, None),
                false => self.local(text, None),
            });
        }
        let digest = node.any(DIGESTS).and_then(|node| parse_digest(node.text()?));
        let pinned = digest.as_ref().map(|(algorithm, digits)| (*algorithm, digits.as_str()));
        let path = node.any(&["path", "file", "filename"]).and_then(|node| node.text());
        let file = self.local(path.unwrap_or_default(), pinned);
        let revision = node.any(&["revision", "commit"]).and_then(|node| node.text());
        let name = node.any(&["uri", "url", "purl", "repo_id", "id", "name", "source"]).and_then(|node| node.text());
        let mut object = match name {
            Some(name) if is_local(name) => ResourceDescriptor { name: Some(name.to_owned()), ..Default::default() },
            Some(name) => guessed(name, kind, revision),
            None => ResourceDescriptor { name: path.map(str::to_owned), ..Default::default() },
        };
        object.digest = file.digest;
        for key in ["version", "license", "split"] {
            if let Some(value) = node.get(key).and_then(|node| node.scalar()) {
                object.annotations.insert(key.to_owned(), value.into());
            }
        }
        (object.name.is_some() || object.uri.is_some() || !object.digest.is_empty()).then_some(object)
    }
}
