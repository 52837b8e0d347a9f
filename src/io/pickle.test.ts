import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WITNESS_PYTHON } from '../../fixtures/edf_witness.js';
import { witnessPickles } from '../../fixtures/eeg_witness.js';
import type { NumpyArray } from './numpy_array.js';
import { type PickleValue, readPickle } from './pickle.js';
import { PickleError, type PickleFault } from './pickle_error.js';

/** Text is latin1, numbers are bytes. */
function pickle(...parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (typeof part === 'string') return [...Buffer.from(part, 'latin1')];
      return typeof part === 'number' ? [part] : [...part];
    }),
  );
}

function faultOf(read: () => unknown): PickleFault | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(PickleError);
    return (error as PickleError).fault;
  }
}

function plain(value: PickleValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map((item) => plain(item as PickleValue));
  return value;
}

test('protocol 0 is read: a line a number or string, with marks and numbered values', () => {
  const text =
    "(dp0\nS'labels'\np1\n(lp2\nF1.5\naI-3\naL12345678901234567890L\naI01\naNaVa\\u00e4\np3\nasS'\\x00\\'\\n'\ng1\ns.";
  const value = readPickle(pickle(text)) as Map<string, PickleValue>;
  expect(plain(value)).toEqual({
    labels: [1.5, -3, 12345678901234567890n, true, null, 'aä'],
    "\0'\n": 'labels',
  });
});

test('protocol 2 is read: tuples, short integers, doubles, dicts', () => {
  const tuple = pickle(
    0x80,
    2,
    '(K\x01M\x00\x01J\xff\xff\xff\xff\x8a\x02\x00\x80G\x3f\xf8\0\0\0\0\0\0\x88\x89N}t.',
  );
  expect(plain(readPickle(tuple))).toEqual([1, 256, -1, -32768, 1.5, true, false, null, {}]);
});

test('strings of Python 2 are latin1', () => {
  expect(readPickle(pickle('U\x03\xe4\x80\xff.'))).toBe('ä\x80ÿ');
});

/** An array as NumPy under Python 2 pickles it, protocol 2. */
function arrayPickle(kind: string, order: string, shape: string, raw: string): Uint8Array {
  const length = String.fromCharCode(raw.length, 0, 0, 0);
  return pickle(
    '\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01',
    shape,
    `cnumpy\ndtype\nU\x02${kind}K\x00K\x01\x87R(K\x03U\x01${order}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb`,
    `\x89T${length}${raw}tb.`,
  );
}

test('an array of numbers keeps its type and shape', () => {
  const read = readPickle(
    arrayPickle('i2', '<', 'K\x02K\x02\x86', '\x01\0\xff\xff\x02\0\x03\0'),
  ) as NumpyArray;
  expect(read).toEqual({ dtype: '<i2', shape: [2, 2], order: 'C', data: Int16Array.of(1, -1, 2, 3) });
});

test('big-endian numbers come in the order of this machine', () => {
  const read = readPickle(arrayPickle('i2', '>', 'K\x02\x85', '\x01\0\0\x02')) as NumpyArray;
  expect([...read.data]).toEqual([256, 2]);
});

test('doubles that lie aligned in the file are not copied', () => {
  const bytes = arrayPickle('f8', '<', 'K\x01\x85', '\0\0\0\0\0\0\xf8\x3f');
  const at = bytes.indexOf(0x3f) - 7;
  const aligned = new Uint8Array(bytes.length + 16).subarray(8 - (at % 8));
  const moved = aligned.subarray(0, bytes.length);
  moved.set(bytes);
  const read = readPickle(moved) as NumpyArray;
  expect([...read.data]).toEqual([1.5]);
  expect(read.data.buffer).toBe(moved.buffer);
});

test('an array whose bytes do not fill its shape is refused as malformed', () => {
  const few = arrayPickle('f8', '<', 'K\x02\x85', '\0\0\0\0\0\0\xf8\x3f');
  expect(() => readPickle(few, { name: 's01.dat' })).toThrow(
    /shape 2 and type f8 has 8 bytes \(s01\.dat, byte \d+\)/,
  );
});

const CODE: readonly (readonly [string, string])[] = [
  ['a function by GLOBAL and REDUCE', "cos\nsystem\n(S'exit 1'\ntR."],
  ['a function by STACK_GLOBAL', '\x80\x04\x8c\x02os\x8c\x06system\x93.'],
  ['an instance by INST', "(S'exit 1'\nios\nsystem\n."],
  ['an instance by OBJ', "(cos\nsystem\nS'exit 1'\no."],
  ['an instance by NEWOBJ', '\x80\x02cnumpy\nndarray\n)\x81.'],
  ['a reference to outside', '\x80\x02NQ.'],
  ['an extension code', '\x80\x02\x82\x01.'],
  ['a set', '\x80\x04\x8f.'],
  ['a subclass of arrays', '\x80\x02cnumpy.core.multiarray\n_reconstruct\ncmine\nndarray\n.'],
  ['an array made of nothing', '\x80\x02cnumpy\nndarray\n)R.'],
  ['a call of a value', '\x80\x02K\x01)R.'],
  ['the state of a dict', '\x80\x02}}b.'],
  ['an array of objects', '\x80\x02cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R.'],
  ['another codec', '\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x03\0\0\0zip\x86R.'],
  ['protocol 5', '\x80\x05N.'],
];

test.each(CODE)('%s is refused', (_, text) => {
  expect(faultOf(() => readPickle(pickle(text)))).toBe('refused');
});

test('what is refused is named, with its place and what to do', () => {
  const text = "(dp0\nS'a'\ncposix\nsystem\n(S'x'\ntRs.";
  expect(() => readPickle(pickle(text), { name: 's01.dat' })).toThrow(
    'it asks for posix.system, which is neither plain data nor a NumPy array (s01.dat, byte 10): keep dicts',
  );
});

test.each([
  ['the end is missing', 'N', 'truncated'],
  ['a string is longer than the file', 'U\x09abc', 'truncated'],
  ['a length is beyond all memory', '\x8e\xff\xff\xff\xff\xff\xff\xff\x7f', 'truncated'],
  ['the stack is empty', 'a.', 'malformed'],
  ['a mark is missing', 'Nt.', 'malformed'],
  ['values below a mark are taken', ']Nq\x00(a.', 'malformed'],
  ['a tuple is added to', ')Na.', 'malformed'],
  ['a value was never kept', 'h\x07.', 'malformed'],
  ['a name is left as a value', 'cnumpy\nndarray\n.', 'malformed'],
  ['an instruction does not exist', '\xfe.', 'malformed'],
  ['bytes follow', 'N.N', 'malformed'],
  ['an integer is enormous', `L${'9'.repeat(800)}L\n.`, 'too-much'],
  ['an integer of many bytes', `\x8b\0\x10\0\0${'9'.repeat(4096)}.`, 'too-much'],
] as const)('where %s, that is the fault', (_, text, fault) => {
  expect(faultOf(() => readPickle(pickle(text)))).toBe(fault);
});

test('more items than allowed are refused', () => {
  const many = pickle('(', 'N'.repeat(2000), 't.');
  expect(faultOf(() => readPickle(many, { maxItems: 1000 }))).toBe('too-much');
  expect((readPickle(many) as unknown[]).length).toBe(2000);
});

test('a string that is encoded again and again is refused before it fills the memory', () => {
  const text = pickle('X\x00\x00\x10\x00', 'a'.repeat(2 ** 20), 'q\x000');
  const again = 'c_codecs\nencode\nh\x00X\x06\0\0\0latin1\x86R';
  const bomb = pickle(...Array.from({ length: 1000 }, () => again), '.');
  const all = new Uint8Array(text.length + bomb.length);
  all.set(text);
  all.set(bomb, text.length);
  expect(faultOf(() => readPickle(all))).toBe('too-much');
});

test('keys are never taken for properties', () => {
  const value = readPickle(pickle('(dU\x09__proto__K\x01s.')) as Map<string, PickleValue>;
  expect(value.get('__proto__')).toBe(1);
  expect(Object.prototype).not.toHaveProperty('1');
});

test('a list that contains itself is read', () => {
  const value = readPickle(pickle(']q\x00h\x00a.')) as unknown[];
  expect(value[0]).toBe(value);
});

type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** As Python 3 writes plain data with protocol 2. */
function write(value: Plain): (string | number | Uint8Array)[] {
  if (value === null) return ['N'];
  if (typeof value === 'boolean') return [value ? 0x88 : 0x89];
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9, 'G');
    bytes.writeDoubleBE(value, 1);
    return [bytes];
  }
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5, 'X');
    head.writeUInt32LE(bytes.length, 1);
    return [head, bytes];
  }
  if (Array.isArray(value)) return [']', '(', ...(value as Plain[]).flatMap(write), 'e'];
  return ['}', '(', ...Object.entries(value).flatMap(([key, item]) => [...write(key), ...write(item)]), 'u'];
}

test('plain data of any depth comes back as it was written', () => {
  const { data } = fc.letrec<{ data: Plain }>((tie) => ({
    data: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true }),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('data')),
      fc.dictionary(fc.string(), tie('data'), { noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(data, (value) => {
      const read = readPickle(pickle('\x80\x02', ...write(value), '.'));
      expect(plain(read)).toEqual(value);
    }),
  );
});

const SEEDS = [
  arrayPickle('f8', '<', 'K\x01\x85', '\0\0\0\0\0\0\xf8\x3f'),
  pickle("(dp0\nS'labels'\np1\n(lp2\nF1.5\naI-3\nasS'b'\n(I1\n(I2\nttp3\ns."),
  pickle(
    '\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94]\x94(K\x02G\x3f\xf8\0\0\0\0\0\0eu.',
  ),
  ...CODE.map(([, text]) => pickle(text)),
];

test('mutated pickles give a value or one clear error', () => {
  const mutation = fc.record({
    seed: fc.constantFrom(...SEEDS),
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
    cut: fc.option(fc.nat(), { freq: 6 }),
    inserted: fc.array(fc.constantFrom(...'(.0123FIJKLMNSTUVXabcdeghjlpqrstu}])\x80\x85R\x93\x94'), {
      maxLength: 6,
    }),
    at: fc.nat(),
  });
  fc.assert(
    fc.property(mutation, ({ seed, changes, cut, inserted, at }) => {
      const bytes = Uint8Array.from(seed);
      for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
      const place = at % (bytes.length + 1);
      const whole = pickle(bytes.subarray(0, place), ...inserted, bytes.subarray(place));
      const part = cut === null ? whole : whole.subarray(0, cut % (whole.length + 1));
      faultOf(() => readPickle(part, { maxItems: 10_000 }));
    }),
    { numRuns: 10_000 },
  );
});

const pickles = witnessPickles();
const note = pickles === undefined ? ` (skipped: ${WITNESS_PYTHON} has no NumPy)` : '';

test.skipIf(pickles === undefined).each([0, 1, 2, 3, 4])(
  `what Python pickles with protocol %i is read${note}`,
  (protocol) => {
    const read = readPickle(pickles!.get(`p${protocol}`)!) as Map<string, PickleValue>;
    const data = read.get('data') as NumpyArray;
    expect([data.dtype, data.shape, data.order]).toEqual(['<f8', [3, 4, 5], 'C']);
    expect([...data.data]).toEqual(Array.from({ length: 60 }, (_, i) => i / 4));
    expect([...(read.get('labels') as NumpyArray).data]).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
    const more = read.get('more') as readonly PickleValue[];
    expect(more.slice(0, 10)).toEqual([
      null,
      true,
      false,
      -1,
      255,
      65536,
      2 ** 40,
      -(2n ** 70n),
      1.5,
      'Größe',
    ]);
    expect(more.slice(10, 14)).toEqual([Uint8Array.of(0, 255, 10), [1, [2], []], 0.5, -7n]);
    const [big, fortran, flags] = more.slice(14) as NumpyArray[];
    expect(big).toEqual({ dtype: '>i2', shape: [2, 3], order: 'C', data: Int16Array.of(0, 1, 2, 3, 4, 5) });
    expect(fortran).toEqual({
      dtype: '<i8',
      shape: [2, 3],
      order: 'F',
      data: BigInt64Array.of(0n, 3n, 1n, 4n, 2n, 5n),
    });
    expect(flags).toEqual({ dtype: '|b1', shape: [2], order: 'C', data: Uint8Array.of(1, 0) });
  },
);

test.skipIf(pickles === undefined)(`a file of DEAP's size is read${note}`, () => {
  const read = readPickle(pickles!.get('deap')!) as Map<string, PickleValue>;
  const data = read.get('data') as NumpyArray;
  expect(data.shape).toEqual([40, 40, 8064]);
  let wrong = 0;
  for (let i = 0; i < data.data.length; i++) if (data.data[i] !== i / 16) wrong++;
  expect([data.data.length, wrong]).toEqual([40 * 40 * 8064, 0]);
  expect((read.get('labels') as NumpyArray).shape).toEqual([40, 4]);
});

test.skipIf(pickles === undefined).each(['system', 'object', 'objects'])(
  `Python's pickle %s is refused${note}`,
  (name) => {
    expect(faultOf(() => readPickle(pickles!.get(name)!))).toBe('refused');
  },
);
