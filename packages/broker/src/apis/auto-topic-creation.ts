import type { AdminZkClient } from '@klassic/controller';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { Logger } from '@klassic/common';
import type { MetadataCache } from '../metadata/index.ts';
import { isInternalTopic } from '../metadata/index.ts';

/** Partitions, replicas and configuration of a topic that is created on first use. */
export interface TopicShape {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface AutoTopicCreationOptions {
  /** `auto.create.topics.enable` */
  readonly enabled: boolean;
  /** `num.partitions` and `default.replication.factor` */
  readonly ordinary: TopicShape;
  /** The coordinators' own topics, by name. */
  readonly internal: Readonly<Record<string, TopicShape>>;
  readonly adminZkClient: AdminZkClient;
  readonly metadataCache: MetadataCache;
  readonly logger: Logger;
}

/**
 * Creates a topic that a client asked for and nobody has. The broker that was asked writes it into ZooKeeper itself,
 * controller or not (scenario 02).
 */
export class AutoTopicCreation {
  readonly isEnabled: boolean;
  private readonly options: AutoTopicCreationOptions;

  constructor(options: AutoTopicCreationOptions) {
    this.isEnabled = options.enabled;
    this.options = options;
  }

  /**
   * @returns what the client is told: LEADER_NOT_AVAILABLE once the topic is on its way, or why it cannot be
   * @throws KafkaError INVALID_TOPIC_EXCEPTION
   */
  async create(topic: string): Promise<ErrorEntry> {
    const { ordinary, internal, adminZkClient, metadataCache, logger } = this.options;
    const shape = internal[topic] ?? ordinary;
    const alive = metadataCache.getAliveBrokers().length;
    if (alive < shape.replicationFactor) {
      logger.error(
        `Number of alive brokers '${alive}' does not meet the required replication factor '${shape.replicationFactor}' ` +
          `for ${isInternalTopic(topic) ? 'the internal' : 'auto creation of'} topic ${topic}`,
      );
      return isInternalTopic(topic) ? Errors.COORDINATOR_NOT_AVAILABLE : Errors.INVALID_REPLICATION_FACTOR;
    }
    try {
      await adminZkClient.createTopic(topic, shape.partitions, shape.replicationFactor, shape.config, 'safe');
      logger.info(
        `Auto creation of topic ${topic} with ${shape.partitions} partitions and replication factor ${shape.replicationFactor} is successful`,
      );
      return Errors.LEADER_NOT_AVAILABLE;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      // Another client was quicker: it is on its way all the same.
      if (error.error === Errors.TOPIC_ALREADY_EXISTS) return Errors.LEADER_NOT_AVAILABLE;
      if (error.error === Errors.INVALID_TOPIC_EXCEPTION) throw error;
      logger.error(`Auto creation of topic ${topic} failed`, error);
      return Errors.INVALID_REPLICATION_FACTOR;
    }
  }
}
