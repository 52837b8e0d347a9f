import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { featureTable } from './feature_table.js';
import { type Features, featuresFromJson, fixedCount } from './features.js';
import { exampleSchema } from './json_schema.js';
import { pythonReader } from './python_reader.js';
import { tfdsFeatures } from './tfds_features.js';

const python = process.env.T2T_PYTHON ?? 'python3';
const hasPython = spawnSync(python, ['-c', ''], { timeout: 60_000 }).status === 0;
if (!hasPython) console.warn(`SKIPPED: there is no ${python}; set T2T_PYTHON`);

const size = fc.integer({ min: 1, max: 9 });
const shape = fc
  .tuple(fc.array(size, { maxLength: 3 }), fc.boolean())
  .map(([sizes, isAny]) => (isAny ? [null, ...sizes] : sizes));
const plain = fc.record({
  kind: fc.constantFrom('bytes', 'text', 'int64', 'float32'),
  shape,
  optional: fc.boolean(),
});
const picture = fc.record({
  kind: fc.constant('image'),
  shape: fc.constant([]),
  optional: fc.boolean(),
  image: fc.oneof(
    fc.record({
      encoding: fc.constantFrom('jpeg', 'png'),
      height: fc.option(size),
      width: fc.option(size),
      channels: fc.constantFrom(null, 1, 3),
    }),
    fc.record({ encoding: fc.constant('raw'), height: size, width: size, channels: size }),
  ),
});
/** Of any names that a record can hold. */
const features: fc.Arbitrary<Features> = fc
  .dictionary(
    fc.string({ unit: 'binary' }).filter((name) => name !== '__proto__'),
    fc.oneof(plain, picture),
    { maxKeys: 6 },
  )
  .map((json) => featuresFromJson(json, 'a test'));

test.skipIf(!hasPython)(
  'whatever features are called, what is printed is Python that knows them all by name [needs Python]',
  () => {
    const cases = fc.sample(features, { numRuns: 300, seed: 5 });
    const input = cases.map((each) => pythonReader({ name: 'some_problem', version: '1', features: each }));
    const program = `
import ast, json, sys
def names(program):
    tree = ast.parse(program)
    shapes = next(node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "SHAPES")
    function = next(node for node in tree.body if getattr(node, "name", "") == "tensorflow_dataset")
    spec = next(node.value for node in function.body if isinstance(node, ast.Assign))
    compile(tree, "printed", "exec")
    return [list(ast.literal_eval(shapes).items()), [key.value for key in spec.keys]]
print(json.dumps([names(program) for program in json.load(sys.stdin)]))
`;
    const { stdout, stderr, status } = spawnSync(python, ['-c', program], {
      input: JSON.stringify(input),
      encoding: 'utf8',
      timeout: 120_000,
    });
    expect(status, stderr).toBe(0);
    const expected = cases.map((each) => [
      Object.entries(each).map(([name, of]) => [name, of.shape.map((sizeOf) => sizeOf ?? -1)]),
      Object.keys(each),
    ]);
    expect(JSON.parse(stdout)).toEqual(expected);
  },
);

test('a table has a row a feature, whatever it is called; the schema and TFDS know every name', () => {
  fc.assert(
    fc.property(features, fc.string(), (all, meaning) => {
      const names = Object.keys(all);
      const meanings = new Map(names.map((name) => [name, meaning]));
      const lines = featureTable(all, meanings).split(/\r\n|[\n\r\u2028\u2029]/);
      expect(lines.length).toBe(2 + names.length);
      // Five cells a row: bars that are not escaped are the table's own.
      for (const line of lines) expect(line.match(/(?<!\\)\|/g)?.length).toBe(6);
      const schema = exampleSchema('some_problem', all, meanings) as {
        properties: object;
        required: string[];
      };
      expect(Object.keys(schema.properties)).toEqual(names);
      expect(schema.required).toEqual(names.filter((name) => all[name]?.optional === false));
      const { featuresDict } = tfdsFeatures(all, meanings) as { featuresDict: { features: object } };
      expect(Object.keys(featuresDict.features)).toEqual(names);
    }),
  );
});

test('a feature called as what every object has means nothing where nothing is said of it', () => {
  const json = { constructor: { kind: 'int64', shape: [] }, toString: { kind: 'text', shape: [] } };
  const all = featuresFromJson(json, 'a test');
  expect(featureTable(all)).toContain('| `constructor` | int64 | single | int64 |  |');
  const { properties } = exampleSchema('some_problem', all) as { properties: Record<string, object> };
  expect(properties.toString).toEqual({ type: 'string', 'x-dtype': 'text' });
  expect(JSON.stringify(tfdsFeatures(all))).not.toContain('description');
});

test('the schema says how long a list is where that is known', () => {
  const described = { a: { kind: 'float32', shape: [4, 5] }, b: { kind: 'int64', shape: [null, 2] } };
  const all = featuresFromJson(described, 'a test');
  const { properties } = exampleSchema('some_problem', all) as { properties: Record<string, object> };
  const count = fixedCount([4, 5]);
  expect(properties.a).toMatchObject({ type: 'array', minItems: count, maxItems: count, 'x-shape': [4, 5] });
  expect(properties.b).not.toHaveProperty('minItems');
});
