//! Element types, shapes and constants: `DataType`, `TensorShapeProto` and `TensorProto`.

use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::protobuf::{Broken, Message, Span, Wire};
use crate::source::Source;

/// The most dimensions a tensor has.
const MAX_RANK: usize = 254;
/// What one constant may make of a few bytes: a message has room for no more than this, so nobody needs more.
const MAX_SPLAT: u64 = 2 << 30;

/// Names of element types by number, and bytes of an element: none for texts and handles.
const DTYPES: &[(u64, &str, Option<u64>)] = &[
    (1, "float32", Some(4)),
    (2, "float64", Some(8)),
    (3, "int32", Some(4)),
    (4, "uint8", Some(1)),
    (5, "int16", Some(2)),
    (6, "int8", Some(1)),
    (7, "string", None),
    (8, "complex64", Some(8)),
    (9, "int64", Some(8)),
    (10, "bool", Some(1)),
    (11, "qint8", Some(1)),
    (12, "quint8", Some(1)),
    (13, "qint32", Some(4)),
    (14, "bfloat16", Some(2)),
    (15, "qint16", Some(2)),
    (16, "quint16", Some(2)),
    (17, "uint16", Some(2)),
    (18, "complex128", Some(16)),
    (19, "float16", Some(2)),
    (20, "resource", None),
    (21, "variant", None),
    (22, "uint32", Some(4)),
    (23, "uint64", Some(8)),
    (24, "float8_e5m2", Some(1)),
    (25, "float8_e4m3fn", Some(1)),
    (26, "float8_e4m3fnuz", Some(1)),
    (27, "float8_e4m3b11fnuz", Some(1)),
    (28, "float8_e5m2fnuz", Some(1)),
    // Four and two bits of numbers, each kept in a byte of its own.
    (29, "int4", Some(1)),
    (30, "uint4", Some(1)),
    (31, "int2", Some(1)),
    (32, "uint2", Some(1)),
    (33, "float4_e2m1fn", Some(1)),
];
/// The number of the texts' type.
pub(super) const STRING: u64 = 7;

/// Name of an element type; none when there is none of this number.
pub(super) fn name(dtype: u64) -> Option<&'static str> {
    DTYPES.iter().find(|(number, ..)| *number == dtype).map(|(_, name, _)| *name)
}

/// Bytes of an element, when they are always as many.
pub(super) fn bytes(dtype: u64) -> Option<u64> {
    DTYPES.iter().find(|(number, ..)| *number == dtype).and_then(|(.., bytes)| *bytes)
}

/// A shape. The extent of a dimension that is not known yet is -1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The extents.
    pub(super) extents: Vec<i64>,
    /// Whether not even the number of dimensions is known.
    pub(super) is_unknown: bool,
}

impl Shape {
    /// Reads a `TensorShapeProto`.
    pub(super) fn read(source: &dyn Source, span: Span) -> Result<Self, Broken> {
        let mut shape = Self::default();
        let mut message = Message::new(source, span);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (2, Wire::Bytes(dimension)) if shape.extents.len() <= MAX_RANK => {
                    shape.extents.push(extent(source, dimension)?);
                }
                (3, Wire::Varint(unknown)) => shape.is_unknown = unknown != 0,
                _ => {}
            }
        }
        Ok(shape)
    }

    /// The extents, when all are known; none when one is negative or there are too many.
    pub(super) fn known(&self) -> Option<Vec<u64>> {
        if self.is_unknown || self.extents.len() > MAX_RANK {
            return None;
        }
        self.extents.iter().map(|extent| u64::try_from(*extent).ok()).collect()
    }

    /// Number of elements; none when it does not fit or is not known.
    pub(super) fn elements(&self) -> Option<u64> {
        let extents = self.known()?;
        if extents.contains(&0) {
            return Some(0);
        }
        let product = extents.iter().try_fold(1u64, |product, extent| product.checked_mul(*extent))?;
        i64::try_from(product).is_ok().then_some(product)
    }

    /// As people write it.
    pub(super) fn text(&self) -> String {
        if self.is_unknown {
            return "[…]".to_owned();
        }
        let extents = self.extents.iter().map(|extent| if *extent < 0 { "?".to_owned() } else { extent.to_string() });
        format!("[{}]", extents.collect::<Vec<_>>().join(", "))
    }
}

fn extent(source: &dyn Source, span: Span) -> Result<i64, Broken> {
    let mut extent = 0;
    let mut message = Message::new(source, span);
    while let Some(field) = message.next()? {
        if let (1, Wire::Varint(value)) = (field.number, field.wire) {
            extent = value.cast_signed();
        }
    }
    Ok(extent)
}

/// A constant.
#[derive(Debug, Default)]
pub(super) struct Constant {
    /// Its element type.
    pub(super) dtype: u64,
    /// Its shape.
    pub(super) shape: Shape,
    /// Its elements as they lie in memory, when they are kept so.
    pub(super) content: Option<Span>,
    /// Bytes of elements that are kept one by one.
    pub(super) listed: u64,
    /// The texts it holds, the first few of them.
    pub(super) texts: Vec<Span>,
}

/// Texts of one constant that are kept.
const MAX_TEXTS: usize = 64;

impl Constant {
    /// Reads a `TensorProto`.
    pub(super) fn read(source: &dyn Source, span: Span) -> Result<Self, Broken> {
        let mut constant = Self::default();
        let mut message = Message::new(source, span);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Varint(dtype)) => constant.dtype = dtype,
                (2, Wire::Bytes(shape)) => constant.shape = Shape::read(source, shape)?,
                (4, Wire::Bytes(content)) => constant.content = Some(content),
                (5..=13 | 16..=18, Wire::Bytes(values)) => {
                    constant.listed = constant.listed.saturating_add(values.length.max(1));
                    if field.number == 8 && constant.texts.len() < MAX_TEXTS {
                        constant.texts.push(values);
                    }
                }
                (5..=13 | 16..=18, _) => constant.listed = constant.listed.saturating_add(1),
                _ => {}
            }
        }
        constant.content = constant.content.filter(|content| content.length > 0);
        Ok(constant)
    }

    /// Bytes of its elements in memory.
    pub(super) fn size(&self) -> Option<u64> {
        self.shape.elements()?.checked_mul(bytes(self.dtype)?)
    }

    /// What contradicts itself. TensorFlow has crashed on such: CVE-2022-23571, CVE-2022-23582.
    pub(super) fn verify(&self, name: &str, offset: u64, facts: &mut Facts) {
        if self::name(self.dtype).is_none() {
            let detail = format!("the constant '{name}' has the element type {}, which does not exist", self.dtype);
            return facts.anomaly(offset, Anomaly::Malformed, detail);
        }
        if self.shape.elements().is_none() {
            let shape = self.shape.text();
            let detail = format!("the constant '{name}' has the shape {shape}, which no tensor can have");
            return facts.anomaly(offset, Anomaly::Malformed, detail);
        }
        match (self.content, self.size()) {
            (Some(content), Some(size)) if content.length != size => {
                let (length, shape) = (content.length, self.shape.text());
                let detail = format!("the constant '{name}' has {length} bytes for {size} of the shape {shape}");
                facts.anomaly(offset, Anomaly::SizeMismatch, detail);
            }
            // One value for all elements is how constants are made small, up to a point.
            (None, size) if size.is_none_or(|size| size > MAX_SPLAT) && self.is_large() => {
                let (listed, shape) = (self.listed, self.shape.text());
                let detail = format!("the constant '{name}' makes the shape {shape} of {listed} bytes");
                facts.anomaly(offset, Anomaly::AllocationBomb, detail);
            }
            _ => {}
        }
    }

    /// Whether even its handles or texts would take more memory than a constant may.
    fn is_large(&self) -> bool {
        let element = bytes(self.dtype).unwrap_or(16);
        self.shape.elements().is_none_or(|elements| elements.saturating_mul(element) > MAX_SPLAT)
    }
}
