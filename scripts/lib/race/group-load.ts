import { BrokerConnection } from '../../../packages/network/src/index.ts';
import { delay, SystemTime } from '../../../packages/common/src/index.ts';
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  encodeVersionedMessage,
  errorByCode,
  Errors,
} from '../../../packages/protocol/src/index.ts';
import type { ResponseOf } from '../../../packages/protocol/src/index.ts';

/** What a Java client of 2.8 sends. */
const versions = { JoinGroup: 7, SyncGroup: 5, Heartbeat: 4, FindCoordinator: 3 } as const;
/** Long: nobody is to be thrown out because this one process is busy. */
const SESSION_TIMEOUT_MS = 300_000;
/** While a group is not whole, its members ask that often whether to join again: what is measured is the coordinator. */
const RESTLESS_HEARTBEAT_MS = 50;
const BACKOFF_MS = 100;
/** Steps of the pace of heartbeats. */
const TICK_MS = 10;

const time = new SystemTime();
const subscription = encodeVersionedMessage(ConsumerProtocolSubscription, 1, { topics: ['groups'] });
const assignment = encodeVersionedMessage(ConsumerProtocolAssignment, 1, {
  assignedPartitions: [{ topic: 'groups', partitions: [0, 1] }],
});

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Opens a connection. @param deadline in the milliseconds of `performance.now()`; no answer is awaited any longer */
export async function connectTo({ host, port }: Place, deadline: number): Promise<BrokerConnection> {
  const connection = new BrokerConnection({
    host,
    port,
    clientId: 'race',
    codec: 'kafka',
    time,
    requestTimeoutMs: Math.max(1, Math.ceil(deadline - performance.now())),
  });
  await connection.connect();
  return connection;
}

/** Waits until a group has a coordinator: the first question makes `__consumer_offsets`. @throws Error after the deadline */
export async function coordinatorOf(connection: BrokerConnection, groupId: string, deadline: number): Promise<Place> {
  for (;;) {
    const body = { key: groupId, keyType: 0 };
    const answer = await connection.send('FindCoordinator', versions.FindCoordinator, body);
    if (answer.errorCode === Errors.NONE.code) return { host: answer.host, port: answer.port };
    failAfter(deadline, `the coordinator of ${groupId}: ${errorByCode(answer.errorCode).name}`);
    await delay(time, BACKOFF_MS);
  }
}

/** One group of members that speak the protocol by hand, each over a connection of its own as a client's is. */
export class LoadGroup {
  readonly groupId: string;
  readonly members: readonly LoadMember[];
  private readonly deadline: number;

  private constructor(groupId: string, connections: readonly BrokerConnection[], deadline: number) {
    this.groupId = groupId;
    this.deadline = deadline;
    this.members = connections.map((connection) => new LoadMember(groupId, connection));
  }

  /** Connects the members, and no more. @param deadline in the milliseconds of `performance.now()`, of all they will do */
  static async connect(coordinator: Place, groupId: string, size: number, deadline: number): Promise<LoadGroup> {
    const connections: BrokerConnection[] = [];
    for (let member = 0; member < size; member += 1) connections.push(await connectTo(coordinator, deadline));
    return new LoadGroup(groupId, connections, deadline);
  }

  /**
   * All members join at once, and again as often as they are told to, until they are of one generation.
   *
   * @returns from the first JoinGroup to the last answer to SyncGroup, in milliseconds
   * @throws Error when they are not whole by the deadline
   */
  async join(): Promise<number> {
    const began = performance.now();
    await Promise.all(this.members.map((member) => this.joinUntilWhole(member)));
    return Math.max(...this.members.map(({ syncedAt }) => syncedAt)) - began;
  }

  close(): void {
    for (const member of this.members) member.close();
  }

  private get isWhole(): boolean {
    const generation = this.members[0]!.generation;
    return generation !== undefined && this.members.every((member) => member.generation === generation);
  }

  private async joinUntilWhole(member: LoadMember): Promise<void> {
    while (!this.isWhole) {
      failAfter(this.deadline, `${this.groupId} is not whole`);
      if (member.generation === undefined) {
        if (!(await member.tryToJoin())) await delay(time, BACKOFF_MS);
      } else {
        await delay(time, RESTLESS_HEARTBEAT_MS);
        if (!this.isWhole) await member.heartbeat();
      }
    }
  }
}

/** One member: where it stands in its group, and its requests. */
export class LoadMember {
  /** Of the generation whose assignment it has; undefined when it has to join. */
  generation: number | undefined;
  /** When it had its last assignment, in the milliseconds of `performance.now()`. */
  syncedAt = NaN;
  private memberId = '';
  private readonly groupId: string;
  private readonly connection: BrokerConnection;

  constructor(groupId: string, connection: BrokerConnection) {
    this.groupId = groupId;
    this.connection = connection;
  }

  /**
   * JoinGroup, and SyncGroup with the assignments if it is the leader.
   *
   * @returns false where the coordinator is not ready yet: try later. True says nothing but that it may be asked again at once
   * @throws Error for what no member of a healthy group is answered
   */
  async tryToJoin(): Promise<boolean> {
    const { groupId, memberId } = this;
    const joined = await this.connection.send('JoinGroup', versions.JoinGroup, {
      ...{ groupId, memberId, protocolType: 'consumer', protocols: [{ name: 'range', metadata: subscription }] },
      ...{ sessionTimeoutMs: SESSION_TIMEOUT_MS, rebalanceTimeoutMs: SESSION_TIMEOUT_MS },
    });
    if (joined.errorCode === Errors.MEMBER_ID_REQUIRED.code) {
      this.memberId = joined.memberId;
      return true;
    }
    if (joined.errorCode !== Errors.NONE.code) return this.fallBack('JoinGroup', joined.errorCode);
    return this.sync(joined);
  }

  /** Tells the coordinator that it lives; a rebalance lets it forget its generation. @throws Error for any other error */
  async heartbeat(): Promise<void> {
    const { groupId, memberId, generation } = this;
    const body = { groupId, memberId, generationId: generation ?? -1 };
    const { errorCode } = await this.connection.send('Heartbeat', versions.Heartbeat, body);
    if (errorCode !== Errors.NONE.code) this.fallBack('Heartbeat', errorCode);
  }

  close(): void {
    this.connection.close();
  }

  private async sync({ generationId, leader, memberId, members }: ResponseOf<'JoinGroup'>): Promise<boolean> {
    const assignments = leader === memberId ? members.map((each) => ({ memberId: each.memberId, assignment })) : [];
    const answer = await this.connection.send('SyncGroup', versions.SyncGroup, {
      ...{ groupId: this.groupId, memberId, generationId, assignments },
      ...{ protocolType: 'consumer', protocolName: 'range' },
    });
    if (answer.errorCode !== Errors.NONE.code) return this.fallBack('SyncGroup', answer.errorCode);
    if (answer.assignment.length === 0) throw new Error(`${memberId} was given no assignment`);
    this.generation = generationId;
    this.syncedAt = performance.now();
    return true;
  }

  private fallBack(api: string, errorCode: number): boolean {
    this.generation = undefined;
    if (errorCode === Errors.REBALANCE_IN_PROGRESS.code) return true;
    if (errorCode === Errors.COORDINATOR_LOAD_IN_PROGRESS.code) return false;
    throw new Error(`${api} of ${this.groupId} was answered with ${errorByCode(errorCode).name}`);
  }
}

export interface Heartbeats {
  readonly count: number;
  /** Of the answers, as the members saw them. */
  readonly p99Ms: number;
}

/**
 * Every member beats every `intervalMs`, evenly spread, `rounds` times, whether or not the last beat is answered.
 *
 * @throws Error when a group falls into a rebalance, or an answer is an error
 */
export async function beat(
  members: readonly LoadMember[],
  rounds: number,
  intervalMs: number,
  deadline: number,
): Promise<Heartbeats> {
  const count = members.length * rounds;
  const took: number[] = [];
  const troubles: unknown[] = [];
  const began = performance.now();
  const sendOne = async (member: LoadMember): Promise<void> => {
    const sent = performance.now();
    await member.heartbeat();
    if (member.generation === undefined) throw new Error('a group that was stable began to rebalance');
    took.push(performance.now() - sent);
  };
  for (let sent = 0; sent < count;) {
    const due = Math.min(count, Math.ceil(((performance.now() - began) / intervalMs) * members.length));
    for (; sent < due; sent += 1) {
      sendOne(members[sent % members.length]!).catch((error: unknown) => troubles.push(error));
    }
    await delay(time, TICK_MS);
    if (troubles.length > 0) break;
  }
  while (took.length + troubles.length < count && troubles.length === 0) {
    failAfter(deadline, `${count - took.length} of ${count} heartbeats are not answered`);
    await delay(time, TICK_MS);
  }
  if (troubles.length > 0) throw troubles[0];
  took.sort((one, other) => one - other);
  return { count, p99Ms: took[Math.ceil(count * 0.99) - 1]! };
}

function failAfter(deadline: number, what: string): void {
  if (performance.now() > deadline) throw new Error(`${what}, and the time is up`);
}
