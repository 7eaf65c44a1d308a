import { buildBatch, Errors } from '@klassic/protocol';
import type { Handlers } from './fake-broker.ts';

/** Serves the logs of the fake cluster from offset `logStart` on. */
export function logHandlers(logStart = 0): Handlers {
  return {
    ListOffsets: ({ topics }, { id, cluster }) => ({
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => ({
          partitionIndex,
          errorCode: cluster.leaders[partitionIndex] === id ? 0 : Errors.NOT_LEADER_OR_FOLLOWER.code,
          offset: timestamp === -2 ? logStart : cluster.log(partitionIndex).length,
        })),
      })),
    }),
    Fetch: ({ topics }, { id, cluster }) => ({
      responses: topics.map(({ topic, partitions }) => ({
        topic,
        partitionResponses: partitions.map(({ partition, fetchOffset }) => {
          const log = cluster.log(partition);
          if (cluster.leaders[partition] !== id) {
            return { partition, errorCode: Errors.NOT_LEADER_OR_FOLLOWER.code };
          }
          if (fetchOffset < logStart || fetchOffset > log.length) {
            return { partition, errorCode: Errors.OFFSET_OUT_OF_RANGE.code };
          }
          // Whole batches of ten are served, also where the fetch begins inside one.
          const baseOffset = Math.floor(fetchOffset / 10) * 10;
          const values = log.slice(baseOffset, baseOffset + 10);
          const records = values.map((value) => ({ timestamp: 1, key: null, value: Buffer.from(value) }));
          const recordSet = fetchOffset === log.length ? Buffer.alloc(0) : buildBatch({ baseOffset, records });
          return { partition, highWatermark: log.length, recordSet };
        }),
      })),
    }),
  };
}
