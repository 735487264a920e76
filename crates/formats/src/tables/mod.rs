//! The insides of tables in columns: where their bytes are, against what their descriptions say.

pub(crate) mod batches;
pub(crate) mod parquet;
mod thrift;
