import { expect } from '@jest/globals';
import { Admin } from '@klassic/client';
import {
  eventually,
  grouped,
  isControllersOwn,
  isLostRace,
  isOwn,
  readRequestLog,
  recordedText,
  startCluster,
  startZooKeeper,
  transactionText,
} from '@klassic/test-support';
import type {
  LoggedRequest,
  RecordedTransaction,
  TestBroker,
  TestCluster,
  WrittenTransaction,
} from '@klassic/test-support';
import { createTopic, ZNodes } from '../integration/cluster.ts';
import { expectSame } from './comparison.ts';
import type { Compared } from './comparison.ts';
import { partitionCount, told } from './controller-requests.ts';
import type { Rpc } from './controller-requests.ts';
import { brokerIdOf, Elections } from './elections.ts';
import { RecordedScenario } from './recorded-scenario.ts';
import { isLeftOut, parsed, recordedTree, treeOf, znodeText } from './tree.ts';
import type { Watches } from './watch-book.ts';
import { ZooKeeperTap } from './zookeeper-tap.ts';

const brokerIds = [1, 2, 3];
const patientMs = 60_000;
/** The recordings' brokers listen on 19091, 19092 and 19093. */
const recordedPort = (brokerId: number): number => 19_090 + brokerId;

/**
 * Three brokers and a real ZooKeeper in the state in which a captured scenario began. The test does the scenario's steps;
 * trees, watches, writes and requests stand then beside those of the original in one form, which leaves out what two runs of the
 * original itself do differently (the recordings' README says what).
 */
export class ScenarioCluster {
  readonly znodes: ZNodes;
  readonly admin: Admin;
  readonly bootstrapServers: readonly string[];
  readonly taps: readonly ZooKeeperTap[];
  private readonly recorded: RecordedScenario;
  private readonly cluster: TestCluster;
  private readonly zooKeeper: { stop(): Promise<void> };
  private readonly left: string[] = [];
  private writtenBefore: readonly number[] = brokerIds.map(() => 0);
  private requestsBefore: readonly number[] = brokerIds.map(() => 0);

  private constructor(
    recorded: RecordedScenario,
    cluster: TestCluster,
    taps: readonly ZooKeeperTap[],
    zooKeeper: { stop(): Promise<void> },
    znodes: ZNodes,
  ) {
    this.recorded = recorded;
    this.cluster = cluster;
    this.taps = taps;
    this.zooKeeper = zooKeeper;
    this.znodes = znodes;
    this.bootstrapServers = cluster.bootstrapServers;
    this.admin = new Admin({ bootstrapServers: cluster.bootstrapServers });
  }

  /**
   * Starts the cluster, makes the topics that the scenario begins with, and checks that tree and watches are those of the recording.
   *
   * @param until the step of the recording, by the beginning of its name, before which the test ends; left out: its end
   */
  static async start(name: string, until?: string): Promise<ScenarioCluster> {
    const recorded = new RecordedScenario(name, until);
    const zooKeeper = await startZooKeeper();
    const taps: ZooKeeperTap[] = [];
    for (const id of brokerIds) taps.push(await ZooKeeperTap.start(id, zooKeeper.port));
    const cluster = await startCluster({
      zooKeeper,
      zooKeeperConnect: (id) => taps[id - 1]!.connectString,
      overrides: {
        ...recorded.properties,
        'klassic.log.console': 'false',
        'klassic.forward.to.controller': 'false',
        'klassic.log.levels': 'kafka.request.logger=TRACE',
      },
    });
    const znodes = await ZNodes.open(zooKeeper.connectString);
    const scenario = new ScenarioCluster(recorded, cluster, taps, zooKeeper, znodes);
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

  /** Waits until there is a controller, and it is another broker. */
  async waitForControllerOtherThan(brokerId: number): Promise<void> {
    await eventually(async () => ![-1, brokerId].includes(await this.znodes.controllerId()), {
      timeoutMs: patientMs,
      what: `a controller other than broker ${brokerId}`,
    });
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

  /**
   * Waits until every leader has told by znode the last ISR change of each partition that it made since the scenario began, and
   * the controller has taken the znodes away.
   */
  async waitForIsrNotifications(): Promise<void> {
    for (const [index, { written }] of this.taps.entries()) {
      await eventually(() => untold(written.slice(this.writtenBefore[index])).length === 0, {
        timeoutMs: patientMs,
        what: `broker ${index + 1} to tell its ISR changes`,
      });
    }
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
  async waitUntilTold(topic: string, partitions: number, ids: readonly number[] = brokerIds): Promise<void> {
    for (const id of ids) {
      const isTold = (): boolean =>
        this.requestsTo(id).some(
          ({ api, request }) => api === 'UPDATE_METADATA' && partitionCount(request, topic) === partitions,
        );
      await eventually(isTold, { timeoutMs: patientMs, what: `broker ${id} to be told of ${topic}` });
    }
  }

  /** What the broker was sent since the scenario began, by anybody. */
  requestsTo(brokerId: number): LoggedRequest[] {
    return readRequestLog(this.broker(brokerId).logFolder, brokerId).slice(this.requestsBefore[brokerId - 1]);
  }

  /** The tree is that of the recording's snapshot, as soon as what is still under way has come to its end. */
  async expectTree(label: string): Promise<void> {
    const expected = recordedTree(this.recorded.snapshot(label));
    await expectSame(async () => ({ actual: await this.tree(), expected }), `tree of ${label}`);
  }

  /** Each living session watches what the original's did: the controller, and the other brokers in their order. */
  async expectWatches(label: string): Promise<void> {
    const recorded = this.recorded.watches(label);
    const controller = /^broker-\d+#\d+/.exec(this.recorded.snapshot(label)['/controller']?.ephemeral ?? '')?.[0];
    const expected = byRole(Object.entries(recorded), controller);
    await expectSame(async () => {
      const registered = await this.znodes.brokerIds();
      const living = this.taps.filter((_, index) => registered.includes(index + 1)).map((tap) => tap.watches!);
      const newest = `broker-${await this.znodes.controllerId()}#`;
      const who = living.find((each) => each.who.startsWith(newest))?.who;
      return {
        actual: byRole(
          living.map((each) => [each.who, each.watches] as const),
          who,
        ),
        expected,
      };
    }, `watches of ${label}`);
  }

  /** (a) of a label: tree and watches. */
  async expectSnapshot(label: string): Promise<void> {
    await this.expectTree(label);
    await this.expectWatches(label);
  }

  /** (b) Each session wrote what the original's did, in its order; the controller's writes and the broker's own by themselves. */
  async expectWrites(): Promise<void> {
    await expectSame(() => this.writes(), 'writes');
  }

  /** (c) Each broker, in each of its lives, was told the same in the same order. */
  async expectRpcs({ withRefreshes = false } = {}): Promise<void> {
    await expectSame(() => this.rpcs(withRefreshes), 'requests');
  }

  private writes(): Compared {
    const recorded = this.recorded.transactions().filter((txn) => !isLeftOut(txn.ops ?? [txn.request ?? txn]));
    const written = this.taps
      .flatMap((tap, index) => tap.written.slice(this.writtenBefore[index]))
      .filter(({ ops, code }) => !isLeftOut(ops) && !isLostRace(ops, code));
    const elections = this.elections();
    const winners = this.recorded.elections();
    const actual = grouped(
      written,
      ({ who, ops, isMulti }) => (isOwn(ops, isMulti) ? controllerPart(who, epochOf(ops), elections) : who),
      (txn) => withoutWinner(this.inRecordedNames(transactionText(txn))),
    );
    const expected = grouped(
      recorded,
      (txn) => (isControllersOwn(txn) ? controllerPart(txn.who, recordedEpochOf(txn), winners) : txn.who),
      (txn) => withoutWinner(recordedText(txn)),
    );
    return { actual, expected };
  }

  private rpcs(withRefreshes: boolean): Compared {
    const before = this.recorded.snapshot('before');
    const logged = brokerIds.flatMap((id) =>
      this.requestsTo(id).map(({ clientId, api, apiVersion, request, response }): Rpc => ({
        from: `broker-${clientId}`,
        to: `broker-${id}`,
        api,
        v: apiVersion,
        request: JSON.parse(this.inRecordedNames(JSON.stringify(request))) as Record<string, unknown>,
        response,
      })),
    );
    const expected = told(this.recorded.requests(), before, this.recorded.elections(), withRefreshes);
    const actual = told(logged, before, this.elections(), withRefreshes);
    // A broker that leaves takes more or fewer of the last requests that it is sent.
    for (const [life, texts] of Object.entries(expected)) {
      const length = Math.min(texts.length, actual[life]?.length ?? 0);
      if (!this.left.some((end) => life.endsWith(end)) || length === 0) continue;
      expected[life] = texts.slice(0, length);
      actual[life] = actual[life]!.slice(0, length);
    }
    return { actual, expected };
  }

  private elections(): Elections {
    return Elections.ofTaps(this.taps.flatMap(({ written }) => written));
  }

  private async begin(): Promise<void> {
    // The first scenario begins with nothing: it is the start of the brokers.
    if (this.recorded.snapshot('before')['/brokers'] === undefined) return;
    for (const { name, assignment, configs } of this.recorded.topics()) {
      await createTopic(this.bootstrapServers, name, assignment, configs);
      await this.waitForIsrs(name, assignment.length, assignment[0]!.length);
      await this.waitUntilTold(name, assignment.length);
    }
    await this.expectSnapshot('before');
    this.writtenBefore = this.taps.map(({ written }) => written.length);
    this.requestsBefore = brokerIds.map((id) => readRequestLog(this.broker(id).logFolder, id).length);
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
}

interface Notification {
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
}

/** The partitions whose last ISR change by this leader stands in no notification after it. */
function untold(written: readonly WrittenTransaction[]): string[] {
  const changed = new Set<string>();
  for (const { ops, isMulti, code } of written) {
    const [{ op, path, data }] = ops as [WrittenTransaction['ops'][number]];
    const [, topic, partition] = /^\/brokers\/topics\/([^/]+)\/partitions\/(\d+)\/state$/.exec(path) ?? [];
    if (!isMulti && op === 'setData' && code === 'OK' && topic !== undefined) changed.add(`${topic}-${partition}`);
    if (op !== 'create' || !path.startsWith('/isr_change_notification/')) continue;
    for (const each of (JSON.parse(String(data)) as Notification).partitions)
      changed.delete(`${each.topic}-${each.partition}`);
  }
  return [...changed];
}

function byRole(
  sessions: readonly (readonly [string, Watches])[],
  controller: string | undefined,
): Record<string, Watches> {
  // A session that has ended is still listed, with nothing.
  const living = sessions.filter(([, { data, child }]) => data.length + child.length > 0);
  const others = living.filter(([who]) => who !== controller).sort(([a], [b]) => (a < b ? -1 : 1));
  const roles: [string, Watches][] = others.map(([, watches], index) => [`other broker ${index + 1}`, watches]);
  for (const [who, watches] of living) if (who === controller) roles.push(['controller', watches]);
  return Object.fromEntries(roles);
}

function controllerPart(who: string, epoch: number | undefined, elections: Elections): string {
  // What precedes the first election: /controller_epoch and /feature.
  return epoch === undefined
    ? `${who} before it is elected`
    : `${elections.nameOf(epoch, brokerIdOf(who))} as controller`;
}

/** The epoch in which a controller wrote: the version that it checks, or the epoch that it makes its own. */
function epochOf(ops: WrittenTransaction['ops']): number | undefined {
  if (ops[0]!.path === '/controller') return Number(ops[1]!.data);
  return ops[0]!.op === 'check' ? ops[0]!.version : undefined;
}

function recordedEpochOf({ ops }: RecordedTransaction): number | undefined {
  if (ops?.[0]?.path === '/controller') return Number(ops[1]!.data);
  // ZooKeeper logs the version that a check expects plus one.
  return ops?.[0]?.op === 'check' ? ops[0].version! - 1 : undefined;
}

function withoutWinner(text: string): string {
  return text.replace(/^(create \/controller \{"brokerid":)\d+/, '$1"<controller>"');
}
