import { describe, expect, it } from '@jest/globals';
import { MockTime } from '@klassic/common';
import { StateChangeTurns } from '../../src/replica/state-change-turns.ts';

/** Virtual time in which each look at the monotonic clock takes a millisecond, as work would. */
class BusyTime extends MockTime {
  private spentMs = 0;

  override hiResMs(): number {
    this.spentMs += 1;
    return super.hiResMs() + this.spentMs;
  }
}

describe('the turns of state changes', () => {
  it('lets others run between slices of 10 ms', async () => {
    const time = new BusyTime();
    const turns = new StateChangeTurns(time);
    const pieces: number[] = [0];
    let working = true;
    const watch = (): void => {
      if (!working) return;
      pieces.push(0);
      time.soon(watch);
    };
    time.soon(watch);
    const done = turns
      .run((slices) => slices.each(Array.from({ length: 1000 }), () => (pieces[pieces.length - 1]! += 1)))
      .finally(() => (working = false));
    await time.advance(1);
    await done;
    expect(pieces.reduce((sum, piece) => sum + piece)).toBe(1000);
    expect(Math.max(...pieces)).toBeLessThanOrEqual(10);
  });

  it('runs one change after another, in the order they came, though the first takes many slices', async () => {
    const time = new BusyTime();
    const turns = new StateChangeTurns(time);
    const order: string[] = [];
    const changes = [
      turns.run((slices) => slices.each(Array.from({ length: 100 }), () => order.push('first'))),
      turns.run(() => order.push('second')),
      turns.run((slices) => slices.each(Array.from({ length: 100 }), () => order.push('third'))),
    ];
    expect(order.length).toBeLessThan(100);
    await time.advance(1);
    await Promise.all(changes);
    expect(order).toEqual([...Array<string>(100).fill('first'), 'second', ...Array<string>(100).fill('third')]);
  });

  it('begins at once when nothing is under way', () => {
    const turns = new StateChangeTurns(new MockTime());
    const order: string[] = [];
    void turns.run(() => order.push('change'));
    order.push('after');
    expect(order).toEqual(['change', 'after']);
  });

  it('goes on after a change that failed', async () => {
    const turns = new StateChangeTurns(new MockTime());
    const failing = turns.run(() => Promise.reject(new Error('refused')));
    const next = turns.run(() => 'done');
    await expect(failing).rejects.toThrow('refused');
    expect(await next).toBe('done');
  });

  it('ends what is under way, and begins nothing more, once the broker stops', async () => {
    const time = new BusyTime();
    const turns = new StateChangeTurns(time);
    let count = 0;
    const first = turns.run((slices) => slices.each(Array.from({ length: 100 }), () => (count += 1)));
    const second = turns.run(() => (count += 1000));
    turns.stop();
    const results = Promise.allSettled([first, second]);
    await time.advance(1);
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(count).toBeLessThan(100);
  });
});
