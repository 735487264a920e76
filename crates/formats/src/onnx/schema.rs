//! The messages of `onnx.proto`, all of them: a field that is not here is in no version up to [`NEWEST`].

use crate::protobuf::schema::{Schema, Shape, many, once};

use Shape::{Doubles, Float, Floats, Message, Number, Numbers, Raw, Text};

/// The newest version of the format that these messages are of.
pub(super) const NEWEST: u64 = 14;

pub(super) static MODEL: Schema = Schema {
    name: "ModelProto",
    fields: &[
        once(1, "ir_version", Number),
        once(2, "producer_name", Text),
        once(3, "producer_version", Text),
        once(4, "domain", Text),
        once(5, "model_version", Number),
        once(6, "doc_string", Text),
        once(7, "graph", Message(&GRAPH)),
        many(8, "opset_import", Message(&OPSET)),
        many(14, "metadata_props", Message(&PAIR)),
        many(20, "training_info", Message(&TRAINING)),
        many(25, "functions", Message(&FUNCTION)),
        many(26, "configuration", Message(&DEVICES)),
    ],
};

pub(super) static GRAPH: Schema = Schema {
    name: "GraphProto",
    fields: &[
        many(1, "node", Message(&NODE)),
        once(2, "name", Text),
        many(5, "initializer", Message(&TENSOR)),
        once(10, "doc_string", Text),
        many(11, "input", Message(&VALUE)),
        many(12, "output", Message(&VALUE)),
        many(13, "value_info", Message(&VALUE)),
        many(14, "quantization_annotation", Message(&ANNOTATION)),
        many(15, "sparse_initializer", Message(&SPARSE)),
        many(16, "metadata_props", Message(&PAIR)),
    ],
};

pub(super) static NODE: Schema = Schema {
    name: "NodeProto",
    fields: &[
        many(1, "input", Text),
        many(2, "output", Text),
        once(3, "name", Text),
        once(4, "op_type", Text),
        many(5, "attribute", Message(&ATTRIBUTE)),
        once(6, "doc_string", Text),
        once(7, "domain", Text),
        once(8, "overload", Text),
        many(9, "metadata_props", Message(&PAIR)),
        many(10, "device_configurations", Message(&PLACEMENT)),
    ],
};

pub(super) static ATTRIBUTE: Schema = Schema {
    name: "AttributeProto",
    fields: &[
        once(1, "name", Text),
        once(2, "f", Float),
        once(3, "i", Number),
        once(4, "s", Text),
        once(5, "t", Message(&TENSOR)),
        once(6, "g", Message(&GRAPH)),
        many(7, "floats", Floats),
        many(8, "ints", Numbers),
        many(9, "strings", Text),
        many(10, "tensors", Message(&TENSOR)),
        many(11, "graphs", Message(&GRAPH)),
        once(13, "doc_string", Text),
        once(14, "tp", Message(&TYPE)),
        many(15, "type_protos", Message(&TYPE)),
        once(20, "type", Number),
        once(21, "ref_attr_name", Text),
        once(22, "sparse_tensor", Message(&SPARSE)),
        many(23, "sparse_tensors", Message(&SPARSE)),
    ],
};

pub(super) static FUNCTION: Schema = Schema {
    name: "FunctionProto",
    fields: &[
        once(1, "name", Text),
        // Versions 8 and before: the set it began in, and whether it is stable.
        once(2, "since_version", Number),
        once(3, "status", Number),
        many(4, "input", Text),
        many(5, "output", Text),
        many(6, "attribute", Text),
        many(7, "node", Message(&NODE)),
        once(8, "doc_string", Text),
        many(9, "opset_import", Message(&OPSET)),
        once(10, "domain", Text),
        many(11, "attribute_proto", Message(&ATTRIBUTE)),
        many(12, "value_info", Message(&VALUE)),
        once(13, "overload", Text),
        many(14, "metadata_props", Message(&PAIR)),
    ],
};

pub(super) static TENSOR: Schema = Schema {
    name: "TensorProto",
    fields: &[
        many(1, "dims", Numbers),
        once(2, "data_type", Number),
        once(3, "segment", Message(&SEGMENT)),
        many(4, "float_data", Floats),
        many(5, "int32_data", Numbers),
        many(6, "string_data", Text),
        many(7, "int64_data", Numbers),
        once(8, "name", Text),
        once(9, "raw_data", Raw),
        many(10, "double_data", Doubles),
        many(11, "uint64_data", Numbers),
        once(12, "doc_string", Text),
        many(13, "external_data", Message(&PAIR)),
        once(14, "data_location", Number),
        many(16, "metadata_props", Message(&PAIR)),
    ],
};

pub(super) static SPARSE: Schema = Schema {
    name: "SparseTensorProto",
    fields: &[once(1, "values", Message(&TENSOR)), once(2, "indices", Message(&TENSOR)), many(3, "dims", Numbers)],
};

pub(super) static TRAINING: Schema = Schema {
    name: "TrainingInfoProto",
    fields: &[
        once(1, "initialization", Message(&GRAPH)),
        once(2, "algorithm", Message(&GRAPH)),
        many(3, "initialization_binding", Message(&PAIR)),
        many(4, "update_binding", Message(&PAIR)),
    ],
};

pub(super) static PAIR: Schema =
    Schema { name: "StringStringEntryProto", fields: &[once(1, "key", Text), once(2, "value", Text)] };

pub(super) static OPSET: Schema =
    Schema { name: "OperatorSetIdProto", fields: &[once(1, "domain", Text), once(2, "version", Number)] };

static SEGMENT: Schema = Schema { name: "Segment", fields: &[once(1, "begin", Number), once(2, "end", Number)] };

static ANNOTATION: Schema = Schema {
    name: "TensorAnnotation",
    fields: &[once(1, "tensor_name", Text), many(2, "quant_parameter_tensor_names", Message(&PAIR))],
};

pub(super) static VALUE: Schema = Schema {
    name: "ValueInfoProto",
    fields: &[
        once(1, "name", Text),
        once(2, "type", Message(&TYPE)),
        once(3, "doc_string", Text),
        many(4, "metadata_props", Message(&PAIR)),
    ],
};

static TYPE: Schema = Schema {
    name: "TypeProto",
    fields: &[
        once(1, "tensor_type", Message(&TENSOR_TYPE)),
        once(4, "sequence_type", Message(&ELEMENT_TYPE)),
        once(5, "map_type", Message(&MAP_TYPE)),
        once(6, "denotation", Text),
        once(7, "opaque_type", Message(&OPAQUE_TYPE)),
        once(8, "sparse_tensor_type", Message(&TENSOR_TYPE)),
        once(9, "optional_type", Message(&ELEMENT_TYPE)),
    ],
};

static TENSOR_TYPE: Schema =
    Schema { name: "TypeProto.Tensor", fields: &[once(1, "elem_type", Number), once(2, "shape", Message(&SHAPE))] };

static ELEMENT_TYPE: Schema = Schema { name: "TypeProto.Sequence", fields: &[once(1, "elem_type", Message(&TYPE))] };

static MAP_TYPE: Schema =
    Schema { name: "TypeProto.Map", fields: &[once(1, "key_type", Number), once(2, "value_type", Message(&TYPE))] };

static OPAQUE_TYPE: Schema =
    Schema { name: "TypeProto.Opaque", fields: &[once(1, "domain", Text), once(2, "name", Text)] };

static SHAPE: Schema = Schema { name: "TensorShapeProto", fields: &[many(1, "dim", Message(&DIMENSION))] };

static DIMENSION: Schema = Schema {
    name: "Dimension",
    fields: &[once(1, "dim_value", Number), once(2, "dim_param", Text), once(3, "denotation", Text)],
};

static DEVICES: Schema = Schema {
    name: "DeviceConfigurationProto",
    fields: &[once(1, "name", Text), once(2, "num_devices", Number), many(3, "device", Text)],
};

static PLACEMENT: Schema = Schema {
    name: "NodeDeviceConfigurationProto",
    fields: &[
        once(1, "configuration_id", Text),
        many(2, "sharding_spec", Message(&SHARDING)),
        once(3, "pipeline_stage", Number),
    ],
};

static SHARDING: Schema = Schema {
    name: "ShardingSpecProto",
    fields: &[
        once(1, "tensor_name", Text),
        many(2, "device", Numbers),
        many(3, "index_to_device_group_map", Message(&DEVICE_GROUP)),
        many(4, "sharded_dim", Message(&SHARDED)),
    ],
};

static DEVICE_GROUP: Schema =
    Schema { name: "IntIntListEntryProto", fields: &[once(1, "key", Number), many(2, "value", Numbers)] };

static SHARDED: Schema = Schema {
    name: "ShardedDimProto",
    fields: &[once(1, "axis", Number), many(2, "simple_sharding", Message(&SIMPLE))],
};

static SIMPLE: Schema = Schema {
    name: "SimpleShardedDimProto",
    fields: &[once(1, "dim_value", Number), once(2, "dim_param", Text), once(3, "num_shards", Number)],
};
