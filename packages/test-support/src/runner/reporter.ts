import { relative, sep } from 'node:path';
import { appendLine, reportVariable } from './results.ts';
import type { FileOutcome, TestOutcome } from './tally.ts';

/** What is used of jest's results. */
export interface JestFileResult {
  readonly testFilePath: string;
  readonly perfStats: { readonly runtime: number };
  readonly testExecError?: { readonly message?: string } | null;
  readonly failureMessage?: string | null;
  readonly testResults: readonly {
    readonly ancestorTitles: readonly string[];
    readonly title: string;
    readonly status: string;
    readonly failureMessages: readonly string[] | null;
  }[];
}

/** A jest reporter that writes each file's outcome as soon as it is known, so that a run which is killed tells what it can. */
export default class JsonLinesReporter {
  private readonly report: string;
  private readonly root: string;

  constructor(config: { rootDir: string }) {
    const report = process.env[reportVariable];
    if (report === undefined) throw new Error(`${reportVariable} must name the file to report to`);
    this.root = config.rootDir;
    this.report = report;
  }

  onTestFileStart(test: { path: string }): void {
    appendLine(this.report, { kind: 'began', file: nameOf(this.root, test.path) });
  }

  onTestFileResult(_test: unknown, result: JestFileResult): void {
    appendLine(this.report, { kind: 'ended', ...outcomeOf(this.root, result) });
  }
}

/** Jest's result of one file in our terms. */
export function outcomeOf(root: string, result: JestFileResult): FileOutcome {
  const tests = result.testResults.map(({ ancestorTitles, title, status, failureMessages }): TestOutcome => {
    const name = [...ancestorTitles, title].join(' › ');
    if (status === 'passed') return { name, status };
    if (status === 'failed') return { name, status, message: (failureMessages ?? []).join('\n') };
    // pending, todo, disabled, skipped
    return { name, status: 'skipped' };
  });
  const { testExecError } = result;
  const isBroken = testExecError !== undefined && testExecError !== null;
  return {
    file: nameOf(root, result.testFilePath),
    durationMs: result.perfStats.runtime,
    tests,
    ...(isBroken ? { broken: testExecError.message ?? result.failureMessage ?? 'it could not be run' } : {}),
  };
}

function nameOf(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}
