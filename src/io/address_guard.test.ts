import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKind, connectTarget, parseFetchUrl } from './address_guard.js';

describe('addressKind', () => {
  it('knows the ranges that lead nowhere public', () => {
    const kinds: Record<string, string> = {
      '8.8.8.8': 'public',
      '2606:4700::1111': 'public',
      '64:ff9b::808:808': 'public',
      '::ffff:8.8.8.8': 'public',
      '127.0.0.1': 'loopback',
      '127.255.255.254': 'loopback',
      '::1': 'loopback',
      '0.0.0.0': 'reserved',
      '::': 'reserved',
      '10.0.0.1': 'private',
      '172.16.0.1': 'private',
      '172.32.0.1': 'public',
      '192.168.1.1': 'private',
      '100.64.0.1': 'carrier-grade NAT',
      '169.254.169.254': 'link-local',
      '192.0.2.1': 'reserved',
      '198.18.0.1': 'reserved',
      '224.0.0.1': 'multicast',
      '240.0.0.1': 'reserved',
      '255.255.255.255': 'reserved',
      'fe80::1': 'link-local',
      'fe80::1%eth0': 'link-local',
      'fc00::1': 'private',
      'fd00:ec2::254': 'private',
      'fec0::1': 'private',
      'ff02::1': 'multicast',
      '2001:db8::1': 'reserved',
      '2001::1': 'reserved',
      '2002:7f00:1::': 'loopback',
      '2002:808:808::': 'reserved',
      '64:ff9b::a00:1': 'private',
      '64:ff9b:1::808:808': 'reserved',
      '::7f00:1': 'loopback',
      '::ffff:0:127.0.0.1': 'loopback',
      '4000::1': 'reserved',
    };
    for (const [address, kind] of Object.entries(kinds))
      expect([address, addressKind(address)]).toEqual([address, kind]);
  });
});

/** A private IPv4 address as its four bytes. */
const privateAddress = fc.oneof(
  fc.tuple(fc.constant(10), fc.nat(255), fc.nat(255), fc.nat(255)),
  fc.tuple(fc.constant(127), fc.nat(255), fc.nat(255), fc.nat(255)),
  fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), fc.nat(255), fc.nat(255)),
  fc.tuple(fc.constant(192), fc.constant(168), fc.nat(255), fc.nat(255)),
  fc.tuple(fc.constant(169), fc.constant(254), fc.nat(255), fc.nat(255)),
  fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), fc.nat(255), fc.nat(255)),
);

/** Ways in which people write an IPv4 address in a URL. */
const spellings: readonly ((bytes: readonly number[]) => string)[] = [
  (b) => b.join('.'),
  (b) => b.map((byte) => `0x${byte.toString(16)}`).join('.'),
  (b) => b.map((byte) => `0${byte.toString(8)}`).join('.'),
  (b) => String(number(b)),
  (b) => `0x${number(b).toString(16)}`,
  (b) => `0${number(b).toString(8)}`,
  (b) => `${b[0]}.${number(b) % 2 ** 24}`,
  (b) => `${b[0]}.${b[1]}.${number(b) % 2 ** 16}`,
  (b) => `${b.join('.')}.`,
  (b) => b.join('。'),
  (b) =>
    b.map((byte) => `%${byte.toString().charCodeAt(0).toString(16)}${byte.toString().slice(1)}`).join('%2e'),
  (b) => `[::ffff:${b.join('.')}]`,
  (b) => `[::${b.join('.')}]`,
  (b) => `[64:ff9b::${b.join('.')}]`,
  (b) => `[2002:${hex(b[0], b[1])}:${hex(b[2], b[3])}::1]`,
  (b) => `[0:0:0:0:0:FFFF:${hex(b[0], b[1])}:${hex(b[2], b[3])}]`,
];

function number(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

function hex(high = 0, low = 0): string {
  return (high * 256 + low).toString(16);
}

describe('parseFetchUrl', () => {
  it('lets no spelling of a private address look public', () => {
    fc.assert(
      fc.property(privateAddress, fc.constantFrom(...spellings), (bytes, spell) => {
        const url = parseFetchUrl(`http://${spell(bytes)}/x`);
        // Refused as a URL, or an address that is seen for what it is.
        if (url instanceof URL) {
          const address = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
          expect(addressKind(address)).not.toBe('public');
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses other schemes, user names and what is no URL, and drops the fragment', () => {
    for (const text of [
      'file:///etc/passwd',
      'ftp://a.example/',
      'a.example/x.jpg',
      'data:,x',
      'http://u:p@a.example/',
      'http://',
      '',
    ])
      expect([text, parseFetchUrl(text)]).toMatchObject([text, { kind: 'bad-url' }]);
    expect(String(parseFetchUrl('HTTP://A.example/x#y'))).toBe('http://a.example/x');
  });
});

describe('connectTarget', () => {
  it('prefers a host with its port, and keeps the port where none is given', () => {
    const connectTo = {
      'a.example': '127.0.0.1:8000',
      'a.example:81': '[::1]:9000',
      'b.example': '10.0.0.1',
    };
    expect(connectTarget(connectTo, 'A.example', '80')).toEqual({ hostname: '127.0.0.1', port: '8000' });
    expect(connectTarget(connectTo, 'a.example', '81')).toEqual({ hostname: '::1', port: '9000' });
    expect(connectTarget(connectTo, 'b.example', '443')).toEqual({ hostname: '10.0.0.1', port: '443' });
    expect(connectTarget(connectTo, 'c.example', '80')).toBeUndefined();
  });
});
