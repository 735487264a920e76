//! LightGBM's text: a header, trees as lists of numbers, and the parameters they were trained with.

use std::collections::BTreeMap;

use super::tree;
use crate::child::Child;
use crate::cursor::Cursor;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, shorten};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::source::{ReadError, Source};

/// Bytes of one line: a list with an item for each leaf of one tree, or the place of each tree.
const MAX_LINE: usize = 8 << 20;
/// Leaves of one tree; the library's own limit is 131072.
const MAX_LEAVES: usize = 1 << 20;
/// Outputs of one model.
const MAX_CLASSES: u64 = 1 << 20;
/// Characters of a value that are kept.
const MAX_VALUE: usize = 300;

static META: Meta = Meta {
    id: "lightgbm",
    title: "LightGBM model",
    // `model.txt` is what everybody calls it.
    extensions: &["lgb", "lgbm", "txt"],
    depth: Depth::Full,
    reads: "header, every tree: lengths of its lists, children, features and categories; parameters",
    specification: "https://lightgbm.readthedocs.io/en/latest/C-API.html#c.LGBM_BoosterSaveModel",
};

/// The format.
#[derive(Debug)]
pub struct LightGbm;

impl Format for LightGbm {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let start = probe.starts_with(b"tree\nversion=") || probe.starts_with(b"tree\r\nversion=");
        start.then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "LightGBM");
        let mut reader = Reader::new(facts);
        let mut cursor = Cursor::new(source, 0);
        while cursor.remaining() > 0 && !reader.over {
            let at = cursor.position();
            let line = match line(&mut cursor) {
                Ok(line) => line,
                Err(why) => return reader.facts.incomplete(at, Gap::Limit, why),
            };
            if let Err(error) = context.budget.operate((line.len() as u64 / 2).max(1)) {
                return reader.facts.incomplete(at, Gap::Limit, error.to_string());
            }
            reader.line(at, line.trim_end());
        }
        reader.close();
        if reader.over {
            tail(source, cursor.position(), reader.facts);
        }
        let (announced, trees) = (reader.places.len(), reader.trees);
        reader.facts.property("trees", trees.to_string());
        if announced > 0 && announced as u64 != trees {
            let detail = format!("{announced} trees are announced, and {trees} are there");
            reader.facts.anomaly(0, Anomaly::SizeMismatch, detail);
        }
        let classes = reader.classes;
        if classes > MAX_CLASSES || trees > 0 && classes > trees {
            let detail = format!("{classes} outputs are announced for {trees} trees");
            reader.facts.anomaly(0, Anomaly::AllocationBomb, detail);
        }
    }
}

/// The next line; the last may lack its end.
fn line(cursor: &mut Cursor<'_>) -> Result<String, String> {
    match cursor.line(MAX_LINE) {
        Ok(bytes) => return Ok(String::from_utf8_lossy(bytes).into_owned()),
        Err(ReadError::Refused(why)) => return Err(why),
        Err(_) => {}
    }
    let rest = usize::try_from(cursor.remaining()).unwrap_or(usize::MAX);
    if rest > MAX_LINE {
        return Err(format!("a line is longer than {MAX_LINE} bytes"));
    }
    let bytes = cursor.take(rest).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The part of the file that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    Tree,
    Importances,
    Parameters,
    Behind,
}

/// Lists of the tree that is open.
#[derive(Default)]
struct Tree {
    at: u64,
    numbers: BTreeMap<String, u64>,
    lengths: BTreeMap<String, u64>,
    left: Vec<i64>,
    right: Vec<i64>,
    features: Option<(i64, i64)>,
    boundaries: Vec<i64>,
}

struct Reader<'f> {
    facts: &'f mut Facts,
    part: Part,
    tree: Option<Tree>,
    trees: u64,
    /// Sizes of the trees, by which the reader finds them.
    places: Vec<u64>,
    expected: Option<u64>,
    last_feature: i64,
    /// Outputs, and trees that come of one round of training.
    classes: u64,
    over: bool,
}

impl<'f> Reader<'f> {
    fn new(facts: &'f mut Facts) -> Self {
        Self {
            facts,
            part: Part::Header,
            tree: None,
            trees: 0,
            places: Vec::new(),
            expected: None,
            last_feature: i64::MAX,
            classes: 0,
            over: false,
        }
    }
}

impl Reader<'_> {
    fn line(&mut self, at: u64, line: &str) {
        match line {
            "end of trees" => {
                self.close();
                if let Some(due) = self.expected.filter(|due| *due > at) {
                    let detail = format!("by its size in the header, the last tree ends at {due}, not before {at}");
                    self.facts.anomaly(at, Anomaly::OutOfBounds, detail);
                }
                self.part = Part::Importances;
            }
            "parameters:" => self.part = Part::Parameters,
            "end of parameters" => self.part = Part::Behind,
            _ if line.starts_with("pandas_categorical:") => {
                self.over = true;
                self.metadata(at, "pandas_categorical", line.split_once(':').map_or("", |(_, value)| value));
            }
            _ => self.within(at, line),
        }
    }

    fn within(&mut self, at: u64, line: &str) {
        let pair = line.split_once('=');
        match (self.part, pair) {
            (Part::Header | Part::Tree, Some(("Tree", number))) => self.open(at, number),
            (Part::Header, Some((key, value))) => self.header(at, key, value),
            (Part::Tree, Some((key, value))) => {
                if let Some(tree) = self.tree.as_mut() {
                    tree.list(key, value);
                }
                if value.contains('(') {
                    self.metadata(at, key, value);
                }
            }
            (Part::Importances, _) if line == "feature_importances:" => {}
            (Part::Parameters, _) => {
                let pair = line.trim_matches(['[', ']']).split_once(": ");
                if let Some((key, value)) = pair.filter(|(_, value)| !value.is_empty()) {
                    self.metadata(at, key, value);
                }
            }
            (Part::Behind, _) if !line.is_empty() => {
                let detail = "a line follows the end of the parameters that no reader knows";
                self.facts.anomaly(at, Anomaly::TrailingBytes, detail);
                self.over = true;
            }
            _ => {}
        }
    }

    fn metadata(&mut self, at: u64, key: &str, value: &str) {
        let value = shorten(value.chars().take(MAX_VALUE.saturating_add(1)).collect(), MAX_VALUE);
        self.facts.push(
            Position::Offset(at),
            FactKind::Metadata { key: shorten(key.chars().take(101).collect(), 100), value },
        );
    }

    fn header(&mut self, at: u64, key: &str, value: &str) {
        match key {
            "version" | "objective" => self.facts.property(key.to_owned(), value),
            "num_class" | "num_tree_per_iteration" => {
                self.classes = self.classes.max(value.parse().unwrap_or(u64::MAX));
                self.metadata(at, key, value);
            }
            "max_feature_idx" => self.last_feature = value.parse().unwrap_or(i64::MAX),
            "tree_sizes" => {
                self.places = value.split_ascii_whitespace().filter_map(|size| size.parse().ok()).collect();
            }
            "feature_names" | "feature_infos" => {
                let count = value.split_ascii_whitespace().count() as u64;
                let wanted = u64::try_from(self.last_feature.saturating_add(1)).unwrap_or(0);
                if self.last_feature != i64::MAX && count != wanted {
                    let detail = format!("'{key}' has {count} items for {wanted} features");
                    self.facts.anomaly(at, Anomaly::SizeMismatch, detail);
                }
                self.metadata(at, key, value);
            }
            _ => self.metadata(at, key, value),
        }
    }

    fn open(&mut self, at: u64, number: &str) {
        self.close();
        if number.parse::<u64>() != Ok(self.trees) {
            let detail = format!("tree '{}' stands where tree {} is due", shorten(number.to_owned(), 20), self.trees);
            self.facts.anomaly(at, Anomaly::Malformed, detail);
        }
        let index = usize::try_from(self.trees).unwrap_or(usize::MAX);
        let due = self.expected.unwrap_or(at);
        // The reader jumps by the sizes, and people read line by line: both must see the same trees.
        if let Some(size) = self.places.get(index).copied() {
            if due != at {
                let detail = format!("by its sizes, the header has tree {} at {due}, and it is at {at}", self.trees);
                self.facts.anomaly(at, Anomaly::ReaderDisagreement, detail);
            }
            self.expected = Some(at.saturating_add(size));
        }
        self.trees = self.trees.saturating_add(1);
        self.part = Part::Tree;
        self.tree = Some(Tree { at, ..Tree::default() });
    }

    fn close(&mut self) {
        let Some(tree) = self.tree.take() else { return };
        if let Some((anomaly, why)) = tree.fault(self.last_feature) {
            let detail = format!("tree {}: {why}", self.trees.saturating_sub(1));
            self.facts.anomaly(tree.at, anomaly, detail);
        }
    }
}

fn integers(value: &str) -> Vec<i64> {
    value.split_ascii_whitespace().take(MAX_LEAVES).map(|item| item.parse().unwrap_or(i64::MAX)).collect()
}

impl Tree {
    fn list(&mut self, key: &str, value: &str) {
        match key {
            "num_leaves" | "num_cat" => {
                self.numbers.insert(key.to_owned(), value.parse().unwrap_or(u64::MAX));
                return;
            }
            "left_child" => self.left = integers(value),
            "right_child" => self.right = integers(value),
            "cat_boundaries" => self.boundaries = integers(value),
            "split_feature" => {
                let list = integers(value);
                self.features = list.iter().min().copied().zip(list.iter().max().copied());
            }
            _ => {}
        }
        if self.lengths.len() < 64 {
            self.lengths.insert(key.to_owned(), value.split_ascii_whitespace().count() as u64);
        }
    }

    fn fault(&self, last_feature: i64) -> Option<(Anomaly, String)> {
        let number = |key: &str| self.numbers.get(key).copied();
        let length = |key: &str| self.lengths.get(key).copied().unwrap_or(0);
        let leaves = number("num_leaves").unwrap_or(0);
        if leaves == 0 || leaves > MAX_LEAVES as u64 {
            let detail = format!("it is said to have {leaves} leaves");
            return Some((Anomaly::AllocationBomb, detail));
        }
        let inner = leaves.saturating_sub(1);
        let lists = [("split_feature", inner), ("threshold", inner), ("decision_type", inner), ("left_child", inner)];
        for (key, wanted) in lists.into_iter().chain([("right_child", inner), ("leaf_value", leaves)]) {
            if length(key) != wanted && !(leaves == 1 && length(key) <= 1) {
                let detail = format!("'{key}' has {} items for {leaves} leaves", length(key));
                return Some((Anomaly::SizeMismatch, detail));
            }
        }
        if let Some((least, most)) = self.features.filter(|(least, most)| *least < 0 || *most > last_feature) {
            let detail = format!("it splits on features {least} to {most}, of which the last is {last_feature}");
            return Some((Anomaly::OutOfBounds, detail));
        }
        if leaves > 1
            && let Some(why) = self.shape(leaves, inner)
        {
            return Some((Anomaly::OutOfBounds, why));
        }
        self.categories(number("num_cat").unwrap_or(0), length("cat_threshold"))
    }

    /// Inner nodes are numbered from 0 up, leaves from -1 down.
    fn shape(&self, leaves: u64, inner: u64) -> Option<String> {
        let mut nodes = Vec::new();
        for &child in self.left.iter().chain(&self.right) {
            let leaf = u64::try_from(child.saturating_add(1).saturating_neg());
            match (u32::try_from(child), leaf) {
                (Ok(node), _) => nodes.push(node),
                (_, Ok(leaf)) if leaf < leaves => {}
                _ => return Some(format!("a node leads to {child}, of {inner} nodes and {leaves} leaves")),
            }
        }
        tree::fault(&nodes, usize::try_from(inner).unwrap_or(0))
    }

    fn categories(&self, count: u64, words: u64) -> Option<(Anomaly, String)> {
        if count == 0 {
            return None;
        }
        if self.boundaries.len() as u64 != count.saturating_add(1) {
            let detail = format!("'cat_boundaries' has {} items for {count} splits", self.boundaries.len());
            return Some((Anomaly::SizeMismatch, detail));
        }
        let rising = self.boundaries.is_sorted() && self.boundaries.first().is_some_and(|first| *first >= 0);
        let last = self.boundaries.last().and_then(|last| u64::try_from(*last).ok());
        let fits = rising && last.is_some_and(|last| last <= words);
        (!fits).then(|| (Anomaly::OutOfBounds, "a list of categories lies outside the categories".to_owned()))
    }
}

fn tail(source: &dyn Source, at: u64, facts: &mut Facts) {
    let rest = source.len().saturating_sub(at);
    let glance = crate::source::read_up_to(source, at, 64);
    if rest == 0 || (rest <= 64 && glance.trim_ascii().is_empty()) {
        return;
    }
    facts.anomaly(at, Anomaly::TrailingBytes, format!("{rest} bytes follow the model"));
    facts.push(Position::Offset(at), FactKind::Child(Child::stored(format!("trailing@{at}"), at, rest)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};

    fn model(left: &str, features: &str, leaves: &str) -> String {
        let tree = format!(
            "Tree=0\nnum_leaves={leaves}\nnum_cat=0\nsplit_feature={features}\nthreshold=1 2\ndecision_type=2 2\n\
             left_child={left}\nright_child=-2 -3\nleaf_value=1 2 3\nshrinkage=1\n\n\n"
        );
        format!(
            "tree\nversion=v4\nmax_feature_idx=1\nfeature_names=a b\ntree_sizes={}\n\n{tree}end of trees\n\n\
             feature_importances:\na=1\n\nparameters:\n[objective: binary]\nend of parameters\n\n\
             pandas_categorical:null\n",
            tree.len()
        )
    }

    fn odd(text: &str) -> Vec<String> {
        let said = oddities(&inspect(&LightGbm, "model.txt", text.as_bytes()));
        said.iter().filter_map(|line| line.split('@').next().map(str::to_owned)).collect()
    }

    #[test]
    fn trees_are_held_against_their_lists() {
        assert_eq!(odd(&model("1 -1", "0 1", "3")), Vec::<String>::new());
        assert_eq!(odd(&model("0 -1", "0 1", "3")), ["OutOfBounds"]);
        assert_eq!(odd(&model("9 -1", "0 1", "3")), ["OutOfBounds"]);
        assert_eq!(odd(&model("1 -9", "0 1", "3")), ["OutOfBounds"]);
        assert_eq!(odd(&model("1 -1", "0 7", "3")), ["OutOfBounds"]);
        assert_eq!(odd(&model("1 -1", "0 1", "5")), ["SizeMismatch"]);
        assert_eq!(odd(&model("1 -1", "0 1", "4000000000")), ["AllocationBomb"]);
    }

    #[test]
    fn both_ways_to_find_a_tree_must_agree_and_tails_are_shown() {
        let two =
            model("1 -1", "0 1", "3").replace("end of trees", "Tree=1\nnum_leaves=1\nleaf_value=1\n\nend of trees");
        assert_eq!(odd(&two), ["SizeMismatch"]);
        let tail = model("1 -1", "0 1", "3") + "import os\n";
        assert_eq!(odd(&tail), ["TrailingBytes"]);
    }

    #[test]
    fn numbers_that_lie_in_the_header_are_told() {
        let plain = model("1 -1", "0 1", "3");
        assert_eq!(odd(&plain.replace("tree_sizes=", "tree_sizes=99999999")), ["OutOfBounds"]);
        assert_eq!(odd(&plain.replace("version=v4", "version=v4\nnum_class=99999999")), ["AllocationBomb"]);
        assert_eq!(odd(&plain.replace("version=v4", "version=v4\nnum_class=1")), Vec::<String>::new());
    }

    #[test]
    fn corrupted_models_do_not_panic() {
        mutate(model("1 -1", "0 1", "3").as_bytes(), 2000, |bytes| {
            inspect(&LightGbm, "model.txt", &bytes);
        });
    }
}
