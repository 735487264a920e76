//! The operators of a model: which sets they belong to, and what running them does.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::{Effect, FactKind, Gap, Operator, Position};
use crate::facts::Facts;

/// Distinct operators that are told apart.
const MAX_OPERATORS: usize = 4096;

/// Sets whose operators the common runtimes bring with them, and that only compute.
const SETS: &[&str] = &[
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "ai.onnx.training",
    "com.microsoft",
    "com.microsoft.dml",
    "com.microsoft.experimental",
    "com.microsoft.internal.nhwc",
    "com.microsoft.nchwc",
    "com.ms.internal.nhwc",
    "com.microsoft.internal.wnchwc",
    "com.ms.nhwc",
    "com.ms.qnn",
    "org.openvinotoolkit",
    "org.pytorch.prim",
];

/// The standard operators, those withdrawn included.
#[rustfmt::skip]
const STANDARD: &[&str] = &[
    "Abs", "Acos", "Acosh", "Add", "AffineGrid", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh",
    "Attention", "AveragePool", "BatchNormalization", "Bernoulli", "BitCast", "BitShift", "BitwiseAnd",
    "BitwiseNot", "BitwiseOr", "BitwiseXor", "BlackmanWindow", "Cast", "CastLike", "CausalConvWithState",
    "Ceil", "Celu", "CenterCropPad", "Clip", "Col2Im", "Compress", "Concat", "ConcatFromSequence", "Constant",
    "ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose", "Cos", "Cosh", "CumProd", "CumSum", "DFT",
    "DeformConv", "DepthToSpace", "DequantizeLinear", "Det", "Div", "Dropout", "DynamicQuantizeLinear",
    "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike", "Flatten", "Floor", "GRU", "Gather",
    "GatherElements", "GatherND", "Gelu", "Gemm", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool",
    "Greater", "GreaterOrEqual", "GridSample", "GroupNormalization", "HammingWindow", "HannWindow",
    "HardSigmoid", "HardSwish", "Hardmax", "Identity", "If", "ImageDecoder", "InstanceNormalization", "IsInf",
    "IsNaN", "LRN", "LSTM", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "LinearAttention", "Log",
    "LogSoftmax", "Loop", "LpNormalization", "LpPool", "MatMul", "MatMulInteger", "Max", "MaxPool",
    "MaxRoiPool", "MaxUnpool", "Mean", "MeanVarianceNormalization", "MelWeightMatrix", "Min", "Mish", "Mod",
    "Mul", "Multinomial", "Neg", "NegativeLogLikelihoodLoss", "NonMaxSuppression", "NonZero", "Not", "OneHot",
    "Optional", "OptionalGetElement", "OptionalHasElement", "Or", "PRelu", "Pad", "Pow", "QLinearConv",
    "QLinearMatMul", "QuantizeLinear", "RMSNormalization", "RNN", "RandomNormal", "RandomNormalLike",
    "RandomUniform", "RandomUniformLike", "Range", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
    "RegexFullMatch", "Relu", "Reshape", "Resize", "ReverseSequence", "RoiAlign", "RotaryEmbedding", "Round",
    "STFT", "Scan", "Scatter", "ScatterElements", "ScatterND", "Selu", "SequenceAt", "SequenceConstruct",
    "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "SequenceMap", "Shape", "Shrink",
    "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Slice", "Softmax", "SoftmaxCrossEntropyLoss", "Softplus",
    "Softsign", "SpaceToDepth", "Split", "SplitToSequence", "Sqrt", "Squeeze", "StringConcat",
    "StringNormalizer", "StringSplit", "Sub", "Sum", "SwiGLU", "Swish", "Tan", "Tanh", "TensorScatter",
    "TfIdfVectorizer", "ThresholdedRelu", "Tile", "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze",
    "Upsample", "Where", "Xor",
    // Experimental in the first versions, and gone since.
    "ATen", "Affine", "ConstantFill", "Crop", "DynamicSlice", "GRUUnit", "GivenTensorFill", "ImageScaler",
    "ParametricSoftplus", "Scale", "ScaledTanh",
];

/// The operators for classical models.
#[rustfmt::skip]
const CLASSICAL: &[&str] = &[
    "ArrayFeatureExtractor", "Binarizer", "CastMap", "CategoryMapper", "DictVectorizer", "FeatureVectorizer",
    "Imputer", "LabelEncoder", "LinearClassifier", "LinearRegressor", "Normalizer", "OneHotEncoder",
    "SVMClassifier", "SVMRegressor", "Scaler", "TreeEnsemble", "TreeEnsembleClassifier",
    "TreeEnsembleRegressor", "ZipMap",
];

/// Operators that send what they are given to a server.
const REMOTE: &[&str] = &[
    "AzureAudioToText",
    "AzureTextToText",
    "AzureTritonInvoker",
    "CloudTextToText",
    "OpenAIAudioToText",
    "OpenAIChat",
    "OpenAIEmbeddings",
    "TritonInvoker",
];

/// Operators that hand over to Python.
const PYTHON: &[&str] = &["PyOp", "PyCustomOp", "PythonOp", "PythonOpGrad", "TritonOp"];

/// A set's name as it is compared: the standard one has two.
#[must_use]
pub(super) fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}

/// Whether an operator is one of the format's own.
#[must_use]
pub(super) fn is_standard(domain: &str, name: &str) -> bool {
    match domain {
        "" => STANDARD.contains(&name),
        "ai.onnx.ml" => CLASSICAL.contains(&name),
        _ => false,
    }
}

/// Whether an operator runs Python.
#[must_use]
pub(super) fn runs_python(name: &str) -> bool {
    PYTHON.contains(&name)
}

/// A set, a name, and the Python that it calls where it does.
pub(super) type Key = (String, String, Option<String>);

/// All operators of a model, with their first place and their number.
#[derive(Debug, Default)]
pub(super) struct Operators {
    uses: BTreeMap<Key, (u64, u64)>,
    is_full: bool,
}

impl Operators {
    /// Counts a use.
    pub(super) fn add(&mut self, key: Key, at: u64, facts: &mut Facts) {
        if self.uses.len() >= MAX_OPERATORS && !self.uses.contains_key(&key) {
            if !self.is_full {
                self.is_full = true;
                facts.incomplete(at, Gap::Limit, format!("more than {MAX_OPERATORS} different operators"));
            }
            return;
        }
        let (_, count) = self.uses.entry(key).or_insert((at, 0));
        *count = count.saturating_add(1);
    }

    /// Writes them, knowing which the model itself defines.
    pub(super) fn report(self, own: &BTreeSet<(String, String)>, facts: &mut Facts) {
        for ((domain, name, python), (at, count)) in self.uses {
            let effect = effect(&domain, &name, python, own);
            facts.push(Position::Offset(at), FactKind::Operator(Operator { name, domain, effect, count }));
        }
    }
}

fn effect(domain: &str, name: &str, python: Option<String>, own: &BTreeSet<(String, String)>) -> Effect {
    if let Some(python) = python {
        return Effect::Reaches { what: python.into(), critical: true };
    }
    if REMOTE.contains(&name) && !matches!(domain, "" | "ai.onnx.ml") {
        return Effect::Reaches { what: "sends what it is given to a server on the network".into(), critical: false };
    }
    let is_own = || own.contains(&(domain.to_owned(), name.to_owned()));
    if is_standard(domain, name) || SETS.contains(&domain) || is_own() { Effect::Computes } else { Effect::Custom }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_names_decide() {
        let own = BTreeSet::from([("mine".to_owned(), "Twice".to_owned())]);
        let effect = |domain: &str, name: &str| effect(domain, name, None, &own);
        for (domain, name) in
            [("", "Conv"), ("ai.onnx.ml", "SVMClassifier"), ("com.microsoft", "Gelu"), ("mine", "Twice")]
        {
            assert_eq!(effect(domain, name), Effect::Computes, "{domain}::{name}");
        }
        for (domain, name) in [
            ("", "EfficientNMS_TRT"),
            ("mine", "Thrice"),
            ("ai.onnx.contrib", "BpeTokenizer"),
            ("org.pytorch.aten", "ATen"),
        ] {
            assert_eq!(effect(domain, name), Effect::Custom, "{domain}::{name}");
        }
        assert!(matches!(
            effect("com.microsoft.extensions", "AzureTextToText"),
            Effect::Reaches { critical: false, .. }
        ));
    }
}
