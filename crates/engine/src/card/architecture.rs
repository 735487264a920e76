//! Which tasks an architecture does: the end of its class's name says for what its head is made.

/// Ends of names of classes in transformers, with the tasks that a model with such a head can do, the usual one first.
/// Heads that can do nearly anything are not here.
const HEADS: &[(&str, &[&str])] = &[
    (
        "ForCausalLM",
        &[
            "text-generation",
            "image-text-to-text",
            "text2text-generation",
            "conversational",
            "summarization",
            "translation",
            "question-answering",
            "feature-extraction",
            "sentence-similarity",
            "text-ranking",
            "text-classification",
            "any-to-any",
            "audio-text-to-text",
            "video-text-to-text",
            "visual-question-answering",
            "text-to-speech",
            "text-to-audio",
            "automatic-speech-recognition",
            "document-question-answering",
            "table-question-answering",
            "image-to-text",
            "robotics",
            "reinforcement-learning",
            "other",
        ],
    ),
    (
        "LMHeadModel",
        &[
            "text-generation",
            "conversational",
            "summarization",
            "translation",
            "text2text-generation",
            "feature-extraction",
            "question-answering",
            "text-classification",
        ],
    ),
    (
        "ForSequenceClassification",
        &[
            "text-classification",
            "zero-shot-classification",
            "text-ranking",
            "sentence-similarity",
            "audio-classification",
            "reinforcement-learning",
            "feature-extraction",
        ],
    ),
    (
        "ForTokenClassification",
        &[
            "token-classification",
            "object-detection",
            "document-question-answering",
            "text-classification",
            "feature-extraction",
        ],
    ),
    (
        "ForQuestionAnswering",
        &["question-answering", "document-question-answering", "visual-question-answering", "table-question-answering"],
    ),
    ("ForMaskedLM", &["fill-mask", "feature-extraction", "sentence-similarity", "text-ranking"]),
    ("ForMultipleChoice", &["multiple-choice", "question-answering", "text-classification"]),
    ("ForImageClassification", &["image-classification", "zero-shot-image-classification", "image-feature-extraction"]),
    (
        "ForObjectDetection",
        &["object-detection", "zero-shot-object-detection", "image-segmentation", "table-extraction"],
    ),
    ("ForSemanticSegmentation", &["image-segmentation"]),
    ("ForInstanceSegmentation", &["image-segmentation"]),
    ("ForUniversalSegmentation", &["image-segmentation"]),
    ("ForDepthEstimation", &["depth-estimation"]),
    ("ForVideoClassification", &["video-classification", "feature-extraction"]),
    ("ForAudioClassification", &["audio-classification", "feature-extraction"]),
    ("ForSpeechSeq2Seq", &["automatic-speech-recognition", "translation", "text-to-speech"]),
    ("ForCTC", &["automatic-speech-recognition", "audio-classification", "feature-extraction"]),
    (
        "WhisperForConditionalGeneration",
        &["automatic-speech-recognition", "translation", "audio-to-audio", "audio-classification"],
    ),
    (
        "T5ForConditionalGeneration",
        &[
            "text2text-generation",
            "translation",
            "summarization",
            "text-generation",
            "question-answering",
            "text-classification",
            "feature-extraction",
            "table-question-answering",
            "zero-shot-classification",
            "sentence-similarity",
            "text-to-speech",
        ],
    ),
    ("StableDiffusionPipeline", &["text-to-image", "image-to-image", "unconditional-image-generation"]),
    ("StableDiffusionXLPipeline", &["text-to-image", "image-to-image"]),
    ("FluxPipeline", &["text-to-image", "image-to-image"]),
];

/// The tasks of an architecture; none where nothing follows from its name.
pub(super) fn tasks(architecture: &str) -> Option<&'static [&'static str]> {
    HEADS.iter().find(|(head, _)| architecture.ends_with(head)).map(|(_, tasks)| *tasks)
}
