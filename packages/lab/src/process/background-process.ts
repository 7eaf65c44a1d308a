import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { eventually } from '../eventually.ts';
import { messageOf } from '../lab-error.ts';
import { identify, signal, stateOf } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

export interface BackgroundProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Takes what the process writes to its standard output and error, appended. */
  readonly outputFile: string;
}

/**
 * Starts a process in a group of its own, so that Ctrl-C in the terminal does not reach it and it may outlive its starter.
 *
 * @throws Error when the command cannot be run
 */
export async function startInBackground(options: BackgroundProcessOptions): Promise<ProcessIdentity> {
  mkdirSync(dirname(options.outputFile), { recursive: true });
  const output = openSync(options.outputFile, 'a');
  try {
    const child = spawn(options.command, options.args, {
      detached: true,
      stdio: ['ignore', output, output],
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(`${options.command} could not be run: ${messageOf(error)}`)));
    });
    child.unref();
    const identity = identify(child.pid!);
    return identity ?? { pid: child.pid!, startTime: 'ended at once' };
  } finally {
    closeSync(output);
  }
}

/** Waits until that process is gone. @throws Error after `timeoutMs` */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<void> {
  await eventually(() => stateOf(identity) === 'gone', { timeoutMs, what: `the end of process ${identity.pid}` });
}

/**
 * SIGTERM, and SIGKILL for what has not ended after `graceMs`. A paused process is woken to hear it.
 *
 * @returns true when it ended by itself in time (or was gone before)
 */
export async function terminate(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
  if (!signal(identity, 'SIGTERM')) return true;
  signal(identity, 'SIGCONT');
  try {
    await waitUntilGone(identity, graceMs);
    return true;
  } catch {
    await killNow(identity);
    return false;
  }
}

/** SIGKILL, and waits for the end. */
export async function killNow(identity: ProcessIdentity): Promise<void> {
  signal(identity, 'SIGKILL');
  await waitUntilGone(identity, 10_000);
}
