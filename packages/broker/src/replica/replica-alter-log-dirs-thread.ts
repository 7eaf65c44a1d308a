import { prefixed } from '@klassic/common';
import type { Cancel, Logger, Time } from '@klassic/common';
import { errorByCode, Errors } from '@klassic/protocol';
import { offsetTruncationState } from './fetch-state.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { errorOf } from './local-reads.ts';
import type { Partition } from './partition.ts';
import { lastOffsetForLeaderEpoch, readRecords } from './partition-reads.ts';
import type { ReplicationQuotaManager } from './replication-quota-manager.ts';

/** What copies are made with. */
export interface AlterLogDirsOptions {
  readonly time: Time;
  readonly logger: Logger;
  readonly partitions: HostedPartitions;
  readonly quota: ReplicationQuotaManager;
  /** Bytes copied at once: the lesser of `replica.fetch.max.bytes` and `replica.fetch.response.max.bytes`. */
  readonly maxBytes: number;
  /** `replica.fetch.backoff.ms` */
  readonly backoffMs: number;
}

/** Where the copy of one partition stands. */
interface AlterState {
  readonly topic: string;
  readonly partition: number;
  readonly currentLeaderEpoch: number;
  fetchOffset: number;
  /** A copy that was begun before first finds out where it parts from the log in use; then it goes on. */
  state: 'Truncating' | 'Fetching';
  /** ms */
  delayedUntilMs: number;
}

/**
 * Copies logs into other log dirs, one partition after the other in the order of their names, a piece on each turn of the
 * event loop, no faster than the quota allows; a copy that has caught up takes the log's place. Counterpart of
 * `kafka.server.ReplicaAlterLogDirsThread`, which follows this broker's own log as a follower does a leader's.
 */
export class ReplicaAlterLogDirsThread {
  private readonly options: AlterLogDirsOptions;
  private readonly logger: Logger;
  private readonly states = new Map<string, AlterState>();
  private inProgress: string | undefined;
  private awake = false;
  private stopped = false;
  private cancelWait: Cancel | undefined;

  constructor(options: AlterLogDirsOptions) {
    this.options = options;
    this.logger = prefixed(options.logger, `[ReplicaAlterLogDirsThread-0]: `);
  }

  /** Partitions being copied. */
  get partitionCount(): number {
    return this.states.size;
  }

  /** Takes partitions on; one that is being copied under the same epoch goes on where it is. */
  addPartitions(partitions: Iterable<Partition>): void {
    for (const { key, topic, partitionId: partition, leaderEpoch: currentLeaderEpoch, future } of partitions) {
      // The copy may have taken the log's place in the meantime.
      if (future.log === undefined || this.states.get(key)?.currentLeaderEpoch === currentLeaderEpoch) continue;
      const fetchOffset = future.log.highWatermark;
      this.states.set(key, {
        topic,
        partition,
        currentLeaderEpoch,
        fetchOffset,
        state: 'Truncating',
        delayedUntilMs: 0,
      });
      this.logger.info(`Beginning/resuming copy of partition ${key} from offset ${fetchOffset}`);
    }
    this.wake();
  }

  removePartitions(keys: Iterable<string>): void {
    for (const key of keys) this.states.delete(key);
  }

  /** The log in use was truncated: so is the copy. */
  markForTruncation(key: string, offset: number): void {
    const state = this.states.get(key);
    if (state === undefined) return;
    state.fetchOffset = Math.min(offset, state.fetchOffset);
    state.state = 'Truncating';
    this.wake();
  }

  shutdown(): void {
    this.stopped = true;
    this.states.clear();
    this.cancelWait?.();
    this.cancelWait = undefined;
  }

  private wake(): void {
    if (this.awake || this.stopped || this.states.size === 0) return;
    this.awake = true;
    this.cancelWait?.();
    this.cancelWait = undefined;
    this.options.time.soon(() => {
      this.awake = false;
      this.step();
    });
  }

  private step(): void {
    if (this.stopped || this.states.size === 0) return;
    const { time, backoffMs, quota } = this.options;
    // Before anything is copied, and whatever the quota says: the log in use must not grow past what is to be cut.
    for (const [key, state] of this.ready('Truncating')) {
      this.guard(key, state, (partition) => {
        this.truncate(partition, state);
      });
    }
    const next = quota.isQuotaExceeded ? undefined : this.next();
    if (next === undefined && this.ready('Truncating').length > 0) {
      // One that asked for an earlier epoch.
      this.wake();
      return;
    }
    if (next === undefined) {
      this.cancelWait = time.schedule(backoffMs, () => {
        this.wake();
      });
      return;
    }
    const [key, state] = next;
    this.guard(key, state, (partition) => {
      this.copy(partition, state);
    });
    this.wake();
  }

  /** Runs work on a partition's logs; what goes wrong there concerns that partition only. */
  private guard(key: string, state: AlterState, work: (partition: Partition) => void): void {
    try {
      work(this.options.partitions.getOrThrow(state.topic, state.partition));
    } catch (error) {
      this.handleError(key, state, error);
    }
  }

  private ready(wanted: AlterState['state']): [string, AlterState][] {
    const nowMs = this.options.time.milliseconds();
    return [...this.states].filter(([, { state, delayedUntilMs }]) => state === wanted && delayedUntilMs <= nowMs);
  }

  /** The partition in progress, else the first by name that may go on. */
  private next(): [string, AlterState] | undefined {
    const ready = this.ready('Fetching');
    const going = ready.find(([key]) => key === this.inProgress);
    if (going !== undefined) return going;
    const first = ready.sort(([, left], [, right]) => compare(left, right))[0];
    this.inProgress = first?.[0];
    return first;
  }

  private truncate(partition: Partition, state: AlterState): void {
    const { key, future } = partition;
    const log = future.logOrThrow();
    const epoch = log.latestEpoch;
    if (epoch === null) {
      future.truncateTo(state.fetchOffset);
      state.state = 'Fetching';
    } else {
      const end = lastOffsetForLeaderEpoch(partition, state.currentLeaderEpoch, epoch, false);
      if (end.errorCode !== Errors.NONE.code) {
        this.delay(key, state, errorByCode(end.errorCode).name);
        return;
      }
      const { offset, truncationCompleted } = offsetTruncationState(key, end, log, state.fetchOffset);
      future.truncateTo(offset);
      if (truncationCompleted) state.state = 'Fetching';
    }
    state.fetchOffset = log.logEndOffset;
  }

  private copy(partition: Partition, state: AlterState): void {
    const { topic, partition: index, currentLeaderEpoch, fetchOffset } = state;
    const { maxBytes, quota } = this.options;
    const request = { topic, partition: index, fetchOffset, logStartOffset: -1, maxBytes, currentLeaderEpoch };
    const read = readRecords(partition, request, maxBytes, 'log_end', false, true);
    const info = partition.future.append(read.fetched.records, read.highWatermark, read.logStartOffset);
    if (info !== undefined) {
      state.fetchOffset = info.lastOffset + 1;
      quota.record(info.validBytes);
    }
    if (partition.future.maybeReplaceCurrent()) this.states.delete(partition.key);
  }

  private handleError(key: string, state: AlterState, error: unknown): void {
    const entry = errorOf(error);
    if (entry === Errors.OFFSET_OUT_OF_RANGE) {
      this.startWithinRange(state);
    } else if (entry === Errors.UNKNOWN_LEADER_EPOCH || entry === Errors.NOT_LEADER_OR_FOLLOWER) {
      this.delay(key, state, entry.name);
    } else if (entry === Errors.FENCED_LEADER_EPOCH) {
      // LeaderAndIsr brought a newer epoch, and adds the partition anew under it.
      this.states.delete(key);
    } else {
      this.logger.error(`Error while copying partition ${key} at offset ${state.fetchOffset}`, error);
      this.states.delete(key);
    }
  }

  /** The log in use has lost its end (it was truncated) or its beginning (retention) since. */
  private startWithinRange(state: AlterState): void {
    const partition = this.options.partitions.getOrThrow(state.topic, state.partition);
    const { logStartOffset, logEndOffset } = partition.localLogOrException();
    const { future } = partition;
    const futureEnd = future.logOrThrow().logEndOffset;
    if (logEndOffset < futureEnd) future.truncateTo(logEndOffset);
    else if (logStartOffset > futureEnd) future.truncateFullyAndStartAt(logStartOffset);
    state.fetchOffset = future.logOrThrow().logEndOffset;
  }

  private delay(key: string, state: AlterState, reason: string): void {
    this.logger.info(`The copy of partition ${key} goes on later: ${reason}`);
    state.delayedUntilMs = this.options.time.milliseconds() + this.options.backoffMs;
  }
}

function compare(left: AlterState, right: AlterState): number {
  if (left.topic !== right.topic) return left.topic < right.topic ? -1 : 1;
  return left.partition - right.partition;
}
