import { invariant } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import type { OffsetAndMetadata, OffsetsToCommit } from './messages.ts';

/** A committed offset with the log offset of the batch that holds it: by that the newer of two commits is told. */
export interface CommittedOffset {
  readonly target: TopicPartition;
  readonly committed: OffsetAndMetadata;
  /** undefined while the append is under way. */
  readonly batchOffset: number | undefined;
}

/** When offsets of a group expire, which depends on the group's state (KIP-211). */
export interface ExpiryRule {
  /** ms since 1970 from which the retention of an offset counts. */
  readonly baseTimestamp: (offset: OffsetAndMetadata) => number;
  /** Topics whose offsets stay, because members subscribe to them. */
  readonly keptTopics: ReadonlySet<string>;
}

/** Whether an offset was overtaken by a later commit. */
function isOlder(left: CommittedOffset, right: CommittedOffset): boolean {
  invariant(left.batchOffset !== undefined && right.batchOffset !== undefined, 'only appended commits have an order');
  return left.batchOffset < right.batchOffset;
}

/** The offsets of one group: committed, on their way to the log, and waiting for the end of a transaction. */
export class GroupOffsets {
  private readonly committed = new Map<string, CommittedOffset>();
  /** Handed to the log and not answered yet; a later commit of the partition takes an earlier one's place. */
  private readonly pending = new Map<string, OffsetAndMetadata>();
  /** By producer id: what its open transaction will commit. */
  private readonly pendingTransactional = new Map<number, Map<string, CommittedOffset>>();

  get size(): number {
    return this.committed.size;
  }

  /** Whether anything is committed or under way. */
  get hasAny(): boolean {
    return this.committed.size > 0 || this.pending.size > 0 || this.pendingTransactional.size > 0;
  }

  get(key: string): OffsetAndMetadata | undefined {
    return this.committed.get(key)?.committed;
  }

  all(): IterableIterator<[string, CommittedOffset]> {
    return this.committed.entries();
  }

  /** Whether a commit of the partition may still change what a reader gets (KIP-447). */
  isUnstable(key: string): boolean {
    if (this.pending.has(key)) return true;
    for (const offsets of this.pendingTransactional.values()) if (offsets.has(key)) return true;
    return false;
  }

  /** What the log told of the group. */
  load(
    committed: ReadonlyMap<string, CommittedOffset>,
    pendingTransactional: ReadonlyMap<number, ReadonlyMap<string, CommittedOffset>>,
  ): void {
    for (const [key, offset] of committed) this.committed.set(key, offset);
    for (const [producerId, offsets] of pendingTransactional) {
      this.pendingTransactional.set(producerId, new Map(offsets));
    }
  }

  prepareCommit(offsets: OffsetsToCommit): void {
    for (const [key, { offset }] of offsets) this.pending.set(key, offset);
  }

  /** The commit is in the log. An offset whose partition was deleted meanwhile is no longer pending, and stays away. */
  completeCommit(offsets: OffsetsToCommit, batchOffset: number): void {
    for (const [key, { target, offset }] of offsets) {
      if (!this.pending.has(key)) continue;
      this.put(key, { target, committed: offset, batchOffset });
      if (this.pending.get(key) === offset) this.pending.delete(key);
    }
  }

  failCommit(offsets: OffsetsToCommit): void {
    for (const [key, { offset }] of offsets) if (this.pending.get(key) === offset) this.pending.delete(key);
  }

  prepareTransactionalCommit(producerId: number, offsets: OffsetsToCommit): void {
    const own = this.pendingTransactional.get(producerId) ?? new Map<string, CommittedOffset>();
    this.pendingTransactional.set(producerId, own);
    for (const [key, { target, offset }] of offsets) {
      own.set(key, { target, committed: offset, batchOffset: undefined });
    }
  }

  /** The commit is in the log, and waits for the transaction's marker. */
  completeTransactionalAppend(producerId: number, offsets: OffsetsToCommit, batchOffset: number): void {
    const own = this.pendingTransactional.get(producerId);
    for (const [key, { target, offset }] of offsets) {
      if (own?.get(key)?.committed === offset) own.set(key, { target, committed: offset, batchOffset });
    }
  }

  failTransactionalAppend(producerId: number, offsets: OffsetsToCommit): void {
    const own = this.pendingTransactional.get(producerId);
    for (const key of offsets.keys()) own?.delete(key);
    if (own?.size === 0) this.pendingTransactional.delete(producerId);
  }

  hasPendingFrom(producerId: number): boolean {
    return this.pendingTransactional.has(producerId);
  }

  /** Producers whose transactions have offsets here. */
  get producers(): IterableIterator<number> {
    return this.pendingTransactional.keys();
  }

  /** The marker of the producer's transaction is in the log. */
  completeTransaction(producerId: number, isCommit: boolean): void {
    const own = this.pendingTransactional.get(producerId);
    this.pendingTransactional.delete(producerId);
    if (isCommit) for (const [key, offset] of own ?? []) this.put(key, offset);
  }

  /** Forgets the partitions, commits under way included. Returns those that were committed. */
  remove(keys: Iterable<string>): CommittedOffset[] {
    const removed: CommittedOffset[] = [];
    for (const key of keys) {
      this.pending.delete(key);
      for (const offsets of this.pendingTransactional.values()) offsets.delete(key);
      const offset = this.committed.get(key);
      if (offset !== undefined) removed.push(offset);
      this.committed.delete(key);
    }
    return removed;
  }

  removeAll(): CommittedOffset[] {
    return this.remove([...this.committed.keys()]);
  }

  /** Removes what has expired by `nowMs`. An offset with an expiry of its own goes by that alone. */
  removeExpired(nowMs: number, retentionMs: number, { baseTimestamp, keptTopics }: ExpiryRule): CommittedOffset[] {
    const expired: CommittedOffset[] = [];
    for (const [key, offset] of this.committed) {
      const { target, committed } = offset;
      if (keptTopics.has(target.topic) || this.pending.has(key)) continue;
      const dueMs = committed.expireTimestamp ?? baseTimestamp(committed) + retentionMs;
      if (nowMs < dueMs) continue;
      expired.push(offset);
      this.committed.delete(key);
    }
    return expired;
  }

  /** A commit that reached the log earlier does not replace a later one, in whatever order they were answered. */
  private put(key: string, offset: CommittedOffset): void {
    const current = this.committed.get(key);
    if (current === undefined || isOlder(current, offset)) this.committed.set(key, offset);
  }
}
