//! The pull through a document: one part at a time, each bounded.

use super::doctype::{self, Doctype, is_elsewhere};
use super::token::{Attribute, Element, MAX_KEPT, Run, is_base64, local, unescape};
use super::{Visitor, visitor_for};
use crate::budget::Budget;
use crate::child::Child;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position, ReferenceKind};
use crate::facts::{Facts, shorten};
use crate::format::Context;
use crate::source::{ReadError, Source};

/// Elements within elements; libxml2 stops at as many.
const MAX_DEPTH: usize = 256;
/// Bytes of a name.
const MAX_NAME: usize = 1024;
/// Attributes of one element.
const MAX_ATTRIBUTES: usize = 1024;
/// Bytes of a document type declaration.
const MAX_DOCTYPE: usize = 256 << 10;
/// Characters that entities may add to a document before that is their purpose.
const MAX_EXPANSION: u64 = 10 << 20;
/// Bytes of text that are paid for at once.
const PAID_AT_ONCE: u64 = 4096;
/// Styles of one document that are listed.
const MAX_STYLES: usize = 16;
/// Dangers of one declaration that are listed.
const MAX_DANGERS: usize = 20;

/// Why reading stopped.
#[derive(Debug)]
enum Stop {
    /// It is not well formed.
    Malformed(String),
    /// A limit was met.
    Limit(String),
    /// Elements lie too deep in each other.
    Deep(String),
    /// The bytes could not be read.
    Unread(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::End => Self::Malformed("the document ends within itself".to_owned()),
            refused @ ReadError::Refused(_) => Self::Unread(refused),
        }
    }
}

/// What is known of a document on the way through it.
pub(super) struct Reader<'r> {
    cursor: Cursor<'r>,
    budget: &'r Budget,
    facts: &'r mut Facts,
    file: &'r str,
    /// Names as written of the elements that are open.
    open: Vec<String>,
    /// Their local names.
    path: Vec<String>,
    visitor: Option<Box<dyn Visitor>>,
    doctype: Option<(u64, Doctype)>,
    /// Addresses of styles, and where they are named.
    styles: Vec<(u64, String)>,
    /// References to entities that the document declares.
    uses: u64,
    has_inclusions: bool,
    has_controls: bool,
}

impl<'r> Reader<'r> {
    pub(super) fn new(source: &'r dyn Source, context: &Context<'r>, facts: &'r mut Facts) -> Self {
        Self {
            cursor: Cursor::new(source, 0),
            budget: context.budget,
            facts,
            file: context.name,
            open: Vec::new(),
            path: Vec::new(),
            visitor: None,
            doctype: None,
            styles: Vec::new(),
            uses: 0,
            has_inclusions: false,
            has_controls: false,
        }
    }

    /// Reads the whole document, and says how it ended.
    pub(super) fn document(mut self) {
        if let Some(encoding) = self.other_encoding() {
            let detail = format!("the document is in {encoding}, which is not read here");
            return self.facts.incomplete(0, Gap::Unsupported, detail);
        }
        let outcome = self.parts();
        let at = self.cursor.position();
        match outcome {
            Ok(()) if self.visitor.is_none() => self.facts.anomaly(at, Anomaly::Malformed, "there is no element"),
            Ok(()) => {}
            Err(Stop::Malformed(detail)) => {
                self.facts.anomaly(at, Anomaly::Malformed, detail);
                self.facts.incomplete(at, Gap::Unreadable, "what follows was not read");
            }
            Err(Stop::Limit(detail)) => self.facts.incomplete(at, Gap::Limit, detail),
            Err(Stop::Deep(detail)) => self.facts.incomplete(at, Gap::Depth, detail),
            Err(Stop::Unread(error)) => self.facts.incomplete(at, Gap::Unreadable, error.to_string()),
        }
        if let Some(mut visitor) = self.visitor.take() {
            visitor.finish(self.facts);
            self.judge(visitor.is_model());
        } else {
            self.judge(false);
        }
    }

    /// An encoding whose tags are not those of ASCII, told by the first bytes.
    fn other_encoding(&mut self) -> Option<&'static str> {
        let have = usize::try_from(self.cursor.remaining()).unwrap_or(usize::MAX).min(4);
        let head = self.cursor.take(have).unwrap_or_default().to_vec();
        let start = if head.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        self.cursor.seek(start);
        match head.as_slice() {
            [0, 0, 0xFE, 0xFF] | [0xFF, 0xFE, 0, 0] | [0, 0, 0, b'<'] | [b'<', 0, 0, 0] => Some("UTF-32"),
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'<', 0, ..] | [0, b'<', ..] => Some("UTF-16"),
            [0x4C, 0x6F, 0xA7, 0x94] => Some("EBCDIC"),
            [0x2B, 0x2F, 0x76, ..] => Some("UTF-7"),
            _ => None,
        }
    }

    fn parts(&mut self) -> Result<(), Stop> {
        while self.cursor.remaining() > 0 {
            self.pay(1)?;
            let offset = self.cursor.position();
            if self.cursor.byte()? == b'<' {
                self.markup(offset)?;
            } else {
                self.cursor.seek(offset);
                self.text(offset)?;
            }
            if self.visitor.is_some() && self.open.is_empty() && self.tail()? {
                break;
            }
        }
        match self.open.last() {
            Some(name) => Err(Stop::Malformed(format!("the element '{}' is not closed", clip(name)))),
            None => Ok(()),
        }
    }

    fn pay(&self, steps: u64) -> Result<(), Stop> {
        self.budget.operate(steps).map_err(|limit| Stop::Limit(limit.to_string()))
    }

    /// Behind the outermost element: white space, comments and instructions may follow; anything else is a tail.
    fn tail(&mut self) -> Result<bool, Stop> {
        while self.cursor.remaining() > 0 {
            self.pay(1)?;
            let offset = self.cursor.position();
            let byte = self.cursor.byte()?;
            if byte.is_ascii_whitespace() {
                continue;
            }
            let next = if self.cursor.remaining() > 0 { self.cursor.byte()? } else { 0 };
            if byte == b'<' && matches!(next, b'!' | b'?') {
                self.cursor.seek(offset.saturating_add(1));
                self.markup(offset)?;
                continue;
            }
            let rest = self.cursor.length().saturating_sub(offset);
            self.facts.anomaly(offset, Anomaly::TrailingBytes, format!("{rest} bytes follow the outermost element"));
            let child = Child::stored(format!("trailing@{offset}"), offset, rest);
            self.facts.push(Position::Offset(offset), FactKind::Child(child));
            return Ok(true);
        }
        Ok(true)
    }

    /// What follows a `<`.
    fn markup(&mut self, offset: u64) -> Result<(), Stop> {
        match self.cursor.byte()? {
            b'?' => self.instruction(offset),
            b'!' => self.declaration(offset),
            b'/' => self.close(offset),
            _ => {
                self.cursor.seek(offset.saturating_add(1));
                self.element(offset)
            }
        }
    }

    /// `<!--`, `<![CDATA[` or `<!DOCTYPE`.
    fn declaration(&mut self, offset: u64) -> Result<(), Stop> {
        if self.follows(b"--")? {
            return self.until(b"-->").map(drop);
        }
        if self.follows(b"[CDATA[")? {
            let start = self.cursor.position();
            let run = self.until(b"]]>")?;
            let length = self.cursor.position().saturating_sub(start).saturating_sub(3);
            self.show(&Run { offset: start, length, ..run });
            return Ok(());
        }
        if self.follows(b"DOCTYPE")? {
            return self.doctype(offset);
        }
        Err(Stop::Malformed("a declaration that does not belong here".to_owned()))
    }

    /// Passes over these bytes, when they are next.
    fn follows(&mut self, wanted: &[u8]) -> Result<bool, Stop> {
        let at = self.cursor.position();
        if self.cursor.remaining() >= wanted.len() as u64 && self.cursor.take(wanted.len())? == wanted {
            return Ok(true);
        }
        self.cursor.seek(at);
        Ok(false)
    }

    /// Passes over everything up to and with `end`; keeps the start of it.
    fn until(&mut self, end: &[u8]) -> Result<Run, Stop> {
        let mut kept = Vec::new();
        let mut recent = Vec::with_capacity(4);
        let mut count = 0u64;
        loop {
            let byte = self.cursor.byte()?;
            count = count.saturating_add(1);
            if count.is_multiple_of(PAID_AT_ONCE) {
                self.pay(1)?;
            }
            if recent.len() == end.len() {
                recent.rotate_left(1);
                recent.pop();
            }
            recent.push(byte);
            if kept.len() < MAX_KEPT {
                kept.push(byte);
            }
            if recent == end {
                let content = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(end.len());
                kept.truncate(content);
                let is_base64 = kept.iter().all(|&byte| is_base64(byte));
                return Ok(Run { start: String::from_utf8_lossy(&kept).into_owned(), is_base64, ..Run::default() });
            }
        }
    }

    fn instruction(&mut self, offset: u64) -> Result<(), Stop> {
        let text = self.until(b"?>")?.start;
        let target = text.split_ascii_whitespace().next().unwrap_or_default();
        if target == "xml" {
            self.declared_encoding(&text);
        } else if target == "xml-stylesheet" {
            let address = pseudo_attribute(&text, "href").unwrap_or_default();
            if is_elsewhere(&address) && self.styles.len() < MAX_STYLES {
                self.styles.push((offset, address));
            }
        }
        Ok(())
    }

    fn declared_encoding(&mut self, text: &str) {
        let Some(encoding) = pseudo_attribute(text, "encoding") else { return };
        let name = encoding.to_ascii_lowercase();
        // Whatever keeps ASCII as it is leaves tags and names where they are.
        let known = [
            "utf-8",
            "utf8",
            "us-ascii",
            "ascii",
            "iso-8859-",
            "latin1",
            "windows-",
            "cp125",
            "euc-",
            "koi8",
            "mac",
            "gb",
            "big5",
            "shift_jis",
            "tis-620",
            // Where tags were found in single bytes, no reader finds others in double ones.
            "utf-16",
            "utf-32",
            "ucs-2",
            "iso-10646",
        ];
        if name.starts_with("utf-7") {
            let detail = "the document says it is in UTF-7, in which tags are written that other readers do not see";
            self.facts.anomaly(0, Anomaly::ReaderDisagreement, detail);
        }
        if !known.iter().any(|start| name.starts_with(start)) {
            let detail = format!("the document says it is in '{}', and was read as UTF-8", clip(&encoding));
            self.facts.incomplete(0, Gap::Unsupported, detail);
        }
    }

    fn doctype(&mut self, offset: u64) -> Result<(), Stop> {
        let mut text = Vec::new();
        let (mut quote, mut is_inside, mut comment) = (None, false, false);
        loop {
            let byte = self.cursor.byte()?;
            match (quote, byte) {
                _ if comment => comment = !(byte == b'>' && text.ends_with(b"--")),
                (None, b'>') if !is_inside => break,
                (None, b'[') => is_inside = true,
                (None, b']') => is_inside = false,
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'-') => comment = text.ends_with(b"<!-"),
                (Some(open), _) if open == byte => quote = None,
                _ => {}
            }
            text.push(byte);
            if text.len() > MAX_DOCTYPE {
                return Err(Stop::Limit(format!("the document type declaration is longer than {MAX_DOCTYPE} bytes")));
            }
        }
        self.pay((text.len() as u64).div_ceil(PAID_AT_ONCE))?;
        self.doctype = Some((offset, doctype::read(&String::from_utf8_lossy(&text))));
        Ok(())
    }

    /// Says what the document makes a reader fetch, when it is known what it is.
    fn judge(&mut self, is_model: bool) {
        for (offset, address) in std::mem::take(&mut self.styles) {
            self.fetched(offset, "its style", &address, is_model);
        }
        self.entities(is_model);
    }

    /// Documents name their styles and definitions by public addresses, which few readers fetch. A model has none.
    fn fetched(&mut self, offset: u64, what: &str, address: &str, is_model: bool) {
        let address = clip(address);
        if is_model || !address.starts_with("http") {
            let detail = format!("a reader fetches {what} from '{address}'");
            self.facts.anomaly(offset, Anomaly::XmlEntity, detail);
        } else {
            let kind = FactKind::Reference { kind: ReferenceKind::Address, target: address };
            self.facts.push(Position::Offset(offset), kind);
        }
    }

    fn entities(&mut self, is_model: bool) {
        let Some((offset, doctype)) = self.doctype.take() else { return };
        self.facts.property("document type", clip(&doctype.root));
        for danger in doctype.dangers.iter().take(MAX_DANGERS) {
            self.facts.anomaly(offset, Anomaly::XmlEntity, danger.as_str());
        }
        if doctype.is_cut {
            self.facts.incomplete(offset, Gap::Limit, "the document type has more declarations than are read");
        }
        if let Some(address) = doctype.published {
            self.fetched(offset, "its definition", &address, is_model);
        }
        if let Some(beside) = doctype.beside {
            self.facts.property("document type definition", clip(&beside));
        }
        let count = doctype.harmless.len();
        if count > 0 && is_model {
            let detail =
                format!("{count} entities such as '{}'", clip(doctype.harmless.first().map_or("", String::as_str)));
            self.facts.anomaly(offset, Anomaly::XmlEntity, detail);
        } else if self.uses.saturating_mul(1000) > MAX_EXPANSION {
            let detail = format!("entities are used {} times", self.uses);
            self.facts.anomaly(offset, Anomaly::XmlEntity, detail);
        }
    }

    /// Text up to the next `<`.
    fn text(&mut self, offset: u64) -> Result<(), Stop> {
        let mut kept = Vec::new();
        let (mut length, mut all_base64) = (0u64, true);
        while self.cursor.remaining() > 0 {
            let byte = self.cursor.byte()?;
            if byte == b'<' {
                self.cursor.seek(self.cursor.position().saturating_sub(1));
                break;
            }
            length = length.saturating_add(1);
            all_base64 &= is_base64(byte);
            if length.is_multiple_of(PAID_AT_ONCE) {
                self.pay(1)?;
            }
            if byte < 0x20 && !byte.is_ascii_whitespace() {
                self.control(offset);
            }
            if byte == b'&' {
                self.uses = self.uses.saturating_add(1);
            }
            if kept.len() < MAX_KEPT {
                kept.push(byte);
            }
        }
        let start = String::from_utf8_lossy(&kept).into_owned();
        self.show(&Run { offset, length, start, is_base64: all_base64 });
        Ok(())
    }

    fn control(&mut self, offset: u64) {
        if !self.has_controls {
            self.has_controls = true;
            self.facts.anomaly(offset, Anomaly::Malformed, "control characters, which no XML may have");
        }
    }

    fn show(&mut self, run: &Run) {
        if let Some(visitor) = self.visitor.as_mut().filter(|_| !run.start.trim_ascii().is_empty()) {
            visitor.text(run, &self.path, self.facts);
        }
    }

    /// `</name>`
    fn close(&mut self, offset: u64) -> Result<(), Stop> {
        let name = self.name()?;
        self.space()?;
        if self.cursor.byte()? != b'>' || self.open.last() != Some(&name) {
            self.cursor.seek(offset);
            let expected = self.open.last().map_or("nothing", String::as_str);
            let detail = format!("'{}' closes where '{}' is open", clip(&name), clip(expected));
            return Err(Stop::Malformed(detail));
        }
        self.leave();
        Ok(())
    }

    fn leave(&mut self) {
        self.open.pop();
        let name = self.path.pop().unwrap_or_default();
        if let Some(visitor) = self.visitor.as_mut() {
            visitor.end(&name, &self.path, self.facts);
        }
    }

    /// `<name attributes>` or `<name attributes/>`
    fn element(&mut self, offset: u64) -> Result<(), Stop> {
        let mut element = Element { name: self.name()?, offset, attributes: Vec::new() };
        let is_empty = loop {
            self.space()?;
            match self.cursor.byte()? {
                b'>' => break false,
                b'/' if self.cursor.byte()? == b'>' => break true,
                b'/' => return Err(Stop::Malformed("a slash within a tag".to_owned())),
                _ => {
                    self.cursor.seek(self.cursor.position().saturating_sub(1));
                    self.attribute(&mut element)?;
                }
            }
        };
        self.twice(&element);
        self.inclusion(&element);
        self.enter(element)?;
        if is_empty {
            self.leave();
        }
        Ok(())
    }

    fn enter(&mut self, element: Element) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Stop::Deep(format!("elements lie deeper than {MAX_DEPTH}")));
        }
        let visitor = self.visitor.get_or_insert_with(|| visitor_for(&element, self.file));
        visitor.start(&element, &self.path, self.facts);
        self.path.push(element.local().to_owned());
        self.open.push(element.name);
        Ok(())
    }

    /// An attribute that stands twice: readers that go on all the same differ in which one they take.
    fn twice(&mut self, element: &Element) {
        let mut sorted: Vec<&Attribute> = element.attributes.iter().collect();
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        let same = sorted.iter().zip(sorted.iter().skip(1)).find(|(one, other)| one.name == other.name);
        if let Some((_, second)) = same {
            let detail = format!("the attribute '{}' stands twice in one element", clip(&second.name));
            self.facts.anomaly(second.offset, Anomaly::DuplicateName, detail);
        }
    }

    /// XInclude puts other files into the document.
    fn inclusion(&mut self, element: &Element) {
        let declares = |attribute: &Attribute| {
            attribute.name.starts_with("xmlns")
                && attribute.value.contains("www.w3.org/")
                && attribute.value.ends_with("/XInclude")
        };
        self.has_inclusions |= element.attributes.iter().any(declares);
        if self.has_inclusions && element.local() == "include" {
            let target = element.attribute("href").unwrap_or_default();
            let is_model = self.visitor.as_ref().is_some_and(|visitor| visitor.is_model());
            if !is_model && !is_elsewhere(target) {
                return;
            }
            let detail = format!("a reader includes '{}'", clip(target));
            self.facts.anomaly(element.offset, Anomaly::XmlEntity, detail);
        }
    }

    fn attribute(&mut self, element: &mut Element) -> Result<(), Stop> {
        self.pay(1)?;
        let name = self.name()?;
        self.space()?;
        if self.cursor.byte()? != b'=' {
            return Err(Stop::Malformed(format!("the attribute '{}' has no value", clip(&name))));
        }
        self.space()?;
        let attribute = self.value(name)?;
        if element.attributes.len() >= MAX_ATTRIBUTES {
            return Err(Stop::Limit(format!("an element has more than {MAX_ATTRIBUTES} attributes")));
        }
        element.attributes.push(attribute);
        Ok(())
    }

    fn value(&mut self, name: String) -> Result<Attribute, Stop> {
        let quote = self.cursor.byte()?;
        if !matches!(quote, b'"' | b'\'') {
            return Err(Stop::Malformed(format!("the value of '{}' is not quoted", clip(&name))));
        }
        let offset = self.cursor.position();
        let mut kept = Vec::new();
        let (mut length, mut all_base64) = (0u64, true);
        loop {
            let byte = self.cursor.byte()?;
            if byte == quote {
                break;
            }
            length = length.saturating_add(1);
            all_base64 &= is_base64(byte);
            if length.is_multiple_of(PAID_AT_ONCE) {
                self.pay(1)?;
            }
            if byte == b'&' {
                self.uses = self.uses.saturating_add(1);
            }
            if kept.len() < MAX_KEPT {
                kept.push(byte);
            }
        }
        let value = unescape(&String::from_utf8_lossy(&kept));
        Ok(Attribute { name, value, offset, length, is_base64: all_base64 })
    }

    fn name(&mut self) -> Result<String, Stop> {
        let mut name = Vec::new();
        loop {
            let byte = self.cursor.byte()?;
            if byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'=' | b'<' | b'"' | b'\'') {
                self.cursor.seek(self.cursor.position().saturating_sub(1));
                break;
            }
            name.push(byte);
            if name.len() > MAX_NAME {
                return Err(Stop::Limit(format!("a name is longer than {MAX_NAME} bytes")));
            }
        }
        if name.is_empty() || name.first().is_some_and(u8::is_ascii_digit) {
            return Err(Stop::Malformed("a name is missing".to_owned()));
        }
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    fn space(&mut self) -> Result<(), Stop> {
        let mut count = 0u64;
        while self.cursor.byte()?.is_ascii_whitespace() {
            count = count.saturating_add(1);
            if count.is_multiple_of(PAID_AT_ONCE) {
                self.pay(1)?;
            }
        }
        self.cursor.seek(self.cursor.position().saturating_sub(1));
        Ok(())
    }
}

/// What looks like an attribute of an instruction.
fn pseudo_attribute(text: &str, name: &str) -> Option<String> {
    let (_, after) = text.split_once(name)?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(value, _)| value.to_owned())
}

fn clip(text: &str) -> String {
    shorten(text.chars().take(201).collect(), 200)
}

/// The local name of the outermost element, when it is among the first bytes.
pub(super) fn root_of(head: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("<?") {
            rest = after.split_once("?>")?.1;
        } else if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->")?.1;
        } else if let Some(after) = rest.strip_prefix("<!DOCTYPE") {
            let end = match (after.find('['), after.find('>')?) {
                (Some(open), end) if open < end => after.find("]>").map(|at| at.saturating_add(2))?,
                (_, end) => end.saturating_add(1),
            };
            rest = after.get(end..)?;
        } else {
            let after = rest.strip_prefix('<')?;
            let end = after.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))?;
            let name = after.get(..end).filter(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'))?;
            let tag = after.split('>').next().unwrap_or_default();
            return Some((local(name).to_owned(), tag.to_owned()));
        }
    }
}
