import { closeSync, linkSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@klassic/common';
import { deleteIfExists, isNotFound, isSystemError } from './files.ts';

const LOCK_FILE = '.lock';
const ATTEMPTS = 5;
const STAT_START_TIME_FIELD = 19;

/** Another broker works on the log dir. */
export class LogDirLockedError extends Error {
  override readonly name = 'LogDirLockedError';
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process was started, as the system counts it; null where it does not tell. */
  readonly started: string | null;
}

/**
 * Keeps two brokers from one log dir, as Kafka does with a lock on the file `.lock`. Node cannot lock files, so the
 * file says who has it: host, pid, and on Linux the start time of the process, so that a pid that was given out again
 * is not taken for the owner. A lock whose owner is gone, as after kill -9, is taken over. On Linux a running Kafka's
 * own lock on the file is seen too, in /proc/locks; Kafka does not see ours.
 */
export class DirLock {
  private readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Takes the lock of a log dir.
   *
   * @throws LogDirLockedError when another has it
   */
  static acquire(dir: string, logger: Logger): DirLock {
    const path = join(dir, LOCK_FILE);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const held = readIfExists(path);
      if (held === null) {
        if (!create(path)) continue;
        return new DirLock(path);
      }
      if (isHeld(path, held)) throw refusal(path, dir);
      if (held !== '') logger.info(`Taking over the lock file ${path} of a broker that is gone.`);
      setAside(path, held);
    }
    throw refusal(path, dir);
  }

  /**
   * Takes the locks of several log dirs; when one cannot be had, those taken so far are let go.
   *
   * @throws LogDirLockedError when another has it
   */
  static acquireAll(dirs: Iterable<string>, logger: Logger): DirLock[] {
    const locks: DirLock[] = [];
    try {
      for (const dir of dirs) locks.push(DirLock.acquire(dir, logger));
    } catch (error) {
      for (const lock of locks) lock.release();
      throw error;
    }
    return locks;
  }

  /** Lets go of the lock. */
  release(): void {
    deleteIfExists(this.path);
  }
}

function refusal(path: string, dir: string): LogDirLockedError {
  return new LogDirLockedError(
    `Failed to acquire lock on file ${LOCK_FILE} in ${dir}. A Kafka instance in another process or thread is using ` +
      `this directory (${path}).`,
  );
}

function readIfExists(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // What stands in /proc may go between the look-up and the read.
    if (isNotFound(error) || (isSystemError(error) && error.code === 'ESRCH')) return null;
    throw error;
  }
}

/** Makes the file, whole in one step; false when another was faster. */
function create(path: string): boolean {
  const draft = `${path}.${process.pid}`;
  const fd = openSync(draft, 'w');
  try {
    writeSync(fd, `${JSON.stringify({ pid: process.pid, host: hostname(), started: startTimeOf(process.pid) })}\n`);
  } finally {
    closeSync(fd);
  }
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

/** Moves a stale lock away; what turns out to be another's fresh one is put back. */
function setAside(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') !== stale) renameSync(aside, path);
  else unlinkSync(aside);
}

function isHeld(path: string, content: string): boolean {
  const owner = parseOwner(content);
  if (owner === null) return isLockedBySystem(path);
  // A lock of another host says nothing: a shared volume can only be judged from where its broker runs.
  if (owner.host !== hostname() || owner.pid === process.pid) return false;
  if (!isAlive(owner.pid)) return false;
  const started = startTimeOf(owner.pid);
  return started === null || owner.started === null || started === owner.started;
}

function parseOwner(content: string): Owner | null {
  try {
    const owner = JSON.parse(content) as Partial<Owner> | null;
    const { pid, host, started } = owner ?? {};
    if (!Number.isInteger(pid) || typeof host !== 'string') return null;
    return { pid: pid!, host, started: started ?? null };
  } catch (error) {
    // Kafka leaves the file empty.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  // A process that has ended, and whose parent has not asked for its exit code yet, still has its pid.
  if (isZombie(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error) && error.code === 'EPERM';
  }
}

function isZombie(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state === 'Z' || state === 'X';
}

/** Ticks since boot at which a process was started, from /proc; null on other systems. */
function startTimeOf(pid: number): string | null {
  return statOf(pid)?.[STAT_START_TIME_FIELD] ?? null;
}

/** The fields of /proc/<pid>/stat behind the command's name, the state first; undefined where there is no such file. */
function statOf(pid: number): string[] | undefined {
  const stat = readIfExists(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Whether the kernel knows a lock on the file, as Java takes one. */
function isLockedBySystem(path: string): boolean {
  const locks = readIfExists('/proc/locks');
  if (locks === null) return false;
  const { ino } = statSync(path);
  return locks.split('\n').some((line) => new RegExp(`:${ino}\\s`).test(line));
}
