/** Encodes records as others write them: lists without values, features of no kind, whatever a specification would refuse. */

/** The values of a feature under their kind; of no kind where there is none. */
export type AnyValues =
  | { readonly int64: readonly number[] }
  | { readonly float: readonly number[] }
  | { readonly bytes: readonly (string | Uint8Array)[] }
  | Readonly<Record<string, never>>;

/** A tf.train.Example, by tensorflow/core/example/example.proto and feature.proto. */
export function encodeAnyExample(example: Readonly<Record<string, AnyValues>>): Buffer {
  const entries = Object.entries(example).map(([name, values]) =>
    field(1, field(1, Buffer.from(name)), field(2, encodeFeature(values))),
  );
  return field(1, ...entries);
}

function encodeFeature(values: AnyValues): Buffer {
  if ('bytes' in values) return field(1, ...values.bytes.map((value) => field(1, Buffer.from(value))));
  if ('float' in values)
    return field(2, field(1, Buffer.from(Float32Array.from(values.float as number[]).buffer)));
  if ('int64' in values) return field(3, field(1, ...values.int64.map(varint)));
  return Buffer.alloc(0);
}

function field(number: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
