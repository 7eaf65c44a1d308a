import { prefixed } from '@klassic/common';
import type { Logger, LoggerFactory } from '@klassic/common';
import type { KafkaZkClient } from '@klassic/zookeeper';

/**
 * Hands out producer ids that no other broker has, out of blocks claimed in `/latest_producer_id_block`
 * (`kafka.coordinator.transaction.ProducerIdManager`, KIP-98).
 */
export class ProducerIdManager {
  private readonly brokerId: number;
  private readonly store: Pick<KafkaZkClient, 'claimProducerIdBlock'>;
  private readonly logger: Logger;
  private nextId = 0;
  /** Exclusive. */
  private blockEnd = 0;
  private claim: Promise<void> | undefined;

  constructor(brokerId: number, store: Pick<KafkaZkClient, 'claimProducerIdBlock'>, loggers: LoggerFactory) {
    this.brokerId = brokerId;
    this.store = store;
    this.logger = prefixed(
      loggers('kafka.coordinator.transaction.ProducerIdManager'),
      `[ProducerId Manager ${brokerId}]: `,
    );
  }

  /** Takes the first block, as the broker starts. */
  startup(): Promise<void> {
    return this.claimBlock();
  }

  /** A producer id that was never handed out before. */
  async generateProducerId(): Promise<number> {
    while (this.nextId >= this.blockEnd) {
      this.claim ??= this.claimBlock().finally(() => {
        this.claim = undefined;
      });
      await this.claim;
    }
    const id = this.nextId;
    this.nextId += 1;
    return id;
  }

  private async claimBlock(): Promise<void> {
    const { blockStart, blockEnd } = await this.store.claimProducerIdBlock(this.brokerId);
    this.nextId = blockStart;
    this.blockEnd = blockEnd + 1;
    this.logger.info(
      `Acquired new producerId block (brokerId:${this.brokerId},blockStartProducerId:${blockStart},blockEndProducerId:${blockEnd})`,
    );
  }
}
