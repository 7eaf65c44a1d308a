import { delay } from '@klassic/common';
import type { Cancel, Logger, TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry, ResponseOf } from '@klassic/protocol';
import { isRetriable, kafkaError, throwIfError } from '../client-errors.ts';
import { findGroupCoordinator, isCoordinatorGone } from '../group-coordinator.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { Node } from '../metadata/cluster.ts';
import type { BodyFor } from '../network-client.ts';
import type { GroupMember, PartitionAssignor, RebalanceProtocol } from './assignors/partition-assignor.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts';

/** What a request of a member carries; generation -1 and no member id stand for none. */
export interface Generation {
  readonly generationId: number;
  readonly memberId: string;
}

type GroupApi = 'JoinGroup' | 'SyncGroup' | 'Heartbeat' | 'LeaveGroup' | 'OffsetCommit' | 'OffsetFetch';

/** Sends to the coordinator. */
export type CoordinatorSender = <A extends GroupApi>(
  api: A,
  body: BodyFor<A>,
  timeoutMs?: number,
) => Promise<ResponseOf<A>>;

const NO_GENERATION: Generation = { generationId: -1, memberId: '' };
/** A connection of its own, so that no long poll holds up a heartbeat. */
const PURPOSE = 'coordinator';
/** A join may take as long as the slowest member; the answer is waited for a little longer. */
const JOIN_GRACE_MS = 5_000;

/** After these the member begins anew without an id. */
const forgotten: readonly ErrorEntry[] = [Errors.UNKNOWN_MEMBER_ID, Errors.ILLEGAL_GENERATION];
/** After these joining is tried again at once. */
const rejoin: readonly ErrorEntry[] = [...forgotten, Errors.MEMBER_ID_REQUIRED, Errors.REBALANCE_IN_PROGRESS];

/** Of each topic that the group reads how many partitions it has; none for one that does not exist. */
type PartitionCounts = ReadonlyMap<string, number>;

/** A consumer's membership of its group: join, sync, heartbeats, leave. Counterpart of `AbstractCoordinator`. */
export class GroupMembership {
  private readonly parts: ClientParts;
  private readonly config: ConsumerConfig;
  private readonly groupId: string;
  private readonly logger: Logger;
  /** The one that every assignor supports (KIP-429). */
  readonly rebalanceProtocol: RebalanceProtocol;
  private coordinator: Node | undefined;
  private generation = NO_GENERATION;
  private rejoinNeeded = true;
  private cancelHeartbeat: Cancel | undefined;
  private lastPollHiResMs: number;
  private lastHeardHiResMs = 0;
  private beating = false;
  private failure: Error | undefined;
  private closed = false;
  private joining = false;
  /** What a leader's assignment went by. */
  private assignedCounts: PartitionCounts | undefined;

  constructor(parts: ClientParts, config: ConsumerConfig, groupId: string) {
    this.parts = parts;
    this.config = config;
    this.groupId = groupId;
    this.logger = config.loggers('org.apache.kafka.clients.consumer.internals.ConsumerCoordinator');
    this.lastPollHiResMs = config.time.hiResMs();
    this.rebalanceProtocol = config.partitionAssignors.every(({ supportedProtocols }) =>
      supportedProtocols.includes('cooperative'),
    )
      ? 'cooperative'
      : 'eager';
  }

  /** True when the member is to join before it may go on: the group asks for it, or there are other partitions now. */
  get needsJoin(): boolean {
    if (!this.rejoinNeeded && this.assignedCounts !== undefined) {
      const counts = this.partitionCounts(this.assignedCounts.keys());
      if ([...counts].some(([topic, count]) => this.assignedCounts!.get(topic) !== count)) {
        this.logger.info(
          `[${this.groupId}] Requesting to re-join the group and trigger rebalance since the assignment metadata has changed`,
        );
        this.rejoinNeeded = true;
      }
    }
    return this.rejoinNeeded;
  }

  /** False before the first join, and after the coordinator has forgotten this member. */
  get hasGeneration(): boolean {
    return this.generation.generationId !== NO_GENERATION.generationId || this.generation.memberId !== '';
  }

  /** The generation and member id commits are made under; none before the first join. */
  get current(): Generation {
    return this.generation;
  }

  /** The subscription has changed. */
  requestRejoin(): void {
    this.rejoinNeeded = true;
  }

  /**
   * The application is alive. To be called by each poll.
   *
   * @throws KafkaError what a heartbeat was refused with for good (FENCED_INSTANCE_ID, GROUP_AUTHORIZATION_FAILED)
   */
  notePoll(): void {
    this.lastPollHiResMs = this.config.time.hiResMs();
    if (this.failure === undefined) return;
    const { failure } = this;
    this.failure = undefined;
    throw failure;
  }

  /** Does something at the coordinator; the coordinator is looked for anew after it has moved or gone. */
  async atCoordinator<T>(attempt: (send: CoordinatorSender) => Promise<T>): Promise<T> {
    const node = (this.coordinator ??= await findGroupCoordinator(this.parts, this.groupId));
    try {
      return await attempt((api, body, timeoutMs) =>
        this.parts.client.send(node, api, body, {
          purpose: PURPOSE,
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        }),
      );
    } catch (error) {
      if (isCoordinatorGone(error) && this.coordinator === node) this.coordinator = undefined;
      throw error;
    }
  }

  /**
   * Joins, again until it succeeds; the assignor runs here when this member becomes leader.
   *
   * @param owned what it keeps meanwhile, under the cooperative protocol
   * @returns undefined when the group forgot it meanwhile: what it owned is lost, and it is to join anew
   * @throws KafkaError what no retry mends, for example INCONSISTENT_GROUP_PROTOCOL
   */
  async join(topics: readonly string[], owned: readonly TopicPartition[]): Promise<TopicPartition[] | undefined> {
    this.stopHeartbeats();
    this.joining = true;
    this.assignedCounts = undefined;
    while (!this.closed) {
      try {
        const assignment = await this.joinOnce(topics, owned);
        this.joining = false;
        // One that has left meanwhile belongs to no generation any more.
        if (this.closed) break;
        this.rejoinNeeded = false;
        this.startHeartbeats();
        return assignment;
      } catch (error) {
        if (this.closed) break;
        if (error instanceof KafkaError && forgotten.includes(error.error)) {
          this.generation = NO_GENERATION;
          if (owned.length > 0) {
            this.joining = false;
            return undefined;
          }
        }
        const again = error instanceof KafkaError && rejoin.includes(error.error);
        if (!again && !isRetriable(error)) {
          this.joining = false;
          throw error;
        }
        // A first join is always sent back for a member id (KIP-394).
        const level = error instanceof KafkaError && error.error === Errors.MEMBER_ID_REQUIRED ? 'debug' : 'info';
        this.logger[level](`[${this.groupId}] Join group failed, trying again: ${(error as Error).message}`);
        if (!again) await delay(this.config.time, this.config.retryBackoffMs);
      }
    }
    return [];
  }

  /** Stops heartbeats and tells the coordinator; a static member stays, as in Kafka. */
  async leave(): Promise<void> {
    this.closed = true;
    this.stopHeartbeats();
    const { memberId } = this.generation;
    const { groupInstanceId } = this.config;
    if (memberId === '' || groupInstanceId !== null || this.coordinator === undefined) return;
    this.generation = NO_GENERATION;
    this.rejoinNeeded = true;
    try {
      // Behind a join that waits for other members the request would wait as long.
      const purpose = this.joining ? 'leave' : PURPOSE;
      const answer = await this.parts.client.send(
        this.coordinator,
        'LeaveGroup',
        (version) =>
          version < 3
            ? { groupId: this.groupId, memberId }
            : { groupId: this.groupId, members: [{ memberId, groupInstanceId }] },
        { purpose },
      );
      throwIfError(answer.errorCode);
    } catch (error) {
      // The session runs out by itself.
      this.logger.warn(`[${this.groupId}] Leaving the group failed: ${(error as Error).message}`);
    }
  }

  private async joinOnce(topics: readonly string[], owned: readonly TopicPartition[]): Promise<TopicPartition[]> {
    const joined = await this.atCoordinator(async (send) => {
      const answer = await send(
        'JoinGroup',
        {
          groupId: this.groupId,
          sessionTimeoutMs: this.config.sessionTimeoutMs,
          rebalanceTimeoutMs: this.config.maxPollIntervalMs,
          memberId: this.generation.memberId,
          groupInstanceId: this.config.groupInstanceId,
          protocolType: 'consumer',
          protocols: this.config.partitionAssignors.map((assignor) => ({
            name: assignor.name,
            metadata: encodeSubscription({ topics, userData: assignor.userData(), ownedPartitions: owned }),
          })),
        },
        Math.max(this.config.requestTimeoutMs, this.config.maxPollIntervalMs + JOIN_GRACE_MS),
      );
      if (answer.errorCode === Errors.MEMBER_ID_REQUIRED.code) {
        this.generation = { generationId: -1, memberId: answer.memberId };
      }
      throwIfError(answer.errorCode);
      return answer;
    });
    this.generation = { generationId: joined.generationId, memberId: joined.memberId };
    this.logger.info(`[${this.groupId}] Successfully joined group with generation ${joined.generationId}`);
    const assignments = joined.leader === joined.memberId ? await this.assign(joined) : [];
    const synced = await this.atCoordinator(async (send) => {
      const answer = await send('SyncGroup', {
        groupId: this.groupId,
        ...this.generation,
        groupInstanceId: this.config.groupInstanceId,
        protocolType: 'consumer',
        protocolName: joined.protocolName,
        assignments,
      });
      throwIfError(answer.errorCode);
      return answer;
    });
    const assigned = decodeAssignment(synced.assignment);
    this.assignorOf(joined.protocolName).onAssignment(assigned, joined.generationId);
    return assigned;
  }

  /** Runs the assignor that the members agreed on. */
  private async assign(joined: ResponseOf<'JoinGroup'>): Promise<{ memberId: string; assignment: Buffer }[]> {
    const assignor = this.assignorOf(joined.protocolName);
    const members: GroupMember[] = joined.members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId,
      ...decodeSubscription(metadata),
    }));
    const { metadata } = this.parts;
    metadata.add(members.flatMap(({ topics }) => topics));
    if (metadata.needsUpdate) await metadata.refresh();
    this.assignedCounts = this.partitionCounts(members.flatMap(({ topics }) => topics));
    const existing = new Map([...this.assignedCounts].filter(([, count]) => count > 0));
    const assignment = assignor.assign(existing, members);
    return [...assignment].map(([memberId, partitions]) => ({ memberId, assignment: encodeAssignment(partitions) }));
  }

  private partitionCounts(topics: Iterable<string>): PartitionCounts {
    const { cluster } = this.parts.metadata;
    return new Map([...topics].map((topic) => [topic, cluster.topics.get(topic)?.partitions.length ?? 0]));
  }

  private assignorOf(name: string | null): PartitionAssignor {
    const assignor = this.config.partitionAssignors.find((candidate) => candidate.name === name);
    if (assignor === undefined) {
      throw kafkaError(
        Errors.INCONSISTENT_GROUP_PROTOCOL.code,
        `Coordinator selected invalid assignment protocol: ${name}`,
      );
    }
    return assignor;
  }

  private startHeartbeats(): void {
    this.stopHeartbeats();
    this.lastHeardHiResMs = this.config.time.hiResMs();
    this.cancelHeartbeat = this.config.time.scheduleEvery(this.config.heartbeatIntervalMs, () => {
      if (!this.beating) void this.beat();
    });
  }

  private stopHeartbeats(): void {
    this.cancelHeartbeat?.();
    this.cancelHeartbeat = undefined;
  }

  private async beat(): Promise<void> {
    const { time, maxPollIntervalMs, sessionTimeoutMs } = this.config;
    const now = time.hiResMs();
    if (now - this.lastPollHiResMs > maxPollIntervalMs) {
      // A static member does not leave: its session runs out, unless it polls before that.
      if (this.config.groupInstanceId !== null) return;
      this.logger.warn(`[${this.groupId}] consumer poll timeout has expired: it leaves the group`);
      await this.leave();
      this.closed = false;
      return;
    }
    // Without an answer for a whole session the coordinator may be gone without a word.
    if (now - this.lastHeardHiResMs > sessionTimeoutMs) this.coordinator = undefined;
    const { generation } = this;
    this.beating = true;
    try {
      const answer = await this.atCoordinator(async (send) => {
        const heartbeat = await send('Heartbeat', {
          groupId: this.groupId,
          ...generation,
          groupInstanceId: this.config.groupInstanceId,
        });
        throwIfError(heartbeat.errorCode);
        return heartbeat;
      });
      throwIfError(answer.errorCode);
      this.lastHeardHiResMs = time.hiResMs();
    } catch (error) {
      if (generation === this.generation) this.takeHeartbeatFailure(error);
    } finally {
      this.beating = false;
    }
  }

  private takeHeartbeatFailure(error: unknown): void {
    if (error instanceof KafkaError && rejoin.includes(error.error)) {
      this.logger.info(`[${this.groupId}] Attempt to heartbeat failed: ${error.message}`);
      this.rejoinNeeded = true;
      if (forgotten.includes(error.error)) this.generation = NO_GENERATION;
      this.stopHeartbeats();
    } else if (!isRetriable(error)) {
      this.failure = error as Error;
      this.stopHeartbeats();
    }
  }
}
