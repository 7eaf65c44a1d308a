import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The recordings of the original: `KLASSIC_REFERENCE`, else `shared/reference` beside the checkout; undefined where there are none. */
export const referenceHome: string | undefined = [
  process.env['KLASSIC_REFERENCE'],
  resolve(import.meta.dirname, '../../../../shared/reference'),
].find((home) => home !== undefined && existsSync(join(home, 'vectors')));

let said = false;

/**
 * `describe` where the reference recordings are there, else `describe.skip` with a line that says so.
 *
 * @param suite jest's `describe`
 */
export function describeWithReference<T extends { skip: unknown }>(suite: T): T {
  if (referenceHome !== undefined) return suite;
  if (!said) {
    said = true;
    process.stderr.write(
      'The reference recordings are absent (KLASSIC_REFERENCE names their folder): tests that need them are skipped.\n',
    );
  }
  return suite.skip as T;
}

/** The path of a file of the reference, for example `referenceFile('vectors', 'errors.json')`. Only to be called inside tests. */
export function referenceFile(...parts: string[]): string {
  if (referenceHome === undefined) throw new Error('the reference recordings are absent');
  return join(referenceHome, ...parts);
}

/** A `.json` file of the reference. int64 beyond 2^53 are rounded: parse `vectors/messages` with a reader of their own. */
export function readReferenceJson(...parts: string[]): unknown {
  return JSON.parse(readFileSync(referenceFile(...parts), 'utf8'));
}

/** The lines of a `.jsonl` file of the reference, as text. */
export function readReferenceLines(...parts: string[]): string[] {
  return readFileSync(referenceFile(...parts), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
