import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { killNow } from '@klassic/lab';

/**
 * Lives beside a test process and outlives it, however it ends: reads on standard input which processes and
 * containers were started and which folders were made, one JSON line each, and when the input closes ends and removes them.
 */
interface Line {
  readonly pid?: number;
  readonly startTime?: string;
  readonly folder?: string;
  readonly container?: string;
  readonly network?: string;
}

const processes: { pid: number; startTime: string }[] = [];
const folders: string[] = [];
const containers: string[] = [];
const networks: string[] = [];

// Ctrl-C reaches the whole group: the work begins when the input closes, not before.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text) as Line;
  if (line.pid !== undefined && line.startTime !== undefined) {
    processes.push({ pid: line.pid, startTime: line.startTime });
  }
  if (line.folder !== undefined) folders.push(line.folder);
  if (line.container !== undefined) containers.push(line.container);
  if (line.network !== undefined) networks.push(line.network);
}
await Promise.all(processes.map((identity) => killNow(identity)));
if (containers.length > 0) execFileSync('docker', ['rm', '--force', '--volumes', ...containers], { stdio: 'ignore' });
if (networks.length > 0) execFileSync('docker', ['network', 'rm', ...networks], { stdio: 'ignore' });
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
