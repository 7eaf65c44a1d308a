import { DisconnectError } from '@klassic/network';
import { throwIfError } from '../client-errors.ts';
import type { Metadata } from '../metadata/metadata.ts';
import type { NetworkClient } from '../network-client.ts';

const NONE = -1;

/** The producer id by which brokers recognise an idempotent producer's batches (KIP-98). */
export class ProducerIdentity {
  private readonly client: NetworkClient;
  private readonly metadata: Metadata;
  private resetting = false;
  private obtaining: Promise<void> | undefined;

  producerId = NONE;
  producerEpoch = NONE;

  constructor(client: NetworkClient, metadata: Metadata) {
    this.client = client;
    this.metadata = metadata;
  }

  get isKnown(): boolean {
    return this.producerId !== NONE;
  }

  /** From `reset` until `forget`: nothing is sent, so that what is on its way comes back first. */
  get isResetting(): boolean {
    return this.resetting;
  }

  /** The sequences are of no more use: a new id is needed as soon as nothing is on its way. */
  reset(): void {
    if (this.isKnown) this.resetting = true;
  }

  /** Drops the id; sequences begin at 0 with the next one. */
  forget(): void {
    this.resetting = false;
    this.producerId = NONE;
    this.producerEpoch = NONE;
  }

  /**
   * Asks any broker for an id. Calls while one is under way share it.
   *
   * @throws DisconnectError, KafkaError when there is none to be had now
   */
  obtain(): Promise<void> {
    this.obtaining ??= this.ask().finally(() => {
      this.obtaining = undefined;
    });
    return this.obtaining;
  }

  private async ask(): Promise<void> {
    const node = this.metadata.candidates()[0];
    if (node === undefined) throw new DisconnectError('No broker is known');
    const answer = await this.client.send(node, 'InitProducerId', {
      transactionalId: null,
      transactionTimeoutMs: 0x7fffffff,
      producerId: NONE,
      producerEpoch: NONE,
    });
    throwIfError(answer.errorCode);
    this.producerId = answer.producerId;
    this.producerEpoch = answer.producerEpoch;
  }
}
