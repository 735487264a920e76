//! Licences as people write them: names, other spellings, classifiers of PyPI, addresses.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::terms::{self, Terms};

/// Longest text that is taken for a name.
const MAX_NAME: usize = 200;

/// Spellings that do not follow from names and ids, after `plain`, and the id that they mean.
const SPELLINGS: &[(&str, &str)] = &[
    ("apache", "Apache-2.0"),
    ("apache 2", "Apache-2.0"),
    ("apache software", "Apache-2.0"),
    ("apl 2.0", "Apache-2.0"),
    ("al2", "Apache-2.0"),
    ("asl 2.0", "Apache-2.0"),
    ("expat", "MIT"),
    ("mit x11", "MIT"),
    ("x11", "X11"),
    ("bsd 2 clause", "BSD-2-Clause"),
    ("bsd 2 clause simplified", "BSD-2-Clause"),
    ("bsd 2 clause freebsd", "BSD-2-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("freebsd", "BSD-2-Clause"),
    ("2 clause bsd", "BSD-2-Clause"),
    ("bsd 3 clause", "BSD-3-Clause"),
    ("bsd 3 clause new or revised", "BSD-3-Clause"),
    ("3 clause bsd", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("modified bsd", "BSD-3-Clause"),
    ("revised bsd", "BSD-3-Clause"),
    ("boost software 1.0", "BSL-1.0"),
    ("boost software", "BSL-1.0"),
    ("mozilla public 2.0", "MPL-2.0"),
    ("mozilla public 2.0 mpl 2.0", "MPL-2.0"),
    ("mpl 2", "MPL-2.0"),
    ("gnu gpl 3", "GPL-3.0-only"),
    ("gnu gpl 2", "GPL-2.0-only"),
    ("gpl 3", "GPL-3.0-only"),
    ("gpl 2", "GPL-2.0-only"),
    ("gnu general public 2", "GPL-2.0-only"),
    ("gnu general public 3", "GPL-3.0-only"),
    ("gnu general public 2 gpl 2", "GPL-2.0-only"),
    ("gnu general public 3 gpl 3", "GPL-3.0-only"),
    ("gnu general public 2 or later gpl 2+", "GPL-2.0-or-later"),
    ("gnu general public 3 or later gpl 3+", "GPL-3.0-or-later"),
    ("gnu affero general public 3", "AGPL-3.0-only"),
    ("agpl 3", "AGPL-3.0-only"),
    ("gnu agpl 3", "AGPL-3.0-only"),
    ("gnu affero general public 3 or later agpl 3+", "AGPL-3.0-or-later"),
    ("gnu lesser general public 3", "LGPL-3.0-only"),
    ("lgpl 3", "LGPL-3.0-only"),
    ("gnu lesser general public 3 lgpl 3", "LGPL-3.0-only"),
    ("gnu lesser general public 3 or later lgpl 3+", "LGPL-3.0-or-later"),
    ("gnu lesser general public 2 or later lgpl 2+", "LGPL-2.0-or-later"),
    ("lgpl 2.1", "LGPL-2.1-only"),
    ("gpl 3 or later", "GPL-3.0-or-later"),
    ("gpl 2 or later", "GPL-2.0-or-later"),
    ("gpl 3+", "GPL-3.0-or-later"),
    ("gpl 2+", "GPL-2.0-or-later"),
    ("agpl 3+", "AGPL-3.0-or-later"),
    ("isc iscl", "ISC"),
    ("python software foundation", "PSF-2.0"),
    ("psf", "PSF-2.0"),
    ("zero clause bsd 0bsd", "0BSD"),
    ("universal permissive upl", "UPL-1.0"),
    ("eclipse public 2.0 epl 2.0", "EPL-2.0"),
    ("eclipse public 1.0 epl 1.0", "EPL-1.0"),
    ("european union public 1.2 eupl 1.2", "EUPL-1.2"),
    ("european union public 1.1 eupl 1.1", "EUPL-1.1"),
    ("zlib libpng", "Zlib"),
    ("unlicense unlicense", "Unlicense"),
    ("cc0", "CC0-1.0"),
    ("cc0 1.0 universal", "CC0-1.0"),
    ("cc0 1.0 universal cc0 1.0 public domain dedication", "CC0-1.0"),
    ("creative commons zero", "CC0-1.0"),
    ("creative commons attribution 4.0 international", "CC-BY-4.0"),
    ("creative commons attribution sharealike 4.0 international", "CC-BY-SA-4.0"),
    ("creative commons attribution noncommercial 4.0 international", "CC-BY-NC-4.0"),
    ("creative commons attribution noderivatives 4.0 international", "CC-BY-ND-4.0"),
    ("creative commons attribution noncommercial sharealike 4.0 international", "CC-BY-NC-SA-4.0"),
    ("creative commons attribution noncommercial noderivatives 4.0 international", "CC-BY-NC-ND-4.0"),
    ("openrail++ m", "LicenseRef-openrail-plusplus"),
    ("creativeml open rail++ m", "LicenseRef-openrail-plusplus"),
    ("creativeml open rail m", "LicenseRef-creativeml-openrail-m"),
    ("bigscience open rail m", "LicenseRef-bigscience-openrail-m"),
    ("bigcode open rail m", "LicenseRef-bigcode-openrail-m"),
    ("meta llama 3 community", "LicenseRef-llama3"),
    ("gemma terms use", "LicenseRef-gemma"),
    ("qwen research", "LicenseRef-qwen-research"),
    ("stability ai community", "LicenseRef-stabilityai-ai-community"),
    ("falcon llm", "LicenseRef-falcon-llm"),
    ("nvidia open model", "LicenseRef-nvidia-open-model"),
    ("flux 1 dev non commercial", "LicenseRef-flux-1-dev-non-commercial"),
];

/// Words that say nothing about which licence it is.
const FILLERS: &[&str] =
    &["the", "a", "an", "license", "licence", "licensed", "under", "version", "v", "agreement", "of"];

static NAMES: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let table = terms::all().iter().filter(|terms| !terms.unknown);
    let names = table.flat_map(|terms| [(plain(&terms.name), terms.id()), (plain(terms.id()), terms.id())]);
    let spellings = SPELLINGS.iter().map(|(spelling, id)| ((*spelling).to_owned(), *id));
    // What was written down by hand holds over what was derived.
    names.chain(spellings).collect()
});

/// The SPDX id or `LicenseRef-…` that a name means.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let last = name.rsplit(" :: ").next().unwrap_or(name);
    NAMES.get(&plain(last)).copied()
}

/// The licence whose text is at an address.
pub(super) fn at(link: &str) -> Option<&'static Terms> {
    let bare = |address: &str| {
        let address = address.trim().trim_start_matches("https://").trim_start_matches("http://");
        address.trim_start_matches("www.").trim_end_matches('/').to_ascii_lowercase()
    };
    let link = bare(link);
    if link.is_empty() {
        return None;
    }
    let creative_commons = link.strip_prefix("creativecommons.org/licenses/").and_then(|rest| {
        let (kind, rest) = rest.split_once('/')?;
        terms::of_expression(&format!("CC-{kind}-{}", rest.split('/').next()?))
    });
    let known = terms::all().iter().find(|terms| terms.url.as_deref().is_some_and(|url| bare(url) == link));
    let other = match link.as_str() {
        "apache.org/licenses/license-2.0" | "apache.org/licenses/license-2.0.txt" => Some("Apache-2.0"),
        "opensource.org/licenses/mit" | "opensource.org/license/mit" => Some("MIT"),
        "creativecommons.org/publicdomain/zero/1.0" => Some("CC0-1.0"),
        _ => None,
    };
    creative_commons.or(known).or_else(|| other.and_then(terms::of_expression))
}

/// A name without what does not matter: case, punctuation, words such as "license" and "version".
fn plain(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '.' | '+');
    for word in name.to_lowercase().split(|character| !is_part(character)) {
        let word = word.trim_matches('.');
        let (word, number) = without_version(word);
        if !word.is_empty() && !FILLERS.contains(&word) {
            words.push(word.to_owned());
        }
        words.extend(number.map(str::to_owned));
    }
    words.join(" ")
}

/// `v2`, `gplv3+`: the word, and the number after its `v`.
fn without_version(word: &str) -> (&str, Option<&str>) {
    let at = word.rfind('v').filter(|at| word[at + 1..].starts_with(|first: char| first.is_ascii_digit()));
    at.map_or((word, None), |at| (&word[..at], Some(&word[at + 1..])))
}

/// A name as the rest of a `LicenseRef-`; none when nothing is left of it.
pub(super) fn reference(name: &str) -> Option<String> {
    let mut slug = String::new();
    for character in name.chars().take(MAX_NAME) {
        match character {
            'a'..='z' | '0'..='9' | '.' => slug.push(character),
            'A'..='Z' => slug.push(character.to_ascii_lowercase()),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_matches(['-', '.']);
    (!slug.is_empty()).then(|| format!("LicenseRef-{slug}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_the_ways_people_write_them() {
        let cases = [
            ("Apache License, Version 2.0", "Apache-2.0"),
            ("The Apache License 2.0", "Apache-2.0"),
            ("License :: OSI Approved :: Apache Software License", "Apache-2.0"),
            ("License :: OSI Approved :: MIT License", "MIT"),
            ("License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
            ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
            ("License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
            ("License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
            ("BSD 3-Clause \"New\" or \"Revised\" License", "BSD-3-Clause"),
            ("Creative Commons Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
            ("Llama 3.2 Community License Agreement", "LicenseRef-llama3.2"),
            ("Gemma Terms of Use", "LicenseRef-gemma"),
        ];
        for (name, id) in cases {
            assert_eq!(meant(name), Some(id), "{name}: {}", plain(name));
        }
        assert_eq!(meant("License :: OSI Approved :: BSD License"), None, "which BSD is not said");
        assert_eq!(meant("Proprietary"), None);
    }

    #[test]
    fn addresses_of_texts_are_known() {
        let id = |link| at(link).map(Terms::id);
        assert_eq!(id("https://ai.google.dev/gemma/terms"), Some("LicenseRef-gemma"));
        assert_eq!(id("http://www.apache.org/licenses/LICENSE-2.0"), Some("Apache-2.0"));
        assert_eq!(id("https://creativecommons.org/licenses/by-nc-sa/4.0/"), Some("CC-BY-NC-SA-4.0"));
        assert_eq!((id("LICENSE"), id("")), (None, None));
    }

    #[test]
    fn a_reference_has_only_letters_that_it_may_have() {
        assert_eq!(reference("My Licence (2024) ☃").as_deref(), Some("LicenseRef-my-licence-2024"));
        assert_eq!(reference("☃"), None);
    }
}
