import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READ_BYTES = 1024 * 1024;

export interface PlainRates {
  /** Bytes a second. */
  readonly write: number;
  readonly read: number;
}

/**
 * What this machine does at this moment without any broker: one process writes chunks to a file and reads them back.
 * A broker's rates as shares of these can be compared between machines and hours.
 */
export function plainFileRates(chunk: Buffer, totalBytes: number): PlainRates {
  const folder = mkdtempSync(join(tmpdir(), 'klassic-bench-'));
  const fd = openSync(join(folder, 'plain'), 'w+');
  try {
    const chunks = Math.ceil(totalBytes / chunk.length);
    const bytes = chunks * chunk.length;
    const write = secondsOf(() => {
      for (let i = 0; i < chunks; i += 1) writeSync(fd, chunk, 0, chunk.length, i * chunk.length);
    });
    const read = secondsOf(() => {
      for (let at = 0; at < bytes; at += READ_BYTES)
        readSync(fd, Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, at);
    });
    return { write: bytes / write, read: bytes / read };
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

function secondsOf(task: () => void): number {
  const start = performance.now();
  task();
  return (performance.now() - start) / 1000;
}
