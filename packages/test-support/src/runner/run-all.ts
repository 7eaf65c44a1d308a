import { isSoak } from '../soak.ts';
import { endJest, listTestFiles, runJest } from './jest-process.ts';
import type { Project } from './jest-process.ts';
import type { Results } from './results.ts';
import { hasFailed } from './tally.ts';
import type { FileOutcome } from './tally.ts';

export interface Limits {
  /** For all unit tests together, which run in one jest process, in milliseconds. */
  readonly unitMs: number;
  /** For one file that runs alone, in milliseconds. */
  readonly fileMs: number;
  /** For everything, in milliseconds: what has not begun by then is not run, and has failed. */
  readonly totalMs: number;
}

/** CI has 90 minutes. A soak run (`KLASSIC_SOAK`) takes its time. */
export function limitsOf(env: NodeJS.ProcessEnv): Limits {
  const times = isSoak(env) ? 10 : 1;
  return { unitMs: 15 * 60_000 * times, fileMs: 8 * 60_000 * times, totalMs: 60 * 60_000 * times };
}

/** The long ones come last, the longest at the very end: a fault that everything suffers from shows early. */
const long = ['chaos', 'fault-matrix', 'scale', 'walkthroughs', 'failover', 'faults'];

/** The order in which integration tests run. */
export function quickFirst(files: readonly string[]): string[] {
  const rank = (file: string): number => long.findIndex((name) => file.includes(`/${name}.`));
  return [...files].sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
}

export interface RunAllOptions {
  /** The top of the checkout. */
  readonly root: string;
  readonly results: Results;
  readonly limits: Limits;
  readonly say: (line: string) => void;
  /** Where jest writes; default: where this process does. */
  readonly output?: 'inherit' | 'ignore';
}

interface Work extends RunAllOptions {
  readonly deadline: number;
}

/**
 * Runs the unit tests in one jest process, then each file of integration tests in its own, one after another, and at last each
 * file that failed once more, alone.
 */
export async function runAll(options: RunAllOptions): Promise<void> {
  const { root, results, limits, say } = options;
  const work: Work = { ...options, deadline: performance.now() + limits.totalMs };
  const unit = listTestFiles(root, 'unit');
  const integration = quickFirst(listTestFiles(root, 'integration'));
  results.plan([...unit, ...integration]);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      endJest();
      process.exit(130);
    });
  }
  const again = new Map<string, Project>();
  for (const file of await runUnitTests(work, unit)) again.set(file, 'unit');
  for (const [index, file] of integration.entries()) {
    say(`integration tests, file ${index + 1} of ${integration.length}: ${file}`);
    if (hasFailed(await runAlone(work, 'integration', file, 'first'))) again.set(file, 'integration');
  }
  for (const [file, project] of again) {
    say(`once more, alone: ${file}`);
    await runAlone(work, project, file, 'again');
  }
}

/** @returns the files that failed, or that the process did not come to the end of */
async function runUnitTests(work: Work, files: readonly string[]): Promise<string[]> {
  const { root, results, limits, say, output = 'inherit' } = work;
  say(`unit tests: ${files.length} files`);
  const report = results.report('first-unit');
  const inTime = await runJest({ root, project: 'unit', report, workers: 2, limitMs: limits.unitMs, output });
  if (!inTime) {
    const why = `killed: the unit tests did not end within ${limits.unitMs / 1000} s`;
    for (const file of results.unfinished(report)) {
      say(`${file}: ${why}`);
      results.append(report, { kind: 'ended', file, durationMs: limits.unitMs, tests: [], broken: why });
    }
  }
  const ended = new Map(results.ended(report).map((outcome) => [outcome.file, outcome]));
  return files.filter((file) => {
    const outcome = ended.get(file);
    return outcome === undefined || hasFailed(outcome);
  });
}

async function runAlone(work: Work, project: Project, file: string, round: 'first' | 'again'): Promise<FileOutcome> {
  const { root, results, limits, say, output = 'inherit' } = work;
  const report = results.report(`${round}-${file.replaceAll('/', '-')}`);
  const began = performance.now();
  const fail = (why: string): FileOutcome => {
    const outcome: FileOutcome = { file, durationMs: Math.round(performance.now() - began), tests: [], broken: why };
    say(`${file}: ${why}`);
    results.append(report, { kind: 'ended', ...outcome });
    return outcome;
  };
  const leftMs = work.deadline - began;
  if (leftMs <= 0) return fail(`not run: all tests together took more than ${limits.totalMs / 60_000} minutes`);
  const limitMs = Math.min(limits.fileMs, leftMs);
  const inTime = await runJest({ root, project, files: [file], report, workers: 1, limitMs, output });
  const outcome = results.ended(report).at(-1);
  if (outcome !== undefined) return outcome;
  return fail(inTime ? 'jest ended without a result' : `killed: it did not end within ${Math.round(limitMs / 1000)} s`);
}
