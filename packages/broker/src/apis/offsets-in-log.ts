import { Errors } from '@klassic/protocol';
import type { ResponseInit } from '@klassic/protocol';
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
    // Version 0 lists the base offsets of segments, which the reference still does; nothing current asks for it.
    minVersion: 1,
    maxVersion: 6,
    handle({ body, header: { apiVersion } }) {
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
    failure: ({ body }, error) => ({
      topics: body.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => failed(partitionIndex, error.code)),
      })),
    }),
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
