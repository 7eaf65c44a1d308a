import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Clock ticks a second of /proc, on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** Processor time that processes have used so far, user and system, of all their threads, in milliseconds (steps of 10). */
export function processorMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (process.platform === 'linux' ? fromProc(pid) : fromPs(pid)), 0);
}

/** The most memory that a process has had resident so far, in bytes; undefined where the system doesn't tell. */
export function peakMemoryBytes(pid: number): number | undefined {
  return fromStatus(pid, /^VmHWM:\s+(\d+) kB$/m);
}

/** The memory that a process has resident now, in bytes; undefined where the system doesn't tell. */
export function memoryBytes(pid: number): number | undefined {
  return fromStatus(pid, /^VmRSS:\s+(\d+) kB$/m);
}

function fromStatus(pid: number, line: RegExp): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const kib = line.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function fromProc(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command in brackets may hold blanks itself: fields 14 and 15 (utime, stime) are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** `[[dd-]hh:]mm:ss.cc` */
function fromPs(pid: number): number {
  const text = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const [days, clock] = text.includes('-') ? text.split('-') : ['0', text];
  const seconds = clock!.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1000;
}
