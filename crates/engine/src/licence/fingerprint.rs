//! Which licence a text is: by how many of its runs of four words it shares with texts that are known.

use std::sync::LazyLock;

use super::expression;
use super::terms::{Commercial, Terms};

/// Hashes of words of known texts; its making is described beside it.
const FINGERPRINTS: &str = include_str!("../../data/licences/fingerprints.txt");
/// Words that are read of a text; the longest known licence has 6,000.
const MAX_WORDS: usize = 60_000;
/// Words of one run.
const RUN: usize = 4;
/// Likeness from which a text is a licence.
const ALIKE: f64 = 0.75;
/// Likeness from which it is so without much doubt: what differs is a holder's name or a preamble.
const SURE: f64 = 0.9;
/// Share of a licence's runs from which a longer text has it in it.
const CONTAINED: f64 = 0.92;
/// Words at the start of a text in which a title is looked for.
const TITLE_WORDS: usize = 40;

/// Titles of texts that have no fingerprint, and short notices that stand for a text.
const TITLES: &[(&str, &str)] = &[
    ("meta llama 3 community license agreement", "LicenseRef-llama3"),
    ("creativeml open rail m license", "LicenseRef-openrail-plusplus"),
    ("apple machine learning research model license agreement", "LicenseRef-apple-amlr"),
    ("deepfloyd if license agreement", "LicenseRef-deepfloyd-if-license"),
    ("fair noncommercial research license", "LicenseRef-fair-noncommercial-research-license"),
    ("intel research use license agreement", "LicenseRef-intel-research"),
    ("qwen research license agreement", "LicenseRef-qwen-research"),
    ("mistral ai research license", "LicenseRef-mrl"),
    ("mistral ai non production license", "LicenseRef-mnpl"),
    ("licensed under the apache license version 2 0", "Apache-2.0"),
];

/// Words that take back something, where the licence around them does not.
const RIDERS: &[&str] = &[
    "commons clause",
    "non commercial use",
    "non commercial purposes",
    "non commercial research",
    "noncommercial use",
    "noncommercial purposes",
    "noncommercial research",
    "research purposes only",
    "research use only",
    "not licensed under",
    "may not be used for commercial",
];

/// What a text was recognised as.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised {
    /// The SPDX id or `LicenseRef-…`. The GNU texts are the same for `-only` and `-or-later`, and are called `-only`.
    pub id: String,
    /// What it lets others do.
    pub terms: Option<Terms>,
    /// How much of the text and the licence are the same, from 0 to 1; 0 where only a title was read.
    pub likeness: f64,
    /// How sure that makes it.
    pub confidence: waag_evidence::Confidence,
    /// Other licences that stand in the same text.
    pub others: Vec<String>,
    /// Words beside it that take back what the licence gives.
    pub rider: Option<&'static str>,
}

/// A known text.
struct Known {
    id: &'static str,
    threshold: u32,
    hashes: Vec<u32>,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| FINGERPRINTS.lines().filter_map(known).collect());

fn known(line: &'static str) -> Option<Known> {
    let mut fields = line.split(' ');
    let (id, _, threshold, hashes) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let hashes = hashes.as_bytes().chunks(8).filter_map(|chunk| number(std::str::from_utf8(chunk).ok()?)).collect();
    Some(Known { id, threshold: number(threshold)?, hashes })
}

/// Which licence a text is, if it is one that is known. Copyright lines do not count.
#[must_use]
pub fn of_text(text: &str) -> Option<Recognised> {
    let words = words(text);
    let mut runs: Vec<u32> = words.windows(RUN).map(hash).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut scored: Vec<Scored> = KNOWN.iter().enumerate().map(|(at, known)| score(at, known, &runs)).collect();
    scored.sort_by(|one, other| other.likeness.total_cmp(&one.likeness).then(one.id.cmp(other.id)));
    let best = scored.first().filter(|best| best.likeness >= ALIKE);
    let mut within: Vec<&Scored> = scored.iter().filter(|scored| scored.contained >= CONTAINED).collect();
    within.sort_by(|one, other| {
        other.contained.total_cmp(&one.contained).then(other.size.cmp(&one.size)).then(one.id.cmp(other.id))
    });
    match best.or(within.first().copied()) {
        Some(best) => Some(with_others(best, &within)),
        None => title(&words),
    }
    .map(|found| with_rider(found, &words))
}

/// A licence whose text has words in it that the licence has not.
fn with_rider(found: Recognised, words: &[String]) -> Recognised {
    let gives_all = found.terms.as_ref().is_some_and(|terms| terms.commercial == Commercial::Yes);
    let text = if gives_all { words.join(" ") } else { String::new() };
    let rider = RIDERS.iter().copied().find(|rider| text.contains(rider));
    let confidence = if rider.is_some() { waag_evidence::Confidence::Low } else { found.confidence };
    Recognised { rider, confidence, ..found }
}

/// A licence, and those that stand in the same text without being a part of one another: BSD-2-Clause is in BSD-3-Clause.
fn with_others(best: &Scored, within: &[&Scored]) -> Recognised {
    let mut kept: Vec<&Scored> = vec![best];
    for candidate in within.iter().filter(|candidate| candidate.id != best.id) {
        let is_part = |larger: &&Scored| {
            let known = larger.known();
            shared(&known.hashes, candidate.known(), known.threshold) > 0.5
        };
        if !kept.iter().any(is_part) {
            kept.push(candidate);
        }
    }
    // LGPL-3.0 is written as an addition to GPL-3.0, and comes with it.
    let builds_on = kept.iter().position(|scored| scored.id == "LGPL-3.0-only").filter(|_| best.id == "GPL-3.0-only");
    if let Some(at) = builds_on {
        kept.swap(0, at);
        kept.retain(|scored| scored.id != "GPL-3.0-only");
    }
    let others: Vec<String> = kept.iter().skip(1).map(|scored| scored.id.to_owned()).collect();
    let likeness = if builds_on.is_some() { best.likeness } else { kept[0].likeness };
    kept[0].recognised(likeness, others)
}

/// Share of a known text's runs that are among others.
fn shared(runs: &[u32], known: &Known, limit: u32) -> f64 {
    let of = known.hashes.iter().filter(|hash| **hash <= limit);
    let (mut all, mut found) = (0_u32, 0_u32);
    for hash in of {
        all += 1;
        found += u32::from(runs.binary_search(hash).is_ok());
    }
    if all == 0 { 0.0 } else { f64::from(found) / f64::from(all) }
}

struct Scored {
    at: usize,
    id: &'static str,
    size: usize,
    likeness: f64,
    contained: f64,
}

impl Scored {
    fn known(&self) -> &'static Known {
        &KNOWN[self.at]
    }

    fn recognised(&self, likeness: f64, others: Vec<String>) -> Recognised {
        use waag_evidence::Confidence;
        let is_sure = likeness >= SURE && others.is_empty();
        let confidence = if is_sure { Confidence::High } else { Confidence::Medium };
        Recognised { id: self.id.to_owned(), terms: terms_of(self.id), likeness, confidence, others, rider: None }
    }
}

fn terms_of(id: &str) -> Option<Terms> {
    expression::single(id).choices.into_iter().flatten().next()?.terms
}

/// How much of a known text's runs are there, and how much of what is there is the known text: of the runs whose hashes
/// lie below the threshold, which are a fair sample of both.
fn score(at: usize, known: &'static Known, runs: &[u32]) -> Scored {
    let sample = &runs[..runs.partition_point(|run| *run <= known.threshold)];
    let both = known.hashes.iter().filter(|hash| sample.binary_search(hash).is_ok()).count();
    let share = |part: usize, whole: usize| {
        let number = |value: usize| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
        if whole == 0 { 0.0 } else { number(part) / number(whole) }
    };
    Scored {
        at,
        id: known.id,
        size: known.hashes.len(),
        likeness: share(2 * both, known.hashes.len() + sample.len()),
        contained: share(both, known.hashes.len()),
    }
}

fn title(words: &[String]) -> Option<Recognised> {
    let beginning = words.iter().take(TITLE_WORDS).map(String::as_str).collect::<Vec<_>>().join(" ");
    let (_, id) = TITLES.iter().find(|(title, _)| beginning.contains(title))?;
    Some(Recognised {
        id: (*id).to_owned(),
        terms: terms_of(id),
        likeness: 0.0,
        confidence: waag_evidence::Confidence::Low,
        others: Vec::new(),
        rider: None,
    })
}

/// Words in small letters, without the lines that name holders.
fn words(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !names_a_holder(line));
    let words = lines.flat_map(|line| line.split(|letter: char| !letter.is_ascii_alphanumeric()));
    words.filter(|word| !word.is_empty()).take(MAX_WORDS).map(str::to_ascii_lowercase).collect()
}

fn names_a_holder(line: &str) -> bool {
    let bare = line.trim_matches([' ', '\t', '*', '#', '/', '-', ';', '>', '|', '\r']).to_lowercase();
    ["copyright (c)", "copyright ©", "(c) ", "©"].iter().any(|start| bare.starts_with(start))
        || bare.trim_end_matches('.') == "all rights reserved"
}

/// FNV-1a in 64 bits, folded to 32.
fn hash(run: &[String]) -> u32 {
    let mut value: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in run.join(" ").bytes() {
        value = (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let (high, low) = (value >> 32, value & 0xffff_ffff);
    u32::try_from(high ^ low).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use waag_evidence::Confidence;

    use super::*;

    /// Texts as the SPDX licence list has them: another collection than the one that the fingerprints were made from.
    #[test]
    fn texts_of_the_spdx_list_are_recognised() {
        let mut wrong = Vec::new();
        for known in KNOWN.iter().filter(|known| !known.id.starts_with("LicenseRef-")) {
            let licence = spdx::license_id(known.id).unwrap();
            let recognised = of_text(licence.text());
            if recognised.as_ref().is_none_or(|found| found.id != known.id) {
                let found = recognised.map(|found| format!("{} {:.2}", found.id, found.likeness));
                wrong.push(format!("{}: {}", known.id, found.unwrap_or_default()));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_fingerprint_is_of_a_licence_with_terms() {
        assert!(KNOWN.len() > 80);
        for known in KNOWN.iter() {
            assert!(terms_of(known.id).is_some(), "{}", known.id);
            assert!(known.hashes.is_sorted() && known.hashes.iter().all(|hash| *hash <= known.threshold));
        }
        for (_, id) in TITLES {
            assert!(terms_of(id).is_some(), "{id}");
        }
    }

    #[test]
    fn a_holder_and_a_layout_make_no_difference() {
        let mit = spdx::license_id("MIT").unwrap().text();
        let other = format!(
            "# MIT\n\nCopyright (c) 2026 Somebody Else\nAll rights reserved.\n\n{}",
            mit.replace('\n', "\r\n > ")
        );
        let found = of_text(&other).unwrap();
        assert_eq!((found.id.as_str(), found.confidence), ("MIT", Confidence::High));
    }

    #[test]
    fn two_texts_in_one_file_are_both_named() {
        let text = |id: &str| spdx::license_id(id).unwrap().text();
        let found = of_text(&format!("{}\n\n{}", text("MPL-2.0"), text("OSL-3.0"))).unwrap();
        assert_eq!((found.id.as_str(), found.others), ("MPL-2.0", vec!["OSL-3.0".to_owned()]));
        assert_eq!(found.confidence, Confidence::Medium);
    }

    #[test]
    fn titles_and_notices_are_hints_and_other_texts_are_nothing() {
        let found =
            of_text("META LLAMA 3 COMMUNITY LICENSE AGREEMENT\nMeta Llama 3 Version Release Date: April 18, 2024")
                .unwrap();
        assert_eq!((found.id.as_str(), found.confidence), ("LicenseRef-llama3", Confidence::Low));
        assert_eq!(of_text("All rights are ours. Ask before you use this."), None);
        assert_eq!(of_text(""), None);
        assert_eq!(of_text(&"word ".repeat(200_000)), None);
    }
}
