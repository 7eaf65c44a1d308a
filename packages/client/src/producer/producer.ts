import type { Cancel } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { RecordHeader } from '@klassic/protocol';
import { IllegalStateError, kafkaError, TimeoutError } from '../client-errors.ts';
import type { TopicInfo } from '../metadata/cluster.ts';
import { Metadata } from '../metadata/metadata.ts';
import { NetworkClient } from '../network-client.ts';
import { estimatedSize } from './producer-batch.ts';
import type { PendingRecord, RecordMetadata } from './producer-batch.ts';
import { producerConfig } from './producer-config.ts';
import type { ProducerConfig, ProducerOptions } from './producer-config.ts';
import { RecordAccumulator } from './record-accumulator.ts';
import { Sender } from './sender.ts';

/** A record to be sent. Strings are written as UTF-8. */
export interface ProducerRecord {
  readonly topic: string;
  /** Default: by the key, or where the current batch goes. */
  readonly partition?: number;
  readonly key?: Buffer | string | null;
  /** null is a tombstone. */
  readonly value: Buffer | string | null;
  readonly headers?: readonly RecordHeader[];
  /** Milliseconds since 1970; default: now. */
  readonly timestamp?: number;
}

interface MemoryWaiter {
  readonly size: number;
  readonly proceed: () => void;
  readonly cancelTimeout: Cancel;
}

/**
 * Sends records to the leaders of their partitions in batches. Records of one partition keep the order of `send`,
 * also over retries. Counterpart of `KafkaProducer`.
 */
export class Producer {
  private readonly config: ProducerConfig;
  private readonly client: NetworkClient;
  private readonly metadata: Metadata;
  private readonly accumulator: RecordAccumulator;
  private readonly sender: Sender;
  private readonly awaitedTopics = new Map<string, Promise<TopicInfo>>();
  private readonly memoryWaiters: MemoryWaiter[] = [];
  private readonly flushWaiters = new Set<() => void>();
  /** Records handed in that wait for metadata or memory. */
  private admissions = 0;
  private closed = false;

  /** @throws ConfigError */
  constructor(options: ProducerOptions) {
    this.config = producerConfig(options);
    this.client = new NetworkClient(this.config);
    this.metadata = new Metadata(this.client, this.config, { allowAutoTopicCreation: true });
    this.accumulator = new RecordAccumulator(this.config.batchSize);
    this.sender = new Sender(this.client, this.metadata, this.accumulator, this.config, () => {
      this.batchDone();
    });
  }

  /**
   * Sends a record; resolves when it is acknowledged as `acks` asks.
   *
   * @throws TimeoutError when metadata, memory or delivery take too long
   * @throws KafkaError when the broker refuses it for good
   * @throws IllegalStateError after `close`
   */
  send(record: ProducerRecord): Promise<RecordMetadata> {
    if (this.closed)
      return Promise.reject(new IllegalStateError('Cannot perform operation after producer has been closed'));
    return new Promise((resolve, reject) => {
      const pending: PendingRecord = {
        timestamp: record.timestamp ?? this.config.time.milliseconds(),
        key: toBuffer(record.key ?? null),
        value: toBuffer(record.value),
        headers: record.headers ?? [],
        resolve,
        reject,
      };
      const size = estimatedSize(pending);
      if (size > this.config.maxRequestSize) {
        reject(
          kafkaError(
            Errors.MESSAGE_TOO_LARGE.code,
            `The message is ${size} bytes when serialized which is larger than ${this.config.maxRequestSize}, which is the value of the max.request.size configuration.`,
          ),
        );
        return;
      }
      this.withTopic(record, reject, (topic) => {
        this.withMemory(size, reject, () => {
          this.append(topic, record.partition, pending, size);
        });
      });
    });
  }

  /** The partitions of a topic; waits until it is known. */
  async partitionsFor(topic: string): Promise<TopicInfo> {
    return await this.metadata.awaitTopic(topic, this.config.maxBlockMs);
  }

  /** Sends what waits; resolves when everything handed in before is acknowledged or has failed. */
  async flush(): Promise<void> {
    this.sender.beginFlush();
    try {
      while (!this.isIdle) {
        await new Promise<void>((resolve) => {
          this.flushWaiters.add(resolve);
        });
      }
    } finally {
      this.sender.endFlush();
    }
  }

  /**
   * Flushes, then closes the connections. What is not delivered within `timeoutMs` fails.
   *
   * @param timeoutMs milliseconds; default: no limit but each record's own delivery timeout
   */
  async close(timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const limit = Number.isFinite(timeoutMs)
      ? this.config.time.schedule(timeoutMs, () => {
          this.sender.stop(new TimeoutError('Producer is closed forcefully.'));
        })
      : undefined;
    await this.flush();
    limit?.();
    this.sender.stop(new IllegalStateError('Producer is closed.'));
    this.client.close();
  }

  private get isIdle(): boolean {
    if (this.admissions > 0) return false;
    for (const _batch of this.accumulator.incomplete()) return false;
    return true;
  }

  /** Calls `proceed` at once when the topic is known, in order behind those that wait for it already otherwise. */
  private withTopic(record: ProducerRecord, reject: (error: Error) => void, proceed: (topic: TopicInfo) => void): void {
    const { topic, partition } = record;
    const known = this.metadata.cluster.topics.get(topic);
    const isUsable = known?.errorCode === Errors.NONE.code && (partition ?? 0) < known.partitions.length;
    if (isUsable && !this.awaitedTopics.has(topic)) {
      proceed(known);
      return;
    }
    let awaited = this.awaitedTopics.get(topic);
    if (awaited === undefined) {
      awaited = this.metadata.awaitTopic(topic, this.config.maxBlockMs).finally(() => {
        this.awaitedTopics.delete(topic);
      });
      this.awaitedTopics.set(topic, awaited);
    }
    this.admissions += 1;
    awaited
      .then(
        (info) => {
          if (partition !== undefined && (partition < 0 || partition >= info.partitions.length)) {
            reject(
              new TimeoutError(
                `Partition ${partition} of topic ${topic} with partition count ${info.partitions.length} is not present in metadata after ${this.config.maxBlockMs} ms.`,
              ),
            );
          } else {
            proceed(info);
          }
        },
        (error: unknown) => {
          reject(error as Error);
        },
      )
      .finally(() => {
        this.admissions -= 1;
        this.wakeFlush();
      })
      .catch(reject);
  }

  private withMemory(size: number, reject: (error: Error) => void, proceed: () => void): void {
    if (this.memoryWaiters.length === 0 && this.accumulator.usedBytes + size <= this.config.bufferMemory) {
      proceed();
      return;
    }
    this.admissions += 1;
    const { maxBlockMs, time } = this.config;
    const waiter: MemoryWaiter = {
      size,
      proceed: () => {
        this.admissions -= 1;
        proceed();
      },
      cancelTimeout: time.schedule(maxBlockMs, () => {
        this.memoryWaiters.splice(this.memoryWaiters.indexOf(waiter), 1);
        this.admissions -= 1;
        reject(
          new TimeoutError(
            `Failed to allocate ${size} bytes within the configured max blocking time ${maxBlockMs} ms.`,
          ),
        );
        this.wakeFlush();
      }),
    };
    this.memoryWaiters.push(waiter);
    this.sender.wake();
  }

  private append(topic: TopicInfo, asked: number | undefined, record: PendingRecord, size: number): void {
    const { partitioner, time } = this.config;
    let partition = asked ?? partitioner.partition(topic, record.key);
    if (asked === undefined && record.key === null && this.accumulator.wouldBeginBatch(topic.name, partition, size)) {
      partitioner.onNewBatch?.(topic, partition);
      partition = partitioner.partition(topic, record.key);
    }
    this.accumulator.append(topic.name, partition, record, time.hiResMs());
    this.sender.wake();
  }

  private batchDone(): void {
    for (;;) {
      const waiter = this.memoryWaiters[0];
      if (waiter === undefined) break;
      const { usedBytes } = this.accumulator;
      if (usedBytes > 0 && usedBytes + waiter.size > this.config.bufferMemory) break;
      this.memoryWaiters.shift();
      waiter.cancelTimeout();
      waiter.proceed();
    }
    this.wakeFlush();
  }

  private wakeFlush(): void {
    if (!this.isIdle) return;
    for (const resolve of [...this.flushWaiters]) {
      this.flushWaiters.delete(resolve);
      resolve();
    }
  }
}

function toBuffer(data: Buffer | string | null): Buffer | null {
  return typeof data === 'string' ? Buffer.from(data) : data;
}
