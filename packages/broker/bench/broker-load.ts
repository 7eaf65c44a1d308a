import type { Codec } from '@klassic/protocol';
import { BenchConnection } from './bench-client.ts';
import type { Leader } from './bench-client.ts';
import { plainFileRates } from './plain-files.ts';
import { processorMs } from './processor-time.ts';
import { Report } from './report.ts';
import { batchOf, endToEnd, fetchAll, produce, request } from './workloads.ts';
import type { Batch, Limit, Work } from './workloads.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** As many as Kafka's producer keeps in flight. */
const IN_FLIGHT = 5;

/** The sizes that decide: many small requests or few large ones, few large records or many small ones. */
const shapes = [
  { batchBytes: 16 * KIB, valueBytes: 1024, name: '16 KiB batches of 1 KiB' },
  { batchBytes: 16 * KIB, valueBytes: 100, name: '16 KiB batches of 100 B' },
  { batchBytes: 128 * KIB, valueBytes: 1024, name: '128 KiB batches of 1 KiB' },
  { batchBytes: 128 * KIB, valueBytes: 100, name: '128 KiB batches of 100 B' },
] as const;

export interface BrokerLoadOptions {
  /** Any broker of the cluster. */
  readonly host: string;
  readonly port: number;
  /** Of the brokers, for their processor time; empty where they run elsewhere. */
  readonly pids: readonly number[];
  /** How much each workload does at most. */
  readonly limit: Limit;
  readonly print: (line: string) => void;
}

/** Loads a cluster with one client and prints what it gave; the figures are the client's, the processor time the brokers'. */
export class BrokerLoad {
  private readonly options: BrokerLoadOptions;
  private readonly report: Report;

  constructor(options: BrokerLoadOptions) {
    this.options = options;
    this.report = new Report(options.print);
  }

  /** One broker by one codec: acks=1, one partition. */
  async oneBroker(codec: Codec): Promise<void> {
    const connection = await this.open(codec);
    try {
      await this.produceAndFetch(connection);
      await this.smallRequests(connection);
      await this.latencies(connection, 1, 1);
    } finally {
      connection.close();
    }
  }

  /** Three replicas of every partition, acks=all, at least two in sync. */
  async threeBrokers(codec: Codec): Promise<void> {
    const connection = await this.open(codec);
    try {
      await this.produceReplicated(connection);
      await this.latencies(connection, 3, -1);
    } finally {
      connection.close();
    }
  }

  private open(codec: Codec): Promise<BenchConnection> {
    return BenchConnection.open(this.options.host, this.options.port, codec);
  }

  private async produceAndFetch(connection: BenchConnection): Promise<void> {
    const { codec } = connection;
    this.throughputHeading(`one broker, acks=1, codec ${codec}`);
    for (const { batchBytes, valueBytes, name } of shapes) {
      const leaders = await connection.createTopic(topicName(codec, batchBytes, valueBytes), 1, 1);
      const batch = batchOf(batchBytes, valueBytes);
      const plain = this.plainRates(batch);
      const targets = [{ connection, partitions: leaders }];
      await this.throughput(`produce ${name}`, plain.write, (limit) => produce(targets, batch, 1, IN_FLIGHT, limit));
      await this.throughput('  fetch them, 1 MiB a request', plain.read, (limit) =>
        fetchAll(connection, leaders[0]!, limit),
      );
    }
  }

  private async produceReplicated(connection: BenchConnection): Promise<void> {
    const { codec } = connection;
    this.throughputHeading(`three brokers, rf 3, acks=all, codec ${codec}`);
    const settings = { 'min.insync.replicas': '2' };
    const leaders = await connection.createTopic(`replicated-${codec}-${Date.now()}`, 12, 3, settings);
    const targets = await this.byLeader(codec, leaders);
    try {
      for (const { batchBytes, valueBytes, name } of shapes.slice(0, 3)) {
        const batch = batchOf(batchBytes, valueBytes);
        await this.throughput(`produce ${name}, 12 partitions`, this.plainRates(batch).write, (limit) =>
          produce(targets, batch, -1, IN_FLIGHT, limit),
        );
      }
    } finally {
      for (const target of targets) target.connection.close();
    }
  }

  /** One connection to every broker, with the partitions that it leads. */
  private async byLeader(
    codec: Codec,
    leaders: readonly Leader[],
  ): Promise<{ connection: BenchConnection; partitions: Leader[] }[]> {
    const ofBroker = Map.groupBy(leaders, ({ host, port }) => `${host}:${port}`);
    return Promise.all(
      [...ofBroker.values()].map(async (partitions) => {
        const { host, port } = partitions[0]!;
        return { connection: await BenchConnection.open(host, port, codec), partitions };
      }),
    );
  }

  private async smallRequests(connection: BenchConnection): Promise<void> {
    this.report.heading(`requests, codec ${connection.codec}`, 'requests/s', 'CPU µs each');
    const [leader] = await connection.createTopic(`small-${connection.codec}-${Date.now()}`, 1, 1);
    const apiVersions = (): Promise<unknown> => connection.send('ApiVersions', {});
    const metadata = (): Promise<unknown> => connection.send('Metadata', { topics: [{ name: leader!.topic }] });
    await this.rate('ApiVersions, one at a time', apiVersions, 1);
    await this.rate('ApiVersions, 20 in flight', apiVersions, 20);
    await this.rate('Metadata of one topic, one at a time', metadata, 1);
    await this.rate('Metadata of one topic, 20 in flight', metadata, 20);
  }

  private async latencies(connection: BenchConnection, replicas: number, acks: 1 | -1): Promise<void> {
    const { codec } = connection;
    const settings = replicas === 1 ? {} : { 'min.insync.replicas': '2' };
    const [leader] = await connection.createTopic(`latency-${codec}-${replicas}-${Date.now()}`, 1, replicas, settings);
    const { host, port } = leader!;
    const [producer, consumer] = await Promise.all([
      BenchConnection.open(host, port, codec),
      BenchConnection.open(host, port, codec),
    ]);
    try {
      this.report.heading(`one record at a time, codec ${codec}`, 'p50 ms', 'p99 ms', 'records');
      const oneRecord = batchOf(0, 100);
      const { ms } = this.options.limit;
      await endToEnd(producer, consumer, leader!, oneRecord, acks, ms / 4);
      const name = `produced to consumed, rf ${replicas}, acks=${acks === 1 ? '1' : 'all'}`;
      this.report.latency(name, await endToEnd(producer, consumer, leader!, oneRecord, acks, ms));
    } finally {
      producer.close();
      consumer.close();
    }
  }

  private throughputHeading(text: string): void {
    this.report.heading(text, 'MiB/s', 'records/s', 'requests/s', 'CPU s/GiB', 'of plain');
  }

  private plainRates(batch: Batch): { write: number; read: number } {
    return plainFileRates(batch.bytes, Math.min(64 * MIB, this.options.limit.bytes));
  }

  private async throughput(name: string, plain: number, work: (limit: Limit) => Promise<Work>): Promise<void> {
    const { limit } = this.options;
    await work({ bytes: limit.bytes / 4, ms: limit.ms / 4 });
    const before = this.cpuMs();
    const done = await work(limit);
    this.report.throughput(name, done, this.cpuMs() - before, plain);
  }

  private async rate(name: string, send: () => Promise<unknown>, inFlight: number): Promise<void> {
    const ms = this.options.limit.ms / 2;
    await request(send, inFlight, ms / 4);
    const before = this.cpuMs();
    const done = await request(send, inFlight, ms);
    this.report.rate(name, done, this.cpuMs() - before);
  }

  private cpuMs(): number {
    return this.options.pids.length === 0 ? Number.NaN : processorMs(this.options.pids);
  }
}

function topicName(codec: Codec, batchBytes: number, valueBytes: number): string {
  return `bench-${codec}-${batchBytes}-${valueBytes}-${Date.now()}`;
}
