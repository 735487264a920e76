//! XGBoost: the same model as JSON, as UBJSON, and in the binary form of before 2.1.

use std::collections::BTreeMap;

use super::tree;
use crate::budget::Budget;
use crate::carried;
use crate::child::Child;
use crate::configuration::Observers;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, MAX_TEXT, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::json::{self, Event, Segment, Value, looks_like_json, path_text};
use crate::source::{ReadError, Source};
use crate::text::is_text;
use crate::ubjson;

/// Nodes of one tree that are followed.
const MAX_NODES: usize = 4 << 20;
/// Nodes of one tree that split on categories.
const MAX_CATEGORIES: usize = 1 << 20;
/// What a node without a parent, and a node that was pruned, has for an index.
const NONE: i64 = i32::MAX as i64;
/// Lists of a tree that have an item for each node.
const BY_NODE: &[&str] =
    &["left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left"];
/// Kinds of models.
const BOOSTERS: &[&str] = &["gbtree", "dart", "gblinear"];
/// Bytes of the parameters at the start of the binary form.
const PARAMETERS: u64 = 136;
/// Bytes of a name in the binary form.
const MAX_NAME: u64 = 256;

static META: Meta = Meta {
    id: "xgboost",
    title: "XGBoost model (JSON, UBJSON)",
    extensions: &["ubj"],
    depth: Depth::Full,
    reads: "parameters, attributes, feature names; every tree: lengths of its lists, children, parents, features",
    specification: "https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html",
};

/// The format.
#[derive(Debug)]
pub struct XgBoost;

impl Format for XgBoost {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let has = |text: &[u8]| probe.head.windows(text.len()).any(|bytes| bytes == text);
        // Lengths are bytes that no text has; templates begin with `{# a comment #}`.
        if is_ubjson(&probe.head) && (probe.extension() == "ubj" || !is_text(&probe.head)) {
            let certain = has(b"learner") || probe.extension() == "ubj";
            return Some(if certain { Certainty::Certain } else { Certainty::Possible });
        }
        if probe.extension() == "ubj" && probe.starts_with(b"[") {
            return Some(Certainty::Likely);
        }
        let learner = has(b"\"learner\"") && (has(b"\"gradient_booster\"") || has(b"\"attributes\""));
        (looks_like_json(&probe.head).is_some() && learner).then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "XGBoost");
        let mut reader = Reader::new(context.budget);
        let is_ubjson = Cursor::sparing(source, 0).take(2).is_ok_and(|head| is_ubjson(head) || head.starts_with(b"["));
        let end = if is_ubjson {
            // JSON is looked through for instructions to loaders by its own reader; this is the same in other bytes.
            let mut observers = Observers::new(context.name);
            let end = ubjson::walk(source, context.budget, facts, &mut |event| {
                reader.event(&event);
                if !matches!(event.value, Value::Number(_)) {
                    observers.event(&event, &mut reader.facts);
                }
            });
            observers.finish(&mut reader.facts);
            end
        } else {
            // The JSON reader goes over the same bytes, and says what is wrong with them.
            json::walk(source, 0, u64::MAX, context.budget, &mut |event| reader.event(&event));
            None
        };
        for fact in reader.facts.list() {
            facts.push(fact.position, fact.kind.clone());
        }
        if let Some(end) = end.filter(|end| *end < source.len()) {
            let rest = source.len().saturating_sub(end);
            facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the model"));
            let child = Child::stored(format!("trailing@{end}"), end, rest);
            facts.push(Position::Offset(end), FactKind::Child(child));
        }
    }
}

fn is_ubjson(head: &[u8]) -> bool {
    matches!(head, [b'{', b'L' | b'l' | b'I' | b'U' | b'i' | b'$' | b'#', ..])
}

/// What was read of the tree that is open.
#[derive(Default)]
struct Tree {
    children: Vec<u32>,
    lengths: BTreeMap<&'static str, u64>,
    /// The greatest index of a parent, of a feature and of a node with categories.
    parent: i64,
    feature: i64,
    nodes: Option<i64>,
    features: Option<i64>,
    categories: u64,
    /// Where the lists of categories start, and how long they are.
    segments: Vec<i64>,
    sizes: Vec<i64>,
    /// Numbers of one leaf, and the length of the longest list.
    leaf: u64,
    longest: u64,
    bad: Option<&'static str>,
    too_large: bool,
}

struct Reader<'b> {
    budget: &'b Budget,
    facts: Facts,
    tree: Tree,
    trees: u64,
    version: Vec<String>,
    announced: Option<u64>,
    groups: Groups,
}

/// Which output each tree belongs to.
#[derive(Default)]
struct Groups {
    /// How many trees it is said of.
    listed: Option<u64>,
    least: i64,
    greatest: i64,
    classes: Option<i64>,
    targets: Option<i64>,
}

impl Groups {
    fn event(&mut self, event: &Event<'_>) {
        let outer = event.path.len().checked_sub(2).and_then(|at| event.key_at(at));
        match (event.key(), outer, event.value) {
            (Some("tree_info"), _, Value::ArrayEnd(count)) => self.listed = Some(count),
            (None, Some("tree_info"), Value::Number(text)) => {
                let group = text.parse().unwrap_or(i64::MAX);
                self.least = self.least.min(group);
                self.greatest = self.greatest.max(group);
            }
            (Some("num_class"), Some("learner_model_param"), Value::Text(text) | Value::Number(text)) => {
                self.classes = text.parse().ok();
            }
            (Some("num_target"), Some("learner_model_param"), Value::Text(text) | Value::Number(text)) => {
                self.targets = text.parse().ok();
            }
            _ => {}
        }
    }

    /// What is wrong for so many trees.
    fn fault(&self, trees: u64) -> Option<(Anomaly, String)> {
        if let Some(listed) = self.listed.filter(|listed| *listed != trees) {
            return Some((Anomaly::SizeMismatch, format!("'tree_info' has {listed} items for {trees} trees")));
        }
        let count = |number: Option<i64>| number.unwrap_or(1).max(1);
        let outputs = count(self.classes).saturating_mul(count(self.targets));
        let known = self.classes.is_some();
        let wrong = if self.least < 0 { self.least } else { self.greatest };
        (self.least < 0 || known && self.greatest >= outputs)
            .then(|| (Anomaly::OutOfBounds, format!("a tree belongs to output {wrong} of {outputs}")))
    }
}

impl<'b> Reader<'b> {
    fn new(budget: &'b Budget) -> Self {
        let (tree, groups) = (Tree::default(), Groups::default());
        Self { budget, facts: Facts::new(), tree, trees: 0, version: Vec::new(), announced: None, groups }
    }

    fn event(&mut self, event: &Event<'_>) {
        let depth = event.path.iter().rposition(|segment| segment.key() == Some("trees"));
        match depth {
            Some(at) => self.in_trees(event, event.path.get(at.saturating_add(1)..).unwrap_or_default()),
            None => {
                self.groups.event(event);
                self.describe(event);
            }
        }
    }

    fn describe(&mut self, event: &Event<'_>) {
        let text = match event.value {
            Value::Text(text) | Value::Number(text) => text,
            Value::ObjectEnd(_) if event.path.is_empty() => return self.finish(event.offset),
            _ => return,
        };
        match (event.key_at(0), event.key_at(1), event.key()) {
            (Some("version"), ..) if self.version.len() < 3 => self.version.push(text.chars().take(20).collect()),
            (_, Some("gradient_booster"), Some("name")) => {
                self.facts.property("booster", text);
                if !BOOSTERS.contains(&text) && event.path.len() == 3 {
                    let detail = format!("the booster '{}' is none that is known here", shorten(text.to_owned(), 50));
                    self.facts.incomplete(event.offset, Gap::Unsupported, detail);
                }
            }
            (_, Some("objective"), Some("name")) => self.facts.property("objective", text),
            (_, Some("gradient_booster"), Some("num_trees")) => self.announced = text.parse().ok(),
            (_, Some("attributes" | "feature_names" | "learner_model_param"), _) => {
                let (key, value) = (path_text(event.path), shorten(text.to_owned(), MAX_TEXT));
                self.facts.push(Position::Offset(event.offset), FactKind::Metadata { key, value });
            }
            // Anything else that is no number: programs do not belong into a model of trees.
            _ => self.description(event, text),
        }
    }

    fn description(&mut self, event: &Event<'_>, text: &str) {
        if let (Value::Text(_), Some(program)) = (event.value, carried::judge(text, self.budget)) {
            let detail = format!("'{}' holds {program}", shorten(path_text(event.path), 100));
            self.facts.anomaly(event.offset, Anomaly::HiddenContent, detail);
        }
    }

    fn in_trees(&mut self, event: &Event<'_>, path: &[Segment]) {
        match (path, event.value) {
            ([_], Value::Object) => self.tree = Tree::default(),
            ([_], Value::ObjectEnd(_)) => self.close(event.offset),
            ([_, Segment::Key(list)], Value::ArrayEnd(count)) => self.tree.ended(list, count),
            ([_, Segment::Key(group), Segment::Key(name)], Value::Text(text) | Value::Number(text))
                if group == "tree_param" =>
            {
                match name.as_str() {
                    "num_nodes" => self.tree.nodes = text.parse().ok(),
                    "num_feature" => self.tree.features = text.parse().ok(),
                    "size_leaf_vector" => self.tree.leaf = text.parse().unwrap_or(u64::MAX),
                    _ => {}
                }
            }
            ([_, Segment::Key(list), _], Value::Number(text)) => self.tree.item(list, text),
            _ => {}
        }
    }

    fn close(&mut self, at: u64) {
        let tree = std::mem::take(&mut self.tree);
        let number = self.trees;
        self.trees = number.saturating_add(1);
        if let Err(error) = self.budget.operate(tree.children.len() as u64) {
            return self.facts.incomplete(at, Gap::Limit, error.to_string());
        }
        if tree.too_large {
            let detail = format!("tree {number} has more than {MAX_NODES} children");
            return self.facts.incomplete(at, Gap::Limit, detail);
        }
        if let Some((anomaly, why)) = tree.fault() {
            self.facts.anomaly(at, anomaly, format!("tree {number}: {why}"));
        }
    }

    fn finish(&mut self, at: u64) {
        self.facts.property("version", self.version.join("."));
        self.facts.property("trees", self.trees.to_string());
        if let Some(announced) = self.announced.filter(|announced| *announced != self.trees) {
            let detail = format!("{announced} trees are announced, and {} are there", self.trees);
            self.facts.anomaly(at, Anomaly::SizeMismatch, detail);
        }
        if let Some((anomaly, detail)) = self.groups.fault(self.trees) {
            self.facts.anomaly(at, anomaly, detail);
        }
    }
}

impl Tree {
    fn ended(&mut self, list: &str, count: u64) {
        self.longest = self.longest.max(count);
        if let Some(known) = BY_NODE.iter().find(|known| **known == list) {
            self.lengths.insert(known, count);
        }
        if list == "categories" {
            self.categories = count;
        }
    }

    fn item(&mut self, list: &str, text: &str) {
        let Some(value) = text.parse::<i64>().ok() else { return };
        match list {
            "left_children" | "right_children" if value >= 0 => {
                let child = u32::try_from(value).unwrap_or(u32::MAX);
                self.too_large |= self.children.len() >= MAX_NODES;
                if !self.too_large {
                    self.children.push(child);
                }
            }
            "left_children" | "right_children" if value < -1 => self.bad = Some("a child has a negative index"),
            "parents" if value != NONE => self.parent = self.parent.max(value),
            "split_indices" if value < 0 => self.bad = Some("a feature has a negative index"),
            "split_indices" if value != NONE => self.feature = self.feature.max(value),
            "categories_segments" if self.segments.len() < MAX_CATEGORIES => self.segments.push(value),
            "categories_sizes" if self.sizes.len() < MAX_CATEGORIES => self.sizes.push(value),
            _ => {}
        }
    }

    fn fault(&self) -> Option<(Anomaly, String)> {
        let count = self.lengths.values().copied().max().unwrap_or(0);
        let nodes = self.nodes.and_then(|nodes| u64::try_from(nodes).ok()).unwrap_or(count);
        if let Some((list, length)) = self.lengths.iter().find(|(_, length)| **length != nodes) {
            return Some((Anomaly::SizeMismatch, format!("'{list}' has {length} items for {nodes} nodes")));
        }
        if self.leaf > self.longest.max(1) {
            return Some((Anomaly::SizeMismatch, format!("a leaf has {} numbers, which no list has", self.leaf)));
        }
        let nodes = i64::try_from(nodes).unwrap_or(i64::MAX);
        if let Some(bad) = self.bad {
            return Some((Anomaly::OutOfBounds, bad.to_owned()));
        }
        if self.parent >= nodes.max(1) {
            return Some((Anomaly::OutOfBounds, format!("a node has the parent {} of {nodes}", self.parent)));
        }
        if let Some(features) = self.features.filter(|features| *features > 0 && self.feature >= *features) {
            let detail = format!("a node splits on feature {} of {features}", self.feature);
            return Some((Anomaly::OutOfBounds, detail));
        }
        let categories = i64::try_from(self.categories).unwrap_or(i64::MAX);
        let outside = |(start, size): (&i64, &i64)| *start < 0 || *size < 0 || start.saturating_add(*size) > categories;
        if self.segments.iter().zip(&self.sizes).any(outside) {
            return Some((Anomaly::OutOfBounds, "a list of categories lies outside the categories".to_owned()));
        }
        tree::fault(&self.children, usize::try_from(nodes).unwrap_or(0)).map(|why| (Anomaly::OutOfBounds, why))
    }
}

static BINARY: Meta = Meta {
    id: "xgboost-binary",
    title: "XGBoost model (binary, deprecated)",
    extensions: &["bst", "xgb"],
    depth: Depth::Surface,
    reads: "parameters, objective and booster; not the trees",
    specification: "https://xgboost.readthedocs.io/en/release_2.0.0/tutorials/saving_model.html",
};

/// The binary form, which XGBoost no longer writes and from 3.1 on no longer reads.
#[derive(Debug)]
pub struct XgBoostBinary;

impl Format for XgBoostBinary {
    fn meta(&self) -> &'static Meta {
        &BINARY
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        if probe.starts_with(b"binf") {
            return Some(Certainty::Certain);
        }
        let objective = probe.head.get(136..144).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)?;
        let known = [&b"reg:"[..], b"binary:", b"multi:", b"rank:", b"count:", b"survival:"];
        let name = probe.head.get(144..)?;
        let fits = objective < MAX_NAME && known.iter().any(|start| name.starts_with(start));
        fits.then_some(Certainty::Likely)
    }

    fn inspect(&self, source: &dyn Source, _context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "XGBoost");
        if let Err(error) = names(source, facts) {
            return facts.anomaly(0, Anomaly::Malformed, format!("the parameters cannot be read: {error}"));
        }
        let detail = "the trees of the old binary form are not read: save the model as JSON or UBJSON";
        facts.incomplete(PARAMETERS, Gap::Unsupported, detail);
    }
}

fn names(source: &dyn Source, facts: &mut Facts) -> Result<(), ReadError> {
    let mut cursor = Cursor::sparing(source, 0);
    if cursor.take(4)? != b"binf" {
        cursor.seek(0);
    }
    cursor.skip(PARAMETERS)?;
    for property in ["objective", "booster"] {
        let length = cursor.u64()?;
        if length > MAX_NAME {
            let detail = format!("the name of the {property} is said to have {length} bytes");
            facts.anomaly(cursor.position(), Anomaly::AllocationBomb, detail);
            return Ok(());
        }
        let name = cursor.take(usize::try_from(length).unwrap_or(0))?;
        facts.property(property, String::from_utf8_lossy(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn model(left: &str, feature: &str, nodes: &str) -> String {
        format!(
            "{{\"learner\":{{\"attributes\":{{}},\"gradient_booster\":{{\"model\":{{\"gbtree_model_param\":{{\
             \"num_trees\":\"1\"}},\"trees\":[{{\"left_children\":{left},\"right_children\":[2,-1,-1],\"parents\":\
             [2147483647,0,0],\"split_indices\":[{feature},0,0],\"tree_param\":{{\"num_nodes\":\"{nodes}\",\
             \"num_feature\":\"4\"}}}}]}},\"name\":\"gbtree\"}}}},\"version\":[3,0,0]}}"
        )
    }

    fn odd(text: &str) -> Vec<String> {
        let said = oddities(&inspect(&XgBoost, "model.json", text.as_bytes()));
        said.iter().filter_map(|line| line.split('@').next().map(str::to_owned)).collect()
    }

    #[test]
    fn trees_are_held_against_their_lists() {
        assert_eq!(odd(&model("[1,-1,-1]", "3", "3")), Vec::<String>::new());
        assert_eq!(odd(&model("[7,-1,-1]", "3", "3")), ["OutOfBounds"]);
        assert_eq!(odd(&model("[-9,-1,-1]", "3", "3")), ["OutOfBounds"]);
        assert_eq!(odd(&model("[0,-1,-1]", "3", "3")), ["OutOfBounds"]);
        assert_eq!(odd(&model("[1,-1,-1]", "4", "3")), ["OutOfBounds"]);
        assert_eq!(odd(&model("[1,-1,-1]", "3", "9")), ["SizeMismatch"]);
        assert_eq!(odd(&model("[1,-1]", "3", "3")), ["SizeMismatch"]);
    }

    #[test]
    fn outputs_and_leaves_are_held_against_the_trees() {
        let plain = model("[1,-1,-1]", "3", "3");
        let info = |info: &str| odd(&plain.replace("\"trees\"", &format!("\"tree_info\":{info},\"trees\"")));
        assert_eq!(info("[0]"), Vec::<String>::new());
        assert_eq!(info("[]"), ["SizeMismatch"]);
        assert_eq!(info("[-9]"), ["OutOfBounds"]);
        let leaf = plain.replace("\"num_nodes\"", "\"size_leaf_vector\":\"99999999\",\"num_nodes\"");
        assert_eq!(odd(&leaf), ["SizeMismatch"]);
        assert_eq!(odd(&plain.replace("gbtree\"}", "odd\"}")), ["Unsupported"]);
    }

    #[test]
    fn instructions_and_depth_are_told_in_ubjson() {
        let instruction = b"{i\x07learner{i\x0bpy/functionSi\x09os.system}}";
        let facts = inspect(&XgBoost, "model.ubj", instruction);
        assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Callable(_))));
        let deep = vec![b'['; 100_000];
        let probe = Probe::new(&deep, "model.ubj", crate::child::Role::Unknown);
        assert_eq!(XgBoost.recognise(&probe), Some(Certainty::Likely));
        assert_eq!(oddities(&inspect(&XgBoost, "model.ubj", &deep)).len(), 1);
        let recognise = |bytes: &[u8], name| XgBoost.recognise(&Probe::new(&bytes, name, crate::child::Role::Unknown));
        assert_eq!(recognise(instruction, "model.bin"), Some(Certainty::Certain));
        for template in [&b"{# a comment #}\n<html>"[..], b"{#-\nlonger\n-#}", b"{l2tp}\n"] {
            assert_eq!(recognise(template, "layout.html"), None);
        }
    }

    #[test]
    fn the_binary_form_is_only_told() {
        let mut bytes = b"binf".to_vec();
        bytes.extend([0; 136]);
        bytes.extend([15, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(b"binary:logistic");
        bytes.extend([6, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(b"gbtree");
        let facts = inspect(&XgBoostBinary, "model.bst", &bytes);
        assert_eq!(facts.find_property("objective"), Some("binary:logistic"));
        assert_eq!(oddities(&facts), ["Unsupported@136"]);
    }

    #[test]
    fn corrupted_models_do_not_panic() {
        mutate(model("[1,-1,-1]", "3", "3").as_bytes(), 2000, |bytes| {
            inspect(&XgBoost, "model.json", &bytes);
            inspect(&XgBoostBinary, "model.bst", &bytes);
        });
    }
}
