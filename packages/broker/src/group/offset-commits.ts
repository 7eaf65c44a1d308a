import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { GroupConfig } from './group-config.ts';
import type { GroupMetadataManager } from './group-metadata-manager.ts';
import type { GroupMetadata } from './group-metadata.ts';
import type { TransactionalProducer } from './group-store.ts';
import type { FetchedOffset, OffsetsToCommit } from './messages.ts';
import type { Rebalances } from './rebalances.ts';

/** Who commits. */
export interface Committer {
  /** Empty for a consumer that manages its partitions itself. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** Negative for such a consumer. */
  readonly generationId: number;
}

const noOffset = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '' };

/** Commits offsets and reads them back. */
export class OffsetCommits {
  private readonly config: GroupConfig;
  private readonly manager: GroupMetadataManager;
  private readonly rebalances: Rebalances;

  constructor(config: GroupConfig, manager: GroupMetadataManager, rebalances: Rebalances) {
    this.config = config;
    this.manager = manager;
    this.rebalances = rebalances;
  }

  /** Commits for a member, or for a consumer that uses the group for its offsets only. */
  async commit(groupId: string, committer: Committer, offsets: OffsetsToCommit): Promise<Map<string, ErrorEntry>> {
    let group = this.manager.getGroup(groupId);
    if (group === undefined) {
      if (committer.generationId >= 0) return sameForAll(offsets, Errors.ILLEGAL_GENERATION);
      group = this.manager.getOrCreateGroup(groupId);
    }
    const error = this.checkCommitter(group, committer);
    return error === Errors.NONE ? this.store(group, offsets) : sameForAll(offsets, error);
  }

  private checkCommitter(group: GroupMetadata, { memberId, groupInstanceId, generationId }: Committer): ErrorEntry {
    if (group.is('Dead')) return Errors.COORDINATOR_NOT_AVAILABLE;
    if (group.isStaticMemberFenced(memberId, groupInstanceId, 'commit-offsets')) return Errors.FENCED_INSTANCE_ID;
    if (generationId < 0 && group.is('Empty')) return Errors.NONE;
    const member = group.find(memberId);
    if (member === undefined) return Errors.UNKNOWN_MEMBER_ID;
    if (generationId !== group.generationId) return Errors.ILLEGAL_GENERATION;
    // The member knows the new generation already, so it must wait for its assignment.
    if (group.is('CompletingRebalance')) return Errors.REBALANCE_IN_PROGRESS;
    this.rebalances.expirations.heartbeat(group, member);
    return Errors.NONE;
  }

  /** Commits in a producer's transaction. Member and generation are checked where they are told (KIP-447). */
  async commitInTransaction(
    groupId: string,
    { memberId, groupInstanceId, generationId }: Committer,
    producer: TransactionalProducer,
    offsets: OffsetsToCommit,
  ): Promise<Map<string, ErrorEntry>> {
    const group = this.manager.getOrCreateGroup(groupId);
    if (group.is('Dead')) return sameForAll(offsets, Errors.COORDINATOR_NOT_AVAILABLE);
    if (group.isStaticMemberFenced(memberId, groupInstanceId, 'txn-commit-offsets')) {
      return sameForAll(offsets, Errors.FENCED_INSTANCE_ID);
    }
    if (memberId !== '' && !group.has(memberId)) return sameForAll(offsets, Errors.UNKNOWN_MEMBER_ID);
    if (generationId >= 0 && generationId !== group.generationId) return sameForAll(offsets, Errors.ILLEGAL_GENERATION);
    return this.store(group, offsets, producer);
  }

  /** The marker of a producer's transaction is in partitions of `__consumer_offsets`. */
  completeTransaction(producerId: number, offsetsPartitions: ReadonlySet<number>, isCommit: boolean): void {
    for (const group of this.manager.groups) {
      if (group.is('Dead') || !group.offsets.hasPendingFrom(producerId)) continue;
      if (!offsetsPartitions.has(this.manager.partitionFor(group.groupId))) continue;
      group.offsets.completeTransaction(producerId, isCommit);
    }
  }

  /** @param partitions null for all that have an offset */
  fetch(groupId: string, requireStable: boolean, partitions: readonly TopicPartition[] | null): FetchedOffset[] {
    const cached = this.manager.getGroup(groupId);
    const group = cached?.is('Dead') === true ? undefined : cached;
    const wanted = partitions ?? [...(group?.offsets.all() ?? [])].map(([, { target }]) => target);
    return wanted.map(({ topic, partition }) => {
      const key = topicPartitionKey(topic, partition);
      if (requireStable && group?.offsets.isUnstable(key) === true) {
        return { topic, partition, error: Errors.UNSTABLE_OFFSET_COMMIT, ...noOffset };
      }
      const found = group?.offsets.get(key);
      if (found === undefined) return { topic, partition, error: Errors.NONE, ...noOffset };
      const { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata } = found;
      return { topic, partition, error: Errors.NONE, committedOffset, committedLeaderEpoch, metadata };
    });
  }

  private async store(
    group: GroupMetadata,
    offsets: OffsetsToCommit,
    producer?: TransactionalProducer,
  ): Promise<Map<string, ErrorEntry>> {
    const results = sameForAll(offsets, Errors.OFFSET_METADATA_TOO_LARGE);
    const fitting = new Map([...offsets].filter(([, { offset }]) => this.hasFittingMetadata(offset.metadata)));
    if (fitting.size === 0) return results;
    if (producer === undefined) group.offsets.prepareCommit(fitting);
    else group.offsets.prepareTransactionalCommit(producer.producerId, fitting);
    const { error, baseOffset } = await this.manager.store.storeOffsets(group.groupId, fitting, producer);
    // A group that has moved or is deleted takes nothing in any more.
    if (!group.is('Dead')) settle(group, fitting, producer, error === Errors.NONE ? baseOffset : undefined);
    for (const key of fitting.keys()) results.set(key, error);
    return results;
  }

  private hasFittingMetadata(metadata: string): boolean {
    return metadata.length <= this.config.offsetMetadataMaxSize;
  }
}

/** @param baseOffset of the batch; undefined when it could not be appended */
function settle(
  { offsets: held }: GroupMetadata,
  offsets: OffsetsToCommit,
  producer: TransactionalProducer | undefined,
  baseOffset: number | undefined,
): void {
  if (producer === undefined) {
    if (baseOffset === undefined) held.failCommit(offsets);
    else held.completeCommit(offsets, baseOffset);
  } else if (baseOffset === undefined) {
    held.failTransactionalAppend(producer.producerId, offsets);
  } else {
    held.completeTransactionalAppend(producer.producerId, offsets, baseOffset);
  }
}

function sameForAll(offsets: OffsetsToCommit, error: ErrorEntry): Map<string, ErrorEntry> {
  return new Map([...offsets.keys()].map((key) => [key, error]));
}
