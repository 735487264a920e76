//! Keras: what a model's configuration makes its loader import, call and run, in whatever file it is kept.

mod bytecode;
mod compiled;
pub mod config;
mod judge;
#[cfg(test)]
mod tests;
