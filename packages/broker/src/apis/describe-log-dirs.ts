import { Errors } from '@klassic/protocol';
import type { RequestOf } from '@klassic/protocol';
import type { ReplicaManager } from '../replica/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** The replicas of one topic in a log dir, as the answer has them. */
interface LogDirTopic {
  readonly name: string;
  readonly partitions: { partitionIndex: number; partitionSize: number; offsetLag: number; isFutureKey: boolean }[];
}

/** DescribeLogDirs: what lies in the log dirs of this broker (KIP-113). */
export function describeLogDirsHandler(replicaManager: ReplicaManager): ApiHandler<'DescribeLogDirs'> {
  return {
    api: 'DescribeLogDirs',
    minVersion: 0,
    maxVersion: 2,
    handle({ body }) {
      const isAsked = asked(body);
      return {
        results: replicaManager.describeLogDirs().map(({ logDir, isOffline, logs }) => {
          const topics = new Map<string, LogDirTopic>();
          for (const { topic, partition, size, offsetLag, isFuture } of logs) {
            const described = topics.get(topic) ?? { name: topic, partitions: [] };
            topics.set(topic, described);
            if (!isAsked(topic, partition)) continue;
            described.partitions.push({
              partitionIndex: partition,
              partitionSize: size,
              offsetLag,
              isFutureKey: isFuture,
            });
          }
          const errorCode = (isOffline ? Errors.KAFKA_STORAGE_ERROR : Errors.NONE).code;
          // A topic of which nothing was asked for is named nevertheless, as the reference does.
          return { errorCode, logDir, topics: [...topics.values()] };
        }),
      };
    },
    failure: () => ({ results: [] }),
  };
}

function asked({ topics }: RequestOf<'DescribeLogDirs'>): (topic: string, partition: number) => boolean {
  if (topics === null) return () => true;
  const wanted = new Map<string, Set<number>>();
  for (const { topic, partitionIndex } of topics) {
    wanted.set(topic, new Set([...(wanted.get(topic) ?? []), ...partitionIndex]));
  }
  return (topic, partition) => wanted.get(topic)?.has(partition) === true;
}
