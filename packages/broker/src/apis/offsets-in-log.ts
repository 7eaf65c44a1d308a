import { Errors } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { ReplicaManager } from '../replica/index.ts';
import type { ApiHandler } from './api-handler.ts';
import { toApiError } from './request-errors.ts';

const unknown = -1;
/** From this version on an offset is told with its leader epoch. */
const epochVersion = 4;

/** ListOffsets: the offset at a timestamp, or the first or last one (`KafkaApis.handleListOffsetRequest`). */
export function listOffsetsHandler(replicaManager: ReplicaManager): ApiHandler<'ListOffsets'> {
  return {
    api: 'ListOffsets',
    minVersion: 0,
    maxVersion: 6,
    handle({ body, header: { apiVersion } }) {
      if (apiVersion === 0) return segmentBoundaries(body, replicaManager);
      const isolation =
        body.replicaId >= 0 ? undefined : body.isolationLevel === 1 ? 'read_committed' : 'read_uncommitted';
      const duplicates = repeated(
        body.topics.flatMap(({ name, partitions }) => partitions.map((each) => `${name}-${each.partitionIndex}`)),
      );
      return {
        topics: body.topics.map(({ name: topic, partitions }) => ({
          name: topic,
          partitions: partitions.map(({ partitionIndex: partition, timestamp, currentLeaderEpoch }) => {
            if (duplicates.has(`${topic}-${partition}`)) return failed(partition, Errors.INVALID_REQUEST.code);
            try {
              const found = replicaManager.fetchOffsetForTimestamp(
                { topic, partition },
                timestamp,
                isolation,
                currentLeaderEpoch,
                body.replicaId !== -2,
              );
              if (found === null) return failed(partition, Errors.NONE.code);
              return {
                partitionIndex: partition,
                errorCode: Errors.NONE.code,
                timestamp: found.timestamp,
                offset: found.offset,
                ...(apiVersion >= epochVersion ? { leaderEpoch: found.leaderEpoch ?? unknown } : {}),
              };
            } catch (thrown) {
              const { error, expected } = toApiError(thrown);
              if (!expected) throw thrown;
              // An older client does not know that the offset may come later, and takes this one for a passing state.
              const early = error === Errors.OFFSET_NOT_AVAILABLE && apiVersion < 5;
              return failed(partition, (early ? Errors.LEADER_NOT_AVAILABLE : error).code);
            }
          }),
        })),
      };
    },
    failure: ({ body, header: { apiVersion } }, error) => ({
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) =>
          apiVersion === 0 ? { partitionIndex, errorCode: error.code } : failed(partitionIndex, error.code),
        ),
      })),
    }),
  };
}

/** Version 0 tells where segments begin, newest first. */
function segmentBoundaries(
  { replicaId, topics }: RequestOf<'ListOffsets'>,
  replicaManager: ReplicaManager,
): ResponseInit<'ListOffsets'> {
  const boundaries = (topic: string, partition: number, timestamp: number, most: number): OffsetResult => {
    try {
      const at = { topic, partition };
      const oldStyleOffsets = replicaManager.legacyFetchOffsetsForTimestamp(
        at,
        timestamp,
        most,
        replicaId < 0,
        replicaId !== -2,
      );
      return { partitionIndex: partition, errorCode: Errors.NONE.code, oldStyleOffsets };
    } catch (thrown) {
      const { error, expected } = toApiError(thrown);
      if (!expected) throw thrown;
      return { partitionIndex: partition, errorCode: error.code, oldStyleOffsets: [] };
    }
  };
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((each) => boundaries(name, each.partitionIndex, each.timestamp, each.maxNumOffsets)),
    })),
  };
}

/** OffsetForLeaderEpoch: where an epoch ends, for followers and consumers that truncate (KIP-101, KIP-320). */
export function offsetForLeaderEpochHandler(replicaManager: ReplicaManager): ApiHandler<'OffsetForLeaderEpoch'> {
  return {
    api: 'OffsetForLeaderEpoch',
    minVersion: 0,
    maxVersion: 4,
    handle: ({ body }) => ({
      topics: body.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => ({
          partition,
          ...replicaManager.lastOffsetForLeaderEpoch({ topic, partition }, currentLeaderEpoch, leaderEpoch),
        })),
      })),
    }),
    failure: ({ body }, error) => ({
      topics: body.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({
          partition,
          errorCode: error.code,
          leaderEpoch: unknown,
          endOffset: unknown,
        })),
      })),
    }),
  };
}

type OffsetResult = NonNullable<NonNullable<ResponseInit<'ListOffsets'>['topics']>[number]['partitions']>[number];

function failed(partitionIndex: number, errorCode: number): OffsetResult {
  return { partitionIndex, errorCode, timestamp: unknown, offset: unknown, leaderEpoch: unknown };
}

function repeated(items: readonly string[]): Set<string> {
  const seen = new Set<string>();
  return new Set(items.filter((item) => seen.size === seen.add(item).size));
}
