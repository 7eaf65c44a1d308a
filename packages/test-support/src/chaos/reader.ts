import { Admin } from '@klassic/client';
import { SystemTime } from '@klassic/common';
import { messageOf, sleep } from '@klassic/lab';
import { BrokerConnection } from '@klassic/network';
import { batchesOf, errorByCode, Errors } from '@klassic/protocol';
import type { ResponseOf } from '@klassic/protocol';
import type { TestBroker } from '../broker.ts';
import type { History } from './history.ts';

export interface ReaderOptions {
  readonly brokers: readonly TestBroker[];
  readonly topic: string;
  readonly partitions: number;
  readonly history: History;
}

type PartitionAnswer = ResponseOf<'Fetch'>['responses'][number]['partitionResponses'][number];

const time = new SystemTime();
/** A stopped broker answers nothing: the reader turns to the others after this, in milliseconds. */
const requestTimeoutMs = 3_000;
const fetchBytes = 1024 * 1024;

/**
 * A consumer (read_uncommitted) by hand: it sees the high watermark that comes with the records, and fetches from whoever the
 * metadata name, at the leader epoch they name. What it reads is noted, with what it must never see.
 */
export class Reader {
  readonly positions: number[];
  /** The greatest leader epoch that metadata told, by partition: older metadata are passed over, and a deposed leader refuses it (KIP-320). */
  private readonly epochs = new Map<number, number>();
  private readonly name: string;
  private readonly options: ReaderOptions;
  private readonly connections = new Map<number, BrokerConnection>();
  private stopping = false;
  private readonly running: Promise<void>;

  constructor(name: string, options: ReaderOptions) {
    this.name = name;
    this.options = options;
    this.positions = Array.from({ length: options.partitions }, () => 0);
    this.running = this.run();
    // Told by `stop`.
    this.running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    for (const connection of this.connections.values()) connection.close();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const leaders = await this.leaders();
      const byLeader = Map.groupBy(leaders.entries(), ([, leader]) => leader);
      const fetches = [...byLeader].map(([leader, entries]) =>
        this.fetch(
          leader,
          entries.map(([partition]) => partition),
        ).catch((error: unknown) => {
          this.options.history.noteTrouble(this.name, messageOf(error));
          this.connections.get(leader)?.close();
          this.connections.delete(leader);
        }),
      );
      await Promise.all(fetches);
      await sleep(20);
    }
  }

  /** The leader of each partition, as any broker that answers tells it. */
  private async leaders(): Promise<Map<number, number>> {
    const { brokers, topic, history } = this.options;
    const bootstrapServers = brokers.map(({ bootstrapServer }) => bootstrapServer);
    const admin = new Admin({ bootstrapServers, requestTimeoutMs, defaultApiTimeoutMs: requestTimeoutMs });
    try {
      const [info] = await admin.describeTopics([topic]);
      const led = (info?.partitions ?? []).filter(
        ({ partition, leader, leaderEpoch }) => leader >= 0 && leaderEpoch >= (this.epochs.get(partition) ?? 0),
      );
      for (const { partition, leaderEpoch } of led) this.epochs.set(partition, leaderEpoch);
      return new Map(led.map(({ partition, leader }) => [partition, leader]));
    } catch (error) {
      history.noteTrouble(this.name, messageOf(error));
      return new Map();
    } finally {
      admin.close();
    }
  }

  private async fetch(leader: number, partitions: readonly number[]): Promise<void> {
    const { topic, history } = this.options;
    const connection = await this.connectionTo(leader);
    // A few times before metadata are asked for again, so that a broker that was deposed meanwhile is asked, too.
    for (let round = 0; round < 10 && !this.stopping; round += 1) {
      const answer = await connection.send('Fetch', 11, {
        replicaId: -1,
        maxWaitMs: 100,
        minBytes: 1,
        sessionEpoch: -1,
        topics: [
          {
            topic,
            partitions: partitions.map((partition) => ({
              partition,
              currentLeaderEpoch: this.epochs.get(partition)!,
              fetchOffset: this.positions[partition]!,
              partitionMaxBytes: fetchBytes,
            })),
          },
        ],
      });
      history.fetches += 1;
      const answers = answer.responses.flatMap(({ partitionResponses }) => partitionResponses);
      const moved = answers.map((each) => this.take(leader, each));
      if (moved.includes('elsewhere')) return;
    }
  }

  private take(leader: number, answer: PartitionAnswer): 'on' | 'elsewhere' {
    const { history } = this.options;
    const { partition, errorCode, highWatermark, recordSet } = answer;
    const position = this.positions[partition]!;
    if (errorCode === Errors.OFFSET_OUT_OF_RANGE.code) {
      history.violations.push(
        `${this.name} had read up to offset ${position} of partition ${partition}, which broker ${leader} does not have`,
      );
    }
    if (errorCode !== Errors.NONE.code) {
      history.noteTrouble(this.name, errorByCode(errorCode).name);
      return 'elsewhere';
    }
    for (const batch of batchesOf(recordSet ?? Buffer.alloc(0))) {
      for (const { offset, value } of batch.records()) {
        if (offset < this.positions[partition]!) continue;
        if (offset >= highWatermark) {
          history.violations.push(
            `broker ${leader} served offset ${offset} of partition ${partition} past its high watermark ${highWatermark}`,
          );
        }
        history.noteRead(this.name, partition, offset, value?.toString() ?? '');
        this.positions[partition] = offset + 1;
      }
    }
    return 'on';
  }

  private async connectionTo(id: number): Promise<BrokerConnection> {
    const known = this.connections.get(id);
    if (known?.isOpen === true) return known;
    const broker = this.options.brokers.find((each) => each.id === id);
    if (broker === undefined) throw new Error(`metadata name broker ${id}, which there is not`);
    const { host, port } = broker;
    const connection = new BrokerConnection({
      host,
      port,
      clientId: this.name,
      codec: 'kafka',
      time,
      requestTimeoutMs,
    });
    await connection.connect();
    this.connections.set(id, connection);
    return connection;
  }
}
