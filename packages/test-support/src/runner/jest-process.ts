import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join, relative, sep } from 'node:path';
import { reportVariable } from './results.ts';

export type Project = 'unit' | 'integration';

const jestCommand = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

let running: ChildProcess | undefined;

/** The test files of a project, from the top of the checkout. */
export function listTestFiles(root: string, project: Project): string[] {
  const args = [...jestCommand, '--selectProjects', project, '--listTests', '--json'];
  const output = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  const paths = JSON.parse(output.slice(output.indexOf('['))) as string[];
  return paths.map((path) => relative(root, path).split(sep).join('/')).sort();
}

export interface JestRun {
  readonly root: string;
  readonly project: Project;
  /** Default: all of the project. */
  readonly files?: readonly string[];
  readonly report: string;
  readonly workers: number;
  /** When it is killed, in milliseconds. */
  readonly limitMs: number;
  /** Where jest writes; default: where this process does. */
  readonly output?: 'inherit' | 'ignore';
}

/**
 * Runs jest as a process of its own, which ends with its last test (`--forceExit`) or is killed at its limit.
 *
 * @returns whether it ended by itself; how the tests fared is in the report
 */
export function runJest(run: JestRun): Promise<boolean> {
  const reporter = join(import.meta.dirname, 'reporter.ts');
  const args = [
    ...jestCommand,
    '--selectProjects',
    run.project,
    '--reporters=default',
    `--reporters=${reporter}`,
    ...(run.workers === 1 ? ['--runInBand'] : [`--maxWorkers=${run.workers}`]),
    '--forceExit',
    ...(run.files === undefined ? [] : ['--runTestsByPath', ...run.files]),
  ];
  const { output = 'inherit' } = run;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: run.root,
      env: { ...process.env, [reportVariable]: run.report },
      stdio: ['ignore', output, output],
      // A process group of its own: a worker that hangs in a loop would outlive jest.
      detached: true,
    });
    running = child;
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      endJest();
    }, run.limitMs);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      running = undefined;
      resolve(inTime);
    });
  });
}

/** Ends the jest process that runs, if one does, with its workers. */
export function endJest(): void {
  if (running?.pid !== undefined && running.exitCode === null) process.kill(-running.pid, 'SIGKILL');
}
