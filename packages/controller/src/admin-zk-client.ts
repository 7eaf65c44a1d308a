import type { Logger, LoggerFactory, Random } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { KafkaZkClient, ReplicaAssignment } from '@klassic/zookeeper';
import { TopicZNode, ZooKeeperError } from '@klassic/zookeeper';
import { assignmentOf, isBeingReassigned } from './replica-assignment.ts';
import type { BrokerMetadata } from './replica-placement.ts';
import { assignReplicasToBrokers } from './replica-placement.ts';
import { partitionOfKey } from './topic-changes.ts';
import { hasCollisionChars, topicNamesCollide, validateTopicName } from './topic-name.ts';

/** The part of `KafkaZkClient` that `AdminZkClient` uses. */
export type AdminStore = Pick<
  KafkaZkClient,
  | 'getAllBrokersInCluster'
  | 'topicExists'
  | 'getAllTopicsInCluster'
  | 'setOrCreateEntityConfigs'
  | 'createTopicAssignment'
  | 'setTopicAssignment'
  | 'createDeleteTopicPath'
  | 'getFullReplicaAssignmentForTopics'
  | 'getReplicaAssignmentAndTopicIdForTopics'
  | 'createConfigChangeNotification'
>;

/** Whether racks count: always (brokers without one are an error), only if all brokers have one, or never. */
export type RackAwareMode = 'enforced' | 'safe' | 'disabled';

export interface AdminZkClientOptions {
  readonly store: AdminStore;
  readonly random: Random;
  readonly loggers: LoggerFactory;
  /** Throws when a topic's configuration is not valid; the message is the answer's. */
  readonly validateTopicConfig: (config: Readonly<Record<string, string>>) => void;
}

/**
 * Writes what the administration of topics asks for into ZooKeeper, where the controller sees it: topics, partitions,
 * deletions and configurations (`kafka.zk.AdminZkClient`). It works on any broker, not only on the controller.
 */
export class AdminZkClient {
  private readonly options: AdminZkClientOptions;
  private readonly store: AdminStore;
  private readonly log: Logger;

  constructor(options: AdminZkClientOptions) {
    this.options = options;
    this.store = options.store;
    this.log = options.loggers('kafka.zk.AdminZkClient');
  }

  /** The registered brokers, by ascending id. @throws KafkaError when racks count and only some brokers have one */
  async getBrokerMetadatas(mode: RackAwareMode = 'enforced'): Promise<BrokerMetadata[]> {
    const brokers = await this.store.getAllBrokersInCluster();
    const withRack = brokers.filter(({ rack }) => rack !== null).length;
    const partial = withRack > 0 && withRack < brokers.length;
    if (mode === 'enforced' && partial) {
      throw new KafkaError(
        Errors.UNKNOWN_SERVER_ERROR,
        'Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack information.',
      );
    }
    const ignoreRacks = mode === 'disabled' || (mode === 'safe' && partial);
    return brokers.map(({ id, rack }) => ({ id, rack: ignoreRacks ? null : rack })).sort((a, b) => a.id - b.id);
  }

  /** Creates a topic, its replicas placed by chance over all brokers. @throws KafkaError as its parts do */
  async createTopic(
    topic: string,
    partitions: number,
    replicationFactor: number,
    config: Readonly<Record<string, string>> = {},
    mode: RackAwareMode = 'enforced',
  ): Promise<void> {
    const brokers = await this.getBrokerMetadatas(mode);
    const { random } = this.options;
    await this.createTopicWithAssignment(
      topic,
      config,
      assignReplicasToBrokers(brokers, partitions, replicationFactor, { random }),
    );
  }

  /**
   * Writes the configuration, then the assignment of a new topic.
   *
   * @throws KafkaError what `validateTopicCreate` finds; TOPIC_ALREADY_EXISTS also when somebody was quicker
   */
  async createTopicWithAssignment(
    topic: string,
    config: Readonly<Record<string, string>>,
    assignment: ReadonlyMap<number, readonly number[]>,
    validate = true,
  ): Promise<void> {
    if (validate) await this.validateTopicCreate(topic, assignment, config);
    refuseOversized(topic, new Map([...assignment].map(([id, replicas]) => [id, assignmentOf(replicas)])));
    this.log.info(
      `Creating topic ${topic} with configuration ${JSON.stringify(config)} and initial partition assignment ${assignmentMapText(assignment)}`,
    );
    await this.store.setOrCreateEntityConfigs('topics', topic, config);
    try {
      await this.store.createTopicAssignment(topic, null, assignment);
    } catch (error) {
      if (error instanceof ZooKeeperError && error.code === 'NODE_EXISTS') throw topicExists(topic);
      throw error;
    }
  }

  /**
   * @throws KafkaError INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS or INVALID_REPLICA_ASSIGNMENT; what the
   *   validator of configurations throws
   */
  async validateTopicCreate(
    topic: string,
    assignment: ReadonlyMap<number, readonly number[]>,
    config: Readonly<Record<string, string>>,
  ): Promise<void> {
    validateTopicName(topic);
    if (await this.store.topicExists(topic)) throw topicExists(topic);
    if (hasCollisionChars(topic)) await this.checkCollision(topic);
    const lists = [...assignment.values()];
    if (new Set(lists.map((replicas) => replicas.length)).size !== 1) {
      throw invalidAssignment('All partitions should have the same number of replicas');
    }
    if (lists.some((replicas) => new Set(replicas).size !== replicas.length)) {
      throw invalidAssignment(`Duplicate replica assignment found: Hash${assignmentMapText(assignment)}`);
    }
    if ([...assignment.keys()].sort((a, b) => a - b).some((partition, index) => partition !== index)) {
      throw invalidAssignment('partitions should be a consecutive 0-based integer sequence');
    }
    this.options.validateTopicConfig(config);
  }

  /** Marks a topic for deletion by the controller. A topic so marked stays so. @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION */
  async deleteTopic(topic: string): Promise<void> {
    if (!(await this.store.topicExists(topic))) {
      throw new KafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION, `Topic \`${topic}\` to delete does not exist`);
    }
    try {
      await this.store.createDeleteTopicPath(topic);
    } catch (error) {
      if (!(error instanceof ZooKeeperError && error.code === 'NODE_EXISTS')) throw error;
      this.log.debug(`topic ${topic} is already marked for deletion`);
    }
  }

  /**
   * Adds partitions to a topic, or only says which they would be.
   *
   * @param count how many the topic is to have
   * @param assignments the replicas of each new partition; placed as if the topic had been so large from the start when null
   * @returns the replicas of all partitions, the new ones among them
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, REASSIGNMENT_IN_PROGRESS, INVALID_PARTITIONS,
   *   INVALID_REPLICA_ASSIGNMENT or BROKER_NOT_AVAILABLE
   */
  async addPartitions(
    topic: string,
    count: number,
    assignments: readonly (readonly number[])[] | null,
    validateOnly = false,
  ): Promise<Map<number, readonly number[]>> {
    const brokers = await this.getBrokerMetadatas();
    const existing = await this.existingAssignment(topic);
    if (count < existing.size) {
      throw new KafkaError(
        Errors.INVALID_PARTITIONS,
        `Topic currently has ${existing.size} partitions, which is higher than the requested ${count}.`,
      );
    }
    if (count === existing.size) {
      throw new KafkaError(Errors.INVALID_PARTITIONS, `Topic already has ${existing.size} partitions.`);
    }
    const added =
      assignments === null
        ? this.placeNewPartitions(existing, count, brokers)
        : manualAssignment(existing, count, assignments, brokers);
    if (!validateOnly) await this.writeNewPartitions(topic, existing, added);
    return new Map([...[...existing].map(([id, { replicas }]) => [id, replicas] as const), ...added]);
  }

  /** Replaces a topic's configuration and tells all brokers. @throws KafkaError, or what the validator throws */
  async changeTopicConfig(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    validateTopicName(topic);
    if (!(await this.store.topicExists(topic))) {
      throw new KafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION, `Topic '${topic}' does not exist.`);
    }
    this.options.validateTopicConfig(config);
    await this.changeEntityConfig('topics', topic, config);
  }

  /** Replaces an entity's configuration without a check, and tells all brokers. */
  async changeEntityConfig(
    entityType: 'topics' | 'brokers' | 'clients' | 'users' | 'ips',
    sanitizedName: string,
    config: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.store.setOrCreateEntityConfigs(entityType, sanitizedName, config);
    await this.store.createConfigChangeNotification(`${entityType}/${sanitizedName}`);
  }

  private async checkCollision(topic: string): Promise<void> {
    const topics = await this.store.getAllTopicsInCluster();
    // It may have been created meanwhile, and does not collide with itself.
    if (topics.includes(topic)) throw topicExists(topic);
    const colliding = topics.filter((other) => topicNamesCollide(topic, other));
    if (colliding.length === 0) return;
    throw new KafkaError(
      Errors.INVALID_TOPIC_EXCEPTION,
      `Topic '${topic}' collides with existing topics: ${colliding.join(', ')}`,
    );
  }

  private async existingAssignment(topic: string): Promise<Map<number, ReplicaAssignment>> {
    const existing = new Map<number, ReplicaAssignment>();
    for (const [key, assignment] of await this.store.getFullReplicaAssignmentForTopics([topic])) {
      if (isBeingReassigned(assignment)) {
        const text = `A partition reassignment is in progress for the topic '${topic}'.`;
        throw new KafkaError(Errors.REASSIGNMENT_IN_PROGRESS, text);
      }
      existing.set(partitionOfKey(key).partition, assignment);
    }
    if (existing.size > 0) return existing;
    throw new KafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic}' does not exist.`);
  }

  private placeNewPartitions(
    existing: ReadonlyMap<number, ReplicaAssignment>,
    count: number,
    brokers: readonly BrokerMetadata[],
  ): Map<number, number[]> {
    const first = firstReplicas(existing);
    const fixedStartIndex = Math.max(
      0,
      brokers.findIndex(({ id }) => id >= first[0]!),
    );
    const { random } = this.options;
    const options = { fixedStartIndex, startPartitionId: existing.size, random };
    return assignReplicasToBrokers(brokers, count - existing.size, first.length, options);
  }

  private async writeNewPartitions(
    topic: string,
    existing: ReadonlyMap<number, ReplicaAssignment>,
    added: ReadonlyMap<number, readonly number[]>,
  ): Promise<void> {
    this.log.info(
      `Creating ${added.size} partitions for '${topic}' with the following replica assignment: ${assignmentMapText(added)}.`,
    );
    const all = new Map(existing);
    for (const [id, replicas] of added) all.set(id, assignmentOf(replicas));
    refuseOversized(topic, all);
    const [znode] = await this.store.getReplicaAssignmentAndTopicIdForTopics([topic]);
    await this.store.setTopicAssignment(topic, znode?.topicId ?? null, all);
  }
}

function manualAssignment(
  existing: ReadonlyMap<number, ReplicaAssignment>,
  count: number,
  assignments: readonly (readonly number[])[],
  brokers: readonly BrokerMetadata[],
): Map<number, readonly number[]> {
  const known = new Set(brokers.map(({ id }) => id));
  const unknown = [...new Set(assignments.flat())].filter((id) => !known.has(id));
  if (unknown.length > 0) throw invalidAssignment(`Unknown broker(s) in replica assignment: ${unknown.join(', ')}.`);
  const increment = count - existing.size;
  if (assignments.length !== increment) {
    throw invalidAssignment(
      `Increasing the number of partitions by ${increment} but ${assignments.length} assignments provided.`,
    );
  }
  const added = new Map(assignments.map((replicas, index) => [existing.size + index, replicas]));
  for (const [id, replicas] of added) {
    if (replicas.length === 0) throw invalidAssignment(`Cannot have replication factor of 0 for partition id ${id}.`);
    if (new Set(replicas).size !== replicas.length) {
      throw invalidAssignment(
        `Duplicate brokers not allowed in replica assignment: ${replicas.join(', ')} for partition id ${id}.`,
      );
    }
  }
  const expected = firstReplicas(existing).length;
  const different = [...added].filter(([, replicas]) => replicas.length !== expected);
  if (different.length === 0) return added;
  throw invalidAssignment(
    `Inconsistent replication factor between partitions, partition 0 has ${expected} while partitions ` +
      `[${different.map(([id]) => id).join(', ')}] have replication factors ` +
      `[${different.map(([, replicas]) => replicas.length).join(', ')}], respectively.`,
  );
}

function firstReplicas(existing: ReadonlyMap<number, ReplicaAssignment>): readonly number[] {
  const first = existing.get(0);
  if (first !== undefined) return first.replicas;
  throw new KafkaError(
    Errors.UNKNOWN_SERVER_ERROR,
    'Unexpected existing replica assignment, partition id 0 is missing.',
  );
}

/** What ZooKeeper takes in one request, less what the request has besides (`jute.maxbuffer`, 1 MiB by default). */
const MAX_ASSIGNMENT_BYTES = 1024 * 1024 - 1024;

/**
 * ZooKeeper hangs up on whoever sends more than it takes, again and again, and the broker's session with it.
 *
 * @throws KafkaError INVALID_PARTITIONS
 */
function refuseOversized(topic: string, assignment: ReadonlyMap<number, ReplicaAssignment>): void {
  const bytes = TopicZNode.encode(null, assignment).length;
  if (bytes <= MAX_ASSIGNMENT_BYTES) return;
  throw new KafkaError(
    Errors.INVALID_PARTITIONS,
    `The assignment of the ${assignment.size} partitions of topic '${topic}' takes ${bytes} bytes, and ZooKeeper keeps no more than ` +
      `${MAX_ASSIGNMENT_BYTES} in one znode: create several smaller topics.`,
  );
}

function topicExists(topic: string): KafkaError {
  return new KafkaError(Errors.TOPIC_ALREADY_EXISTS, `Topic '${topic}' already exists.`);
}

function invalidAssignment(message: string): KafkaError {
  return new KafkaError(Errors.INVALID_REPLICA_ASSIGNMENT, message);
}

function assignmentMapText(assignment: ReadonlyMap<number, readonly number[]>): string {
  return `Map(${[...assignment].map(([id, replicas]) => `${id} -> ArrayBuffer(${replicas.join(', ')})`).join(', ')})`;
}
