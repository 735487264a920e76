//! CatBoost's binary form: a signature, a FlatBuffer of trees, and parts behind it for words and vectors.

use crate::budget::Budget;
use crate::child::Child;
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::{Facts, shorten};
use crate::flatbuffers::{Broken, FlatBuffer, Table, Vector};
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::pickle;
use crate::source::{Source, Window, read_up_to};

/// Bytes before the structure: the signature and its length.
const PREFIX: u64 = 8;
/// Bytes of a name or value that are read.
const MAX_NAME: usize = 300;
/// Steps that reading a table costs.
const TABLE: u64 = 256;
/// Names of parts that may follow.
const PARTS: &[&str] = &["static_provider_v1", "text_process_v1", "text_process_v2", "embed_process_v1"];

static META: Meta = Meta {
    id: "catboost",
    title: "CatBoost model",
    extensions: &["cbm"],
    depth: Depth::Full,
    reads: "features, parameters, every tree's place and size; parts for words and vectors are searched, not read",
    specification: "https://github.com/catboost/catboost/blob/master/catboost/libs/model/flatbuffers/model.fbs",
};

/// The format.
#[derive(Debug)]
pub struct CatBoost;

impl Format for CatBoost {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        probe.starts_with(b"CBM1").then_some(Certainty::Certain)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        facts.property("framework", "CatBoost");
        let size = read_up_to(source, 4, 4).try_into().map_or(0, u32::from_le_bytes);
        let end = PREFIX.saturating_add(size.into());
        if end > source.len() {
            let detail = format!("the header says {size} bytes where the file has {}", source.len());
            facts.anomaly(4, Anomaly::OutOfBounds, detail);
        }
        let window = Window::new(source, PREFIX, size.into());
        let buffer = FlatBuffer::new(&window);
        let mut reader = Reader { facts, budget: context.budget, parts: Vec::new() };
        if let Err(error) = buffer.root().and_then(|root| reader.core(&root)) {
            let at = PREFIX.saturating_add(error.offset);
            return facts.anomaly(at, Anomaly::OutOfBounds, error.what);
        }
        let parts = reader.parts;
        behind(source, end, &parts, context.budget, facts);
    }
}

struct Reader<'f> {
    facts: &'f mut Facts,
    budget: &'f Budget,
    parts: Vec<String>,
}

impl Reader<'_> {
    fn each<'t>(
        &mut self,
        vector: Option<Vector<'t>>,
        mut visit: impl FnMut(&mut Self, Table<'t>) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let Some(vector) = vector else { return Ok(()) };
        for index in 0..vector.count {
            if let Err(error) = self.budget.operate(TABLE) {
                self.facts.incomplete(vector.start, Gap::Limit, error.to_string());
                return Ok(());
            }
            visit(self, vector.table(index)?)?;
        }
        Ok(())
    }

    fn core(&mut self, root: &Table<'_>) -> Result<(), Broken> {
        let version = root.text(0, MAX_NAME)?;
        // The reference writer's own spelling.
        if version != "FlabuffersModel_v1" {
            let detail = format!("the structure is of version '{version}', which is not read");
            self.facts.incomplete(PREFIX, Gap::Unsupported, detail);
        }
        self.facts.property("version", version);
        self.each(root.vector(2, 4)?, |reader, pair| {
            let (key, value) = (pair.text(0, MAX_NAME)?, pair.text(1, MAX_NAME)?);
            let at = PREFIX.saturating_add(pair.offset);
            reader.facts.push(Position::Offset(at), FactKind::Metadata { key, value: shorten(value, MAX_NAME) });
            Ok(())
        })?;
        if let Some(parts) = root.vector(3, 4)? {
            for index in 0..parts.count.min(16) {
                // Some are written with the zero that ends a text in C.
                self.parts.push(parts.text(index, MAX_NAME)?.trim_end_matches('\0').to_owned());
            }
        }
        match root.table(1)? {
            Some(trees) => self.trees(&trees),
            None => broken_trees(),
        }
    }

    fn trees(&mut self, table: &Table<'_>) -> Result<(), Broken> {
        let mut features = 0_u64;
        // Numbers, categories, words and vectors.
        for (field, name) in [(5, 4), (4, 2), (12, 2), (18, 2)] {
            let list = table.vector(field, 4)?;
            features = features.saturating_add(list.map_or(0, |list| list.count));
            self.each(list, |reader, feature| {
                let value = feature.text(name, MAX_NAME)?;
                let at = PREFIX.saturating_add(feature.offset);
                let key = "feature".to_owned();
                reader.facts.push(Position::Offset(at), FactKind::Metadata { key, value });
                Ok(())
            })?;
        }
        self.facts.property("features", features.to_string());
        let (splits, sizes) = (table.vector(1, 4)?, table.vector(2, 4)?);
        let (starts, leaves) = (table.vector(3, 4)?, table.vector(8, 8)?);
        let steps = table.vector(10, 4)?;
        let count = |list: Option<Vector<'_>>| list.map_or(0, |list| list.count);
        self.facts.property("trees", count(sizes).to_string());
        if count(sizes) != count(starts) {
            let detail = format!("{} trees have sizes, and {} have places", count(sizes), count(starts));
            self.odd(table, Anomaly::SizeMismatch, detail);
        }
        let bins = count(table.vector(17, 4)?);
        if bins > 0 && bins != count(splits) {
            let detail = format!("{bins} splits are stored packed, and {} as they are", count(splits));
            self.odd(table, Anomaly::SizeMismatch, detail);
        }
        self.places(table, sizes, starts, count(splits))?;
        self.steps(table, steps, count(splits))?;
        let dimension = u64::try_from(table.i32(0)?.unwrap_or(0)).unwrap_or(0).max(1);
        if steps.is_none_or(|steps| steps.count == 0) {
            self.leaves(table, sizes, dimension, count(leaves))?;
        }
        Ok(())
    }

    fn odd(&mut self, table: &Table<'_>, anomaly: Anomaly, detail: String) {
        self.facts.anomaly(PREFIX.saturating_add(table.offset), anomaly, detail);
    }

    /// Each tree is a run of the splits.
    fn places(
        &mut self,
        table: &Table<'_>,
        sizes: Option<Vector<'_>>,
        starts: Option<Vector<'_>>,
        splits: u64,
    ) -> Result<(), Broken> {
        let (Some(sizes), Some(starts)) = (sizes, starts) else { return Ok(()) };
        for index in 0..sizes.count.min(starts.count) {
            if self.budget.operate(4).is_err() {
                self.facts.incomplete(PREFIX, Gap::Limit, "more trees than are read");
                return Ok(());
            }
            let (size, start) = (sizes.i32(index)?, starts.i32(index)?);
            let end = u64::try_from(start).ok().zip(u64::try_from(size).ok());
            if end.is_none_or(|(start, size)| start.saturating_add(size) > splits) {
                let detail = format!("tree {index} has {size} splits at {start}, of {splits}");
                self.odd(table, Anomaly::OutOfBounds, detail);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Trees that are not symmetric: each node says how far ahead its children are.
    fn steps(&mut self, table: &Table<'_>, steps: Option<Vector<'_>>, splits: u64) -> Result<(), Broken> {
        let Some(steps) = steps.filter(|steps| steps.count > 0) else { return Ok(()) };
        if steps.count != splits {
            let detail = format!("{} nodes for {splits} splits", steps.count);
            self.odd(table, Anomaly::SizeMismatch, detail);
        }
        for index in 0..steps.count {
            if self.budget.operate(2).is_err() {
                self.facts.incomplete(PREFIX, Gap::Limit, "more nodes than are read");
                return Ok(());
            }
            let [a, b, c, d] = steps.i32(index)?.to_le_bytes();
            let furthest = u16::from_le_bytes([a, b]).max(u16::from_le_bytes([c, d]));
            if index.saturating_add(furthest.into()) >= steps.count {
                let detail = format!("node {index} of {} leads {furthest} nodes ahead", steps.count);
                self.odd(table, Anomaly::OutOfBounds, detail);
                return Ok(());
            }
        }
        Ok(())
    }

    /// A symmetric tree of depth d has 2^d leaves.
    fn leaves(
        &mut self,
        table: &Table<'_>,
        sizes: Option<Vector<'_>>,
        dimension: u64,
        leaves: u64,
    ) -> Result<(), Broken> {
        let mut needed = 0_u64;
        let Some(sizes) = sizes else { return Ok(()) };
        for index in 0..sizes.count {
            let depth = u32::try_from(sizes.i32(index)?).unwrap_or(u32::MAX);
            needed = needed.saturating_add(1_u64.checked_shl(depth).unwrap_or(u64::MAX));
        }
        if needed.saturating_mul(dimension) != leaves {
            let detail = format!("the trees have {needed} leaves of {dimension} values, and {leaves} values are there");
            self.odd(table, Anomaly::SizeMismatch, detail);
        }
        Ok(())
    }
}

fn broken_trees() -> Result<(), Broken> {
    Err(Broken { offset: 0, what: "the model has no trees" })
}

/// What follows the structure belongs to its parts, or to nobody.
fn behind(source: &dyn Source, end: u64, parts: &[String], budget: &Budget, facts: &mut Facts) {
    let rest = source.len().saturating_sub(end);
    for part in parts {
        facts.property("part", part.as_str());
        if !PARTS.contains(&part.as_str()) {
            facts.incomplete(end, Gap::Unsupported, format!("the part '{part}' is not known"));
        }
    }
    match (parts.is_empty(), rest) {
        (true, 0) => {}
        (false, 0) => facts.anomaly(end, Anomaly::Broken, "parts are announced that are not there"),
        (true, _) => {
            facts.anomaly(end, Anomaly::TrailingBytes, format!("{rest} bytes follow the model"));
            facts.push(Position::Offset(end), FactKind::Child(Child::stored(format!("trailing@{end}"), end, rest)));
        }
        (false, _) => pickle::search(source, end, budget, facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inspect, mutate, oddities};
    use waag_testkit::flatbuffers::{Field, write};

    fn model(size: i32, leaves: usize) -> Vec<u8> {
        let mut trees = vec![Field::Word(1), Field::Numbers(vec![0, 1]), Field::Numbers(vec![size])];
        trees.extend([Field::Numbers(vec![0]), Field::Absent, Field::Absent, Field::Absent, Field::Absent]);
        trees.push(Field::Longs(vec![0; leaves]));
        let core = write(b"\0\0\0\0", &[Field::Text("FlabuffersModel_v1".into()), Field::Table(trees)]);
        let mut bytes = b"CBM1".to_vec();
        bytes.extend(u32::try_from(core.len()).unwrap().to_le_bytes());
        bytes.extend(core);
        bytes
    }

    fn odd(bytes: &[u8]) -> Vec<String> {
        let said = oddities(&inspect(&CatBoost, "model.cbm", bytes));
        said.iter().filter_map(|line| line.split('@').next().map(str::to_owned)).collect()
    }

    #[test]
    fn trees_are_held_against_their_lists() {
        assert_eq!(odd(&model(2, 4)), Vec::<String>::new());
        assert_eq!(odd(&model(2, 3)), ["SizeMismatch"]);
        assert_eq!(odd(&model(3, 8)), ["OutOfBounds"]);
        assert_eq!(odd(&model(-1, 8)), ["OutOfBounds", "SizeMismatch"]);
        assert_eq!(odd(&[model(2, 4), b"more".to_vec()].concat()), ["TrailingBytes"]);
    }

    #[test]
    fn corrupted_models_do_not_panic() {
        mutate(&model(2, 4), 3000, |bytes| {
            inspect(&CatBoost, "model.cbm", &bytes);
        });
    }
}
