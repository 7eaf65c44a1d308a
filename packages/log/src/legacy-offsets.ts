import { statSync } from 'node:fs';
import { logFilePath } from './file-names.ts';
import type { Log } from './log.ts';

const latestTimestamp = -1;
const earliestTimestamp = -2;

/**
 * Answers ListOffsets version 0: the boundaries of segments that were last written before a time, newest first
 * (`Log.legacyFetchOffsetsBefore`).
 *
 * @param timestamp ms since 1970, or -1 for the log's end and -2 for its start
 * @param maxNumOffsets how many to return at the most
 */
export function legacyOffsetsBefore(log: Log, timestamp: number, maxNumOffsets: number): number[] {
  const boundaries = log.segmentBaseOffsets.map((base) => Math.max(base, log.logStartOffset));
  const last = boundaries.at(-1);
  const endCounts = last === undefined || log.logEndOffset > last;
  const offsets = endCounts ? [...boundaries, log.logEndOffset] : boundaries;
  return offsets
    .slice(0, 1 + lastIndexBefore(log, timestamp, offsets.length))
    .reverse()
    .slice(0, maxNumOffsets);
}

/** Index of the youngest boundary that counts; -1 for none. The log's end counts as written now. */
function lastIndexBefore(log: Log, timestamp: number, length: number): number {
  if (timestamp === latestTimestamp) return length - 1;
  if (timestamp === earliestTimestamp) return 0;
  const written = log.segmentBaseOffsets.map((base) => statSync(logFilePath(log.dir, base)).mtimeMs);
  return written.findLastIndex((ms) => ms <= timestamp);
}
