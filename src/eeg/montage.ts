/** Where the electrodes of the 10-20 and 10-10 systems are on a spherical head, computed from what the systems define. */

import { electrodesOf } from './channel_names.js';

/** A point of the unit sphere: x to the right ear, y to the nose, z to the top of the head. */
export type Direction = readonly [x: number, y: number, z: number];

/**
 * Where a channel is, by its canonical name. A pair is half way between its electrodes. Undefined where it is not of the
 * 10-10 system. Ear lobes (A1, A2) and mastoids (M1, M2), which the system does not place, are taken to be at T9, T10 and
 * TP9, TP10.
 */
export function channelPosition(channel: string): Direction | undefined {
  const known = positions.get(channel);
  if (known !== undefined) return known;
  const position = findPosition(channel);
  // What is unknown is any text: it is not kept.
  if (position !== undefined) positions.set(channel, position);
  return position;
}

/** Each channel is asked for with every window. */
const positions = new Map<string, Direction>();

function findPosition(channel: string): Direction | undefined {
  const places = electrodesOf(channel).map((name) => ELECTRODES.get(NEIGHBOURS[name] ?? name));
  const [first, second] = places;
  if (first === undefined || places.length === 1) return first;
  return second === undefined
    ? undefined
    : unit(first.map((v, i) => v + second[i]!) as [number, number, number]);
}

/** The electrodes whose place is known, row by row from the nose backwards. */
export function electrodeNames(): string[] {
  return [...ELECTRODES.keys()];
}

/** x, y and z of each channel, one after the other: the feature `eeg/positions`. NaN where a place is not known. */
export function channelPositions(channels: readonly string[]): Float32Array {
  const places = new Float32Array(3 * channels.length).fill(Number.NaN);
  for (const [i, channel] of channels.entries()) {
    const place = channelPosition(channel);
    if (place !== undefined) places.set(place, 3 * i);
  }
  return places;
}

const NEIGHBOURS: Readonly<Record<string, string>> = { A1: 'T9', A2: 'T10', M1: 'TP9', M2: 'TP10' };

/**
 * The distance of neighbours along the arcs from the nasion over the vertex (Cz) to the inion, and from one
 * preauricular point over Cz to the other: a tenth of the arc. The ring through Fpz, T7, Oz and T8 is the sphere's equator:
 * four tenths from Cz are then a quarter of the circle.
 */
const TENTH_DEG = 90 / 4;

/** A tenth of half the ring, from Fpz over T7 to Oz. */
const RING_TENTH_DEG = 180 / 10;

/**
 * The rows: name on the midline and inside, name at and outside the ring, and tenths of the arcs in front of Cz. Jurcak,
 * Tsuzuki and Dan, "10/20, 10/10, and 10/5 systems revisited" (NeuroImage 34, 2007), figure 1, shows them all.
 */
const INNER_ROWS = [
  { inner: 'AF', outer: 'AF', tenths: 3 },
  { inner: 'F', outer: 'F', tenths: 2 },
  { inner: 'FC', outer: 'FT', tenths: 1 },
  { inner: 'C', outer: 'T', tenths: 0 },
  { inner: 'CP', outer: 'TP', tenths: -1 },
  { inner: 'P', outer: 'P', tenths: -2 },
  { inner: 'PO', outer: 'PO', tenths: -3 },
] as const;

/** Places between the midline and the ring, outwards; and the one on the ring and a tenth below it. */
const INSIDE_PLACES = [1, 3, 5] as const;
const RING_PLACE = 7;
const LOW_PLACE = 9;

const ELECTRODES: ReadonlyMap<string, Direction> = placeElectrodes();

function placeElectrodes(): Map<string, Direction> {
  const places = new Map<string, Direction>([
    ['Nz', midline(5)],
    ...bothSides('N', 1, onRing(1, 1)),
    ['Fpz', midline(4)],
    ...bothSides('Fp', 1, onRing(1, 0)),
  ]);
  for (const { inner, outer, tenths } of INNER_ROWS) {
    const middle = midline(tenths);
    // The ring's tenths count from Fpz, which is four tenths before the row of Cz and five of the ring's before T7.
    const ringTenth = 5 - tenths;
    const edge = onRing(ringTenth, 0);
    places.set(`${inner}z`, middle);
    for (const [i, place] of INSIDE_PLACES.entries()) {
      const between = onArc(middle, edge, (i + 1) / (INSIDE_PLACES.length + 1));
      for (const [name, at] of bothSides(inner, place, between)) places.set(name, at);
    }
    for (const [name, at] of bothSides(outer, RING_PLACE, edge)) places.set(name, at);
    for (const [name, at] of bothSides(outer, LOW_PLACE, onRing(ringTenth, 1))) places.set(name, at);
  }
  for (const [name, at] of [
    ['Oz', midline(-4)] as const,
    ...bothSides('O', 1, onRing(9, 0)),
    ['Iz', midline(-5)] as const,
    ...bothSides('I', 1, onRing(9, 1)),
  ])
    places.set(name, at);
  return places;
}

/** On the arc from the nasion over Cz to the inion, in tenths in front of Cz. */
function midline(tenths: number): Direction {
  return fromAngles(tenths * TENTH_DEG, 90);
}

/** On the left of the ring, in its tenths from Fpz, and `below` tenths of the arcs under it. */
function onRing(tenths: number, below: number): Direction {
  return fromAngles((4 + below) * TENTH_DEG, 90 + tenths * RING_TENTH_DEG);
}

/** By the angle from Cz and the azimuth from the right ear over the nose, in degrees. */
function fromAngles(fromTopDeg: number, azimuthDeg: number): Direction {
  const [top, azimuth] = [radians(fromTopDeg), radians(azimuthDeg)];
  return [Math.sin(top) * Math.cos(azimuth), Math.sin(top) * Math.sin(azimuth), Math.cos(top)].map(
    withoutDust,
  ) as unknown as Direction;
}

/**
 * A share of the way on the arc from the midline to the ring on the left: the system measures rows along the cut through
 * the row's places on the ring and on the midline, which on a sphere is a circle; a half of it is the arc.
 */
function onArc(middle: Direction, edge: Direction, share: number): Direction {
  // The cut's plane contains both ends and the left-right axis: the circle's centre has the plane's foot point.
  const normal = unit(cross(subtract(edge, middle), [1, 0, 0]));
  const centre = scale(normal, dot(normal, middle));
  const from = subtract(middle, centre);
  const to = subtract(edge, centre);
  const angle = Math.acos(Math.min(1, Math.max(-1, dot(from, to) / dot(from, from))));
  const parts = [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
  const at = [0, 1, 2].map((i) => centre[i]! + parts[0]! * from[i]! + parts[1]! * to[i]!);
  return unit(at.map(withoutDust) as unknown as Direction);
}

/** The place on the left and its mirror image, whose number is the next even one. */
function bothSides(row: string, place: number, [x, y, z]: Direction): [string, Direction][] {
  return [
    [`${row}${place}`, [x, y, z]],
    [`${row}${place + 1}`, [-x, y, z]],
  ];
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** What sine and cosine leave where 0 is meant. */
function withoutDust(value: number): number {
  return Math.abs(value) < 1e-15 ? 0 : value;
}

function dot(a: Direction, b: Direction): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Direction, b: Direction): Direction {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function subtract(a: Direction, b: Direction): Direction {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function scale([x, y, z]: Direction, by: number): Direction {
  return [x * by, y * by, z * by];
}

function unit(a: Direction): Direction {
  return scale(a, 1 / Math.hypot(...a));
}
