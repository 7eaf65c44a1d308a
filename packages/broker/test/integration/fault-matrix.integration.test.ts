import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  controllersByEpoch,
  eventually,
  isSoak,
  startCluster,
  startZooKeeper,
  TcpRelay,
  zooKeeperMode,
} from '@klassic/test-support';
import type { TestBroker, TestCluster, TestZooKeeper } from '@klassic/test-support';
import { createTopic, quick, waitUntilOfOneMind, ZNodes } from './cluster.ts';
import { complaints, readTopic } from './records.ts';
import { produceMeanwhile, Traffic } from './traffic.ts';

jest.setTimeout(120_000);

/** `KLASSIC_SOAK=1` plays each of them five times. */
const rounds = isSoak() ? 5 : 1;
const ids = [1, 2, 3];
const safe = { 'min.insync.replicas': '2' };

let zooKeeper: TestZooKeeper;
let cluster: TestCluster;
let znodes: ZNodes;
let servers: readonly string[];
/** Each broker's only ways to ZooKeeper, one to each server of the ensemble. */
const relays = new Map<number, TcpRelay[]>();
let traffic: Traffic | undefined;
let topics = 0;

beforeAll(async () => {
  zooKeeper = await startZooKeeper({ servers: 3 });
  for (const id of ids) {
    const ways = zooKeeper.servers.map(({ port: targetPort }) => TcpRelay.start({ targetPort }));
    relays.set(id, await Promise.all(ways));
  }
  cluster = await startCluster({
    zooKeeper,
    zooKeeperConnect: (id) =>
      relays
        .get(id)!
        .map(({ address }) => address)
        .join(),
    overrides: { ...quick, 'auto.leader.rebalance.enable': 'false' },
  });
  servers = cluster.bootstrapServers;
  znodes = await ZNodes.open(zooKeeper.connectString);
});

afterAll(async () => {
  await znodes?.close();
  await cluster?.stop();
  await Promise.all([...relays.values()].flat().map((relay) => relay.close()));
  await zooKeeper?.stop();
});

beforeEach(async () => {
  await znodes.waitForBrokers(ids);
  await eventually(async () => (await znodes.controllerId()) > 0, { timeoutMs: 30_000, what: 'a controller' });
});

afterEach(async () => {
  traffic?.abandon();
  for (const relay of [...relays.values()].flat()) relay.heal();
  for (const broker of cluster.brokers) {
    broker.resume();
    if (broker.state === 'gone') await broker.startAgain();
  }
});

const roles = ['controller', 'leader', 'follower'] as const;

/** What is done to a broker, and how it is undone. */
const faults: Readonly<
  Record<
    string,
    { begin: (broker: TestBroker) => Promise<void> | void; end: (broker: TestBroker) => Promise<void> | void }
  >
> = {
  'kill -9': { begin: (broker) => broker.kill(), end: (broker) => broker.startAgain() },
  SIGTERM: {
    begin: async (broker) => {
      expect(await broker.stop()).toBe(true);
    },
    end: (broker) => broker.startAgain(),
  },
  'SIGSTOP past its session': {
    begin: (broker) => broker.pause(),
    end: (broker) => broker.resume(),
  },
  'a cut link to ZooKeeper': {
    begin: ({ id }) => {
      for (const relay of relays.get(id)!) relay.cut();
    },
    end: ({ id }) => {
      for (const relay of relays.get(id)!) relay.heal();
    },
  },
};

/** One partition, whose leader and followers are chosen so that the victim plays its role and, but for the controller, no other. */
async function stage(role: (typeof roles)[number]): Promise<{ topic: string; victim: number; others: number[] }> {
  const controller = await znodes.controllerId();
  const [one, other] = ids.filter((id) => id !== controller) as [number, number];
  const victim = role === 'controller' ? controller : one;
  const others = ids.filter((id) => id !== victim);
  const topic = `matrix-${(topics += 1)}`;
  const replicas = role === 'leader' ? [victim, ...others] : [other, ...ids.filter((id) => id !== other)];
  await createTopic(servers, topic, [replicas], safe);
  await znodes.waitForIsr(topic, 0, ids);
  return { topic, victim, others };
}

/** Waits until the cluster is whole, ends the traffic, and holds what was acknowledged against what is read. */
async function expectWhole(
  topic: string,
  running: Traffic,
  meanwhile: { key: string; value: string }[],
): Promise<void> {
  await znodes.waitForBrokers(ids);
  await znodes.waitForIsr(topic, 0, ids, 60_000);
  await waitUntilOfOneMind(znodes, servers, topic);
  await running.flows(20);
  const sent = [...(await running.stop()), ...meanwhile];
  expect(complaints(sent, await readTopic(servers, topic))).toEqual([]);
  const crowded = [...controllersByEpoch(cluster.brokers)].filter(([, brokers]) => brokers.size !== 1);
  expect(crowded).toEqual([]);
}

const table = Array.from({ length: rounds }, (_, round) =>
  Object.keys(faults).flatMap((fault) => roles.map((role) => [fault, role, round + 1] as const)),
).flat();

describe('under acks=all load, min ISR 2', () => {
  it.each(table)('%s of the %s costs nothing acknowledged (round %i)', async (fault, role) => {
    const { topic, victim, others } = await stage(role);
    traffic = new Traffic(servers, topic);
    await traffic.flows(20);

    await faults[fault]!.begin(cluster.broker(victim));
    await znodes.waitForBrokers(others);
    await znodes.waitForIsr(topic, 0, others);
    const meanwhile = await produceMeanwhile(
      others.map((id) => cluster.broker(id).bootstrapServer),
      topic,
    );
    await faults[fault]!.end(cluster.broker(victim));

    await expectWhole(topic, traffic, meanwhile);
    if (role === 'controller') expect(others).toContain(await znodes.controllerId());
  });

  it.each(Array.from({ length: rounds }, (_, round) => [round + 1]))(
    'the death of the ensemble’s leader costs nothing at all (round %i)',
    async () => {
      const { topic } = await stage('leader');
      traffic = new Traffic(servers, topic);
      await traffic.flows(20);
      const modes = await Promise.all(zooKeeper.servers.map(({ port }) => zooKeeperMode('127.0.0.1', port)));
      const member = zooKeeper.servers[modes.indexOf('leader')]!;

      await member.kill();
      // Data flow without ZooKeeper; what needs it works when the two others have agreed.
      await traffic.flows(20);
      const again = `${topic}-while-two-serve`;
      await eventually(async () => (await createTopic(servers, again, [[1, 2, 3]]), true), {
        timeoutMs: 60_000,
        what: 'a topic made with two of three ZooKeeper servers',
      }).catch((error: Error) => {
        if (!error.message.includes('already exists')) throw error;
      });
      await znodes.waitForIsr(again, 0, ids);
      await member.start();

      await expectWhole(topic, traffic, []);
    },
  );
});
