//! Trainings that nobody can look back at.

use waag_engine::rules::Meta;
use waag_evidence::Severity;

use super::super::problem::Problem;
use super::super::program::{Program, trains};
use super::super::rule::Rule;

/// Who it is.
pub static META: Meta = Meta {
    id: "unrecorded-training",
    title: "a training leaves no record of what it did",
    page: include_str!("unrecorded_training.md"),
};

/// The rule.
pub(crate) struct UnrecordedTraining;

impl Rule for UnrecordedTraining {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn program(&self, program: &Program<'_>, problems: &mut Vec<(usize, Problem)>) {
        const RECORDERS: &[&str] = &[
            "wandb",
            "mlflow",
            "tensorboard",
            "tensorboardX",
            "logging",
            "loguru",
            "structlog",
            "comet_ml",
            "neptune",
            "clearml",
            "aim",
            "dvclive",
            "absl",
            "csv",
            "json",
            "yaml",
            "hydra",
            "transformers",
            "lightning",
            "pytorch_lightning",
            "accelerate",
            "trl",
            "ultralytics",
            "fastai",
        ];
        let imports = |library: &&str| program.imports(library);
        let by_torch = program
            .members
            .iter()
            .any(|unit| unit.script.imports.iter().any(|import| import.path.starts_with("torch.utils.tensorboard")));
        if !program.is_whole || by_torch || RECORDERS.iter().any(imports) {
            return;
        }
        let first = program.calls().find(|(_, script, call)| trains(script, call));
        if let Some((index, _, call)) = first {
            let message = "the program trains, and keeps neither a log nor its settings";
            let next =
                "Write the settings and the results beside the model, or run it under `waag run`, which records both.";
            problems.push((
                index,
                Problem::new(&META, call.callee.span, message, next).severity(Severity::Info).for_auditors(),
            ));
        }
    }
}
