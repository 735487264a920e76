//! Pictures, sounds, documents, fonts and measurements: known for what they are, and searched for what hangs on behind their end.

use crate::budget::Budget;
use crate::child::Child;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::payload;
use crate::programs;
use crate::source::{ReadError, Source, read_up_to};

/// Where a signature stands, the signature, what has it.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, PNG, "PNG picture"),
    (0, b"\xFF\xD8\xFF", "JPEG picture"),
    (0, b"GIF87a", "GIF picture"),
    (0, b"GIF89a", "GIF picture"),
    (8, b"WEBPVP8", "WebP picture"),
    (8, b"WAVEfmt ", "WAV sound"),
    (8, b"AVI LIST", "AVI film"),
    (0, b"II*\0", "TIFF picture"),
    (0, b"MM\0*", "TIFF picture"),
    (4, b"ftyp", "MP4 or HEIF"),
    (0, b"\x1A\x45\xDF\xA3", "Matroska or WebM film"),
    (0, b"ID3\x02", "MP3 sound"),
    (0, b"ID3\x03", "MP3 sound"),
    (0, b"ID3\x04", "MP3 sound"),
    (0, b"fLaC\0", "FLAC sound"),
    (0, b"OggS\0", "Ogg sound"),
    (0, b"%PDF-", "PDF document"),
    (0, b"{\\rtf1", "RTF document"),
    (0, b"SIMPLE  =                    T", "FITS data"),
    (0, b"CDF\x01", "netCDF classic data"),
    (0, b"CDF\x02", "netCDF classic data"),
    (0, b"CDF\x05", "netCDF classic data"),
    (128, b"DICM", "DICOM image"),
    (344, b"n+1\0", "NIfTI image"),
    (0, b"<stata_dta>", "Stata table"),
    (0, b"$FL2", "SPSS table"),
    (0, b"wOFF", "WOFF font"),
    (0, b"wOF2", "WOFF font"),
    (0, b"OTTO\0", "OpenType font"),
    (0, b"\0\x01\0\0\0", "TrueType font"),
];

/// Bytes of a text chunk's keyword and its end.
const KEYWORD: usize = 80;
/// Chunks whose content is opened.
const MAX_CARRIED: usize = 16;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

static META: Meta = Meta {
    id: "media",
    title: "picture, sound, film, document, font or measurements",
    extensions: &["png", "jpg", "jpeg", "gif", "webp", "wav", "tif", "tiff", "mp4", "mp3", "flac", "ogg", "pdf"],
    depth: Depth::Surface,
    reads: "which kind it is; of PNG and RIFF also where it ends and what follows; programs behind the start of others",
    specification: "https://www.iana.org/assignments/media-types",
};

/// The formats.
#[derive(Debug)]
pub struct Media;

/// What starts so.
fn kind(head: &[u8]) -> Option<&'static str> {
    let fits = |at: usize, signature: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(signature));
    let is_icon = matches!(head, [0, 0, 1, 0, 1..=32, 0, ..]);
    let signed = SIGNATURES.iter().find(|(at, signature, _)| fits(*at, signature)).map(|(.., kind)| *kind);
    signed.or(is_icon.then_some("icon"))
}

impl Format for Media {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let kind = kind(&probe.head)?;
        // Four bytes in the middle, or mostly zeros, are there by chance too.
        let weak = matches!(
            kind,
            "TrueType font" | "icon" | "MP4 or HEIF" | "JPEG picture" | "TIFF picture" | "DICOM image" | "NIfTI image"
        );
        Some(if weak { Certainty::Likely } else { Certainty::Certain })
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        let head = read_up_to(source, 0, 16);
        facts.property("kind", kind(&head).unwrap_or("unknown"));
        let end = if head.starts_with(PNG) {
            png_end(source, context.budget, facts)
        } else if head.starts_with(b"RIFF") {
            riff_end(source)
        } else {
            return programs::search(source, false, context.budget, facts);
        };
        match end {
            Ok(Some(end)) => trailing(end, source.len(), facts),
            Ok(None) => facts.incomplete(0, Gap::Limit, "more chunks than are read"),
            Err(_) => facts.anomaly(0, Anomaly::OutOfBounds, "the last chunk goes on after the file's end"),
        }
    }
}

/// Behind the `IEND` chunk. What other chunks carry is opened where it starts as a file does.
fn png_end(source: &dyn Source, budget: &Budget, facts: &mut Facts) -> Result<Option<u64>, ReadError> {
    let mut carried = 0usize;
    let mut cursor = Cursor::new(source, PNG.len() as u64);
    loop {
        if budget.operate(1).is_err() {
            return Ok(None);
        }
        let length = u64::from(cursor.u32()?.swap_bytes());
        let kind = cursor.take(4)?;
        let (last, is_picture) = (kind == b"IEND", matches!(kind, b"IDAT" | b"fdAT" | b"PLTE"));
        if !is_picture && carried < MAX_CARRIED {
            let offset = cursor.position();
            carried = carried.saturating_add(usize::from(chunk(source, offset, length, facts)));
        }
        cursor.skip(length.saturating_add(4))?;
        if last {
            return Ok(Some(cursor.position()));
        }
    }
}

/// What a chunk carries, behind its keyword where it has one.
fn chunk(source: &dyn Source, offset: u64, length: u64, facts: &mut Facts) -> bool {
    let head = read_up_to(source, offset, KEYWORD);
    let keyword = head.iter().position(|byte| *byte == 0).map_or(0, |at| at.saturating_add(1) as u64);
    for lead in [0, keyword] {
        let (start, rest) = (offset.saturating_add(lead), length.saturating_sub(lead));
        if payload::is_payload(source, start, rest, true) {
            facts.anomaly(start, Anomaly::HiddenContent, "a chunk of the picture holds another file");
            facts.push(Position::Offset(start), FactKind::Child(Child::stored(format!("chunk@{start}"), start, rest)));
            return true;
        }
    }
    false
}

fn riff_end(source: &dyn Source) -> Result<Option<u64>, ReadError> {
    let length = u64::from(Cursor::new(source, 4).u32()?);
    let end = length.saturating_add(8);
    // Chunks are padded to an even length, and writers disagree on whether that counts.
    let end = end.saturating_add(end % 2);
    if end > source.len().saturating_add(1) { Err(ReadError::End) } else { Ok(Some(end)) }
}

fn trailing(end: u64, length: u64, facts: &mut Facts) {
    let rest = length.saturating_sub(end);
    if rest > 0 {
        facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the end"));
        facts.push(Position::Offset(end), FactKind::Child(Child::stored(format!("trailing@{end}"), end, rest)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn png() -> Vec<u8> {
        [PNG, b"\0\0\0\x02IDATxx\0\0\0\0", b"\0\0\0\0IEND\xAE\x42\x60\x82"].concat()
    }

    #[test]
    fn what_follows_a_picture_is_found() {
        assert_eq!(oddities(&inspect(&Media, "a.png", &png())), Vec::<String>::new());
        let length = png().len();
        let bytes = [png(), b"PK\x03\x04".to_vec()].concat();
        assert_eq!(oddities(&inspect(&Media, "a.png", &bytes)), [format!("TrailingBytes@{length}")]);
        let bytes = b"RIFF\x08\0\0\0WAVEfmt trail";
        assert_eq!(oddities(&inspect(&Media, "a.wav", bytes)), ["TrailingBytes@16"]);
    }

    #[test]
    fn files_in_the_chunks_of_a_picture_are_opened() {
        let with = |text: &[u8]| {
            let length = u32::try_from(text.len()).unwrap().to_be_bytes();
            let picture = png();
            [&picture[..8], &length, b"tEXt", text, b"\0\0\0\0", &picture[8..]].concat()
        };
        let pickle = with(b"note\0\x80\x02cos\nsystem\n(S'echo waag-inert'\ntR.");
        assert_eq!(oddities(&inspect(&Media, "a.png", &pickle)), ["HiddenContent@21"]);
        assert_eq!(oddities(&inspect(&Media, "a.png", &with(b"Software\0Adobe ImageReady"))), Vec::<String>::new());
    }

    #[test]
    fn a_picture_that_ends_early_is_found() {
        assert_eq!(oddities(&inspect(&Media, "a.png", &png()[..20])), ["OutOfBounds@0"]);
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&png(), 2000, |bytes| drop(inspect(&Media, "a.png", &bytes)));
    }
}
