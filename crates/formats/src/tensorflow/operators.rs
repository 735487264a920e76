//! What is known of TensorFlow's operators: which reach the machine they run on, and which TensorFlow does not have.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::fact::Effect;

/// When an operator of the table reaches the machine, and what tells which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Whatever its arguments are.
    Always,
    /// Through the path in an input. Files that the model brings with it (assets) are its own.
    Path(usize),
    /// As [`Way::Path`], and a plain relative name is ordinary too: vocabularies of tables.
    Table(usize),
    /// As [`Way::Path`], and whoever runs the model may name the file too: the operators of savers.
    Saver(usize),
    /// As [`Way::Path`], and an empty name means memory: caches.
    Cache(usize),
    /// Through the text of an attribute, unless that says something ordinary.
    Attribute(&'static str),
}

/// An operator that reaches the machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does: completes "running this model …".
    pub(super) what: &'static str,
    /// Whether it hands the machine over.
    pub(super) critical: bool,
    /// When it does so.
    pub(super) way: Way,
}

const fn writes(name: &'static str, way: Way) -> Reach {
    Reach { name, what: "writes files", critical: true, way }
}

const fn reads(name: &'static str, way: Way) -> Reach {
    Reach { name, what: "reads files", critical: false, way }
}

const fn talks(name: &'static str) -> Reach {
    Reach { name, what: "talks over a network", critical: false, way: Way::Always }
}

const fn python(name: &'static str) -> Reach {
    Reach { name, what: "calls Python functions of the process that runs it", critical: true, way: Way::Always }
}

const fn does(name: &'static str, what: &'static str, critical: bool) -> Reach {
    Reach { name, what, critical, way: Way::Always }
}

const fn debugs(name: &'static str) -> Reach {
    let what = "sends what it computes to files or addresses";
    Reach { name, what, critical: true, way: Way::Attribute("debug_urls") }
}

/// Every operator with an effect on the machine, by name. Collective operators and those that configure TPUs are not
/// here: they stay within the cluster that whoever runs the model has set up.
static REACHES: &[Reach] = &[
    does("Abort", "ends the process that runs it", false),
    does("FileSystemSetConfiguration", "changes how file systems are reached", false),
    does("RemoteCall", "calls functions on other machines of its cluster", false),
    does("_RemoteCall", "calls functions on other machines of its cluster", false),
    does("XlaCustomCall", "calls functions of machine code in its process by their names", false),
    does("XlaCustomCallV2", "calls functions of machine code in its process by their names", false),
    // What `tf.contrib.ffmpeg` brought: each starts the program `ffmpeg` of the machine over a temporary file.
    does("DecodeAudio", "starts the program ffmpeg", true),
    does("DecodeAudioV2", "starts the program ffmpeg", true),
    does("DecodeVideo", "starts the program ffmpeg", true),
    does("EncodeAudio", "starts the program ffmpeg", true),
    python("EagerPyFunc"),
    python("PyFunc"),
    python("PyFuncStateless"),
    writes("WriteFile", Way::Path(0)),
    writes("DatasetToTFRecord", Way::Path(1)),
    writes("ExperimentalDatasetToTFRecord", Way::Path(1)),
    writes("SaveDataset", Way::Path(1)),
    writes("SaveDatasetV2", Way::Path(1)),
    writes("SnapshotDataset", Way::Path(1)),
    writes("SnapshotDatasetV2", Way::Path(1)),
    writes("CacheDataset", Way::Cache(1)),
    writes("CacheDatasetV2", Way::Cache(1)),
    writes("DistributedSave", Way::Path(1)),
    writes("CreateSummaryFileWriter", Way::Path(1)),
    writes("CreateSummaryDbWriter", Way::Path(1)),
    writes("CalibrationStatisticsSaver", Way::Attribute("output_file_path")),
    writes("DumpTensor", Way::Attribute("log_dir_path")),
    writes("PrintV2", Way::Attribute("output_stream")),
    writes("Save", Way::Saver(0)),
    writes("SaveSlices", Way::Saver(0)),
    writes("SaveV2", Way::Saver(0)),
    writes("MergeV2Checkpoints", Way::Saver(1)),
    // SQLite opens its file for writing, creates it when it is not there, and takes any statement.
    writes("SqlDataset", Way::Path(1)),
    writes("ExperimentalSqlDataset", Way::Path(1)),
    debugs("DebugIdentity"),
    debugs("DebugIdentityV2"),
    debugs("DebugIdentityV3"),
    debugs("DebugNanCount"),
    debugs("DebugNumericSummary"),
    reads("ReadFile", Way::Path(0)),
    reads("MatchingFiles", Way::Path(0)),
    reads("MatchingFilesDataset", Way::Path(0)),
    reads("ExperimentalMatchingFilesDataset", Way::Path(0)),
    reads("CSVDataset", Way::Path(0)),
    reads("CSVDatasetV2", Way::Path(0)),
    reads("ExperimentalCSVDataset", Way::Path(0)),
    reads("FixedLengthRecordDataset", Way::Path(0)),
    reads("FixedLengthRecordDatasetV2", Way::Path(0)),
    reads("LMDBDataset", Way::Path(0)),
    reads("ExperimentalLMDBDataset", Way::Path(0)),
    reads("TFRecordDataset", Way::Path(0)),
    reads("TFRecordDatasetV2", Way::Path(0)),
    reads("TextLineDataset", Way::Path(0)),
    reads("ListSnapshotChunksDataset", Way::Path(0)),
    reads("LoadDataset", Way::Path(0)),
    reads("SnapshotChunkDataset", Way::Path(0)),
    reads("SnapshotDatasetReader", Way::Path(0)),
    reads("LoadAndRemapMatrix", Way::Path(0)),
    reads("GenerateVocabRemapping", Way::Path(0)),
    reads("SimpleMLLoadModelFromPath", Way::Path(1)),
    reads("SimpleMLLoadModelFromPathWithHandle", Way::Path(1)),
    reads("InitializeTRTResource", Way::Path(1)),
    reads("InitializeTableFromTextFile", Way::Table(1)),
    reads("InitializeTableFromTextFileV2", Way::Table(1)),
    reads("Restore", Way::Saver(0)),
    reads("RestoreSlice", Way::Saver(0)),
    reads("RestoreV2", Way::Saver(0)),
    reads("DTensorRestoreV2", Way::Saver(0)),
    reads("ImmutableConst", Way::Attribute("memory_region_name")),
    reads("DecodeProtoV2", Way::Attribute("descriptor_source")),
    reads("EncodeProto", Way::Attribute("descriptor_source")),
    reads("FixedUnigramCandidateSampler", Way::Attribute("vocab_file")),
    reads("RecordInput", Way::Attribute("file_pattern")),
    reads("Skipgram", Way::Attribute("filename")),
    // Readers take their paths out of queues, which are filled while the graph runs.
    reads("FixedLengthRecordReader", Way::Always),
    reads("FixedLengthRecordReaderV2", Way::Always),
    reads("LMDBReader", Way::Always),
    reads("TextLineReader", Way::Always),
    reads("TextLineReaderV2", Way::Always),
    reads("TFRecordReader", Way::Always),
    reads("TFRecordReaderV2", Way::Always),
    reads("WholeFileReader", Way::Always),
    reads("WholeFileReaderV2", Way::Always),
    reads("ExternalDataset", Way::Always),
    talks("BigQueryReader"),
    talks("GenerateBigQueryReaderPartitions"),
    talks("DataServiceDataset"),
    talks("DataServiceDatasetV2"),
    talks("DataServiceDatasetV3"),
    talks("DataServiceDatasetV4"),
    talks("RegisterDataset"),
    talks("RegisterDatasetV2"),
    talks("RpcCall"),
    talks("RpcClient"),
    talks("RpcServer"),
    talks("RpcServerRegister"),
    talks("RpcServerStart"),
];

/// Operators whose attribute says something ordinary unless somebody means otherwise.
const ORDINARILY_INERT: &[&str] = &["PrintV2", "DecodeProtoV2", "EncodeProto", "FixedUnigramCandidateSampler"];

/// Families of operators of libraries that clients of TensorFlow load, by how their names begin: they talk or read.
const FAMILIES: &[(&str, &str)] = &[
    ("Bigtable", "talks over a network"),
    ("IO>BigQuery", "talks over a network"),
    ("IO>Kafka", "talks over a network"),
    ("IO>PubSub", "talks over a network"),
    ("IO>MongoDB", "talks over a network"),
    ("IO>File", "reads files"),
];

/// Well-known names that TensorFlow itself does not register: operators of older releases and of its own `contrib`, of
/// TensorFlow Text, Addons, Decision Forests and Recommenders, and those that stand for operators of TFLite. They
/// compute on tensors only, and models made with those libraries are ordinary.
const KNOWN_ELSEWHERE: &[&str] = &[
    "BigQueryReader",
    "CaseFoldUTF8",
    "ConstrainedSequence",
    "FastBertNormalize",
    "FastSentencepieceTokenizeOp",
    "FastWordpieceTokenizeWithOffsets",
    "FunctionBufferingResource",
    "FunctionBufferingResourceGetNext",
    "FunctionBufferingResourceReset",
    "MapAndBatchDatasetV2",
    "MaxSpanningTree",
    "MinhashNgrams",
    "NGramHashing",
    "NormalizeUTF8",
    "NormalizeUTF8WithOffsetsMap",
    "NumaMapAndBatchDataset",
    "RaggedTensorToTensorV2",
    "RegexSplitWithOffsets",
    "RougeL",
    "SentenceFragments",
    "SentencepieceDetokenizeOp",
    "SentencepieceIdToStringOp",
    "SentencepieceOp",
    "SentencepieceStringToIdOp",
    "SentencepieceTokenizeOp",
    "SentencepieceTokenizeWithOffsetsOp",
    "SentencepieceVocabSizeOp",
    "SimpleMLCreateModelResource",
    "SimpleMLInferenceLeafIndexOp",
    "SimpleMLInferenceLeafIndexOpWithHandle",
    "SimpleMLInferenceOp",
    "SimpleMLInferenceOpWithHandle",
    "SingleImageRandomDotStereograms",
    "SplitMergeTokenizeWithOffsets",
    "SplitMergeFromLogitsTokenizeWithOffsets",
    "TFLite_Detection_PostProcess",
    "TFText>BoiseTagsToOffsets",
    "TFText>ConstrainedSequence",
    "TFText>FastBertNormalize",
    "TFText>FastBertNormalizeTokenizeWithOffsets",
    "TFText>FastWordpieceDetokenize",
    "TFText>FastWordpieceTokenizeWithOffsets",
    "TFText>NgramsStringJoin",
    "TFText>NormalizeUTF8WithOffsetsMap",
    "TFText>OffsetsToBoiseTags",
    "TFText>RoundRobinGenerateMasks",
    "TFText>RoundRobinTrim",
    "TFText>WhitespaceTokenizeWithOffsetsV2",
    "TFText>WhitespaceTokenizeWithOffsetsV3",
    "TPUReplicate",
    "TokenizerFromLogits",
    "UnicodeScriptTokenizeWithOffsets",
    "WhitespaceTokenizeWithOffsets",
    "WhitespaceTokenizeWithOffsetsV2",
    "WordpieceTokenizeWithOffsets",
];
const KNOWN_FAMILIES: &[&str] = &["Addons>", "TFText>"];

static REGISTERED: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("operators.txt").lines().filter(|line| !line.starts_with('#'));
    lines.chain(KNOWN_ELSEWHERE.iter().copied()).collect()
});

/// What is known of an operator's reach.
pub(super) fn reach(name: &str) -> Option<&'static Reach> {
    REACHES.iter().find(|reach| reach.name == name)
}

/// Whether TensorFlow, or a library that is well known, has an operator of this name.
pub(super) fn is_registered(name: &str) -> bool {
    REGISTERED.contains(name) || KNOWN_FAMILIES.iter().any(|family| name.starts_with(family))
}

/// What running an operator does, as far as its name tells. TFLite's flex operators are named so too.
pub(crate) fn effect(name: &str) -> Effect {
    match reach(name) {
        Some(reach) if !ORDINARILY_INERT.contains(&name) => {
            Effect::Reaches { what: reach.what.into(), critical: reach.critical }
        }
        Some(_) => Effect::Computes,
        None => effect_of_others(name),
    }
}

/// What an operator does that is not in the table of those that reach the machine.
pub(super) fn effect_of_others(name: &str) -> Effect {
    if let Some((_, what)) = FAMILIES.iter().find(|(family, _)| name.starts_with(family)) {
        return Effect::Reaches { what: Cow::Borrowed(what), critical: false };
    }
    if is_registered(name) { Effect::Computes } else { Effect::Custom }
}

/// Whether the text of an attribute makes its operator stay within the runtime.
pub(super) fn is_ordinary_attribute(attribute: &str, text: &str) -> bool {
    match attribute {
        "output_stream" => !text.starts_with("file://"),
        "descriptor_source" => text.is_empty() || text == "local://" || text.starts_with("bytes://"),
        "memory_region_name" => text.starts_with("memmapped_package://"),
        _ => text.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches(name: &str, is_critical: bool) -> bool {
        matches!(effect(name), Effect::Reaches { critical, .. } if critical == is_critical)
    }

    #[test]
    fn what_writes_is_critical_and_what_reads_is_not() {
        assert!(
            ["WriteFile", "PyFunc", "EagerPyFunc", "SaveV2", "DebugIdentityV2", "DecodeVideo"]
                .iter()
                .all(|name| reaches(name, true))
        );
        assert!(
            ["ReadFile", "RpcCall", "TextLineDataset", "RestoreV2", "BigtableClient", "XlaCustomCallV2"]
                .iter()
                .all(|name| reaches(name, false))
        );
    }

    #[test]
    fn what_computes_is_known_and_what_nobody_knows_is_custom() {
        for name in ["MatMul", "Conv2D", "Print", "PrintV2", "Assert", "DecodeRaw", "XlaLaunch", "TensorListLength"] {
            assert_eq!(effect(name), Effect::Computes, "{name}");
        }
        for name in ["CaseFoldUTF8", "Addons>Gelu", "SentencepieceTokenizeOp"] {
            assert_eq!(effect(name), Effect::Computes, "{name}");
        }
        for name in ["", "matmul", "MyOp", "TRTEngineOp"] {
            assert_eq!(effect(name), Effect::Custom, "{name}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_no_name_stands_twice() {
        let names: Vec<&str> = include_str!("operators.txt").lines().skip(1).collect();
        assert!(names.len() > 1800 && names.windows(2).all(|pair| pair[0] < pair[1]));
        let reaches: BTreeSet<&str> = REACHES.iter().map(|reach| reach.name).collect();
        assert_eq!(reaches.len(), REACHES.len());
    }
}
