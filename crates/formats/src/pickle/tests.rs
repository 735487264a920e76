//! What the machine knows beyond opcodes: raw arrays, PyTorch's older files, pickles in pickles, states that evaluate.

use super::*;
use crate::child::Encoding;
use crate::fact::{Callable, Standing};

fn facts(bytes: &[u8]) -> Facts {
    let mut facts = Facts::with_steps();
    let budget = Budget::small();
    PICKLE.inspect(&bytes, &Context { name: "model.pkl", role: Role::Unknown, budget: &budget }, &mut facts);
    facts
}

fn anomalies(facts: &Facts) -> Vec<(Anomaly, u64)> {
    let anomaly = |kind: &FactKind, position| match (kind, position) {
        (FactKind::Anomaly { anomaly, .. }, Position::Offset(offset)) => Some((*anomaly, offset)),
        _ => None,
    };
    facts.list().iter().filter_map(|fact| anomaly(&fact.kind, fact.position)).collect()
}

fn callables(facts: &Facts) -> Vec<&Callable> {
    let mut callables = Vec::new();
    for fact in facts.list() {
        if let FactKind::Callable(callable) = &fact.kind {
            callables.push(callable);
        }
    }
    callables
}

/// Expressions of everything that is not inert.
fn alarms(facts: &Facts) -> Vec<&str> {
    let alarming = |callable: &&&Callable| !matches!(callable.standing, Standing::Inert { .. });
    callables(facts).iter().filter(alarming).map(|callable| callable.expression.as_str()).collect()
}

/// SHORT_BINUNICODE.
fn text(text: &str) -> Vec<u8> {
    [&[0x8c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

/// A pickle that calls a shell, harmlessly.
fn shell() -> Vec<u8> {
    b"cos\nsystem\n(S'true'\ntR.".to_vec()
}

/// `numpy.dtype(code)` and the wrapper that joblib writes in front of a raw array of `elements`.
fn joblib_wrapper(code: &str, elements: u8) -> Vec<u8> {
    let mut bytes = b"\x80\x03cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(".to_vec();
    bytes.extend(text("subclass"));
    bytes.extend(b"cnumpy\nndarray\n");
    bytes.extend(text("shape"));
    bytes.extend([b'K', elements, 0x85]);
    bytes.extend(text("order"));
    bytes.extend(text("C"));
    bytes.extend(text("dtype"));
    bytes.extend(b"cnumpy\ndtype\n");
    bytes.extend(text(code));
    bytes.extend(b"\x85R");
    bytes.extend(text("allow_mmap"));
    bytes.extend(b"\x88ub");
    bytes
}

#[test]
fn a_raw_array_of_joblib_is_passed_over() {
    let mut bytes = joblib_wrapper("f8", 3);
    bytes.extend([0xff; 24]);
    bytes.push(b'.');
    let facts = facts(&bytes);
    assert_eq!(anomalies(&facts), []);
    assert_eq!(alarms(&facts), Vec::<&str>::new());
    assert_eq!(facts.find_property("layout"), Some("joblib"));
}

#[test]
fn what_follows_a_raw_array_is_read() {
    let mut bytes = joblib_wrapper("f8", 1);
    bytes.extend([0; 8]);
    bytes.extend(shell());
    assert_eq!(alarms(&facts(&bytes)), ["os.system('true')"]);
}

#[test]
fn an_array_of_objects_is_a_pickle_of_its_own() {
    let mut bytes = joblib_wrapper("O8", 1);
    let start = bytes.len() as u64;
    bytes.extend(b"\x80\x03]N\x61.");
    bytes.push(b'.');
    let facts = facts(&bytes);
    let child = facts.list().iter().find_map(|fact| match &fact.kind {
        FactKind::Child(child) => Some((child.offset, child.length, child.role)),
        _ => None,
    });
    assert_eq!(child, Some((start, 6, Role::Pickle)));
    assert_eq!(anomalies(&facts), []);
}

#[test]
fn a_raw_array_longer_than_the_file_is_out_of_bounds() {
    let mut bytes = joblib_wrapper("f8", 200);
    bytes.push(b'.');
    assert!(anomalies(&facts(&bytes)).iter().any(|(anomaly, _)| *anomaly == Anomaly::OutOfBounds));
}

/// PyTorch's older file with one storage of two floats, which says `count` elements.
fn legacy(count: u64) -> Vec<u8> {
    let mut bytes = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    bytes.extend(b"\x80\x02(");
    bytes.extend(b"X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x007X\x03\0\0\0cpuK\x02Nt\x51.");
    bytes.extend(b"\x80\x02]X\x01\0\0\x007a.");
    bytes.extend(count.to_le_bytes());
    bytes.extend([0x80; 8]);
    bytes
}

#[test]
fn the_storages_of_an_older_pytorch_file_are_passed_over() {
    let facts = facts(&legacy(2));
    assert_eq!(anomalies(&facts), []);
    assert_eq!(facts.find_property("layout"), Some("pytorch-legacy"));
    assert_eq!(facts.find_property("streams"), Some("5"));
}

#[test]
fn a_storage_that_is_not_as_long_as_the_pickle_says_is_a_mismatch() {
    let bytes = legacy(1 << 40);
    let start = bytes.len() as u64 - 16;
    assert!(anomalies(&facts(&bytes)).contains(&(Anomaly::SizeMismatch, start)));
}

#[test]
fn every_pickle_of_a_file_is_read_and_what_follows_is_said() {
    let bytes = [b"N.".to_vec(), shell(), b"rest".to_vec()].concat();
    let facts = facts(&bytes);
    assert_eq!(alarms(&facts), ["os.system('true')"]);
    assert!(anomalies(&facts).contains(&(Anomaly::TrailingBytes, bytes.len() as u64 - 4)));
}

#[test]
fn a_pickle_behind_a_break_is_found() {
    let bytes = [b"\x80\x02\xff junk".to_vec(), b"\x80\x02".to_vec(), shell()].concat();
    let facts = facts(&bytes);
    assert_eq!(alarms(&facts), ["os.system('true')"]);
    assert!(facts.has_anomaly(Anomaly::HiddenContent));
}

#[test]
fn a_callable_planted_for_the_unpickler_is_a_mutation() {
    let mut bytes = b"\x80\x04ccollections\nOrderedDict\n)R}".to_vec();
    bytes.extend(text("__setstate__"));
    bytes.extend(b"ccollections\nCounter\nsb.");
    assert!(facts(&bytes).list().iter().any(|fact| matches!(fact.kind, FactKind::Mutation { .. })));
}

#[test]
fn an_attribute_is_inert_until_it_is_called() {
    let mut bytes = b"\x80\x04cbuiltins\ngetattr\nccollections\nOrderedDict\n".to_vec();
    bytes.extend(text("fromkeys"));
    bytes.extend(b"\x86R");
    let kept = [bytes.clone(), b".".to_vec()].concat();
    assert_eq!(alarms(&facts(&kept)), Vec::<&str>::new());
    bytes.extend(b")R.");
    assert_eq!(alarms(&facts(&bytes)), ["getattr(collections.OrderedDict, 'fromkeys')()"]);
}

#[test]
fn a_pickle_in_a_pickle_is_a_child_however_its_bytes_are_written() {
    let plain = b"\x80\x03ctorch.storage\n_load_from_bytes\nC\x02N.\x85R.";
    let as_text =
        b"\x80\x02ctorch.storage\n_load_from_bytes\nc_codecs\nencode\nX\x02\0\0\0N.X\x06\0\0\0latin1\x86R\x85R.";
    for (bytes, encoding) in [(&plain[..], Encoding::Stored), (&as_text[..], Encoding::Latin1)] {
        let facts = facts(bytes);
        assert_eq!(alarms(&facts), Vec::<&str>::new());
        assert!(
            facts.list().iter().any(|fact| matches!(&fact.kind, FactKind::Child(child) if child.encoding == encoding))
        );
    }
}

#[test]
fn a_state_with_a_formula_is_not_covered_by_the_listing() {
    let state = |key: &str| {
        let mut bytes = b"\x80\x04cstatsmodels.base.data\nModelData\n)\x81}".to_vec();
        bytes.extend(text(key));
        bytes.extend(b"Nsb.");
        alarms(&facts(&bytes)).len()
    };
    assert_eq!(state("endog"), 0);
    assert_eq!(state("restore_design_info"), 1);
}

#[test]
fn tensors_are_told_with_their_names_and_types() {
    let mut bytes = b"\x80\x02}".to_vec();
    bytes.extend(text("layer.weight"));
    bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    bytes.extend(b"X\x07\0\0\0storagectorch\nHalfStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x06tQK\0K\x02K\x03\x86K\x03K\x01\x86\x89");
    bytes.extend(b"ccollections\nOrderedDict\n)RtRs.");
    let facts = facts(&bytes);
    let tensor = facts.list().iter().find_map(|fact| match &fact.kind {
        FactKind::Tensor(tensor) => {
            Some((tensor.name.as_str(), tensor.dtype.as_str(), tensor.shape.clone(), tensor.bytes))
        }
        _ => None,
    });
    assert_eq!(tensor, Some(("layer.weight", "float16", vec![2, 3], Some(12))));
    assert_eq!(anomalies(&facts), []);
}

#[test]
fn pickles_in_data_are_opened_in_whatever_form() {
    let encodings = |bytes: &[u8]| -> Vec<(crate::child::Encoding, Role)> {
        let facts = crate::testing::inspect(&super::PICKLE, "a.pkl", bytes);
        let child = |kind: &FactKind| match kind {
            FactKind::Child(child) => Some((child.encoding, child.role)),
            _ => None,
        };
        facts.list().iter().filter_map(|fact| child(&fact.kind)).collect()
    };
    use crate::child::Encoding;
    let inner = b"\x80\x02cos\nsystem\nq\0X\x04\0\0\0echoq\x01\x85q\x02Rq\x03.";
    let binary = [b"\x80\x04C", &[inner.len() as u8][..], inner, b"."].concat();
    assert_eq!(encodings(&binary), [(Encoding::Stored, Role::Pickle)]);
    let text = |text: &str| [b"\x80\x04\x8c", &[text.len() as u8][..], text.as_bytes(), b"\x94."].concat();
    assert_eq!(encodings(&text("gAJjb3MKc3lzdGVtCnEAWAQAAABlY2hvcQGFcQJScQMu")), [(Encoding::Base64, Role::Pickle)]);
    let hex: String = inner.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(encodings(&text(&hex)), [(Encoding::Hex, Role::Pickle)]);
    assert_eq!(encodings(&text("gAme of the year, gAme of the year")), []);
}

#[test]
fn lines_of_texts_are_no_names() {
    let is_taken = |bytes: &[u8]| PICKLE.recognise(&Probe::new(&bytes, "a.bin", Role::Unknown)).is_some();
    let c = b"int\nmain(void)\n{\n  return 0;\n}\n";
    let label = b"(interp-transition-guide)=\n# Interpolate\n";
    let header = b"const_p1,const_p2\n0.1,0.2\n";
    for text in [&c[..], b"cos\nsin\ntan\n", label, header, b"import sys\nsys.path.append(sys.argv[1])\n"] {
        assert!(!is_taken(text), "{}", text.escape_ascii());
    }
    // The call stands before the name that there is not.
    assert!(is_taken(b"cos\nsystem\n(S'true'\ntRcnt\nmain(void)\n."));
    assert!(is_taken(b"cos\nsystem\n."));
}
