//! ONNX models for cases, one thing a line:
//!
//! ```text
//! node NAME [domain=D] [attribute=JSON string or integer] …
//! tensor NAME TYPE [shape]                  numbers that are zero
//! external NAME TYPE [shape] key=value …    numbers that are in another file
//! metadata KEY = VALUE
//! opset DOMAIN VERSION
//! function DOMAIN NAME calls OPERATOR [domain=D]
//! ```
//!
//! Types are those that cases need: FLOAT, INT8, INT64.

use crate::{literal, protobuf};

const TYPES: &[(&str, u32, u64)] = &[("FLOAT", 1, 4), ("INT8", 3, 1), ("INT64", 7, 8)];

/// The bytes of a model.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>, String> {
    let (mut graph, mut rest) = (String::new(), String::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (kind, line) = line.split_once(' ').ok_or_else(|| format!("'{line}' is no line of an onnx block"))?;
        match kind {
            "node" => graph.push_str(&format!("1 {{\n{}}}\n", node(line)?)),
            "tensor" => graph.push_str(&format!("5 {{\n{}}}\n", tensor(line, false)?)),
            "external" => graph.push_str(&format!("5 {{\n{}}}\n", tensor(line, true)?)),
            "metadata" => {
                let (key, value) = line.split_once(" = ").ok_or("metadata KEY = VALUE")?;
                rest.push_str(&format!("14 {{\n{}}}\n", pair(&literal::text(key)?, &literal::text(value)?)));
            }
            "opset" => {
                let (domain, version) = line.split_once(' ').ok_or("opset DOMAIN VERSION")?;
                rest.push_str(&format!("8 {{\n1 = {}\n2 = {version}\n}}\n", quoted(domain)));
            }
            "function" => rest.push_str(&format!("25 {{\n{}}}\n", function(line)?)),
            _ => return Err(format!("'{kind}' is no line of an onnx block")),
        }
    }
    let head = "1 = 8\n2 = \"waag\"\n";
    protobuf::assemble(&format!("{head}7 {{\n2 = \"g\"\n{graph}}}\n8 {{\n2 = 17\n}}\n{rest}"))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn pair(key: &str, value: &str) -> String {
    format!("1 = {}\n2 = {}\n", quoted(key), quoted(value))
}

fn node(line: &str) -> Result<String, String> {
    let mut words = line.split(' ');
    let mut node = format!("4 = {}\n", quoted(words.next().unwrap_or_default()));
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("'{word}' is no attribute"))?;
        let value = literal::text(value)?;
        if name == "domain" {
            node.push_str(&format!("7 = {}\n", quoted(&value)));
        } else {
            let (held, kind) = match value.parse::<i64>() {
                Ok(number) => (format!("3 = {number}"), 2),
                Err(_) => (format!("4 = {}", quoted(&value)), 3),
            };
            node.push_str(&format!("5 {{\n1 = {}\n{held}\n20 = {kind}\n}}\n", quoted(name)));
        }
    }
    Ok(node)
}

fn tensor(line: &str, is_external: bool) -> Result<String, String> {
    let (name, line) = line.split_once(' ').ok_or("NAME TYPE [shape]")?;
    let (kind, line) = line.split_once(" [").ok_or("NAME TYPE [shape]")?;
    let (shape, rest) = line.split_once(']').ok_or("NAME TYPE [shape]")?;
    let (_, number, size) = TYPES.iter().find(|(known, ..)| *known == kind).ok_or("no such type")?;
    let extents: Vec<u64> = serde_json::from_str(&format!("[{shape}]")).map_err(|error| error.to_string())?;
    let mut tensor: String = extents.iter().map(|extent| format!("1 = {extent}\n")).collect();
    tensor.push_str(&format!("2 = {number}\n8 = {}\n", quoted(name)));
    if !is_external {
        let bytes = usize::try_from(extents.iter().product::<u64>() * size).map_err(|error| error.to_string())?;
        tensor.push_str(&format!("9 = hex {}\n", "00".repeat(bytes)));
        return Ok(tensor);
    }
    for word in rest.split_whitespace() {
        let (key, value) = word.split_once('=').ok_or_else(|| format!("'{word}' is no key and value"))?;
        tensor.push_str(&format!("13 {{\n{}}}\n", pair(key, &literal::text(value)?)));
    }
    Ok(format!("{tensor}14 = 1\n"))
}

fn function(line: &str) -> Result<String, String> {
    let (head, call) = line.split_once(" calls ").ok_or("function DOMAIN NAME calls OPERATOR")?;
    let (domain, name) = head.split_once(' ').ok_or("function DOMAIN NAME calls OPERATOR")?;
    Ok(format!("1 = {}\n7 {{\n{}}}\n10 = {}\n", quoted(name), node(call)?, quoted(domain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_has_a_version_a_graph_and_its_sets() {
        let bytes = assemble("node Relu\ntensor w FLOAT [2]").unwrap();
        assert!(bytes.starts_with(b"\x08\x08\x12\x04waag\x3A"));
        assert!(bytes.windows(4).any(|part| part == b"Relu"));
        assert!(assemble("walrus x").is_err());
        assert!(assemble("node PyOp domain=x module=\"os\" n=1").is_ok());
        assert!(assemble("external w FLOAT [2] location=../x length=8").is_ok());
    }
}
