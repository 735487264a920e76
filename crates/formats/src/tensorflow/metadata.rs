//! Two small files beside a SavedModel: `fingerprint.pb`, and `keras_metadata.pb` of Keras before its third version.

use super::node::bytes_fields;
use super::objects::keras_metadata;
use super::saved_model::failed;
use crate::child::Role;
use crate::fact::Anomaly;
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::protobuf::{Broken, Message, Span, Wire};
use crate::source::Source;

/// The longest identifier of a file.
const MAX_TEXT: usize = 100;
/// Fields of a fingerprint.
const MAX_FIELDS: usize = 64;

static META: Meta = Meta {
    id: "tensorflow-metadata",
    title: "TensorFlow fingerprint or Keras metadata",
    extensions: &["pb"],
    depth: Depth::Full,
    reads: "the fingerprint; of Keras metadata, the configuration of every layer",
    specification: "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/fingerprint.proto",
};

/// The format.
#[derive(Debug)]
pub struct TensorflowMetadata;

impl Format for TensorflowMetadata {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.role != Role::Unknown || !matches!(probe.head.first()?, 0x08 | 0x0A | 0x10) {
            return None;
        }
        let name = probe.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let is_it = is_keras(probe.source) || (name == "fingerprint.pb" && fingerprint(probe.source, None).is_ok());
        is_it.then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let outcome = if is_keras(source) {
            keras_metadata(source, context.budget, facts)
        } else {
            fingerprint(source, Some(facts))
        };
        if let Err(error) = outcome {
            failed(&error, facts);
        }
    }
}

/// Whether the first object has an identifier of Keras.
fn is_keras(source: &dyn Source) -> bool {
    let Ok(Some(field)) = Message::new(source, Span::whole(source)).next() else { return false };
    let object = field.span().filter(|_| field.number == 1);
    let identifier = object.and_then(|object| bytes_fields(source, object, 4).ok()?.pop());
    identifier.is_some_and(|identifier| identifier.text(source, MAX_TEXT).starts_with("_tf_keras_"))
}

fn fingerprint(source: &dyn Source, mut facts: Option<&mut Facts>) -> Result<(), Broken> {
    const NAMES: &[&str] = &["saved_model", "graph", "signatures", "objects", "checkpoint"];
    let mut message = Message::new(source, Span::whole(source));
    let mut fields = 0usize;
    while let Some(field) = message.next()? {
        fields = fields.saturating_add(1);
        let index = usize::try_from(field.number.saturating_sub(1)).unwrap_or(usize::MAX);
        let known = NAMES.get(index).filter(|_| matches!(field.wire, Wire::Varint(_) | Wire::Fixed64(_)));
        let is_text =
            matches!((field.number, field.wire), (6 | 7, Wire::Bytes(span)) if span.length <= MAX_TEXT as u64);
        if (known.is_none() && !is_text) || fields > MAX_FIELDS {
            return match facts {
                None => Err(Broken::Number(field.number.into())),
                Some(facts) => {
                    facts.anomaly(field.offset, Anomaly::Malformed, "a fingerprint has no such field");
                    Ok(())
                }
            };
        }
        if let (Some(facts), Some(name), Some(value)) = (facts.as_deref_mut(), known, field.integer()) {
            facts.property(format!("fingerprint_{name}"), format!("{value:016x}"));
        }
    }
    Ok(())
}
