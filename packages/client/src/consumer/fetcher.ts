import { topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import { errorByCode, Errors } from '@klassic/protocol';
import type { ResponseOf } from '@klassic/protocol';
import { isRetriable, kafkaError } from '../client-errors.ts';
import { groupByTopic, isolationLevelId } from '../list-offsets.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { Node } from '../metadata/cluster.ts';
import { CompletedFetch } from './completed-fetch.ts';
import type { ConsumerRecord } from './completed-fetch.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import type { FetchPosition } from './fetch-position.ts';
import type { SubscriptionState } from './subscription-state.ts';
import type { TopicPartitionState } from './topic-partition-state.ts';

type PartitionAnswer = ResponseOf<'Fetch'>['responses'][number]['partitionResponses'][number];

interface FetchTarget extends TopicPartition {
  readonly state: TopicPartitionState;
  /** As of the request. */
  readonly position: FetchPosition;
}

/** Not a session: every request names all its partitions (KIP-227's final epoch). */
const NO_SESSION = { sessionId: 0, sessionEpoch: -1 };

/**
 * Fetches ahead from leaders, or the replicas they name as nearer (KIP-392), one request at a time each, and hands records
 * out in order. Counterpart of `Fetcher`.
 */
export class Fetcher {
  private readonly parts: ClientParts;
  private readonly config: ConsumerConfig;
  private readonly subscriptions: SubscriptionState;
  private readonly logger: Logger;
  private readonly completed: CompletedFetch[] = [];
  private readonly nodesInFlight = new Map<number, ReadonlySet<string>>();
  private readonly resting = new Map<number, number>();
  private failure: Error | undefined;
  private waiter: (() => void) | undefined;

  constructor(parts: ClientParts, config: ConsumerConfig, subscriptions: SubscriptionState) {
    this.parts = parts;
    this.config = config;
    this.subscriptions = subscriptions;
    this.logger = config.loggers('org.apache.kafka.clients.consumer.internals.Fetcher');
  }

  /** Asks for every partition that has a position, is not paused, and has nothing fetched or asked for. */
  sendFetches(): void {
    const { metadata } = this.parts;
    const busy = new Set(this.completed.map(({ topic, partition }) => topicPartitionKey(topic, partition)));
    for (const keys of this.nodesInFlight.values()) for (const key of keys) busy.add(key);
    const byNode = new Map<Node, FetchTarget[]>();
    for (const state of this.subscriptions.assigned) {
      const { topic, partition, validPosition: position, isPaused } = state;
      if (position === undefined || isPaused || busy.has(topicPartitionKey(topic, partition))) continue;
      const node = this.selectReadReplica(state, position);
      if (node === undefined) {
        metadata.requestUpdate();
        continue;
      }
      if (this.nodesInFlight.has(node.id) || this.isResting(node)) continue;
      byNode.set(node, [...(byNode.get(node) ?? []), { topic, partition, state, position }]);
    }
    for (const [node, targets] of byNode) this.fetch(node, targets);
  }

  /**
   * Up to `limit` records that have arrived; the consumer's position moves past them. A batch that cannot be read fails the
   * call only if it is the first.
   *
   * @throws KafkaError, CorruptRecordError what a fetch failed with for good
   */
  collect(limit: number): ConsumerRecord[] {
    if (this.failure !== undefined) {
      const { failure } = this;
      this.failure = undefined;
      throw failure;
    }
    const records: ConsumerRecord[] = [];
    try {
      for (const fetch of [...this.completed]) {
        const state = this.subscriptions.find(fetch);
        const position = state?.validPosition;
        // Otherwise the position was moved, the leader changed, or the partition was taken away since the fetch was sent.
        const isCurrent =
          position?.offset === fetch.nextOffset && position.currentLeader.epoch === fetch.currentLeaderEpoch;
        if (isCurrent && state?.isPaused === true) continue;
        if (isCurrent && state !== undefined) {
          take(fetch, state, limit, records);
          if (records.length >= limit) break;
        }
        this.completed.splice(this.completed.indexOf(fetch), 1);
      }
    } catch (error) {
      if (records.length === 0) throw error;
      this.failure ??= error as Error;
    }
    return records;
  }

  /** Resolves when a fetch has ended, or after `ms` milliseconds. */
  async wait(ms: number): Promise<void> {
    if (this.failure !== undefined) return;
    await new Promise<void>((resolve) => {
      const cancel = this.config.time.schedule(ms, resolve);
      this.waiter = () => {
        cancel();
        resolve();
      };
    });
    this.waiter = undefined;
  }

  /** True while an answer is due. */
  get isFetching(): boolean {
    return this.nodesInFlight.size > 0;
  }

  /** Ends a `wait`. */
  wake(): void {
    this.waiter?.();
  }

  /** The preferred replica while it has one that is there, else the leader. */
  private selectReadReplica(state: TopicPartitionState, { currentLeader }: FetchPosition): Node | undefined {
    const preferred = state.preferredReadReplica(this.config.time.hiResMs());
    if (preferred === undefined) return currentLeader.leader;
    const node = this.parts.metadata.cluster.nodeIfOnline(state.topic, state.partition, preferred);
    if (node === undefined) state.clearPreferredReadReplica();
    return node ?? currentLeader.leader;
  }

  private isResting(node: Node): boolean {
    return (this.resting.get(node.id) ?? 0) > this.config.time.hiResMs();
  }

  private rest(node: Node): void {
    this.resting.set(node.id, this.config.time.hiResMs() + this.config.retryBackoffMs);
  }

  private fetch(node: Node, targets: FetchTarget[]): void {
    const { client, metadata } = this.parts;
    const { config } = this;
    this.nodesInFlight.set(
      node.id,
      new Set(targets.map(({ topic, partition }) => topicPartitionKey(topic, partition))),
    );
    const answered = client.send(
      node,
      'Fetch',
      {
        replicaId: -1,
        maxWaitMs: config.fetchMaxWaitMs,
        minBytes: config.fetchMinBytes,
        maxBytes: config.fetchMaxBytes,
        isolationLevel: isolationLevelId(config.isolationLevel),
        ...NO_SESSION,
        topics: groupByTopic(targets).map(([topic, partitions]) => ({
          topic,
          // Without lastFetchedEpoch, as Kafka's consumer: it asks by OffsetForLeaderEpoch instead.
          partitions: partitions.map(({ partition, position }) => ({
            partition,
            currentLeaderEpoch: position.currentLeader.epoch,
            fetchOffset: position.offset,
            partitionMaxBytes: config.maxPartitionFetchBytes,
          })),
        })),
        rackId: config.clientRack,
      },
      { timeoutMs: config.requestTimeoutMs + config.fetchMaxWaitMs },
    );
    void answered
      .then(
        (answer) => {
          this.takeAnswer(node, targets, answer);
        },
        (error: unknown) => {
          this.rest(node);
          for (const { state } of targets) state.clearPreferredReadReplica();
          if (isRetriable(error)) metadata.requestUpdate();
          else this.failure = error as Error;
        },
      )
      .finally(() => {
        this.nodesInFlight.delete(node.id);
        this.wake();
      });
  }

  private takeAnswer(node: Node, targets: FetchTarget[], answer: ResponseOf<'Fetch'>): void {
    if (answer.errorCode !== Errors.NONE.code) {
      this.failure = kafkaError(answer.errorCode);
      return;
    }
    const byKey = new Map(
      targets.map((target) => [topicPartitionKey(target.topic, target.partition), target] as const),
    );
    for (const { topic, partitionResponses } of answer.responses) {
      for (const partition of partitionResponses) {
        const target = byKey.get(topicPartitionKey(topic, partition.partition));
        if (target !== undefined) this.takePartition(node, target, partition);
      }
    }
  }

  private takePartition(node: Node, target: FetchTarget, answer: PartitionAnswer): void {
    const { state, position } = target;
    const { errorCode } = answer;
    // The answer is about a partition that was taken away meanwhile, or whose position is in doubt.
    if (this.subscriptions.find(target) !== state || state.validPosition === undefined) return;
    if (errorCode === Errors.NONE.code) {
      if (state.validPosition.offset !== position.offset) return;
      state.highWatermark = answer.highWatermark;
      this.takePreferredReadReplica(state, answer.preferredReadReplica);
      const { recordSet } = answer;
      if (recordSet === null || recordSet.length === 0) return;
      this.completed.push(
        new CompletedFetch(target, position, recordSet, answer.abortedTransactions, this.config.isolationLevel),
      );
    } else if (errorCode === Errors.OFFSET_OUT_OF_RANGE.code) {
      this.takeOutOfRange(node, target);
    } else if (errorByCode(errorCode).retriable) {
      this.logger.debug(
        `Fetch of ${target.topic}-${target.partition} was refused, it will be tried again: ${errorByCode(errorCode).name}`,
      );
      // Kafka 2.8 clears it only when metadata tell that the replica is offline (KAFKA-14379, 3.3): until then it asks again.
      state.clearPreferredReadReplica();
      this.parts.metadata.requestUpdate();
      this.rest(node);
    } else {
      this.failure = kafkaError(errorCode);
    }
  }

  private takePreferredReadReplica(state: TopicPartitionState, replicaId: number): void {
    if (replicaId < 0) return;
    const { time, metadataMaxAgeMs } = this.config;
    state.updatePreferredReadReplica(replicaId, time.hiResMs() + metadataMaxAgeMs);
  }

  private takeOutOfRange(
    node: Node,
    { state, topic, partition, position: { offset, currentLeader } }: FetchTarget,
  ): void {
    // A follower may be behind, or its log begin later: only the leader knows whether the offset is gone.
    const cleared = state.clearPreferredReadReplica();
    if (cleared !== undefined || node.id !== currentLeader.leader?.id) {
      this.logger.debug(
        `Offset ${offset} of ${topic}-${partition} is out of range on replica ${node.id}: to the leader`,
      );
      return;
    }
    // The answer is about an offset that a seek has left meanwhile.
    if (state.validPosition?.offset !== offset) return;
    const what = `Fetch position ${offset} is out of range for partition ${topic}-${partition}`;
    const strategy = this.subscriptions.defaultResetStrategy;
    if (strategy === undefined) {
      this.failure = kafkaError(Errors.OFFSET_OUT_OF_RANGE.code, what);
      return;
    }
    this.logger.info(`${what}, resetting offset`);
    state.reset(strategy);
  }
}

/** Reads on in a fetch, and moves the position past what was read. @throws CorruptRecordError */
function take(fetch: CompletedFetch, state: TopicPartitionState, limit: number, records: ConsumerRecord[]): void {
  try {
    while (records.length < limit) {
      const record = fetch.next();
      if (record === undefined) break;
      records.push(record);
    }
  } finally {
    state.advance(fetch.nextOffset, fetch.lastEpoch);
  }
}
