/** What became of one test in one run of its file. */
export interface TestOutcome {
  /** The names of its `describe` blocks and its own, joined by ' › '. */
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Why it failed. */
  readonly message?: string;
}

/** What became of a test file in one run. */
export interface FileOutcome {
  /** From the top of the checkout, with `/`. */
  readonly file: string;
  readonly durationMs: number;
  readonly tests: readonly TestOutcome[];
  /** What kept the file itself from running to its end: it could not be loaded, a hook failed, it was killed for taking too long. */
  readonly broken?: string;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** `file › test` of what failed in one run and passed in the other. */
  readonly unsteady: readonly string[];
  /** `file › test` of what failed for good. */
  readonly failures: readonly string[];
}

/** Name of what is wrong with a file as a whole, among its tests. */
const wholeFile = '(the file itself)';

/** Does this file deserve a second run? */
export function hasFailed(outcome: FileOutcome): boolean {
  return outcome.broken !== undefined || outcome.tests.some(({ status }) => status === 'failed');
}

/**
 * Counts each test of each file once, whatever number of runs the file had: it has passed when it passed in any of them, and is
 * unsteady when it failed in another. A file broken in every run is one failure, as is a planned one that never ran.
 *
 * @param planned the files that were to be run
 * @param outcomes all runs, in any order
 */
export function tally(planned: readonly string[], outcomes: readonly FileOutcome[]): Tally {
  const byFile = new Map<string, FileOutcome[]>(planned.map((file) => [file, []]));
  for (const outcome of outcomes) {
    const runs = byFile.get(outcome.file);
    if (runs === undefined) byFile.set(outcome.file, [outcome]);
    else runs.push(outcome);
  }
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const unsteady: string[] = [];
  const failures: string[] = [];
  for (const [file, runs] of [...byFile].sort(([one], [other]) => (one < other ? -1 : 1))) {
    for (const [name, statuses] of statusesByTest(runs)) {
      if (statuses.has('passed')) {
        counts.passed += 1;
        if (statuses.has('failed')) unsteady.push(`${file} › ${name}`);
      } else if (statuses.has('failed')) {
        counts.failed += 1;
        failures.push(`${file} › ${name}`);
      } else {
        counts.skipped += 1;
      }
    }
    const brokenRuns = runs.filter(({ broken }) => broken !== undefined).length;
    if (brokenRuns === runs.length) {
      counts.failed += 1;
      failures.push(`${file} › ${wholeFile}: ${firstLine(runs.at(-1)?.broken ?? 'it was never run')}`);
    } else if (brokenRuns > 0) {
      unsteady.push(`${file} › ${wholeFile}`);
    }
  }
  return { ...counts, unsteady, failures };
}

/** `N passed, N failed[, N skipped]`: the last line of scripts/test. */
export function closingLine({ passed, failed, skipped }: Pick<Tally, 'passed' | 'failed' | 'skipped'>): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Tests of one name in one file (a table with equal rows) are told apart by their order. */
function statusesByTest(runs: readonly FileOutcome[]): Map<string, Set<TestOutcome['status']>> {
  const statuses = new Map<string, Set<TestOutcome['status']>>();
  for (const { tests } of runs) {
    const seen = new Map<string, number>();
    for (const { name, status } of tests) {
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      const key = count === 1 ? name : `${name} (${count})`;
      statuses.set(key, (statuses.get(key) ?? new Set()).add(status));
    }
  }
  return statuses;
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}
