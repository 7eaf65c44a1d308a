import { topicPartitionKey } from '@klassic/common';
import type { Cancel, Logger, Time, TopicPartition } from '@klassic/common';
import { TopicPartitionStateZNode } from '@klassic/zookeeper';
import type { ConditionalUpdateResult, LeaderAndIsr } from '@klassic/zookeeper';
import type { IsrStore } from './options.ts';

/** `IsrChangePropagationConfig` of the reference, ms: how often to look, quiet time awaited, longest delay. */
const checkIntervalMs = 2500;
const lingerMs = 5000;
const maxDelayMs = 60_000;

/** What became of an ISR change: written under a new version, or refused because the znode had changed. */
export type IsrUpdateResult = { readonly leaderAndIsr: LeaderAndIsr } | 'INVALID_UPDATE_VERSION';

/**
 * Writes ISR changes of the partitions led here into their state znodes, and tells the controller of them in batches by
 * `/isr_change_notification`. Counterpart of `kafka.server.ZkIsrManager`.
 */
export class ZkIsrManager {
  private readonly store: IsrStore;
  private readonly time: Time;
  private readonly logger: Logger;
  private changed = new Map<string, TopicPartition>();
  private lastChangeMs: number;
  private lastPropagationMs: number;
  private propagating = false;
  private cancelCheck: Cancel | undefined;

  constructor(store: IsrStore, time: Time, logger: Logger) {
    this.store = store;
    this.time = time;
    this.logger = logger;
    this.lastChangeMs = time.milliseconds();
    this.lastPropagationMs = time.milliseconds();
  }

  start(): void {
    this.cancelCheck = this.time.scheduleEvery(checkIntervalMs, () => {
      void this.maybePropagateIsrChanges();
    });
  }

  shutdown(): void {
    this.cancelCheck?.();
    this.cancelCheck = undefined;
  }

  /**
   * Writes the partition's state conditionally, under the epoch of the controller that made the leader.
   *
   * @throws ZooKeeperError when the session is lost: whether the write took place is then unknown
   */
  async submit(
    topicPartition: TopicPartition,
    leaderAndIsr: LeaderAndIsr,
    controllerEpoch: number,
  ): Promise<IsrUpdateResult> {
    const { topic, partition } = topicPartition;
    const path = TopicPartitionStateZNode.path(topicPartition);
    const data = TopicPartitionStateZNode.encode({ leaderAndIsr, controllerEpoch });
    if (this.logger.isEnabled('DEBUG')) {
      this.logger.debug(
        `Writing new ISR ${leaderAndIsr.isr.join(',')} to ZooKeeper with version ${leaderAndIsr.zkVersion} ` +
          `for partition ${topicPartitionKey(topic, partition)}`,
      );
    }
    const { succeeded, version } = await this.store.conditionalUpdatePath(
      path,
      data,
      leaderAndIsr.zkVersion,
      (path, data) => this.recogniseOwnWrite(path, data),
    );
    if (!succeeded) return 'INVALID_UPDATE_VERSION';
    this.changed.set(topicPartitionKey(topic, partition), topicPartition);
    this.lastChangeMs = this.time.milliseconds();
    return { leaderAndIsr: { ...leaderAndIsr, zkVersion: version } };
  }

  /** The version may differ because our own write came through before its answer was lost: then the data is ours. */
  private async recogniseOwnWrite(path: string, data: Buffer): Promise<ConditionalUpdateResult> {
    const { data: found, version } = await this.store.getDataAndVersion(path);
    return found?.equals(data) === true ? { succeeded: true, version } : { succeeded: false, version: -1 };
  }

  /** Tells the controller when the last change is 5 s old, or the last telling 60 s. */
  private async maybePropagateIsrChanges(): Promise<void> {
    const nowMs = this.time.milliseconds();
    const due = this.lastChangeMs + lingerMs < nowMs || this.lastPropagationMs + maxDelayMs < nowMs;
    if (this.propagating || this.changed.size === 0 || !due) return;
    const partitions = this.changed;
    this.changed = new Map();
    this.propagating = true;
    try {
      await this.store.propagateIsrChanges([...partitions.values()]);
      this.lastPropagationMs = nowMs;
    } catch (error) {
      this.logger.error('Failed to propagate ISR changes; they are kept for the next attempt', error);
      this.changed = new Map([...partitions, ...this.changed]);
    } finally {
      this.propagating = false;
    }
  }
}
