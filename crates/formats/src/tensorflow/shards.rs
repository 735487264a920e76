//! Files of numbers and nothing else, which only their names tell: those of checkpoints and of TensorFlow.js.

use crate::budget::Budget;
use crate::child::{Child, Role};
use crate::fact::{Anomaly, FactKind, Gap, Position};
use crate::facts::Facts;
use crate::format::{Certainty, Context, Depth, Format, Meta, Probe};
use crate::payload;
use crate::source::{Source, read_up_to};

/// Bytes at each end that are searched.
const SEARCHED: usize = 256 << 10;

static META: Meta = Meta {
    id: "tensorflow-data",
    title: "TensorFlow weights without a description",
    extensions: &["data-00000-of-00001"],
    depth: Depth::Surface,
    reads: "that neither they nor their ends are another format: what they hold is described in the index beside them",
    specification: "https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/tensor_bundle/tensor_bundle.h",
};

/// The format.
#[derive(Debug)]
pub struct TensorflowData;

impl Format for TensorflowData {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn recognise(&self, probe: &Probe<'_>) -> Option<Certainty> {
        let file = probe.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let named = is_checkpoint_data(file) || is_javascript_shard(file);
        (named && probe.role != Role::Numbers).then_some(Certainty::Possible)
    }

    fn inspect(&self, source: &dyn Source, context: &Context<'_>, facts: &mut Facts) {
        glance(source, context.budget, facts);
    }
}

/// Numbers are not read, but both ends of them are looked at: texts come first, and what was added comes last. A file
/// that cannot be read at all is said.
fn glance(source: &dyn Source, budget: &Budget, facts: &mut Facts) {
    if !source.is_empty() && read_up_to(source, 0, 1).is_empty() {
        return facts.incomplete(0, Gap::Unreadable, "the bytes could not be read");
    }
    let last = source.len().saturating_sub(SEARCHED as u64);
    let starts = if last > 0 { vec![0, last] } else { vec![0] };
    for start in starts {
        if let Err(limit) = budget.operate(SEARCHED as u64 / 16) {
            return facts.incomplete(start, Gap::Limit, limit.to_string());
        }
        let Some(at) = payload::find(&read_up_to(source, start, SEARCHED)) else { continue };
        let offset = start.saturating_add(at as u64);
        facts.anomaly(offset, Anomaly::HiddenContent, "among the numbers is a file of another kind");
        let child = Child::stored(format!("bytes at {offset:#x}"), offset, source.len().saturating_sub(offset));
        facts.push(Position::Offset(offset), FactKind::Child(child));
        return;
    }
}

/// `variables.data-00000-of-00001`
fn is_checkpoint_data(file: &str) -> bool {
    let Some((_, numbers)) = file.rsplit_once(".data-") else { return false };
    numbers.split_once("-of-").is_some_and(|(shard, shards)| is_number(shard) && is_number(shards))
}

/// `group1-shard1of4.bin`, or without an ending.
fn is_javascript_shard(file: &str) -> bool {
    let file = file.strip_suffix(".bin").unwrap_or(file);
    let Some((group, shard)) = file.split_once("-shard") else { return false };
    let of = shard.split_once("of").is_some_and(|(shard, shards)| is_number(shard) && is_number(shards));
    of && group.strip_prefix("group").is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pickle_behind_the_numbers_is_opened() {
        let mut bytes = vec![0u8; 300_000];
        let clean = bytes.clone();
        bytes.extend(b"\x80\x02cposix\nsystem\nX\x04\0\0\0trueq.");
        let read = |bytes: &Vec<u8>| {
            let mut facts = Facts::new();
            glance(bytes, &Budget::default(), &mut facts);
            facts.list().iter().any(|fact| matches!(&fact.kind, FactKind::Child(child) if child.offset == 300_000))
        };
        assert!(read(&bytes) && !read(&clean));
    }

    #[test]
    fn only_the_names_of_writers_are_told() {
        assert!(
            is_checkpoint_data("variables.data-00000-of-00001") && is_checkpoint_data("m.ckpt-5.data-00001-of-00002")
        );
        assert!(!is_checkpoint_data("variables.data-x-of-00001") && !is_checkpoint_data("a.data-0-of-"));
        assert!(is_javascript_shard("group1-shard1of2.bin") && is_javascript_shard("group1-shard1of2"));
        assert!(!is_javascript_shard("group-shard1of2.bin") && !is_javascript_shard("shard1of2"));
    }
}
