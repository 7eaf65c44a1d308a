import type { Cancel, Logger } from '@klassic/common';
import { buildBatch, errorByCode, Errors } from '@klassic/protocol';
import type { ResponseOf } from '@klassic/protocol';
import { isRetriable, kafkaError, TimeoutError } from '../client-errors.ts';
import type { Node } from '../metadata/cluster.ts';
import type { Metadata } from '../metadata/metadata.ts';
import type { NetworkClient } from '../network-client.ts';
import type { ProducerBatch } from './producer-batch.ts';
import type { ProducerConfig } from './producer-config.ts';
import { ProducerIdentity } from './producer-identity.ts';
import type { PartitionQueue, RecordAccumulator } from './record-accumulator.ts';

type PartitionAnswer = ResponseOf<'Produce'>['responses'][number]['partitionResponses'][number];

/** Takes batches that are ready from the accumulator to their leaders. Counterpart of `Sender`, as a task run on need. */
export class Sender {
  private readonly client: NetworkClient;
  private readonly metadata: Metadata;
  private readonly accumulator: RecordAccumulator;
  private readonly config: ProducerConfig;
  private readonly identity: ProducerIdentity | undefined;
  private readonly logger: Logger;
  private readonly onBatchDone: () => void;
  private readonly requestsInFlight = new Map<number, number>();
  private flushes = 0;
  private cancelTimer: Cancel | undefined;
  private timerAtHiResMs = Number.POSITIVE_INFINITY;
  private awake = false;
  private stopped = false;

  /** @param onBatchDone called after each batch that has succeeded or failed for good */
  constructor(
    client: NetworkClient,
    metadata: Metadata,
    accumulator: RecordAccumulator,
    config: ProducerConfig,
    onBatchDone: () => void,
  ) {
    this.client = client;
    this.metadata = metadata;
    this.accumulator = accumulator;
    this.config = config;
    this.identity = config.enableIdempotence ? new ProducerIdentity(client, metadata) : undefined;
    this.logger = config.loggers('org.apache.kafka.clients.producer.internals.Sender');
    this.onBatchDone = onBatchDone;
  }

  /** Something may be ready: look on the next turn. */
  wake(): void {
    if (this.awake || this.stopped) return;
    this.awake = true;
    this.config.time.soon(() => {
      this.awake = false;
      this.run();
    });
  }

  /** While a flush is on, no batch waits for more records. */
  beginFlush(): void {
    this.flushes += 1;
    this.wake();
  }

  endFlush(): void {
    this.flushes -= 1;
  }

  /** Sends nothing more; what is not done fails. */
  stop(reason: Error): void {
    this.stopped = true;
    this.cancelTimer?.();
    for (const queue of this.accumulator.partitions) {
      for (const batch of [...queue.waiting.splice(0), ...queue.inFlight]) this.fail(queue, batch, reason);
    }
  }

  private run(): void {
    if (this.stopped) return;
    const now = this.config.time.hiResMs();
    this.expire(now);
    if (this.identity?.isResetting === true && !this.anyInFlight()) this.resetSequences();
    const byNode = new Map<Node, { batches: ProducerBatch[]; bytes: number }>();
    let wakeAtHiResMs = Number.POSITIVE_INFINITY;
    for (const queue of this.accumulator.partitions) {
      const batch = queue.waiting[0];
      if (batch === undefined) continue;
      wakeAtHiResMs = Math.min(wakeAtHiResMs, batch.createdHiResMs + this.config.deliveryTimeoutMs);
      if (this.isMuted(queue, batch)) continue;
      const readyAtHiResMs = this.readyAt(queue, batch);
      if (readyAtHiResMs > now) {
        wakeAtHiResMs = Math.min(wakeAtHiResMs, readyAtHiResMs);
        continue;
      }
      const leader = this.metadata.cluster.leaderFor(queue.topic, queue.partition);
      if (leader === undefined) {
        this.metadata.add([queue.topic]);
        this.metadata.requestUpdate();
        wakeAtHiResMs = Math.min(wakeAtHiResMs, now + this.config.retryBackoffMs);
        continue;
      }
      if ((this.requestsInFlight.get(leader.id) ?? 0) >= this.config.maxInFlightRequestsPerConnection) continue;
      const request = byNode.get(leader) ?? { batches: [], bytes: 0 };
      if (request.bytes > 0 && request.bytes + batch.sizeInBytes > this.config.maxRequestSize) {
        wakeAtHiResMs = now;
        continue;
      }
      request.batches.push(batch);
      request.bytes += batch.sizeInBytes;
      byNode.set(leader, request);
    }
    if (this.metadata.needsUpdate) this.refreshMetadata();
    if (byNode.size > 0 && this.identity !== undefined && !this.identity.isKnown) {
      this.obtainIdentity();
      return;
    }
    for (const [node, { batches }] of byNode) this.dispatch(node, batches);
    this.wakeAt(wakeAtHiResMs, now);
  }

  /** Order: one batch of a partition at a time, unless the broker checks sequences; then also one by one after a failure. */
  private isMuted(queue: PartitionQueue, first: ProducerBatch): boolean {
    if (queue.inFlight.size === 0) return this.identity?.isResetting === true;
    return this.identity === undefined || this.identity.isResetting || first.attempts > 0 || this.hasRetried(queue);
  }

  private hasRetried(queue: PartitionQueue): boolean {
    for (const batch of queue.inFlight) if (batch.attempts > 1) return true;
    return false;
  }

  private readyAt(queue: PartitionQueue, batch: ProducerBatch): number {
    if (batch.attempts > 0) return batch.retryAtHiResMs;
    const full = batch.isClosed || queue.waiting.length > 1;
    if (full || this.flushes > 0 || this.accumulator.usedBytes >= this.config.bufferMemory) return 0;
    return batch.createdHiResMs + this.config.lingerMs;
  }

  private wakeAt(atHiResMs: number, now: number): void {
    if (atHiResMs === Number.POSITIVE_INFINITY) return;
    if (atHiResMs <= now) {
      this.wake();
    } else if (atHiResMs < this.timerAtHiResMs) {
      this.cancelTimer?.();
      this.timerAtHiResMs = atHiResMs;
      this.cancelTimer = this.config.time.schedule(Math.ceil(atHiResMs - now), () => {
        this.timerAtHiResMs = Number.POSITIVE_INFINITY;
        this.cancelTimer = undefined;
        this.wake();
      });
    }
  }

  private dispatch(node: Node, batches: ProducerBatch[]): void {
    this.requestsInFlight.set(node.id, (this.requestsInFlight.get(node.id) ?? 0) + 1);
    const byTopic = new Map<string, { index: number; records: Buffer }[]>();
    for (const batch of batches) {
      const queue = this.accumulator.queue(batch.topic, batch.partition);
      queue.waiting.shift();
      queue.inFlight.add(batch);
      batch.isClosed = true;
      batch.attempts += 1;
      if (this.identity !== undefined && batch.baseSequence < 0) {
        batch.baseSequence = queue.nextSequence;
        queue.nextSequence += batch.records.length;
      }
      const partitions = byTopic.get(batch.topic) ?? [];
      partitions.push({ index: batch.partition, records: this.encode(batch) });
      byTopic.set(batch.topic, partitions);
    }
    const body = {
      acks: this.config.acks,
      timeoutMs: this.config.requestTimeoutMs,
      topicData: [...byTopic].map(([name, partitionData]) => ({ name, partitionData })),
    };
    const answered =
      this.config.acks === 0
        ? this.client.sendOneWay(node, 'Produce', body).then(() => undefined)
        : this.client.send(node, 'Produce', body);
    void answered
      .then(
        (answer) => {
          this.takeAnswer(batches, answer);
        },
        (error: unknown) => {
          this.metadata.requestUpdate();
          for (const batch of batches) this.retryOrFail(batch, error as Error);
        },
      )
      .finally(() => {
        this.requestsInFlight.set(node.id, this.requestsInFlight.get(node.id)! - 1);
        this.wake();
      });
  }

  private encode(batch: ProducerBatch): Buffer {
    const producer =
      this.identity === undefined
        ? {}
        : {
            producerId: this.identity.producerId,
            producerEpoch: this.identity.producerEpoch,
            baseSequence: batch.baseSequence,
          };
    return buildBatch({ records: batch.records, compression: this.config.compressionType, ...producer });
  }

  private takeAnswer(batches: ProducerBatch[], answer: ResponseOf<'Produce'> | undefined): void {
    if (answer === undefined) {
      for (const batch of batches) this.succeed(batch, -1, -1);
      return;
    }
    const byTopic = new Map(answer.responses.map(({ name, partitionResponses }) => [name, partitionResponses]));
    for (const batch of batches) {
      const partition = byTopic.get(batch.topic)?.find(({ index }) => index === batch.partition);
      if (partition === undefined) {
        this.retryOrFail(batch, kafkaError(Errors.UNKNOWN_SERVER_ERROR.code, 'The answer lacks the partition'));
      } else {
        this.takePartitionAnswer(batch, partition);
      }
    }
  }

  private takePartitionAnswer(batch: ProducerBatch, answer: PartitionAnswer): void {
    const { errorCode, baseOffset, logAppendTimeMs } = answer;
    if (errorCode === Errors.NONE.code) {
      this.succeed(batch, baseOffset, logAppendTimeMs);
    } else if (errorCode === Errors.DUPLICATE_SEQUENCE_NUMBER.code) {
      this.succeed(batch, -1, -1);
    } else if (errorCode === Errors.MESSAGE_TOO_LARGE.code && batch.records.length > 1) {
      this.splitAndRequeue(batch);
    } else if (this.identity !== undefined && isSequenceError(errorCode)) {
      this.takeSequenceError(batch, errorCode);
    } else {
      if (errorByCode(errorCode).invalidMetadata) this.metadata.requestUpdate();
      this.retryOrFail(batch, kafkaError(errorCode, answer.errorMessage));
    }
  }

  /** An earlier batch that is still to be sent again explains the gap; else the broker has forgotten us. */
  private takeSequenceError(batch: ProducerBatch, errorCode: number): void {
    const queue = this.accumulator.queue(batch.topic, batch.partition);
    const earlier = [...queue.inFlight, ...queue.waiting].some(
      (other) => other.baseSequence >= 0 && other.baseSequence < batch.baseSequence,
    );
    if (!earlier) this.identity!.reset();
    if (earlier || errorCode === Errors.UNKNOWN_PRODUCER_ID.code) this.requeue(queue, batch);
    else this.fail(queue, batch, kafkaError(errorCode));
  }

  private splitAndRequeue(batch: ProducerBatch): void {
    const queue = this.accumulator.queue(batch.topic, batch.partition);
    queue.inFlight.delete(batch);
    const [first, second] = batch.split();
    queue.waiting.unshift(first, second);
  }

  private retryOrFail(batch: ProducerBatch, error: Error): void {
    const queue = this.accumulator.queue(batch.topic, batch.partition);
    const { deliveryTimeoutMs, retries, time } = this.config;
    const late = time.hiResMs() - batch.createdHiResMs >= deliveryTimeoutMs;
    if (!isRetriable(error) || this.config.acks === 0 || batch.attempts > retries || late) {
      this.fail(queue, batch, error);
      return;
    }
    this.logger.warn(
      `Got error produce response on topic-partition ${batch.topic}-${batch.partition}, retrying. Error: ${error.message}`,
    );
    this.requeue(queue, batch);
  }

  private requeue(queue: PartitionQueue, batch: ProducerBatch): void {
    if (!queue.inFlight.delete(batch)) return;
    batch.retryAtHiResMs = this.config.time.hiResMs() + this.config.retryBackoffMs;
    this.accumulator.requeue(queue, batch);
  }

  private succeed(batch: ProducerBatch, baseOffset: number, logAppendTimeMs: number): void {
    const queue = this.accumulator.queue(batch.topic, batch.partition);
    if (!queue.inFlight.delete(batch)) return;
    this.accumulator.release(batch);
    batch.complete(baseOffset, logAppendTimeMs);
    this.onBatchDone();
  }

  private fail(queue: PartitionQueue, batch: ProducerBatch, error: Error): void {
    queue.inFlight.delete(batch);
    this.accumulator.release(batch);
    // A sequence that is never taken leaves a gap that the broker would refuse to pass.
    if (batch.baseSequence >= 0) this.identity?.reset();
    batch.fail(error);
    this.onBatchDone();
  }

  private expire(now: number): void {
    const { deliveryTimeoutMs } = this.config;
    for (const queue of this.accumulator.partitions) {
      for (;;) {
        const batch = queue.waiting[0];
        if (batch === undefined || now - batch.createdHiResMs < deliveryTimeoutMs) break;
        queue.waiting.shift();
        const count = batch.records.length;
        const place = `${batch.topic}-${batch.partition}`;
        this.fail(
          queue,
          batch,
          new TimeoutError(
            `Expiring ${count} record(s) for ${place}:${deliveryTimeoutMs} ms has passed since batch creation`,
          ),
        );
      }
    }
  }

  private anyInFlight(): boolean {
    for (const queue of this.accumulator.partitions) if (queue.inFlight.size > 0) return true;
    return false;
  }

  private resetSequences(): void {
    for (const queue of this.accumulator.partitions) {
      queue.nextSequence = 0;
      for (const batch of queue.waiting) batch.baseSequence = -1;
    }
    this.identity!.forget();
  }

  private obtainIdentity(): void {
    this.identity!.obtain().then(
      () => {
        this.wake();
      },
      (error: unknown) => {
        if (!isRetriable(error)) {
          this.failAll(error as Error);
          return;
        }
        this.logger.warn(`No producer id yet: ${(error as Error).message}`);
        this.wakeAt(this.config.time.hiResMs() + this.config.retryBackoffMs, this.config.time.hiResMs());
      },
    );
  }

  private failAll(error: Error): void {
    for (const queue of this.accumulator.partitions) {
      for (const batch of queue.waiting.splice(0)) this.fail(queue, batch, error);
    }
  }

  private refreshMetadata(): void {
    void this.metadata.maybeRefresh().then(
      () => {
        this.wakeAt(this.config.time.hiResMs() + this.config.retryBackoffMs, this.config.time.hiResMs());
      },
      (error: unknown) => {
        this.logger.error('Metadata cannot be refreshed', error);
      },
    );
  }
}

function isSequenceError(code: number): boolean {
  return code === Errors.OUT_OF_ORDER_SEQUENCE_NUMBER.code || code === Errors.UNKNOWN_PRODUCER_ID.code;
}
