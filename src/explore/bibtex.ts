/** Turns a citation in words (authors. Title. Where, year.) into BibTeX. */

/**
 * One entry a work: a citation may name several, one after the other. What is in another form becomes one entry that has the
 * citation as its note.
 * @param of for that one entry: its key, title and address
 */
export function bibtex(
  citation: string,
  of: { readonly key: string; readonly title: string; readonly url: string },
): string {
  const parts = sentences(citation);
  const works: Work[] = [];
  for (let i = 0; i + 2 < parts.length; i += 3) works.push(parts.slice(i, i + 3) as unknown as Work);
  const isInForm =
    parts.length > 0 && parts.length % 3 === 0 && works.every(([, , place]) => YEAR.test(place));
  if (isInForm) return works.map(workEntry).join('\n\n');
  return entry(of.key, {
    title: `{${of.title}}`,
    howpublished: of.url && `\\url{${of.url}}`,
    note: citation,
  });
}

type Work = readonly [authors: string, title: string, place: string];

const YEAR = /\b(1[89]|20)\d\d\b/;

/** At full stops, but not those after initials (`A.`, `J.-S.`) and in `pp.`. */
function sentences(text: string): string[] {
  return text
    .trim()
    .split(/(?<!(?:^|[\s.-])\p{Lu})(?<!\bpp)\.(?:\s+|$)/u)
    .filter((part) => part !== '');
}

function workEntry([authors, title, place]: Work): string {
  // Pages are no years: they come first.
  const [year = ''] = place.match(new RegExp(YEAR, 'g'))?.slice(-1) ?? [];
  const names = authors
    .replace(/ et al$/, ', others')
    .split(/, | and /)
    .join(' and ');
  const surname = (authors.split(/,| and | et al/)[0] ?? '').split(' ').at(-1) ?? '';
  const word = title.split(/[^\p{L}\p{N}]+/u).find((each) => each.length > 3) ?? '';
  const key = `${surname}${year}${word}`.toLowerCase().replace(/[^a-z0-9]/g, '');
  return entry(key, { author: names, title: `{${title}}`, howpublished: place, year });
}

function entry(key: string, fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === ''
      ? []
      : [
          `  ${name.padEnd(12)} = {${name === 'howpublished' && value.startsWith('\\url') ? value : escaped(value)}}`,
        ],
  );
  return `@misc{${key},\n${lines.join(',\n')}\n}`;
}

/** What TeX would take for a command. Braces must match, or the entry would not end. */
function escaped(text: string): string {
  const special = text.replace(/\\/g, '').replace(/[&%$#_]/g, '\\$&');
  const open = special.match(/\{/g)?.length ?? 0;
  return open === (special.match(/\}/g)?.length ?? 0) ? special : special.replace(/[{}]/g, '');
}
