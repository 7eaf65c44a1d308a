import { dirname, join } from 'node:path';
import { invariant } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { CheckpointFile } from './checkpoint-file.ts';
import { deleteIfExists, flushInBackground, sizeOf } from './files.ts';

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
  private isFlushed = true;
  private writes = 0;

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
   * The first epoch of an empty log is not flushed yet, which spares the making of thousands of partitions as many
   * fsyncs: should a power failure take it, so it takes every batch that bears it, or recovery finds it in the batches.
   * It is flushed before any of them counts as flushed.
   *
   * @param isLogEmpty whether the log has no batch yet
   * @throws KafkaStorageError
   */
  assign(epoch: number, startOffset: number, isLogEmpty = false): void {
    const canWait = isLogEmpty && this.epochs.length === 0;
    if (this.insert({ epoch, startOffset })) this.flush(!canWait);
  }

  /** Flushes what `assign` has left, off the thread. @throws the system's error */
  async flushFirstEpochInBackground(): Promise<void> {
    if (this.isFlushed) return;
    const { writes } = this;
    await flushInBackground(this.file.path);
    if (writes === this.writes) this.isFlushed = true;
  }

  /** As `flushFirstEpochInBackground`, but done when it returns. @throws KafkaStorageError */
  flushFirstEpoch(): void {
    if (!this.isFlushed) this.flush();
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

  private flush(isFlushed = true): void {
    this.file.write(this.epochs, isFlushed);
    this.isFlushed = isFlushed;
    this.writes += 1;
  }
}
