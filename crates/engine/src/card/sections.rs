//! What a card has to have: values before its text, and sections. Each has an id, which exceptions can name.

use super::markdown::{self, Section};
use super::read::{Card, Kind};

/// A section that a reader needs.
#[derive(Debug)]
pub struct Wanted {
    /// Its id.
    pub id: &'static str,
    /// The heading that a draft gives it.
    pub heading: &'static str,
    /// What it answers.
    pub asks: &'static str,
    /// Words in headings that it goes by.
    words: &'static [&'static str],
    /// Values that stand for it.
    values: &'static [&'static str],
}

/// Sections of the card of a model.
pub static MODEL: &[Wanted] = &[
    Wanted {
        id: "description",
        heading: "Model description",
        asks: "what it is, what goes in and what comes out",
        words: &["description", "details", "overview", "summary", "about", "introduction", "model card"],
        values: &[],
    },
    Wanted {
        id: "intended-use",
        heading: "Intended use",
        asks: "what it is for, for whom, and what it is not for",
        words: &["intended", "uses", "use case", "direct use", "application", "out-of-scope", "what is it for"],
        values: &[],
    },
    Wanted {
        id: "limitations",
        heading: "Limitations and risks",
        asks: "where it fails, whom it treats worse, what can go wrong",
        words: &["limitation", "bias", "risk", "ethic", "caveat", "safety", "known issues"],
        values: &[],
    },
    Wanted {
        id: "training-data",
        heading: "Training data",
        asks: "what it was trained on, from where, and how that was chosen",
        words: &["data", "corpus", "corpora"],
        values: &["datasets"],
    },
    Wanted {
        id: "evaluation",
        heading: "Evaluation",
        asks: "how well it does, on which data, by which measure",
        words: &["evaluation", "result", "metric", "performance", "benchmark", "accuracy"],
        values: &["model-index"],
    },
    Wanted {
        id: "contact",
        heading: "Contact",
        asks: "who made it, and whom to ask",
        words: &["contact", "author", "citation", "cite", "maintainer", "team", "developed by", "contributors"],
        values: &[],
    },
];

/// Sections of the card of a dataset.
pub static DATASET: &[Wanted] = &[
    Wanted {
        id: "description",
        heading: "Dataset description",
        asks: "what it is, and how much of it there is",
        words: &["description", "details", "overview", "summary", "about", "introduction", "dataset card"],
        values: &[],
    },
    Wanted {
        id: "intended-use",
        heading: "Intended use",
        asks: "what it is for, and what it is not for",
        words: &["intended", "uses", "use case", "supported tasks", "direct use", "out-of-scope", "tasks"],
        values: &[],
    },
    Wanted {
        id: "structure",
        heading: "Structure",
        asks: "its fields, types and splits",
        words: &["structure", "field", "split", "format", "schema", "instances", "columns"],
        values: &["dataset_info", "configs"],
    },
    Wanted {
        id: "source",
        heading: "Source and collection",
        asks: "where it comes from, who collected and labelled it, and how",
        words: &["source", "creation", "collection", "curation", "annotation", "process"],
        values: &[],
    },
    Wanted {
        id: "personal-data",
        heading: "Personal and sensitive data",
        asks: "whether people can be recognised in it, and what was done about it",
        words: &["personal", "sensitive", "privacy", "anonymi"],
        values: &[],
    },
    Wanted {
        id: "limitations",
        heading: "Limitations and biases",
        asks: "whom and what it leaves out, and where it is wrong",
        words: &["limitation", "bias", "risk", "consideration", "caveat", "social impact"],
        values: &[],
    },
    Wanted {
        id: "contact",
        heading: "Contact",
        asks: "who made it, and whom to ask",
        words: &["contact", "author", "citation", "cite", "maintainer", "curator", "contribut"],
        values: &[],
    },
];

/// Values that a card has to have, and what they say. The licence has a rule of its own.
pub static VALUES: &[(Kind, &str, &str)] = &[
    (Kind::Model, "library_name", "which library loads it"),
    (Kind::Model, "pipeline_tag", "what task it does"),
    (Kind::Dataset, "language", "which languages it is in"),
    (Kind::Dataset, "task_categories", "which tasks it is for"),
];

/// The sections that a card of this kind has to have.
#[must_use]
pub fn wanted(kind: Kind) -> &'static [Wanted] {
    match kind {
        Kind::Model => MODEL,
        Kind::Dataset => DATASET,
    }
}

/// How a section stands in a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Filled,
    /// It has a heading and nothing below, at this offset in the text.
    Empty(usize),
    Absent,
}

/// How each wanted section stands in a card.
pub(crate) fn states(card: &Card) -> Vec<(&'static Wanted, State)> {
    let sections = markdown::sections(&card.text);
    wanted(card.kind).iter().map(|wanted| (wanted, state(card, wanted, &sections))).collect()
}

fn state(card: &Card, wanted: &Wanted, sections: &[Section]) -> State {
    let root = card.root();
    if wanted.values.iter().any(|key| root.get(key).is_some_and(|node| !node.items().is_empty())) {
        return State::Filled;
    }
    let fits = |section: &&Section| {
        let title = section.title.to_lowercase();
        wanted.words.iter().any(|word| title.contains(word))
    };
    let mut found: Vec<&Section> = sections.iter().filter(fits).collect();
    // What stands at the beginning, or below the first heading, describes it.
    if wanted.id == "description" {
        found.extend(sections.iter().take(2));
    }
    if found.iter().any(|section| markdown::is_filled(&section.body)) || is_labelled(card, wanted) {
        return State::Filled;
    }
    let named = found.iter().find(|section| section.level > 0 && fits(section));
    named.map_or(State::Absent, |section| State::Empty(section.offset))
}

/// `**Developed by:** somebody`: a line that answers without a heading.
fn is_labelled(card: &Card, wanted: &Wanted) -> bool {
    wanted.id == "contact"
        && super::label::labelled(&card.text).iter().any(|label| {
            ["developed by", "contact", "author", "authors", "curated by", "maintainer", "point of contact"]
                .contains(&label.key.as_str())
                && markdown::is_filled(&label.value)
        })
}
