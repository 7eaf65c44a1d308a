import { delay, nextInt } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import { DisconnectError } from '@klassic/network';
import { errorByCode, Errors } from '@klassic/protocol';
import type { ClientConfig } from '../client-config.ts';
import { isRetriable, kafkaError, TimeoutError } from '../client-errors.ts';
import type { NetworkClient } from '../network-client.ts';
import { Cluster, clusterOf } from './cluster.ts';
import type { LeaderAndEpoch, Node, TopicInfo } from './cluster.ts';
import { LastSeenLeaderEpochs } from './last-seen-leader-epochs.ts';

/** Which topics a client asks about: these, or every one. */
export type TopicInterest = 'all' | ReadonlySet<string>;

/**
 * The client's picture of the cluster, kept by Metadata requests to any broker. A leader epoch never goes back: older
 * news from a slower broker does not replace newer (KIP-320). Counterpart of `org.apache.kafka.clients.Metadata`.
 */
export class Metadata {
  private readonly client: NetworkClient;
  private readonly config: ClientConfig;
  private readonly allowAutoTopicCreation: boolean;
  private readonly logger: Logger;
  private readonly topics = new Set<string>();
  private readonly bootstrap: readonly Node[];
  private readonly lastSeenLeaderEpochs = new LastSeenLeaderEpochs();
  private current = new Cluster(null, -1, new Map(), new Map());
  private version = 0;
  private updatedHiResMs = Number.NEGATIVE_INFINITY;
  private attemptedHiResMs = Number.NEGATIVE_INFINITY;
  private wanted = false;
  private refreshing: Promise<Cluster> | undefined;

  constructor(client: NetworkClient, config: ClientConfig, options: { allowAutoTopicCreation: boolean }) {
    this.client = client;
    this.config = config;
    this.allowAutoTopicCreation = options.allowAutoTopicCreation;
    this.logger = config.loggers('org.apache.kafka.clients.Metadata');
    this.bootstrap = config.bootstrap.map(({ host, port }, index) => ({ id: -1 - index, host, port, rack: null }));
  }

  get cluster(): Cluster {
    return this.current;
  }

  /** Rises with each answer. */
  get updateVersion(): number {
    return this.version;
  }

  /**
   * A partition's leader. None when somebody has told a newer epoch than that of the picture: then the leader is to be
   * asked for first.
   */
  currentLeader(partition: TopicPartition): LeaderAndEpoch {
    const info = this.current.partition(partition.topic, partition.partition);
    const seen = this.lastSeenLeaderEpochs.get(partition);
    if (info === undefined || (seen >= 0 && info.leaderEpoch !== seen)) return { leader: undefined, epoch: seen };
    return { leader: this.current.nodes.get(info.leader), epoch: info.leaderEpoch };
  }

  /** Somebody else than a Metadata answer told a leader epoch (-1 for none): the picture may be older than that. */
  updateLastSeenEpochIfNewer(partition: TopicPartition, epoch: number): void {
    if (this.lastSeenLeaderEpochs.raise(partition, epoch)) this.wanted = true;
  }

  /** Adds topics to those asked about. */
  add(topics: Iterable<string>): void {
    for (const topic of topics) {
      if (this.topics.has(topic)) continue;
      this.topics.add(topic);
      this.wanted = true;
    }
  }

  /** Something the picture told was wrong: it is to be asked for before it is used again. */
  requestUpdate(): void {
    this.wanted = true;
  }

  get needsUpdate(): boolean {
    return this.wanted || this.config.time.hiResMs() - this.updatedHiResMs >= this.config.metadataMaxAgeMs;
  }

  /**
   * Asks for the topics of interest. Calls while one is under way share it.
   *
   * @throws DisconnectError when no broker can be reached
   */
  refresh(): Promise<Cluster> {
    this.refreshing ??= this.ask(this.topics)
      .then((cluster) => {
        this.accept(cluster);
        return this.current;
      })
      .finally(() => {
        this.refreshing = undefined;
      });
    return this.refreshing;
  }

  /** Refreshes if the picture is old or known to be wrong, at most once in `retry.backoff.ms`; failures are left to the next time. */
  async maybeRefresh(): Promise<void> {
    if (!this.needsUpdate) return;
    if (this.config.time.hiResMs() - this.attemptedHiResMs < this.config.retryBackoffMs) return;
    try {
      await this.refresh();
    } catch (error) {
      if (!isRetriable(error)) throw error;
      this.logger.warn(`Metadata could not be refreshed: ${(error as Error).message}`);
    }
  }

  /**
   * Waits until a topic is known with its partitions.
   *
   * @throws TimeoutError when it is not within `timeoutMs`
   * @throws KafkaError when it never will be (an invalid name, no permission)
   */
  async awaitTopic(topic: string, timeoutMs: number): Promise<TopicInfo> {
    this.add([topic]);
    const { time, retryBackoffMs } = this.config;
    const deadline = time.hiResMs() + timeoutMs;
    for (;;) {
      const info = this.current.topics.get(topic);
      if (info !== undefined) {
        if (info.errorCode === Errors.NONE.code && info.partitions.length > 0) return info;
        if (info.errorCode !== Errors.NONE.code && !errorByCode(info.errorCode).retriable) {
          this.topics.delete(topic);
          throw kafkaError(info.errorCode);
        }
      }
      if (time.hiResMs() >= deadline) {
        throw new TimeoutError(`Topic ${topic} not present in metadata after ${timeoutMs} ms.`);
      }
      if (info !== undefined) await delay(time, retryBackoffMs);
      this.requestUpdate();
      await this.refreshBefore(deadline);
    }
  }

  /**
   * Asks about topics once, without keeping them as of interest.
   *
   * @throws DisconnectError when no broker can be reached
   */
  async ask(topics: TopicInterest): Promise<Cluster> {
    const asked = topics === 'all' ? null : [...topics].map((name) => ({ name }));
    this.wanted = false;
    this.attemptedHiResMs = this.config.time.hiResMs();
    let failure: unknown = new DisconnectError('No broker is known');
    for (const node of this.candidates()) {
      try {
        let version = -1;
        const answer = await this.client.send(node, 'Metadata', (chosen) => {
          version = chosen;
          return { topics: asked, allowAutoTopicCreation: this.allowAutoTopicCreation };
        });
        const cluster = clusterOf(answer, version);
        // A broker that has just started answers with nothing until the controller has told it.
        if (cluster.nodes.size > 0) return cluster;
        failure = new DisconnectError(`${node.host}:${node.port} knows no broker yet`);
      } catch (error) {
        if (!isRetriable(error)) throw error;
        failure = error;
      }
    }
    this.wanted = true;
    throw failure;
  }

  /** Any broker, preferably one that can be reached: known ones first, in an order of chance, then those to begin with. */
  candidates(): Node[] {
    const { random } = this.config;
    const known = [...this.current.nodes.values()];
    for (let last = known.length - 1; last > 0; last -= 1) {
      const other = nextInt(random, last + 1);
      [known[last], known[other]] = [known[other]!, known[last]!];
    }
    return [
      ...known.filter((node) => this.client.isReady(node)),
      ...known.filter((node) => !this.client.isReady(node)),
      ...this.bootstrap,
    ];
  }

  private async refreshBefore(deadline: number): Promise<void> {
    const { time, retryBackoffMs } = this.config;
    for (;;) {
      try {
        await this.refresh();
        return;
      } catch (error) {
        if (!isRetriable(error) || time.hiResMs() + retryBackoffMs >= deadline) throw error;
        await delay(time, retryBackoffMs);
      }
    }
  }

  private accept(news: Cluster): void {
    const topics = new Map<string, TopicInfo>();
    for (const [name, topic] of news.topics) {
      this.lastSeenLeaderEpochs.noteTopic(this.current.topics.get(name), topic);
      const partitions = topic.partitions.map((partition) =>
        this.lastSeenLeaderEpochs.notePartition(partition)
          ? partition
          : (this.current.partition(name, partition.partition) ?? partition),
      );
      topics.set(name, { ...topic, partitions });
      if (topic.errorCode !== Errors.NONE.code || partitions.some(({ leader }) => leader < 0)) this.wanted = true;
    }
    // What was added while the request was under way is still to be asked for.
    for (const topic of this.topics) if (!topics.has(topic)) this.wanted = true;
    this.current = new Cluster(news.clusterId, news.controllerId, news.nodes, topics);
    this.version += 1;
    this.updatedHiResMs = this.config.time.hiResMs();
  }
}
