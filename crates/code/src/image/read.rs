//! Reading one Dockerfile, and asking each check about it.

use waag_evidence::{Finding, Location};

use super::install::Installs;
use super::instruction::{Instruction, parse};
use super::shell::{Command, Word, all_commands, with_inner};
use super::stage::{MAX_STAGES, Stage, stages};
use super::{
    Base, Described, image_package_index, root_user, secret_in_image, unpinned_base_image, unpinned_image_package,
    unverified_download,
};
use crate::stack::Statement;
use crate::telling::{bounded, incomplete};

/// A script of a stage, taken apart.
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// The text that was taken apart, for people.
    pub(super) text: super::instruction::Text,
    pub(super) line: u64,
}

/// A stage, and what its checks need.
pub(super) struct Scene<'a> {
    pub(super) file: &'a str,
    pub(super) stage: &'a Stage<'a>,
    pub(super) index: usize,
    pub(super) scripts: Vec<Script>,
    pub(super) installs: Installs,
}

impl Scene<'_> {
    pub(super) fn at(&self, line: u64) -> Location {
        Location { line: Some(line), ..Location::file(self.file) }
    }

    /// What is said of a place that is not in the image itself.
    pub(super) fn aside(&self) -> String {
        if self.stage.is_final {
            String::new()
        } else {
            format!(", in the stage {}, which is not the image", self.stage.told(self.index))
        }
    }

    /// The stage, as the group of packages that are not in the image.
    pub(super) fn group(&self) -> Option<String> {
        (!self.stage.is_final).then(|| self.stage.told(self.index))
    }
}

/// Reads a file.
pub(super) fn read(file: &str, text: &str) -> (Described, Vec<Finding>) {
    let parsed = parse(text);
    let stages = stages(&parsed);
    let mut described = Described {
        file: file.to_owned(),
        stages: stages.len(),
        instructions: parsed.instructions.len(),
        ..Described::default()
    };
    let mut findings: Vec<Finding> = parsed
        .problems
        .iter()
        .take(20)
        .map(|(line, why)| {
            let location = Location { line: Some(*line), ..Location::file(file) };
            incomplete(
                &location,
                &format!("a part of the file was not read: {why}"),
                "Correct it: a builder will not read it either.",
            )
        })
        .collect();
    if parsed.instructions.iter().filter(|one| one.keyword == "FROM").count() > MAX_STAGES {
        let next = "Divide the file: so many stages are not looked through.";
        findings.push(incomplete(
            &Location::file(file),
            &format!("stages beyond the first {MAX_STAGES} were not read"),
            next,
        ));
    }
    if stages.is_empty() {
        let next = "Name a base image with FROM, or give the file a name that is not a Dockerfile's.";
        findings.push(incomplete(&Location::file(file), "there is no FROM, so no image is described", next));
    }
    for (index, stage) in stages.iter().enumerate() {
        let scene = scene(file, stage, index);
        describe(&scene, &mut described);
        findings.extend(unpinned_base_image::of_stage(&scene));
        findings.extend(unverified_download::of_stage(&scene, parsed.escape));
        findings.extend(secret_in_image::of_stage(&scene));
        findings.extend(image_package_index::of_stage(&scene));
        findings.extend(unpinned_image_package::of_stage(&scene));
    }
    described.user = root_user::user(&stages);
    findings.extend(root_user::of_image(file, &stages));
    findings.sort_by_key(|one| one.location.line);
    (described, bounded(findings))
}

fn scene<'a>(file: &'a str, stage: &'a Stage<'a>, index: usize) -> Scene<'a> {
    let mut scene = Scene { file, stage, index, scripts: Vec::new(), installs: Installs::default() };
    for instruction in stage.instructions.iter().filter(|one| one.keyword == "RUN") {
        scene.scripts.extend(scripts(instruction, stage));
    }
    let group = scene.group();
    let mut installs = Installs::default();
    for script in &scene.scripts {
        let place = |word: &Word| scene.at(script.text.line_at(word.at));
        script.commands.iter().for_each(|command| installs.command(command, group.as_deref(), &place));
    }
    scene.installs = installs;
    scene
}

/// The scripts of a `RUN`: its words, and here-documents that are not input for another program.
fn scripts(instruction: &Instruction, stage: &Stage<'_>) -> Vec<Script> {
    let take_apart = |text: &super::instruction::Text, line: u64| Script {
        commands: all_commands(&text.text, &stage.variables),
        text: text.clone(),
        line,
    };
    if let Some(words) = instruction.json() {
        let words: Vec<Word> = words.into_iter().map(|text| Word { text, at: 0, is_open: false }).collect();
        let commands = with_inner(vec![Command { words, is_piped: false }], &stage.variables);
        return vec![Script { commands, text: instruction.text.clone(), line: instruction.line }];
    }
    let mut all = vec![take_apart(&instruction.text, instruction.line)];
    let first = instruction.text.text.split_whitespace().next().unwrap_or_default();
    let is_script = first.starts_with("<<") || matches!(first.rsplit('/').next(), Some("bash" | "sh"));
    if is_script {
        all.extend(instruction.documents.iter().map(|document| take_apart(document, document.line_at(0))));
    }
    all
}

fn describe(scene: &Scene<'_>, described: &mut Described) {
    let stage = scene.stage;
    if stage.parent.is_none() && stage.base != "scratch" {
        described.bases.push(Base {
            name: stage.base.clone(),
            open: stage.is_open,
            by_digest: stage.base.contains("@sha256:"),
            of_the_image: stage.is_final,
            used_by: stage.name.clone(),
            location: scene.at(stage.from.line),
        });
    }
    if stage.is_open {
        described
            .not_known
            .push(format!("line {}: the base image {} is given from outside", stage.from.line, stage.base));
    }
    let open = scene.installs.open.iter();
    described.not_known.extend(
        open.map(|(text, location)| format!("line {}: {text} is given from outside", location.line.unwrap_or(0))),
    );
    described.packages.extend(scene.installs.packages.iter().cloned());
    described.system_packages.extend(scene.installs.system.iter().map(|(name, _)| name.clone()));
    let indexes = scene.installs.indexes.iter();
    let indexes = indexes.filter(|(option, ..)| !option.contains("host"));
    described.indexes.extend(indexes.map(|(_, url, location)| Statement {
        text: url.clone(),
        location: location.clone(),
        group: scene.group(),
    }));
    let set = image_package_index::set(stage);
    described.indexes.extend(set.into_iter().map(|(_, url, line)| Statement {
        text: url,
        location: scene.at(line),
        group: scene.group(),
    }));
}
