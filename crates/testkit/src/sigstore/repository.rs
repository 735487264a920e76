//! The instance's repository (The Update Framework 1.0): where clients get its trusted root anew.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::instance::Instance;
use super::key::Key;
use super::pem::pem;
use super::rekor::hex;

/// Where it is, below the instance's address.
pub(super) const PLACE: &str = "/tuf/";
const ROLES: [&str; 4] = ["root", "snapshot", "targets", "timestamp"];
/// Where its signing configuration leads. Its trusted root is what matters here.
const SERVICES: &str = "https://sigstore.waag.test";

impl Instance {
    /// The repository's first metadata, which clients have to get by another way.
    pub fn repository_root(&self) -> Vec<u8> {
        let key = self.repository_key();
        let public = json!({
            "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256",
            "keyval": { "public": pem("PUBLIC KEY", &key.public()) },
        });
        let role = json!({ "keyids": [hex(&key.id())], "threshold": 1 });
        let roles: Map<String, Value> = ROLES.into_iter().map(|name| (name.to_owned(), role.clone())).collect();
        let keys = json!({ hex(&key.id()): public });
        self.signed(&key, "root", json!({ "consistent_snapshot": false, "keys": keys, "roles": roles }))
    }

    /// A file of the repository.
    pub(super) fn repository_file(&self, name: &str) -> Option<Vec<u8>> {
        let key = self.repository_key();
        match name {
            "1.root.json" => Some(self.repository_root()),
            "timestamp.json" => {
                Some(self.signed(&key, "timestamp", json!({ "meta": { "snapshot.json": { "version": 1 } } })))
            }
            "snapshot.json" => {
                Some(self.signed(&key, "snapshot", json!({ "meta": { "targets.json": { "version": 1 } } })))
            }
            "targets.json" => Some(self.signed(&key, "targets", json!({ "targets": self.described_targets() }))),
            _ => self
                .targets()
                .into_iter()
                .find(|(target, _)| name == format!("targets/{target}"))
                .map(|(_, bytes)| bytes),
        }
    }

    fn targets(&self) -> [(&'static str, Vec<u8>); 2] {
        let signing = self.signing_config(SERVICES, 1);
        [("trusted_root.json", self.trusted_root()), ("signing_config.v0.2.json", signing)]
            .map(|(name, value)| (name, value.to_string().into_bytes()))
    }

    fn described_targets(&self) -> Map<String, Value> {
        let describe =
            |bytes: &[u8]| json!({ "length": bytes.len(), "hashes": { "sha256": hex(&Sha256::digest(bytes)) } });
        self.targets().into_iter().map(|(name, bytes)| (name.to_owned(), describe(&bytes))).collect()
    }

    /// Metadata of a role with what all have, and a signature over its canonical form.
    fn signed(&self, key: &Key, role: &str, mut metadata: Value) -> Vec<u8> {
        metadata["_type"] = role.into();
        metadata["spec_version"] = "1.0.31".into();
        metadata["version"] = 1.into();
        metadata["expires"] = self.until().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
        // Names are sorted already; of all escapes, canonical JSON knows only those of quotes and backslashes.
        let canonical = metadata.to_string().replace("\\n", "\n");
        let signature = json!({ "keyid": hex(&key.id()), "sig": hex(&key.sign(canonical.as_bytes())) });
        json!({ "signatures": [signature], "signed": metadata }).to_string().into_bytes()
    }
}
