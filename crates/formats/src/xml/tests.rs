//! Documents as people write them, and documents made for their readers.

use super::*;
use crate::fact::{Effect, FactKind, ReferenceKind, Standing};
use crate::testing::{inspect, mutate, oddities};

const MODEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- written by hand -->
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header><Application name="a" version="1"/></Header>
<DataDictionary><DataField name="x" optype="continuous" dataType="double"/></DataDictionary>
<TransformationDictionary><DefineFunction name="twice"><Apply function="*"><FieldRef field="x"/><Constant>2</Constant></Apply>
</DefineFunction></TransformationDictionary>
<RegressionModel functionName="regression"><Apply function="twice"/><Extension name="note" value="none"/></RegressionModel></PMML>
"#;

const NET: &str = r#"<?xml version="1.0"?>
<net name="Model0" version="11"><layers>
<layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,2" element_type="f32"/><output><port id="0" precision="FP32"><dim>1</dim></port></output></layer>
<layer id="1" name="w" type="Const" version="opset1"><data element_type="f32" shape="2,2" offset="0" size="16"/></layer>
<layer id="2" name="y" type="MatMul" version="opset1"><data transpose_a="false"/></layer>
</layers><edges><edge from-layer="0" from-port="0" to-layer="2" to-port="0"/></edges>
<rt_info><MO_version value="2024.0"/></rt_info></net>
"#;

fn odd(text: &str) -> Vec<String> {
    let kinds = oddities(&inspect(&Xml, "model.xml", text.as_bytes()));
    kinds.into_iter().map(|kind| kind.split('@').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_writers_write_is_clean() {
    assert!(odd(MODEL).is_empty(), "{:?}", odd(MODEL));
    assert!(odd(NET).is_empty(), "{:?}", odd(NET));
    assert!(odd("<a><![CDATA[ <b> & ]]]>x<b c='1' d=\"&lt;\"/></a>\n<!-- end -->\n").is_empty());
    let svg =
        r#"<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/a.dtd" [<!ENTITY n "x">]><svg>&n;</svg>"#;
    assert!(odd(svg).is_empty(), "{:?}", odd(svg));
    assert!(odd("<!DOCTYPE GIFTI SYSTEM \"http://www.nitrc.org/frs/download.php/115/gifti.dtd\"><GIFTI/>").is_empty());
}

#[test]
fn entities_are_told_whatever_the_document_is() {
    for body in ["<a/>", "<PMML version='4.4'/>", "<net name='x' version='11'/>"] {
        let fetched = format!("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>{body}");
        assert_eq!(odd(&fetched), ["XmlEntity"], "{body}");
    }
    assert_eq!(odd("<!DOCTYPE PMML [<!ENTITY x 'abc'>]><PMML version='4.4'/>"), ["XmlEntity"]);
    // Without a root there is still a declaration.
    assert_eq!(odd("<!DOCTYPE a SYSTEM 'http://203.0.113.7/a.dtd'>"), ["Malformed", "XmlEntity"]);
}

#[test]
fn the_billion_laughs_are_told() {
    let mut text = "<!DOCTYPE lolz [<!ENTITY lol 'lol'>".to_owned();
    for level in 1..10 {
        let before = if level == 1 { "lol".to_owned() } else { format!("lol{}", level - 1) };
        text.push_str(&format!("<!ENTITY lol{level} '{}'>", format!("&{before};").repeat(10)));
    }
    text.push_str("]><lolz>&lol9;</lolz>");
    assert_eq!(odd(&text).len(), 9);
}

#[test]
fn inclusions_and_styles_are_told() {
    let text = r#"<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd" parse="text"/></a>"#;
    assert_eq!(odd(text), ["XmlEntity"]);
    assert!(odd(&text.replace("/etc/passwd", "chapter.xml")).is_empty());
    assert_eq!(odd("<?xml-stylesheet href='file:///etc/a.xsl'?><a/>"), ["XmlEntity"]);
    assert_eq!(odd("<?xml-stylesheet href='http://203.0.113.7/a.xsl'?><PMML version='4.4'/>"), ["XmlEntity"]);
    assert!(odd("<?xml-stylesheet href='a.css'?><a/>").is_empty());
}

#[test]
fn a_document_may_name_a_public_definition() {
    let text = "<!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' 'http://example.org/rss.dtd'><rss/>";
    let facts = inspect(&Xml, "a.xml", text.as_bytes());
    let named = FactKind::Reference { kind: ReferenceKind::Address, target: "http://example.org/rss.dtd".to_owned() };
    assert!(oddities(&facts).is_empty() && facts.list().iter().any(|fact| fact.kind == named));
    assert_eq!(odd(&text.replace("rss/", "PMML version='4.4'/")), ["XmlEntity"]);
}

#[test]
fn what_is_not_well_formed_is_told() {
    assert_eq!(odd("<a><b></a>"), ["Malformed", "Unreadable"]);
    assert_eq!(odd("<a x='1' x='2'/>"), ["DuplicateName"]);
    assert_eq!(odd("<a/>PK\u{3}\u{4}"), ["TrailingBytes"]);
    assert_eq!(odd("<a/><b/>"), ["TrailingBytes"]);
    assert_eq!(odd("<a>"), ["Malformed", "Unreadable"]);
    assert_eq!(odd(&"<a>".repeat(300)), ["Depth"]);
    assert_eq!(oddities(&inspect(&Xml, "a.xml", b"\xFF\xFE<\0a\0/\0>\0")), ["Unsupported@0"]);
}

fn standings(text: &str) -> Vec<Standing> {
    let facts = inspect(&Pmml, "a.pmml", text.as_bytes());
    let standing = |kind: &FactKind| match kind {
        FactKind::Callable(callable) => Some(callable.standing.clone()),
        _ => None,
    };
    facts.list().iter().filter_map(|fact| standing(&fact.kind)).collect()
}

#[test]
fn functions_with_a_dot_are_classes_of_java() {
    let apply = |name: &str| standings(&format!("<PMML version='4.4'><Apply function='{name}'/></PMML>"));
    assert!(matches!(apply("java.lang.Runtime")[..], [Standing::Dangerous { critical: true, .. }]));
    assert!(matches!(apply("java&#46;lang.ProcessBuilder")[..], [Standing::Dangerous { .. }]));
    assert!(matches!(apply("com.example.Mine")[..], [Standing::Unknown]));
    assert!(apply("x-mine").is_empty());
}

fn effects(format: &dyn crate::format::Format, text: &str) -> Vec<(String, Effect)> {
    let facts = inspect(format, "a.xml", text.as_bytes());
    let effect = |kind: &FactKind| match kind {
        FactKind::Operator(operator) => Some((operator.name.clone(), operator.effect.clone())),
        _ => None,
    };
    facts.list().iter().filter_map(|fact| effect(&fact.kind)).collect()
}

#[test]
fn functions_that_nobody_defines_are_custom() {
    let found = effects(&Pmml, &MODEL.replace("\"twice\"/>", "\"thrice\"/>"));
    assert_eq!(found, [("*".to_owned(), Effect::Computes), ("thrice".to_owned(), Effect::Custom)]);
    assert!(effects(&Pmml, MODEL).iter().all(|(_, effect)| *effect == Effect::Computes));
}

#[test]
fn what_a_document_keeps_elsewhere_or_carries_is_told() {
    let table = "<PMML version='4.4'><TableLocator><Extension name='u' value='jdbc:h2:mem'/></TableLocator></PMML>";
    assert_eq!(odd(table), ["Missing"]);
    let table = "<PMML version='4.4'><TableLocator><x u='http://203.0.113.7/'/></TableLocator></PMML>";
    assert_eq!(odd(table), ["Missing", "ExternalData"]);
    let carried = format!("<PMML version='4.4'><Extension>{}</Extension></PMML>", "QUJD".repeat(100));
    let facts = inspect(&Pmml, "a.pmml", carried.as_bytes());
    assert!(facts.list().iter().any(|fact| matches!(fact.kind, FactKind::Child(_))));
}

#[test]
fn layers_of_other_sets_are_custom() {
    let found = effects(&OpenVino, &NET.replace("\"MatMul\" version=\"opset1\"", "\"Mine\" version=\"extension\""));
    assert_eq!(found.iter().filter(|(_, effect)| *effect == Effect::Custom).count(), 1);
}

#[test]
fn constants_and_edges_are_verified() {
    assert_eq!(odd(&NET.replace("size=\"16\"", "size=\"12\"")), ["SizeMismatch"]);
    assert_eq!(odd(&NET.replace("offset=\"0\"", "offset=\"18446744073709551615\"")), ["OutOfBounds"]);
    assert_eq!(odd(&NET.replace("shape=\"2,2\"", "shape=\"4294967296,4294967296\"")), ["SizeMismatch"]);
    assert_eq!(odd(&NET.replace("layer id=\"2\"", "layer id=\"1\"")), ["DuplicateName", "OutOfBounds"]);
    assert_eq!(odd(&NET.replace("to-layer=\"2\"", "to-layer=\"7\"")), ["OutOfBounds"]);
    assert_eq!(odd(&NET.replace("version=\"11\"", "version=\"7\"")), ["Unsupported"]);
    let second = r#"<layer id="3" name="v" type="Const" version="opset1"><data element_type="f32" shape="2" offset="8" size="8"/></layer></layers>"#;
    assert_eq!(odd(&NET.replace("</layers>", second)), ["Overlap"]);
}

#[test]
fn the_weights_are_named() {
    let facts = inspect(&OpenVino, "folder/openvino_model.xml", NET.as_bytes());
    let target = "openvino_model.bin".to_owned();
    let named = FactKind::Reference { kind: ReferenceKind::Numbers, target };
    assert!(facts.list().iter().any(|fact| fact.kind == named));
    assert_eq!(facts.totals().parameters, 4);
}

#[test]
fn no_mutation_panics() {
    for text in [MODEL, NET, "<!DOCTYPE a [<!ENTITY % x 'a'><!ENTITY y '&z;'> %x; ]><a>&y;</a>"] {
        mutate(text.as_bytes(), 1500, |bytes| drop(inspect(&Xml, "a.xml", &bytes)));
    }
}
