/** Values seen, by the names the document gave them; the shell has them as variables. */
export type Captures = ReadonlyMap<string, string>;

export type Verdict =
  | { readonly met: true; readonly captures: Captures }
  /** The first line that was not seen, or the `not:` line that was. */
  | { readonly met: false; readonly missed: string };

/**
 * Looks for expectations in the output of commands. They must be found in their order, with other lines between them or
 * not. In a line `…` stands for any text, `{name}` for a word without blanks, commas or brackets: it is captured, or, when
 * captured before, must be the same again. Blanks count as one. A line that begins with `not:` must match no line at all.
 */
export function judge(expectations: readonly string[], output: string, known: Captures): Verdict {
  const lines = output.split('\n').map(squeeze);
  let captures: Captures = known;
  let from = 0;
  for (const expectation of expectations) {
    if (expectation.startsWith('not:')) continue;
    const found = findFrom(lines, from, expectation, captures);
    if (found === undefined) return { met: false, missed: fill(expectation, captures) };
    captures = found.captures;
    from = found.index + 1;
  }
  for (const expectation of expectations) {
    if (!expectation.startsWith('not:')) continue;
    const unwanted = expectation.slice('not:'.length).trim();
    if (findFrom(lines, 0, unwanted, captures) !== undefined)
      return { met: false, missed: fill(expectation, captures) };
  }
  return { met: true, captures };
}

/** The expectation with what is known put in, for people. */
export function fill(expectation: string, captures: Captures): string {
  return expectation.replace(placeholder, (whole, name: string) => captures.get(name) ?? whole);
}

const placeholder = /\{([a-z][a-z0-9_]*)\}/g;

function findFrom(
  lines: readonly string[],
  from: number,
  expectation: string,
  captures: Captures,
): { index: number; captures: Captures } | undefined {
  const pattern = compile(squeeze(expectation), captures);
  for (let index = from; index < lines.length; index += 1) {
    const match = pattern.exec(lines[index]!);
    if (match === null) continue;
    return { index, captures: new Map([...captures, ...Object.entries(match.groups ?? {})]) };
  }
  return undefined;
}

function compile(expectation: string, captures: Captures): RegExp {
  const named = new Set<string>();
  const source = expectation
    .split(/(…|\{[a-z][a-z0-9_]*\})/)
    .map((part) => {
      if (part === '…') return '.*?';
      const name = /^\{(.+)\}$/.exec(part)?.[1];
      if (name === undefined) return escape(part);
      const known = captures.get(name);
      if (known !== undefined) return escape(known);
      if (named.has(name)) return `\\k<${name}>`;
      named.add(name);
      return `(?<${name}>[^\\s,;()[\\]{}]+)`;
    })
    .join('');
  return new RegExp(`^${source}$`, 'u');
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function squeeze(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
