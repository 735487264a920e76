//! TensorFlow: graphs (SavedModel, MetaGraph, GraphDef), checkpoints, records, and models for TensorFlow.js.

mod checkpoint;
mod crc32c;
mod dtype;
mod graph;
pub(crate) mod javascript;
mod metadata;
mod node;
mod objects;
pub(crate) mod operators;
mod record;
mod saved_model;
mod shards;
mod snappy;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod text_tokens;
mod trace;

pub use checkpoint::TensorflowCheckpoint;
pub use metadata::TensorflowMetadata;
pub use record::TfRecord;
pub use saved_model::TensorflowGraph;
pub use shards::TensorflowData;
pub use text::TensorflowText;
