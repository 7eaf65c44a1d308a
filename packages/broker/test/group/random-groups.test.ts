import { describe, expect, it } from '@jest/globals';
import { MockTime, nextInt, SeededRandom } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import { SharedOffsetsTopic } from './memory-group-log.ts';
import { offsets, TestCoordinator } from './test-coordinator.ts';

const groupId = 'g';
const partitions = 12;
const heartbeatIntervalMs = 3000;
const maxSize = 7;
const noTopics = Buffer.from([0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

/** What all of a test's consumers share. */
interface World {
  readonly random: SeededRandom;
  /** The broker that coordinates at this moment. */
  current: TestCoordinator;
  /** Who leads each generation, as its members were told, and under which protocol. */
  readonly leaders: Map<number, string>;
  readonly protocols: Map<number, string | null>;
  /** Who owns each partition of each generation. */
  readonly owners: Map<string, string>;
  lastGeneration: number;
  /** How often the group has moved. */
  failovers: number;
  /** The last commit that was acknowledged, and the last one that was tried. */
  acknowledged: number;
  tried: number;
  readonly failures: unknown[];
}

/** What a consumer supports, best first: `range` always, so that any of them can be in one group. */
const choices = [
  ['range'],
  ['range', 'roundrobin'],
  ['roundrobin', 'range'],
  ['sticky', 'roundrobin', 'range'],
] as const;

/** Who a member is whatever id it has at the moment: a static one keeps its instance id over restarts. */
function identity(memberId: string): string {
  return /^instance\d+/.exec(memberId)?.[0] ?? memberId;
}

/** A consumer as real ones behave: joins, syncs, sends heartbeats, joins again when told to. */
class SimulatedConsumer {
  memberId = '';
  generationId = -1;
  assignment: number[] = [];
  isRunning = true;
  private busy = false;
  /** null for a dynamic member. */
  readonly instanceId: string | null;
  protocols: readonly string[];
  private readonly world: World;

  constructor(world: World, instanceId: string | null = null, protocols: readonly string[] = choices[0]) {
    this.world = world;
    this.instanceId = instanceId;
    this.protocols = protocols;
  }

  get isSettled(): boolean {
    return this.generationId >= 0 && !this.busy;
  }

  /** One turn: joins if it has to, else a heartbeat and perhaps a commit. */
  turn(): void {
    if (!this.isRunning || this.busy) return;
    this.busy = true;
    (this.generationId < 0 ? this.join() : this.stay()).then(
      () => {
        this.busy = false;
      },
      (error: unknown) => {
        this.world.failures.push(error);
      },
    );
  }

  private async join(): Promise<void> {
    const { coordinator } = this.world.current;
    const joined = await coordinator.handleJoinGroup({
      groupId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      requireKnownMemberId: this.instanceId === null,
      clientId: 'c',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: 20_000,
      sessionTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: this.protocols.map((name) => ({ name, metadata: noTopics })),
    });
    if (!this.isRunning) return;
    // No room: the end of a real consumer.
    if (joined.error === Errors.GROUP_MAX_SIZE_REACHED) this.crash();
    if (joined.error === Errors.FENCED_INSTANCE_ID) this.failAfterFailover();
    // A group that was loaded knows its members' metadata under the protocol chosen alone.
    if (joined.error === Errors.INCONSISTENT_GROUP_PROTOCOL) this.failAfterFailover();
    if (joined.error === Errors.MEMBER_ID_REQUIRED) this.memberId = joined.memberId;
    if (joined.error === Errors.UNKNOWN_MEMBER_ID) this.memberId = '';
    if (joined.error !== Errors.NONE) return;
    const { world } = this;
    this.memberId = joined.memberId;
    expect(joined.generationId).toBeGreaterThanOrEqual(world.lastGeneration);
    world.lastGeneration = joined.generationId;
    const leader = identity(joined.leaderId);
    expect(world.leaders.get(joined.generationId) ?? leader).toBe(leader);
    world.leaders.set(joined.generationId, leader);
    expect(world.protocols.get(joined.generationId) ?? joined.protocolName).toBe(joined.protocolName);
    world.protocols.set(joined.generationId, joined.protocolName);
    expect(this.protocols).toContain(joined.protocolName);
    expect(joined.members.length).toBeLessThanOrEqual(maxSize);
    expect(joined.members.length > 0).toBe(joined.leaderId === this.memberId);
    const ids = joined.members.map(({ memberId }) => memberId);
    const assignments = new Map(ids.map((id, index) => [id, Buffer.from(share(index, ids.length).join(','))]));
    const parameters = {
      groupId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      protocolType: 'consumer',
      protocolName: joined.protocolName,
    };
    const synced = await coordinator.handleSyncGroup({ ...parameters, generationId: joined.generationId, assignments });
    if (synced.error !== Errors.NONE || !this.isRunning) return;
    this.generationId = joined.generationId;
    this.assignment = synced.assignment.length === 0 ? [] : synced.assignment.toString().split(',').map(Number);
    for (const partition of this.assignment) {
      const key = `${this.generationId}/${partition}`;
      const owner = identity(this.memberId);
      expect(world.owners.get(key) ?? owner).toBe(owner);
      world.owners.set(key, owner);
    }
  }

  private async stay(): Promise<void> {
    const { coordinator } = this.world.current;
    const error = coordinator.handleHeartbeat(groupId, this.memberId, this.instanceId, this.generationId);
    if (error === Errors.NONE) await this.maybeCommit();
    else if (error === Errors.FENCED_INSTANCE_ID) this.failAfterFailover();
    else if (error === Errors.REBALANCE_IN_PROGRESS) this.generationId = -1;
    else if (error === Errors.UNKNOWN_MEMBER_ID || error === Errors.ILLEGAL_GENERATION) this.forget();
  }

  private async maybeCommit(): Promise<void> {
    const { world } = this;
    if (!this.assignment.includes(0)) return;
    world.tried += 1;
    const offset = world.tried;
    const committer = { memberId: this.memberId, groupInstanceId: this.instanceId, generationId: this.generationId };
    const results = await world.current.coordinator.handleCommitOffsets(
      groupId,
      committer,
      offsets('t', { 0: offset }),
    );
    if (results.get('t-0') === Errors.NONE) world.acknowledged = Math.max(world.acknowledged, offset);
  }

  leave(): void {
    this.isRunning = false;
    const { coordinator } = this.world.current;
    if (this.memberId !== '')
      coordinator.handleLeaveGroup(groupId, [{ memberId: this.memberId, groupInstanceId: this.instanceId }]);
  }

  /** It supports other protocols from now on, and joins again for that. Not while a request is under way. */
  change(protocols: readonly string[]): void {
    if (this.busy) return;
    this.protocols = protocols;
    this.generationId = -1;
  }

  /** Its process is killed: it says nothing any more. */
  crash(): void {
    this.isRunning = false;
  }

  /**
   * It ends by what the new coordinator does not know. Without one it would be wrong: all share a protocol, and of an
   * instance there is one process at a time.
   */
  private failAfterFailover(): void {
    expect(this.world.failovers).toBeGreaterThan(0);
    this.crash();
  }

  private forget(): void {
    this.memberId = '';
    this.generationId = -1;
    this.assignment = [];
  }
}

/** Whether the group is stable and every member of it a running consumer that knows of it. */
function isCalm(world: World, running: readonly SimulatedConsumer[]): boolean {
  const { state, members } = world.current.coordinator.handleDescribeGroup(groupId).summary;
  return (
    state === 'Stable' &&
    running.every(({ isSettled, generationId }) => isSettled && generationId === world.lastGeneration) &&
    members
      .map(({ memberId }) => memberId)
      .sort()
      .join() ===
      running
        .map(({ memberId }) => memberId)
        .sort()
        .join()
  );
}

/** The partitions of one of `count` members. */
function share(index: number, count: number): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition).filter(
    (partition) => partition % count === index,
  );
}

describe('groups of random members', () => {
  it.each(seeds)('have one leader and one owner per partition, and settle: seed %i', async (seed) => {
    const random = new SeededRandom(seed);
    const time = new MockTime();
    const topic = new SharedOffsetsTopic();
    const config = { initialRebalanceDelayMs: 1000, maxSize };
    const world: World = {
      random,
      current: await TestCoordinator.of(groupId, { time, topic, config, random }),
      leaders: new Map(),
      protocols: new Map(),
      owners: new Map(),
      lastGeneration: 0,
      failovers: 0,
      acknowledged: -1,
      failures: [],
      tried: 0,
    };
    const partition = world.current.coordinator.partitionFor(groupId);
    const consumers: SimulatedConsumer[] = [];
    const run = async (turns: number): Promise<void> => {
      for (let turn = 0; turn < turns; turn += 1) {
        for (const consumer of consumers) consumer.turn();
        await time.advance(heartbeatIntervalMs / 10);
      }
    };
    let restarts = 0;
    let instances = 0;
    /** The same instance comes back as a new process, which knows nothing of the old one. */
    const restart = async (old: SimulatedConsumer): Promise<void> => {
      const running = consumers.filter(({ isRunning }) => isRunning);
      // A full group refuses it, as the reference's does.
      const isQuiet = old.isRunning && running.length < maxSize && isCalm(world, running);
      old.crash();
      const again = new SimulatedConsumer(world, old.instanceId, old.protocols);
      consumers.push(again);
      if (!isQuiet) return;
      await run(5);
      restarts += 1;
      expect(world.current.state(groupId)).toBe('Stable');
      expect([again.generationId, again.assignment]).toEqual([old.generationId, old.assignment]);
    };
    for (let step = 0; step < 60; step += 1) {
      const running = consumers.filter(({ isRunning }) => isRunning);
      const choice = nextInt(random, 14);
      const protocols = choices[nextInt(random, choices.length)]!;
      if (choice < 4) consumers.push(new SimulatedConsumer(world, null, protocols));
      else if (choice === 4 && running.length > 0) running[nextInt(random, running.length)]!.leave();
      else if (choice === 5 && running.length > 0) running[nextInt(random, running.length)]!.crash();
      else if (choice === 7) {
        instances += 1;
        consumers.push(new SimulatedConsumer(world, `instance${instances}`, protocols));
      } else if (choice === 8 && running.length > 0) running[nextInt(random, running.length)]!.change(protocols);
      else if (choice > 8 && instances > 0) {
        // The latest process of an instance: running, or crashed since who knows when.
        const instanceId = `instance${nextInt(random, instances) + 1}`;
        await restart(consumers.findLast((consumer) => consumer.instanceId === instanceId)!);
      } else if (choice === 6) {
        // The coordinator's broker hands its partition over; another one loads it.
        world.failovers += 1;
        const before = world.current;
        await before.resign(partition, world.failovers);
        world.current = new TestCoordinator({ time, topic, config, random });
        await world.current.lead(partition, world.failovers);
        expect(world.current.committed(groupId, 't', 0)).toBeGreaterThanOrEqual(world.acknowledged);
        // A generation that was not stored is forgotten with its coordinator; its number comes again.
        world.lastGeneration = 0;
        world.leaders.clear();
        world.protocols.clear();
        world.owners.clear();
      }
      await run(nextInt(random, 30));
    }
    // Room for one more, and for its restart.
    for (const consumer of consumers.filter(({ isRunning }) => isRunning).slice(maxSize - 2)) consumer.crash();
    await run(60);
    const last = new SimulatedConsumer(world, 'instance0', ['range', 'roundrobin', 'sticky']);
    consumers.push(last);
    await run(300);
    expect(world.failures).toEqual([]);
    await restart(last);
    expect(restarts).toBeGreaterThan(0);
    expect(world.failures).toEqual([]);
    const running = consumers.filter(({ isRunning }) => isRunning);
    expect(world.current.state(groupId)).toBe('Stable');
    expect(running.every(({ isSettled }) => isSettled)).toBe(true);
    expect(new Set(running.map(({ generationId }) => generationId)).size).toBe(1);
    const owned = running.flatMap(({ assignment }) => assignment).sort((left, right) => left - right);
    expect(owned).toEqual(Array.from({ length: partitions }, (_, index) => index));
    const { members } = world.current.coordinator.handleDescribeGroup(groupId).summary;
    expect(members.map(({ memberId }) => memberId).sort()).toEqual(running.map(({ memberId }) => memberId).sort());
  });
});
