import { topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import type { ConsumerConfig } from './consumer-config.ts';
import type { GroupMembership } from './group-membership.ts';
import type { SubscriptionState } from './subscription-state.ts';

/** Told of changes to the assignment of a subscribed consumer, within `poll` or `close`. */
export interface RebalanceListener {
  /** Before another member may get these partitions: the last moment to commit for them. */
  onPartitionsRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** What is new to this member: all it has under the eager protocol. */
  onPartitionsAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** Others may have these partitions already: too late to commit. Without it `onPartitionsRevoked` is called. */
  onPartitionsLost?(partitions: readonly TopicPartition[]): void | Promise<void>;
}

export interface RebalancesOptions {
  readonly membership: GroupMembership;
  readonly config: ConsumerConfig;
  readonly subscriptions: SubscriptionState;
  /** Commits what the application has been given, if the consumer does so by itself. */
  readonly commitConsumed: () => Promise<void>;
  /** Called when the group has answered. */
  readonly onJoined: () => void;
}

interface Join {
  readonly settled: Promise<void>;
  outcome: { readonly assigned: readonly TopicPartition[] | undefined } | { readonly failure: unknown } | undefined;
}

/**
 * Takes a subscribed consumer through its group's rebalances: what it gives up and when, and whom it tells. Under the
 * eager protocol it has nothing while it joins; under the cooperative one it reads on, gives up what the new assignment
 * takes from it, and joins once more so that others get it (KIP-429). The part of `ConsumerCoordinator` that is about
 * rebalancing.
 */
export class ConsumerRebalances {
  private readonly options: RebalancesOptions;
  private readonly logger: Logger;
  private topics: readonly string[] = [];
  private listener: RebalanceListener = {};
  private join: Join | undefined;

  constructor(options: RebalancesOptions) {
    this.options = options;
    this.logger = options.config.loggers('org.apache.kafka.clients.consumer.internals.ConsumerCoordinator');
  }

  subscribe(topics: readonly string[], listener: RebalanceListener): void {
    this.topics = topics;
    this.listener = listener;
    this.options.membership.requestRejoin();
  }

  /**
   * Joins if need be.
   *
   * @param timeoutMs how long to wait for the group, in milliseconds; joining goes on after that
   * @returns whether what is assigned may be read
   * @throws KafkaError what no retry mends
   */
  async ensureJoined(timeoutMs: number): Promise<boolean> {
    const { membership, subscriptions } = this.options;
    membership.notePoll();
    if (membership.needsJoin && this.join === undefined) {
      await this.prepare();
      this.join = this.begin();
    }
    const { join } = this;
    if (join === undefined) return true;
    // Whoever has something to read does not wait for the others.
    if (subscriptions.assigned.length === 0) await this.settledWithin(join, timeoutMs);
    const { outcome } = join;
    if (outcome === undefined) return subscriptions.assigned.length > 0;
    this.join = undefined;
    if ('failure' in outcome) throw outcome.failure;
    if (outcome.assigned === undefined) return false;
    await this.complete(outcome.assigned);
    return true;
  }

  /** The consumer is about to leave: it has nothing any more. */
  async prepareLeave(): Promise<void> {
    const { membership, subscriptions } = this.options;
    const dropped = partitionsOf(subscriptions);
    if (dropped.length > 0) {
      if (membership.hasGeneration && this.join === undefined) await this.listener.onPartitionsRevoked?.(dropped);
      else await this.tellLost(dropped);
    }
    subscriptions.assign([]);
  }

  private begin(): Join {
    const { membership, subscriptions, onJoined } = this.options;
    const join: Join = {
      outcome: undefined,
      settled: membership.join(this.topics, partitionsOf(subscriptions)).then(
        (assigned) => {
          join.outcome = { assigned };
          onJoined();
        },
        (failure: unknown) => {
          join.outcome = { failure };
          onJoined();
        },
      ),
    };
    return join;
  }

  private async settledWithin({ settled }: Join, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.options.config.time.schedule(timeoutMs, resolve);
      void settled.then(() => {
        cancel();
        resolve();
      });
    });
  }

  private async prepare(): Promise<void> {
    const { membership, subscriptions } = this.options;
    const owned = partitionsOf(subscriptions);
    if (!membership.hasGeneration) {
      if (owned.length === 0) return;
      this.logger.info(
        'Giving away all assigned partitions as lost since generation has been reset, indicating that consumer is no ' +
          'longer part of the group',
      );
      subscriptions.assign([]);
      await this.tellLost(owned);
      return;
    }
    await this.options.commitConsumed();
    if (membership.rebalanceProtocol === 'eager') {
      await this.listener.onPartitionsRevoked?.(owned);
      subscriptions.assign([]);
      return;
    }
    const dropped = owned.filter(({ topic }) => !this.topics.includes(topic));
    if (dropped.length === 0) return;
    await this.listener.onPartitionsRevoked?.(dropped);
    subscriptions.assign(without(owned, dropped));
  }

  private async complete(assigned: readonly TopicPartition[]): Promise<void> {
    const { membership, subscriptions } = this.options;
    if (!assigned.every(({ topic }) => this.topics.includes(topic))) {
      this.logger.warn(
        `We received an assignment ${list(assigned)} that doesn't match our current subscription ` +
          `${this.topics.join(', ')}; it is likely that the subscription has changed since we joined the group. Will try ` +
          're-join the group with current subscription',
      );
      membership.requestRejoin();
      return;
    }
    const owned = partitionsOf(subscriptions);
    const revoked = without(owned, assigned);
    if (revoked.length > 0) {
      // They were read on until now, so there is more to commit than as the join began.
      await this.options.commitConsumed();
      await this.listener.onPartitionsRevoked?.(revoked);
      this.logger.info(`Need to revoke partitions ${list(revoked)} and re-join the group`);
      membership.requestRejoin();
    }
    subscriptions.assign(assigned);
    await this.listener.onPartitionsAssigned?.(without(assigned, owned));
  }

  private async tellLost(partitions: readonly TopicPartition[]): Promise<void> {
    this.logger.info(`Lost previously assigned partitions ${list(partitions)}`);
    const { listener } = this;
    if (listener.onPartitionsLost === undefined) await listener.onPartitionsRevoked?.(partitions);
    else await listener.onPartitionsLost(partitions);
  }
}

function partitionsOf(subscriptions: SubscriptionState): TopicPartition[] {
  return subscriptions.assigned.map(({ topic, partition }) => ({ topic, partition }));
}

function without(partitions: readonly TopicPartition[], others: readonly TopicPartition[]): TopicPartition[] {
  const left = new Set(others.map(keyOf));
  return partitions.filter((partition) => !left.has(keyOf(partition)));
}

function list(partitions: readonly TopicPartition[]): string {
  return partitions.map(keyOf).join(', ');
}

function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition);
}
