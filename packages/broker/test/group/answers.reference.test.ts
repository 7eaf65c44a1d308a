import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { apis } from '@klassic/protocol';
import type { ApiName, RequestInit } from '@klassic/protocol';
import { sleep, startZooKeeper } from '@klassic/test-support';
import type { TestZooKeeper } from '@klassic/test-support';
import { startKlassic, startOriginal } from './contestant.ts';
import type { Contestant } from './contestant.ts';

jest.setTimeout(600_000);

const SEEDS = 3;
const STEPS = 30;

const subscription = (topic: string): Buffer =>
  Buffer.from([0, 0, 0, 0, 0, 1, 0, topic.length, ...Buffer.from(topic), 255, 255, 255, 255]);

let zooKeeper: TestZooKeeper;
let original: Contestant;
let klassic: Contestant;

beforeAll(async () => {
  zooKeeper = await startZooKeeper();
  original = await startOriginal(`${zooKeeper.connectString}/original`);
  klassic = await startKlassic(`${zooKeeper.connectString}/klassic`);
  for (const contestant of [original, klassic]) await contestant.createTopics(['t', 'u']);
});

afterAll(async () => {
  for (const contestant of [original, klassic]) {
    contestant.close();
    await contestant.stop();
  }
  await zooKeeper.stop();
});

/** Asks both brokers the same things; what they answer is to be the same. */
async function both(questions: (contestant: Contestant) => Promise<void>): Promise<void> {
  for (const contestant of [original, klassic]) contestant.begin();
  await Promise.all([questions(original), questions(klassic)]);
  const different = original.transcript.flatMap((line, index) => {
    const own = klassic.transcript[index];
    return line === own ? [] : [{ original: line, klassic: own, after: original.transcript.slice(index - 3, index) }];
  });
  // The first few say it all: what follows one difference is often another.
  expect(different.slice(0, 5)).toEqual([]);
  expect(klassic.transcript.length).toBe(original.transcript.length);
}

function versionsOf(api: ApiName): number[] {
  const { minVersion, maxVersion } = apis[api];
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, index) => minVersion + index);
}

interface JoinOptions {
  readonly instance?: string | null;
  readonly protocols?: readonly string[];
  readonly topic?: string;
  readonly sessionTimeoutMs?: number;
  readonly protocolType?: string;
}

function joinBody(groupId: string, memberId: string, version: number, options: JoinOptions = {}) {
  const { instance = null, protocols = ['range'], topic = 't', sessionTimeoutMs = 60_000, protocolType } = options;
  return {
    groupId,
    sessionTimeoutMs,
    memberId,
    protocolType: protocolType ?? 'consumer',
    protocols: protocols.map((name) => ({ name, metadata: subscription(topic) })),
    ...(version >= 1 ? { rebalanceTimeoutMs: 60_000 } : {}),
    ...(version >= 5 ? { groupInstanceId: instance } : {}),
  };
}

function syncBody(groupId: string, memberId: string, generationId: number, version: number, instance?: string | null) {
  return {
    groupId,
    generationId,
    memberId,
    assignments: [{ memberId, assignment: Buffer.from('mine') }],
    ...(version >= 3 ? { groupInstanceId: instance ?? null } : {}),
    ...(version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}),
  };
}

function commitBody(
  groupId: string,
  version: number,
  {
    memberId = '',
    generationId = -1,
    metadata = null as string | null,
    topics = ['t'],
    instance = null as string | null,
  } = {},
): RequestInit<'OffsetCommit'> {
  return {
    groupId,
    ...(version >= 1 ? { generationId, memberId } : {}),
    ...(version >= 7 ? { groupInstanceId: instance } : {}),
    topics: topics.map((name) => ({
      name,
      partitions: [0, 1, 7].map((partitionIndex) => ({
        partitionIndex,
        committedOffset: 10 + partitionIndex,
        committedMetadata: metadata,
        ...(version >= 6 ? { committedLeaderEpoch: 3 } : {}),
      })),
    })),
  };
}

describe('Klassic beside Apache Kafka answers', () => {
  it('every version of the membership APIs, from the first join to the last leave', async () => {
    await both(async (contestant) => {
      for (const version of versionsOf('JoinGroup')) {
        const groupId = `versions-${version}`;
        let joined = await contestant.ask('a', 'JoinGroup', version, joinBody(groupId, '', version));
        if (joined?.errorCode === 79) {
          joined = await contestant.ask('a', 'JoinGroup', version, joinBody(groupId, joined.memberId, version));
        }
        const { memberId, generationId } = joined!;
        const sync = Math.min(version, 5);
        await contestant.ask('b', 'DescribeGroups', Math.min(version, 5), {
          groups: [groupId],
          ...(version >= 3 ? { includeAuthorizedOperations: true } : {}),
        });
        await contestant.ask(
          'b',
          'OffsetCommit',
          Math.max(1, version),
          commitBody(groupId, Math.max(1, version), { memberId, generationId }),
        );
        await contestant.ask('a', 'SyncGroup', sync, syncBody(groupId, memberId, generationId, sync));
        await contestant.ask('b', 'DescribeGroups', Math.min(version, 5), { groups: [groupId, 'nobody'] });
        const beat = Math.min(version, 4);
        for (const [id, generation] of [
          [memberId, generationId],
          [memberId, generationId + 1],
          ['stranger', generationId],
          ['', 0],
        ] as const) {
          await contestant.ask('a', 'Heartbeat', beat, { groupId, memberId: id, generationId: generation });
        }
        await contestant.ask('b', 'DeleteGroups', Math.min(version, 2), { groupsNames: [groupId, 'nobody', ''] });
        await contestant.ask('b', 'OffsetDelete', 0, {
          groupId,
          topics: [
            { name: 't', partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] },
            { name: 'u', partitions: [{ partitionIndex: 0 }] },
          ],
        });
        const leave = Math.min(version, 4);
        for (let time = 0; time < 2; time += 1) {
          await contestant.ask(
            'a',
            'LeaveGroup',
            leave,
            leave < 3 ? { groupId, memberId } : { groupId, members: [{ memberId }, { memberId: 'stranger' }] },
          );
        }
        await contestant.ask('b', 'DescribeGroups', 5, { groups: [groupId] });
        await contestant.ask('b', 'OffsetFetch', Math.max(2, Math.min(version, 7)), { groupId, topics: null });
      }
      for (const version of versionsOf('ListGroups')) await contestant.ask('b', 'ListGroups', version, {});
      for (const statesFilter of [['Stable'], ['Empty', 'Dead'], ['nothing'], ['empty']]) {
        await contestant.ask('b', 'ListGroups', 4, { statesFilter });
      }
      for (const version of versionsOf('DeleteGroups')) {
        await contestant.ask('b', 'DeleteGroups', version, {
          groupsNames: [`versions-${version}`, `versions-${version}`, ''],
        });
      }
    });
  });

  it('every version of the offset APIs', async () => {
    await both(async (contestant) => {
      for (const version of versionsOf('OffsetCommit')) {
        const groupId = `offsets-${version}`;
        await contestant.ask(
          'a',
          'OffsetCommit',
          version,
          commitBody(groupId, version, { topics: ['t', 'missing', 'u'] }),
        );
        await contestant.ask('a', 'OffsetCommit', version, commitBody(groupId, version, { metadata: 'x'.repeat(20) }));
        await contestant.ask('a', 'OffsetCommit', version, commitBody(groupId, version, { metadata: 'x'.repeat(21) }));
        await contestant.ask('a', 'OffsetCommit', version, commitBody('', version));
        await contestant.ask('a', 'OffsetCommit', version, commitBody(groupId, version, { topics: [] }));
        if (version >= 1) {
          await contestant.ask(
            'a',
            'OffsetCommit',
            version,
            commitBody(groupId, version, { memberId: 'm', generationId: 1 }),
          );
          await contestant.ask(
            'a',
            'OffsetCommit',
            version,
            commitBody(`new-${version}`, version, { memberId: 'm', generationId: 1 }),
          );
          await contestant.ask('a', 'OffsetCommit', version, commitBody(groupId, version, { memberId: 'm' }));
        }
        if (version >= 7) {
          await contestant.ask(
            'a',
            'OffsetCommit',
            version,
            commitBody(groupId, version, { memberId: 'm', generationId: 0, instance: 'i' }),
          );
        }
      }
      for (const version of versionsOf('OffsetFetch')) {
        const topics = ['t', 'u', 'missing'].map((name) => ({ name, partitionIndexes: [0, 1, 7] }));
        for (const groupId of ['offsets-0', 'offsets-1', 'offsets-8', 'nobody', '']) {
          await contestant.ask('a', 'OffsetFetch', version, { groupId, topics });
          if (version >= 2) await contestant.ask('a', 'OffsetFetch', version, { groupId, topics: null });
          await contestant.ask('a', 'OffsetFetch', version, { groupId, topics: [] });
        }
      }
      for (const groupId of ['offsets-3', 'nobody', '']) {
        for (const topics of [
          [],
          [{ name: 'missing', partitions: [{ partitionIndex: 0 }] }],
          [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
        ]) {
          await contestant.ask('a', 'OffsetDelete', 0, { groupId, topics });
        }
      }
      for (const version of versionsOf('FindCoordinator')) {
        for (const key of ['g', '']) await contestant.ask('a', 'FindCoordinator', version, { key });
        if (version >= 1) await contestant.ask('a', 'FindCoordinator', version, { key: 'g', keyType: 2 });
      }
    });
  });

  it('arguments that make no sense', async () => {
    await both(async (contestant) => {
      for (const version of [0, 3, 5, 7]) {
        const groupId = `odd-${version}`;
        const odd: [string, string, JoinOptions][] = [
          ['', '', {}],
          [groupId, 'stranger', {}],
          [groupId, '', { sessionTimeoutMs: 5_999 }],
          [groupId, '', { sessionTimeoutMs: 1_800_001 }],
          [groupId, '', { protocols: [] }],
          [groupId, '', { protocolType: '' }],
        ];
        for (const [group, memberId, options] of odd) {
          await contestant.ask('a', 'JoinGroup', version, joinBody(group, memberId, version, options));
        }
        const sync = Math.min(version, 5);
        for (const group of ['', groupId, 'nobody']) {
          await contestant.ask('a', 'SyncGroup', sync, syncBody(group, 'stranger', 1, sync));
          await contestant.ask('a', 'Heartbeat', Math.min(version, 4), {
            groupId: group,
            memberId: 'x',
            generationId: 1,
          });
          const leave = Math.min(version, 4);
          await contestant.ask(
            'a',
            'LeaveGroup',
            leave,
            leave < 3 ? { groupId: group, memberId: 'x' } : { groupId: group, members: [] },
          );
          await contestant.ask(
            'a',
            'LeaveGroup',
            leave,
            leave < 3
              ? { groupId: group, memberId: '' }
              : { groupId: group, members: [{ memberId: '', groupInstanceId: 'nobody' }] },
          );
          await contestant.ask('a', 'DescribeGroups', 5, { groups: [group] });
        }
      }
      await contestant.ask('a', 'DescribeGroups', 5, { groups: [] });
      await contestant.ask('a', 'DeleteGroups', 2, { groupsNames: [] });
    });
  });

  it('offsets in transactions, and their markers', async () => {
    await both(async (contestant) => {
      const initial = await contestant.ask('a', 'InitProducerId', 0, {
        transactionalId: null,
        transactionTimeoutMs: 1000,
      });
      for (const version of versionsOf('InitProducerId').slice(1)) {
        await contestant.ask('a', 'InitProducerId', version, { transactionalId: null, transactionTimeoutMs: 1000 });
        await contestant.ask('a', 'InitProducerId', version, { transactionalId: '', transactionTimeoutMs: 1000 });
        if (version >= 3) {
          await contestant.ask('a', 'InitProducerId', version, {
            transactionalId: null,
            transactionTimeoutMs: 1000,
            producerId: 5,
            producerEpoch: -1,
          });
          await contestant.ask('a', 'InitProducerId', version, {
            transactionalId: null,
            transactionTimeoutMs: 1000,
            producerId: -1,
            producerEpoch: 5,
          });
          await contestant.ask('a', 'InitProducerId', version, {
            transactionalId: null,
            transactionTimeoutMs: 1000,
            producerId: 5,
            producerEpoch: 5,
          });
        }
      }
      const producerId = initial!.producerId + 500;
      for (const version of versionsOf('TxnOffsetCommit')) {
        for (const [step, result] of [true, false].entries()) {
          const groupId = `txn-${version}`;
          const txn = (
            offset: number,
            more: Partial<RequestInit<'TxnOffsetCommit'>> = {},
          ): RequestInit<'TxnOffsetCommit'> => ({
            transactionalId: 'tx',
            groupId,
            producerId: producerId + version,
            producerEpoch: step,
            ...(version >= 3 ? { memberId: '' } : {}),
            topics: ['t', 'missing'].map((name) => ({
              name,
              partitions: [0, 7].map((partitionIndex) => ({
                partitionIndex,
                committedOffset: offset,
                committedMetadata: null,
              })),
            })),
            ...more,
          });
          await contestant.ask('a', 'TxnOffsetCommit', version, txn(100 + step));
          await contestant.ask('a', 'TxnOffsetCommit', version, txn(100, { groupId: '' }));
          if (version >= 3) {
            await contestant.ask('a', 'TxnOffsetCommit', version, txn(1, { memberId: 'stranger' }));
            await contestant.ask('a', 'TxnOffsetCommit', version, txn(1, { generationId: 4 }));
            await contestant.ask('a', 'TxnOffsetCommit', version, txn(1, { groupInstanceId: 'i' }));
          }
          if (step === 1) await contestant.ask('a', 'TxnOffsetCommit', version, txn(1, { producerEpoch: 0 }));
          for (const requireStable of [false, true]) {
            await contestant.ask('a', 'OffsetFetch', 7, {
              groupId,
              topics: [{ name: 't', partitionIndexes: [0, 1] }],
              requireStable,
            });
            await contestant.ask('a', 'OffsetFetch', 7, { groupId, topics: null, requireStable });
          }
          await contestant.ask('a', 'WriteTxnMarkers', version % 2, {
            markers: [
              {
                producerId: producerId + version,
                producerEpoch: step,
                transactionResult: result,
                coordinatorEpoch: 0,
                topics: [
                  { name: '__consumer_offsets', partitionIndexes: [0, 1, 2, 3, 9] },
                  { name: 'missing', partitionIndexes: [0] },
                ],
              },
            ],
          });
          await contestant.ask('a', 'OffsetFetch', 7, { groupId, topics: null, requireStable: true });
        }
      }
      await contestant.ask('a', 'WriteTxnMarkers', 1, { markers: [] });
      const marker = (id: number, producerEpoch: number, coordinatorEpoch: number) => ({
        producerId: id,
        producerEpoch,
        coordinatorEpoch,
        transactionResult: true,
        topics: [{ name: 't', partitionIndexes: [0, 1] }],
      });
      for (const markers of [
        [marker(9000, 3, 2), marker(9001, 0, 0)],
        [marker(9000, 2, 2)],
        [marker(9000, 3, 1)],
        [marker(9000, 3, 2), marker(9000, 4, 2)],
      ]) {
        await contestant.ask('a', 'WriteTxnMarkers', 1, { markers });
      }
    });
  });

  it('static members that come back, take another’s place, and leave', async () => {
    await both(async (contestant) => {
      const groupId = 'static';
      const join = (who: string, memberId: string, instance: string, options: JoinOptions = {}) =>
        contestant.ask(who, 'JoinGroup', 7, joinBody(groupId, memberId, 7, { instance, ...options }));
      const first = await join('a', '', 'one');
      const id = first!.memberId;
      await contestant.ask('a', 'SyncGroup', 5, syncBody(groupId, id, 1, 5, 'one'));
      // Come back without an id: a new one, and no rebalance.
      const again = await join('b', '', 'one');
      await contestant.ask(
        'b',
        'SyncGroup',
        5,
        syncBody(groupId, again?.memberId ?? '', again?.generationId ?? 0, 5, 'one'),
      );
      // The old one is fenced wherever it turns up.
      await contestant.ask('a', 'Heartbeat', 4, { groupId, memberId: id, generationId: 1, groupInstanceId: 'one' });
      await contestant.ask('a', 'Heartbeat', 4, { groupId, memberId: id, generationId: 1 });
      await contestant.ask('a', 'SyncGroup', 5, syncBody(groupId, id, 1, 5, 'one'));
      await contestant.ask(
        'a',
        'OffsetCommit',
        8,
        commitBody(groupId, 8, { memberId: id, generationId: 1, instance: 'one' }),
      );
      await contestant.ask('a', 'TxnOffsetCommit', 3, {
        transactionalId: 'x',
        groupId,
        producerId: 77,
        producerEpoch: 0,
        memberId: id,
        groupInstanceId: 'one',
        generationId: 1,
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }],
      });
      await join('a', id, 'one');
      await contestant.ask('a', 'LeaveGroup', 4, { groupId, members: [{ memberId: id, groupInstanceId: 'one' }] });
      // With another subscription there is a rebalance.
      await join('b', '', 'one', { topic: 'u' });
      await contestant.ask('c', 'DescribeGroups', 5, { groups: [groupId] });
      await join('c', '', 'two');
      await contestant.settle('b');
      await contestant.ask('d', 'DescribeGroups', 5, { groups: [groupId] });
      await join('d', '', 'two');
      await contestant.settle('c');
      await contestant.ask('e', 'LeaveGroup', 4, {
        groupId,
        members: [
          { memberId: '', groupInstanceId: 'two' },
          { memberId: 'wrong', groupInstanceId: 'one' },
          { memberId: '', groupInstanceId: 'three' },
        ],
      });
      for (const who of ['a', 'b', 'c', 'd']) await contestant.settle(who);
      await contestant.ask('e', 'DescribeGroups', 5, { groups: [groupId] });
    });
  });

  it('more members than a group may have, protocols that nobody shares, and other kinds of groups', async () => {
    await both(async (contestant) => {
      const groupId = 'crowd';
      const first = await contestant.ask(
        'a',
        'JoinGroup',
        3,
        joinBody(groupId, '', 3, { protocols: ['range', 'roundrobin'] }),
      );
      const refused: JoinOptions[] = [{ protocols: ['sticky'] }, { protocolType: 'connect' }, { protocols: [] }];
      for (const options of refused) await contestant.ask('b', 'JoinGroup', 3, joinBody(groupId, '', 3, options));
      await contestant.ask('b', 'JoinGroup', 3, joinBody(groupId, '', 3, { protocols: ['roundrobin', 'range'] }));
      await contestant.ask('c', 'JoinGroup', 3, joinBody(groupId, '', 3, { protocols: ['roundrobin'] }));
      await contestant.ask(
        'a',
        'JoinGroup',
        3,
        joinBody(groupId, first!.memberId, 3, { protocols: ['range', 'roundrobin'] }),
      );
      for (const who of ['b', 'c']) await contestant.settle(who);
      await contestant.ask('d', 'JoinGroup', 3, joinBody(groupId, '', 3, { protocols: ['roundrobin'] }));
      await contestant.ask('e', 'JoinGroup', 5, joinBody(groupId, '', 5, { protocols: ['roundrobin'], instance: 'i' }));
      await contestant.ask('f', 'DescribeGroups', 5, { groups: [groupId] });
      // A group that is no consumers'.
      const other = await contestant.ask(
        'a',
        'JoinGroup',
        3,
        joinBody('workers', '', 3, { protocolType: 'connect', protocols: ['default'] }),
      );
      const { memberId, generationId } = other!;
      await contestant.ask('a', 'SyncGroup', 5, {
        ...syncBody('workers', memberId, generationId, 5),
        protocolName: 'default',
      });
      await contestant.ask('a', 'SyncGroup', 5, {
        ...syncBody('workers', memberId, generationId, 5),
        protocolType: 'connect',
        protocolName: 'other',
      });
      await contestant.ask('a', 'SyncGroup', 5, {
        ...syncBody('workers', memberId, generationId, 5),
        protocolType: 'connect',
        protocolName: 'default',
      });
      await contestant.ask('a', 'OffsetDelete', 0, {
        groupId: 'workers',
        topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
      });
      await contestant.ask('a', 'DescribeGroups', 5, { groups: ['workers'] });
      await contestant.ask('a', 'JoinGroup', 7, joinBody('nameless', '', 7, { protocolType: 'consumer' }));
    });
  });

  it.each(Array.from({ length: SEEDS }, (_, index) => index + 1))('anything that happens, seed %i', async (seed) => {
    await both((contestant) => randomWalk(contestant, seed));
  });
});

/** What members of a group do, at random but the same for both; nobody asks who still waits for an answer. */
async function randomWalk(contestant: Contestant, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const groupId = `random-${seed}`;
  const actors = ['a', 'b', 'c', 'd'].map((who, index) => ({
    who,
    instance: index < 2 ? `instance-${who}` : null,
    memberId: '',
    generationId: -1,
  }));
  for (let step = 0; step < STEPS; step += 1) {
    // What happens by a timer of no length is over by then.
    await sleep(50);
    const actor = actors[nextInt(random, actors.length)]!;
    const action = nextInt(random, 12);
    const topic = nextInt(random, 4) === 0 ? 'u' : 't';
    const stale = nextInt(random, 6) === 0;
    for (const { who } of actors) if (contestant.isWaiting(who)) await contestant.settle(who);
    if (contestant.isWaiting(actor.who)) continue;
    const { who, instance, memberId } = actor;
    const generationId = stale ? actor.generationId - 1 : actor.generationId;
    if (action < 4) {
      const joined = await contestant.ask(who, 'JoinGroup', 7, joinBody(groupId, memberId, 7, { instance, topic }));
      if (joined !== undefined && joined.memberId !== '') actor.memberId = joined.memberId;
      if (joined?.errorCode === 0) actor.generationId = joined.generationId;
      if (joined !== undefined && [25, 82].includes(joined.errorCode)) actor.memberId = '';
    } else if (action < 7) {
      const described = await contestant.ask('observer', 'DescribeGroups', 5, { groups: [groupId] });
      const own = described!.groups[0]!.members.find((member) => member.memberId === memberId);
      if (own !== undefined && actor.generationId < 0) actor.generationId = 1;
      await contestant.ask(who, 'SyncGroup', 5, syncBody(groupId, memberId, generationId, 5, instance));
    } else if (action < 9) {
      const answer = await contestant.ask(who, 'Heartbeat', 4, {
        groupId,
        memberId,
        generationId,
        groupInstanceId: instance,
      });
      if (answer?.errorCode === 25) actor.memberId = '';
      // A generation that was missed while a join waited is guessed.
      if (answer?.errorCode === 22) actor.generationId += 1;
    } else if (action === 9) {
      await contestant.ask(who, 'OffsetCommit', 8, commitBody(groupId, 8, { memberId, generationId, instance }));
    } else if (action === 10) {
      await contestant.ask(who, 'LeaveGroup', 4, { groupId, members: [{ memberId, groupInstanceId: instance }] });
    } else {
      await contestant.ask('observer', 'DescribeGroups', 5, { groups: [groupId] });
    }
  }
}
