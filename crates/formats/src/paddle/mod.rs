//! PaddlePaddle: programs in Protocol Buffers or JSON, and streams of tensors.

mod operators;
mod parameters;
mod pir;
mod program;

pub use parameters::PaddleParameters;
pub use pir::PaddlePir;
pub use program::PaddleProgram;

#[cfg(test)]
mod tests;
