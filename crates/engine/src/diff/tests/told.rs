//! What people and programs are told.

use std::sync::LazyLock;

use super::super::output::{Telling, render};
use super::super::{Diff, Grain};
use super::memory::{Memory, compared, low_rank, normal, rounded};
use super::models::{adapted, base};
use crate::output::{Style, View};

fn told(diff: &Diff, telling: Telling, style: Style) -> String {
    let mut bytes = Vec::new();
    render(diff, telling, 4, &mut bytes, style).unwrap();
    String::from_utf8(bytes).unwrap().replace(env!("CARGO_PKG_VERSION"), "[version]")
}

static EVERYTHING: LazyLock<Diff> = LazyLock::new(every_kind);

/// A pair with every kind of change in it, and names that try to act.
fn every_kind() -> Diff {
    let square = [64, 64];
    let numbers = |seed| normal(seed, 64 * 64, 0.02);
    let edit = |seed: u64, edit: &dyn Fn(&mut [f32])| {
        let mut numbers = numbers(seed);
        edit(&mut numbers);
        numbers
    };
    let (mut old, mut new) = (Memory::default(), Memory::default());
    let mut add = |name: &str, before: &[f32], after: &[f32]| {
        old = std::mem::take(&mut old).f32(name, &square, before);
        new = std::mem::take(&mut new).f32(name, &square, after);
    };
    for layer in 0..6u64 {
        let base = numbers(layer);
        let after = if layer == 3 { base.clone() } else { low_rank(&base, 64, 2, 1e-3, layer) };
        add(&format!("layers.{layer}.q_proj.weight"), &base, &after);
        add(
            &format!("layers.{layer}.up_proj.weight"),
            &base,
            &edit(layer, &|all| all.iter_mut().zip(normal(50, 4096, 1e-3)).for_each(|(value, noise)| *value += noise)),
        );
    }
    add("bits", &numbers(10), &edit(10, &|all| all[70] = -all[70]));
    add("cast", &numbers(11), &rounded(&numbers(11), Grain::Bf16));
    add("columns", &numbers(12), &edit(12, &|all| (0..64).for_each(|row| all[row * 64 + 9] += 1.0)));
    add("other", &numbers(13), &numbers(14));
    add(
        "reordered",
        &numbers(15),
        &(0..64).rev().flat_map(|row| numbers(15)[row * 64..][..64].to_vec()).collect::<Vec<_>>(),
    );
    add("rows", &numbers(16), &edit(16, &|all| all[640..768].fill(0.5)));
    add("same<script>", &numbers(17), &numbers(17));
    add("scale\u{1b}[31m", &numbers(18), &numbers(18).iter().map(|value| value * 0.5).collect::<Vec<_>>());
    add("odd", &numbers(19), &edit(19, &|all| all[5] = f32::NAN));
    let (old, new) =
        (old.f32("gone", &[2], &[1.0; 2]).f32("a.7", &[8], &normal(1, 8, 1.0)), new.f32("came", &[], &[1.0]));
    let (old, new) =
        (old.f32("vocabulary", &[2, 8], &normal(2, 16, 1.0)), new.f32("vocabulary", &[3, 8], &normal(2, 24, 1.0)));
    compared(&old, &new.f32("b.7", &[8], &normal(1, 8, 1.0)))
}

#[test]
fn people_see_every_kind_on_one_screen() {
    insta::assert_snapshot!("everything", told(&EVERYTHING, Telling::Plain, Style::default()));
    insta::assert_snapshot!("adapted", told(&compared(&base(), &adapted()), Telling::Plain, Style::default()));
    insta::assert_snapshot!("identical", told(&compared(&base(), &base()), Telling::Plain, Style::default()));
    let quiet = Style { view: View::Verdict, ..Style::default() };
    insta::assert_snapshot!("adapted-quiet", told(&compared(&base(), &adapted()), Telling::Plain, quiet));
}

#[test]
fn programs_get_what_the_schema_says() {
    let schema = include_str!("../../../../../docs/schema/diff.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    for diff in [EVERYTHING.clone(), compared(&base(), &adapted()), compared(&base(), &base())] {
        let document =
            serde_json::from_str(&told(&diff, Telling::Json, Style::default()).replace("[version]", "0")).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn the_page_needs_and_runs_nothing_and_no_name_acts() {
    let page = told(&EVERYTHING, Telling::Html, Style::default());
    for forbidden in ["<script", "javascript:", "http://", "src=", "href=", "@import", "url(", "{{"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("<rect class=\"cell heat-3\""), "the map is drawn");
    for telling in [Telling::Plain, Telling::Json, Telling::Html] {
        let text = told(&EVERYTHING, telling, Style::default());
        assert_eq!(text.lines().find(|line| crate::sanitize::is_deceptive(line)), None);
    }
}
