import { describe, it, jest } from '@jest/globals';
import { besideTheOriginal } from './contestants.ts';
import type { JoinOptions } from './group-questions.ts';
import { commitBody, joinBody, syncBody, versionsOf } from './group-questions.ts';

jest.setTimeout(600_000);

const both = besideTheOriginal();

describe('Klassic beside Apache Kafka answers members of groups', () => {
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
});
