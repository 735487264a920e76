//! Classes of Java that a file names, and objects of theirs that it holds.
//!
//! Reading a serialised object makes an instance of every class it names and runs the classes' own readers: known chains of
//! such classes run a command. There is no list of all harmless classes, so what is neither known is said to be unknown.

use std::collections::BTreeMap;

use crate::child::Role;
use crate::fact::{Callable, FactKind, Gap, Position, Standing, Usage};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{Source, read_up_to};

/// Start of a stream: its mark and version.
const MAGIC: &[u8] = b"\xAC\xED\x00\x05";
/// How much of a stream is searched for classes.
const MAX_SEARCHED: u64 = 256 << 20;
/// How much is searched at once.
const CHUNK: usize = 256 << 10;
/// Bytes of a class's name.
const MAX_NAME: usize = 250;
/// Different classes that are listed.
const MAX_CLASSES: usize = 5000;
/// Mark of the description of a class.
const CLASS: u8 = 0x72;

/// Starts of names, what reading or making one does, and whether it is the greatest danger.
#[rustfmt::skip]
const DANGEROUS: &[(&str, &str, bool)] = &[
    ("java.lang.Runtime", "starts a program", true),
    ("java.lang.Process", "starts a program", true),
    ("java.lang.ClassLoader", "loads code", true),
    ("java.lang.System", "reaches the machine", false),
    ("java.lang.reflect.", "calls methods by their names", true),
    ("java.lang.invoke.", "calls methods by their names", true),
    ("java.net.URLClassLoader", "fetches and loads code", true),
    ("java.net.URL", "asks the network for a name", false),
    ("java.rmi.", "fetches and loads code", true),
    ("java.io.File", "reads or writes files", false),
    ("java.nio.file.Files", "reads or writes files", false),
    ("javax.naming.", "fetches and loads code", true),
    ("javax.script.", "evaluates text as code", true),
    ("javax.management.BadAttributeValueExpException", "starts a known chain to a command", true),
    ("javax.swing.event.EventListenerList", "starts a known chain to a command", true),
    ("com.sun.jndi.", "fetches and loads code", true),
    ("com.sun.rowset.", "fetches and loads code", true),
    ("com.sun.org.apache.xalan.", "loads code from the object itself", true),
    ("com.sun.org.apache.xpath.", "loads code from the object itself", true),
    ("com.sun.syndication.", "is part of a known chain to a command", true),
    ("com.rometools.rome.", "is part of a known chain to a command", true),
    ("com.mchange.v2.c3p0.", "fetches and loads code", true),
    ("com.vaadin.data.", "is part of a known chain to a command", true),
    ("com.alibaba.fastjson.", "is part of a known chain to a command", true),
    ("com.caucho.", "is part of a known chain to a command", true),
    ("org.apache.xalan.", "loads code from the object itself", true),
    ("org.apache.commons.collections.functors.", "calls methods by their names", true),
    ("org.apache.commons.collections.map.LazyMap", "is part of a known chain to a command", true),
    ("org.apache.commons.collections.keyvalue.TiedMapEntry", "is part of a known chain to a command", true),
    ("org.apache.commons.collections4.functors.", "calls methods by their names", true),
    ("org.apache.commons.collections4.comparators.TransformingComparator", "is part of a known chain to a command", true),
    ("org.apache.commons.beanutils.", "calls methods by their names", true),
    ("org.apache.commons.fileupload.", "writes files", true),
    ("org.apache.wicket.", "writes files", true),
    ("org.apache.click.", "is part of a known chain to a command", true),
    ("org.apache.myfaces.", "evaluates text as code", true),
    ("org.apache.logging.log4j.core.", "fetches and loads code", true),
    ("org.aspectj.weaver.", "writes files", true),
    ("org.codehaus.groovy.runtime.", "calls methods by their names", true),
    ("groovy.", "evaluates text as code", true),
    ("org.hibernate.", "calls methods by their names", true),
    ("org.jboss.", "is part of a known chain to a command", true),
    ("org.mozilla.javascript.", "evaluates text as code", true),
    ("org.python.", "evaluates text as code", true),
    ("org.springframework.", "is part of a known chain to a command", true),
    ("bsh.", "evaluates text as code", true),
    ("clojure.", "evaluates text as code", true),
    ("javassist.", "loads code", true),
    ("net.sf.json.", "calls methods by their names", true),
    ("sun.misc.Unsafe", "reaches the machine's memory", true),
    ("sun.reflect.annotation.AnnotationInvocationHandler", "starts a known chain to a command", true),
    ("sun.rmi.", "fetches and loads code", true),
    ("jdk.nashorn.", "evaluates text as code", true),
    ("jdk.jshell.", "evaluates text as code", true),
    ("ysoserial.", "is a tool for such chains", true),
];

/// Names, or starts of names that end in a dot, of classes that hold data.
#[rustfmt::skip]
const INERT: &[&str] = &[
    "java.lang.String", "java.lang.Integer", "java.lang.Long", "java.lang.Double", "java.lang.Float",
    "java.lang.Boolean", "java.lang.Byte", "java.lang.Short", "java.lang.Character", "java.lang.Number",
    "java.lang.Enum", "java.lang.Object", "java.math.", "java.util.ArrayList", "java.util.LinkedList",
    "java.util.Vector", "java.util.HashMap", "java.util.LinkedHashMap", "java.util.TreeMap", "java.util.HashSet",
    "java.util.LinkedHashSet", "java.util.TreeSet", "java.util.BitSet", "java.util.Date", "java.util.Random",
    "java.util.Arrays$ArrayList", "java.util.Collections$", "java.util.EnumMap", "java.util.IdentityHashMap",
    "java.util.Hashtable", "java.util.Properties", "java.util.Locale", "java.util.UUID", "java.util.AbstractList",
    "java.util.AbstractMap", "java.time.", "java.text.SimpleDateFormat", "java.text.DecimalFormat",
];

/// What is known of a class that a file makes a reader load.
#[must_use]
pub(crate) fn judge(class: &str) -> Standing {
    let class = class.trim_start_matches('[');
    let element = class.strip_prefix('L').and_then(|class| class.strip_suffix(';'));
    let class = element.unwrap_or(class);
    if let Some((_, effect, critical)) = DANGEROUS.iter().find(|(start, ..)| class.starts_with(start)) {
        return Standing::Dangerous { effect: (*effect).to_owned(), critical: *critical };
    }
    let is_listed = |known: &str| class == known || known.ends_with(['.', '$']) && class.starts_with(known);
    if class.len() == 1 || INERT.iter().any(|known| is_listed(known)) {
        return Standing::Inert { reason: "A class of Java's own that holds data.".into() };
    }
    Standing::Unknown
}

static META: Meta = Meta {
    id: "java-serialized",
    title: "serialised Java objects",
    extensions: &["ser"],
    depth: Depth::Surface,
    reads: "which classes a reader would load and make instances of",
    specification: "https://docs.oracle.com/en/java/javase/21/docs/specs/serialization/protocol.html",
};

/// The format.
#[derive(Debug)]
pub struct JavaSerialized;

impl Format for JavaSerialized {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        (probe.role != Role::Numbers && probe.starts_with(MAGIC)).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "Java");
        let mut classes = BTreeMap::new();
        let limit = search(source, context, &mut classes);
        facts.property("classes", classes.len().to_string());
        for (class, (offset, count)) in &classes {
            facts.push(Position::Offset(*offset), FactKind::Callable(callable(class, *count)));
        }
        if let Some(detail) = limit {
            facts.incomplete(0, Gap::Limit, detail);
        }
        if classes.is_empty() && source.len() > MAGIC.len() as u64 {
            facts.incomplete(0, Gap::Unsupported, "no class was found in these objects");
        }
    }
}

fn callable(class: &str, count: u64) -> Callable {
    let (module, name) = class.rsplit_once('.').unwrap_or(("", class));
    Callable {
        module: module.to_owned(),
        name: name.to_owned(),
        usage: Usage::Instantiate,
        standing: judge(class),
        expression: format!("new {class}"),
        count,
    }
}

/// Collects the classes that are described, with where the first description is; says which limit was met.
fn search(source: &dyn Source, context: &Context<'_>, classes: &mut BTreeMap<String, (u64, u64)>) -> Option<String> {
    let mut offset = MAGIC.len() as u64;
    while offset < source.len() {
        if offset > MAX_SEARCHED {
            return Some("there is more here than is searched for classes".to_owned());
        }
        if let Err(limit) = context.budget.operate(CHUNK as u64 / 64) {
            return Some(limit.to_string());
        }
        let chunk = read_up_to(source, offset, CHUNK.saturating_add(MAX_NAME).saturating_add(16));
        for (index, _) in chunk.iter().enumerate().take(CHUNK).filter(|(_, byte)| **byte == CLASS) {
            let Some(name) = described(chunk.get(index.saturating_add(1)..).unwrap_or_default()) else { continue };
            let known = classes.len();
            match classes.get_mut(name) {
                Some((_, count)) => *count = count.saturating_add(1),
                None if known < MAX_CLASSES => {
                    classes.insert(name.to_owned(), (offset.saturating_add(index as u64), 1));
                }
                None => return Some(format!("more than {MAX_CLASSES} classes")),
            }
        }
        offset = offset.saturating_add(CHUNK as u64);
    }
    None
}

/// A name with its length before it, and an identifier of eight bytes and flags that fit behind it.
fn described(rest: &[u8]) -> Option<&str> {
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (name, behind) = rest.split_at_checked(length).filter(|_| (2..=MAX_NAME).contains(&length))?;
    let flags = behind.get(8)?;
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'[' | b';');
    let starts = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'[');
    (starts && name.iter().all(fits) && *flags & 0xE0 == 0).then(|| std::str::from_utf8(name).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn object(classes: &[&str]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for class in classes {
            bytes.extend([0x73, CLASS]);
            bytes.extend((class.len() as u16).to_be_bytes());
            bytes.extend(class.as_bytes());
            bytes.extend([1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0x78, 0x70]);
        }
        bytes
    }

    fn standings(bytes: &[u8]) -> Vec<bool> {
        let facts = inspect(&JavaSerialized, "a.ser", bytes);
        let callables = facts.list().iter().filter_map(|fact| match &fact.kind {
            FactKind::Callable(callable) => Some(matches!(callable.standing, Standing::Dangerous { .. })),
            _ => None,
        });
        callables.collect()
    }

    #[test]
    fn known_chains_are_dangerous() {
        let bytes = object(&["java.util.HashMap", "org.apache.commons.collections.functors.InvokerTransformer"]);
        assert_eq!(standings(&bytes), [false, true]);
        assert!(oddities(&inspect(&JavaSerialized, "a.ser", &bytes)).is_empty());
    }

    #[test]
    fn data_are_inert_and_the_rest_unknown() {
        assert!(matches!(judge("[Ljava.lang.String;"), Standing::Inert { .. }));
        assert!(matches!(judge("[[D"), Standing::Inert { .. }));
        assert!(matches!(judge("weka.classifiers.trees.J48"), Standing::Unknown));
        assert!(matches!(judge("[Ljava.lang.ProcessBuilder;"), Standing::Dangerous { critical: true, .. }));
    }

    #[test]
    fn no_mutation_panics() {
        mutate(&object(&["java.util.HashMap"]), 2000, |bytes| drop(inspect(&JavaSerialized, "a.ser", &bytes)));
    }
}
