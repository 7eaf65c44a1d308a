import { appendFileSync } from 'node:fs';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { eventually, sleep } from '../eventually.ts';
import { messageOf } from '../lab-error.ts';

/** One thing a client saw, a line of `traffic.jsonl`. */
export type TrafficEvent =
  | {
      readonly atMs: number;
      readonly kind: 'sent';
      readonly partition: number;
      readonly value: number;
      readonly waitedMs: number;
    }
  | {
      readonly atMs: number;
      readonly kind: 'failed';
      readonly partition: number;
      readonly value: number;
      readonly error: string;
    }
  | {
      readonly atMs: number;
      readonly kind: 'read';
      readonly partition: number;
      readonly value: number;
      readonly offset: number;
    }
  | {
      readonly atMs: number;
      readonly kind: 'trouble';
      readonly client: 'producer' | 'consumer';
      readonly error: string;
    };

export interface TrafficOptions {
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  /** Records a second and partition. */
  readonly rate: number;
  /** Takes the events, one JSON line each. */
  readonly file: string;
}

/** How long the consumer may take to read what was acknowledged once the producer has ended, in milliseconds. */
const readBackMs = 30_000;

/**
 * Produces numbered records with acks=all to every partition of a topic, one after another in each, and reads them back in
 * a consumer group, until `stop` resolves; then waits until everything acknowledged has been read. Both clients are
 * kafkajs, which knows nothing of what happens to the brokers.
 */
export async function runTraffic(options: TrafficOptions, stop: Promise<void>): Promise<void> {
  const { topic, rate, file } = options;
  const tell = (event: TrafficEvent): void => appendFileSync(file, `${JSON.stringify(event)}\n`);
  const clientOf = (client: 'producer' | 'consumer'): Kafka =>
    new Kafka({
      clientId: `lab-${client}`,
      brokers: [...options.bootstrapServers],
      retry: { retries: 200, initialRetryTime: 100, maxRetryTime: 500 },
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => {
        const { message, ...extra } = entry.log;
        const error = typeof extra['error'] === 'string' ? extra['error'] : message;
        tell({ atMs: Date.now(), kind: 'trouble', client, error: error.split('\n')[0]! });
      },
    });

  const producer = clientOf('producer').producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const consumer = clientOf('consumer').consumer({
    groupId: `lab-traffic-${Date.now()}`,
    sessionTimeout: 10_000,
    heartbeatInterval: 1_000,
    maxWaitTimeInMs: 200,
  });
  const admin = clientOf('producer').admin();
  await Promise.all([producer.connect(), consumer.connect(), admin.connect()]);
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  const partitions = metadata.topics[0]!.partitions.map((partition) => partition.partitionId);

  const acknowledged = new Set<string>();
  const read = new Set<string>();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: ({ partition, message }) => {
      const value = Number(message.value?.toString());
      tell({ atMs: Date.now(), kind: 'read', partition, value, offset: Number(message.offset) });
      read.add(`${partition}:${value}`);
      return Promise.resolve();
    },
  });

  let stopping = false;
  void stop.then(() => (stopping = true));
  await Promise.all(
    partitions.map(async (partition) => {
      for (let value = 0; !stopping; value += 1) {
        const sentAt = Date.now();
        try {
          await producer.send({ topic, acks: -1, messages: [{ partition, value: String(value) }] });
          acknowledged.add(`${partition}:${value}`);
          tell({ atMs: Date.now(), kind: 'sent', partition, value, waitedMs: Date.now() - sentAt });
        } catch (error) {
          tell({ atMs: Date.now(), kind: 'failed', partition, value, error: messageOf(error) });
        }
        await sleep(1_000 / rate);
      }
    }),
  );
  // What is missing after this wait is told by the report.
  await eventually(() => [...acknowledged].every((record) => read.has(record)), { timeoutMs: readBackMs }).catch(
    () => undefined,
  );
  await Promise.all([producer.disconnect(), consumer.disconnect()]);
}
