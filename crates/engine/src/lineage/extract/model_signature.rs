//! The signature over a model: which files it has.

use waag_evidence::statement::role::Role;
use waag_signing::model_statement::ModelStatement;

use super::{Collector, NotRead};
use crate::lineage::identifier::Identifier;
use crate::lineage::relation::Relation;
use crate::lineage::shape::{Descriptor, MAX_ITEMS};

const LABEL: &str = "model signature";

/// The statement as a signer writes it; what contradicts itself says nothing here either.
pub(super) fn read(payload: &[u8], subjects: &[Descriptor], collector: &mut Collector) -> Result<(), NotRead> {
    let statement = ModelStatement::parse(payload).map_err(|error| NotRead(error.to_string()))?;
    let manifest = &statement.manifest;
    // What the earliest signers wrote has files for subjects, and no digest of the whole.
    let root = Identifier::digest("sha256", &manifest.root().to_string());
    let label = Some(manifest.name.as_str()).filter(|name| !name.is_empty());
    let whole = match subjects {
        [only] => collector.subjects(std::slice::from_ref(only)).first().copied(),
        _ => None,
    };
    let whole = whole.unwrap_or_else(|| collector.node(root, label));
    collector.extracted.subjects = vec![whole];
    collector.extracted.step = Some(LABEL.to_owned());
    let own = collector.own(LABEL);
    collector.edge(whole, own, Relation::Role(Role::Description), None);
    for resource in manifest.resources.iter().filter(|resource| resource.shard.is_none()).take(MAX_ITEMS) {
        let digest = Identifier::digest(resource.digest.algorithm().name(), &hex(resource.digest.bytes()));
        let file = collector.node(digest, Some(&resource.path));
        // A model that is one file is its own whole.
        if file != whole {
            collector.edge(file, whole, Relation::Role(Role::PartOf), None);
        }
    }
    collector.extracted.left_out += manifest.resources.len().saturating_sub(MAX_ITEMS) as u64;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
