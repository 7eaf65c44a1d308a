import { describe, expect, it } from '@jest/globals';
import { offsetTruncationState } from '../../src/replica/fetch-state.ts';

/** A log by the start offsets of its epochs. */
function log(
  logEndOffset: number,
  epochs: readonly (readonly [number, number])[],
): Parameters<typeof offsetTruncationState>[2] {
  return {
    logEndOffset,
    endOffsetForEpoch: (asked) => {
      const index = epochs.findLastIndex(([epoch]) => epoch <= asked);
      const found = epochs[index];
      if (found === undefined) return null;
      return { leaderEpoch: found[0], offset: epochs[index + 1]?.[1] ?? logEndOffset };
    },
  };
}

const none = { errorCode: 0 };

describe('where a follower truncates (KIP-101, KIP-279)', () => {
  it("cuts what the leader's epoch does not reach", () => {
    const own = log(7, [[0, 0]]);
    expect(offsetTruncationState('t-0', { ...none, leaderEpoch: 0, endOffset: 4 }, own, 4)).toMatchObject({
      offset: 4,
      truncationCompleted: true,
    });
  });

  it('keeps its log when the leader has more of the same epoch', () => {
    const own = log(3, [[0, 0]]);
    expect(offsetTruncationState('t-0', { ...none, leaderEpoch: 0, endOffset: 6 }, own, 0).offset).toBe(3);
  });

  it('asks again when the leader knows only an epoch that it does not know itself', () => {
    // The follower has epochs 0 and 3; the leader 0, 1 and 4: asked for 3 it answers with the end of 1.
    const own = log(30, [
      [0, 0],
      [3, 10],
    ]);
    const first = offsetTruncationState('t-0', { ...none, leaderEpoch: 1, endOffset: 20 }, own, 5);
    expect(first).toMatchObject({ offset: 10, truncationCompleted: false });
    const truncated = log(10, [[0, 0]]);
    expect(offsetTruncationState('t-0', { ...none, leaderEpoch: 0, endOffset: 8 }, truncated, 5)).toMatchObject({
      offset: 8,
      truncationCompleted: true,
    });
  });

  it('falls back to the high watermark when the leader cannot tell', () => {
    const state = offsetTruncationState('t-0', { ...none, leaderEpoch: -1, endOffset: -1 }, log(7, [[0, 0]]), 4);
    expect(state).toMatchObject({ offset: 4, truncationCompleted: true });
    expect(state.warning).toContain('unknown offset');
  });

  it("takes the leader's offset when its epoch is below all of the follower's", () => {
    const state = offsetTruncationState('t-0', { ...none, leaderEpoch: 1, endOffset: 5 }, log(9, [[2, 3]]), 4);
    expect(state).toMatchObject({ offset: 5, truncationCompleted: true });
  });
});
