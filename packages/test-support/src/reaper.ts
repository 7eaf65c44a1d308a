import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { killNow } from '@klassic/lab';

/**
 * Lives beside a test process and outlives it, however it ends: reads on standard input which processes were started and
 * which folders were made, one JSON line each, and when the input closes kills the first and removes the second.
 */
interface Line {
  readonly pid?: number;
  readonly startTime?: string;
  readonly folder?: string;
}

const processes: { pid: number; startTime: string }[] = [];
const folders: string[] = [];

// Ctrl-C reaches the whole group: the work begins when the input closes, not before.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text) as Line;
  if (line.pid !== undefined && line.startTime !== undefined) {
    processes.push({ pid: line.pid, startTime: line.startTime });
  }
  if (line.folder !== undefined) folders.push(line.folder);
}
await Promise.all(processes.map((identity) => killNow(identity)));
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
