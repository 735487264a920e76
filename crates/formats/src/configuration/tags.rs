//! Tags of YAML that make a loader do something: objects of Python (PyYAML), of Java (SnakeYAML) and of Ruby (Psych),
//! and the tags of HyperPyYAML, which SpeechBrain's models are written in.

use super::Observer;
use super::found::{Found, external};
use crate::fact::{FactKind, Position, ReferenceKind, Standing};
use crate::facts::Facts;
use crate::json::{Event, Value};

/// What `!!` stands for.
const CORE: &str = "tag:yaml.org,2002:";
/// Tags of Python that build data.
const DATA: &[&str] =
    &["none", "bool", "str", "unicode", "bytes", "int", "long", "float", "complex", "list", "tuple", "dict"];
/// Tags of Python that import and call, or look up, what their end names.
const OBJECTS: &[&str] = &["object/apply:", "object/new:", "object:", "name:", "module:"];
/// Tags of HyperPyYAML that do.
const HYPER: &[&str] = &["!new:", "!name:", "!apply:", "!module:"];
/// Tags of JavaScript (`js-yaml` before its version 4) and of PHP that do.
const CODE: &[&str] = &["js/function", "php/object", "php/object-maybe"];
/// Tags that take in another file.
const INCLUDES: &[&str] = &["!include", "!include:", "!inc", "!import", "!file", "!load"];

#[derive(Debug, Default)]
struct Tags {
    found: Found,
}

pub(super) fn observer(_name: &str) -> Box<dyn Observer> {
    Box::new(Tags::default())
}

impl Observer for Tags {
    fn event(&mut self, _event: &Event<'_>, _facts: &mut Facts) {}

    fn tag(&mut self, tag: &str, event: &Event<'_>, facts: &mut Facts) {
        let offset = event.offset;
        let core = tag.strip_prefix(CORE);
        if let Some(python) = core.and_then(|core| core.strip_prefix("python/")) {
            return self.python(offset, python);
        }
        if let Some(path) = HYPER.iter().find_map(|prefix| tag.strip_prefix(prefix)) {
            return self.found.target(offset, path, tag);
        }
        if tag.starts_with("!ruby/") || core.is_some_and(|core| core.starts_with("ruby/")) {
            return self.foreign(offset, tag, "makes objects of Ruby");
        }
        if let Some(code) = CODE.iter().find(|code| core == Some(**code) || tag.strip_prefix('!') == Some(**code)) {
            let effect = if code.starts_with("js") { "makes a function of JavaScript" } else { "makes objects of PHP" };
            return self.foreign(offset, tag, effect);
        }
        if let Some(class) = core.filter(|core| is_java(core)) {
            return self.java(offset, class);
        }
        include(tag, event, facts);
    }

    fn finish(&mut self, facts: &mut Facts) {
        self.found.finish(facts);
    }
}

impl Tags {
    fn python(&mut self, offset: u64, tag: &str) {
        let shown = format!("!!python/{tag}");
        match OBJECTS.iter().find_map(|prefix| tag.strip_prefix(prefix)) {
            Some(path) => self.found.target(offset, path, &shown),
            None if DATA.contains(&tag) => {}
            None => self.found.judged(offset, tag, Standing::Unknown, &shown),
        }
    }

    fn java(&mut self, offset: u64, class: &str) {
        const GADGETS: &[&str] = &[
            "javax.script.",
            "java.net.",
            "java.lang.Process",
            "java.lang.Runtime",
            "com.sun.rowset.",
            "org.springframework.",
            "javax.management.",
            "com.mchange.",
            "org.apache.commons.configuration",
            "org.apache.xbean.",
            "javax.swing.",
        ];
        if GADGETS.iter().any(|gadget| class.starts_with(gadget)) {
            return self.foreign(offset, class, "makes objects of Java by which code is fetched and run");
        }
        self.found.judged(offset, class, Standing::Unknown, &format!("!!{class}"));
    }

    fn foreign(&mut self, offset: u64, tag: &str, effect: &str) {
        let standing = Standing::Dangerous { effect: effect.to_owned(), critical: false };
        self.found.judged(offset, tag, standing, tag);
    }
}

/// A class name of Java: packages in lower case, dots between them.
fn is_java(tag: &str) -> bool {
    ["java.", "javax.", "com.", "org.", "sun.", "net.", "io."].iter().any(|root| tag.starts_with(root))
}

/// `!include path`, or HyperPyYAML's `!include:path`.
fn include(tag: &str, event: &Event<'_>, facts: &mut Facts) {
    let given = tag.split_once(':').filter(|(name, _)| INCLUDES.contains(name)).map(|(_, path)| path);
    let path = match (given, event.value) {
        (Some(path), _) => path,
        (None, Value::Text(text)) if INCLUDES.contains(&tag) => text,
        _ => return,
    };
    if path.contains("://") {
        let (kind, target) = (ReferenceKind::Address, path.chars().take(200).collect());
        return facts.push(Position::Offset(event.offset), FactKind::Reference { kind, target });
    }
    // A file of the folder beside is a usual thing to take in.
    if path.starts_with(['/', '~', '\\']) || path.contains("../..") {
        external(event.offset, tag, path, facts);
    }
}
