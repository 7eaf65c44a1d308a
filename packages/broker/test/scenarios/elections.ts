import type { RecordedTransaction, WrittenTransaction } from '@klassic/test-support';

const firstOfBroker1 = 1;

/**
 * Who won which election. Which broker becomes controller after the first is gone is a race, in the original as well: from
 * epoch 2 on writes, watches and requests are compared as those of `<controller N>`, whoever that is.
 */
export class Elections {
  /** Controller epoch → broker id. Broker 1 starts first, in every scenario. */
  private readonly winners = new Map<number, number>([[firstOfBroker1, 1]]);

  static ofRecording(transactions: readonly RecordedTransaction[]): Elections {
    const elections = new Elections();
    for (const { who, ops } of transactions) {
      const epoch = ops?.find(({ op, path }) => op === 'setData' && path === '/controller_epoch')?.data;
      if (ops?.[0]?.path === '/controller' && epoch !== undefined) elections.note(Number(epoch), brokerIdOf(who));
    }
    return elections;
  }

  static ofTaps(transactions: readonly WrittenTransaction[]): Elections {
    const elections = new Elections();
    for (const { who, ops, code } of transactions) {
      if (ops[0]?.path !== '/controller' || ops[0].op !== 'create' || code !== 'OK') continue;
      elections.note(Number(ops[1]?.data), brokerIdOf(who));
    }
    return elections;
  }

  /** What stands for the broker in what it does as controller of that epoch; one that did not win it is named. */
  nameOf(epoch: number, brokerId: number): string {
    if (!this.isWinner(epoch, brokerId)) return `broker-${brokerId}, not controller ${epoch}`;
    return epoch === firstOfBroker1 ? `broker-${brokerId}` : `<controller ${epoch}>`;
  }

  isWinner(epoch: number, brokerId: number): boolean {
    return this.winners.get(epoch) === brokerId;
  }

  /** Every epoch that somebody won, in order. */
  get epochs(): number[] {
    return [...this.winners.keys()].sort((one, other) => one - other);
  }

  private note(epoch: number, brokerId: number): void {
    const before = this.winners.get(epoch);
    if (before !== undefined && before !== brokerId) {
      throw new Error(`brokers ${before} and ${brokerId} were both elected as controller ${epoch}`);
    }
    this.winners.set(epoch, brokerId);
  }
}

/** Of a session's name, `broker-2#1`, or of a broker's, `broker-2`. */
export function brokerIdOf(who: string): number {
  return Number(/^broker-(\d+)/.exec(who)![1]);
}
