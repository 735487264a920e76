//! The rules about cards: each is a page beside this file, and one line in [`RULES`]. Licences have their own, in
//! [`crate::licence::rules`].

use crate::rules::Meta;

/// There is no card.
pub static MISSING: Meta = Meta {
    id: "card-missing",
    title: "models and datasets without a card",
    page: include_str!("rules/card_missing.md"),
};

/// What a reader needs is not in it.
pub static INCOMPLETE: Meta = Meta {
    id: "card-incomplete",
    title: "cards that leave out what their reader needs",
    page: include_str!("rules/card_incomplete.md"),
};

/// It says what the files do not.
pub static CONTRADICTION: Meta = Meta {
    id: "card-contradiction",
    title: "cards that say other than the files",
    page: include_str!("rules/card_contradiction.md"),
};

/// Its values break the rules of cards.
pub static MALFORMED: Meta =
    Meta { id: "card-malformed", title: "cards that programs misread", page: include_str!("rules/card_malformed.md") };

/// Every rule about cards, in the order in which they are listed to people.
pub static RULES: &[&Meta] = &[&MISSING, &INCOMPLETE, &CONTRADICTION, &MALFORMED];
