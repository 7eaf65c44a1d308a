import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import type { FetchedOffset, GroupCoordinator } from '../group/index.ts';
import type { ApiHandler } from './api-handler.ts';
import type { OffsetsInZooKeeper } from './offsets-in-zookeeper.ts';

/** From this version on the response has an error of its own, and null topics ask for all offsets. */
const groupErrorVersion = 2;

/** OffsetFetch: a group's committed offsets; with version 0 those in ZooKeeper. */
export function offsetFetchHandler(
  coordinator: GroupCoordinator,
  offsetsInZooKeeper: OffsetsInZooKeeper,
): ApiHandler<'OffsetFetch'> {
  return {
    api: 'OffsetFetch',
    minVersion: 0,
    maxVersion: 7,
    async handle({ body, header: { apiVersion } }) {
      if (apiVersion === 0) {
        const wanted = partitionsOf(body);
        return {
          topics: byTopic(await Promise.all(wanted.map((each) => offsetsInZooKeeper.fetch(body.groupId, each)))),
        };
      }
      const partitions = body.topics === null ? null : partitionsOf(body);
      const { error, offsets } = coordinator.handleFetchOffsets(body.groupId, body.requireStable, partitions);
      if (error !== Errors.NONE) return failed(body, apiVersion, error);
      return { errorCode: Errors.NONE.code, topics: byTopic(offsets) };
    },
    failure: ({ body, header: { apiVersion } }, error) => failed(body, apiVersion, error),
  };
}

function partitionsOf({ topics }: RequestOf<'OffsetFetch'>): TopicPartition[] {
  return (topics ?? []).flatMap(({ name: topic, partitionIndexes }) =>
    partitionIndexes.map((partition) => ({ topic, partition })),
  );
}

/** Before there was an error for the whole group, each partition had it. */
function failed(body: RequestOf<'OffsetFetch'>, apiVersion: number, error: ErrorEntry): ResponseInit<'OffsetFetch'> {
  if (apiVersion >= groupErrorVersion) return { errorCode: error.code };
  const nothing = { committedOffset: -1, committedLeaderEpoch: -1, metadata: '', error };
  return { topics: byTopic(partitionsOf(body).map((target) => ({ ...target, ...nothing }))) };
}

function byTopic(offsets: readonly FetchedOffset[]): NonNullable<ResponseInit<'OffsetFetch'>['topics']> {
  const topics = new Map<string, FetchedOffset[]>();
  for (const offset of offsets) {
    const others = topics.get(offset.topic);
    if (others === undefined) topics.set(offset.topic, [offset]);
    else others.push(offset);
  }
  return [...topics].map(([name, partitions]) => ({
    name,
    partitions: partitions.map(({ partition, committedOffset, committedLeaderEpoch, metadata, error }) => ({
      partitionIndex: partition,
      committedOffset,
      committedLeaderEpoch,
      metadata,
      errorCode: error.code,
    })),
  }));
}
