import { expect } from '@jest/globals';
import { Admin } from '@klassic/client';
import { eventually, readRequestLog, startCluster, startZooKeeper } from '@klassic/test-support';
import type { LoggedRequest, TestBroker, TestCluster, TestZooKeeper, WrittenTransaction } from '@klassic/test-support';
import { ZNodes } from '../integration/cluster.ts';
import { partitionCount } from './controller-requests.ts';
import { Elections } from './elections.ts';
import { ZooKeeperTap } from './zookeeper-tap.ts';
import type { TappedWrite } from './zookeeper-tap.ts';

export const brokerIds = [1, 2, 3];
const patientMs = 60_000;

export interface TappedClusterParts {
  readonly zooKeeper: TestZooKeeper;
  readonly cluster: TestCluster;
  readonly taps: readonly ZooKeeperTap[];
  readonly znodes: ZNodes;
}

/** Three brokers and a real ZooKeeper; all that goes between them is read along, and what brokers ask each other is logged. */
export class TappedCluster {
  readonly cluster: TestCluster;
  readonly znodes: ZNodes;
  readonly admin: Admin;
  readonly bootstrapServers: readonly string[];
  readonly taps: readonly ZooKeeperTap[];
  private readonly zooKeeper: TestZooKeeper;
  private writtenBefore: readonly number[] = brokerIds.map(() => 0);
  private requestsBefore: readonly number[] = brokerIds.map(() => 0);

  protected constructor({ zooKeeper, cluster, taps, znodes }: TappedClusterParts) {
    this.zooKeeper = zooKeeper;
    this.cluster = cluster;
    this.taps = taps;
    this.znodes = znodes;
    this.bootstrapServers = cluster.bootstrapServers;
    this.admin = new Admin({ bootstrapServers: cluster.bootstrapServers });
  }

  /** @param overrides settings of every broker */
  static async open(overrides: Readonly<Record<string, string>>): Promise<TappedCluster> {
    return new TappedCluster(await TappedCluster.parts(overrides));
  }

  protected static async parts(
    overrides: Readonly<Record<string, string>>,
    brokerOverrides: (brokerId: number) => Readonly<Record<string, string>> = () => ({}),
  ): Promise<TappedClusterParts> {
    const zooKeeper = await startZooKeeper();
    const taps: ZooKeeperTap[] = [];
    for (const id of brokerIds) taps.push(await ZooKeeperTap.start(id, zooKeeper.port));
    const cluster = await startCluster({
      zooKeeper,
      zooKeeperConnect: (id) => taps[id - 1]!.connectString,
      brokerOverrides,
      overrides: {
        ...overrides,
        'klassic.log.console': 'false',
        'klassic.forward.to.controller': 'false',
        'klassic.log.levels': 'kafka.request.logger=TRACE',
      },
    });
    return { zooKeeper, taps, cluster, znodes: await ZNodes.open(zooKeeper.connectString) };
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

  /** What is written and asked from now on is what `written` and `requestsTo` tell. */
  mark(): void {
    this.writtenBefore = this.taps.map(({ written }) => written.length);
    this.requestsBefore = brokerIds.map((id) => this.allRequestsTo(id).length);
  }

  /** What the broker wrote to ZooKeeper since the mark, refused or not. */
  writtenBy(brokerId: number): TappedWrite[] {
    return this.taps[brokerId - 1]!.written.slice(this.writtenBefore[brokerId - 1]);
  }

  /** What the broker was asked since the mark, by anybody. */
  requestsTo(brokerId: number): LoggedRequest[] {
    return this.allRequestsTo(brokerId).slice(this.requestsBefore[brokerId - 1]);
  }

  /** The same from the cluster's beginning, over all lives of the broker. */
  allRequestsTo(brokerId: number): LoggedRequest[] {
    return readRequestLog(this.broker(brokerId).logFolder, brokerId);
  }

  /** Who won which election, from the beginning. */
  elections(): Elections {
    return Elections.ofTaps(this.taps.flatMap(({ written }) => written));
  }

  /** SIGTERM, and waits for the end. */
  async terminate(brokerId: number): Promise<void> {
    expect(await this.broker(brokerId).stop()).toBe(true);
  }

  /** Waits until there is a controller, and it is another broker. */
  async waitForControllerOtherThan(brokerId: number): Promise<void> {
    await this.until(
      async () => ![-1, brokerId].includes(await this.znodes.controllerId()),
      `a controller other than broker ${brokerId}`,
    );
  }

  /** Waits until every partition of the topic has this many replicas in sync. */
  async waitForIsrs(topic: string, partitions: number, size: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition += 1) {
      await this.until(
        async () => (await this.znodes.partitionState(topic, partition)).isr.length === size,
        `${size} replicas of ${topic}-${partition} in sync`,
      );
    }
  }

  /** Waits until the broker leads the partition; -1: until nobody does. */
  async waitForLeader(topic: string, leader: number, partition = 0): Promise<void> {
    await this.until(
      async () => (await this.znodes.partitionState(topic, partition)).leader === leader,
      `leader ${leader} of ${topic}-${partition}`,
    );
  }

  /**
   * Waits until every leader has told by znode the last ISR change of each partition that it made since the mark, and the
   * controller has taken the znodes away.
   */
  async waitForIsrNotifications(): Promise<void> {
    for (const id of brokerIds) {
      const who = this.taps[id - 1]!.watches?.who;
      await this.until(
        () => untold(this.writtenBy(id).filter((txn) => txn.who === who)).length === 0,
        `broker ${id} to tell its ISR changes`,
      );
    }
    await this.until(
      async () => (await this.znodes.children('/isr_change_notification')).length === 0,
      'the controller to take the notifications away',
    );
  }

  /** Waits until every broker has a connection to ZooKeeper on which it has asked for something. */
  async waitUntilConnected(): Promise<void> {
    for (const [index, tap] of this.taps.entries())
      await this.until(() => tap.isConnected, `broker ${index + 1} to reach ZooKeeper again`);
  }

  /** Waits until the leader holds no fetch of the follower, which is stopped, any more: it would answer it with what comes next. */
  async waitUntilNotFetched(leader: number, follower: number): Promise<void> {
    const longerThanFetchesWaitMs = 1_000;
    let count = -1;
    let sinceMs = Date.now();
    const isSilent = (): boolean => {
      const fetches = this.requestsTo(leader).filter(
        ({ api, clientId }) => api === 'FETCH' && clientId.startsWith(`broker-${follower}-`),
      );
      if (fetches.length !== count) sinceMs = Date.now();
      count = fetches.length;
      return Date.now() - sinceMs > longerThanFetchesWaitMs;
    };
    await this.until(isSilent, `broker ${leader} to answer the fetches of broker ${follower}`);
  }

  /** Waits until the topic is gone, and all marks of its deletion. */
  async waitUntilGone(topic: string): Promise<void> {
    await this.until(
      async () =>
        !(await this.znodes.children('/brokers/topics')).includes(topic) &&
        !(await this.znodes.children('/admin/delete_topics')).includes(topic),
      `the deletion of ${topic}`,
    );
  }

  /** Waits until these brokers have been told, since the mark, of the topic's partitions by an UpdateMetadata. */
  async waitUntilTold(topic: string, partitions: number, ids: readonly number[] = brokerIds): Promise<void> {
    for (const id of ids) {
      const isTold = (): boolean =>
        this.requestsTo(id).some(
          ({ api, request }) => api === 'UPDATE_METADATA' && partitionCount(request, topic) === partitions,
        );
      await this.until(isTold, `broker ${id} to be told of ${topic}`);
    }
  }

  /** Waits, with a limit that suits a slow machine. */
  async until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
    await eventually(isSo, { timeoutMs: patientMs, what });
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
