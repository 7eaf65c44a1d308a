import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually, sleep, startCluster, TcpRelay, startZooKeeper } from '@klassic/test-support';
import type { TestCluster, TestZooKeeper } from '@klassic/test-support';
import { connectTo, createTopic, quick, waitUntilOfOneMind, ZNodes } from './cluster.ts';
import { complaints, readTopic } from './records.ts';
import { produceMeanwhile, Traffic } from './traffic.ts';

jest.setTimeout(90_000);

const sessionMs = 3_000;
/** As long as a session, and the rounding of ZooKeeper's clock of half a second, and a little more. */
const longerThanASession = sessionMs + 1_500;
/** Three partitions, of which each broker leads one. */
const everywhere = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
];
const safe = { 'min.insync.replicas': '2' };

let zooKeeper: TestZooKeeper;
let cluster: TestCluster;
let znodes: ZNodes;
let servers: readonly string[];
/** Each broker's only way to ZooKeeper, by its id. */
const relays = new Map<number, TcpRelay>();
let traffic: Traffic;

beforeAll(async () => {
  zooKeeper = await startZooKeeper();
  for (const id of [1, 2, 3]) relays.set(id, await TcpRelay.start({ targetPort: zooKeeper.port }));
  cluster = await startCluster({
    zooKeeper,
    zooKeeperConnect: (id) => relays.get(id)!.address,
    overrides: { ...quick, 'zookeeper.session.timeout.ms': String(sessionMs), 'auto.leader.rebalance.enable': 'false' },
  });
  servers = cluster.bootstrapServers;
  znodes = await ZNodes.open(zooKeeper.connectString);
});

afterAll(async () => {
  await znodes?.close();
  await cluster?.stop();
  await Promise.all([...relays.values()].map((relay) => relay.close()));
  await zooKeeper?.stop();
});

beforeEach(() => znodes.waitForBrokers([1, 2, 3]));

afterEach(() => {
  traffic?.abandon();
  for (const relay of relays.values()) relay.heal();
  zooKeeper.resume();
  for (const broker of cluster.brokers) broker.resume();
});

const addressesOf = (ids: readonly number[]): string[] => ids.map((id) => cluster.broker(id).bootstrapServer);

/** The session that owns each broker's registration. */
async function owners(): Promise<Map<number, string>> {
  const seen = new Map<number, string>();
  for (const id of await znodes.brokerIds()) {
    const znode = await znodes.read(`/brokers/ids/${id}`);
    if (znode !== undefined) seen.set(id, znode.stat.ephemeralOwner);
  }
  return seen;
}

/** Waits until all brokers are registered, in every ISR, and of one mind about the leaders. */
async function waitUntilMended(topic: string): Promise<void> {
  await znodes.waitForBrokers([1, 2, 3]);
  await eventually(async () => (await znodes.controllerId()) > 0, { what: 'a controller' });
  for (const partition of [0, 1, 2]) await znodes.waitForIsr(topic, partition, [1, 2, 3]);
  await waitUntilOfOneMind(znodes, servers, topic);
}

describe('ZooKeeper that is silent for longer than a session', () => {
  it('costs nobody anything but the session: data flow meanwhile, and afterwards there is one controller', async () => {
    await createTopic(servers, 'silence', everywhere, safe);
    const epoch = await znodes.controllerEpoch();
    traffic = new Traffic(servers, 'silence');
    await traffic.flows();

    zooKeeper.pause();
    await traffic.flows();
    await sleep(longerThanASession);
    zooKeeper.resume();

    // ZooKeeper, awake, ends the sessions of those that do not speak up before it looks at its clock.
    await waitUntilMended('silence');
    expect(await znodes.controllerEpoch()).toBeGreaterThanOrEqual(epoch);
    await traffic.flows();
    const sent = await traffic.stop();
    expect(complaints(sent, await readTopic(servers, 'silence'))).toEqual([]);
    await createTopic(servers, 'after-the-silence', [[3, 2, 1]]);
  });
});

describe('The end of all sessions at once', () => {
  it('leaves a cluster without brokers; they register again by themselves, and one is the controller', async () => {
    await createTopic(servers, 'all-gone', everywhere, safe);
    const before = await owners();
    const epoch = await znodes.controllerEpoch();
    traffic = new Traffic(servers, 'all-gone');
    await traffic.flows();

    for (const relay of relays.values()) relay.pause();
    await znodes.waitForBrokers([]);
    expect(await znodes.controllerId()).toBe(-1);
    // Leaders and followers know each other: data flow without a controller and without ZooKeeper.
    await traffic.flows();
    for (const relay of relays.values()) relay.heal();

    await waitUntilMended('all-gone');
    const now = await owners();
    for (const [id, owner] of now) expect(owner).not.toBe(before.get(id));
    expect([...now.values()]).toContain((await znodes.read('/controller'))!.stat.ephemeralOwner);
    expect(await znodes.controllerEpoch()).toBe(epoch + 1);
    await traffic.flows();
    const sent = await traffic.stop();
    expect(complaints(sent, await readTopic(servers, 'all-gone'))).toEqual([]);
    await createTopic(servers, 'all-back', [[3, 2, 1]]);
  });
});

describe('ZooKeeper that is killed and comes back', () => {
  it('finds the sessions as they were', async () => {
    const before = await owners();
    const epoch = await znodes.controllerEpoch();
    await zooKeeper.restart();
    await createTopic(servers, 'after-the-restart', [[1, 2, 3]]);
    expect(await owners()).toEqual(before);
    expect(await znodes.controllerEpoch()).toBe(epoch);
  });
});

describe('A controller that is stopped for longer than its session', () => {
  it('wakes as an ordinary broker: its successor decides, and its leaderships are gone', async () => {
    const zombie = await znodes.controllerId();
    const epoch = await znodes.controllerEpoch();
    const [next, last] = [1, 2, 3].filter((id) => id !== zombie) as [number, number];
    await createTopic(servers, 'zombie', [[zombie, next, last]], safe);
    traffic = new Traffic(servers, 'zombie');
    await traffic.flows();

    cluster.broker(zombie).pause();
    const successor = await eventually(
      async () => {
        const id = await znodes.controllerId();
        return id > 0 && id !== zombie && id;
      },
      { timeoutMs: 30_000, what: 'another controller' },
    );
    await eventually(async () => (await znodes.partitionState('zombie')).leader === next, { what: 'another leader' });
    const meanwhile = await produceMeanwhile(addressesOf([next, last]), 'zombie');
    cluster.broker(zombie).resume();

    await znodes.waitForBrokers([1, 2, 3]);
    await znodes.waitForIsr('zombie', 0, [1, 2, 3]);
    expect(await znodes.partitionState('zombie')).toMatchObject({ leader: next });
    expect([await znodes.controllerId(), await znodes.controllerEpoch()]).toEqual([successor, epoch + 1]);
    await waitUntilOfOneMind(znodes, servers, 'zombie');
    await traffic.flows();
    const sent = [...(await traffic.stop()), ...meanwhile];
    expect(complaints(sent, await readTopic(servers, 'zombie'))).toEqual([]);
  });
});

describe('A broker that is cut off from ZooKeeper', () => {
  it('for longer than its session, in silence, loses its leaderships and is back by itself', async () => {
    const topic = 'cut-off';
    // Broker 3 need not be the controller, nor the other two.
    await createTopic(
      servers,
      topic,
      [
        [3, 1, 2],
        [1, 2, 3],
      ],
      safe,
    );
    const before = (await owners()).get(3);
    traffic = new Traffic(servers, topic);
    await traffic.flows();

    const relay = relays.get(3)!;
    relay.pause();
    await znodes.waitForBrokers([1, 2]);
    await znodes.waitForIsr(topic, 0, [1, 2]);
    expect((await znodes.partitionState(topic)).leader).toBe(1);
    // Broker 3 has not heard of it: what its clients send waits there for followers that fetch elsewhere by now.
    const meanwhile = await produceMeanwhile(addressesOf([1, 2]), topic);
    relay.heal();

    await znodes.waitForBrokers([1, 2, 3]);
    expect((await owners()).get(3)).not.toBe(before);
    await znodes.waitForIsr(topic, 0, [1, 2, 3]);
    await znodes.waitForIsr(topic, 1, [1, 2, 3]);
    await waitUntilOfOneMind(znodes, servers, topic);
    await traffic.flows();
    const sent = [...(await traffic.stop()), ...meanwhile];
    expect(complaints(sent, await readTopic(servers, topic))).toEqual([]);
  });

  it('for less than its session keeps it, and everything with it', async () => {
    await createTopic(servers, 'blink', [[3, 1, 2]], safe);
    const before = await owners();
    const states = [await znodes.partitionState('blink'), await znodes.controllerEpoch()];
    traffic = new Traffic(servers, 'blink');
    await traffic.flows();
    const relay = relays.get(3)!;
    relay.cut();
    await sleep(500);
    relay.heal();
    // What needs ZooKeeper works again: broker 3 writes a topic that is made on first use by itself.
    const connection = await connectTo(cluster.broker(3));
    await connection.send('Metadata', 9, { topics: [{ name: 'after-the-blink' }], allowAutoTopicCreation: true });
    connection.close();
    expect(await znodes.read('/brokers/topics/after-the-blink')).toBeDefined();
    await traffic.flows();
    await sleep(longerThanASession);
    const sent = await traffic.stop();
    expect(complaints(sent, await readTopic(servers, 'blink'))).toEqual([]);
    expect(await owners()).toEqual(before);
    expect([await znodes.partitionState('blink'), await znodes.controllerEpoch()]).toEqual(states);
  });
});
