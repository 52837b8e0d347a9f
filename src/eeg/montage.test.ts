import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelPosition, channelPositions, type Direction, electrodeNames } from './montage.js';

const place = (name: string): Direction => channelPosition(name)!;

function angleDeg(a: Direction, b: Direction): number {
  return (Math.acos(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) * 180) / Math.PI;
}

function expectNear(a: Direction, b: Direction): void {
  for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i]!, 12);
}

test('Cz is on top, Fpz in front, Oz behind, T7 on the left and T8 on the right', () => {
  expectNear(place('Cz'), [0, 0, 1]);
  expectNear(place('Fpz'), [0, 1, 0]);
  expectNear(place('Oz'), [0, -1, 0]);
  expectNear(place('T7'), [-1, 0, 0]);
  expectNear(place('T8'), [1, 0, 0]);
});

test('neighbours on the midline, and from ear to ear, are a tenth of the arc apart', () => {
  for (const row of ['Nz Fpz AFz Fz FCz Cz CPz Pz POz Oz Iz', 'T9 T7 C5 C3 C1 Cz C2 C4 C6 T8 T10']) {
    const names = row.split(' ');
    for (let i = 1; i < names.length; i++)
      expect(angleDeg(place(names[i - 1]!), place(names[i]!))).toBeCloseTo(22.5, 9);
  }
});

test('neighbours on the ring are a tenth of its half apart', () => {
  const names = 'Fpz Fp1 AF7 F7 FT7 T7 TP7 P7 PO7 O1 Oz'.split(' ');
  for (let i = 1; i < names.length; i++)
    expect(angleDeg(place(names[i - 1]!), place(names[i]!))).toBeCloseTo(18, 9);
});

test('F3 is as far from Fz as from F7, and each row is cut in equal parts', () => {
  for (const row of ['Fz F1 F3 F5 F7', 'POz PO1 PO3 PO5 PO7', 'FCz FC2 FC4 FC6 FT8']) {
    const names = row.split(' ');
    const steps = names.slice(1).map((name, i) => angleDeg(place(names[i]!), place(name)));
    for (const step of steps) expect(step).toBeCloseTo(steps[0]!, 9);
  }
});

test('all electrodes are on the unit sphere, mirrored left and right, front and back', () => {
  const names = electrodeNames();
  expect(names.length).toBe(89);
  expect(
    new Set(
      names.map((name) =>
        place(name)
          .map((v) => v.toFixed(6))
          .join(),
      ),
    ).size,
  ).toBe(names.length);
  for (const name of names) {
    const [x, y, z] = place(name);
    expect(Math.hypot(x, y, z)).toBeCloseTo(1, 12);
    const [, row, number] = /^(\D+?)(z|\d+)$/.exec(name)!;
    if (number === 'z') expect(x).toBe(0);
    else {
      expect(Number(number) % 2 === 1 ? x < 0 : x > 0).toBe(true);
      const other = Number(number) % 2 === 1 ? Number(number) + 1 : Number(number) - 1;
      expectNear(place(`${row}${other}`), [-x, y, z]);
    }
  }
  expectNear(place('P3'), [place('F3')[0], -place('F3')[1], place('F3')[2]]);
});

test('a pair is half way between its electrodes', () => {
  fc.assert(
    fc.property(fc.constantFrom(...electrodeNames()), fc.constantFrom(...electrodeNames()), (a, b) => {
      fc.pre(angleDeg(place(a), place(b)) < 179 && a !== b);
      const middle = place(`${a}-${b}`);
      expect(angleDeg(middle, place(a))).toBeCloseTo(angleDeg(middle, place(b)), 5);
      expect(Math.hypot(...middle)).toBeCloseTo(1, 12);
    }),
  );
});

test('a channel of no known place has none, and NaN among others', () => {
  expect(channelPosition('EOG left')).toBeUndefined();
  expect(channelPosition('Fp7')).toBeUndefined();
  expect([...channelPositions(['Cz', 'EOG left'])]).toEqual([0, 0, 1, Number.NaN, Number.NaN, Number.NaN]);
});

test('ears are taken to be below T7 and T8', () => {
  expect(channelPosition('A1')).toEqual(place('T9'));
  expect(channelPosition('C3-A2')).toBeDefined();
});
