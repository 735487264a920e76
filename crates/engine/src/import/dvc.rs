//! `dvc.lock`: the stages that DVC ran, with what they read and wrote by MD5. Where the files are at hand their MD5 is checked
//! and their SHA-256 stands beside it.
//!
//! <https://dvc.org/doc/user-guide/project-structure/dvcyaml-files#dvclock-file>

use std::path::Path;

use waag_evidence::manifest::is_inside;
use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;

use super::checked::Pinned;
use super::document::{Node, yaml};
use super::intake::{Artifact, Checked, Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};
use crate::pins::PinAlgorithm;
use crate::pins::dvc::folder_digest;

/// The name of DVC's digest of a folder: it is of a list, not of bytes.
const FOLDER_DIGEST: &str = "dvcFolderMd5";
/// Endings of scripts.
const CODE: &[&str] = &["py", "ipynb", "sh", "r", "jl", "rs", "js", "ts", "cpp", "cu", "scala"];

/// The importer.
#[derive(Debug)]
pub(super) struct Dvc;

impl Importer for Dvc {
    fn name(&self) -> &'static str {
        "dvc"
    }

    fn reads(&self) -> &'static str {
        "dvc.lock: stages with commands, dependencies, parameters and outputs; MD5 checked, SHA-256 added"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        (file.name == "dvc.lock").then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::DerivedFromFile, intake) else { return };
        if let Some(document) = page.document(yaml(&String::from_utf8_lossy(&bytes))) {
            let root = Node::root(&document.root);
            // Before schema 2.0 the stages stood at the top.
            let stages = root.get("stages").unwrap_or(root);
            for (name, stage) in stages.members() {
                read_stage(&mut page, path.parent().unwrap_or(Path::new("")), name, &stage, intake);
            }
        }
        intake.take(page);
    }
}

fn read_stage(page: &mut Page, folder: &Path, name: &str, stage: &Node<'_>, intake: &mut Intake<'_>) {
    let outputs: Vec<_> = stage.list("outs").iter().filter_map(|out| resource(page, folder, out, intake)).collect();
    let inputs: Vec<_> = stage
        .list("deps")
        .iter()
        .filter_map(|dep| Some((resource(page, folder, dep, intake)?, dep.place().to_owned())))
        .collect();
    let run = run(name, stage);
    for output in &outputs {
        page.claim(output, Role::Run, run.clone(), stage.place());
        for (input, place) in &inputs {
            page.claim(output, role(input), input.clone(), place.as_str());
        }
        for (file, values) in stage.get("params").map(|params| params.members()).unwrap_or_default() {
            let annotations = [("values".to_owned(), values.value().clone())].into_iter().collect();
            let object = ResourceDescriptor { name: Some(file.to_owned()), annotations, ..Default::default() };
            page.claim(output, Role::Configuration, object, values.place());
        }
    }
}

/// The stage itself, with its command.
fn run(name: &str, stage: &Node<'_>) -> ResourceDescriptor {
    let mut run = ResourceDescriptor { name: Some(format!("stage {name}")), ..ResourceDescriptor::default() };
    if let Some(command) = stage.get("cmd") {
        run.annotations.insert("command".to_owned(), command.value().clone());
    }
    run
}

fn role(input: &ResourceDescriptor) -> Role {
    let name = input.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is_code = name.rsplit_once('.').is_some_and(|(_, ending)| CODE.contains(&ending));
    if is_code { Role::Code } else { Role::Input }
}

/// A dependency or output, with its digest checked where the file is there.
fn resource(page: &mut Page, folder: &Path, node: &Node<'_>, intake: &mut Intake<'_>) -> Option<ResourceDescriptor> {
    let path = node.text_of("path")?;
    let Some(md5) = node.text_of("md5") else {
        page.remark_at(Grade::Note, node, format!("'{path}' has no digest that is read here"));
        return Some(ResourceDescriptor { name: Some(path.to_owned()), ..ResourceDescriptor::default() });
    };
    let digits = md5.strip_suffix(".dir").unwrap_or(md5);
    if digits.len() != 32 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        page.remark_at(Grade::Unchecked, node, format!("'{md5}' is no MD5"));
        return None;
    }
    if md5.ends_with(".dir") {
        return Some(whole(path, folder, digits, intake));
    }
    let is_plain = node.text_of("hash").is_none_or(|hash| hash == "md5");
    if !is_plain {
        page.remark_at(Grade::Note, node, "its digest is of a form that is not checked here");
    }
    let digest = is_plain.then_some((PinAlgorithm::Md5, digits));
    Some(Pinned { path, folder, digest }.resource(intake))
}

/// A folder, by the MD5 of the list of its files.
fn whole(path: &str, above: &Path, digits: &str, intake: &mut Intake<'_>) -> ResourceDescriptor {
    let mut digests = vec![(FOLDER_DIGEST.to_owned(), digits.to_owned())];
    let folder = above.join(path);
    if is_inside(path) && intake.has_folder(&folder) {
        let subject = intake.folder(&folder);
        let name = intake.told(&folder);
        match folder_digest(&folder) {
            Err(why) => intake.remark(Grade::Unchecked, &folder, format!("is not checked: {why}")),
            Ok(found) if found == digits => {
                digests.extend(subject.digest.iter().map(|(name, digest)| (name.to_owned(), digest.to_owned())));
            }
            Ok(found) => {
                let (expected, found) = (format!("md5:{digits}.dir"), format!("md5:{found}.dir"));
                let sha256 = subject.digest.get("sha256").and_then(|digest| digest.parse().ok());
                if let Some(sha256) = sha256 {
                    let checked = Checked::Differs { expected, found };
                    intake.artifact(Artifact { name, sha256, size: 0, checked });
                }
            }
        }
    }
    ResourceDescriptor { name: Some(path.to_owned()), digest: digests.into_iter().collect(), ..Default::default() }
}
