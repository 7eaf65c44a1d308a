import { describe, expect, it } from '@jest/globals';
import { silentLoggers } from '@klassic/common';
import type { FetchPosition } from '../src/consumer/fetch-position.ts';
import { SubscriptionState } from '../src/consumer/subscription-state.ts';
import { TopicPartitionState } from '../src/consumer/topic-partition-state.ts';
import type { LeaderAndEpoch, Node } from '../src/metadata/cluster.ts';

const p0 = { topic: 't', partition: 0 };

function node(id: number): Node {
  return { id, host: 'h', port: 9092, rack: null };
}

function led(by: number | undefined, epoch: number): LeaderAndEpoch {
  return { leader: by === undefined ? undefined : node(by), epoch };
}

function at(offset: number, offsetEpoch: number, currentLeader = led(1, 5)): FetchPosition {
  return { offset, offsetEpoch, currentLeader };
}

/** Ways into each state. */
const states = {
  INITIALIZING: () => new TopicPartitionState(p0),
  FETCHING: () => {
    const state = new TopicPartitionState(p0);
    state.seekValidated(at(10, 4));
    return state;
  },
  AWAIT_VALIDATION: () => {
    const state = new TopicPartitionState(p0);
    state.seekUnvalidated(at(10, 4));
    return state;
  },
  AWAIT_RESET: () => {
    const state = new TopicPartitionState(p0);
    state.reset('latest');
    return state;
  },
};

const events = {
  reset: (state: TopicPartitionState) => {
    state.reset('earliest');
  },
  seekValidated: (state: TopicPartitionState) => {
    state.seekValidated(at(20, 5));
  },
  seekUnvalidated: (state: TopicPartitionState) => {
    state.seekUnvalidated(at(20, 5));
  },
  'seek without an epoch': (state: TopicPartitionState) => {
    state.seekUnvalidated(at(20, -1));
  },
  'seek while the leader has no epoch': (state: TopicPartitionState) => {
    state.seekUnvalidated(at(20, 5, led(1, -1)));
  },
  'the same leader': (state: TopicPartitionState) => {
    state.maybeValidatePosition(led(1, 5));
  },
  'a newer epoch': (state: TopicPartitionState) => {
    state.maybeValidatePosition(led(1, 6));
  },
  'another leader': (state: TopicPartitionState) => {
    state.maybeValidatePosition(led(2, 6));
  },
  'no leader': (state: TopicPartitionState) => {
    state.maybeValidatePosition(led(undefined, 6));
  },
  completeValidation: (state: TopicPartitionState) => {
    state.completeValidation();
  },
};

describe('TopicPartitionState', () => {
  it.each<[keyof typeof states, keyof typeof events, string]>([
    ['INITIALIZING', 'reset', 'AWAIT_RESET earliest'],
    ['INITIALIZING', 'seekValidated', 'FETCHING 20/5 of 1/5'],
    ['INITIALIZING', 'seekUnvalidated', 'AWAIT_VALIDATION 20/5 of 1/5'],
    ['INITIALIZING', 'seek without an epoch', 'FETCHING 20/-1 of 1/5'],
    ['INITIALIZING', 'seek while the leader has no epoch', 'FETCHING 20/5 of 1/-1'],
    ['INITIALIZING', 'another leader', 'INITIALIZING'],
    ['INITIALIZING', 'completeValidation', 'INITIALIZING'],
    ['FETCHING', 'reset', 'AWAIT_RESET earliest'],
    ['FETCHING', 'seekValidated', 'FETCHING 20/5 of 1/5'],
    ['FETCHING', 'seekUnvalidated', 'AWAIT_VALIDATION 20/5 of 1/5'],
    ['FETCHING', 'the same leader', 'FETCHING 10/4 of 1/5'],
    ['FETCHING', 'a newer epoch', 'AWAIT_VALIDATION 10/4 of 1/6'],
    ['FETCHING', 'another leader', 'AWAIT_VALIDATION 10/4 of 2/6'],
    ['FETCHING', 'no leader', 'FETCHING 10/4 of 1/5'],
    ['AWAIT_VALIDATION', 'reset', 'AWAIT_RESET earliest'],
    ['AWAIT_VALIDATION', 'seekValidated', 'FETCHING 20/5 of 1/5'],
    ['AWAIT_VALIDATION', 'seekUnvalidated', 'AWAIT_VALIDATION 20/5 of 1/5'],
    ['AWAIT_VALIDATION', 'the same leader', 'AWAIT_VALIDATION 10/4 of 1/5'],
    ['AWAIT_VALIDATION', 'another leader', 'AWAIT_VALIDATION 10/4 of 2/6'],
    ['AWAIT_VALIDATION', 'no leader', 'AWAIT_VALIDATION 10/4 of 1/5'],
    ['AWAIT_VALIDATION', 'completeValidation', 'FETCHING 10/4 of 1/5'],
    ['AWAIT_RESET', 'reset', 'AWAIT_RESET earliest'],
    ['AWAIT_RESET', 'seekValidated', 'FETCHING 20/5 of 1/5'],
    ['AWAIT_RESET', 'seekUnvalidated', 'AWAIT_VALIDATION 20/5 of 1/5'],
    ['AWAIT_RESET', 'another leader', 'AWAIT_RESET latest'],
    ['AWAIT_RESET', 'completeValidation', 'AWAIT_RESET latest'],
  ])('in %s, at %s: %s', (from, event, expected) => {
    const state = states[from]();
    expect(state.fetchState).toBe(from);
    events[event](state);
    expect(describeState(state)).toBe(expected);
    expect(state.validPosition).toBe(state.fetchState === 'FETCHING' ? state.position : undefined);
  });

  it('needs no validation of a position without an epoch when the leader changes', () => {
    const state = new TopicPartitionState(p0);
    state.seekValidated(at(10, -1));
    state.maybeValidatePosition(led(2, 6));
    expect(describeState(state)).toBe('FETCHING 10/-1 of 2/6');
  });

  it('moves forward only, with the epoch of what was read', () => {
    const state = states.FETCHING();
    state.advance(10, 5);
    expect(describeState(state)).toBe('FETCHING 10/4 of 1/5');
    state.advance(12, 5);
    expect(describeState(state)).toBe('FETCHING 12/5 of 1/5');
    expect(() => {
      states.AWAIT_VALIDATION().advance(12, 5);
    }).toThrow(/no valid position/);
  });

  it('waits before it asks again, unless its state changes first', () => {
    const state = states.AWAIT_VALIDATION();
    state.setNextAllowedRetry(100);
    expect([state.awaitsRetry(99), state.awaitsRetry(100)]).toEqual([true, false]);
    state.maybeValidatePosition(led(2, 6));
    expect(state.awaitsRetry(99)).toBe(false);
  });

  it('prefers a replica until its time is over, which begins when it is named first', () => {
    const state = states.FETCHING();
    state.updatePreferredReadReplica(3, 1000);
    state.updatePreferredReadReplica(3, 2000);
    expect([state.preferredReadReplica(1000), state.preferredReadReplica(1001)]).toEqual([3, undefined]);
    state.updatePreferredReadReplica(3, 3000);
    state.updatePreferredReadReplica(4, 4000);
    expect(state.preferredReadReplica(4000)).toBe(4);
    expect([state.clearPreferredReadReplica(), state.clearPreferredReadReplica()]).toEqual([4, undefined]);
  });

  it('prefers no replica any more when the leader has changed', () => {
    const state = states.FETCHING();
    state.updatePreferredReadReplica(3, 1000);
    state.maybeValidatePosition(led(1, 5));
    expect(state.preferredReadReplica(0)).toBe(3);
    state.maybeValidatePosition(led(1, 6));
    expect(state.preferredReadReplica(0)).toBeUndefined();
  });
});

describe('SubscriptionState, when the leader has answered where the epoch ends', () => {
  function awaiting(autoOffsetReset: 'earliest' | 'latest' | 'none'): SubscriptionState {
    const subscriptions = new SubscriptionState({ autoOffsetReset, loggers: silentLoggers });
    subscriptions.assign([p0]);
    subscriptions.get(p0).seekUnvalidated(at(10, 4));
    return subscriptions;
  }

  it.each([
    ['earliest', 4, 10, 'FETCHING 10/4 of 1/5'],
    ['earliest', 4, 12, 'FETCHING 10/4 of 1/5'],
    ['none', 3, 10, 'FETCHING 10/4 of 1/5'],
    ['earliest', 3, 9, 'FETCHING 9/3 of 1/5'],
    ['latest', 3, 0, 'FETCHING 0/3 of 1/5'],
    ['earliest', -1, -1, 'AWAIT_RESET earliest'],
    ['latest', -1, -1, 'AWAIT_RESET latest'],
    ['latest', -1, 12, 'AWAIT_RESET latest'],
  ] as const)('with the policy %s, epoch %d to %d: %s', (policy, leaderEpoch, endOffset, expected) => {
    const subscriptions = awaiting(policy);
    const lost = subscriptions.maybeCompleteValidation(p0, at(10, 4), { leaderEpoch, endOffset });
    expect([lost, describeState(subscriptions.get(p0))]).toEqual([undefined, expected]);
  });

  it.each([
    [3, 9, { offset: 9, leaderEpoch: 3 }],
    [-1, -1, undefined],
  ])('without a policy, epoch %d to %d, nothing moves', (leaderEpoch, endOffset, divergentOffset) => {
    const subscriptions = awaiting('none');
    const lost = subscriptions.maybeCompleteValidation(p0, at(10, 4), { leaderEpoch, endOffset });
    expect(lost).toEqual({ ...p0, position: at(10, 4), divergentOffset });
    expect(describeState(subscriptions.get(p0))).toBe('AWAIT_VALIDATION 10/4 of 1/5');
  });

  it.each<[string, (subscriptions: SubscriptionState) => void]>([
    ['a seek', (subscriptions) => subscriptions.get(p0).seekUnvalidated(at(11, 4))],
    ['a validated seek', (subscriptions) => subscriptions.get(p0).seekValidated(at(10, 4))],
    ['a reset', (subscriptions) => subscriptions.get(p0).reset('latest')],
    ['another leader', (subscriptions) => subscriptions.get(p0).maybeValidatePosition(led(2, 6))],
  ])('is not moved by the answer after %s', (_what, event) => {
    const subscriptions = awaiting('earliest');
    event(subscriptions);
    const before = describeState(subscriptions.get(p0));
    expect(subscriptions.maybeCompleteValidation(p0, at(10, 4), { leaderEpoch: 3, endOffset: 5 })).toBeUndefined();
    expect(describeState(subscriptions.get(p0))).toBe(before);
  });

  it('has nothing to do with a partition that was taken away', () => {
    const subscriptions = awaiting('none');
    subscriptions.assign([]);
    expect(subscriptions.maybeCompleteValidation(p0, at(10, 4), { leaderEpoch: 3, endOffset: 5 })).toBeUndefined();
  });
});

function describeState(state: TopicPartitionState): string {
  const { fetchState, position, resetStrategy } = state;
  if (position === undefined) return [fetchState, resetStrategy].filter((part) => part !== undefined).join(' ');
  const { offset, offsetEpoch, currentLeader } = position;
  return `${fetchState} ${offset}/${offsetEpoch} of ${currentLeader.leader?.id}/${currentLeader.epoch}`;
}
