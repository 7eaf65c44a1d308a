import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that can be recognised later: pids are reused, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process began, in the words of this system (clock ticks since boot on Linux). */
  readonly startTime: string;
}

export type ProcessState = 'running' | 'paused' | 'gone';

interface Seen {
  readonly startTime: string;
  /** The state's letter: T is stopped, Z is dead and not yet collected by its parent. */
  readonly letter: string;
}

/**
 * The identity of a living process.
 *
 * @returns undefined when no process has this pid
 */
export function identify(pid: number): ProcessIdentity | undefined {
  const seen = look(pid);
  return seen === undefined || seen.letter === 'Z' ? undefined : { pid, startTime: seen.startTime };
}

/** Whether that very process runs, is stopped by SIGSTOP, or is gone (also when its pid now belongs to another). */
export function stateOf(identity: ProcessIdentity): ProcessState {
  const seen = look(identity.pid);
  if (seen === undefined || seen.startTime !== identity.startTime || seen.letter === 'Z' || seen.letter === 'X') {
    return 'gone';
  }
  return seen.letter === 'T' ? 'paused' : 'running';
}

/**
 * Sends a signal to that very process and to no other.
 *
 * @returns false when it is gone
 */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (stateOf(identity) === 'gone') return false;
  try {
    return process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function look(pid: number): Seen | undefined {
  return process.platform === 'linux' ? lookInProc(pid) : lookByPs(pid);
}

function lookInProc(pid: number): Seen | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  // The command in brackets may hold blanks and brackets itself; field 3 comes after the last one, field 22 is the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { letter: fields[0]!, startTime: fields[19]! };
}

function lookByPs(pid: number): Seen | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [letters = '', ...start] = line.split(/\s+/);
    return line === '' ? undefined : { letter: letters.slice(0, 1), startTime: start.join(' ') };
  } catch (error) {
    // ps ends with 1 when there is no such process.
    if ((error as { status?: number }).status === 1) return undefined;
    throw error;
  }
}
