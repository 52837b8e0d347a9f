/** Which addresses may be reached: URLs are checked as text, and addresses at the moment of connecting to them. */

import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { cachedSystemLookup } from './dns_cache.js';
import type { FetchFailure } from './fetch_outcome.js';

/** Why an address is refused. */
export type AddressKind =
  | 'public'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'carrier-grade NAT'
  | 'multicast'
  | 'reserved';

/**
 * What an address leads to. IPv4 addresses that travel inside IPv6 ones (mapped, compatible, NAT64, 6to4) count as what
 * they hold; Teredo and what else is not plain global unicast counts as reserved. Ranges: the IANA special-purpose address registries (RFC 6890).
 * @throws Error where `address` is not an IP address.
 */
export function addressKind(address: string): AddressKind {
  const parsed = ipaddr.parse(address.replace(/%.*$/, ''));
  const kind = KIND_OF_RANGE[parsed.range()] ?? 'reserved';
  if (!(parsed instanceof ipaddr.IPv6) || kind === 'loopback') return kind;
  const inner = embeddedAddress(parsed);
  if (inner !== undefined) {
    const innerKind = addressKind(inner.address);
    return innerKind === 'public' && !inner.isRoutable ? 'reserved' : innerKind;
  }
  // Only 2000::/3 is given out for global unicast (RFC 4291, 2.4).
  const isGlobal = ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000;
  return kind === 'public' && !isGlobal ? 'reserved' : kind;
}

/** ipaddr.js's names of ranges; those that are missing here (documentation, benchmarks, AS112 …) count as reserved. */
const KIND_OF_RANGE: Readonly<Record<string, AddressKind>> = {
  unicast: 'public',
  loopback: 'loopback',
  private: 'private',
  uniqueLocal: 'private',
  deprecatedSiteLocal: 'private',
  linkLocal: 'link-local',
  carrierGradeNat: 'carrier-grade NAT',
  multicast: 'multicast',
};

/**
 * The IPv4 address inside an IPv6 one. Routable are those that lead to that very host: mapped ones, and the well-known
 * NAT64 prefix, under which IPv6-only networks reach everything.
 */
function embeddedAddress(address: ipaddr.IPv6): { address: string; isRoutable: boolean } | undefined {
  const [a, b, c, d, e, f, g, h] = address.parts as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (a === 0x2002) return { address: ipv4Of(b, c), isRoutable: false }; // 6to4, RFC 3056
  const last = ipv4Of(g, h);
  if (a === 0x64 && b === 0xff9b) return { address: last, isRoutable: (c | d | e | f) === 0 }; // RFC 6052, RFC 8215
  if ((a | b | c | d) !== 0) return undefined;
  if (e === 0xffff && f === 0) return { address: last, isRoutable: false }; // RFC 6145
  if (e !== 0) return undefined;
  if (f === 0xffff) return { address: last, isRoutable: true }; // RFC 4291, 2.5.5.2
  return f === 0 ? { address: last, isRoutable: false } : undefined; // RFC 4291, 2.5.5.1
}

function ipv4Of(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/**
 * The URL, or why it may not be asked for: only http and https, no user name or password. Spellings such as `0x7f.1` or
 * `2130706433` come out as plain IPv4 addresses, as the WHATWG URL standard has it.
 */
export function parseFetchUrl(text: string, base?: URL): URL | FetchFailure {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    return { kind: 'bad-url', detail: 'not an absolute URL' };
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { kind: 'bad-url', detail: `${url.protocol} is neither http: nor https:` };
  if (url.username !== '' || url.password !== '')
    return { kind: 'bad-url', detail: 'the URL holds a user name or a password' };
  if (url.hostname === '') return { kind: 'bad-url', detail: 'the URL has no host' };
  if (url.hash !== '') url.hash = '';
  return url;
}

export interface AddressGuardOptions {
  /** Lets private, loopback, link-local and reserved addresses through. */
  readonly allowPrivateHosts?: boolean;
  /**
   * Where to connect instead, by `host` or `host:port`: `address:port`, or `address` for the same port. The URL and the
   * Host header stay. Given by the person, so that its targets may be private.
   */
  readonly connectTo?: Readonly<Record<string, string>>;
  /** Instead of the system's resolver, for tests. */
  readonly lookup?: LookupFunction;
}

/** What the guard throws into a connection that may not be made. */
export class ForbiddenAddressError extends Error {
  readonly code = 'ERR_FORBIDDEN_ADDRESS';
}

/**
 * How undici connects, with every address checked after its name was resolved and again on the socket, so that neither a
 * redirect nor a name that resolves otherwise the second time can lead elsewhere. `connectTimeoutMs` holds for name,
 * TCP and TLS together.
 */
export function guardedConnector(
  options: AddressGuardOptions,
  connectTimeoutMs: number,
): buildConnector.connector {
  const { allowPrivateHosts = false, lookup = cachedSystemLookup() } = options;
  const common = { timeout: connectTimeoutMs, autoSelectFamily: true };
  const open = buildConnector(common as buildConnector.BuildOptions);
  const guarded = buildConnector({
    ...common,
    lookup: allowPrivateHosts ? lookup : onlyPublic(lookup),
  } as buildConnector.BuildOptions);
  return (target, callback) => {
    const { hostname, protocol } = target;
    const port = target.port || (protocol === 'https:' ? '443' : '80');
    const override = connectTarget(options.connectTo, hostname, port);
    if (override !== undefined)
      return open({ ...target, ...override, ...serverName(target.servername, hostname) }, callback);
    if (allowPrivateHosts) return guarded(target, callback);
    if (isIP(hostname) !== 0) {
      const kind = addressKind(hostname);
      if (kind !== 'public') return void callback(forbidden(hostname, kind), null as never);
    }
    return guarded(target, (error, socket) => {
      const remote = socket?.remoteAddress;
      const kind = remote === undefined ? undefined : addressKind(remote);
      if (error !== null || kind === undefined || kind === 'public')
        return error === null ? callback(null, socket) : callback(error, null);
      socket?.destroy();
      callback(forbidden(remote as string, kind), null);
    });
  };
}

/**
 * Where `connectTo` leads a host, undefined where it does not name it.
 * @param hostname without brackets; matched with letter case ignored.
 */
export function connectTarget(
  connectTo: Readonly<Record<string, string>> | undefined,
  hostname: string,
  port: string,
): { hostname: string; port: string } | undefined {
  if (connectTo === undefined) return undefined;
  const host = (isIP(hostname) === 6 ? `[${hostname}]` : hostname).toLowerCase();
  const target = connectTo[`${host}:${port}`] ?? connectTo[host];
  if (target === undefined) return undefined;
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(target);
  if (parts === null) return { hostname: target, port };
  return { hostname: (parts[1] ?? parts[2]) as string, port: parts[3] ?? port };
}

/** TLS must still ask for, and verify, the name in the URL. */
function serverName(given: string | undefined, hostname: string): { servername?: string } {
  if (given !== undefined && given !== '') return { servername: given };
  return isIP(hostname) === 0 ? { servername: hostname } : {};
}

function forbidden(address: string, kind: AddressKind): ForbiddenAddressError {
  return new ForbiddenAddressError(`${address} is a ${kind} address`);
}

/** Keeps the public addresses; an error where there are others only. */
function onlyPublic(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, found);
      const all = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found;
      const kept = all.filter(({ address }) => addressKind(address) === 'public');
      const first = kept[0];
      if (first === undefined) {
        const address = all[0]?.address;
        const reason =
          address === undefined
            ? Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
            : new ForbiddenAddressError(`${hostname} is ${address}, a ${addressKind(address)} address`);
        return callback(reason, options.all ? [] : '');
      }
      if (options.all) callback(null, kept);
      else callback(null, first.address, first.family);
    });
}
