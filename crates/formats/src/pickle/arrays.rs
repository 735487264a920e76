//! Raw arrays that joblib writes between the opcodes of a pickle.
//!
//! After the BUILD of a `NumpyArrayWrapper`, joblib's unpickler takes the array's bytes from the same file and goes on
//! behind them. Any other unpickler reads those bytes as opcodes: both readings are followed.

use crate::child::{Child, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind};
use crate::source::ReadError;

use super::machine::{Flow, Machine};
use super::value::Value;

/// Attributes of joblib's wrapper that say how long the array is.
struct Wrapper {
    elements: u64,
    element_bytes: u64,
    is_object: bool,
    is_padded: bool,
}

impl Machine<'_> {
    /// After a BUILD: if joblib would now read an array from the stream, goes on behind it.
    pub(super) fn pass_raw_array(&mut self, target: Value, state: Value) -> Result<Flow, ReadError> {
        if !self.raw_arrays {
            return Ok(Flow::Next);
        }
        let Some(class) = self.class_of(target).and_then(|id| self.globals.get(id)) else { return Ok(Flow::Next) };
        if class.is("joblib.numpy_pickle", "NumpyArrayWrapper")
            || class.is("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper")
        {
            return self.pass_array(state);
        }
        let is_joblib =
            ["joblib.numpy_pickle", "joblib.numpy_pickle_compat"].iter().any(|end| class.module.ends_with(end));
        if is_joblib && matches!(class.name.as_str(), "NDArrayWrapper" | "ZNDArrayWrapper") {
            self.name_array_file(state);
        }
        Ok(Flow::Next)
    }

    fn pass_array(&mut self, state: Value) -> Result<Flow, ReadError> {
        self.uses.joblib = true;
        let Some(wrapper) = self.wrapper(state) else {
            let detail = "the size of a raw array cannot be told, so neither where the stream goes on";
            self.uses.incomplete(self.at, Gap::Unsupported, detail);
            return Ok(Flow::Next);
        };
        self.end_frame();
        if wrapper.is_object {
            return self.pass_object_array();
        }
        let start = self.cursor.position();
        if wrapper.is_padded {
            let padding = self.cursor.byte()?;
            self.cursor.skip(u64::from(padding))?;
        }
        let bytes = wrapper.elements.saturating_mul(wrapper.element_bytes);
        if bytes > self.cursor.remaining() {
            let detail = format!("a raw array of {bytes} bytes is longer than the data");
            self.uses.anomaly(self.at, Anomaly::OutOfBounds, detail);
        }
        self.cursor.skip(bytes)?;
        self.uses.arrays.push(start..self.cursor.position());
        Ok(Flow::Next)
    }

    /// An array of objects is a pickle of its own in the same file: it is followed by a machine of its own, and this
    /// one goes on where that one stops.
    fn pass_object_array(&mut self) -> Result<Flow, ReadError> {
        let start = self.cursor.position();
        let Some(length) = self.follow_nested(start) else { return Ok(Flow::Next) };
        let child = Child { role: Role::Pickle, ..Child::stored(format!("objects at {start:#x}"), start, length) };
        self.uses.fact(Position::Offset(start), FactKind::Child(child));
        self.cursor.skip(length)?;
        Ok(Flow::Next)
    }

    fn wrapper(&self, state: Value) -> Option<Wrapper> {
        let attribute = |wanted: &str| {
            let items = self.items(state);
            // Of two entries with one key the last counts.
            let mut pairs = items.chunks_exact(2).rev().filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
            pairs.find(|(key, _)| self.text(*key).as_deref() == Some(wanted)).map(|(_, value)| value)
        };
        let shape = attribute("shape")?;
        let extents: Option<Vec<u64>> = self.items(shape).into_iter().map(|extent| self.integer(extent)).collect();
        let code = self.dtype_code(attribute("dtype")?)?;
        Some(Wrapper {
            elements: extents?.into_iter().fold(1, u64::saturating_mul),
            element_bytes: element_bytes(&code)?,
            is_object: code.trim_start_matches(['<', '>', '|', '=']).starts_with('O'),
            is_padded: attribute("numpy_array_alignment_bytes").is_some_and(|value| self.integer(value).is_some()),
        })
    }

    /// The type code in the call that made a dtype: `f8`, `O8`, `V16` …
    fn dtype_code(&self, dtype: Value) -> Option<String> {
        self.text(self.items(dtype).get(1).copied()?)
    }

    /// Older joblib keeps arrays in files beside the pickle.
    fn name_array_file(&mut self, state: Value) {
        let names: Vec<String> = self.items(state).into_iter().filter_map(|value| self.text(value)).collect();
        for target in names.into_iter().filter(|name| name.contains(".npy")) {
            self.uses.fact(Position::Offset(self.at), FactKind::Reference { kind: ReferenceKind::File, target });
        }
    }
}

/// Bytes per element of a type code; a text of N characters takes 4 N.
fn element_bytes(code: &str) -> Option<u64> {
    let digits = code.trim_start_matches(|character: char| !character.is_ascii_digit());
    let kind = code.trim_start_matches(['<', '>', '|', '=']).chars().next()?;
    match (kind, digits.parse::<u64>().ok()) {
        ('U', Some(characters)) => Some(characters.saturating_mul(4)),
        ('?', None) => Some(1),
        (_, bytes) => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_codes_have_sizes() {
        for (code, bytes) in [("f8", 8), ("<U5", 20), ("V16", 16), ("b1", 1), ("M8", 8), ("S0", 0), ("c16", 16)] {
            assert_eq!(element_bytes(code), Some(bytes), "{code}");
        }
        assert_eq!(element_bytes("f"), None);
    }
}
