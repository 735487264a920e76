//! What a pickle of weights builds, as data: dictionaries, and tensors with their storages, offsets, sizes and strides.
//!
//! The machine beside this one judges any pickle and forgets most of what it builds. This one remembers what it builds
//! and knows only what a state dict is made of. Nothing is called: callables that it does not know become objects
//! of which only the name is known, and a tensor within such an object is refused, because only its code knows what
//! it means.

mod build;
mod calls;
mod constants;
mod flatten;
mod legacy;
mod machine;
mod numpy;
mod tensors;
mod value;

#[cfg(test)]
mod tests;

use crate::budget::Budget;
use crate::source::Source;
use crate::weights::{Catalogue, Problem};

pub use flatten::ONLY;
pub use legacy::{is_legacy, read_legacy};

/// Reads one stream that starts at the source's start. Storages that it names are members, called by their keys.
///
/// # Errors
/// When it breaks, or holds tensors that have no faithful plain form.
pub fn read(source: &dyn Source, budget: &Budget) -> Result<Catalogue, Problem> {
    let mut machine = machine::Machine::new(source, 0, budget);
    let root = machine.run()?;
    if machine.cursor.remaining() > 0 {
        return Err(Problem::broken("bytes follow the end of the pickle"));
    }
    flatten::flatten(&machine, root)
}
