import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileOutcome } from './tally.ts';

/** A line of a report: a file began, or ended. */
export type ReportLine = { readonly kind: 'began'; readonly file: string } | ({ readonly kind: 'ended' } & FileOutcome);

/** The environment variable by which jest's reporter knows its file: reporters named on the command line take no options. */
export const reportVariable = 'KLASSIC_TEST_REPORT';

const planFile = 'plan.json';

/** The folder that holds what a run of all tests left behind: the plan, and one report for each jest process. */
export class Results {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Where jest process `name` reports. */
  report(name: string): string {
    return join(this.folder, `${name}.jsonl`);
  }

  /** Adds files to those that are to be run; one that then reports nothing counts as failed. */
  plan(files: readonly string[]): void {
    writeFileSync(join(this.folder, planFile), JSON.stringify([...this.planned(), ...files], null, 1));
  }

  planned(): string[] {
    const isThere = readdirSync(this.folder).includes(planFile);
    return isThere ? (JSON.parse(readFileSync(join(this.folder, planFile), 'utf8')) as string[]) : [];
  }

  append(report: string, line: ReportLine): void {
    appendLine(report, line);
  }

  /** The runs of files that one report tells of; a file that began and never ended is left out. */
  ended(report: string): FileOutcome[] {
    return readLines(report).filter((line) => line.kind === 'ended');
  }

  /** The files that began, and did not end before the process did. */
  unfinished(report: string): string[] {
    const ended = new Set(this.ended(report).map(({ file }) => file));
    const began = readLines(report).filter((line) => line.kind === 'began');
    return began.map(({ file }) => file).filter((file) => !ended.has(file));
  }

  /** Every run of every file. */
  all(): FileOutcome[] {
    return readdirSync(this.folder)
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) => this.ended(join(this.folder, name)));
  }
}

/** Adds a line to a report. */
export function appendLine(report: string, line: ReportLine): void {
  appendFileSync(report, `${JSON.stringify(line)}\n`);
}

function readLines(report: string): ReportLine[] {
  let text: string;
  try {
    text = readFileSync(report, 'utf8');
  } catch (error) {
    // A process that ended before its first file has written none.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  // What follows the last line end was cut off by a kill.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ReportLine);
}
