import { describe, it, jest } from '@jest/globals';
import { nextInt, SeededRandom } from '@klassic/common';
import { sleep } from '@klassic/test-support';
import type { Contestant } from './contestant.ts';
import { besideTheOriginal } from './contestants.ts';
import { commitBody, joinBody, syncBody } from './group-questions.ts';

jest.setTimeout(600_000);

const SEEDS = 3;
const STEPS = 30;

const both = besideTheOriginal();

describe('Klassic beside Apache Kafka answers', () => {
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
