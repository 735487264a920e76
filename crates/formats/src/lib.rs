//! Hostile bytes to facts.
//!
//! Every parser here reads through a [`source::Source`], pays from a [`budget::Budget`] and writes
//! [`fact::Fact`]s. None of them executes, writes, opens or fetches anything, and none of them fails: what goes wrong
//! is a fact too. A parser never opens what is inside an artifact; it names a [`child::Child`] and the engine walks.

#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic, clippy::unreachable)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::unwrap_used,
        clippy::expect_used
    )
)]

mod address;
pub mod archives;
pub mod arrow;
pub mod boosting;
pub mod budget;
pub mod caffe;
pub mod callable;
mod carried;
pub mod child;
pub mod cntk;
pub(crate) mod commands;
pub mod compressed;
pub mod configuration;
pub mod contents;
pub mod coreml;
pub mod cursor;
pub mod decode;
pub mod dotnet;
mod embedded;
pub mod engines;
pub mod executable;
pub mod executorch;
pub mod fact;
pub mod facts;
pub mod flatbuffers;
pub mod foreign;
pub mod format;
pub mod gguf;
pub mod hdf5;
pub mod huggingface;
pub mod java;
pub mod jinja;
pub mod json;
pub mod keras;
pub mod layers;
pub mod location;
pub mod look_alike;
pub mod matlab;
pub mod media;
pub mod messagepack;
pub mod mxnet;
pub mod notebook;
mod numbers;
pub mod numpy;
pub mod ocdbt;
pub mod onnx;
pub mod paddle;
pub mod payload;
pub mod pickle;
pub mod programs;
pub mod protobuf;
pub mod python;
pub mod r_data;
pub mod requirements;
pub mod safetensors;
pub mod secrets;
pub mod sentencepiece;
pub mod settings;
pub mod sevenzip;
pub mod skops;
pub mod source;
mod tables;
pub mod tar;
pub mod tensorflow;
#[cfg(test)]
mod testing;
pub mod text;
pub mod tflite;
mod tokenizer;
pub mod torch7;
pub mod ubjson;
mod unrecognised;
pub mod wandb;
pub mod weights;
pub mod wide_text;
pub mod xml;
pub mod yaml;
pub mod zarr;
pub mod zip;

use format::{Certainty, Format, Probe};

/// Every format, in the order in which they are listed to people.
pub static FORMATS: &[&dyn Format] = &[
    &pickle::PICKLE,
    &safetensors::Safetensors,
    &gguf::Gguf,
    &gguf::GgmlLegacy,
    &numpy::Npy,
    &onnx::Onnx,
    &onnx::OnnxTensor,
    &onnx::OnnxText,
    &paddle::PaddleProgram,
    &paddle::PaddlePir,
    &paddle::PaddleParameters,
    &coreml::CoreMl,
    &coreml::CoreMlManifest,
    &coreml::CoreMlWeights,
    &cntk::Cntk,
    &caffe::Caffe,
    &tflite::TfLite,
    &executorch::ExecuTorch,
    &messagepack::Flax,
    &ocdbt::Ocdbt,
    &boosting::XgBoost,
    &boosting::XgBoostBinary,
    &boosting::CatBoost,
    &r_data::RData,
    &torch7::Torch7,
    &hdf5::Hdf5,
    &tensorflow::TensorflowGraph,
    &tensorflow::TensorflowMetadata,
    &tensorflow::TensorflowText,
    &tensorflow::TensorflowCheckpoint,
    &tensorflow::TensorflowData,
    &tensorflow::TfRecord,
    &zip::Zip,
    &tar::Tar,
    &sevenzip::SevenZip,
    &compressed::GZIP,
    &compressed::BZIP2,
    &compressed::XZ,
    &compressed::LZMA,
    &compressed::ZSTD,
    &compressed::LZ4,
    &compressed::ZLIB,
    &compressed::JoblibZfile,
    &wide_text::WideText,
    &huggingface::HuggingFaceConfig,
    &sentencepiece::SentencePiece,
    &jinja::Jinja,
    &xml::Pmml,
    &xml::OpenVino,
    &xml::Xml,
    &java::JavaSerialized,
    &dotnet::DotnetSerialized,
    &matlab::Matlab,
    &layers::Darknet,
    &layers::DarknetWeights,
    &layers::Ncnn,
    &mxnet::MxNetParameters,
    &arrow::Arrow,
    &arrow::Parquet,
    &engines::CompiledModel,
    &archives::ClosedArchive,
    &skops::Skops,
    &notebook::Notebook,
    &json::Json,
    &yaml::Yaml,
    &settings::Settings,
    &requirements::Requirements,
    &python::PythonSource,
    &executable::Executable,
    &media::Media,
    &text::Text,
    // Behind text, whose `.txt` it shares: such a name alone promises text.
    &boosting::LightGbm,
];

/// The formats these bytes are, surest first. More than one is either a layering (a tar within gzip is not) or a polyglot.
#[must_use]
pub fn recognise(probe: &Probe<'_>) -> Vec<(&'static dyn Format, Certainty)> {
    let mut found: Vec<_> =
        FORMATS.iter().filter_map(|format| format.recognise(probe).map(|certainty| (*format, certainty))).collect();
    found.sort_by_key(|(_, certainty)| std::cmp::Reverse(*certainty));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::Role;

    #[test]
    fn every_format_has_an_identity_of_its_own() {
        let mut ids: Vec<_> = FORMATS.iter().map(|format| format.meta().id).collect();
        assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), FORMATS.len());
    }

    #[test]
    fn bytes_decide_and_names_only_help() {
        let first = |bytes: &[u8], name: &str| {
            recognise(&Probe::new(&bytes, name, Role::Unknown)).first().map(|(format, _)| format.meta().id)
        };
        assert_eq!(first(b"GGUF\x03\0\0\0", "model.txt"), Some("gguf"));
        assert_eq!(first(b"\x93NUMPY\x01\0", "model.gguf"), Some("npy"));
        assert_eq!(first(b"\x02\0\0\0\0\0\0\0{}", "model.bin"), Some("safetensors"));
        assert_eq!(first(b"{\"auto_map\": {}}", "x.dat"), Some("huggingface-config"));
        assert_eq!(first(b"{\"a\": 1}", "x.dat"), Some("json"));
        assert_eq!(first(b"\x7FELF", "model.safetensors"), Some("executable"));
        assert_eq!(first(b"{{ x }}", "chat_template.jinja"), Some("jinja"));
        assert_eq!(first(b"import os", "modeling.py"), Some("python-source"));
        assert_eq!(first(b"words", "README"), Some("text"));
        assert_eq!(first(b"\x80\x04\x95\0\0", "x"), Some("pickle"));
    }
}
