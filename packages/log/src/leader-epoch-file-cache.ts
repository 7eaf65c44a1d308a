import { dirname, join } from 'node:path';
import { invariant } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { CheckpointFile } from './checkpoint-file.ts';
import { deleteIfExists, flushInBackground, isNotFound, sizeOf } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';

/** A leader epoch and the offset of the first batch that bears it. */
export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

const FILE_NAME = 'leader-epoch-checkpoint';

const format = {
  toLine: ({ epoch, startOffset }: EpochEntry) => `${epoch} ${startOffset}`,
  fromLine: (line: string): EpochEntry | undefined => {
    const [, epoch, startOffset] = /^(\d+)\s+(\d+)$/.exec(line) ?? [];
    return epoch === undefined ? undefined : { epoch: Number(epoch), startOffset: Number(startOffset) };
  },
};

/**
 * Which leader epoch began at which offset, kept in `leader-epoch-checkpoint`: what followers and consumers ask to
 * find where their history parts from the leader's (KIP-101, KIP-279).
 * Counterpart of `kafka.server.epoch.LeaderEpochFileCache`.
 */
export class LeaderEpochFileCache {
  private readonly file: CheckpointFile<EpochEntry>;
  private readonly logEndOffset: () => number;
  private readonly logger: Logger;
  /** Epochs and start offsets both rise strictly. */
  private epochs: EpochEntry[] = [];
  private state: 'flushed' | 'written' | 'unwritten' = 'flushed';
  private changes = 0;
  private flushing: Promise<void> | undefined;

  /** @throws KafkaStorageError, MalformedCheckpointError */
  constructor(dir: string, logEndOffset: () => number, logger: Logger) {
    this.file = new CheckpointFile(join(dir, FILE_NAME), dirname(dir), format);
    this.logEndOffset = logEndOffset;
    this.logger = logger;
    for (const entry of this.file.read()) this.insert(entry);
  }

  /** Removes the file, for a message format that knows no epochs. Returns whether it had entries. */
  static deleteFile(dir: string): boolean {
    const path = join(dir, FILE_NAME);
    const hadEntries = sizeOf(path) > 0;
    deleteIfExists(path);
    return hadEntries;
  }

  get entries(): readonly EpochEntry[] {
    return this.epochs;
  }

  get latestEntry(): EpochEntry | null {
    return this.epochs.at(-1) ?? null;
  }

  get latestEpoch(): number | null {
    return this.latestEntry?.epoch ?? null;
  }

  get earliestEntry(): EpochEntry | null {
    return this.epochs[0] ?? null;
  }

  /**
   * Notes that `epoch` begins at `startOffset`; entries that contradict it go.
   *
   * The epoch of an empty log is written but not flushed, which spares the making of thousands of partitions as many
   * fsyncs: should a power failure take it, so it takes every batch that bears it, or recovery finds it in the batches.
   * It is flushed before any of them counts as flushed.
   *
   * @param isLogEmpty whether the log has no batch
   * @throws KafkaStorageError
   */
  assign(epoch: number, startOffset: number, isLogEmpty = false): void {
    if (!this.insert({ epoch, startOffset })) return;
    if (isLogEmpty) this.writeUnflushed();
    else this.flush();
  }

  /**
   * As `assign`, for a leader whose epoch has no batch yet: of a log with batches nothing is written before
   * `flushInBackground`, so that many partitions can change hands while the disk works. A crash before that is made good
   * as in `assign`.
   *
   * @throws KafkaStorageError
   */
  assignUnwritten(epoch: number, startOffset: number, isLogEmpty: boolean): void {
    if (!this.insert({ epoch, startOffset })) return;
    if (isLogEmpty) this.writeUnflushed();
    else this.note('unwritten');
  }

  /** Whether an epoch waits to be written by `flushInBackground`. */
  get isUnwritten(): boolean {
    return this.state === 'unwritten';
  }

  /** Brings what waits to the disk, off the thread. @throws KafkaStorageError, the system's error */
  async flushInBackground(): Promise<void> {
    while (this.state !== 'flushed') {
      this.flushing ??= this.flushOnce().finally(() => (this.flushing = undefined));
      await this.flushing;
    }
  }

  /** As `flushInBackground`, but done when it returns. @throws KafkaStorageError */
  flushNow(): void {
    if (this.state !== 'flushed') this.flush();
  }

  /**
   * Where an epoch ends: the greatest known epoch not above `requestedEpoch` and the start offset of the one after it;
   * for the latest epoch the log end offset. Null when the epoch is unknown (-1 or above all known).
   */
  endOffsetFor(requestedEpoch: number): { leaderEpoch: number; offset: number } | null {
    if (requestedEpoch === -1) return null;
    if (requestedEpoch === this.latestEpoch) return { leaderEpoch: requestedEpoch, offset: this.logEndOffset() };
    const next = this.epochs.findIndex((entry) => entry.epoch > requestedEpoch);
    if (next === -1) return null;
    // Below the first known epoch: what came before it is gone, so its start is where the follower may begin.
    const leaderEpoch = next === 0 ? requestedEpoch : this.epochs[next - 1]!.epoch;
    return { leaderEpoch, offset: this.epochs[next]!.startOffset };
  }

  /** Drops epochs that begin at or after `endOffset`. @throws KafkaStorageError */
  truncateFromEnd(endOffset: number): void {
    const kept = this.epochs.filter((entry) => entry.startOffset < endOffset);
    if (endOffset < 0 || kept.length === this.epochs.length) return;
    this.epochs = kept;
    this.flush();
  }

  /** Drops epochs that ended before `startOffset`; the one that holds it begins there now. @throws KafkaStorageError */
  truncateFromStart(startOffset: number): void {
    const removed = this.epochs.filter((entry) => entry.startOffset <= startOffset);
    const first = removed.at(-1);
    if (first === undefined || (removed.length === 1 && first.startOffset === startOffset)) return;
    this.epochs = [{ epoch: first.epoch, startOffset }, ...this.epochs.slice(removed.length)];
    this.flush();
  }

  /** @throws KafkaStorageError */
  clearAndFlush(): void {
    this.epochs = [];
    this.flush();
  }

  private insert(entry: EpochEntry): boolean {
    invariant(entry.epoch >= 0 && entry.startOffset >= 0, () => `Invalid leader epoch entry ${JSON.stringify(entry)}`);
    const latest = this.latestEntry;
    if (latest !== null && entry.epoch === latest.epoch && entry.startOffset >= latest.startOffset) return false;
    const kept = this.epochs.findLastIndex(
      (known) => known.epoch < entry.epoch && known.startOffset < entry.startOffset,
    );
    const removed = this.epochs.splice(kept + 1);
    this.epochs.push(entry);
    // An epoch without a batch, replaced at the same offset, is how elections usually end: no reason to warn.
    if (removed.length > 1 || (removed[0] !== undefined && removed[0].startOffset !== entry.startOffset)) {
      this.logger.warn(
        `New epoch entry EpochEntry(epoch=${entry.epoch}, startOffset=${entry.startOffset}) caused truncation of ` +
          `conflicting entries ${JSON.stringify(removed)}. Cache now contains ${this.epochs.length} entries.`,
      );
    }
    return true;
  }

  private async flushOnce(): Promise<void> {
    const { changes } = this;
    const isCurrent = (): boolean => changes === this.changes;
    if (this.state === 'written') await flushInBackground(this.file.path);
    else await this.writeInBackground(isCurrent);
    if (isCurrent()) this.state = 'flushed';
  }

  private async writeInBackground(isCurrent: () => boolean): Promise<void> {
    try {
      await this.file.writeInBackground(this.epochs, isCurrent);
    } catch (error) {
      // A folder that was deleted or renamed away meanwhile needs nothing more.
      if (!(error instanceof KafkaStorageError) || !isNotFound(error.cause)) throw error;
    }
  }

  private flush(): void {
    this.file.write(this.epochs);
    this.note('flushed');
  }

  private writeUnflushed(): void {
    this.note(this.file.writeUnflushed(this.epochs) ? 'flushed' : 'written');
  }

  private note(state: typeof this.state): void {
    this.state = state;
    this.changes += 1;
  }
}
