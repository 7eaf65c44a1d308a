import { invariant } from '@klassic/common';
import type { Logger, Time } from '@klassic/common';
import { batchesOf } from '@klassic/protocol';
import type { RecordBatch } from '@klassic/protocol';
import type { LogSegment } from '../log-segment.ts';
import { filterBatch } from './batch-filter.ts';
import type { FilteredBatch, RecordFilter } from './batch-filter.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import { CleanerStats } from './cleaner-stats.ts';
import { CleaningAbortedError } from './cleaning-task.ts';
import type { CleaningTask } from './cleaning-task.ts';
import type { CompactableLog, LastRecord } from './compactable-log.ts';
import { dateText } from './date-text.ts';
import type { LogToClean } from './log-to-clean.ts';
import { OffsetMap } from './offset-map.ts';
import { Pace } from './pace.ts';
import { retentionFilter } from './retention-filter.ts';
import { groupSegmentsBySize } from './segment-groups.ts';
import type { Throttler } from './throttler.ts';

export interface CleanerOptions {
  readonly id: number;
  /** Entries that the offset map may have at most. */
  readonly maxSlots: number;
  /** Part of the map that may be filled, 0 to 1. */
  readonly loadFactor: number;
  /** Bytes that are read at once; a larger batch is read whole. */
  readonly ioBufferBytes: number;
  readonly throttler: Throttler;
  readonly time: Time;
  /** Speaks as `Cleaner <id>`. */
  readonly logger: Logger;
}

/** What stays the same while the segments of one group are cleaned. */
interface GroupCleaning {
  readonly log: CompactableLog;
  readonly task: CleaningTask;
  readonly stats: CleanerStats;
  readonly map: OffsetMap;
  readonly transactions: CleanedTransactions;
  readonly lastRecords: ReadonlyMap<number, LastRecord>;
  readonly cleaned: LogSegment;
  readonly deleteHorizonMs: number;
}

/**
 * Cleans a log in two passes: first the latest offset of each key in the dirty part is put in a map, then all segments
 * up to there are written anew without the records that a later one replaces. Counterpart of `kafka.log.Cleaner`.
 */
export class Cleaner {
  private readonly options: CleanerOptions;
  private readonly logger: Logger;
  private readonly pace: Pace;

  constructor(options: CleanerOptions) {
    this.options = options;
    this.logger = options.logger;
    this.pace = new Pace(options.time);
  }

  get id(): number {
    return this.options.id;
  }

  /**
   * Cleans as much as the map has room for.
   *
   * @returns where the dirty part begins now
   * @throws CleaningAbortedError when the log is truncated, deleted or closed meanwhile
   */
  async clean(cleanable: LogToClean, task: CleaningTask): Promise<{ nextDirtyOffset: number; stats: CleanerStats }> {
    const { log, key, firstDirtyOffset, firstUncleanableOffset } = cleanable;
    const { time } = this.options;
    this.logger.info(`Beginning cleaning of log ${key}.`);
    this.pace.begin();
    const stats = new CleanerStats(time);
    const lastClean = log.segments(0, firstDirtyOffset).at(-1);
    const deleteHorizonMs = lastClean === undefined ? 0 : lastClean.log.lastModifiedMs - log.config.deleteRetentionMs;
    this.logger.info(`Building offset map for ${key}...`);
    const map = await this.buildOffsetMap(cleanable, task, stats);
    const endOffset = map.latestOffset + 1;
    stats.indexDone();
    const lastCleanable = log.segments(0, firstUncleanableOffset).at(-1);
    this.logger.info(
      `Cleaning log ${key} (cleaning prior to ${dateText(lastCleanable?.log.lastModifiedMs ?? 0)}, ` +
        `discarding tombstones prior to ${dateText(deleteHorizonMs)})...`,
    );
    const transactions = new CleanedTransactions();
    const groups = groupSegmentsBySize(log.segments(0, endOffset), {
      maxBytes: log.config.segmentBytes,
      maxIndexBytes: log.config.segmentIndexBytes,
      firstUncleanableOffset,
    });
    for (const group of groups)
      await this.cleanGroup(cleanable, group, { task, stats, map, transactions, deleteHorizonMs });
    stats.bufferUtilization = map.size / this.options.maxSlots;
    stats.allDone();
    return { nextDirtyOffset: endOffset, stats };
  }

  private async buildOffsetMap(cleanable: LogToClean, task: CleaningTask, stats: CleanerStats): Promise<OffsetMap> {
    const { log, key, firstDirtyOffset: start, firstUncleanableOffset: end } = cleanable;
    const { maxSlots, loadFactor } = this.options;
    // No more keys than offsets: a small dirty part needs a small map.
    const map = new OffsetMap(Math.min(maxSlots, Math.ceil((end - start) / loadFactor) + 16));
    map.latestOffset = start - 1;
    const dirty = log.segments(start, end);
    this.logger.info(
      `Building offset map for log ${key} for ${dirty.length} segments in offset range [${start}, ${end}).`,
    );
    const transactions = new CleanedTransactions();
    transactions.add(log.collectAbortedTransactions(start, end));
    const limit = Math.floor(map.slots * loadFactor);
    for (const [at, segment] of dirty.entries()) {
      const isFull = await this.mapSegment(segment, start, { map, limit, transactions, task, stats });
      if (isFull) {
        this.logger.debug(
          `Offset map is full, ${at} segments fully mapped, segment with base offset ${segment.baseOffset} is partially mapped`,
        );
        break;
      }
      // Where offsets are missing at the end of a segment, they count as seen.
      map.latestOffset = Math.max(map.latestOffset, (dirty[at + 1]?.baseOffset ?? end) - 1);
    }
    this.logger.info(`Offset map for log ${key} complete.`);
    return map;
  }

  /** @returns whether the map was full before the segment's end */
  private async mapSegment(
    segment: LogSegment,
    startOffset: number,
    pass: { map: OffsetMap; limit: number; transactions: CleanedTransactions; task: CleaningTask; stats: CleanerStats },
  ): Promise<boolean> {
    const { map, stats } = pass;
    const { position } = segment.offsetIndex.lookup(startOffset);
    for (const chunk of segment.log.chunks(position, segment.size, this.options.ioBufferBytes)) {
      await this.step(pass.task, chunk.bytes.length);
      for (const batch of batchesOf(chunk.bytes)) {
        if (this.pace.isDue) await this.rest(pass.task);
        if (batch.isControlBatch) pass.transactions.onControlBatch(batch);
        else if (!pass.transactions.onDataBatch(batch) && !putKeys(batch, startOffset, pass)) return true;
        stats.mapMessagesRead += batch.recordsCount;
        if (batch.lastOffset >= startOffset) map.latestOffset = Math.max(map.latestOffset, batch.lastOffset);
      }
      stats.mapBytesRead += chunk.bytes.length;
    }
    return false;
  }

  private async cleanGroup(
    { log, key }: LogToClean,
    group: readonly LogSegment[],
    pass: Pick<GroupCleaning, 'task' | 'stats' | 'map' | 'transactions' | 'deleteHorizonMs'>,
  ): Promise<void> {
    const cleaned = log.newCleanedSegment(group[0]!.baseOffset);
    pass.task.writes(cleaned);
    pass.transactions.cleanedIndex = cleaned.txnIndex;
    const cleaning: GroupCleaning = { ...pass, log, cleaned, lastRecords: log.lastRecordsOfActiveProducers() };
    for (const [at, segment] of group.entries()) {
      // Of the whole segment, for the transaction index of the new one.
      const upperBound = group[at + 1]?.baseOffset ?? segment.readNextOffset();
      pass.transactions.add(log.collectAbortedTransactions(segment.baseOffset, upperBound));
      const retainDeletes = segment.log.lastModifiedMs > pass.deleteHorizonMs;
      this.logger.info(
        `Cleaning ${segment.toString()} in log ${key} into ${cleaned.baseOffset} with deletion horizon ` +
          `${pass.deleteHorizonMs}, ${retainDeletes ? 'retaining' : 'discarding'} deletes.`,
      );
      await this.cleanInto(segment, retainDeletes, cleaning);
    }
    cleaned.onBecomeInactiveSegment();
    await cleaned.flushInBackground();
    pass.task.check();
    this.pace.begin();
    cleaned.setLastModified(group.at(-1)!.log.lastModifiedMs);
    this.logger.info(
      `Swapping in cleaned segment ${cleaned.toString()} for segment(s) List(${group.join(', ')}) in log ${log.toString()}`,
    );
    log.replaceSegments(cleaned, group);
    pass.task.wrote();
  }

  private async cleanInto(source: LogSegment, retainDeletes: boolean, cleaning: GroupCleaning): Promise<void> {
    const { stats, task } = cleaning;
    const filter = retentionFilter({ ...cleaning, retainDeletes });
    for (const chunk of source.log.chunks(0, source.size, this.options.ioBufferBytes)) {
      await this.step(task, chunk.bytes.length);
      const retained = await this.filterChunk(chunk.bytes, filter, cleaning);
      stats.bytesRead += chunk.bytes.length;
      if (retained.length === 0) continue;
      appendRetained(source, retained, cleaning);
      const bytesWritten = retained.reduce((sum, batch) => sum + batch.bytes!.length, 0);
      stats.bytesWritten += bytesWritten;
      await this.step(task, bytesWritten);
    }
  }

  private async filterChunk(
    bytes: Buffer,
    filter: RecordFilter,
    { stats, task }: GroupCleaning,
  ): Promise<FilteredBatch[]> {
    const retained: FilteredBatch[] = [];
    for (const batch of batchesOf(bytes)) {
      if (this.pace.isDue) await this.rest(task);
      const filtered = filterBatch(batch, filter);
      stats.messagesRead += filtered.messagesRead;
      stats.messagesWritten += filtered.messagesRetained;
      if (filtered.bytes !== null) retained.push(filtered);
    }
    return retained;
  }

  /** Between two pieces of work: the log may be gone, the rate too high, others waiting. */
  private async step(task: CleaningTask, bytes: number): Promise<void> {
    task.check();
    await this.options.throttler.maybeThrottle(bytes);
    task.check();
    if (this.pace.isDue) await this.rest(task);
  }

  private async rest(task: CleaningTask): Promise<void> {
    await this.pace.rest();
    task.check();
  }
}

/** @returns false when the map has no room for another record */
function putKeys(batch: RecordBatch, startOffset: number, { map, limit }: { map: OffsetMap; limit: number }): boolean {
  for (const { key, offset } of batch.records()) {
    if (key === null || offset < startOffset) continue;
    if (map.size >= limit) return false;
    map.put(key, offset);
  }
  return true;
}

/** Writes what is left of a chunk, in one append, as the reference does: so its index entries lie where those lie. */
function appendRetained(
  source: LogSegment,
  retained: readonly FilteredBatch[],
  { log, task, cleaned }: GroupCleaning,
): void {
  let maxTimestamp = -1;
  let offsetOfMaxTimestamp = -1;
  for (const batch of retained) {
    if (batch.maxTimestamp <= maxTimestamp) continue;
    ({ maxTimestamp, offsetOfMaxTimestamp } = batch);
  }
  const { maxOffset } = retained.at(-1)!;
  if (!cleaned.canConvertToRelativeOffset(maxOffset)) {
    splitAndAbort(source, log, task);
  }
  cleaned.append(maxOffset, maxTimestamp, offsetOfMaxTimestamp, Buffer.concat(retained.map((batch) => batch.bytes!)));
}

/** A segment that cannot be indexed is split, and cleaned another time. */
function splitAndAbort(source: LogSegment, log: CompactableLog, task: CleaningTask): never {
  invariant(
    source.hasOverflow(),
    () => `Split operation is only permitted for segments with overflow: ${source.toString()}`,
  );
  log.splitOverflowedSegment(source);
  task.abort();
  throw new CleaningAbortedError(`Detected offset overflow in segment ${source.toString()}`);
}
