import { describe, expect, it } from '@jest/globals';
import { faults, makePlan } from '../../src/chaos/plan.ts';

describe('a plan', () => {
  it('says the same for the same seed, and something else for another', () => {
    expect(makePlan(7, 60_000, 3_000)).toEqual(makePlan(7, 60_000, 3_000));
    expect(makePlan(8, 60_000, 3_000)).not.toEqual(makePlan(7, 60_000, 3_000));
  });

  it('of a longer run begins as that of a shorter one', () => {
    const short = makePlan(7, 60_000, 3_000);
    expect(makePlan(7, 120_000, 3_000).slice(0, short.length)).toEqual(short);
  });

  it('has every fault, each before its end, in order of time', () => {
    const plan = makePlan(1, 600_000, 3_000);
    expect(new Set(plan.map(({ fault }) => fault))).toEqual(new Set(faults));
    expect(plan.every(({ atMs }, index) => atMs < 600_000 && atMs > (plan[index - 1]?.atMs ?? 0))).toBe(true);
    expect(plan.every(({ forMs }) => forMs >= 500 && forMs < 6_500)).toBe(true);
  });
});
