import { invariant, prefixed, topicPartitionKey } from '@klassic/common';
import type { Cancel, Logger, Time } from '@klassic/common';
import type { Log } from '@klassic/log';
import { errorByCode, Errors } from '@klassic/protocol';
import type { ErrorEntry, ResponseOf } from '@klassic/protocol';
import type { BrokerTopicStats } from '../metrics/index.ts';
import { FetchSessionHandler } from './fetch-session-handler.ts';
import type { FetchRequestData } from './fetch-session-handler.ts';
import { FetcherPartitions } from './fetcher-partitions.ts';
import { offsetTruncationState } from './fetch-state.ts';
import type { InitialFetchState, OffsetTruncationState, PartitionFetchState } from './fetch-state.ts';
import { appendFetched, resetFetchOffset, truncateFollower } from './follower-log.ts';
import type { FetchedPartition } from './follower-log.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { LeaderEndPoint } from './leader-endpoint.ts';
import type { EpochRequest } from './leader-endpoint.ts';
import { errorOf } from './local-reads.ts';
import type { FetchRequestPartition } from './messages.ts';
import type { BrokerEndPoint, ConnectToLeader, ReplicaManagerConfig } from './options.ts';
import type { Partition } from './partition.ts';
import type { EpochEndOffset } from './partition-reads.ts';
import type { ReplicationQuotaManager } from './replication-quota-manager.ts';
import { isThrottledOnFollower } from './throttled-replicas.ts';

/** What a leader answers in the course of things while it is being moved. */
const transientErrors: ReadonlySet<ErrorEntry> = new Set([
  Errors.UNKNOWN_TOPIC_OR_PARTITION,
  Errors.UNKNOWN_LEADER_EPOCH,
  Errors.NOT_LEADER_OR_FOLLOWER,
]);

/** What a fetcher is made with. */
export interface ReplicaFetcherOptions {
  readonly config: ReplicaManagerConfig;
  readonly time: Time;
  readonly logger: Logger;
  /** Logger of the fetch session, `org.apache.kafka.clients.FetchSessionHandler`. */
  readonly sessionLogger: Logger;
  readonly partitions: HostedPartitions;
  readonly connectToLeader: ConnectToLeader;
  readonly topicStats: BrokerTopicStats;
  /** Limits what is fetched of throttled partitions. */
  readonly quota: ReplicationQuotaManager;
  /** The local log was truncated for good: copies of it in other log dirs are too. */
  readonly onTruncated: (key: string, offset: number) => void;
  /** Partitions no fetcher works on because something went wrong; they wait for the controller. */
  readonly failedPartitions: Set<string>;
}

/**
 * Follows one leader for some of its partitions: truncates the local logs to where they agree with the leader's, then
 * fetches and appends. A loop with one request on its way at a time, where the reference has a thread; between request
 * and answer the controller may take partitions away or begin a new epoch, so that every answer is held against the
 * state it was asked in. Counterpart of `kafka.server.ReplicaFetcherThread` and `AbstractFetcherThread`.
 */
export class ReplicaFetcherThread {
  readonly leader: BrokerEndPoint;
  private readonly options: ReplicaFetcherOptions;
  private readonly logger: Logger;
  private readonly endPoint: LeaderEndPoint;
  private readonly sessionHandler: FetchSessionHandler;
  private readonly states: FetcherPartitions;
  private running = false;
  private finished: Promise<void> = Promise.resolve();
  private wake: (() => void) | undefined;

  constructor(fetcherId: number, leader: BrokerEndPoint, options: ReplicaFetcherOptions) {
    const { brokerId } = options.config;
    this.leader = leader;
    this.options = options;
    const ident = `[ReplicaFetcher replicaId=${brokerId}, leaderId=${leader.id}, fetcherId=${fetcherId}] `;
    this.logger = prefixed(options.logger, ident);
    this.states = new FetcherPartitions({
      time: options.time,
      logger: this.logger,
      backoffMs: options.config.replicaFetchBackoffMs,
      failedPartitions: options.failedPartitions,
    });
    const clientId = `broker-${brokerId}-fetcher-${fetcherId}`;
    this.endPoint = new LeaderEndPoint(leader, options.config, clientId, options.connectToLeader);
    this.sessionHandler = new FetchSessionHandler(leader.id, prefixed(options.sessionLogger, ident));
  }

  get partitionCount(): number {
    return this.states.size;
  }

  /** The largest lag in records behind the leaders' high watermarks: `MaxLag`. */
  get maxLag(): number {
    return this.states.maxLag;
  }

  start(): void {
    invariant(!this.running, 'a fetcher is started once');
    this.running = true;
    this.logger.info('Starting');
    this.finished = this.run();
  }

  /** Ends the loop and the connection. Resolves when nothing runs any more. */
  async shutdown(): Promise<void> {
    this.logger.info('Shutting down');
    this.running = false;
    this.states.removeAll(this.leader);
    this.endPoint.close();
    this.wake?.();
    await this.finished;
    this.logger.info('Shutdown completed');
  }

  /** Takes partitions on. One that is fetched under the same epoch already goes on where it is. */
  addPartitions(initialStates: ReadonlyMap<string, InitialFetchState>): void {
    this.states.add(initialStates);
    this.wake?.();
  }

  removePartitions(keys: Iterable<string>): void {
    this.states.remove(keys);
  }

  /** Gives all partitions away. Returns where another fetcher is to go on with them. */
  removeAllPartitions(): Map<string, InitialFetchState> {
    return this.states.removeAll(this.leader);
  }

  private async run(): Promise<void> {
    while (this.running) {
      await this.maybeTruncate();
      if (this.running) await this.maybeFetch();
    }
    this.logger.info('Stopped');
  }

  private async maybeTruncate(): Promise<void> {
    const asked = new Map<string, EpochRequest>();
    for (const [key, state] of [...this.states.ready('Truncating')]) {
      // A log dir that fails on the way takes other partitions with it.
      if (this.states.get(key) !== state) continue;
      const { topic, partition, currentLeaderEpoch } = state;
      const log = this.localLog(key);
      // Offline since its log dir has failed: it is about to be taken away.
      if (log === undefined) this.states.delay([key]);
      else if (log.latestEpoch === null) this.truncateToHighWatermark(key, state);
      else asked.set(key, { topic, partition, currentLeaderEpoch, leaderEpoch: log.latestEpoch });
    }
    if (asked.size === 0) return;
    const ends = await this.fetchEpochEndOffsets(asked);
    for (const [key, end] of ends) {
      const state = this.states.get(key);
      const request = asked.get(key);
      if (state !== undefined && request?.currentLeaderEpoch === state.currentLeaderEpoch) {
        this.truncateToEpochEndOffset(key, state, end);
      }
    }
  }

  private async fetchEpochEndOffsets(asked: ReadonlyMap<string, EpochRequest>): Promise<Map<string, EpochEndOffset>> {
    try {
      return await this.endPoint.fetchEpochEndOffsets([...asked.values()]);
    } catch (error) {
      if (this.running) {
        this.logger.warn(
          `Error when sending leader epoch request for ${[...asked.keys()].join(', ')}\n${String(error)}`,
        );
      }
      const { code } = errorOf(error);
      return new Map([...asked.keys()].map((key) => [key, { errorCode: code, leaderEpoch: -1, endOffset: -1 }]));
    }
  }

  private truncateToEpochEndOffset(key: string, state: PartitionFetchState, end: EpochEndOffset): void {
    const error = errorByCode(end.errorCode);
    if (error === Errors.FENCED_LEADER_EPOCH) {
      this.onPartitionFenced(key, state.currentLeaderEpoch);
    } else if (this.localLog(key) === undefined) {
      this.states.delay([key]);
    } else if (error !== Errors.NONE) {
      this.logger.info(
        `Retrying leaderEpoch request for partition ${key} as the leader reported an error: ${error.name}`,
      );
      this.states.delay([key]);
    } else {
      const log = this.partition(state).localLogOrException();
      const truncation = offsetTruncationState(key, end, log, state.fetchOffset);
      if (truncation.warning !== undefined) this.logger.warn(truncation.warning);
      if (truncation.info !== undefined) this.logger.info(truncation.info);
      this.truncate(key, state, truncation);
    }
  }

  private truncateToHighWatermark(key: string, state: PartitionFetchState): void {
    this.logger.info(`Truncating partition ${key} to local high watermark ${state.fetchOffset}`);
    this.truncate(key, state, { offset: state.fetchOffset, truncationCompleted: true });
  }

  private truncate(key: string, state: PartitionFetchState, truncation: OffsetTruncationState): void {
    this.guard(key, `Failed to truncate ${key} at offset ${truncation.offset}`, () => {
      this.states.set(key, truncateFollower(this.partition(state), state, truncation, this.logger));
      if (truncation.truncationCompleted) this.options.onTruncated(key, truncation.offset);
    });
  }

  private async maybeFetch(): Promise<void> {
    const data = this.buildFetch();
    if (data.sessionPartitions.size === 0 && data.toForget.length === 0) {
      await this.waitFor(this.options.config.replicaFetchBackoffMs);
      return;
    }
    // The session goes on changing while the answer is awaited: what was asked is kept as it was.
    const asked = new Map(data.sessionPartitions);
    let response: ResponseOf<'Fetch'>;
    try {
      response = await this.endPoint.fetch(data);
    } catch (error) {
      this.sessionHandler.handleError(error);
      if (!this.running) return;
      this.logger.warn(`Error in response for fetch request ${this.endPoint.describe(data)}\n${String(error)}`);
      await this.waitFor(this.options.config.replicaFetchBackoffMs);
      this.states.delay(this.states.keys());
      return;
    }
    if (!this.sessionHandler.handleResponse(response)) return;
    const outOfRange: [string, PartitionFetchState][] = [];
    for (const { topic, partitionResponses } of response.responses) {
      for (const fetched of partitionResponses) {
        const key = topicPartitionKey(topic, fetched.partition);
        const state = this.states.get(key);
        if (state === undefined || !this.stillStands(state, asked.get(key))) continue;
        if (fetched.errorCode === Errors.OFFSET_OUT_OF_RANGE.code) outOfRange.push([key, state]);
        else if (fetched.errorCode === Errors.NONE.code) this.processPartitionData(key, state, fetched);
        else this.processError(key, state, errorByCode(fetched.errorCode));
      }
    }
    for (const [key, state] of outOfRange) await this.handleOutOfRange(key, state);
  }

  private buildFetch(): FetchRequestData {
    const wanted = new Map<string, FetchRequestPartition>();
    const offline: string[] = [];
    for (const [key, state] of this.states.ready('Fetching')) {
      const log = this.localLog(key);
      if (log === undefined) {
        offline.push(key);
        continue;
      }
      if (this.isThrottled(state)) continue;
      const { topic, partition, fetchOffset, currentLeaderEpoch } = state;
      wanted.set(key, {
        topic,
        partition,
        fetchOffset,
        logStartOffset: log.logStartOffset,
        maxBytes: this.options.config.replicaFetchMaxBytes,
        currentLeaderEpoch,
      });
    }
    this.states.delay(offline);
    return this.sessionHandler.build(wanted);
  }

  /** Whether fetching is held back for now (KIP-73); a follower that has all there is costs nothing. */
  private isThrottled(state: PartitionFetchState): boolean {
    const { quota } = this.options;
    return state.lag !== 0 && quota.isQuotaExceeded && isThrottledOnFollower(this.partition(state));
  }

  /** Whether the answer to `request` is still of use: same offset, same epoch, neither truncating nor delayed. */
  private stillStands(state: PartitionFetchState, request: FetchRequestPartition | undefined): boolean {
    return (
      request?.fetchOffset === state.fetchOffset &&
      request.currentLeaderEpoch === state.currentLeaderEpoch &&
      this.states.isReady(state, 'Fetching')
    );
  }

  private processPartitionData(key: string, state: PartitionFetchState, fetched: FetchedPartition): void {
    this.guard(key, `Error while processing data for partition ${key} at offset ${state.fetchOffset}`, () => {
      const partition = this.partition(state);
      const next = appendFetched(partition, state, fetched);
      this.options.topicStats.replicationBytesIn += fetched.recordSet?.length ?? 0;
      if (fetched.recordSet !== null && isThrottledOnFollower(partition)) {
        this.options.quota.record(fetched.recordSet.length);
      }
      if (next.fetchOffset === state.fetchOffset) this.states.set(key, next);
      else this.states.moveToEnd(key, next);
    });
  }

  private processError(key: string, state: PartitionFetchState, error: ErrorEntry): void {
    if (error === Errors.FENCED_LEADER_EPOCH) {
      this.onPartitionFenced(key, state.currentLeaderEpoch);
      return;
    }
    if (error === Errors.UNKNOWN_LEADER_EPOCH) {
      this.logger.debug(
        `Remote broker has a smaller leader epoch for partition ${key} than this replica's current leader epoch of ` +
          `${state.currentLeaderEpoch}.`,
      );
    } else if (error === Errors.NOT_LEADER_OR_FOLLOWER) {
      this.logger.debug(
        `Remote broker is not the leader for partition ${key}, which could indicate that the partition is being moved`,
      );
    } else if (error === Errors.UNKNOWN_TOPIC_OR_PARTITION) {
      this.logger.warn(
        `Received ${error.name} from the leader for partition ${key}. This error may be returned transiently when the ` +
          `partition is being created or deleted, but it is not expected to persist.`,
      );
    } else {
      this.logger.error(`Error for partition ${key} at offset ${state.fetchOffset}: ${error.name}`);
    }
    this.states.delay([key]);
  }

  /** The leader knows a newer epoch than this broker: nothing more to ask until the controller tells it. */
  private onPartitionFenced(key: string, requestEpoch: number): void {
    const state = this.states.get(key);
    if (state === undefined) return;
    if (state.currentLeaderEpoch === requestEpoch) {
      this.logger.info(
        `Partition ${key} has an older epoch (${requestEpoch}) than the current leader. Will await the new ` +
          `LeaderAndIsr state before resuming fetching.`,
      );
      this.states.markFailed(key);
    } else {
      this.logger.info(
        `Partition ${key} has an new epoch (${state.currentLeaderEpoch}) than the current leader. retry the partition later`,
      );
      this.states.delay([key]);
    }
  }

  /**
   * The offset is not in the leader's log. Beyond its end: an unclean election chose a shorter log, so the local one is
   * cut to its length. Before its start: records were deleted, so the local log begins anew there.
   */
  private async handleOutOfRange(key: string, state: PartitionFetchState): Promise<void> {
    const { topic, partition: index, currentLeaderEpoch } = state;
    try {
      const leaderEnd = await this.endPoint.fetchOffset(topic, index, currentLeaderEpoch, 'latest');
      const isBeyondEnd = leaderEnd < this.partition(state).localLogOrException().logEndOffset;
      const leaderStart = isBeyondEnd
        ? undefined
        : await this.endPoint.fetchOffset(topic, index, currentLeaderEpoch, 'earliest');
      // Meanwhile the controller may have taken the partition away or begun another epoch.
      if (this.states.get(key) !== state) return;
      const next = resetFetchOffset(this.partition(state), state, leaderEnd, leaderStart, this.logger);
      this.states.moveToEnd(key, next);
      if (isBeyondEnd) this.options.onTruncated(key, leaderEnd);
    } catch (error) {
      const entry = errorOf(error);
      if (!this.running) return;
      if (entry === Errors.FENCED_LEADER_EPOCH) {
        this.onPartitionFenced(key, currentLeaderEpoch);
        return;
      }
      if (transientErrors.has(entry)) {
        this.logger.info(`Could not fetch offset for ${key} due to error: ${entry.name}`);
      } else {
        this.logger.error(`Error getting offset for partition ${key}`, error);
      }
      this.states.delay([key]);
    }
  }

  /** Runs work on a local log; what goes wrong there concerns that partition only. */
  private guard(key: string, failure: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.logger.error(failure, error);
      const entry = errorOf(error);
      if (entry === Errors.CORRUPT_MESSAGE || entry === Errors.INVALID_RECORD) this.states.delay([key]);
      else this.states.markFailed(key);
    }
  }

  private partition({ topic, partition }: PartitionFetchState): Partition {
    return this.options.partitions.getOrThrow(topic, partition);
  }

  /** Undefined when the partition is offline. */
  private localLog(key: string): Log | undefined {
    return this.options.partitions.getOnline(key)?.log;
  }

  /** Waits until partitions come in or the fetcher is shut down, at most `ms` milliseconds. */
  private async waitFor(ms: number): Promise<void> {
    if (!this.running) return;
    let cancel: Cancel = () => undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      cancel = this.options.time.schedule(ms, resolve);
    });
    cancel();
    this.wake = undefined;
  }
}
