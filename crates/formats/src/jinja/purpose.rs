//! What a template is for: a conversation with a model, or pages, documents and files of another program.

use super::lexer::{Kind, Tag};
use super::lists;
use super::parser::Node;
use crate::fact::Reach;

/// Endings of what other programs make with templates.
const DOCUMENTS: &[&str] =
    &["adoc", "asciidoc", "css", "htm", "html", "js", "md", "rst", "svg", "tex", "tpl", "xml", "yaml", "yml"];
/// The same, before an ending that says that it is a template.
const SOURCES: &[&str] = &["c", "cfg", "cpp", "cu", "h", "ini", "py", "sh", "sql", "toml"];
/// Endings that say no more than that it is a template.
const TEMPLATES: &[&str] = &["j2", "jinja", "jinja2", "tmpl"];
/// Words that a conversation is made of; a template without any of them prepares no prompt.
const CONVERSATION: &[&str] =
    &["message", "bos_token", "eos_token", "add_generation_prompt", "conversation", "prompt", "tools", "<|"];

/// What a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Chat,
    /// Made of parts that lie beside it, and rendered by the program that it belongs to.
    Document,
}

impl Purpose {
    /// Told by a file's name, and where that says little, by its words.
    pub(super) fn of(name: &str, text: &str) -> Self {
        let mut parts = name.rsplit(['/', '\\']).map(str::to_ascii_lowercase);
        let file = parts.next().unwrap_or_default();
        let is_chat = |part: &String| part.contains("chat");
        let mut endings = file.rsplit('.');
        let (last, before) = (endings.next().unwrap_or_default(), endings.next().unwrap_or_default());
        let is_template = TEMPLATES.contains(&last);
        let is_document =
            DOCUMENTS.contains(&last) || is_template && (DOCUMENTS.contains(&before) || SOURCES.contains(&before));
        let is_silent = !CONVERSATION.iter().any(|word| text.contains(word));
        let is_of_chats = is_chat(&file) || parts.next().as_ref().is_some_and(is_chat);
        match !is_of_chats && (is_document || is_template && is_silent) {
            true => Self::Document,
            false => Self::Chat,
        }
    }

    /// Whether a tag that reads another template is how such templates are put together.
    pub(super) fn has_parts(self, tag: &Tag) -> bool {
        let first = tag.tokens.first().map(|token| &token.kind);
        self == Self::Document && !matches!(first, Some(Kind::Name(word)) if word == "debug")
    }

    /// Whether a name is the program's own, which gives its templates what they need.
    pub(super) fn excuses(self, node: &Node, reach: Reach) -> bool {
        self == Self::Document
            && match (node, reach) {
                (Node::Name(_), Reach::Host) => true,
                (Node::Name(name), Reach::Internals) => !lists::mentions_special(name),
                (Node::Filter(_, filter, _), Reach::Host) => filter == "pprint",
                _ => false,
            }
    }
}
