import type { Logger, Time } from '@klassic/common';
import type { DelayedDeleteRecords } from './delayed-delete-records.ts';
import type { DelayedFetch } from './delayed-fetch.ts';
import { DelayedOperationPurgatory } from './delayed-operation.ts';
import type { DelayedProduce } from './delayed-produce.ts';

/** A figure of each purgatory, by the reference's names. */
export type PurgatoryFigures = Readonly<Record<'Produce' | 'Fetch' | 'DeleteRecords', number>>;

/** What waits on a broker for its partitions. Counterpart of `kafka.cluster.DelayedOperations`. */
export class DelayedOperations {
  readonly produce: DelayedOperationPurgatory<DelayedProduce>;
  readonly fetch: DelayedOperationPurgatory<DelayedFetch>;
  readonly deleteRecords: DelayedOperationPurgatory<DelayedDeleteRecords>;

  /** @param logger `kafka.server.DelayedOperationPurgatory` */
  constructor(time: Time, logger: Logger) {
    this.produce = new DelayedOperationPurgatory('Produce', time, logger);
    this.fetch = new DelayedOperationPurgatory('Fetch', time, logger);
    this.deleteRecords = new DelayedOperationPurgatory('DeleteRecords', time, logger);
  }

  /** Looks again at all that waits for a partition, fetches first: theirs is the way to the next high watermark. */
  checkAndCompleteAll(key: string): void {
    this.fetch.checkAndComplete(key);
    this.produce.checkAndComplete(key);
    this.deleteRecords.checkAndComplete(key);
  }

  /** How many operations wait. */
  get sizes(): PurgatoryFigures {
    return {
      Produce: this.produce.numDelayed,
      Fetch: this.fetch.numDelayed,
      DeleteRecords: this.deleteRecords.numDelayed,
    };
  }

  /** How many keys they are watched under. */
  get watches(): PurgatoryFigures {
    return { Produce: this.produce.watched, Fetch: this.fetch.watched, DeleteRecords: this.deleteRecords.watched };
  }

  /** Answers whoever still waits. */
  shutdown(): void {
    this.fetch.shutdown();
    this.produce.shutdown();
    this.deleteRecords.shutdown();
  }
}
