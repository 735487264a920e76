//! How a model was compiled: Keras looks its loss and its metrics up by their names, among its own and among those that
//! a program registered, as it does with classes.

use crate::json::Segment;

/// What is looked up.
const LOOKED_UP: &[&str] = &["loss", "metrics", "weighted_metrics"];
/// Where Keras 3 keeps how a model was compiled. In HDF5 it is a configuration of its own.
const COMPILED: &str = "compile_config";
/// Keys of an object that tells of a class: it is judged by that.
const OBJECT_KEYS: &[&str] = &["class_name", "module", "registered_name", "name", "dtype", "fn", "reduction"];
/// Short names, beside those of Keras's functions and classes.
const SHORT_NAMES: &[&str] = &["acc", "accuracy", "ce", "crossentropy", "bce", "BCE", "cosine", "cosine_proximity"];

/// Whether a text at this place is the name of a loss or metric that Keras looks up, and not one that it always knows.
pub(super) fn is_looked_up(path: &[Segment], name: &str) -> bool {
    let start = path.iter().position(|segment| is_key(segment, |key| key == COMPILED));
    let [first, rest @ ..] = path.get(start.map_or(0, |start| start.saturating_add(1))..).unwrap_or_default() else {
        return false;
    };
    is_key(first, |key| LOOKED_UP.contains(&key))
        && rest.len() <= 2
        && !rest.iter().any(|segment| is_key(segment, |key| OBJECT_KEYS.contains(&key)))
        && !name.is_empty()
        && !SHORT_NAMES.contains(&name)
}

fn is_key(segment: &Segment, test: impl Fn(&str) -> bool) -> bool {
    matches!(segment, Segment::Key(key) if test(key))
}
