import { expect, it } from '@jest/globals';
import { offsetOnly } from '@klassic/log';
import { Replica } from '../../src/replica/replica.ts';

it('counts a follower as caught up when it last had all that the leader had at its fetch before', () => {
  const replica = new Replica(2);
  /** A fetch from `offset` on at a time, ms, while the leader's log ended at `leaderEnd`. */
  const caughtUpAfter = (offset: number, atMs: number, leaderEnd: number): number => {
    replica.updateFetchState(offsetOnly(offset), 0, atMs, leaderEnd);
    return replica.lastCaughtUpTimeMs;
  };
  replica.resetLastCaughtUpTime(0, 50, 0);
  expect(caughtUpAfter(10, 100, 10)).toBe(100);
  // Behind, and behind again, but it has what there was a fetch ago.
  expect(caughtUpAfter(10, 200, 20)).toBe(100);
  expect(caughtUpAfter(20, 300, 30)).toBe(200);
  expect(caughtUpAfter(30, 400, 40)).toBe(300);
  // It falls back: less than the leader had at the last fetch.
  expect(caughtUpAfter(35, 500, 60)).toBe(300);
  expect(caughtUpAfter(60, 600, 60)).toBe(600);
});
