//! The codec that a file of Python says it is written in, and those in which it says something else than its reader
//! sees.

/// Codecs that write letters, or ends of lines, otherwise than they are seen; spelt without signs between the words.
const ODD: &[&str] = &[
    "utf7",
    "u7",
    "unicode11utf7",
    "unicodeescape",
    "rawunicodeescape",
    "stringescape",
    "punycode",
    "idna",
    "rot13",
    "hex",
    "hexcodec",
    "base64",
    "base64codec",
    "zlib",
    "zlibcodec",
    "bz2",
    "bz2codec",
    "quopri",
    "quopricodec",
    "uu",
    "uucodec",
    "hz",
    "hzgb",
    "hzgb2312",
];

/// The first two lines that name a codec, as Python looks for it (PEP 263): its place and the line.
pub(super) fn odd(text: &str) -> Option<(u64, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, number) in text.split('\n').take(2).zip(1u64..) {
        match cookie(line) {
            Some(codec) => return is_odd(codec).then_some((number, line)),
            // A second line counts where the first says nothing.
            None if !says_nothing(line) => return None,
            None => {}
        }
    }
    None
}

/// Spaces and a comment.
fn says_nothing(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '\u{c}', '\r']);
    line.is_empty() || line.starts_with('#')
}

/// `^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)`
fn cookie(line: &str) -> Option<&str> {
    let mut rest = line.trim_start_matches([' ', '\t', '\u{c}']).strip_prefix('#')?;
    while let Some((_, after)) = rest.split_once("coding") {
        rest = after;
        let Some(name) = after.strip_prefix([':', '=']) else { continue };
        let name = name.trim_start_matches([' ', '\t']);
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let length = name.find(|c| !is_part(c)).unwrap_or(name.len());
        if length > 0 {
            return name.get(..length);
        }
    }
    None
}

/// Python takes any signs between the words of a codec's name for one.
fn is_odd(codec: &str) -> bool {
    let plain: String = codec.chars().filter(char::is_ascii_alphanumeric).take(100).collect();
    ODD.contains(&plain.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_found_as_python_finds_them() {
        for text in [
            "# coding: utf-7\n",
            "# coding: u7\n",
            "# coding: utf--7\n",
            "\u{feff}# -*- coding=UTF_7 -*-\n",
            "#!/usr/bin/python\n# vim: set fileencoding=unicode_1_1_utf_7 :\n",
            "# decoding of coding: unicode.1.1.utf.7\n",
            "# decoding\n# coding:unicode_escape\n",
            "\n \t\u{c}# coding: raw-unicode-escape",
        ] {
            assert!(odd(text).is_some(), "{text}");
        }
        for text in [
            "# coding: utf-8\n# coding: utf-7\n",
            "import a\n# coding: utf-7\n",
            "# coding \u{3a9}: utf-7\n",
            "\n\n# coding: utf-7\n",
            "# the coding of utf-7\n",
            "x = 'coding: utf-7'\n",
            "# -*- coding: latin-1 -*-",
            "",
        ] {
            assert_eq!(odd(text), None, "{text}");
        }
    }
}
