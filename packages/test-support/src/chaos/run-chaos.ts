import { Admin } from '@klassic/client';
import { eventually } from '@klassic/lab';
import { controllersByEpoch } from '../elections.ts';
import { sessionTimeoutMs, startChaosCluster } from './chaos-cluster.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import { Executor, waitUntilWhole } from './executor.ts';
import { History } from './history.ts';
import { startKafkaJsProducer, startOwnProducer } from './load.ts';
import { ChaosObserver } from './observer.ts';
import { makePlan } from './plan.ts';
import { Reader } from './reader.ts';
import { readReplicaLog } from './replica-log.ts';
import type { ReplicaLog } from './replica-log.ts';
import { judgeRun } from './verdict.ts';

export interface ChaosOptions {
  /** Decides what happens when. */
  readonly seed: number;
  /** In which faults begin, in milliseconds; mending and looking come on top. */
  readonly durationMs: number;
  /** Default 4. */
  readonly brokers?: number;
  /** Default 4. */
  readonly partitions?: number;
  /** Takes what happens, a line each. */
  readonly say?: (line: string) => void;
  /** Called before the cluster goes when something was wrong: its folders are there still. */
  readonly onWrong?: (cluster: ChaosCluster) => void;
}

export interface ChaosReport {
  readonly seed: number;
  /** What must not be: nothing, when all is well. */
  readonly wrong: readonly string[];
  readonly acknowledged: number;
  /** Records that were given up, and may or may not be there. */
  readonly unsure: number;
  readonly read: number;
  readonly controllerEpochs: number;
  readonly leaderEpochs: number;
  readonly faults: Readonly<Record<string, number>>;
  /** What clients and observers complained of, with how often. */
  readonly troubles: Readonly<Record<string, number>>;
}

const topic = 'chaos';
/** How long a cluster may take to be whole once all faults are over, in milliseconds. */
const mendMs = 120_000;

/** Puts a cluster of real processes under load and through what the seed's plan says, and judges what was seen. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, durationMs, brokers = 4, partitions = 4, say = () => undefined } = options;
  const plan = makePlan(seed, durationMs, sessionTimeoutMs);
  say(`chaos: seed ${seed}, ${durationMs / 1_000} s, ${brokers} brokers, ${plan.length} steps`);
  const cluster = await startChaosCluster(brokers);
  const history = new History();
  const common = { bootstrapServers: cluster.bootstrapServers, topic, partitions, history };
  let wrong: string[];
  let counts: ReadonlyMap<string, number> = new Map();
  try {
    await createTopic(cluster, brokers, partitions);
    await waitUntilWhole({ cluster, topic, partitions }, mendMs);
    const observer = new ChaosObserver({ connectString: cluster.zooKeeper.connectString, topic, partitions, history });
    const readers = ['reader-1', 'reader-2'].map(
      (name) => new Reader(name, { brokers: cluster.brokers, topic, partitions, history }),
    );
    const loads = [
      startOwnProducer('own', 'kafka', common),
      startOwnProducer('packed', 'msgpack', common),
      startKafkaJsProducer('kafkajs', common),
    ];
    const executor = new Executor({ cluster, observer, topic, partitions, say });
    counts = executor.counts;
    await executor.carryOut(plan);
    say('all faults are over');
    const replicas = await waitUntilWhole({ cluster, topic, partitions }, mendMs);
    await Promise.all(loads.map((load) => load.stop()));
    const logs = await eventually(() => equalLogs(cluster, replicas), {
      timeoutMs: 30_000,
      what: 'equal logs',
    }).catch(() => readLogs(cluster, replicas));
    await readToTheEnd(readers, logs);
    await Promise.all([...readers.map((reader) => reader.stop()), observer.stop()]);
    history.controllers = controllersByEpoch(cluster.brokers);
    wrong = judgeRun(history, logs);
  } catch (error) {
    wrong = [...history.violations, error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
  if (wrong.length > 0) options.onWrong?.(cluster);
  await cluster.stop();
  return {
    seed,
    wrong,
    acknowledged: history.acknowledged.size,
    unsure: history.unsure.size,
    read: [...history.read.values()].reduce((sum, { size }) => sum + size, 0),
    controllerEpochs: history.controllers.size,
    leaderEpochs: history.leaders.size,
    faults: Object.fromEntries([...counts].sort()),
    troubles: Object.fromEntries([...history.troubles].sort((one, other) => other[1] - one[1])),
  };
}

async function createTopic(cluster: ChaosCluster, brokers: number, partitions: number): Promise<void> {
  const admin = new Admin({ bootstrapServers: cluster.bootstrapServers });
  const replicasAssignments = Array.from({ length: partitions }, (_, partition) =>
    [0, 1, 2].map((place) => ((partition + place) % brokers) + 1),
  );
  await admin.createTopics([{ name: topic, replicasAssignments, configs: { 'min.insync.replicas': '2' } }]);
  admin.close();
}

function readLogs(cluster: ChaosCluster, replicas: ReadonlyMap<number, readonly number[]>): ReplicaLog[] {
  return [...replicas].flatMap(([partition, ids]) =>
    ids.map((id) => {
      const broker = cluster.brokers.find((each) => each.id === id)!;
      return readReplicaLog(broker.dataFolder, id, topic, partition);
    }),
  );
}

/** All replicas, when they are of the same length: what was written last and not acknowledged may still be on its way. */
function equalLogs(cluster: ChaosCluster, replicas: ReadonlyMap<number, readonly number[]>): ReplicaLog[] | false {
  const logs = readLogs(cluster, replicas);
  const ends = Map.groupBy(logs, ({ partition }) => partition)
    .values()
    .map((each) => new Set(each.map(({ batches }) => batches.at(-1)?.bytes.toString('latin1'))));
  return ends.every(({ size }) => size === 1) && logs;
}

async function readToTheEnd(readers: readonly Reader[], logs: readonly ReplicaLog[]): Promise<void> {
  await eventually(
    () =>
      readers.every(({ positions }) =>
        logs.every(({ partition, batches }) => {
          const last = batches.at(-1)?.records.at(-1)?.offset ?? -1;
          return positions[partition]! > last;
        }),
      ),
    { timeoutMs: 30_000, what: 'readers at the end of all logs' },
  );
}
