import type { JavaClients, Produced } from './java-clients.ts';
import type { Properties } from '@klassic/lab';
import type { RaceCluster } from './race-cluster.ts';

/** One number of a row, and what Klassic's is to be, as a multiple of Apache Kafka's. */
export interface Figure {
  readonly name: string;
  readonly digits: number;
  readonly goal: { readonly atLeast: number } | { readonly atMost: number } | undefined;
}

/** A row of the table: one workload on a cluster of one or three brokers. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly brokers: 1 | 3;
  /** What the brokers are given beside the lab's own settings; default: nothing. */
  readonly settings?: Properties;
  readonly figures: readonly Figure[];
  /** @returns one number per figure */
  readonly measure: (lap: Lap) => Promise<readonly number[]>;
}

/** One contestant's cluster, while the rows of its size are run on it, in their order. */
export interface Lap {
  readonly cluster: RaceCluster;
  readonly clients: JavaClients;
  /** How many of a row's records are to be sent. */
  readonly scaled: (records: number) => number;
  /** Topics that hold their records, by name. */
  readonly filled: Set<string>;
}

const MIB = 1024 * 1024;

/** One at a time: so many that the first, on which a cold client spends its time, are less than the hundredth that p99 leaves out. */
const LATENCY_RECORDS = 30_000;

const recordsPerSecond = (atLeast: number): Figure => ({ name: 'records/s', digits: 0, goal: { atLeast } });
const processorTime = (atMost: number): Figure => ({ name: 'CPU s per million', digits: 1, goal: { atMost } });
const p50: Figure = { name: 'p50 ms', digits: 0, goal: undefined };
const p99 = (atMost: number): Figure => ({ name: 'p99 ms', digits: 0, goal: { atMost } });

const oneKib = { topic: 'kib', records: 600_000, recordBytes: 1024 };
const hundredBytes = { topic: 'bytes', records: 3_000_000, recordBytes: 100 };
type Load = typeof oneKib;

async function fill(lap: Lap, load: Load): Promise<Produced> {
  const records = lap.scaled(load.records);
  await lap.cluster.createTopic(load.topic, 1, 1);
  const produced = await lap.clients.produce(lap.cluster.bootstrapServers, {
    ...load,
    records,
    properties: { acks: '1' },
  });
  lap.filled.add(load.topic);
  return produced;
}

function produceToOne(id: string, title: string, load: Load, figures: readonly Figure[]): Row {
  return {
    id,
    title: `produce ${title}, acks=1, 1 broker, 1 partition`,
    brokers: 1,
    figures,
    measure: (lap) => withProcessorTime(lap, load.records, async () => [(await fill(lap, load)).recordsPerSecond]),
  };
}

function consumeFromOne(id: string, title: string, load: Load): Row {
  return {
    id,
    title: `consume ${title}, 1 broker, 1 partition`,
    brokers: 1,
    figures: [recordsPerSecond(1), { ...processorTime(1), goal: undefined }],
    measure: async (lap) => {
      if (!lap.filled.has(load.topic)) await fill(lap, load);
      const { bootstrapServers } = lap.cluster;
      return withProcessorTime(lap, load.records, async () => [
        await lap.clients.consume(bootstrapServers, load.topic, lap.scaled(load.records)),
      ]);
    },
  };
}

const throughThree = 'produce 1 KiB, acks=all, 3 brokers, rf 3, min ISR 2, 12 partitions';

async function produceToThree(
  lap: Lap,
  topic: string,
  records: number,
  throughput: number,
  properties: Readonly<Record<string, string>> = {},
): Promise<Produced> {
  await lap.cluster.createTopic(topic, 12, 3, 2);
  return lap.clients.produce(lap.cluster.bootstrapServers, {
    topic,
    records: lap.scaled(records),
    recordBytes: 1024,
    throughput,
    properties: { acks: 'all', ...properties },
  });
}

/** Appends the brokers' processor time per million records, in seconds. */
async function withProcessorTime(
  lap: Lap,
  records: number,
  work: () => Promise<readonly number[]>,
): Promise<readonly number[]> {
  const before = lap.cluster.processorMs();
  const figures = await work();
  const usedMs = lap.cluster.processorMs() - before;
  return [...figures, (usedMs / 1000 / lap.scaled(records)) * 1_000_000];
}

function start(brokers: 1 | 3, title: string): Row {
  return {
    id: `start-${brokers}`,
    title: `start of ${title}: launch to metadata answered`,
    brokers,
    figures: [{ name: 's', digits: 2, goal: { atMost: 1 / 3 } }],
    measure: ({ cluster }) => Promise.resolve([cluster.startMs / 1000]),
  };
}

function memory(brokers: 1 | 3, title: string): Row {
  return {
    id: `memory-${brokers}`,
    title: `most memory resident of ${title} under the rows above`,
    brokers,
    figures: [{ name: 'MiB', digits: 0, goal: { atMost: 1 / 3 } }],
    measure: ({ cluster }) => Promise.resolve([cluster.peakMemoryBytes() / MIB]),
  };
}

function endToEnd(brokers: 1 | 3, acks: '1' | 'all', minInSync: number): Row {
  return {
    id: `latency-${brokers}`,
    title: `end to end, one record at a time, rf ${brokers}, acks=${acks}`,
    brokers,
    figures: [p50, p99(0.5)],
    measure: async ({ cluster, clients, scaled }) => {
      await cluster.createTopic('one-by-one', 1, brokers, minInSync);
      const { bootstrapServers } = cluster;
      const { p50Ms, p99Ms } = await clients.endToEnd(bootstrapServers, 'one-by-one', scaled(LATENCY_RECORDS), acks);
      return [p50Ms, p99Ms];
    },
  };
}

/** The table of the race; rows of one cluster size share the cluster and run in this order. */
export const rows: readonly Row[] = [
  start(1, 'one broker'),
  produceToOne('produce-1k', '1 KiB', oneKib, [recordsPerSecond(1.2), processorTime(1)]),
  consumeFromOne('consume-1k', '1 KiB', oneKib),
  produceToOne('produce-100b', '100 B', hundredBytes, [
    recordsPerSecond(1.2),
    { ...processorTime(1), goal: undefined },
  ]),
  consumeFromOne('consume-100b', '100 B', hundredBytes),
  endToEnd(1, '1', 1),
  memory(1, 'one broker'),
  start(3, 'three brokers'),
  {
    id: 'produce-rf3',
    title: throughThree,
    brokers: 3,
    figures: [recordsPerSecond(2), processorTime(0.5)],
    measure: (lap) =>
      withProcessorTime(lap, 400_000, async () => [
        (await produceToThree(lap, 'replicated', 400_000, -1)).recordsPerSecond,
      ]),
  },
  {
    id: 'produce-lz4',
    title: 'the same with lz4',
    brokers: 3,
    figures: [recordsPerSecond(2)],
    measure: async (lap) => [
      (await produceToThree(lap, 'compressed', 400_000, -1, { 'compression.type': 'lz4' })).recordsPerSecond,
    ],
  },
  {
    id: 'produce-fixed',
    title: 'the same at a fixed 5,000/s',
    brokers: 3,
    figures: [p50, p99(0.25)],
    measure: async (lap) => {
      const { p50Ms, p99Ms } = await produceToThree(lap, 'steady', 150_000, 5_000);
      return [p50Ms, p99Ms];
    },
  },
  endToEnd(3, 'all', 2),
  memory(3, 'three brokers'),
];
