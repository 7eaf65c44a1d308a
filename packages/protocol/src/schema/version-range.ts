import { invariant } from '@klassic/common';

/** Versions of a message, both ends inclusive. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

const PATTERN = /^(\d+)(?:(\+)|-(\d+))?$/;

/** Reads the notation of the schemas: `3+` (from 3 on), `0-5`, `7` (that one alone), `none`. */
export function versionRange(text: string): VersionRange {
  if (text === 'none') return { min: 0, max: -1 };
  const match = PATTERN.exec(text);
  invariant(match !== null, `"${text}" is no range of versions`);
  const min = Number(match[1]);
  if (match[2] !== undefined) return { min, max: Infinity };
  return { min, max: match[3] === undefined ? min : Number(match[3]) };
}

/** Whether the range has the version. */
export function includesVersion(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max;
}
