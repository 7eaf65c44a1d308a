import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from './results.ts';
import { closingLine, tally } from './tally.ts';

/**
 * Adds up all reports, writes what failed and why to `failures.txt` beside them, and says it.
 *
 * @param failedSteps other things that went wrong; each counts as one failure
 * @returns whether nothing failed
 */
export function close(results: Results, failedSteps: number, say: (line: string) => void): boolean {
  const outcomes = results.all();
  const { passed, failed, skipped, unsteady, failures } = tally(results.planned(), outcomes);
  const details = outcomes.flatMap(({ file, tests, broken }) => [
    ...tests.flatMap(({ name, message }) => (message === undefined ? [] : [`${file} › ${name}\n${message}\n`])),
    ...(broken === undefined ? [] : [`${file}\n${broken}\n`]),
  ]);
  if (details.length > 0) writeFileSync(join(results.folder, 'failures.txt'), details.join('\n'));
  for (const name of failures) say(`klassic: failed: ${name}`);
  for (const name of unsteady) {
    say(`klassic: unsteady: ${name} failed once and passed when run again: find the cause`);
  }
  if (unsteady.length > 0) say(`klassic: what it said is in ${join(results.folder, 'failures.txt')}`);
  say(closingLine({ passed, failed: failed + failedSteps, skipped }));
  return failed + failedSteps === 0;
}
