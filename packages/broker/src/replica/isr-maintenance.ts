import { topicPartitionKey } from '@klassic/common';
import type { Cancel, Logger, Time, TopicPartition } from '@klassic/common';
import type { Log, LogOffsetMetadata } from '@klassic/log';
import type { IsrUpdateResult, ZkIsrManager } from './isr-manager.ts';
import { committedIsr, pendingExpandIsr, pendingShrinkIsr } from './isr-state.ts';
import type { IsrState, PendingIsrState } from './isr-state.ts';
import { Replica } from './replica.ts';

/** How long to wait before a write whose outcome is unknown is tried again, ms. */
const retryBackoffMs = 1000;

/** Counts ISR changes, for the broker's metrics. */
export interface IsrChangeListener {
  markExpand(): void;
  markShrink(): void;
  markFailed(): void;
}

/** What the ISR is kept with. */
export interface IsrMaintenanceOptions {
  readonly topicPartition: TopicPartition;
  readonly localBrokerId: number;
  /** `replica.lag.time.max.ms` */
  readonly replicaLagTimeMaxMs: number;
  readonly time: Time;
  readonly logger: Logger;
  readonly isrManager: ZkIsrManager;
  readonly listener: IsrChangeListener;
  /** Called when an ISR change stands in ZooKeeper: the high watermark may move. */
  readonly onCommitted: () => void;
}

/** The epochs under which a leader leads. */
export interface Leadership {
  readonly leaderEpoch: number;
  readonly controllerEpoch: number;
  /** Log end offset when the epoch began: a follower below it is not caught up yet. */
  readonly leaderEpochStartOffset: number;
}

/** A leader's followers and its ISR: who is caught up, who enters, who leaves. The part of `kafka.cluster.Partition` that KIP-497 is about. */
export class IsrMaintenance {
  private readonly options: IsrMaintenanceOptions;
  private readonly followers = new Map<number, Replica>();
  private state: IsrState = committedIsr([]);
  private zkVersion = 0;
  private cancelRetry: Cancel | undefined;

  constructor(options: IsrMaintenanceOptions) {
    this.options = options;
  }

  get isrState(): IsrState {
    return this.state;
  }

  /** dataVersion of the state znode, as last written or told. */
  get version(): number {
    return this.zkVersion;
  }

  get remoteReplicas(): IterableIterator<Replica> {
    return this.followers.values();
  }

  getReplica(brokerId: number): Replica | undefined {
    return this.followers.get(brokerId);
  }

  /** Takes over what the controller says; a change of ours that is still on its way is void. */
  reset(replicas: readonly number[], isr: readonly number[], zkVersion: number): void {
    const remote = replicas.filter((id) => id !== this.options.localBrokerId);
    for (const id of [...this.followers.keys()]) if (!remote.includes(id)) this.followers.delete(id);
    for (const id of remote) if (!this.followers.has(id)) this.followers.set(id, new Replica(id));
    this.close();
    this.state = committedIsr(isr);
    this.zkVersion = zkVersion;
  }

  /** Stops trying: no timer is left. */
  close(): void {
    this.cancelRetry?.();
    this.cancelRetry = undefined;
  }

  /** Starts the followers' clocks at the beginning of a leader epoch; a new leader forgets where they were. */
  startEpoch(leaderEndOffset: number, isNewLeader: boolean): void {
    const nowMs = this.options.time.milliseconds();
    for (const replica of this.followers.values()) {
      const inSync = this.state.isr.includes(replica.brokerId);
      replica.resetLastCaughtUpTime(leaderEndOffset, nowMs, inSync ? nowMs : 0);
      if (isNewLeader) replica.forgetFetchState();
    }
  }

  /**
   * Moves the high watermark to the lowest log end offset among the ISR and the followers that are about to join it
   * (caught up within `replica.lag.time.max.ms`), so that it need not wait for them twice.
   *
   * @returns whether it moved
   */
  maybeIncrementLeaderHW(leaderLog: Log, nowMs: number): boolean {
    let newHighWatermark: LogOffsetMetadata = leaderLog.logEndOffsetMetadata;
    for (const replica of this.followers.values()) {
      if (replica.logEndOffset >= newHighWatermark.messageOffset) continue;
      const recent = nowMs - replica.lastCaughtUpTimeMs <= this.options.replicaLagTimeMaxMs;
      if (recent || this.state.maximalIsr.includes(replica.brokerId)) newHighWatermark = replica.logEndOffsetMetadata;
    }
    const old = leaderLog.maybeIncrementHighWatermark(newHighWatermark);
    if (old === null) return false;
    if (this.options.logger.isEnabled('DEBUG')) {
      this.options.logger.debug(
        `High watermark updated from ${old.messageOffset} to ${newHighWatermark.messageOffset}`,
      );
    }
    return true;
  }

  /** Lets a follower into the ISR that has reached the high watermark and the start of this leader's epoch. */
  maybeExpandIsr(follower: Replica, leaderLog: Log, leadership: Leadership): void {
    const { state } = this;
    if (state.kind !== 'Committed' || state.isr.includes(follower.brokerId)) return;
    const caughtUp =
      follower.logEndOffset >= leaderLog.highWatermark && follower.logEndOffset >= leadership.leaderEpochStartOffset;
    if (caughtUp) this.propose(pendingExpandIsr(state.isr, follower.brokerId), leadership);
  }

  /** Takes those out of the ISR that have not been caught up for `replica.lag.time.max.ms`. */
  maybeShrinkIsr(leaderLog: Log, leadership: Leadership): void {
    const { state } = this;
    if (state.kind !== 'Committed') return;
    const outOfSync = this.outOfSyncReplicas(leaderLog.logEndOffset);
    if (outOfSync.length === 0) return;
    const pending = pendingShrinkIsr(
      state.isr,
      outOfSync.map(({ brokerId }) => brokerId),
    );
    const described = outOfSync.map((replica) => `(brokerId: ${replica.brokerId}, endOffset: ${replica.logEndOffset})`);
    this.options.logger.info(
      `Shrinking ISR from ${state.isr.join(',')} to ${pending.proposedIsr.join(',')}. ` +
        `Leader: (highWatermark: ${leaderLog.highWatermark}, endOffset: ${leaderLog.logEndOffset}). ` +
        `Out of sync replicas: ${described.join(' ')}.`,
    );
    this.propose(pending, leadership);
  }

  /** Lowest log start offset among the log's own and the followers' that `isAlive`: what DeleteRecords waits for. */
  lowWatermark(logStartOffset: number, isAlive: (brokerId: number) => boolean): number {
    let lowWatermark = logStartOffset;
    for (const replica of this.followers.values()) {
      if (replica.logStartOffset < lowWatermark && isAlive(replica.brokerId)) lowWatermark = replica.logStartOffset;
    }
    return lowWatermark;
  }

  private outOfSyncReplicas(leaderEndOffset: number): Replica[] {
    const nowMs = this.options.time.milliseconds();
    const lagging: Replica[] = [];
    for (const id of this.state.isr) {
      const replica = this.followers.get(id);
      if (replica === undefined || replica.logEndOffset === leaderEndOffset) continue;
      if (nowMs - replica.lastCaughtUpTimeMs > this.options.replicaLagTimeMaxMs) lagging.push(replica);
    }
    return lagging;
  }

  private propose(pending: PendingIsrState, leadership: Leadership): void {
    this.state = pending;
    void this.write(pending, leadership);
  }

  private async write(pending: PendingIsrState, leadership: Leadership): Promise<void> {
    const { topicPartition, localBrokerId, isrManager, listener, logger } = this.options;
    const { leaderEpoch, controllerEpoch } = leadership;
    const proposed = { leader: localBrokerId, leaderEpoch, isr: pending.proposedIsr, zkVersion: this.zkVersion };
    let result: IsrUpdateResult;
    try {
      result = await isrManager.submit(topicPartition, proposed, controllerEpoch);
    } catch (error) {
      this.retryLater(pending, leadership, error);
      return;
    }
    if (this.state !== pending) {
      logger.debug(`Ignoring the answer to ${pending.kind} since we have already updated state`);
    } else if (result === 'INVALID_UPDATE_VERSION') {
      // Another write came first, by a controller: its LeaderAndIsr is on the way, and until then both sets count.
      listener.markFailed();
      logger.debug(`Failed to update ISR to ${pending.proposedIsr.join(',')} due to invalid version. Giving up.`);
    } else {
      this.commit(pending, result.leaderAndIsr.zkVersion);
    }
  }

  private commit(pending: PendingIsrState, zkVersion: number): void {
    const { listener, logger, onCommitted } = this.options;
    this.state = committedIsr(pending.proposedIsr);
    this.zkVersion = zkVersion;
    logger.info(`ISR updated to ${pending.proposedIsr.join(',')} and version updated to [${zkVersion}]`);
    if (pending.kind === 'PendingExpand') listener.markExpand();
    else listener.markShrink();
    onCommitted();
  }

  /** The write may have taken place: the pending state stands, and the same write is tried again. */
  private retryLater(pending: PendingIsrState, leadership: Leadership, error: unknown): void {
    if (this.state !== pending) return;
    const { listener, logger, time, topicPartition } = this.options;
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    listener.markFailed();
    logger.warn(`Failed to update ISR of ${key} to ${pending.proposedIsr.join(',')}. Retrying: ${String(error)}`);
    this.cancelRetry = time.schedule(retryBackoffMs, () => {
      if (this.state === pending) void this.write(pending, leadership);
    });
  }
}
