import { describe, expect, it } from '@jest/globals';
import { MockTime, silentLogger } from '@klassic/common';
import { DelayedOperation, DelayedOperationPurgatory } from '../../src/replica/index.ts';

class Awaiting extends DelayedOperation {
  ready = false;
  looks: (string | undefined)[] = [];
  outcome: 'none' | 'completed' | 'expired' = 'none';

  override tryComplete(changedKey?: string): boolean {
    this.looks.push(changedKey);
    return this.ready && this.forceComplete();
  }

  override onExpiration(): void {
    this.outcome = 'expired';
  }

  protected override onComplete(): void {
    expect(this.outcome).toBe('none');
    this.outcome = 'completed';
  }
}

function purgatory(): { time: MockTime; watched: DelayedOperationPurgatory<Awaiting> } {
  const time = new MockTime();
  return { time, watched: new DelayedOperationPurgatory<Awaiting>('Test', time, silentLogger) };
}

describe('DelayedOperationPurgatory', () => {
  it('completes at once what can be done now, and watches nothing', () => {
    const { watched } = purgatory();
    const operation = new Awaiting(100);
    operation.ready = true;
    expect(watched.tryCompleteElseWatch(operation, ['t-0'])).toBe(true);
    expect(operation.outcome).toBe('completed');
    expect([watched.watched, watched.numDelayed]).toEqual([0, 0]);
  });

  it('completes under any of the keys, tells which one changed, and leaves all of them', () => {
    const { watched } = purgatory();
    const operation = new Awaiting(100);
    expect(watched.tryCompleteElseWatch(operation, ['t-0', 't-1'])).toBe(false);
    expect([watched.watched, watched.numDelayed]).toEqual([2, 1]);
    expect(watched.checkAndComplete('t-0')).toBe(0);
    operation.ready = true;
    expect(watched.checkAndComplete('t-2')).toBe(0);
    expect(watched.checkAndComplete('t-1')).toBe(1);
    expect(operation.looks).toEqual([undefined, 't-0', 't-1']);
    expect([watched.watched, watched.numDelayed]).toEqual([0, 0]);
    expect(watched.checkAndComplete('t-0')).toBe(0);
  });

  it('expires at its time, once, and not before', async () => {
    const { time, watched } = purgatory();
    const operation = new Awaiting(100);
    watched.tryCompleteElseWatch(operation, ['t-0']);
    await time.advance(99);
    expect(operation.outcome).toBe('none');
    await time.advance(1);
    expect(operation.outcome).toBe('expired');
    operation.ready = true;
    expect(watched.checkAndComplete('t-0')).toBe(0);
    expect(watched.numDelayed).toBe(0);
  });

  it('does not expire what has completed', async () => {
    const { time, watched } = purgatory();
    const operation = new Awaiting(100);
    watched.tryCompleteElseWatch(operation, ['t-0']);
    operation.ready = true;
    watched.checkAndComplete('t-0');
    await time.advance(1000);
    expect(operation.outcome).toBe('completed');
  });

  it('answers everybody on shutdown', async () => {
    const { time, watched } = purgatory();
    const operations = [new Awaiting(100), new Awaiting(200)];
    for (const operation of operations) watched.tryCompleteElseWatch(operation, ['t-0']);
    watched.shutdown();
    expect(operations.map(({ outcome }) => outcome)).toEqual(['completed', 'completed']);
    await time.advance(1000);
    expect(watched.watched).toBe(0);
  });
});
