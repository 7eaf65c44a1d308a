import { topicPartitionKey } from '@klassic/common';
import type { Time } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import { clientOf } from '../quota/index.ts';
import type { QuotaManagers } from '../quota/index.ts';
import type { AppendEntry, PartitionResponse, ReplicaManager } from '../replica/index.ts';
import { CloseConnection } from './api-handler.ts';
import type { ApiHandler } from './api-handler.ts';
import { checkRecords } from './produce-records.ts';

export interface ProduceHandlerOptions {
  readonly replicaManager: ReplicaManager;
  readonly metadataCache: MetadataCache;
  readonly quotas: QuotaManagers;
  readonly time: Time;
}

/** An answer for a partition that nothing was appended to. */
function refused(error: ErrorEntry, errorMessage: string | null = null): PartitionResponse {
  return {
    errorCode: error.code,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    recordErrors: [],
    errorMessage,
  };
}

/** Produce: appends to the partitions led here; with acks=all the answer waits for the ISR (`KafkaApis.handleProduceRequest`). */
export function produceHandler(options: ProduceHandlerOptions): ApiHandler<'Produce'> {
  const { replicaManager, metadataCache, quotas, time } = options;
  return {
    api: 'Produce',
    minVersion: 0,
    maxVersion: 9,
    async handle(request) {
      const { body, header, sizeInBytes } = request;
      const entries = new Map<string, AppendEntry>();
      const results = new Map<string, PartitionResponse>();
      for (const { name: topic, partitionData } of body.topicData) {
        for (const { index: partition, records } of partitionData) {
          const key = topicPartitionKey(topic, partition);
          if (!metadataCache.contains(topic, partition)) results.set(key, refused(Errors.UNKNOWN_TOPIC_OR_PARTITION));
          else if (records === null) results.set(key, withoutRecords(replicaManager, key));
          else {
            const problem = checkRecords(header.apiVersion, records);
            if (problem === undefined) entries.set(key, { topic, partition, records });
            else results.set(key, refused(problem.error, problem.message));
          }
        }
      }
      const appended = await replicaManager.appendRecords({
        timeoutMs: body.timeoutMs,
        requiredAcks: body.acks,
        internalTopicsAllowed: false,
        origin: 'Client',
        entries,
      });
      for (const [key, result] of appended) results.set(key, result);
      if (quotas.produce.isEnabled) {
        const nowMs = time.milliseconds();
        request.throttle(quotas.produce.recordAndGetThrottleTimeMs(clientOf(request), sizeInBytes, nowMs));
      }
      if (body.acks === 0) return withoutAnswer(results);
      return response(body, (key) => results.get(key)!);
    },
    failure: ({ body }, error) => response(body, () => refused(error)),
  };
}

/** The original stumbles over records that are null as it appends them. */
function withoutRecords(replicaManager: ReplicaManager, key: string): PartitionResponse {
  const logStartOffset = replicaManager.getPartition(key)?.leaderLogIfLocal?.logStartOffset ?? -1;
  return { ...refused(Errors.UNKNOWN_SERVER_ERROR), logStartOffset };
}

/** A producer that asks for no answer learns of an error by losing its connection, and refreshes its metadata then. */
function withoutAnswer(results: ReadonlyMap<string, PartitionResponse>): null {
  for (const { errorCode } of results.values()) {
    if (errorCode !== Errors.NONE.code) throw new CloseConnection('acks=0 with an error');
  }
  return null;
}

/** One answer for each partition, though the request may name it twice: the records that came last count. */
function response(body: RequestOf<'Produce'>, resultOf: (key: string) => PartitionResponse): ResponseInit<'Produce'> {
  const topics = new Map<string, Map<number, PartitionResponse & { index: number }>>();
  for (const { name, partitionData } of body.topicData) {
    if (partitionData.length === 0) continue;
    const partitions = topics.get(name) ?? new Map<number, PartitionResponse & { index: number }>();
    topics.set(name, partitions);
    for (const { index } of partitionData) {
      partitions.set(index, { index, ...resultOf(topicPartitionKey(name, index)) });
    }
  }
  return {
    responses: Array.from(topics, ([name, partitions]) => ({ name, partitionResponses: [...partitions.values()] })),
  };
}
