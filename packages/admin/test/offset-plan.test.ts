import { describe, expect, it } from '@jest/globals';
import { exportPlan, readDuration, readPlan } from '../src/groups/offset-plan.ts';

describe('the plan of --reset-offsets as text', () => {
  const plan = [
    { groupId: 'act', topic: 't2', partition: 1, offset: 3 },
    { groupId: 'act', topic: 't1', partition: 0, offset: 0 },
  ];

  it('has no group where there is one only, as captured', () => {
    expect(exportPlan(plan, false)).toBe('t2,1,3\nt1,0,0\n');
    expect(readPlan('t2,1,3\nt1,0,0\n\n', ['act'])).toEqual(plan);
  });

  it('has the group in front where there are several', () => {
    const two = [...plan, { groupId: 'b', topic: 't1', partition: 2, offset: 9 }];
    expect(exportPlan(two, true)).toBe('act,t2,1,3\nact,t1,0,0\nb,t1,2,9\n');
    expect(readPlan(exportPlan(two, true), ['act', 'b'])).toEqual(two);
    expect(readPlan('"act","t2",1,3', ['act', 'b'])).toEqual(plan.slice(0, 1));
  });

  it.each(['t2,1', 't2,x,3', 't2,1,-3', 'act,t2,1,3', ''])('refuses %j, naming the line', (line) => {
    if (line === '') expect(readPlan(line, ['act'])).toEqual([]);
    else expect(() => readPlan(line, ['act'])).toThrow(`Cannot parse '${line}' of the file given by --from-file`);
  });
});

describe('a duration', () => {
  it.each([
    ['P1D', 86_400_000],
    ['PT1H', 3_600_000],
    ['PT1M30S', 90_000],
    ['P2DT3H4M5.5S', 183_845_500],
    ['PT-6H', -21_600_000],
    ['-PT1H', -3_600_000],
    ['pt0s', 0],
  ])('%s', (text, ms) => {
    expect(readDuration(text)).toBe(ms);
  });

  it.each(['', 'P', 'PT', 'P1DT', '1D', 'P1Y', 'PT1D'])('is not %j', (text) => {
    expect(() => readDuration(text)).toThrow('Text cannot be parsed to a Duration');
  });
});
