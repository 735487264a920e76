//! The operators that TensorFlow Lite brings with it, and what is known of those it does not.

use crate::fact::Effect;
use crate::tensorflow;

/// Names of the built-in operators, by their number.
#[rustfmt::skip]
const BUILTIN: &[&str] = &[
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
    "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP", "L2_NORMALIZATION", "L2_POOL_2D",
    "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION", "LSTM", "MAX_POOL_2D", "MUL", "RELU",
    "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH",
    "CONCAT_EMBEDDINGS", "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD",
    "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER", "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE", "MEAN", "SUB",
    "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP", "TOPK_V2",
    "SPLIT", "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM", "ARG_MAX",
    "MINIMUM", "LESS", "NEG", "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE", "SIN",
    "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE", "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM", "SQRT", "RSQRT",
    "SHAPE", "POW", "ARG_MIN", "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT",
    "LOGICAL_AND", "LOGICAL_NOT", "UNPACK", "REDUCE_MIN", "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL",
    "FLOOR_MOD", "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD", "ABS",
    "SPLIT_V", "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU",
    "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE",
    "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SCATTER_ND", "SELECT_V2", "DENSIFY", "SEGMENT_SUM",
    "BATCH_MATMUL", "PLACEHOLDER_FOR_GREATER_OP_CODES", "CUMSUM", "CALL_ONCE", "BROADCAST_TO", "RFFT2D", "CONV_3D",
    "IMAG", "REAL", "COMPLEX_ABS", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "REDUCE_ALL",
    "CONV_3D_TRANSPOSE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "BROADCAST_ARGS", "RANDOM_STANDARD_NORMAL",
    "BUCKETIZE", "RANDOM_UNIFORM", "MULTINOMIAL", "GELU", "DYNAMIC_UPDATE_SLICE", "RELU_0_TO_1",
    "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_SUM", "ATAN2", "UNSORTED_SEGMENT_MIN", "SIGN",
    "BITCAST", "BITWISE_XOR", "RIGHT_SHIFT", "STABLEHLO_LOGISTIC", "STABLEHLO_ADD", "STABLEHLO_DIVIDE",
    "STABLEHLO_MULTIPLY", "STABLEHLO_MAXIMUM", "STABLEHLO_RESHAPE", "STABLEHLO_CLAMP", "STABLEHLO_CONCATENATE",
    "STABLEHLO_BROADCAST_IN_DIM", "STABLEHLO_CONVOLUTION", "STABLEHLO_SLICE", "STABLEHLO_CUSTOM_CALL",
    "STABLEHLO_REDUCE", "STABLEHLO_ABS", "STABLEHLO_AND", "STABLEHLO_COSINE", "STABLEHLO_EXPONENTIAL",
    "STABLEHLO_FLOOR", "STABLEHLO_LOG", "STABLEHLO_MINIMUM", "STABLEHLO_NEGATE", "STABLEHLO_OR", "STABLEHLO_POWER",
    "STABLEHLO_REMAINDER", "STABLEHLO_RSQRT", "STABLEHLO_SELECT", "STABLEHLO_SUBTRACT", "STABLEHLO_TANH",
    "STABLEHLO_SCATTER", "STABLEHLO_COMPARE", "STABLEHLO_CONVERT", "STABLEHLO_DYNAMIC_SLICE",
    "STABLEHLO_DYNAMIC_UPDATE_SLICE", "STABLEHLO_PAD", "STABLEHLO_IOTA", "STABLEHLO_DOT_GENERAL",
    "STABLEHLO_REDUCE_WINDOW", "STABLEHLO_SORT", "STABLEHLO_WHILE", "STABLEHLO_GATHER", "STABLEHLO_TRANSPOSE",
    "DILATE", "STABLEHLO_RNG_BIT_GENERATOR", "REDUCE_WINDOW", "STABLEHLO_COMPOSITE", "STABLEHLO_SHIFT_LEFT",
    "STABLEHLO_CBRT", "STABLEHLO_CASE",
];

/// The number of operators that a model names itself.
pub(super) const CUSTOM: i32 = 32;
/// Operators that run other subgraphs of the same model.
pub(super) const CALL: i32 = 31;
pub(super) const IF: i32 = 118;
pub(super) const WHILE: i32 = 119;
pub(super) const CALL_ONCE: i32 = 129;

/// Named operators that known runtimes bring with them, and that only compute.
const KNOWN: &[&str] = &[
    "AudioSpectrogram",
    "Convolution2DTransposeBias",
    "DynamicUpdateSlice",
    "FFT2D",
    "HashTableV2",
    "IRFFT2D",
    "KmeansEmbeddingLookup",
    "Landmarks2TransformMatrix",
    "LookupTableFindV2",
    "LookupTableImportV2",
    "LookupTableSizeV2",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "Mfcc",
    "Multinomial",
    "NumericVerify",
    "Ragged",
    "RandomStandardNormal",
    "RandomUniform",
    "Resampler",
    "Roll",
    "RoIToTransformMatrix",
    "SentencepieceTokenizer",
    "TFLite_Detection_PostProcess",
    "TFSentencepieceTokenizeOp",
    "TransformLandmarks",
    "TransformTensorBilinear",
    "Unique",
    "edgetpu-custom-op",
    "ethos-u",
    "aeq.hadamard_rotation",
    "odml.scaled_dot_product_attention",
    "odml.update_kv_cache",
    "tfl.fused_mul_add",
];

/// The name of a built-in operator; `None` when this number is of a later version.
pub(super) fn builtin(code: i32) -> Option<&'static str> {
    usize::try_from(code).ok().and_then(|code| BUILTIN.get(code)).copied().filter(|name| !name.is_empty())
}

/// What running a named operator does.
pub(super) fn named(name: &str) -> Effect {
    if let Some(operator) = name.strip_prefix("Flex") {
        // A TensorFlow operator, which the Flex delegate runs.
        return tensorflow::operators::effect(operator);
    }
    let known = KNOWN.contains(&name) || name.starts_with("VhloCustom") || name.starts_with("odml.");
    if known { Effect::Computes } else { Effect::Custom }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_have_the_numbers_of_the_schema() {
        let places = [(0, "ADD"), (CUSTOM, "CUSTOM"), (CALL, "CALL"), (IF, "IF"), (WHILE, "WHILE")];
        for (code, name) in places {
            assert_eq!(builtin(code), Some(name));
        }
        assert_eq!(builtin(CALL_ONCE), Some("CALL_ONCE"));
        assert_eq!((builtin(-1), builtin(10_000)), (None, None));
    }

    #[test]
    fn tensorflow_operators_are_judged_as_such() {
        assert!(matches!(named("FlexWriteFile"), Effect::Reaches { critical: true, .. }));
        assert_eq!(named("FlexErf"), Effect::Computes);
        assert_eq!(named("Mfcc"), Effect::Computes);
        assert_eq!(named("Odd"), Effect::Custom);
        assert_eq!(named("FlexWaagEvil"), Effect::Custom);
    }
}
