import { topicPartitionKey } from '@klassic/common';
import type { Time, TopicPartition } from '@klassic/common';
import { recordMagicOf } from '@klassic/log';
import { buildEndTransactionMarker, errorByCode, Errors } from '@klassic/protocol';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import { groupMetadataTopic } from '../group/index.ts';
import type { GroupCoordinator } from '../group/index.ts';
import type { ReplicaManager } from '../replica/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** Markers are control batches, which came with this message format. */
const controlBatchMagic = 2;

export interface WriteTxnMarkersOptions {
  readonly replicaManager: Pick<ReplicaManager, 'appendRecords' | 'getLog'>;
  readonly coordinator: Pick<GroupCoordinator, 'scheduleHandleTxnCompletion'>;
  /** Stamps the markers. */
  readonly time: Time;
  /** `request.timeout.ms`: how long the ISR may take to have them. */
  readonly requestTimeoutMs: number;
}

type Marker = RequestOf<'WriteTxnMarkers'>['markers'][number];
type Results = Map<string, TopicPartition & { readonly error: ErrorEntry }>;

/**
 * WriteTxnMarkers: a transaction coordinator ends transactions on the partitions led here. Where a partition of
 * `__consumer_offsets` is among them, the offsets committed in the transaction count from now on, or are dropped
 * (`KafkaApis.handleWriteTxnMarkersRequest`).
 */
export function writeTxnMarkersHandler(options: WriteTxnMarkersOptions): ApiHandler<'WriteTxnMarkers'> {
  return {
    api: 'WriteTxnMarkers',
    minVersion: 0,
    maxVersion: 1,
    async handle({ body: { markers } }) {
      const written = await Promise.all(markers.map((marker) => write(marker, options)));
      const byProducer = new Map<number, Results>();
      for (const [index, results] of written.entries()) {
        const { producerId } = markers[index]!;
        byProducer.set(producerId, new Map([...(byProducer.get(producerId) ?? []), ...results]));
      }
      return response(byProducer);
    },
    failure: ({ body: { markers } }, error) =>
      response(new Map(markers.map((marker) => [marker.producerId, sameForAll(marker, error)]))),
  };
}

async function write(marker: Marker, options: WriteTxnMarkersOptions): Promise<Results> {
  const { replicaManager, coordinator, time, requestTimeoutMs } = options;
  const results = sameForAll(marker, Errors.NONE);
  const records = buildEndTransactionMarker({
    type: marker.transactionResult ? 'COMMIT' : 'ABORT',
    coordinatorEpoch: marker.coordinatorEpoch,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    timestamp: time.milliseconds(),
  });
  const entries = new Map<string, TopicPartition & { readonly records: Buffer }>();
  for (const [key, { topic, partition }] of results) {
    const log = replicaManager.getLog(key);
    if (log === undefined) {
      results.set(key, { topic, partition, error: Errors.UNKNOWN_TOPIC_OR_PARTITION });
    } else if (recordMagicOf(log.config.messageFormatVersion) < controlBatchMagic) {
      results.set(key, { topic, partition, error: Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT });
    } else {
      // Each log stamps its batch in place, with offset and leader epoch.
      entries.set(key, { topic, partition, records: Buffer.from(records) });
    }
  }
  if (entries.size === 0) return results;
  const appended = await replicaManager.appendRecords({
    timeoutMs: requestTimeoutMs,
    requiredAcks: -1,
    internalTopicsAllowed: true,
    origin: 'Coordinator',
    entries,
  });
  for (const [key, { topic, partition }] of entries) {
    results.set(key, { topic, partition, error: errorByCode(appended.get(key)!.errorCode) });
  }
  const offsetsPartitions = [...entries.keys()].flatMap((key) => {
    const { topic, partition, error } = results.get(key)!;
    return topic === groupMetadataTopic && error === Errors.NONE ? [partition] : [];
  });
  if (offsetsPartitions.length > 0) {
    coordinator.scheduleHandleTxnCompletion(marker.producerId, offsetsPartitions, marker.transactionResult);
  }
  return results;
}

function sameForAll({ topics }: Marker, error: ErrorEntry): Results {
  return new Map(
    topics.flatMap(({ name: topic, partitionIndexes }) =>
      partitionIndexes.map((partition) => [topicPartitionKey(topic, partition), { topic, partition, error }] as const),
    ),
  );
}

function response(byProducer: ReadonlyMap<number, Results>): ResponseInit<'WriteTxnMarkers'> {
  return {
    markers: [...byProducer].map(([producerId, results]) => ({
      producerId,
      topics: [...Map.groupBy(results.values(), ({ topic }) => topic)].map(([name, partitions]) => ({
        name,
        partitions: partitions.map(({ partition, error }) => ({ partitionIndex: partition, errorCode: error.code })),
      })),
    })),
  };
}
