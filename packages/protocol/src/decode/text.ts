import type { AnnotatedBytes, Annotation } from './annotation.ts';

const BYTES_A_LINE = 12;

/** The last name of a path, and a length with what it is the length of. */
const NAME = /[^.]+(?:\.length)?$/;

const hexOf = (bytes: Buffer) => bytes.toString('hex').replace(/..(?=.)/g, '$& ');

function described({ depth, path, type, value, length }: Annotation): string {
  const indent = '  '.repeat(depth);
  // Within its structure the last name is enough.
  const name = NAME.exec(path)?.[0] ?? path;
  if (length === 0 && value === null) return `${indent}${path}: ${type}`;
  return `${indent}${name} = ${JSON.stringify(value)} (${type})`;
}

/** The annotated hex dump: offset, bytes, and what they say. */
export function annotatedText({ bytes, annotations, problem }: AnnotatedBytes): string {
  const lines: string[] = [];
  for (const annotation of annotations) {
    const { offset, length } = annotation;
    const heading = length === 0 && annotation.value === null;
    for (let from = 0; from === 0 || from < length; from += BYTES_A_LINE) {
      const part = bytes.subarray(offset + from, offset + Math.min(length, from + BYTES_A_LINE));
      const place = heading ? '' : String(offset + from).padStart(6);
      const text = from === 0 ? described(annotation) : '';
      lines.push(`${place.padEnd(8)}${hexOf(part).padEnd(3 * BYTES_A_LINE)} ${text}`.trimEnd());
    }
  }
  if (problem !== null) lines.push(`not understood from here: ${problem}`);
  return `${lines.join('\n')}\n`;
}

/** The same as plain data for `JSON.stringify`. */
export function annotatedJson({ bytes, annotations, problem }: AnnotatedBytes): object {
  return {
    sizeInBytes: bytes.length,
    problem,
    ranges: annotations.map((annotation) => ({
      ...annotation,
      hex: bytes.toString('hex', annotation.offset, annotation.offset + annotation.length),
    })),
  };
}
