import { describe, expect, it } from '@jest/globals';
import { MockTime, nextInt, SeededRandom } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import { SharedOffsetsTopic } from './memory-group-log.ts';
import { offsets, TestCoordinator } from './test-coordinator.ts';

const groupId = 'g';
const partitions = 12;
const heartbeatIntervalMs = 3000;
const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

/** What all of a test's consumers share. */
interface World {
  readonly random: SeededRandom;
  /** The broker that coordinates at this moment. */
  current: TestCoordinator;
  /** Who leads each generation, as its members were told. */
  readonly leaders: Map<number, string>;
  /** Who owns each partition of each generation. */
  readonly owners: Map<string, string>;
  lastGeneration: number;
  /** The last commit that was acknowledged, and the last one that was tried. */
  acknowledged: number;
  tried: number;
  readonly failures: unknown[];
}

/** A consumer as real ones behave: joins, syncs, sends heartbeats, joins again when told to. */
class SimulatedConsumer {
  memberId = '';
  generationId = -1;
  assignment: number[] = [];
  isRunning = true;
  private busy = false;
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
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
      groupInstanceId: null,
      requireKnownMemberId: true,
      clientId: 'c',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: 20_000,
      sessionTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from([0, 0, 0, 0, 0, 0, 255, 255, 255, 255]) }],
    });
    if (!this.isRunning) return;
    if (joined.error === Errors.MEMBER_ID_REQUIRED) this.memberId = joined.memberId;
    if (joined.error === Errors.UNKNOWN_MEMBER_ID) this.memberId = '';
    if (joined.error !== Errors.NONE) return;
    const { world } = this;
    expect(joined.generationId).toBeGreaterThanOrEqual(world.lastGeneration);
    world.lastGeneration = joined.generationId;
    expect(world.leaders.get(joined.generationId) ?? joined.leaderId).toBe(joined.leaderId);
    world.leaders.set(joined.generationId, joined.leaderId);
    expect(joined.members.length > 0).toBe(joined.leaderId === this.memberId);
    const ids = joined.members.map(({ memberId }) => memberId);
    const assignments = new Map(ids.map((id, index) => [id, Buffer.from(share(index, ids.length).join(','))]));
    const parameters = {
      groupId,
      memberId: this.memberId,
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
    };
    const synced = await coordinator.handleSyncGroup({ ...parameters, generationId: joined.generationId, assignments });
    if (synced.error !== Errors.NONE || !this.isRunning) return;
    this.generationId = joined.generationId;
    this.assignment = synced.assignment.length === 0 ? [] : synced.assignment.toString().split(',').map(Number);
    for (const partition of this.assignment) {
      const key = `${this.generationId}/${partition}`;
      expect(world.owners.get(key) ?? this.memberId).toBe(this.memberId);
      world.owners.set(key, this.memberId);
    }
  }

  private async stay(): Promise<void> {
    const { coordinator } = this.world.current;
    const error = coordinator.handleHeartbeat(groupId, this.memberId, null, this.generationId);
    if (error === Errors.NONE) await this.maybeCommit();
    else if (error === Errors.REBALANCE_IN_PROGRESS) this.generationId = -1;
    else if (error === Errors.UNKNOWN_MEMBER_ID || error === Errors.ILLEGAL_GENERATION) this.forget();
  }

  private async maybeCommit(): Promise<void> {
    const { world } = this;
    if (!this.assignment.includes(0)) return;
    world.tried += 1;
    const offset = world.tried;
    const committer = { memberId: this.memberId, groupInstanceId: null, generationId: this.generationId };
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
      coordinator.handleLeaveGroup(groupId, [{ memberId: this.memberId, groupInstanceId: null }]);
  }

  /** Its process is killed: it says nothing any more. */
  crash(): void {
    this.isRunning = false;
  }

  private forget(): void {
    this.memberId = '';
    this.generationId = -1;
    this.assignment = [];
  }
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
    const config = { initialRebalanceDelayMs: 1000 };
    let epoch = 0;
    const world: World = {
      random,
      current: await TestCoordinator.of(groupId, { time, topic, config, random }),
      leaders: new Map(),
      owners: new Map(),
      lastGeneration: 0,
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
    for (let step = 0; step < 60; step += 1) {
      const running = consumers.filter(({ isRunning }) => isRunning);
      const choice = nextInt(random, 10);
      if (choice < 4 && running.length < 6) consumers.push(new SimulatedConsumer(world));
      else if (choice === 4 && running.length > 0) running[nextInt(random, running.length)]!.leave();
      else if (choice === 5 && running.length > 0) running[nextInt(random, running.length)]!.crash();
      else if (choice === 6) {
        // The coordinator's broker hands its partition over; another one loads it.
        epoch += 1;
        const before = world.current;
        await before.resign(partition, epoch);
        world.current = new TestCoordinator({ time, topic, config, random });
        await world.current.lead(partition, epoch);
        expect(world.current.committed(groupId, 't', 0)).toBeGreaterThanOrEqual(world.acknowledged);
        // A generation that was not stored is forgotten with its coordinator; its number comes again.
        world.lastGeneration = 0;
        world.leaders.clear();
        world.owners.clear();
      }
      await run(nextInt(random, 30));
    }
    consumers.push(new SimulatedConsumer(world));
    await run(300);
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
