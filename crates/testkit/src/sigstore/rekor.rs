//! Transparency logs: entries of Rekor's first version with a promise and a time, of its second with a proof alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::log::{Log, Place};
use super::pem::{pem, unwrap_pem};

/// Takes an entry as Rekor v1 does: certificates are written anew, and of `dsse` digests are kept.
pub(super) fn first_version(log: &mut Log, request: &Value, time: Timestamp) -> Option<Value> {
    let body = match request["kind"].as_str()? {
        "hashedrekord" => hashedrekord(request)?,
        "dsse" => dsse(&request["spec"]["proposedContent"])?,
        _ => return None,
    };
    let body = body.to_string();
    let place = log.append(body.as_bytes());
    let encoded = STANDARD.encode(&body);
    let (id, seconds) = (hex(&log.key.id()), time.as_second());
    let promised =
        format!(r#"{{"body":"{encoded}","integratedTime":{seconds},"logID":"{id}","logIndex":{}}}"#, place.index);
    let promise = STANDARD.encode(log.key.sign(promised.as_bytes()));
    let name = format!("{:016x}{}", place.index, hex(&Sha256::digest(&body)));
    let verification = json!({ "signedEntryTimestamp": promise, "inclusionProof": proof_in_hex(&place) });
    let entry = json!({
        "body": encoded, "integratedTime": seconds, "logID": id, "logIndex": place.index, "verification": verification,
    });
    Some(json!({ name: entry }))
}

fn hashedrekord(request: &Value) -> Option<Value> {
    let mut body = request.clone();
    let certificate = body.pointer_mut("/spec/signature/publicKey/content")?;
    *certificate = canonical(certificate)?;
    Some(body)
}

/// A certificate in PEM, in Base64, as the log writes it, however it was sent.
fn canonical(certificate: &Value) -> Option<Value> {
    let text = STANDARD.decode(certificate.as_str()?).ok()?;
    let der = unwrap_pem(std::str::from_utf8(&text).ok()?)?;
    Some(STANDARD.encode(pem("CERTIFICATE", &der)).into())
}

fn dsse(content: &Value) -> Option<Value> {
    let text = content["envelope"].as_str()?;
    let envelope: Value = serde_json::from_str(text).ok()?;
    let payload = STANDARD.decode(envelope["payload"].as_str()?).ok()?;
    let (signature, verifier) = (&envelope["signatures"][0]["sig"], canonical(&content["verifiers"][0])?);
    let digest = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex(&Sha256::digest(bytes)) });
    let spec = json!({
        "envelopeHash": digest(text.as_bytes()),
        "payloadHash": digest(&payload),
        "signatures": [{ "signature": signature, "verifier": verifier }],
    });
    Some(json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": spec }))
}

fn proof_in_hex(place: &Place) -> Value {
    json!({
        "checkpoint": place.checkpoint,
        "hashes": place.path.iter().map(|hash| hex(hash)).collect::<Vec<_>>(),
        "logIndex": place.index,
        "rootHash": hex(&place.root),
        "treeSize": place.size,
    })
}

/// Takes an entry as Rekor v2 does, and answers with an entry of a bundle.
pub(super) fn second_version(log: &mut Log, request: &Value) -> Option<Value> {
    let request = request.get("hashedRekordRequestV002")?;
    let data = json!({ "algorithm": "SHA2_256", "digest": request["digest"] });
    let spec = json!({ "hashedRekordV002": { "data": data, "signature": request["signature"] } });
    let body = json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec }).to_string();
    let place = log.append(body.as_bytes());
    let proof = json!({
        "logIndex": place.index.to_string(),
        "rootHash": STANDARD.encode(place.root),
        "treeSize": place.size.to_string(),
        "hashes": place.path.iter().map(|hash| STANDARD.encode(hash)).collect::<Vec<_>>(),
        "checkpoint": { "envelope": place.checkpoint },
    });
    Some(json!({
        "logIndex": place.index.to_string(),
        "logId": { "keyId": STANDARD.encode(log.key.id()) },
        "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
        "inclusionProof": proof,
        "canonicalizedBody": STANDARD.encode(body),
    }))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
