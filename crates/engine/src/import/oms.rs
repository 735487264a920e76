//! Signatures of OpenSSF Model Signing: which model and files they are about. They are read here and not verified.

use std::path::Path;

use waag_evidence::statement::ResourceDescriptor;
use waag_evidence::statement::claims::Voice;
use waag_evidence::statement::role::Role;
use waag_signing::bundle::Bundle;
use waag_signing::model_statement::{ModelStatement, NAMES_DIGEST};

use super::intake::{Grade, Intake};
use super::page::Page;
use super::{Found, Importer, Taken};

/// The importer.
#[derive(Debug)]
pub(super) struct Oms;

impl Importer for Oms {
    fn name(&self) -> &'static str {
        "oms"
    }

    fn reads(&self) -> &'static str {
        "signatures of OpenSSF Model Signing: the model and its files; `waag verify` verifies them"
    }

    fn takes(&self, file: &Found<'_>) -> Option<Taken> {
        let is_bundle = file.has("vnd.dev.sigstore.bundle") || file.has("dsseEnvelope");
        (is_bundle && !file.has_ending(&[".jsonl"])).then_some(Taken::File)
    }

    fn read(&self, path: &Path, intake: &mut Intake<'_>) {
        let Some((mut page, bytes)) = Page::open(self.name(), path, Voice::DerivedFromFile, intake) else { return };
        let parsed = Bundle::parse(&bytes).and_then(|bundle| {
            let statement = ModelStatement::parse(&bundle.dsse_envelope.payload_bytes()?)?;
            let by = bundle.material().map(|material| material.words())?;
            Ok((statement, by))
        });
        match parsed {
            Err(error) if error.code() == "predicate-type" => {
                page.remark(Grade::Note, format!("is a statement already and no signature of a model: {error}"));
            }
            Err(error) => page.remark(Grade::Unchecked, format!("is no signature of a model: {error}")),
            Ok((statement, by)) => {
                page.remark(
                    Grade::Note,
                    format!("signed by {by}, which is not verified here: `waag verify` does that"),
                );
                read(&mut page, &statement);
            }
        }
        intake.take(page);
    }
}

fn read(page: &mut Page, statement: &ModelStatement) {
    let manifest = &statement.manifest;
    let digests = [("sha256", Some(manifest.root())), (NAMES_DIGEST, statement.names_root())];
    let digest = digests.into_iter().filter_map(|(name, digest)| Some((name, digest?))).collect();
    let name = Some(manifest.name.clone()).filter(|name| !name.is_empty());
    let model = ResourceDescriptor { name, digest, ..ResourceDescriptor::default() };
    page.claim(&model, Role::Description, page.description([]), "/dsseEnvelope");
    for resource in manifest.resources.iter().filter(|resource| resource.shard.is_none()) {
        let digest = [(resource.digest.algorithm().name(), &resource.digest)].into_iter().collect();
        let file = ResourceDescriptor { name: Some(resource.path.clone()), digest, ..ResourceDescriptor::default() };
        page.claim(&file, Role::PartOf, model.clone(), "/dsseEnvelope");
    }
}
