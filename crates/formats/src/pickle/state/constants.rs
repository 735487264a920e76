//! PyTorch's element types, by the class of a storage and by the name of a type.

use crate::weights::Dtype;

/// The element type of a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// One that safetensors has.
    Plain(Dtype),
    /// Bytes, whose type the tensor says.
    Untyped,
    /// One without a plain form: its name, and the bytes of an element.
    Other(&'static str, u64),
}

impl Element {
    /// Bytes of an element.
    pub(super) const fn size(self) -> u64 {
        match self {
            Self::Plain(dtype) => dtype.size(),
            Self::Untyped => 1,
            Self::Other(_, size) => size,
        }
    }
}

/// The element type of a storage's class.
pub(super) fn of_storage(class: &str) -> Option<Element> {
    Some(Element::Plain(match class {
        "FloatStorage" => Dtype::F32,
        "DoubleStorage" => Dtype::F64,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::Bf16,
        "LongStorage" => Dtype::I64,
        "IntStorage" => Dtype::I32,
        "ShortStorage" => Dtype::I16,
        "CharStorage" => Dtype::I8,
        "ByteStorage" => Dtype::U8,
        "BoolStorage" => Dtype::Bool,
        "ComplexFloatStorage" => Dtype::C64,
        "UntypedStorage" => return Some(Element::Untyped),
        "ComplexDoubleStorage" => return Some(Element::Other("complex128", 16)),
        "QInt8Storage" => return Some(Element::Other("qint8", 1)),
        "QUInt8Storage" => return Some(Element::Other("quint8", 1)),
        "QInt32Storage" => return Some(Element::Other("qint32", 4)),
        "QUInt4x2Storage" => return Some(Element::Other("quint4x2", 1)),
        "QUInt2x4Storage" => return Some(Element::Other("quint2x4", 1)),
        _ => return None,
    }))
}

/// The element type of a name such as `torch.float8_e4m3fn`.
pub(super) fn of_dtype(name: &str) -> Option<Dtype> {
    Some(match name {
        "float32" | "float" => Dtype::F32,
        "float64" | "double" => Dtype::F64,
        "float16" | "half" => Dtype::F16,
        "bfloat16" => Dtype::Bf16,
        "int64" | "long" => Dtype::I64,
        "int32" | "int" => Dtype::I32,
        "int16" | "short" => Dtype::I16,
        "int8" => Dtype::I8,
        "uint8" => Dtype::U8,
        "uint16" => Dtype::U16,
        "uint32" => Dtype::U32,
        "uint64" => Dtype::U64,
        "bool" => Dtype::Bool,
        "complex64" | "cfloat" => Dtype::C64,
        "float8_e4m3fn" => Dtype::F8E4M3,
        "float8_e5m2" => Dtype::F8E5M2,
        "float8_e8m0fnu" => Dtype::F8E8M0,
        "float8_e4m3fnuz" => Dtype::F8E4M3Fnuz,
        "float8_e5m2fnuz" => Dtype::F8E5M2Fnuz,
        _ => return None,
    })
}
