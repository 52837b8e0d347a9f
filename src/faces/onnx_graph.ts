/** ONNX model files, as far as a small convolutional net needs them: written, never read. */

import {
  int64Bytes,
  LENGTH_DELIMITED,
  lengthBytes,
  VARINT,
  writeInt64,
  writeLength,
} from '../io/protobuf.js';

/** What goes into a model file. A number attribute is an integer: no operator that we write takes another. */
export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly constants: readonly OnnxConstant[];
  readonly nodes: readonly OnnxNode[];
}

export interface OnnxValue {
  readonly name: string;
  /** A dimension by name is any number, the same wherever the name stands. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface OnnxNode {
  /** In ONNX's own spelling: 'Conv', 'MaxPool', … */
  readonly operator: string;
  /** Names of values; the empty name is an optional one that is absent. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
}

/** Operators mean what version 13 of ONNX's set says; IR version 7 came with it (ONNX's docs/Versioning.md). */
const OPERATOR_SET = 13;
const IR_VERSION = 7;

/** The bytes of a model file. Field numbers below are those of onnx/onnx.proto. */
export function writeOnnx(graph: OnnxGraph): Uint8Array {
  return message(
    integer(1, IR_VERSION),
    text(2, 't2t-ts'),
    nested(
      7,
      ...graph.nodes.map((node) => nested(1, ...nodeFields(node))),
      text(2, 'graph'),
      ...graph.constants.map((constant) => nested(5, ...constantFields(constant))),
      ...graph.inputs.map((value) => nested(11, ...valueFields(value))),
      ...graph.outputs.map((value) => nested(12, ...valueFields(value))),
    ),
    nested(8, text(1, ''), integer(2, OPERATOR_SET)),
  );
}

/** TensorProto.DataType. */
const FLOAT = 1;
const INT64 = 7;

/** AttributeProto.AttributeType, and the field in which such a value stands. */
const INT_ATTRIBUTE = { type: 2, field: 3 };
const STRING_ATTRIBUTE = { type: 3, field: 4 };
const INTS_ATTRIBUTE = { type: 7, field: 8 };

function nodeFields({ operator, inputs, output, attributes = {} }: OnnxNode): Uint8Array[] {
  return [
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => nested(5, text(1, name), ...attributeFields(value))),
  ];
}

function attributeFields(value: number | string | readonly number[]): Uint8Array[] {
  if (typeof value === 'string')
    return [text(STRING_ATTRIBUTE.field, value), integer(20, STRING_ATTRIBUTE.type)];
  if (typeof value === 'number')
    return [integer(INT_ATTRIBUTE.field, value), integer(20, INT_ATTRIBUTE.type)];
  return [...value.map((number) => integer(INTS_ATTRIBUTE.field, number)), integer(20, INTS_ATTRIBUTE.type)];
}

function constantFields({ name, shape, data }: OnnxConstant): Uint8Array[] {
  const type = data instanceof Float32Array ? FLOAT : INT64;
  // raw_data is little endian by ONNX's definition, as is every machine that WebAssembly or Node run on.
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [...shape.map((extent) => integer(1, extent)), integer(2, type), text(8, name), bytes(9, raw)];
}

function valueFields({ name, shape }: OnnxValue): Uint8Array[] {
  const extents = shape.map((extent) =>
    nested(1, typeof extent === 'string' ? text(2, extent) : integer(1, extent)),
  );
  return [text(1, name), nested(2, nested(1, integer(1, FLOAT), nested(2, ...extents)))];
}

function integer(field: number, value: number): Uint8Array {
  const tag = field * 8 + VARINT;
  const out = new Uint8Array(lengthBytes(tag) + int64Bytes(value));
  writeInt64(out, writeLength(out, 0, tag), value);
  return out;
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}

function nested(field: number, ...fields: readonly Uint8Array[]): Uint8Array {
  return bytes(field, message(...fields));
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  const tag = field * 8 + LENGTH_DELIMITED;
  const out = new Uint8Array(lengthBytes(tag) + lengthBytes(value.length) + value.length);
  out.set(value, writeLength(out, writeLength(out, 0, tag), value.length));
  return out;
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(fields.reduce((sum, field) => sum + field.length, 0));
  let at = 0;
  for (const field of fields) {
    out.set(field, at);
    at += field.length;
  }
  return out;
}
