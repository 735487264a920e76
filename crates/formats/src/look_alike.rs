//! Names that are taken for others: letters of another script, a letter off a name that everybody knows, an ending
//! behind an ending, and names that Windows takes for devices.

use std::sync::LazyLock;

/// Letters of other scripts, and the Latin letters they look like.
const CONFUSABLE: &str =
    "аaеeоoрpсcуyхxіiјjѕsԁdԛqԝwһhАAВBЕEКKМMНHОOРPСCТTХXУYЅSІIЈJοoνvαaρpΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXɑaɡg";
/// Names that loaders look for.
const KNOWN: &[&str] = &[
    "model.safetensors",
    "pytorch_model.bin",
    "adapter_model.safetensors",
    "adapter_model.bin",
    "adapter_config.json",
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "generation_config.json",
    "model_index.json",
    "special_tokens_map.json",
    "preprocessor_config.json",
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.bin",
    "tf_model.h5",
    "flax_model.msgpack",
    "model.onnx",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
    "saved_model.pb",
];
/// Endings of data, and endings that are run; only the last one counts.
const DATA: &[&str] = &[
    "safetensors",
    "onnx",
    "gguf",
    "json",
    "txt",
    "pdf",
    "png",
    "jpg",
    "jpeg",
    "md",
    "csv",
    "docx",
    "h5",
    "bin",
    "pt",
    "npy",
    "yaml",
];
const RUN: &[&str] =
    &["exe", "scr", "bat", "cmd", "com", "pif", "vbs", "vbe", "jse", "wsf", "lnk", "msi", "ps1", "hta", "dll"];
const PICKLES: &[&str] = &["pkl", "pickle", "pt", "pth", "bin", "ckpt"];
const DEVICES: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3",
];
/// Letters of a name from which on one that is a letter off is no other word.
const LONG: usize = 10;

/// Why a name is easily taken for another; a member of an archive is also unpacked elsewhere.
#[must_use]
pub fn judge(path: &str, is_member: bool) -> Option<String> {
    let name = path.rsplit(['/', '\\']).find(|part| !part.is_empty())?;
    if name.len() > 1_000 {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    if is_member && DEVICES.contains(&stem.trim_end()) && lower != stem {
        return Some(format!("'{name}' is a device to Windows"));
    }
    let own = skeleton(&lower);
    let nearly = |(known, skeleton): &&(&str, String)| lower != *known && (own == *skeleton || is_off(&lower, known));
    endings(&lower).or_else(|| SKELETONS.iter().find(nearly).map(|(known, _)| format!("'{name}' is nearly '{known}'")))
}

/// The device of Windows that a part of a path is: unpacked there, it opens the device and not a file. With an ending, as
/// `aux.npy`, only old versions take it for one.
#[must_use]
pub fn device(path: &str) -> Option<&str> {
    path.split(['/', '\\']).find(|part| DEVICES.iter().any(|device| part.trim_end().eq_ignore_ascii_case(device)))
}

/// Why the letters of a name are not what they look like: another script's among Latin ones.
#[must_use]
pub fn mixed_script(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).find(|part| !part.is_empty()).filter(|name| name.len() <= 1_000)?;
    other_script(path, name)
}

/// Names that loaders look for, with what their letters look like.
static SKELETONS: LazyLock<Vec<(&str, String)>> =
    LazyLock::new(|| KNOWN.iter().map(|known| (*known, skeleton(known))).collect());

fn other_script(path: &str, name: &str) -> Option<String> {
    if path.is_ascii() {
        return None;
    }
    if let Some(word) = path.split(|c: char| !c.is_alphanumeric()).find(|word| is_mixed(word)) {
        return Some(format!("'{word}' in '{name}' has letters of another script among Latin ones"));
    }
    let latin: String = name.chars().map(|c| confused(c).unwrap_or(c)).collect();
    let is_known = latin != name && KNOWN.contains(&latin.as_str());
    is_known.then(|| format!("'{name}' is written in letters of another script, and read as '{latin}'"))
}

fn confused(character: char) -> Option<char> {
    let fullwidth =
        u32::from(character).checked_sub(0xFEE0).and_then(char::from_u32).filter(char::is_ascii_alphanumeric);
    let mut pairs = CONFUSABLE.chars();
    while let (Some(other), Some(latin)) = (pairs.next(), pairs.next()) {
        if other == character {
            return Some(latin);
        }
    }
    fullwidth
}

/// Latin letters, and letters of another script that look like Latin ones, in one word.
fn is_mixed(word: &str) -> bool {
    let latin = word.chars().any(|c| c.is_ascii_alphabetic());
    let foreign: Vec<char> = word.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()).collect();
    // A word of another script with a Latin letter in it has letters that look like nothing else.
    latin && !foreign.is_empty() && foreign.iter().all(|c| confused(*c).is_some())
}

/// `model.safetensors.pkl`, `card.pdf.exe`.
fn endings(lower: &str) -> Option<String> {
    let mut parts = lower.rsplit('.');
    let (last, before) = (parts.next()?, parts.next()?);
    parts.next()?;
    let runs = DATA.contains(&before) && RUN.contains(&last);
    let unpickles = matches!(before, "safetensors" | "gguf" | "onnx") && PICKLES.contains(&last);
    (runs || unpickles).then(|| format!("'{lower}' looks like .{before} and is .{last}"))
}

/// One letter for another, or two changed about.
fn is_off(name: &str, known: &str) -> bool {
    let (stem, known_stem) = (name.split('.').next().unwrap_or_default(), known.split('.').next().unwrap_or_default());
    let same_ending = name.get(stem.len()..) == known.get(known_stem.len()..);
    let same_length = stem.len() == known_stem.len() && stem.len() >= LONG;
    if !same_ending || !same_length {
        return false;
    }
    let differ: Vec<(u8, u8)> = stem.bytes().zip(known_stem.bytes()).filter(|(one, other)| one != other).collect();
    match differ.as_slice() {
        [(one, other)] => one.is_ascii_lowercase() && other.is_ascii_lowercase(),
        [(a, b), (c, d)] => a == d && b == c,
        _ => false,
    }
}

/// A name with signs that look alike made the same.
fn skeleton(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '|' => 'l',
            '3' => 'e',
            '5' => 's',
            other => other,
        })
        .collect();
    plain.replace("rn", "m").replace("vv", "w")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_told() {
        for name in [
            "mоdel.safetensors",
            "a/pytorch_mode1.bin",
            "pytorch_modle.bin",
            "rnodel.safetensors",
            "model.safetensors.pkl",
            "card.pdf.exe",
            "ｍodel.bin",
            "tokenlzer_config.json",
        ] {
            assert!(mixed_script(name).or_else(|| judge(name, false)).is_some(), "{name}");
        }
        assert!(judge("x/AUX.txt", true).is_some() && judge("x/AUX.txt", false).is_none());
    }

    #[test]
    fn ordinary_names_are_not() {
        for name in [
            "model.safetensors",
            "Модель.pt",
            "模型.safetensors",
            "モデル.bin",
            "μ_model.pt",
            "model2.bin",
            "models.bin",
            "config.jsonl",
            "model-00001-of-00002.safetensors",
            "model.fp16.safetensors",
            "model.tar.gz",
            "data.json.gz",
            "pytorch_model.bin.index.json",
            "tokenizer.model",
            "Über.txt",
            "naïve.py",
            "βeta.pt",
            "отчёт2.pt",
            "model.onnx.data",
            "optimizer.pt",
            "auxiliary.txt",
            "vocab.txt",
            "model.safetensors.index.json",
            "adapter_model.bin",
            "конфиг.json",
        ] {
            assert_eq!(mixed_script(name).or_else(|| judge(name, true)), None, "{name}");
        }
    }
}
