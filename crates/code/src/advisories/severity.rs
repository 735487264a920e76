//! How bad an advisory is: by its vector of CVSS, or else by its database's word.

use std::str::FromStr as _;

use cvss::Cvss;
use serde::Serialize;
use waag_evidence::Severity;

use super::advisory::Advisory;

/// How bad, and who says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rated {
    /// How bad.
    pub severity: Severity,
    /// The score of CVSS, where a vector could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The vector, or the database's word; empty where neither is there.
    pub said: String,
}

/// How bad several advisories about one weakness are: the worst that any says. Unrated counts as medium; of a package that was
/// published to do harm nothing is.
#[must_use]
pub fn rate(advisories: &[&Advisory]) -> Rated {
    if advisories.iter().any(|one| one.is_malicious()) {
        return Rated { severity: Severity::Critical, score: None, said: "malicious".to_owned() };
    }
    let vectors = advisories.iter().flat_map(|one| &one.vectors).filter_map(|vector| by_vector(vector));
    // Newer versions of CVSS supersede older ones; of one version the worst counts.
    if let Some((_, rated)) = vectors.max_by(|(one, first), (other, second)| {
        one.cmp(other).then(first.score.unwrap_or(0.0).total_cmp(&second.score.unwrap_or(0.0)))
    }) {
        return rated;
    }
    let words = advisories.iter().filter_map(|one| one.word.as_deref()).filter_map(by_word);
    let unrated = || {
        let said = advisories.iter().flat_map(|one| &one.vectors).next().cloned().unwrap_or_default();
        Rated { severity: Severity::Medium, score: None, said }
    };
    words.max_by_key(|rated| rated.severity).unwrap_or_else(unrated)
}

/// The version of CVSS, and what its score means.
fn by_vector(vector: &str) -> Option<(u8, Rated)> {
    let cvss = Cvss::from_str(vector).ok()?;
    let score = cvss.score();
    let severity = match score {
        9.0.. => Severity::Critical,
        7.0.. => Severity::High,
        4.0.. => Severity::Medium,
        _ => Severity::Low,
    };
    let version = u8::from(vector.starts_with("CVSS:4"));
    Some((version, Rated { severity, score: Some(score), said: vector.to_owned() }))
}

fn by_word(word: &str) -> Option<Rated> {
    let severity = match word.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" => Severity::High,
        "moderate" | "medium" => Severity::Medium,
        "low" => Severity::Low,
        _ => return None,
    };
    Some(Rated { severity, score: None, said: word.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advisory(vectors: &[&str], word: Option<&str>) -> Advisory {
        Advisory {
            id: "A-1".to_owned(),
            aliases: Vec::new(),
            summary: String::new(),
            modified: String::new(),
            withdrawn: None,
            vectors: vectors.iter().map(|one| (*one).to_owned()).collect(),
            word: word.map(str::to_owned),
            affected: Vec::new(),
        }
    }

    #[test]
    fn scores_are_those_of_first() {
        // Examples of the specifications' own documents.
        for (vector, score, severity) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, Severity::Critical),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, Severity::Medium),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, Severity::High),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, Severity::Critical),
        ] {
            let rated = rate(&[&advisory(&[vector], Some("LOW"))]);
            assert_eq!((rated.score, rated.severity), (Some(score), severity), "{vector}");
        }
    }

    #[test]
    fn without_a_vector_a_word_counts_and_without_both_medium() {
        assert_eq!(rate(&[&advisory(&[], Some("HIGH")), &advisory(&["odd"], None)]).severity, Severity::High);
        let rated = rate(&[&advisory(&["odd"], None)]);
        assert_eq!((rated.severity, rated.said.as_str()), (Severity::Medium, "odd"));
        let malicious = Advisory { aliases: vec!["MAL-2024-1".to_owned()], ..advisory(&[], Some("LOW")) };
        assert_eq!(rate(&[&malicious]).severity, Severity::Critical);
    }
}
