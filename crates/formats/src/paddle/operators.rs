//! Operators that reach beyond tensors.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use crate::fact::{Effect, FactKind, Gap, Operator, Position};
use crate::facts::Facts;

/// The operators that the library brings with it.
static REGISTERED: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("operators.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// Distinct operators that are told apart.
const MAX_OPERATORS: usize = 4096;

/// What running them does, and whether it hands the machine over.
const REACHING: &[(&str, &str, bool)] = &[
    ("py_func", "calls back into Python", true),
    ("py_layer", "calls back into Python", true),
    ("pylayer", "calls back into Python", true),
    ("save", "writes files", true),
    ("save_combine", "writes files", true),
    ("load", "reads files that it names", false),
    ("load_combine", "reads files that it names", false),
    ("read_file", "reads files that it names", false),
    ("open_files", "reads files that it names", false),
    ("create_recordio_file_reader", "reads files that it names", false),
    ("listen_and_serv", "opens a port to the network", false),
    ("heter_listen_and_serv", "opens a port to the network", false),
    ("send", "talks to other machines", false),
    ("recv", "talks to other machines", false),
    ("send_v2", "talks to other machines", false),
    ("recv_v2", "talks to other machines", false),
    ("partial_send", "talks to other machines", false),
    ("partial_recv", "talks to other machines", false),
    ("p_send", "talks to other machines", false),
    ("p_recv", "talks to other machines", false),
    ("rpc_call", "talks to other machines", false),
    ("rpc_result", "talks to other machines", false),
    ("send_barrier", "talks to other machines", false),
    ("fetch_barrier", "talks to other machines", false),
    ("pull_sparse", "talks to other machines", false),
    ("pull_sparse_v2", "talks to other machines", false),
    ("pull_box_sparse", "talks to other machines", false),
    ("pull_gpups_sparse", "talks to other machines", false),
    ("push_sparse", "talks to other machines", false),
    ("push_sparse_v2", "talks to other machines", false),
    ("push_dense", "talks to other machines", false),
    ("distributed_lookup_table", "talks to other machines", false),
    ("distributed_push_sparse", "talks to other machines", false),
    ("c_gen_hccl_id", "talks to other machines", false),
    ("c_gen_bkcl_id", "talks to other machines", false),
    ("send_and_recv", "talks to other machines", false),
    ("checkpoint_notify", "talks to other machines", false),
    ("gen_nccl_id", "talks to other machines", false),
    ("c_gen_nccl_id", "talks to other machines", false),
];

/// Operators with a program of another runtime in them.
const ENGINES: &[&str] = &["tensorrt_engine", "lite_engine", "dlnne_engine", "ipu_runtime", "openvino_engine"];

/// All operators of a program, with their first place and their number.
#[derive(Debug, Default)]
pub(super) struct Operators {
    uses: BTreeMap<(String, bool), (u64, u64)>,
}

impl Operators {
    /// Counts a use; a custom one is of nobody's set.
    pub(super) fn add(&mut self, name: String, is_custom: bool, at: u64, facts: &mut Facts) {
        let key = (name, is_custom);
        if self.uses.len() >= MAX_OPERATORS && !self.uses.contains_key(&key) {
            return facts.incomplete(at, Gap::Limit, format!("more than {MAX_OPERATORS} different operators"));
        }
        let (_, count) = self.uses.entry(key).or_insert((at, 0));
        *count = count.saturating_add(1);
    }

    pub(super) fn report(self, facts: &mut Facts) {
        for ((name, is_custom), (at, count)) in self.uses {
            if ENGINES.contains(&name.as_str()) {
                let detail = format!("operator {name} has a program of another runtime in it, which is not read");
                facts.incomplete(at, Gap::Unsupported, detail);
            }
            let effect = effect(&name, is_custom);
            let operator = Operator { name, domain: String::new(), effect, count };
            facts.push(Position::Offset(at), FactKind::Operator(operator));
        }
    }
}

fn effect(name: &str, is_custom: bool) -> Effect {
    match REACHING.iter().find(|(known, ..)| *known == name) {
        Some((_, what, critical)) => Effect::Reaches { what: (*what).into(), critical: *critical },
        None if is_custom => Effect::Custom,
        None => Effect::Computes,
    }
}

/// Whether the library has an operator of that name; others come from a library of somebody's own.
pub(super) fn is_registered(name: &str) -> bool {
    let is_reaching = || REACHING.iter().any(|(known, ..)| *known == name) || ENGINES.contains(&name);
    // Gradients of gradients are made as they are needed.
    let plain = name.trim_end_matches("_grad");
    REGISTERED.contains(name) || REGISTERED.contains(plain) || is_reaching()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_has_is_not_custom() {
        for name in ["conv2d", "matmul_v2", "while", "feed", "tensorrt_engine", "send_v2", "elementwise_add_grad"] {
            assert!(is_registered(name), "{name}");
        }
        assert!(!is_registered("waag_custom_op"));
        assert!(!is_registered("# Sources"));
    }
}
