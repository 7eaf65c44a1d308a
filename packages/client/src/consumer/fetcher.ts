import type { Logger } from '@klassic/common';
import { topicPartitionKey } from '@klassic/common';
import { errorByCode, Errors } from '@klassic/protocol';
import type { ResponseOf } from '@klassic/protocol';
import { isRetriable, kafkaError } from '../client-errors.ts';
import { groupByTopic, isolationLevelId } from '../list-offsets.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { Node } from '../metadata/cluster.ts';
import { CompletedFetch } from './completed-fetch.ts';
import type { ConsumerRecord } from './completed-fetch.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import type { AssignedPartition, SubscriptionState } from './subscription-state.ts';

type PartitionAnswer = ResponseOf<'Fetch'>['responses'][number]['partitionResponses'][number];

interface FetchTarget extends AssignedPartition {
  readonly state: AssignedPartition;
  readonly fetchOffset: number;
}

/** Not a session: every request names all its partitions (KIP-227's final epoch). */
const NO_SESSION = { sessionId: 0, sessionEpoch: -1 };

/** Fetches ahead from the leaders, one request at a time each, and hands records out in order. Counterpart of `Fetcher`. */
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
    const byLeader = new Map<Node, FetchTarget[]>();
    for (const state of this.subscriptions.assigned) {
      const { topic, partition, position, isPaused } = state;
      if (position === undefined || isPaused || busy.has(topicPartitionKey(topic, partition))) continue;
      const leader = metadata.cluster.leaderFor(topic, partition);
      if (leader === undefined) {
        metadata.requestUpdate();
        continue;
      }
      if (this.nodesInFlight.has(leader.id) || this.isResting(leader)) continue;
      const targets = byLeader.get(leader) ?? [];
      targets.push({ ...state, state, fetchOffset: position });
      byLeader.set(leader, targets);
    }
    for (const [leader, targets] of byLeader) this.fetch(leader, targets);
  }

  /**
   * Up to `limit` records that have arrived; the consumer's position moves past them.
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
    for (const fetch of [...this.completed]) {
      const state = this.subscriptions.find(fetch);
      if (state?.position === fetch.nextOffset && state.isPaused) continue;
      // Otherwise the position was moved, or the partition taken away, since the fetch was sent.
      const isCurrent = state?.position === fetch.nextOffset;
      while (isCurrent && records.length < limit) {
        const record = fetch.next();
        state.position = fetch.nextOffset;
        if (record === undefined) break;
        records.push(record);
      }
      if (isCurrent && records.length >= limit) break;
      this.completed.splice(this.completed.indexOf(fetch), 1);
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

  private isResting(node: Node): boolean {
    return (this.resting.get(node.id) ?? 0) > this.config.time.hiResMs();
  }

  private rest(node: Node): void {
    this.resting.set(node.id, this.config.time.hiResMs() + this.config.retryBackoffMs);
  }

  private fetch(leader: Node, targets: FetchTarget[]): void {
    const { client, metadata } = this.parts;
    const { config } = this;
    this.nodesInFlight.set(
      leader.id,
      new Set(targets.map(({ topic, partition }) => topicPartitionKey(topic, partition))),
    );
    const answered = client.send(
      leader,
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
          partitions: partitions.map(({ partition, fetchOffset }) => ({
            partition,
            currentLeaderEpoch: metadata.cluster.partition(topic, partition)?.leaderEpoch ?? -1,
            fetchOffset,
            partitionMaxBytes: config.maxPartitionFetchBytes,
          })),
        })),
      },
      { timeoutMs: config.requestTimeoutMs + config.fetchMaxWaitMs },
    );
    void answered
      .then(
        (answer) => {
          this.takeAnswer(leader, targets, answer);
        },
        (error: unknown) => {
          this.rest(leader);
          if (isRetriable(error)) metadata.requestUpdate();
          else this.failure = error as Error;
        },
      )
      .finally(() => {
        this.nodesInFlight.delete(leader.id);
        this.wake();
      });
  }

  private takeAnswer(leader: Node, targets: FetchTarget[], answer: ResponseOf<'Fetch'>): void {
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
        if (target !== undefined) this.takePartition(leader, target, partition);
      }
    }
  }

  private takePartition(leader: Node, target: FetchTarget, answer: PartitionAnswer): void {
    const { errorCode } = answer;
    if (errorCode === Errors.NONE.code) {
      const { recordSet } = answer;
      target.state.highWatermark = answer.highWatermark;
      if (recordSet === null || recordSet.length === 0) return;
      this.completed.push(
        new CompletedFetch(
          target,
          target.fetchOffset,
          recordSet,
          answer.abortedTransactions,
          this.config.isolationLevel,
        ),
      );
    } else if (errorCode === Errors.OFFSET_OUT_OF_RANGE.code) {
      this.takeOutOfRange(target);
    } else if (errorByCode(errorCode).retriable) {
      this.logger.debug(
        `Fetch of ${target.topic}-${target.partition} was refused, it will be tried again: ${errorByCode(errorCode).name}`,
      );
      this.parts.metadata.requestUpdate();
      this.rest(leader);
    } else {
      this.failure = kafkaError(errorCode);
    }
  }

  private takeOutOfRange(target: FetchTarget): void {
    const { state, topic, partition, fetchOffset } = target;
    // The answer is about an offset that a seek has left meanwhile.
    if (this.subscriptions.find(target)?.position !== fetchOffset) return;
    const { autoOffsetReset } = this.config;
    if (autoOffsetReset === 'none') {
      this.failure = kafkaError(
        Errors.OFFSET_OUT_OF_RANGE.code,
        `Fetch position ${fetchOffset} is out of range for partition ${topic}-${partition}`,
      );
      return;
    }
    this.logger.info(
      `Fetch position ${fetchOffset} is out of range for partition ${topic}-${partition}, resetting offset`,
    );
    this.subscriptions.requestReset(state, autoOffsetReset);
  }
}
