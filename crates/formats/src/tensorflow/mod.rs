//! TensorFlow: graphs (SavedModel, MetaGraph, GraphDef), checkpoints, records, and models for TensorFlow.js.

mod dtype;
mod graph;
mod metadata;
mod node;
mod objects;
pub(crate) mod operators;
mod saved_model;
mod trace;

pub use metadata::TensorflowMetadata;
pub use saved_model::TensorflowGraph;
