//! Operators that reach beyond tensors.

use std::collections::BTreeMap;

use crate::fact::{Effect, FactKind, Gap, Operator, Position};
use crate::facts::Facts;

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
