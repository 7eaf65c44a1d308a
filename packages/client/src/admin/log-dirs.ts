import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import { kafkaError } from '../client-errors.ts';
import { groupByTopic } from '../list-offsets.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { Node } from '../metadata/cluster.ts';
import { retrying } from '../retrying.ts';

/** A replica in a log dir. */
export interface ReplicaInfo extends TopicPartition {
  /** Bytes. */
  readonly size: number;
  /** Behind the high watermark; of a future replica, behind the replica it is to replace. */
  readonly offsetLag: number;
  /** Whether it is to replace the broker's replica in another log dir. */
  readonly isFuture: boolean;
}

export interface LogDirInfo {
  readonly path: string;
  /** Null when the log dir is all right. */
  readonly error: Error | null;
  readonly replicas: readonly ReplicaInfo[];
}

/** @throws KafkaError, TimeoutError */
export async function describeLogDirs(parts: ClientParts, brokerId: number): Promise<LogDirInfo[]> {
  return await atBroker(parts, brokerId, 'describing log dirs', async (broker) => {
    const { results } = await parts.client.send(broker, 'DescribeLogDirs', { topics: null });
    return results.map(({ logDir, errorCode, topics }) => ({
      path: logDir,
      error: errorCode === Errors.NONE.code ? null : kafkaError(errorCode),
      replicas: topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
          topic: name,
          partition: partitionIndex,
          size: partitionSize,
          offsetLag,
          isFuture: isFutureKey,
        })),
      ),
    }));
  });
}

/** A replica that is to lie in a log dir of its broker. */
export interface ReplicaMove extends TopicPartition {
  readonly brokerId: number;
  /** Absolute, as the broker has it. */
  readonly logDir: string;
}

/**
 * Moves replicas to other log dirs of their brokers (KIP-113).
 *
 * @returns what came of each, in their order: null where the move has begun
 * @throws KafkaError, TimeoutError
 */
export async function alterReplicaLogDirs(
  parts: ClientParts,
  moves: readonly ReplicaMove[],
): Promise<(Error | null)[]> {
  const results = new Map<ReplicaMove, Error | null>();
  const byBroker = Map.groupBy(moves, ({ brokerId }) => brokerId);
  await Promise.all(
    [...byBroker].map(async ([brokerId, wanted]) => {
      await atBroker(parts, brokerId, 'altering log dirs', async (broker) => {
        const answer = await parts.client.send(broker, 'AlterReplicaLogDirs', {
          dirs: [...Map.groupBy(wanted, ({ logDir }) => logDir)].map(([path, into]) => ({
            path,
            topics: groupByTopic(into).map(([name, list]) => ({
              name,
              partitions: list.map(({ partition }) => partition),
            })),
          })),
        });
        for (const { topicName, partitions } of answer.results) {
          for (const { partitionIndex, errorCode } of partitions) {
            const move = wanted.find(({ topic, partition }) => topic === topicName && partition === partitionIndex);
            if (move !== undefined) results.set(move, errorCode === Errors.NONE.code ? null : kafkaError(errorCode));
          }
        }
      });
    }),
  );
  return moves.map((move) => {
    const result = results.get(move);
    return result === undefined ? kafkaError(Errors.UNKNOWN_SERVER_ERROR.code) : result;
  });
}

async function atBroker<T>(
  parts: ClientParts,
  brokerId: number,
  what: string,
  attempt: (broker: Node) => Promise<T>,
): Promise<T> {
  return await retrying(parts.config, { what }, async () => {
    const cluster = await parts.metadata.ask(new Set());
    const broker = cluster.nodes.get(brokerId);
    if (broker === undefined) throw kafkaError(Errors.BROKER_NOT_AVAILABLE.code, `Broker ${brokerId} is not available`);
    return await attempt(broker);
  });
}
