//! SentencePiece's models, `tokenizer.model` and `spiece.model` beside most language models: a vocabulary with scores,
//! how it was trained, and how text is normalised before it.

use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, MAX_TEXT};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::payload::is_payload;
use crate::protobuf::{Broken, Field, Message, Span, Wire};
use crate::source::Source;

/// Pieces that are read one by one; the largest vocabularies known have a million.
const MAX_PIECES: u64 = 4 << 20;
/// Texts the model was trained on that are named.
const MAX_INPUTS: usize = 64;
/// Fields from here on belong to whoever extends the format.
const EXTENSIONS: u32 = 200;
/// Bytes of an unknown field from which on it is opened.
const HIDDEN: u64 = 16;

/// What the numbers of `model_type` mean.
const TYPES: &[&str] = &["", "unigram", "bpe", "word", "char"];

static META: Meta = Meta {
    id: "sentencepiece",
    title: "SentencePiece model",
    extensions: &["spm"],
    depth: Depth::Full,
    reads: "every piece, how the vocabulary was trained and how text is normalised; no field is unaccounted for",
    specification: "https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto",
};

/// The format.
#[derive(Debug)]
pub struct SentencePiece;

impl Format for SentencePiece {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let rest = piece(&probe.head)?;
        // A second piece, or the training's settings: one alone may be there by chance.
        (piece(rest).is_some() || matches!(rest.first(), Some(0x12 | 0x1A))).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let mut model = Model { source, context, facts, pieces: 0, inputs: 0 };
        if let Err(error) = model.read() {
            let detail = format!("the model breaks off: {error}");
            facts.anomaly(0, Anomaly::Malformed, detail);
        }
    }
}

/// Whether bytes start with a piece, a text and a score; gives what follows it.
fn piece(bytes: &[u8]) -> Option<&[u8]> {
    let [0x0A, length @ 1..=0x7F, inner @ ..] = bytes else { return None };
    let (inner, rest) = inner.split_at_checked(usize::from(*length))?;
    let [0x0A, length @ 1..=0x7F, inner @ ..] = inner else { return None };
    let (text, score) = inner.split_at_checked(usize::from(*length))?;
    (std::str::from_utf8(text).is_ok() && score.len() >= 5 && score.first() == Some(&0x15)).then_some(rest)
}

struct Model<'a, 'f> {
    source: &'a dyn Source,
    context: &'a Context<'a>,
    facts: &'f mut Facts,
    pieces: u64,
    inputs: usize,
}

impl Model<'_, '_> {
    fn read(&mut self) -> Result<(), Broken> {
        let mut message = Message::new(self.source, Span::whole(self.source));
        while let Some(field) = message.next()? {
            if self.context.budget.operate(1).is_err() || self.pieces >= MAX_PIECES {
                self.facts.incomplete(field.offset, Gap::Limit, "more pieces than are read");
                break;
            }
            match (field.number, field.span()) {
                (1, Some(span)) => self.piece(span)?,
                (2, Some(span)) => self.trainer(span)?,
                (3 | 5, Some(span)) => self.normalizer(span)?,
                (4, Some(_)) => {}
                _ => self.unknown(&field, EXTENSIONS),
            }
        }
        self.facts.property("tokenizer", "SentencePiece");
        self.facts.property("vocabulary", self.pieces.to_string());
        Ok(())
    }

    fn piece(&mut self, span: Span) -> Result<(), Broken> {
        self.pieces = self.pieces.saturating_add(1);
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(text)) => self.payload(text, "a piece"),
                (2, Wire::Fixed32(_)) | (3, Wire::Varint(_)) => {}
                _ => self.unknown(&field, EXTENSIONS),
            }
        }
        Ok(())
    }

    fn trainer(&mut self, span: Span) -> Result<(), Broken> {
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(text)) if self.inputs < MAX_INPUTS => {
                    self.inputs = self.inputs.saturating_add(1);
                    self.metadata(field.offset, "trained on", text);
                }
                (2, Wire::Bytes(text)) => self.metadata(field.offset, "model_prefix", text),
                (3, Wire::Varint(number)) => {
                    let kind = usize::try_from(number).ok().and_then(|number| TYPES.get(number));
                    self.facts.property("model_type", kind.copied().unwrap_or("unknown"));
                }
                (_, Wire::Bytes(text)) => self.payload(text, "a setting"),
                _ => {}
            }
        }
        Ok(())
    }

    fn normalizer(&mut self, span: Span) -> Result<(), Broken> {
        let mut message = Message::new(self.source, span);
        while let Some(field) = message.next()? {
            match (field.number, field.wire) {
                (1, Wire::Bytes(text)) => self.metadata(field.offset, "normalizer", text),
                // A table that is compiled: double arrays of characters, which nobody reads but the library.
                (2, Wire::Bytes(_)) | (3..=5, Wire::Varint(_)) => {}
                (6, Wire::Bytes(text)) => self.metadata(field.offset, "normalization rules", text),
                _ => self.unknown(&field, EXTENSIONS),
            }
        }
        Ok(())
    }

    fn metadata(&mut self, offset: u64, key: &str, text: Span) {
        let value = text.text(self.source, MAX_TEXT);
        self.facts.push(Position::Offset(offset), FactKind::Metadata { key: key.to_owned(), value });
        self.payload(text, key);
    }

    fn payload(&mut self, span: Span, name: &str) {
        if span.length >= HIDDEN && is_payload(self.source, span.offset, span.length, true) {
            let child = Child::stored(format!("{name} at {:#x}", span.offset), span.offset, span.length);
            self.facts.push(Position::Offset(span.offset), FactKind::Child(child));
        }
    }

    /// A field that the schema does not have, below where extensions of others begin.
    fn unknown(&mut self, field: &Field, extensions: u32) {
        if field.number < extensions {
            let detail = format!("field {} is none of SentencePiece's", field.number);
            self.facts.anomaly(field.offset, Anomaly::HiddenContent, detail);
        }
        if let Some(span) = field.span().filter(|span| span.length >= HIDDEN) {
            let child =
                Child::stored(format!("field {} at {:#x}", field.number, span.offset), span.offset, span.length);
            self.facts.push(Position::Offset(span.offset), FactKind::Child(child));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::Role;
    use crate::testing::{inspect, mutate, oddities};

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn model(extra: &[u8]) -> Vec<u8> {
        let piece = |text: &str| field(1, &[field(1, text.as_bytes()), vec![0x15, 0, 0, 0, 0, 0x18, 2]].concat());
        let trainer = field(2, &[field(1, b"corpus.txt"), vec![0x18, 2]].concat());
        let normalizer = field(3, &[field(1, b"nmt_nfkc"), field(2, b"\0\0\0\0"), vec![0x18, 1]].concat());
        [piece("<unk>"), piece("\u{2581}the"), trainer, normalizer, extra.to_vec()].concat()
    }

    #[test]
    fn an_ordinary_model_is_described_and_clean() {
        let bytes = model(b"");
        let probe = Probe::new(&bytes, "tokenizer.model", Role::Unknown);
        assert_eq!(SentencePiece.recognise(&probe), Some(Certainty::Certain));
        let facts = inspect(&SentencePiece, "tokenizer.model", &bytes);
        assert_eq!(oddities(&facts), Vec::<String>::new());
        assert_eq!((facts.find_property("vocabulary"), facts.find_property("model_type")), (Some("2"), Some("bpe")));
    }

    #[test]
    fn what_the_schema_does_not_have_is_told() {
        let length = model(b"").len();
        let facts = inspect(&SentencePiece, "a.model", &model(&field(9, b"cos\nsystem\n(S'id'\ntR.")));
        assert_eq!(oddities(&facts), [format!("HiddenContent@{length}")]);
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Child(_))));
        assert_eq!(oddities(&inspect(&SentencePiece, "a.model", &model(b"\x0A\x7Fabc"))), ["Malformed@0"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&model(b""), 3000, |bytes| drop(inspect(&SentencePiece, "x", &bytes)));
    }
}
