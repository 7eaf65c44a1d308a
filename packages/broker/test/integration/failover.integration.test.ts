import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Admin } from '@klassic/client';
import { eventually, hasKcat, kafkaJs, prepareBroker, startCluster } from '@klassic/test-support';
import type { TestCluster } from '@klassic/test-support';
import { createTopic, leaderTold, quick, ZNodes } from './cluster.ts';
import { ForegroundBroker } from './foreground.ts';
import { complaints, readTopic } from './records.ts';
import { KcatGroupReader, Traffic } from './traffic.ts';

jest.setTimeout(90_000);

const safe = { 'min.insync.replicas': '2' };
const overrides = { ...quick, 'auto.leader.rebalance.enable': 'false' };

let cluster: TestCluster;
let znodes: ZNodes;
let servers: readonly string[];

beforeAll(async () => {
  cluster = await startCluster({ overrides });
  servers = cluster.bootstrapServers;
  znodes = await ZNodes.open(cluster.zooKeeper.connectString);
});

afterAll(async () => {
  await znodes?.close();
  await cluster?.stop();
});

/** Waits until all brokers that run are told of the same leader by the controller. */
async function waitUntilTold(topic: string, leader: number, leaderEpoch: number): Promise<void> {
  for (const broker of cluster.brokers.filter(({ pid }) => pid !== undefined)) {
    await eventually(
      async () => {
        const told = await leaderTold([broker.bootstrapServer], topic);
        return told?.leader === leader && told.leaderEpoch === leaderEpoch;
      },
      { what: `leader ${leader} of epoch ${leaderEpoch} in the metadata of broker ${broker.id}` },
    );
  }
}

describe('kill -9 of a leader', () => {
  it('loses no acknowledged record: the controller elects from the ISR, clients carry on, the broker returns', async () => {
    await createTopic(
      servers,
      'leader-dies',
      [
        [2, 3, 1],
        [3, 1, 2],
      ],
      safe,
    );
    const [controller, epoch] = [await znodes.controllerId(), await znodes.controllerEpoch()];
    expect(controller).toBe(1);
    const traffic = new Traffic(servers, 'leader-dies');
    await traffic.flows();
    expect(await znodes.partitionState('leader-dies')).toMatchObject({ leader: 2, leader_epoch: 0, isr: [2, 3, 1] });

    await cluster.broker(2).kill();
    await znodes.waitForIsr('leader-dies', 0, [1, 3]);
    expect(await znodes.partitionState('leader-dies')).toMatchObject({ leader: 3, leader_epoch: 1, isr: [3, 1] });
    // It was but a follower of the other: the leader stays, the epoch rises all the same (scenario 03).
    await znodes.waitForIsr('leader-dies', 1, [1, 3]);
    expect(await znodes.partitionState('leader-dies', 1)).toMatchObject({ leader: 3, leader_epoch: 1, isr: [3, 1] });
    await waitUntilTold('leader-dies', 3, 1);
    await traffic.flows();

    await cluster.broker(2).startAgain();
    await znodes.waitForIsr('leader-dies', 0, [1, 2, 3]);
    await znodes.waitForIsr('leader-dies', 1, [1, 2, 3]);
    // Who has caught up joins the ISR; leader and leader epoch stay.
    expect(await znodes.partitionState('leader-dies')).toMatchObject({ leader: 3, leader_epoch: 1 });
    await traffic.flows();
    const sent = await traffic.stop();
    expect(complaints(sent, await readTopic(servers, 'leader-dies'))).toEqual([]);
    expect([await znodes.controllerId(), await znodes.controllerEpoch()]).toEqual([controller, epoch]);
  });
});

describe('kill -9 of the controller', () => {
  it('makes another one, with the next epoch; leaders are elected and nothing acknowledged is lost', async () => {
    const controller = await znodes.controllerId();
    const epoch = await znodes.controllerEpoch();
    const [next, last] = [1, 2, 3].filter((id) => id !== controller) as [number, number];
    await createTopic(
      servers,
      'controller-dies',
      [
        [controller, next, last],
        [next, last, controller],
      ],
      safe,
    );
    const traffic = new Traffic(servers, 'controller-dies');
    await traffic.flows();

    await cluster.broker(controller).kill();
    const successor = await eventually(
      async () => {
        const id = await znodes.controllerId();
        return id >= 0 && id !== controller && id;
      },
      { what: 'another controller' },
    );
    expect(await znodes.controllerEpoch()).toBe(epoch + 1);
    await eventually(async () => (await znodes.partitionState('controller-dies')).leader === next);
    // One epoch for the ISR without the dead one, which leaves no leader, one for the election (scenario 04).
    expect(await znodes.partitionState('controller-dies')).toEqual({
      controller_epoch: epoch + 1,
      leader: next,
      version: 1,
      leader_epoch: 2,
      isr: [next, last],
    });
    await waitUntilTold('controller-dies', next, 2);
    await traffic.flows();

    await cluster.broker(controller).startAgain();
    await znodes.waitForIsr('controller-dies', 0, [1, 2, 3]);
    await znodes.waitForIsr('controller-dies', 1, [1, 2, 3]);
    await traffic.flows();
    const sent = await traffic.stop();
    expect(complaints(sent, await readTopic(servers, 'controller-dies'))).toEqual([]);
    expect([await znodes.controllerId(), await znodes.controllerEpoch()]).toEqual([successor, epoch + 1]);
  });
});

describe('SIGTERM', () => {
  it('ends a broker cleanly: its leaderships move first, then it leaves ZooKeeper, and the exit code is 0', async () => {
    const prepared = await prepareBroker({
      zooKeeperConnect: cluster.zooKeeper.connectString,
      id: 4,
      brokers: 3,
      overrides,
    });
    const broker = new ForegroundBroker(prepared.folder);
    await broker.started();
    await znodes.waitForBrokers([1, 2, 3, 4]);
    await createTopic(
      servers,
      'leader-leaves',
      [
        [4, 2, 3],
        [2, 3, 4],
      ],
      safe,
    );
    const traffic = new Traffic(servers, 'leader-leaves');
    await traffic.flows();

    broker.signal('SIGTERM');
    const { exitCode, complaints: said } = await broker.ending;
    expect({ exitCode, said }).toEqual({ exitCode: 0, said: [] });
    expect(existsSync(join(prepared.dataFolder, '.kafka_cleanshutdown'))).toBe(true);
    // It closed its session: nobody waited for its end.
    expect(await znodes.brokerIds()).toEqual([1, 2, 3]);
    expect(await znodes.partitionState('leader-leaves')).toMatchObject({ leader: 2, leader_epoch: 1, isr: [2, 3] });
    expect(await znodes.partitionState('leader-leaves', 1)).toMatchObject({ leader: 2, leader_epoch: 1, isr: [2, 3] });
    const moved = (await znodes.read('/brokers/topics/leader-leaves/partitions/0/state'))!.stat.mzxid;
    const left = (await znodes.read('/brokers/ids'))!.stat.pzxid;
    expect(moved).toBeLessThan(left);
    await traffic.flows();
    const sent = await traffic.stop();
    expect(complaints(sent, await readTopic(servers, 'leader-leaves'))).toEqual([]);
  });
});

describe('kill -9 of a group’s coordinator', () => {
  it('leaves committed offsets where they were; consumers find the next coordinator and go on', async () => {
    const admin = new Admin({ bootstrapServers: servers });
    const kcatGroup = 'kcat-survives';
    // Each member of a group waits for its coordinator: the second group's is likely another broker.
    const groupId = 'kafkajs-survives';
    const coordinator = await admin.findCoordinator(groupId);
    const others = [1, 2, 3].filter((id) => id !== coordinator.id);
    await createTopic(servers, 'read-on', [[...others, coordinator.id]], safe);
    const traffic = new Traffic(servers, 'read-on');
    const kcatReader = hasKcat() ? new KcatGroupReader(servers, 'read-on', kcatGroup) : undefined;
    const consumer = kafkaJs(servers).consumer({
      groupId,
      sessionTimeout: 10_000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
    });
    const offsets: number[] = [];
    await consumer.connect();
    await consumer.subscribe({ topics: ['read-on'], fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 200,
      eachMessage: ({ message }) => {
        offsets.push(Number(message.offset));
        return Promise.resolve();
      },
    });
    const committed = async (): Promise<number> =>
      (await admin.listGroupOffsets(groupId)).get('read-on-0')?.offset ?? -1;
    const before = await eventually(async () => {
      const offset = await committed();
      return offset > 50 && offset;
    });
    await eventually(() => kcatReader === undefined || kcatReader.values.length > 50, { what: 'records for kcat' });

    await cluster.broker(coordinator.id).kill();
    const readBefore = offsets.length;
    const successor = await eventually(
      async () => {
        const node = await admin.findCoordinator(groupId);
        return node.id !== coordinator.id && node;
      },
      { timeoutMs: 30_000, what: 'another coordinator' },
    );
    expect(others).toContain(successor.id);
    expect(await eventually(committed)).toBeGreaterThanOrEqual(before);
    await traffic.flows();
    const sent = await traffic.stop();
    const last = sent.length - 1;
    await eventually(() => offsets.includes(last), { timeoutMs: 30_000, what: `offset ${last} for kafkajs` });
    await eventually(async () => (await committed()) === last + 1, { what: `the commit of ${last + 1}` });
    // What was committed before is not read again.
    expect(Math.min(...offsets.slice(readBefore))).toBeGreaterThanOrEqual(before);
    expect([...new Set(offsets)].sort((a, b) => a - b)).toEqual(sent.map((_, offset) => offset));
    if (kcatReader !== undefined) {
      await eventually(() => new Set(kcatReader.values).size >= new Set(sent.map(({ value }) => value)).size, {
        timeoutMs: 30_000,
        what: 'the last records for kcat',
      });
      await kcatReader.stop();
    }
    await consumer.disconnect();
    admin.close();
  });
});
