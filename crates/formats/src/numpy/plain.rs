//! NumPy's types that are plain numbers, as element types of weights.

use crate::cursor::Cursor;
use crate::protobuf::Span;
use crate::source::Source;
use crate::weights::{Catalogue, Dtype, Entry, Problem, Storage, View, column_major, row_major, shown};

use super::{HeaderError, read_header};

/// The element type of a short name such as `<f4`, and whether its numbers are big-endian; none when it has no
/// counterpart among weights.
#[must_use]
pub fn plain_dtype(text: &str) -> Option<(Dtype, bool)> {
    let code = text.strip_prefix(['<', '>', '|', '=']).unwrap_or(text);
    let dtype = match code {
        "b1" | "?" => Dtype::Bool,
        "u1" | "B" => Dtype::U8,
        "i1" | "b" => Dtype::I8,
        "u2" => Dtype::U16,
        "i2" => Dtype::I16,
        "u4" => Dtype::U32,
        "i4" => Dtype::I32,
        "u8" => Dtype::U64,
        "i8" => Dtype::I64,
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        "c8" => Dtype::C64,
        _ => return None,
    };
    Some((dtype, text.starts_with('>') && dtype.number_size() > 1))
}

/// What an array is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain {
    /// Numbers that weights have a type for.
    Tensor(Catalogue),
    /// Texts, dates or objects: what it is.
    Other(String),
}

/// Reads the header of an array, which becomes the one tensor of the catalogue, called `name`.
///
/// # Errors
/// When the header breaks the format, the data are not as long as it says, or its numbers have no type here.
pub fn read_plain(source: &dyn Source, name: &str) -> Result<Plain, Problem> {
    let mut cursor = Cursor::new(source, 0);
    let header = match read_header(&mut cursor) {
        Ok(header) => header,
        Err(HeaderError::Unsupported(_, detail)) => return Err(Problem::unsupported(detail)),
        Err(error) => return Err(Problem::broken(error.to_string())),
    };
    if let Some((_, _, note)) = header.notes.first() {
        return Err(Problem::broken(note.clone()));
    }
    let text = header.dtype.text.as_str();
    let Some((dtype, is_swapped)) = plain_dtype(text) else { return other(text, name) };
    let length = source.len().saturating_sub(header.data);
    if header.size() != Some(length) {
        let detail = format!("array '{}' has {length} bytes, which is not what its shape needs", shown(name));
        return Err(Problem::broken(detail));
    }
    let shape = header.shape;
    let strides = if header.fortran_order { column_major(&shape) } else { row_major(&shape) };
    let storages = vec![Storage::Range(Span { offset: header.data, length })];
    let view = View { storage: 0, offset: 0, strides, is_swapped };
    let tensors = vec![Entry { name: name.to_owned(), dtype, shape, view }];
    Ok(Plain::Tensor(Catalogue { tensors, storages, ..Catalogue::default() }))
}

/// Numbers without a type among weights would be lost; what is no number is only left out.
fn other(text: &str, name: &str) -> Result<Plain, Problem> {
    let code = text.trim_start_matches(['<', '>', '|', '=']);
    if code.starts_with(['U', 'S', 'a', 'O', 'M', 'm', 'T']) {
        return Ok(Plain::Other(format!("array of {}", shown(text))));
    }
    let detail = format!("array '{}' is of {}, which safetensors does not have", shown(name), shown(text));
    Err(Problem::unsupported(detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_say_their_byte_order() {
        assert_eq!(plain_dtype("<f4"), Some((Dtype::F32, false)));
        assert_eq!(plain_dtype(">f4"), Some((Dtype::F32, true)));
        assert_eq!(plain_dtype(">u1"), Some((Dtype::U8, false)));
        assert_eq!(plain_dtype("|b1"), Some((Dtype::Bool, false)));
        assert_eq!(plain_dtype(">c8"), Some((Dtype::C64, true)));
        for other in ["<c16", "<f16", "|V2", "<U3", "|O", "<M8[ns]", "[('a', '<f4')]"] {
            assert_eq!(plain_dtype(other), None, "{other}");
        }
    }
}
