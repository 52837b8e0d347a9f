/** What a licence allows a dataset card to say and to show, known by the licence's address. */

export interface KnownLicence {
  /** Hugging Face's identifier (huggingface.co/docs/hub/repositories-licenses); `other` where it has none. */
  readonly id: string;
  /** Whether crops and windows may be passed on. What is not known to allow it, does not. */
  readonly maySharePieces: boolean;
}

export function knownLicence(url: string): KnownLicence {
  const path = url.replace(/^https?:\/\/(www\.)?/i, '').toLowerCase();
  // A licence without derivatives does not let pieces be passed on.
  const [, terms, version] = /^creativecommons\.org\/licenses\/([a-z-]+)\/(\d\.\d)/.exec(path) ?? [];
  if (terms !== undefined && CREATIVE_COMMONS.has(terms))
    return { id: `cc-${terms}-${version}`, maySharePieces: !terms.includes('nd') };
  const known = OTHERS.find(([start]) => path.startsWith(start));
  return known === undefined
    ? { id: 'other', maySharePieces: false }
    : { id: known[1], maySharePieces: true };
}

const CREATIVE_COMMONS = new Set(['by', 'by-sa', 'by-nc', 'by-nd', 'by-nc-sa', 'by-nc-nd']);

const OTHERS = [
  ['creativecommons.org/publicdomain/zero/1.0', 'cc0-1.0'],
  ['opendatacommons.org/licenses/by/1-0', 'odc-by'],
  ['opendatacommons.org/licenses/pddl', 'pddl'],
  ['opendatacommons.org/licenses/odbl', 'odbl'],
  ['apache.org/licenses/license-2.0', 'apache-2.0'],
  ['opensource.org/license/mit', 'mit'],
  ['opensource.org/licenses/mit', 'mit'],
] as const;
