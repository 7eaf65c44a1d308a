import { expect } from '@jest/globals';
import { Admin } from '@klassic/client';
import {
  apiNames,
  dataText,
  eventually,
  grouped,
  isControllersOwn,
  isLostRace,
  isOwn,
  readReferenceJson,
  readRequestLog,
  recordedLines,
  recordedText,
  rpcText,
  sortedJson,
  startCluster,
  startZooKeeper,
  transactionText,
} from '@klassic/test-support';
import type { RecordedRpc, RecordedTransaction, Snapshot, Step, TestBroker, TestCluster } from '@klassic/test-support';
import { createTopic, ZNodes } from '../integration/cluster.ts';
import { ZooKeeperTap } from './zookeeper-tap.ts';

const brokerIds = [1, 2, 3];
const patientMs = 60_000;
/** The recordings' brokers listen on 19091, 19092 and 19093. */
const recordedPort = (brokerId: number): number => 19_090 + brokerId;

type Rpc = Pick<RecordedRpc, 'from' | 'to' | 'api' | 'v' | 'request'>;

/**
 * Three brokers and a real ZooKeeper in the state in which a captured scenario began. The test does the scenario's steps;
 * trees, writes and requests stand then beside those of the original in one form, which leaves out what two runs of the
 * original itself do differently (the recordings' README says what).
 */
export class ScenarioCluster {
  readonly znodes: ZNodes;
  readonly admin: Admin;
  readonly bootstrapServers: readonly string[];
  private readonly name: string;
  private readonly cluster: TestCluster;
  private readonly taps: readonly ZooKeeperTap[];
  private readonly zooKeeper: { stop(): Promise<void> };
  private readonly until: string | undefined;
  private readonly left: string[] = [];
  private writtenBefore: readonly number[] = [];
  private requestsBefore: readonly number[] = [];

  private constructor(
    name: string,
    cluster: TestCluster,
    taps: readonly ZooKeeperTap[],
    zooKeeper: { stop(): Promise<void> },
    znodes: ZNodes,
    until: string | undefined,
  ) {
    this.name = name;
    this.until = until;
    this.cluster = cluster;
    this.taps = taps;
    this.zooKeeper = zooKeeper;
    this.znodes = znodes;
    this.bootstrapServers = cluster.bootstrapServers;
    this.admin = new Admin({ bootstrapServers: cluster.bootstrapServers });
  }

  /**
   * Starts the cluster, makes the topics that the scenario begins with, and checks that the tree is that of the recording.
   *
   * @param until the step of the recording, by the beginning of its name, before which the test ends; left out: its end
   */
  static async start(name: string, until?: string): Promise<ScenarioCluster> {
    const zooKeeper = await startZooKeeper();
    const taps: ZooKeeperTap[] = [];
    for (const id of brokerIds) taps.push(await ZooKeeperTap.start(id, zooKeeper.port));
    const cluster = await startCluster({
      zooKeeper,
      zooKeeperConnect: (id) => taps[id - 1]!.connectString,
      overrides: {
        'zookeeper.session.timeout.ms': '6000',
        'auto.leader.rebalance.enable': 'false',
        'klassic.log.console': 'false',
        'klassic.forward.to.controller': 'false',
        'klassic.log.levels': 'kafka.request.logger=TRACE',
      },
    });
    const znodes = await ZNodes.open(zooKeeper.connectString);
    const scenario = new ScenarioCluster(name, cluster, taps, zooKeeper, znodes, until);
    await scenario.begin();
    return scenario;
  }

  broker(id: number): TestBroker {
    return this.cluster.broker(id);
  }

  async stop(): Promise<void> {
    this.admin.close();
    await this.znodes.close();
    await this.cluster.stop();
    await Promise.all(this.taps.map((tap) => tap.close()));
    await this.zooKeeper.stop();
  }

  /** SIGTERM, and waits for the end. */
  async terminate(brokerId: number, life: number): Promise<void> {
    this.left.push(`broker-${brokerId} life ${life}`);
    expect(await this.broker(brokerId).stop()).toBe(true);
  }

  /** Waits until every partition of the topic has this many replicas in sync. */
  async waitForIsrs(topic: string, partitions: number, size: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition += 1) {
      await eventually(async () => (await this.znodes.partitionState(topic, partition)).isr.length === size, {
        timeoutMs: patientMs,
        what: `${size} replicas of ${topic}-${partition} in sync`,
      });
    }
  }

  /** Waits until the ISR changes of the topic have been told by znode, and the controller has taken these away and told all. */
  async waitForIsrNotifications(topic: string, partitions: number): Promise<void> {
    await eventually(() => this.notified(topic).size === partitions, {
      timeoutMs: patientMs,
      what: `the notification of ${partitions} ISR changes of ${topic}`,
    });
    await eventually(async () => (await this.znodes.children('/isr_change_notification')).length === 0, {
      timeoutMs: patientMs,
      what: 'the controller to take the notifications away',
    });
  }

  /** Waits until the topic is gone, and all marks of its deletion. */
  async waitUntilGone(topic: string): Promise<void> {
    await eventually(
      async () =>
        !(await this.znodes.children('/brokers/topics')).includes(topic) &&
        !(await this.znodes.children('/admin/delete_topics')).includes(topic),
      { timeoutMs: patientMs, what: `the deletion of ${topic}` },
    );
  }

  /** Waits until every broker's request log has the UpdateMetadata of the topic's partitions. */
  async waitUntilTold(topic: string, partitions: number): Promise<void> {
    for (const id of brokerIds) {
      const isTold = (): boolean => {
        const requests = readRequestLog(this.broker(id).logFolder, id);
        return requests.some(
          ({ api, request }) => api === 'UPDATE_METADATA' && partitionCount(request, topic) === partitions,
        );
      };
      await eventually(isTold, { timeoutMs: patientMs, what: `broker ${id} to be told of ${topic}` });
    }
  }

  /** (a) The tree is that of the recording's snapshot, as soon as what is still under way has come to its end. */
  async expectTree(label: string): Promise<void> {
    const recorded = readReferenceJson(...this.at(`znodes-${label}.json`)) as Snapshot;
    const expected = Object.entries(recorded).map(
      ([path, { data, version, ephemeral }]) => [path, znodeText(data, version, ephemeral !== undefined)] as const,
    );
    const wanted = treeOf(expected);
    await expectSame(async () => ({ actual: await this.tree(), expected: wanted }), `tree of ${label}`);
  }

  /** (b) Each session wrote what the original's did, in its order; the controller's writes and the broker's own by themselves. */
  async expectWrites(): Promise<void> {
    await expectSame(() => this.writes(), 'writes');
  }

  /** (c) Each broker, in each of its lives, was told the same in the same order. */
  async expectRpcs(): Promise<void> {
    await expectSame(() => this.rpcs(), 'requests');
  }

  private writes(): Compared {
    const recorded = recordedLines<RecordedTransaction>(this.at('zk-txns.jsonl'))
      .filter(({ who, op, t }) => who.startsWith('broker-') && !op.endsWith('Session') && t < this.endMs())
      .filter((txn) => !isLeftOut(txn.ops ?? [txn.request ?? txn]));
    const written = this.taps
      .flatMap((tap, index) => tap.written.slice(this.writtenBefore[index]))
      .filter(({ ops, code }) => !isLeftOut(ops) && !isLostRace(ops, code));
    const part = (who: string, isControllers: boolean): string => `${who} ${isControllers ? 'as controller' : ''}`;
    const actual = grouped(
      written,
      ({ who, ops, isMulti }) => part(who, isOwn(ops, isMulti)),
      (txn) => this.inRecordedNames(transactionText(txn)),
    );
    const expected = grouped(recorded, (txn) => part(txn.who, isControllersOwn(txn)), recordedText);
    return { actual, expected };
  }

  private rpcs(): Compared {
    const before = readReferenceJson(...this.at('znodes-before.json')) as Snapshot;
    const recorded = recordedLines<RecordedRpc>(this.at('rpcs.jsonl')).filter(({ t }) => t < this.endMs());
    const logged = brokerIds.flatMap((id, index) =>
      readRequestLog(this.broker(id).logFolder, id)
        .slice(this.requestsBefore[index])
        .map(({ clientId, api, apiVersion, request }): Rpc => ({
          from: `broker-${clientId}`,
          to: `broker-${id}`,
          api,
          v: apiVersion,
          request: JSON.parse(this.inRecordedNames(JSON.stringify(request))) as Record<string, unknown>,
        })),
    );
    const expected = told(recorded, before);
    const actual = told(logged, before);
    // A broker that leaves takes more or fewer of the last requests that it is sent.
    for (const [life, texts] of Object.entries(expected)) {
      const length = Math.min(texts.length, actual[life]?.length ?? 0);
      if (!this.left.some((end) => life.endsWith(end)) || length === 0) continue;
      expected[life] = texts.slice(0, length);
      actual[life] = actual[life]!.slice(0, length);
    }
    return { actual, expected };
  }

  private async begin(): Promise<void> {
    const before = readReferenceJson(...this.at('znodes-before.json')) as Snapshot;
    // The first scenario begins with nothing: it is the start of the brokers.
    if (before['/brokers'] === undefined) {
      this.writtenBefore = brokerIds.map(() => 0);
      this.requestsBefore = brokerIds.map(() => 0);
      return;
    }
    for (const [path, { data }] of Object.entries(before)) {
      const topic = /^\/brokers\/topics\/([^/]+)$/.exec(path)?.[1];
      if (topic === undefined) continue;
      const assignment = Object.values((data as { partitions: Record<string, number[]> }).partitions);
      await createTopic(this.bootstrapServers, topic, assignment);
      await this.waitForIsrs(topic, assignment.length, assignment[0]!.length);
      await this.waitUntilTold(topic, assignment.length);
    }
    await this.expectTree('before');
    this.writtenBefore = this.taps.map(({ written }) => written.length);
    this.requestsBefore = brokerIds.map((id) => readRequestLog(this.broker(id).logFolder, id).length);
  }

  private endMs(): number {
    if (this.until === undefined) return Infinity;
    const { steps } = readReferenceJson(...this.at('scenario.json')) as { steps: Step[] };
    return steps.find(({ step }) => step.startsWith(this.until!))!.t;
  }

  private notified(topic: string): Set<number> {
    const partitions = this.taps
      .flatMap((tap, index) => tap.written.slice(this.writtenBefore[index]))
      .filter(({ ops }) => ops[0]!.op === 'create' && ops[0]!.path.startsWith('/isr_change_notification/'))
      .flatMap(({ ops }) => (JSON.parse(String(ops[0]!.data)) as Notification).partitions);
    return new Set(partitions.filter((each) => each.topic === topic).map(({ partition }) => partition));
  }

  private async tree(): Promise<Record<string, string>> {
    const found: [string, string][] = [];
    const visit = async (path: string): Promise<void> => {
      const znode = await this.znodes.read(path);
      if (znode === undefined || path === '/zookeeper') return;
      const text = this.inRecordedNames(znode.text);
      found.push([path, znodeText(parsed(text), znode.stat.version, znode.stat.ephemeralOwner !== '0x0')]);
      for (const child of await this.znodes.children(path))
        await visit(path === '/' ? `/${child}` : `${path}/${child}`);
    };
    await visit('/');
    return treeOf(found);
  }

  private inRecordedNames(text: string): string {
    const clusterId = text.replace(/"id":"[\w-]{22}"/, '"id":"<cluster-id-1>"');
    return this.cluster.brokers.reduce(
      (replaced, { id, port }) => replaced.replaceAll(String(port), String(recordedPort(id))),
      clusterId,
    );
  }

  private at(file: string): string[] {
    return ['cluster', '2.8.2', 'ibp-2.6', this.name, file];
  }
}

interface Compared {
  readonly actual: Record<string, unknown>;
  readonly expected: Record<string, unknown>;
}

/** Waits a while for what may still be under way, and shows the difference when there is one in the end. */
async function expectSame(compare: () => Compared | Promise<Compared>, what: string): Promise<void> {
  let last: Compared | undefined;
  try {
    await eventually(
      async () => {
        last = await compare();
        return JSON.stringify(last.actual) === JSON.stringify(last.expected);
      },
      { timeoutMs: 15_000, what: `the ${what} of the original` },
    );
  } catch (error) {
    expect(last?.actual).toEqual(last?.expected);
    throw error;
  }
}

interface Notification {
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

interface PartitionStates {
  readonly topicName: string;
  readonly partitionStates: readonly { partitionIndex: number; leader: number; zkVersion: number }[];
}

/**
 * Left out: blocks of producer ids, which depend on the clients used; and notifications of ISR changes, as how many changes
 * one znode tells is a matter of milliseconds. That every change is told is waited for.
 */
function isLeftOut(ops: readonly { readonly path: string }[]): boolean {
  const path = ops.at(-1)?.path ?? '';
  return path === '/latest_producer_id_block' || path.startsWith('/isr_change_notification/');
}

function treeOf(entries: readonly (readonly [string, string])[]): Record<string, string> {
  const kept = entries.filter(([path]) => path !== '/' && path !== '/cluster/id' && !isLeftOut([{ path }]));
  return Object.fromEntries([...kept].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function znodeText(data: unknown, version: number, isEphemeral: boolean): string {
  return `v${version} ${dataText(data)}${isEphemeral ? ' ephemeral' : ''}`;
}

function parsed(text: string): unknown {
  return /^[{[]/.test(text) ? (JSON.parse(text) as unknown) : text;
}

/** The controllers' requests by receiver and its life (its broker epochs, counted), without those that refresh ISRs. */
function told(rpcs: readonly Rpc[], before: Snapshot): Record<string, string[]> {
  const requests = rpcs.filter(({ api }) => api in apiNames);
  const known = knownVersions(requests, before);
  const lives = new Map<string, unknown[]>();
  const life = ({ to, request }: Rpc): number => {
    const epochs = lives.get(to) ?? [];
    lives.set(to, epochs);
    if (!epochs.includes(request['brokerEpoch'])) epochs.push(request['brokerEpoch']);
    return epochs.indexOf(request['brokerEpoch']) + 1;
  };
  const news = newsOf();
  return grouped(
    requests.filter((rpc) => !isRefresh(rpc, known) && news(rpc, `${rpc.to} life ${life(rpc)}`)),
    (rpc) => `${rpc.from} -> ${rpc.to} life ${life(rpc)}`,
    (rpc) => rpcText(apiNames[rpc.api]!, rpc.v, { ...rpc.request, brokerEpoch: life(rpc) }),
  );
}

/**
 * Whether a request tells its receiver anything that the one before did not. An UpdateMetadata that follows a notification of ISR
 * changes says nothing new of a topic that is being deleted, and names no partition of one that is gone: whether the
 * notification comes before the deletion is a matter of milliseconds.
 */
function newsOf(): (rpc: Rpc, receiver: string) => boolean {
  const last = new Map<string, string>();
  return ({ api, request }, receiver) => {
    if (api !== 'UPDATE_METADATA') return true;
    const states = (request['topicStates'] as PartitionStates[]).flatMap(({ topicName, partitionStates }) =>
      partitionStates.map((state) => [`${topicName}-${state.partitionIndex}`, sortedJson(state)] as const),
    );
    const brokers = request['liveBrokers'] as { readonly id: number }[];
    const facts = [...states, ['brokers', sortedJson([...brokers].sort((a, b) => a.id - b.id))] as const];
    const isNews = facts.filter(([name, text]) => last.get(`${receiver} ${name}`) !== text).length > 0;
    for (const [name, text] of facts) last.set(`${receiver} ${name}`, text);
    return isNews;
  };
}

/** The versions of partition states that the controller itself wrote, and those of the beginning. */
function knownVersions(requests: readonly Rpc[], before: Snapshot): Set<string> {
  const known = new Set<string>();
  for (const [path, { version }] of Object.entries(before)) {
    const [, topic, partition] = /^\/brokers\/topics\/([^/]+)\/partitions\/(\d+)\/state$/.exec(path) ?? [];
    if (topic !== undefined) known.add(`${topic}-${partition} ${version}`);
  }
  for (const { api, request } of requests) {
    if (api !== 'LEADER_AND_ISR') continue;
    for (const { topicName, partitionStates } of request['topicStates'] as PartitionStates[]) {
      for (const { partitionIndex, zkVersion } of partitionStates)
        known.add(`${topicName}-${partitionIndex} ${zkVersion}`);
    }
  }
  return known;
}

/** An UpdateMetadata that tells an ISR which a leader has written: when it comes depends on the notifications. */
function isRefresh({ api, request }: Rpc, known: ReadonlySet<string>): boolean {
  if (api !== 'UPDATE_METADATA') return false;
  const duringDelete = -2;
  return (request['topicStates'] as PartitionStates[]).some(({ topicName, partitionStates }) =>
    partitionStates.some(
      ({ partitionIndex, leader, zkVersion }) =>
        leader !== duringDelete && !known.has(`${topicName}-${partitionIndex} ${zkVersion}`),
    ),
  );
}

function partitionCount(request: Record<string, unknown>, topic: string): number | undefined {
  return (request['topicStates'] as PartitionStates[]).find(({ topicName }) => topicName === topic)?.partitionStates
    .length;
}
