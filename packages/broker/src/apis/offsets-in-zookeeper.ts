import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { KafkaZkClient } from '@klassic/zookeeper';
import type { FetchedOffset, OffsetAndMetadata } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';
import { toApiError } from './request-errors.ts';

/** Where version 0 of OffsetCommit and OffsetFetch keeps offsets. */
export type ZooKeeperOffsetStore = Pick<KafkaZkClient, 'getConsumerOffset' | 'setOrCreateConsumerOffset'>;

/** As `KafkaApis` of the reference serves version 0 of the offset APIs: no coordinator, no generation, no metadata. */
export class OffsetsInZooKeeper {
  private readonly store: ZooKeeperOffsetStore;
  private readonly metadataCache: MetadataCache;
  private readonly maxMetadataSize: number;

  /** @param maxMetadataSize `offset.metadata.max.bytes`: such metadata is refused, though it would not be kept */
  constructor(store: ZooKeeperOffsetStore, metadataCache: MetadataCache, maxMetadataSize: number) {
    this.store = store;
    this.metadataCache = metadataCache;
    this.maxMetadataSize = maxMetadataSize;
  }

  async commit(groupId: string, target: TopicPartition, { offset, metadata }: OffsetAndMetadata): Promise<ErrorEntry> {
    if (metadata.length > this.maxMetadataSize) return Errors.OFFSET_METADATA_TOO_LARGE;
    try {
      await this.store.setOrCreateConsumerOffset(groupId, target, offset);
      return Errors.NONE;
    } catch (thrown) {
      return toApiError(thrown).error;
    }
  }

  /** A partition without an offset is answered as one that does not exist. */
  async fetch(groupId: string, target: TopicPartition): Promise<FetchedOffset> {
    const answer = (error: ErrorEntry, committedOffset = -1): FetchedOffset => ({
      ...target,
      error,
      committedOffset,
      committedLeaderEpoch: -1,
      metadata: '',
    });
    if (!this.metadataCache.contains(target.topic, target.partition)) return answer(Errors.UNKNOWN_TOPIC_OR_PARTITION);
    try {
      const offset = await this.store.getConsumerOffset(groupId, target);
      return offset === undefined ? answer(Errors.UNKNOWN_TOPIC_OR_PARTITION) : answer(Errors.NONE, offset);
    } catch (thrown) {
      return answer(toApiError(thrown).error);
    }
  }
}
