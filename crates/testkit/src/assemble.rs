//! From the text of a case to the bytes of a file. Malicious samples are written as text and never committed as files.

use crate::{gguf, literal, onnx, pickle, protobuf, tensorflow, zip};

/// A file for the scanner.
#[derive(Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Assembles the block whose fence says `kind`: what it is and, optionally, the file's name.
pub fn assemble(kind: &str, body: &str) -> Result<Input, String> {
    let (kind, name) = kind.split_once(' ').map_or((kind, None), |(kind, name)| (kind, Some(name.trim())));
    let (usual, bytes) = bytes(kind, body)?;
    let name = name.or(usual).ok_or_else(|| format!("a '{kind}' block needs a name: ```{kind} NAME"))?;
    Ok(Input { name: literal::text(name)?, bytes })
}

/// The bytes of a block of some kind, and the name such a file usually has.
pub fn bytes(kind: &str, body: &str) -> Result<(Option<&'static str>, Vec<u8>), String> {
    Ok(match kind {
        "pickle-assembly" => (Some("model.pkl"), pickle::assemble(body)?),
        "zip" => (Some("model.zip"), zip::assemble(body)?),
        "safetensors-header" => (Some("model.safetensors"), safetensors(body)?),
        "gguf" => (Some("model.gguf"), gguf::assemble(body)?),
        "onnx" => (Some("model.onnx"), onnx::assemble(body)?),
        "protobuf" => (None, protobuf::assemble(body)?),
        "tensorflow-graph" => (Some("saved_model.pb"), tensorflow::assemble(body)?),
        "jinja" => (Some("chat_template.jinja"), body.as_bytes().to_vec()),
        "json" => (Some("config.json"), body.as_bytes().to_vec()),
        "xml" => (Some("model.xml"), body.as_bytes().to_vec()),
        "text" => (None, body.as_bytes().to_vec()),
        "hex" => (None, literal::hex(body)?),
        _ => return Err(format!("'{kind}' is no kind of input")),
    })
}

/// A header as it stands, its length before it; after it the bytes of `bytes 00 01 …` lines, and as many zero bytes as
/// `data N bytes` says.
fn safetensors(body: &str) -> Result<Vec<u8>, String> {
    let mut header = String::new();
    let mut data = 0;
    let mut first = Vec::new();
    for line in body.lines() {
        if let Some(digits) = line.strip_prefix("bytes ") {
            first.extend(literal::hex(digits)?);
            continue;
        }
        match line.strip_prefix("data ").and_then(|rest| rest.strip_suffix(" bytes")) {
            Some(count) => data = literal::integer::<u16>(count)?,
            None => header.push_str(line),
        }
    }
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(first);
    bytes.resize(bytes.len() + usize::from(data), 0);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_gets_its_length_and_data() {
        let input = assemble("safetensors-header", "{\"a\":\n 1}\ndata 3 bytes\n").unwrap();
        assert_eq!(input.name, "model.safetensors");
        assert_eq!(input.bytes, b"\x08\0\0\0\0\0\0\0{\"a\": 1}\0\0\0");
    }

    #[test]
    fn a_block_may_name_its_file() {
        assert_eq!(assemble("hex a.bin", "00 01"), Ok(Input { name: "a.bin".into(), bytes: vec![0, 1] }));
        assert_eq!(assemble("json", "{}").map(|input| input.name), Ok("config.json".into()));
        assert_eq!(assemble(r#"text "a\u202eb""#, "x").map(|input| input.name), Ok("a\u{202e}b".into()));
        assert!(assemble("text", "x").is_err_and(|error| error.contains("needs a name")));
        assert!(assemble("tarot", "x").is_err());
    }
}
