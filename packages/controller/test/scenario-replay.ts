import {
  apiNames,
  grouped,
  isControllersOwn,
  isLostRace,
  isOwn,
  logs,
  readReferenceJson,
  recordedLines as lines,
  recordedRpcText,
  recordedText,
  rpcText,
  transactionText,
} from '@klassic/test-support';
import type { LogLine, RecordedOp, RecordedRpc, RecordedTransaction, Snapshot, Step } from '@klassic/test-support';

import { silentLogger } from '@klassic/common';
import type { Logger, LoggerFactory } from '@klassic/common';
import type { MultiOp } from '@klassic/zookeeper';
import type { Respond } from './replay-cluster.ts';
import { ReplayCluster, respondWithoutErrors } from './replay-cluster.ts';
import type { ControllerConfig } from '../src/index.ts';
/** What a scenario's controllers wrote and sent, in a form that leaves out what the captures do not fix. */
export interface Observed {
  /** Per session, in order; writes that stand in one pipelined batch sorted by path. */
  readonly writes: Record<string, string[]>;
  /** Per receiver, in order. */
  readonly rpcs: Record<string, string[]>;
  /** The lines of controller.log at INFO and above, per broker, in order. */
  readonly log: Record<string, string[]>;
  /** Per session, what it watches in the end. */
  readonly watches: Record<string, { data: string[]; child: string[] }>;
}

export interface ReplayOptions {
  readonly config?: Partial<ControllerConfig>;
  /** How long the controller had been in office when the scenario began, in milliseconds. */
  readonly inOfficeMs?: number;
}

/**
 * Replays a captured scenario: all that the world did (sessions, brokers, leaders, tools, requests to the controller) is
 * done again in its order to our controllers, and their writes and requests stand beside those of the original.
 */
export async function replayScenario(
  name: string,
  options: ReplayOptions = {},
): Promise<{ expected: Observed; actual: Observed; cluster: ReplayCluster }> {
  const at = (...file: string[]): string[] => ['cluster', '2.8.2', 'ibp-2.6', name, ...file];
  const transactions = lines<RecordedTransaction>(at('zk-txns.jsonl'));
  const rpcs = lines<RecordedRpc>(at('rpcs.jsonl'));
  const clientRpcs = lines<RecordedRpc>(at('client-rpcs.jsonl'));
  const { steps } = readReferenceJson(...at('scenario.json')) as { steps: Step[] };
  const snapshot = readReferenceJson(...at('znodes-before.json')) as Snapshot;
  const controlRpcs = rpcs.filter(({ api }) => api in apiNames);

  const log: { broker: number; m: string }[] = [];
  const cluster = new ReplayCluster(options.config, (broker) => loggersTo((m) => log.push({ broker, m })));
  const beginning = await begin(cluster, snapshot, rpcs);
  cluster.respond = recordedResponses(controlRpcs);
  log.length = 0;
  await cluster.time.advance(options.inOfficeMs ?? 0);
  const startMs = cluster.time.milliseconds();
  const registeredAt = new Map(transactions.filter(isRegistration).map(({ who, zxid }) => [who, zxid]));
  const inputs = [
    ...transactions
      .filter((txn) => !isControllersOwn(txn))
      .map((txn) => ({
        t: txn.t,
        run: () => applyRecorded(cluster, txn, registeredAt),
      })),
    ...steps.map((step) => ({ t: step.t, run: () => runStep(cluster, step) })),
    ...[...rpcs, ...clientRpcs]
      .filter(({ api }) => asked.has(api))
      .map((rpc) => ({ t: rpc.t, run: () => ask(cluster, rpc) })),
  ].sort((a, b) => a.t - b.t);
  // The winner of each election is the one of the capture.
  const elections = transactions.filter((txn) => txn.ops?.[0]?.path === '/controller');
  for (const { t, run } of inputs) {
    await cluster.time.advance(Math.max(0, startMs + t - cluster.time.milliseconds()));
    await cluster.settle();
    cluster.zk.favourite = elections.find((election) => election.t >= t)?.who;
    await run();
    await cluster.settle();
  }
  const expectedRpcs = grouped(controlRpcs, ({ from, to, request }) => channel(from, to, request), recordedRpcText);
  const actualRpcs = grouped(
    cluster.sent.slice(beginning.sent),
    ({ from, to, request }) => channel(`broker-${from}`, `broker-${to}`, request),
    ({ api, version, request }) => rpcText(api, version, request as unknown as Record<string, unknown>),
  );
  // A broker that ends does not get to log the last requests that it was sent.
  const ended = endedRegistrations(cluster, transactions);
  for (const [key, texts] of Object.entries(actualRpcs)) {
    if (ended.some((end) => key.endsWith(end))) actualRpcs[key] = texts.slice(0, expectedRpcs[key]?.length);
  }
  return {
    expected: {
      writes: grouped(transactions.filter(isControllersOwn), ({ who }) => who, recordedText),
      rpcs: expectedRpcs,
      log: logs(lines<LogLine>(at('controller.jsonl')).filter(({ level }) => level !== 'DEBUG')),
      watches: controllersWatches(cluster, readReferenceJson(...at('watches-after.json')) as Observed['watches']),
    },
    actual: {
      writes: grouped(
        cluster.zk.transactions
          .slice(beginning.transactions)
          .filter(({ ops, isMulti, code }) => isOwn(ops, isMulti) && !isLostRace(ops, code)),
        ({ who }) => who,
        transactionText,
      ),
      rpcs: actualRpcs,
      log: logs(log),
      watches: controllersWatches(cluster, watchesNow(cluster)),
    },
    cluster,
  };
}

/** What goes into controller.log. */
function loggersTo(write: (line: string) => void): LoggerFactory {
  const toLog: Logger = { ...silentLogger, info: write, warn: write, error: write };
  return (name) => (name.startsWith('kafka.controller.') ? toLog : silentLogger);
}

function watchesNow(cluster: ReplayCluster): Observed['watches'] {
  const sessions = [...cluster.brokers.values()].filter(({ alive }) => alive).map(({ session }) => session);
  return Object.fromEntries(
    sessions.map(({ name, dataWatches, childWatches }) => [name, { data: [...dataWatches], child: [...childWatches] }]),
  );
}

/** Of the sessions that live; what brokers watch for themselves (changes of configurations) is left out. */
function controllersWatches(cluster: ReplayCluster, watches: Observed['watches']): Observed['watches'] {
  return Object.fromEntries(
    Object.entries(watches)
      .filter(([session]) => cluster.zk.sessions.has(session))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([session, { data, child }]) => [
        session,
        { data: [...data].sort(), child: child.filter((path) => path !== '/config/changes').sort() },
      ]),
  );
}

function channel(from: string, to: string, { brokerEpoch }: { brokerEpoch?: unknown }): string {
  return `${from} -> ${to} epoch ${String(brokerEpoch)}`;
}

/** The broker epochs of registrations that ended, as the ends of channels' names. */
function endedRegistrations(cluster: ReplayCluster, transactions: readonly RecordedTransaction[]): string[] {
  return transactions
    .filter(({ op }) => op === 'closeSession')
    .flatMap(({ who }) => cluster.registrations.filter(({ session }) => session === who))
    .map(({ id, epoch }) => `broker-${id} epoch ${epoch}`);
}

const asked = new Set(['CONTROLLED_SHUTDOWN', 'ELECT_LEADERS', 'ALTER_PARTITION_REASSIGNMENTS']);

/** Builds the tree of the first snapshot and lets the controller of that time take its office anew. */
async function begin(
  cluster: ReplayCluster,
  snapshot: Snapshot,
  rpcs: readonly RecordedRpc[],
): Promise<{ transactions: number; sent: number }> {
  const controllerSession = snapshot['/controller']?.ephemeral;
  for (const [path, { data, version, ephemeral }] of Object.entries(snapshot)) {
    if (path === '/' || path === '/controller') continue;
    const id = /^\/brokers\/ids\/(\d+)$/.exec(path)?.[1];
    const epoch = rpcs.find(({ to, api }) => to === `broker-${id}` && api in apiNames);
    cluster.zk.put(path, bytes(data), version, ephemeral, Number(epoch?.request['brokerEpoch'] ?? 1));
    if (path === '/controller_epoch' && controllerSession !== undefined) {
      cluster.zk.put(path, bytes(String(Number(data) - 1)), version - 1);
    }
  }
  cluster.zk.zxid = 70;
  const sessions = Object.entries(snapshot).filter(([path]) => /^\/brokers\/ids\/\d+$/.test(path));
  sessions.sort(
    ([, a], [, b]) => Number(b.ephemeral === controllerSession) - Number(a.ephemeral === controllerSession),
  );
  for (const [path, { ephemeral }] of sessions) {
    cluster.startBroker(Number(path.split('/').at(-1)), ephemeral!);
    await cluster.settle();
  }
  return { transactions: cluster.zk.transactions.length, sent: cluster.sent.length };
}

async function runStep(cluster: ReplayCluster, { step }: Step): Promise<void> {
  const [, what, broker] = /^(SIGKILL|SIGSTOP|SIGCONT|SIGTERM).* broker (\d+)/.exec(step) ?? [];
  if (what === 'SIGKILL') cluster.kill(Number(broker));
  if (what === 'SIGSTOP') cluster.pause(Number(broker));
  if (what === 'SIGCONT') cluster.resume(Number(broker));
  if (what === 'SIGTERM') cluster.leaving.add(Number(broker));
  if (step.startsWith('all connections between brokers and ZooKeeper are cut')) {
    for (const id of cluster.brokers.keys()) cluster.pause(id);
  }
  if (step.startsWith('ZooKeeper can be reached again')) {
    for (const [id, { session }] of cluster.brokers) if (!session.expired) cluster.resume(id);
  }
  await Promise.resolve();
}

/** Brokers answer as they did, request by request of a kind. */
function recordedResponses(rpcs: readonly RecordedRpc[]): Respond {
  const answers = new Map<string, unknown[]>();
  for (const { to, api, response } of rpcs) {
    const key = `${to} ${apiNames[api]}`;
    answers.set(key, [...(answers.get(key) ?? []), response]);
  }
  return (sent) => (answers.get(`broker-${sent.to} ${sent.api}`)?.shift() ?? respondWithoutErrors(sent)) as never;
}

async function ask(cluster: ReplayCluster, { api, request, to }: RecordedRpc): Promise<void> {
  const controller = cluster.controller(Number(to.split('-')[1]));
  if (api === 'CONTROLLED_SHUTDOWN') {
    await controller.controlledShutdown(Number(request['brokerId']), Number(request['brokerEpoch']));
  } else if (api === 'ELECT_LEADERS') {
    const topics = request['topicPartitions'] as { topic: string; partitionId: number[] }[] | null;
    const partitions =
      topics?.flatMap(({ topic, partitionId }) => partitionId.map((partition) => ({ topic, partition }))) ??
      controller.controllerContext.allPartitions;
    await controller.electLeaders(partitions, request['electionType'] === 0 ? 'PREFERRED' : 'UNCLEAN');
  } else {
    const topics = request['topics'] as {
      name: string;
      partitions: { partitionIndex: number; replicas: number[] | null }[];
    }[];
    const reassignments = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas }) => {
        const partition = { topic: name, partition: partitionIndex };
        return { partition, target: replicas };
      }),
    );
    await controller.alterPartitionReassignments(reassignments);
  }
}

/** What the world did to the tree, carried out in the name of its session. */
async function applyRecorded(
  cluster: ReplayCluster,
  txn: RecordedTransaction,
  registeredAt: ReadonlyMap<string, number>,
): Promise<void> {
  const id = Number(/^broker-(\d+)#/.exec(txn.who)?.[1] ?? 0);
  const broker = cluster.brokers.get(id);
  if (txn.op === 'error' || txn.ops?.[0]?.op === 'error') return;
  if (txn.op === 'createSession') {
    if (broker?.session.expired !== true) return;
    cluster.resume(id);
    await broker.session.renew(txn.who, registeredAt.get(txn.who)! - 1);
    return;
  }
  if (txn.op === 'closeSession') {
    if (broker?.alive === true && broker.session.name === txn.who) {
      if (!cluster.leaving.delete(id)) {
        cluster.expire(id);
        return;
      }
      await broker.controller.shutdown();
      cluster.kill(id);
    }
    cluster.zk.closeSession(txn.who);
    return;
  }
  const ops = (txn.ops ?? [txn]).map(toOp);
  // A broker whose session was renewed registers by itself.
  if (broker?.alive === true && broker.session.name === txn.who && isRegistration(txn)) return;
  const { code } = cluster.zk.apply(txn.who, ops, txn.ops !== undefined, txn.zxid);
  if (code !== 'OK') throw new Error(`${code}: the recorded ${recordedText(txn)} does not fit our tree`);
  if (isRegistration(txn)) cluster.startBroker(id, txn.who);
  // What the brokers' handler of configuration changes does.
  const topic = /^\/config\/topics\/([^/]+)$/.exec(txn.path)?.[1];
  if (topic === undefined || txn.op !== 'setData') return;
  const { config } = txn.data as { config: Record<string, string> };
  if (config['unclean.leader.election.enable'] !== 'true') return;
  for (const { controller } of cluster.brokers.values()) controller.enableTopicUncleanLeaderElection(topic);
}

function isRegistration({ ops }: RecordedTransaction): boolean {
  return ops?.[0]?.op === 'create' && /^\/brokers\/ids\/\d+$/.test(ops[0].path);
}

function toOp({ op, path, data, version, ephemeral }: RecordedOp): MultiOp {
  switch (op) {
    case 'create':
      return { op, path, data: bytes(data), ephemeral: ephemeral === true };
    case 'setData':
      // The log has the resulting version.
      return { op, path, data: bytes(data), version: (version ?? 0) - 1 };
    case 'delete':
      return { op, path, version: -1 };
    case 'check':
      return { op, path, version: (version ?? 0) - 1 };
    default:
      throw new Error(`an unknown operation was recorded: ${op}`);
  }
}

function bytes(data: unknown): Buffer | null {
  if (data === null || data === undefined) return null;
  return Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
}
