//! Digests for programs. The schema is `docs/schema/hash.schema.json`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use waag_evidence::Sha256Digest;
use waag_evidence::manifest::{Digest, Method};

use super::{Answer, sha256_of};

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    name: &'a str,
    files: Vec<File<'a>>,
    bytes: u64,
    model_signing_root: Sha256Digest,
    /// Bytes of a shard, where the root is over shards.
    #[serde(skip_serializing_if = "Option::is_none")]
    shard_size: Option<u64>,
    /// The algorithm of the digests that the root is over.
    algorithm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    names_root: Option<Sha256Digest>,
    left_out: Vec<LeftOut<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    size: u64,
    digests: BTreeMap<&'static str, String>,
    /// As Git LFS writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    lfs_oid: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shards: Vec<Shard>,
}

#[derive(Serialize)]
struct Shard {
    start: u64,
    end: u64,
    digest: String,
}

#[derive(Serialize)]
struct LeftOut<'a> {
    path: &'a str,
    reason: &'static str,
}

pub(super) fn write(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let manifest = &answer.model.manifest;
    let document = Document {
        format_version: 1,
        name: &manifest.name,
        files: answer.files.iter().map(|file| file_of(answer, file)).collect(),
        bytes: answer.files.iter().map(|file| file.file.size).sum(),
        model_signing_root: manifest.root(),
        shard_size: match manifest.serialization.method {
            Method::Files => None,
            Method::Shards(size) => Some(size),
        },
        algorithm: manifest.serialization.algorithm.name(),
        names_root: answer.names_root,
        left_out: answer.model.uncovered.iter().map(left_out).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn file_of<'a>(answer: &'a Answer, file: &'a waag_engine::hash::HashedFile) -> File<'a> {
    let digests = file.digests.iter().map(|digest| (digest.algorithm().name(), Digest::to_string(digest)));
    let shards = file.shards.iter();
    File {
        path: answer.name_of(file),
        size: file.file.size,
        digests: digests.collect(),
        lfs_oid: sha256_of(file).map(|digest| format!("sha256:{digest}")),
        shards: shards
            .map(|(shard, digest)| Shard { start: shard.start, end: shard.end, digest: digest.to_string() })
            .collect(),
    }
}

fn left_out(left: &waag_engine::hash::Uncovered) -> LeftOut<'_> {
    LeftOut { path: &left.path, reason: left.reason.code() }
}
