import { performance } from 'node:perf_hooks';

export const MIB = 1024 * 1024;

/** MiB per second of each round of each subject. */
const rates = new Map<string, number[]>();

/** Does a task and notes how fast it went. */
export async function measure(subject: string, bytes: number, task: () => void | Promise<void>): Promise<void> {
  const start = performance.now();
  await task();
  const rate = bytes / MIB / ((performance.now() - start) / 1000);
  rates.set(subject, [...(rates.get(subject) ?? []), rate]);
}

/** The median of the rounds, MiB per second. */
export function median(subject: string): number {
  const sorted = [...(rates.get(subject) ?? [])].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Prints the medians; with `limit` what part of its median that is. */
export function print(subject: string, limit?: string): void {
  const part = limit === undefined ? '' : `${((100 * median(subject)) / median(limit)).toFixed(0).padStart(5)} %`;
  line(subject, `${median(subject).toFixed(0).padStart(7)} MiB/s ${part}`);
}

export function line(subject: string, text: string): void {
  process.stdout.write(`${subject.padEnd(52)}${text}\n`);
}
