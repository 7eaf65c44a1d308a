import { assignReplicasToBrokers } from '@klassic/controller';
import type { AdminZkClient } from '@klassic/controller';
import { javaHashMapOrder } from '@klassic/common';
import type { Random } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { ApiHandler } from './api-handler.ts';
import type { MetadataWatch } from './metadata-watch.ts';
import { hasLeaders } from './metadata-watch.ts';
import { answerMessage, toApiError } from './request-errors.ts';
import type { TopicConfigEntry } from './topic-config-entries.ts';

type CreatableTopic = RequestOf<'CreateTopics'>['topics'][number];
type TopicResult = NonNullable<ResponseInit<'CreateTopics'>['topics']>[number];
type Assignment = ReadonlyMap<number, readonly number[]>;

export interface CreateTopicsOptions {
  readonly adminZkClient: AdminZkClient;
  readonly metadataCache: MetadataCache;
  readonly metadataWatch: MetadataWatch;
  readonly random: Random;
  /** `num.partitions` */
  readonly defaultPartitions: number;
  /** `default.replication.factor` */
  readonly defaultReplicationFactor: number;
  /** The configuration that a topic with these overrides has, as DescribeConfigs tells it. */
  readonly configEntries: (overrides: Readonly<Record<string, string>>) => readonly TopicConfigEntry[];
}

/** The value of numPartitions and replicationFactor that asks for the broker's default, and of both with an assignment. */
const unset = -1;

/** CreateTopics on the controller: writes the topics, then waits until each partition has a leader (`ZkAdminManager.createTopics`). */
export function createTopicsHandler(options: CreateTopicsOptions): ApiHandler<'CreateTopics'> {
  const { metadataCache, metadataWatch } = options;
  return {
    api: 'CreateTopics',
    minVersion: 0,
    maxVersion: 7,
    async handle({ body, header: { apiVersion } }) {
      const names = body.topics.map(({ name }) => name);
      const duplicates = new Set(names.filter((name, index) => names.indexOf(name) !== index));
      const results: TopicResult[] = [];
      for (const topic of body.topics) {
        results.push(
          duplicates.has(topic.name)
            ? failed(topic.name, Errors.INVALID_REQUEST, 'Found multiple entries for this topic.')
            : await create(topic, body.validateOnly, apiVersion, options),
        );
      }
      if (body.validateOnly) return { topics: results };
      const created = results.filter(({ errorCode }) => errorCode === Errors.NONE.code);
      const planned = new Map(created.map(({ name, numPartitions }) => [name!, numPartitions ?? 0]));
      const isLed = ({ name }: TopicResult): boolean => hasLeaders(name!, planned.get(name!) ?? 0, metadataCache);
      await metadataWatch.waitUntil(() => created.every(isLed), body.timeoutMs);
      return {
        topics: results.map((result) =>
          planned.has(result.name!) && !isLed(result)
            ? failed(result.name!, Errors.REQUEST_TIMED_OUT, Errors.REQUEST_TIMED_OUT.message)
            : result,
        ),
      };
    },
    failure: ({ body }, error, message) => ({
      topics: body.topics.map(({ name }) => failed(name, error, message)),
    }),
  };
}

async function create(
  topic: CreatableTopic,
  validateOnly: boolean,
  apiVersion: number,
  options: CreateTopicsOptions,
): Promise<TopicResult> {
  const { adminZkClient, configEntries } = options;
  try {
    const config = configOf(topic);
    const assignment = await assignmentOf(topic, options);
    if (validateOnly) await adminZkClient.validateTopicCreate(topic.name, assignment, config);
    else await adminZkClient.createTopicWithAssignment(topic.name, config, assignment);
    const entries = new Map(apiVersion >= 5 ? configEntries(config).map((entry) => [entry.name, entry]) : []);
    return {
      name: topic.name,
      errorCode: Errors.NONE.code,
      errorMessage: null,
      numPartitions: assignment.size,
      replicationFactor: assignment.get(0)?.length ?? 0,
      configs: javaHashMapOrder(entries.keys()).map((name) => {
        const { value, source } = entries.get(name)!;
        return { name, value, readOnly: false, configSource: source, isSensitive: false };
      }),
    };
  } catch (thrown) {
    const { error, message, expected } = toApiError(thrown);
    if (!expected) throw thrown;
    return failed(topic.name, error, message);
  }
}

function configOf({ configs }: CreatableTopic): Record<string, string> {
  const nulls = configs.filter(({ value }) => value === null).map(({ name }) => name);
  if (nulls.length > 0) {
    throw new KafkaError(Errors.INVALID_REQUEST, `Null value not supported for topic configs : ${nulls.join(',')}`);
  }
  return Object.fromEntries(configs.map(({ name, value }) => [name, value!]));
}

async function assignmentOf(topic: CreatableTopic, options: CreateTopicsOptions): Promise<Assignment> {
  const { numPartitions, replicationFactor, assignments, name } = topic;
  if (assignments.length > 0) {
    if (numPartitions !== unset || replicationFactor !== unset) {
      throw new KafkaError(
        Errors.INVALID_REQUEST,
        'Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
      );
    }
    if (assignments.some(({ partitionIndex }) => partitionIndex < 0) && isConsecutive(assignments)) {
      // The original overlooks such a partition at first, and then misses partition 0.
      throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, 'A partition has a negative index');
    }
    return new Map(assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds]));
  }
  const partitions = numPartitions === unset ? options.defaultPartitions : numPartitions;
  const factor = replicationFactor === unset ? options.defaultReplicationFactor : replicationFactor;
  if (options.metadataCache.contains(name)) {
    throw new KafkaError(Errors.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`);
  }
  const brokers = await options.adminZkClient.getBrokerMetadatas();
  return assignReplicasToBrokers(brokers, partitions, factor, { random: options.random });
}

/** The original's check: what is not negative adds up to what a sequence from 0 would. */
function isConsecutive(assignments: CreatableTopic['assignments']): boolean {
  const indexes = [...new Set(assignments.map(({ partitionIndex }) => partitionIndex))];
  const sum = indexes.filter((index) => index >= 0).reduce((total, index) => total + index, 0);
  return sum === (indexes.length * (indexes.length - 1)) / 2;
}

function failed(name: string, error: ErrorEntry, message: string): TopicResult {
  return {
    name,
    errorCode: error.code,
    errorMessage: answerMessage(error, message),
    numPartitions: unset,
    replicationFactor: unset,
    configs: [],
  };
}
