import { Errors } from '@klassic/protocol';
import { kafkaError, throwIfError } from '../client-errors.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { TopicInfo } from '../metadata/cluster.ts';
import { retrying } from '../retrying.ts';
import { atController } from './controller-call.ts';

/** A topic to be created. Without counts the brokers' defaults apply (KIP-464). */
export interface NewTopic {
  readonly name: string;
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  /** Broker ids of each partition, instead of the two counts; the first is the preferred replica. */
  readonly replicasAssignments?: readonly (readonly number[])[];
  readonly configs?: Readonly<Record<string, string>>;
}

export interface TopicChangeOptions {
  /** How long the controller may take, in milliseconds; default: `request.timeout.ms`. */
  readonly timeoutMs?: number;
  /** Only checks whether it could be done. */
  readonly validateOnly?: boolean;
}

const BROKER_DEFAULT = -1;
/** DeleteTopics names topics by a plain list of names up to here. */
const LAST_DELETE_BY_NAMES = 5;

/** @throws KafkaError of the first topic that is refused; the others may have been created */
export async function createTopics(
  parts: ClientParts,
  topics: readonly NewTopic[],
  options: TopicChangeOptions,
): Promise<void> {
  await atController(parts, 'creating topics', async (controller) => {
    const answer = await parts.client.send(controller, 'CreateTopics', {
      topics: topics.map(({ name, numPartitions, replicationFactor, replicasAssignments, configs }) => ({
        name,
        numPartitions: replicasAssignments === undefined ? (numPartitions ?? BROKER_DEFAULT) : BROKER_DEFAULT,
        replicationFactor: replicasAssignments === undefined ? (replicationFactor ?? BROKER_DEFAULT) : BROKER_DEFAULT,
        assignments: (replicasAssignments ?? []).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
        configs: Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value })),
      })),
      timeoutMs: options.timeoutMs ?? parts.config.requestTimeoutMs,
      validateOnly: options.validateOnly ?? false,
    });
    for (const { errorCode, errorMessage } of answer.topics) throwIfError(errorCode, errorMessage);
  });
}

/** @throws KafkaError of the first topic that is refused */
export async function deleteTopics(
  parts: ClientParts,
  names: readonly string[],
  options: TopicChangeOptions,
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? parts.config.requestTimeoutMs;
  await atController(parts, 'deleting topics', async (controller) => {
    const answer = await parts.client.send(
      controller,
      'DeleteTopics',
      { topicNames: [...names], timeoutMs },
      { maxVersion: LAST_DELETE_BY_NAMES },
    );
    for (const { errorCode, errorMessage } of answer.responses) throwIfError(errorCode, errorMessage);
  });
}

/**
 * Raises the number of partitions to `count`.
 *
 * @param newAssignments broker ids of each new partition; default: the controller chooses
 * @throws KafkaError
 */
export async function createPartitions(
  parts: ClientParts,
  name: string,
  count: number,
  newAssignments: readonly (readonly number[])[] | undefined,
  options: TopicChangeOptions,
): Promise<void> {
  await atController(parts, 'creating partitions', async (controller) => {
    const answer = await parts.client.send(controller, 'CreatePartitions', {
      topics: [{ name, count, assignments: newAssignments?.map((brokerIds) => ({ brokerIds })) ?? null }],
      timeoutMs: options.timeoutMs ?? parts.config.requestTimeoutMs,
      validateOnly: options.validateOnly ?? false,
    });
    for (const { errorCode, errorMessage } of answer.results) throwIfError(errorCode, errorMessage);
  });
}

/** Every topic, by name in order. @throws TimeoutError */
export async function listTopics({ metadata, config }: ClientParts): Promise<TopicInfo[]> {
  const cluster = await retrying(config, { what: 'listing topics' }, async () => await metadata.ask('all'));
  return [...cluster.topics.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Topics by name, in the given order. @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION; TimeoutError */
export async function describeTopics(
  { metadata, config }: ClientParts,
  names: readonly string[],
): Promise<TopicInfo[]> {
  const cluster = await retrying(config, { what: 'describing topics' }, async () => await metadata.ask(new Set(names)));
  return names.map((name) => {
    const topic = cluster.topics.get(name);
    if (topic === undefined) throw kafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION.code);
    throwIfError(topic.errorCode);
    return topic;
  });
}
