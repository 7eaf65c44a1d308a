import { invariant, prefixed, topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import type { AppendOrigin, Log, LogAppendInfo, LogOffsetMetadata, LogOffsetSnapshot } from '@klassic/log';
import { batchesOf, Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import { FutureReplica } from './future-replica.ts';
import type { OffsetCheckpoints } from './high-watermark-checkpoints.ts';
import { IsrMaintenance } from './isr-maintenance.ts';
import type { Leadership } from './isr-maintenance.ts';
import type { AssignmentState } from './isr-state.ts';
import type { LeaderAndIsrPartitionState, PartitionContext } from './partition-context.ts';
import type { Replica } from './replica.ts';

const noAssignment: AssignmentState = { replicas: [], addingReplicas: [], removingReplicas: [] };

/** Epoch of a partition that has not been told any: below every real one, so that the first LeaderAndIsr counts. */
const noLeaderEpoch = -1;

/**
 * One partition as this broker hosts it, as leader or follower: the epochs, the ISR, the local log.
 * Every change comes from the controller's LeaderAndIsr or StopReplica, but for the ISR, which a leader keeps itself.
 * Counterpart of `kafka.cluster.Partition`.
 */
export class Partition {
  readonly topic: string;
  readonly partitionId: number;
  /** `topic-0`, the key of every map. */
  readonly key: string;
  /** The copy of the log that is being made in another log dir. */
  readonly future: FutureReplica;
  private readonly context: PartitionContext;
  private readonly logger: Logger;
  private readonly isrMaintenance: IsrMaintenance;
  private currentLog: Log | undefined;
  private assignment: AssignmentState = noAssignment;
  private leaderId: number | undefined;
  private epoch = noLeaderEpoch;
  private epochStartOffset: number | undefined;
  private controllerEpoch = 0;

  constructor(topicPartition: TopicPartition, context: PartitionContext) {
    this.topic = topicPartition.topic;
    this.partitionId = topicPartition.partition;
    this.key = topicPartitionKey(this.topic, this.partitionId);
    this.context = context;
    this.logger = prefixed(context.logger, `[Partition ${this.key} broker=${context.localBrokerId}] `);
    this.isrMaintenance = new IsrMaintenance({
      topicPartition,
      localBrokerId: context.localBrokerId,
      replicaLagTimeMaxMs: context.replicaLagTimeMaxMs,
      time: context.time,
      logger: this.logger,
      isrManager: context.isrManager,
      listener: context.isrChangeListener,
      onCommitted: () => {
        this.advanceHighWatermark(context.time.milliseconds());
      },
    });
    this.future = new FutureReplica({
      topicPartition,
      key: this.key,
      logManager: context.logManager,
      logger: this.logger,
      currentLog: () => this.localLogOrException(),
      onReplaced: (log) => {
        this.currentLog = log;
      },
    });
  }

  get localBrokerId(): number {
    return this.context.localBrokerId;
  }

  get topicPartition(): TopicPartition {
    return { topic: this.topic, partition: this.partitionId };
  }

  get log(): Log | undefined {
    return this.currentLog;
  }

  /** Broker id of the leader; undefined before the first LeaderAndIsr. */
  get leaderReplicaId(): number | undefined {
    return this.leaderId;
  }

  get isLeader(): boolean {
    return this.leaderId === this.context.localBrokerId;
  }

  /** -1 before the first LeaderAndIsr. */
  get leaderEpoch(): number {
    return this.epoch;
  }

  /** Log end offset at the start of this leader's epoch; undefined on a follower. */
  get leaderEpochStartOffset(): number | undefined {
    return this.epochStartOffset;
  }

  /** The local log if this broker leads the partition. */
  get leaderLogIfLocal(): Log | undefined {
    return this.isLeader ? this.currentLog : undefined;
  }

  get assignmentState(): AssignmentState {
    return this.assignment;
  }

  /** The ISR that ZooKeeper is known to hold; empty on a follower. */
  get inSyncReplicaIds(): readonly number[] {
    return this.isrMaintenance.isrState.isr;
  }

  /** dataVersion of the partition's state znode. */
  get zkVersion(): number {
    return this.isrMaintenance.version;
  }

  get remoteReplicas(): IterableIterator<Replica> {
    return this.isrMaintenance.remoteReplicas;
  }

  getReplica(brokerId: number): Replica | undefined {
    return this.isrMaintenance.getReplica(brokerId);
  }

  get isReassigning(): boolean {
    return this.assignment.addingReplicas.length > 0 || this.assignment.removingReplicas.length > 0;
  }

  /** @throws KafkaError NOT_LEADER_OR_FOLLOWER when there is no local log */
  localLogOrException(): Log {
    if (this.currentLog !== undefined) return this.currentLog;
    const message = `Log for partition ${this.key} is not available on broker ${this.context.localBrokerId}`;
    throw new KafkaError(Errors.NOT_LEADER_OR_FOLLOWER, message);
  }

  /**
   * The local log, once the caller's epoch has been checked (KIP-320): an older one is FENCED_LEADER_EPOCH, a newer one
   * UNKNOWN_LEADER_EPOCH, for this broker has yet to hear of it.
   *
   * @param currentLeaderEpoch -1 when the caller does not know it
   */
  getLocalLog(currentLeaderEpoch: number, requireLeader: boolean): Log | ErrorEntry {
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch < this.epoch) return Errors.FENCED_LEADER_EPOCH;
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch > this.epoch) return Errors.UNKNOWN_LEADER_EPOCH;
    if (requireLeader && !this.isLeader) return Errors.NOT_LEADER_OR_FOLLOWER;
    return this.currentLog ?? Errors.NOT_LEADER_OR_FOLLOWER;
  }

  /** As `getLocalLog`. @throws KafkaError with the error */
  localLogWithEpochOrException(currentLeaderEpoch: number, requireLeader: boolean): Log {
    const found = this.getLocalLog(currentLeaderEpoch, requireLeader);
    if (!('code' in found)) return found;
    throw new KafkaError(
      found,
      `Failed to find ${requireLeader ? 'leader ' : ''}log for partition ${this.key} with leader epoch ` +
        `${currentLeaderEpoch}. The current leader is ${this.leaderId} and the current epoch ${this.epoch}`,
    );
  }

  /** Opens or makes the local log, with the high watermark that was last checkpointed. @throws KafkaStorageError */
  createLogIfNotExists(isNew: boolean, checkpoints: OffsetCheckpoints): Log {
    if (this.currentLog !== undefined) return this.currentLog;
    const log = this.context.logManager.getOrCreateLog(this.topicPartition, { isNew });
    const checkpointed = checkpoints.fetch(log.parentDir, this.key);
    if (checkpointed === undefined) {
      this.logger.info(`No checkpointed highwatermark is found for partition ${this.key}`);
    }
    const highWatermark = log.updateHighWatermark(checkpointed ?? 0);
    this.logger.info(`Log loaded for partition ${this.key} with initial high watermark ${highWatermark}`);
    this.currentLog = log;
    return log;
  }

  /**
   * Becomes the leader, or goes on as leader under a new epoch.
   *
   * @returns whether this broker did not lead the partition before
   */
  makeLeader(state: LeaderAndIsrPartitionState, checkpoints: OffsetCheckpoints): boolean {
    this.takeAssignment(state, state.isr);
    const log = this.createLogIfNotExists(state.isNew, checkpoints);
    const startOffset = log.logEndOffset;
    this.context.stateChangeLogger.info(
      `Leader ${this.key} starts at leader epoch ${state.leaderEpoch} from offset ${startOffset} with high watermark ` +
        `${log.highWatermark} ISR [${state.isr.join(',')}] addingReplicas [${state.addingReplicas.join(',')}] ` +
        `removingReplicas [${state.removingReplicas.join(',')}]. Previous leader epoch was ${this.epoch}.`,
    );
    this.epoch = state.leaderEpoch;
    this.epochStartOffset = startOffset;
    log.maybeAssignEpochStartOffset(state.leaderEpoch, startOffset);
    const isNewLeader = !this.isLeader;
    this.leaderId = this.context.localBrokerId;
    this.isrMaintenance.startEpoch(startOffset, isNewLeader);
    this.advanceHighWatermark(this.context.time.milliseconds());
    return isNewLeader;
  }

  /**
   * Becomes a follower of `state.leader`.
   *
   * @returns whether leader or epoch changed, so that fetching starts anew
   */
  makeFollower(state: LeaderAndIsrPartitionState, checkpoints: OffsetCheckpoints): boolean {
    const previousEpoch = this.epoch;
    this.takeAssignment(state, []);
    const log = this.createLogIfNotExists(state.isNew, checkpoints);
    this.context.stateChangeLogger.info(
      `Follower ${this.key} starts at leader epoch ${state.leaderEpoch} from offset ${log.logEndOffset} with high ` +
        `watermark ${log.highWatermark}. Previous leader epoch was ${previousEpoch}.`,
    );
    this.epoch = state.leaderEpoch;
    this.epochStartOffset = undefined;
    const changed = this.leaderId !== state.leader || this.epoch !== previousEpoch;
    this.leaderId = state.leader;
    return changed;
  }

  /**
   * Takes note of a follower's fetch: how far it has come, whether it joins the ISR, whether the high watermark moves.
   *
   * @returns false when the broker is no replica of this partition
   */
  updateFollowerFetchState(
    followerId: number,
    fetchOffset: LogOffsetMetadata,
    followerStartOffset: number,
    fetchTimeMs: number,
    leaderEndOffset: number,
  ): boolean {
    const follower = this.getReplica(followerId);
    if (follower === undefined) return false;
    const watchesLowWatermark = this.context.hasDelayedDeleteRecords();
    const oldLowWatermark = watchesLowWatermark ? this.lowWatermarkIfLeader() : -1;
    const previousEndOffset = follower.logEndOffset;
    follower.updateFetchState(fetchOffset, followerStartOffset, fetchTimeMs, leaderEndOffset);
    const leaderLog = this.leaderLogIfLocal;
    if (leaderLog === undefined) return true;
    this.isrMaintenance.maybeExpandIsr(follower, leaderLog, this.leadership());
    const highWatermarkMoved =
      previousEndOffset !== follower.logEndOffset && this.isrMaintenance.maybeIncrementLeaderHW(leaderLog, fetchTimeMs);
    const lowWatermarkMoved = watchesLowWatermark && this.lowWatermarkIfLeader() > oldLowWatermark;
    if (highWatermarkMoved || lowWatermarkMoved) this.context.completeDelayedRequests(this.key);
    return true;
  }

  /**
   * Appends what a producer sent.
   *
   * @param requiredAcks -1 asks for `min.insync.replicas` members of the ISR
   * @returns what was appended, and whether the high watermark moved
   * @throws KafkaError NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS, or what the log refuses
   */
  appendRecordsToLeader(
    records: Buffer,
    origin: AppendOrigin,
    requiredAcks: number,
  ): { info: LogAppendInfo; highWatermarkMoved: boolean } {
    const log = this.leaderLogIfLocal;
    if (log === undefined) {
      const message = `Leader not local for partition ${this.key} on broker ${this.context.localBrokerId}`;
      throw new KafkaError(Errors.NOT_LEADER_OR_FOLLOWER, message);
    }
    const { isr } = this.isrMaintenance.isrState;
    const { minInSyncReplicas } = log.config;
    if (requiredAcks === -1 && isr.length < minInSyncReplicas) {
      throw new KafkaError(
        Errors.NOT_ENOUGH_REPLICAS,
        `The size of the current ISR Set(${isr.join(', ')}) is insufficient to satisfy the min.isr requirement of ` +
          `${minInSyncReplicas} for partition ${this.key}`,
      );
    }
    const info = log.appendAsLeader(records, this.epoch, origin);
    const highWatermarkMoved = this.isrMaintenance.maybeIncrementLeaderHW(log, this.context.time.milliseconds());
    return { info, highWatermarkMoved };
  }

  /** Appends what the leader sent. An empty log whose start lies inside the first batch starts again at that batch. */
  appendRecordsToFollower(records: Buffer): LogAppendInfo {
    const log = this.localLogOrException();
    const endOffset = log.logEndOffset;
    if (endOffset === log.logStartOffset && records.length > 0) {
      const first = batchesOf(records).next().value;
      if (first !== undefined && first.baseOffset < endOffset && first.lastOffset >= endOffset) {
        this.logger.info(
          `Unexpected offset in append to ${this.key}. First offset ${first.baseOffset} is less than log start offset ` +
            `${log.logStartOffset}. Since this is the first record to be appended to the follower's log, will start ` +
            `the log from offset ${first.baseOffset}.`,
        );
        this.truncateFullyAndStartAt(first.baseOffset);
      }
    }
    return log.appendAsFollower(records);
  }

  /** Takes over what the leader says is committed; consumers that read from this replica may be waiting for it. */
  updateFollowerHighWatermark(highWatermark: number): void {
    const log = this.localLogOrException();
    const before = log.highWatermark;
    if (log.updateHighWatermark(highWatermark) !== before) this.context.completeDelayedRequests(this.key);
  }

  truncateTo(offset: number): void {
    this.context.logManager.truncateTo(new Map([[this.key, offset]]));
  }

  truncateFullyAndStartAt(offset: number): void {
    this.context.logManager.truncateFullyAndStartAt(this.topicPartition, offset);
  }

  /**
   * Whether the records below `requiredOffset` are on every member of the ISR.
   *
   * @returns NOT_LEADER_OR_FOLLOWER, or NOT_ENOUGH_REPLICAS_AFTER_APPEND when they are, but on too few
   */
  checkEnoughReplicasReachOffset(requiredOffset: number): { hasEnough: boolean; error: ErrorEntry } {
    const log = this.leaderLogIfLocal;
    if (log === undefined) return { hasEnough: false, error: Errors.NOT_LEADER_OR_FOLLOWER };
    if (log.highWatermark < requiredOffset) return { hasEnough: false, error: Errors.NONE };
    const enough = log.config.minInSyncReplicas <= this.isrMaintenance.isrState.maximalIsr.length;
    return { hasEnough: true, error: enough ? Errors.NONE : Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND };
  }

  /** Takes followers that lag for too long out of the ISR; called every half `replica.lag.time.max.ms`. */
  maybeShrinkIsr(): void {
    const log = this.leaderLogIfLocal;
    if (log !== undefined) this.isrMaintenance.maybeShrinkIsr(log, this.leadership());
  }

  /** Lowest log start offset of the live replicas. @throws KafkaError NOT_LEADER_OR_FOLLOWER */
  lowWatermarkIfLeader(): number {
    const log = this.leaderLogIfLocal;
    if (log === undefined) {
      const message = `Leader not local for partition ${this.key} on broker ${this.context.localBrokerId}`;
      throw new KafkaError(Errors.NOT_LEADER_OR_FOLLOWER, message);
    }
    const { metadataCache } = this.context;
    return this.isrMaintenance.lowWatermark(
      log.logStartOffset,
      (brokerId) => metadataCache.getAliveBroker(brokerId) !== undefined,
    );
  }

  /** @throws KafkaError as `localLogWithEpochOrException` */
  fetchOffsetSnapshot(currentLeaderEpoch: number, requireLeader: boolean): LogOffsetSnapshot {
    return this.localLogWithEpochOrException(currentLeaderEpoch, requireLeader).fetchOffsetSnapshot();
  }

  /** Forgets everything: the replica goes. The log itself is deleted by the log manager. */
  delete(): void {
    this.assignment = noAssignment;
    this.isrMaintenance.reset([], [], this.zkVersion);
    this.currentLog = undefined;
    this.future.remove(false);
    this.leaderId = undefined;
    this.epochStartOffset = undefined;
  }

  /** Leaves no timer behind; for the broker's shutdown. */
  close(): void {
    this.isrMaintenance.close();
  }

  private takeAssignment(state: LeaderAndIsrPartitionState, isr: readonly number[]): void {
    const { replicas, addingReplicas, removingReplicas } = state;
    this.controllerEpoch = state.controllerEpoch;
    this.assignment = { replicas, addingReplicas, removingReplicas };
    this.isrMaintenance.reset(replicas, isr, state.zkVersion);
  }

  private leadership(): Leadership {
    invariant(this.epochStartOffset !== undefined, () => `${this.key} leads without an epoch start offset`);
    return {
      leaderEpoch: this.epoch,
      controllerEpoch: this.controllerEpoch,
      leaderEpochStartOffset: this.epochStartOffset,
    };
  }

  private advanceHighWatermark(nowMs: number): void {
    const log = this.leaderLogIfLocal;
    if (log !== undefined && this.isrMaintenance.maybeIncrementLeaderHW(log, nowMs)) {
      this.context.completeDelayedRequests(this.key);
    }
  }
}
