import { basename, dirname, join, resolve } from 'node:path';
import { CorruptIndexError, OffsetIndex, TimeIndex } from '@klassic/log';
import type { ToolIo } from '../tool.ts';
import { BatchFile } from './batch-file.ts';
import type { Findings } from './findings.ts';
import { requireFile } from './require-file.ts';

const NO_TIMESTAMP = -1;

export interface DumpIndexOptions {
  readonly sanityOnly: boolean;
  readonly verifyOnly: boolean;
}

/** Prints an `.index` file, and compares each entry with the batch it points to. */
export function dumpOffsetIndex(path: string, io: ToolIo, options: DumpIndexOptions, findings: Findings): void {
  requireFile(siblingOf(path, '.log'));
  const index = new OffsetIndex(requireFile(path), baseOffsetOf(path), 0);
  if (index.entries === 0) {
    io.out(`${path} is empty.\n`);
    return;
  }
  if (options.sanityOnly) {
    if (index.lastOffset < index.baseOffset) {
      throw new CorruptIndexError(
        `Corrupt index found, index file (${path}) has non-zero size but the last offset is ${index.lastOffset} ` +
          `which is less than the base offset ${index.baseOffset}.`,
      );
    }
    io.out(`${path} passed sanity check.\n`);
    return;
  }
  const log = new BatchFile(siblingOf(path, '.log'));
  try {
    for (let slot = 0; slot < index.entries; slot += 1) {
      const { offset, position } = index.entry(slot);
      // The tail of an index that is in use is zeros.
      if (offset === index.baseOffset && slot > 0) return;
      const first = log.batches(position).next();
      const lastOffset = first.done === true ? -1 : first.value.batch.lastOffset;
      if (lastOffset !== offset) findings.noteIndexMismatch(resolve(path), offset, lastOffset);
      if (!options.verifyOnly) io.out(`offset: ${offset} position: ${position}\n`);
    }
  } finally {
    log.close();
  }
}

/** Prints a `.timeindex` file, and compares each entry with the batch that ends with its offset. */
export function dumpTimeIndex(path: string, io: ToolIo, options: DumpIndexOptions, findings: Findings): void {
  requireFile(siblingOf(path, '.log'));
  const baseOffset = baseOffsetOf(path);
  const offsets = new OffsetIndex(requireFile(siblingOf(path, '.index')), baseOffset, 0);
  const times = new TimeIndex(requireFile(path), baseOffset, 0);
  if (options.sanityOnly) {
    checkTimeIndex(path, times);
    io.out(`${path} passed sanity check.\n`);
    return;
  }
  const log = new BatchFile(siblingOf(path, '.log'));
  try {
    let previous = NO_TIMESTAMP;
    for (let slot = 0; slot < times.entries; slot += 1) {
      const entry = times.entry(slot);
      if (entry.offset === baseOffset && slot > 0) return;
      const { position } = offsets.lookup(entry.offset);
      checkEntry(path, entry, previous, log, position, findings);
      if (!options.verifyOnly) io.out(`timestamp: ${entry.timestamp} offset: ${entry.offset}\n`);
      previous = entry.timestamp;
    }
  } finally {
    log.close();
  }
}

function checkEntry(
  path: string,
  { timestamp, offset }: { timestamp: number; offset: number },
  previous: number,
  log: BatchFile,
  position: number,
  findings: Findings,
): void {
  const file = resolve(path);
  const found = log.batches(position).find(({ batch }) => batch.lastOffset >= offset);
  if (found?.batch.lastOffset !== offset) {
    findings.noteOffsetNotFound(file, offset, found?.batch.lastOffset ?? -1);
    return;
  }
  let greatest = NO_TIMESTAMP;
  for (const record of found.batch.records()) greatest = Math.max(greatest, record.timestamp);
  if (greatest !== timestamp) findings.noteTimestampMismatch(file, timestamp, greatest);
  if (previous >= timestamp) findings.noteOutOfOrderTimestamp(file, timestamp, previous);
}

function checkTimeIndex(path: string, times: TimeIndex): void {
  if (times.entries === 0) return;
  const last = times.entry(times.entries - 1);
  const first = times.entry(0);
  if (last.timestamp < first.timestamp) {
    throw new CorruptIndexError(
      `Corrupt time index found, time index file (${path}) has non-zero size but the last timestamp is ` +
        `${last.timestamp} which is less than the first timestamp ${first.timestamp}`,
    );
  }
  if (last.offset < times.baseOffset) {
    throw new CorruptIndexError(
      `Corrupt time index found, time index file (${path}) has non-zero size but the last offset is ${last.offset} ` +
        `which is less than the first offset ${times.baseOffset}`,
    );
  }
}

function baseOffsetOf(path: string): number {
  return Number(basename(path).split('.')[0]);
}

function siblingOf(path: string, suffix: string): string {
  return join(dirname(resolve(path)), (basename(path).split('.')[0] ?? '') + suffix);
}
