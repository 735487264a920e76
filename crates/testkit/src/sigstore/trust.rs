//! What makes the stand-in believed and found: trusted root, signing configuration, and both in one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::instance::Instance;
use super::key::Key;

const ROOT: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
const SIGNING: &str = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
const CLIENT: &str = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json";

impl Instance {
    /// The trusted root: all keys and certificates of the instance, in the form of protobuf's JSON.
    pub fn trusted_root(&self) -> Value {
        let start = json!({ "start": self.since.to_string() });
        let log = |key: &Key, address: &str| {
            let public = json!({
                "rawBytes": STANDARD.encode(key.public()), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": start,
            });
            let id = json!({ "keyId": STANDARD.encode(key.id()) });
            json!({ "baseUrl": address, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": id })
        };
        let authority = |name: &str, chain: &[Vec<u8>]| {
            let chain: Vec<Value> = chain.iter().map(|der| json!({ "rawBytes": STANDARD.encode(der) })).collect();
            json!({
                "subject": { "organization": "waag stand-in", "commonName": name },
                "uri": format!("http://{name}.waag.test"), "certChain": { "certificates": chain }, "validFor": start,
            })
        };
        let [first, second] = self.log_keys();
        json!({
            "mediaType": ROOT,
            "tlogs": [log(&first, "http://rekor.waag.test"), log(&second, "http://log.rekor.waag.test")],
            "certificateAuthorities": [authority("fulcio", &self.fulcio.chain)],
            "ctlogs": [log(&self.fulcio.log, "http://certificates.waag.test")],
            "timestampAuthorities": [authority("timestamp", &self.stamper_chain)],
        })
    }

    /// Where to sign: all services at one address, with the log of version 1 or 2.
    pub fn signing_config(&self, address: &str, log_version: u32) -> Value {
        let start = json!({ "start": self.since.to_string() });
        let service = |address: &str, version: u32| json!([{ "url": address, "majorApiVersion": version, "validFor": start, "operator": "waag.test" }]);
        json!({
            "mediaType": SIGNING,
            "caUrls": service(address, 1),
            "oidcUrls": service(&format!("{address}/auth"), 1),
            "rekorTlogUrls": service(address, log_version),
            "tsaUrls": service(&format!("{address}/api/v1/timestamp"), 1),
            "rekorTlogConfig": { "selector": "ANY" },
            "tsaConfig": { "selector": "ANY" },
        })
    }

    /// Both in one file, as other clients want them.
    pub fn trust_config(&self, address: &str, log_version: u32) -> Value {
        let signing = self.signing_config(address, log_version);
        json!({ "mediaType": CLIENT, "trustedRoot": self.trusted_root(), "signingConfig": signing })
    }
}
