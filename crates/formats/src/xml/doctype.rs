//! A document type declaration: what it makes a reader fetch or multiply.

use super::token::entity;

/// Characters of an entity above which repeating it makes a document grow.
const MAX_LITERAL: usize = 1000;
/// Declarations that are read.
const MAX_DECLARATIONS: usize = 10_000;

/// Definitions that are kept by standards bodies, and that readers know by heart.
const STANDARD: &[&str] = &["-//W3C//", "-//OASIS//", "-//Apple//", "-//Apple Computer//", "ISO ", "-//ISO"];

/// Hosts that publish definitions which many documents name by their address alone.
const PUBLISHERS: &[&str] = &[
    "checkstyle.org",
    "dtd.nlm.nih.gov",
    "glade.gnome.org",
    "java.sun.com",
    "maven.apache.org",
    "mybatis.org",
    "projects.coin-or.org",
    "us-vo.org",
    "gifti.projects.nitrc.org",
    "www.adobe.com",
    "www.apple.com",
    "www.coin-or.org",
    "www.docbook.org",
    "www.freedesktop.org",
    "www.hibernate.org",
    "www.ivoa.net",
    "www.macromedia.com",
    "www.ncbi.nlm.nih.gov",
    "www.nitrc.org",
    "www.oasis-open.org",
    "www.puppycrawl.com",
    "www.springframework.org",
    "www.w3.org",
];

/// What a declaration says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Doctype {
    /// The outermost element it is for.
    pub(super) root: String,
    /// What a reader of entities would do, a sentence each.
    pub(super) dangers: Vec<String>,
    /// A definition beside the document.
    pub(super) beside: Option<String>,
    /// An address of a definition that has a public name too, by which readers may know it.
    pub(super) published: Option<String>,
    /// Entities that stand for a few words, by their names.
    pub(super) harmless: Vec<String>,
    /// Whether there is more than is read.
    pub(super) is_cut: bool,
}

/// Reads what stands between `<!DOCTYPE` and its `>`.
pub(super) fn read(text: &str) -> Doctype {
    let mut rest = Words(text);
    let mut doctype = Doctype { root: rest.word().to_owned(), ..Doctype::default() };
    if let Some(external) = rest.external() {
        definition(&external, &mut doctype);
    }
    if let Some((_, subset)) = rest.0.split_once('[') {
        declarations(subset, &mut doctype);
    }
    doctype
}

/// Where an external thing is.
#[derive(Debug)]
struct External<'t> {
    public: Option<&'t str>,
    system: &'t str,
}

fn definition(external: &External<'_>, doctype: &mut Doctype) {
    let standard = external.public.is_some_and(|id| STANDARD.iter().any(|known| id.starts_with(known)));
    let web = ["http://", "https://"].iter().find_map(|start| external.system.strip_prefix(start));
    let publisher = web.and_then(|rest| rest.split('/').next()).is_some_and(|host| PUBLISHERS.contains(&host));
    if standard || publisher || external.system.is_empty() {
        return;
    }
    let is_address = web.is_some();
    if external.public.is_some() && is_address {
        doctype.published = Some(external.system.to_owned());
    } else if is_elsewhere(external.system) {
        let danger = format!("its document type definition is fetched from '{}'", external.system);
        doctype.dangers.push(danger);
    } else {
        doctype.beside = Some(external.system.to_owned());
    }
}

/// Whether an address leads out of the folder.
pub(super) fn is_elsewhere(address: &str) -> bool {
    let address = address.trim();
    address.contains(':')
        || address.starts_with(['/', '\\', '~'])
        || address.split(['/', '\\']).any(|part| part == "..")
}

fn declarations(subset: &str, doctype: &mut Doctype) {
    let mut rest = Words(subset);
    for _ in 0..MAX_DECLARATIONS {
        rest.0 = rest.0.trim_start();
        if let Some(after) = rest.0.strip_prefix("<!--") {
            rest.0 = after.split_once("-->").map_or("", |(_, behind)| behind);
        } else if let Some(after) = rest.0.strip_prefix("<!ENTITY") {
            rest.0 = after;
            declared(&mut rest, doctype);
            rest.past_end();
        } else if rest.0.starts_with('<') {
            rest.past_end();
        } else if rest.0.is_empty() || rest.0.starts_with(']') {
            return;
        } else {
            rest.0 = rest.0.split_once(|c: char| c.is_whitespace() || c == ';').map_or("", |(_, behind)| behind);
        }
    }
    doctype.is_cut = true;
}

/// One `<!ENTITY`, up to but not including its end.
fn declared(rest: &mut Words<'_>, doctype: &mut Doctype) {
    let mut name = rest.word();
    let is_parameter = name == "%";
    if is_parameter {
        name = rest.word();
    }
    let kind = if is_parameter { "parameter entity" } else { "entity" };
    if let Some(external) = rest.external() {
        let danger = format!("the {kind} '{name}' is fetched from '{}'", external.system);
        return doctype.dangers.push(danger);
    }
    let Some(value) = rest.quoted() else { return };
    if is_parameter {
        doctype.dangers.push(format!("the parameter entity '{name}' changes what is declared"));
    } else if refers(value) {
        doctype
            .dangers
            .push(format!("the entity '{name}' is made of other entities, so that each use multiplies them"));
    } else if value.len() > MAX_LITERAL {
        doctype.dangers.push(format!("the entity '{name}' stands for {} bytes, again at each use", value.len()));
    } else {
        doctype.harmless.push(name.to_owned());
    }
}

/// Whether a value refers to other entities, or spells a reference with characters that are read again.
fn refers(value: &str) -> bool {
    value.contains('%')
        || value.split('&').skip(1).any(|after| {
            let name = after.split(';').next().unwrap_or_default();
            entity(name).is_none_or(|character| matches!(character, '&' | '%') && name.starts_with('#'))
        })
}

/// Words and quoted text, one after the other.
struct Words<'t>(&'t str);

impl<'t> Words<'t> {
    fn word(&mut self) -> &'t str {
        let text = self.0.trim_start();
        let end = text.find(|c: char| c.is_whitespace() || matches!(c, '[' | '>' | '"' | '\'')).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        self.0 = rest;
        word
    }

    fn quoted(&mut self) -> Option<&'t str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, rest) = text.get(1..)?.split_once(quote)?;
        self.0 = rest;
        Some(value)
    }

    /// `SYSTEM "…"` or `PUBLIC "…" "…"`.
    fn external(&mut self) -> Option<External<'t>> {
        let text = self.0.trim_start();
        if let Some(rest) = text.strip_prefix("SYSTEM") {
            self.0 = rest;
            return Some(External { public: None, system: self.quoted().unwrap_or_default() });
        }
        self.0 = text.strip_prefix("PUBLIC")?;
        let public = self.quoted();
        Some(External { public, system: self.quoted().unwrap_or_default() })
    }

    /// Behind the next `>` that is not within quotes.
    fn past_end(&mut self) {
        let mut quote = None;
        for (index, character) in self.0.char_indices() {
            match (quote, character) {
                (None, '>') => {
                    self.0 = self.0.get(index.saturating_add(1)..).unwrap_or_default();
                    return;
                }
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), _) if open == character => quote = None,
                _ => {}
            }
        }
        self.0 = "";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dangers(text: &str) -> usize {
        read(text).dangers.len()
    }

    #[test]
    fn what_is_fetched_or_multiplied_is_a_danger() {
        assert_eq!(dangers(r#" a [<!ENTITY x SYSTEM "file:///etc/passwd">]"#), 1);
        assert_eq!(dangers(r#" a [<!ENTITY x PUBLIC "p" "http://203.0.113.7/">]"#), 1);
        assert_eq!(dangers(r#" a [<!ENTITY % x SYSTEM "http://203.0.113.7/a.dtd"> %x; ]"#), 1);
        assert_eq!(dangers(r#" a [<!-- > --><!ENTITY a "aaa"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]"#), 2);
        assert_eq!(dangers(r#" a [<!ENTITY x "&#38;y;">]"#), 1);
        assert_eq!(dangers(r#" a SYSTEM "https://203.0.113.7/a.dtd""#), 1);
        assert_eq!(dangers(&format!(r#" a [<!ENTITY x "{}">]"#, "x".repeat(MAX_LITERAL + 1))), 1);
    }

    #[test]
    fn ordinary_declarations_are_none() {
        let svg = r#" svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd""#;
        assert_eq!(read(svg), Doctype { root: "svg".into(), ..Doctype::default() });
        let drawn = read(r#" svg [ <!ENTITY ns "http://ns.example.org/"> <!ENTITY nbsp "&#160;"> ]"#);
        assert_eq!((drawn.dangers.len(), drawn.harmless.len()), (0, 2));
        assert_eq!(read(" a SYSTEM 'a.dtd'").beside.as_deref(), Some("a.dtd"));
        assert_eq!(read("html"), Doctype { root: "html".into(), ..Doctype::default() });
    }
}
