import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Consumer, Producer } from '@klassic/client';
import { Errors } from '@klassic/protocol';
import { eventually } from '@klassic/test-support';
import { connectTo, createTopic, quick } from '../integration/cluster.ts';
import { wrongRequests, wrongWrites } from './controller-rules.ts';
import { brokerIds, TappedCluster } from './tapped-cluster.ts';
import type { Watches } from './watch-book.ts';

jest.setTimeout(120_000);

let cluster: TappedCluster;
const topics: string[] = [];

beforeAll(async () => {
  cluster = await TappedCluster.open({ ...quick, 'zookeeper.session.timeout.ms': '8000' });
});

afterAll(() => cluster?.stop());

const others = (brokerId: number): number[] => brokerIds.filter((id) => id !== brokerId);

async function create(name: string, replicas: readonly number[]): Promise<void> {
  await createTopic(cluster.bootstrapServers, name, [replicas]);
  topics.push(name);
  await cluster.waitForIsrs(name, 1, replicas.length);
  await cluster.waitUntilTold(name, 1);
}

/** What an ordinary broker watches, and all that it ever does. */
const ordinary: Watches = { data: ['/controller'], child: ['/config/changes'] };

async function controllers(): Promise<Watches> {
  const brokers = (await cluster.znodes.brokerIds()).map((id) => `/brokers/ids/${id}`);
  const paths = ['/admin/preferred_replica_election', '/admin/reassign_partitions', '/controller'];
  return {
    data: [...paths, ...brokers, ...topics.map((topic) => `/brokers/topics/${topic}`)].sort(),
    child: [
      '/admin/delete_topics',
      '/brokers/ids',
      '/brokers/topics',
      '/config/changes',
      '/isr_change_notification',
      '/log_dir_event_notification',
    ],
  };
}

/** Each registered broker's session watches what its role asks for, as soon as the controller has done its work. */
async function expectWatchesByRole(): Promise<void> {
  const look = async (): Promise<{ actual: unknown; expected: unknown }> => {
    const registered = await cluster.znodes.brokerIds();
    const controller = await cluster.znodes.controllerId();
    const wanted = await controllers();
    return {
      actual: registered.map((id) => [id, cluster.taps[id - 1]!.watches?.watches]),
      expected: registered.map((id) => [id, id === controller ? wanted : ordinary]),
    };
  };
  let last = await look();
  await eventually(
    async () => {
      last = await look();
      return JSON.stringify(last.actual) === JSON.stringify(last.expected);
    },
    { timeoutMs: 20_000 },
  ).catch(() => expect(last.actual).toEqual(last.expected));
}

/** Brokers that were never elected, in this life or an earlier one. */
function neverControllers(): number[] {
  const elected = cluster.taps.flatMap(({ written }) =>
    written.filter(({ ops, code }) => ops[0]?.path === '/controller' && code === 'OK').map(({ who }) => who[7]),
  );
  return brokerIds.filter((id) => !elected.includes(String(id)));
}

describe('Invariant 2: only the controller watches the cluster', () => {
  it('when three brokers have started', () => expectWatchesByRole());

  it('when topics are created', async () => {
    await create('on-all', [1, 2, 3]);
    await create('without-1', [2, 3]);
    await expectWatchesByRole();
  });

  it('when an ordinary broker has been killed, and when it is back', async () => {
    await cluster.broker(3).kill();
    await cluster.znodes.waitForBrokers([1, 2]);
    await expectWatchesByRole();
    await cluster.broker(3).start();
    await cluster.waitForIsrs('on-all', 1, 3);
    await expectWatchesByRole();
  });

  it('when the controller has been killed and another took over, and when the first is back', async () => {
    await cluster.broker(1).kill();
    await cluster.waitForControllerOtherThan(1);
    await cluster.znodes.waitForBrokers([2, 3]);
    await expectWatchesByRole();
    await cluster.broker(1).start();
    await cluster.waitForIsrs('on-all', 1, 3);
    await expectWatchesByRole();
  });

  it('and a broker that never was it never set another watch than on /controller and the children of /config/changes', () => {
    expect(neverControllers()).toHaveLength(1);
    for (const id of neverControllers()) {
      const watched = cluster.taps[id - 1]!.read.filter(({ isWatched }) => isWatched);
      const isChild = ({ op }: { op: string }): boolean => op === 'getChildren';
      const paths = (reads: typeof watched): string[] => [...new Set(reads.map(({ path }) => path))];
      expect(paths(watched.filter((read) => !isChild(read)))).toEqual(ordinary.data);
      expect(paths(watched.filter(isChild))).toEqual(ordinary.child);
    }
  });
});

describe('Invariant 3: brokers know of topics what UpdateMetadata told them', () => {
  it('a broker that never was controller reads no topic, partition or broker from ZooKeeper once it is registered', () => {
    for (const id of neverControllers()) {
      const paths = cluster.taps[id - 1]!.read.filter(({ isRegistered }) => isRegistered).map(({ path }) => path);
      expect(paths).toContain('/controller');
      // Its group coordinator asks at the start how many partitions that one has, as the original's does.
      const known = '/brokers/topics/__consumer_offsets';
      expect(paths.filter((path) => /^\/brokers\/(topics|ids)\b/.test(path) && path !== known)).toEqual([]);
    }
  });

  it('clients are served without a word to ZooKeeper', async () => {
    const before = cluster.taps.map(({ read, written }) => read.length + written.length);
    const server = [cluster.broker(2).bootstrapServer];
    const producer = new Producer({ bootstrapServers: server, acks: 'all' });
    await producer.send({ topic: 'on-all', partition: 0, value: 'a' });
    await producer.close();
    const consumer = new Consumer({ bootstrapServers: server, autoOffsetReset: 'earliest' });
    consumer.assign([{ topic: 'on-all', partition: 0 }]);
    expect((await consumer.poll(10_000)).map(({ value }) => String(value))).toEqual(['a']);
    await consumer.close();
    for (const id of brokerIds) {
      const connection = await connectTo(cluster.broker(id));
      expect((await connection.send('Metadata', 9, { topics: null })).topics).toHaveLength(2);
      connection.close();
    }
    expect(cluster.taps.map(({ read, written }) => read.length + written.length)).toEqual(before);
  });

  it('producers and consumers go on while the controller does nothing', async () => {
    const controller = await cluster.znodes.controllerId();
    const [one, other] = others(controller) as [number, number];
    await create('without-the-controller', [one, other]);
    const server = [cluster.broker(one).bootstrapServer];
    const producer = new Producer({ bootstrapServers: server, acks: 'all' });
    const consumer = new Consumer({ bootstrapServers: server, autoOffsetReset: 'earliest' });
    consumer.assign([{ topic: 'without-the-controller', partition: 0 }]);
    cluster.broker(controller).pause();
    try {
      await producer.send({ topic: 'without-the-controller', partition: 0, value: 'b' });
      expect((await consumer.poll(5_000)).map(({ value }) => String(value))).toEqual(['b']);
    } finally {
      cluster.broker(controller).resume();
    }
    await producer.close();
    await consumer.close();
    expect(await cluster.znodes.controllerId()).toBe(controller);
  });
});

describe('Invariant 4: one controller an epoch, and no other is obeyed', () => {
  /** The newest controller's requests, as the broker that led nothing before would take them. */
  async function refusedBy(brokerId: number, controllerEpoch: number, brokerEpoch: number): Promise<number[]> {
    const controllerId = await cluster.znodes.controllerId();
    const connection = await connectTo(cluster.broker(brokerId));
    const header = { controllerId, controllerEpoch, brokerEpoch, topicStates: [] };
    const answers = [
      await connection.send('LeaderAndIsr', 4, { ...header, liveLeaders: [] }),
      await connection.send('UpdateMetadata', 6, { ...header, liveBrokers: [] }),
      await connection.send('StopReplica', 3, header),
    ];
    connection.close();
    return answers.map(({ errorCode }) => errorCode);
  }

  async function brokerEpochOf(brokerId: number): Promise<number> {
    return Number((await cluster.znodes.read(`/brokers/ids/${brokerId}`))!.stat.czxid);
  }

  it('requests of an older controller epoch or to an earlier life of the broker are refused', async () => {
    const epoch = await cluster.znodes.controllerEpoch();
    const brokerEpoch = await brokerEpochOf(3);
    const stale = Errors.STALE_CONTROLLER_EPOCH.code;
    expect(await refusedBy(3, epoch - 1, brokerEpoch)).toEqual([stale, stale, stale]);
    const ofEarlierLife = Errors.STALE_BROKER_EPOCH.code;
    expect(await refusedBy(3, epoch, brokerEpoch - 1)).toEqual([ofEarlierLife, ofEarlierLife, ofEarlierLife]);
    const connection = await connectTo(cluster.broker(3));
    expect((await connection.send('Metadata', 9, { topics: null })).brokers).toHaveLength(3);
    connection.close();
  });

  it('a controller that learns too late of the next one writes nothing, and resigns', async () => {
    const late = await cluster.znodes.controllerId();
    const epoch = await cluster.znodes.controllerEpoch();
    const [leaving] = others(late) as [number];
    const tap = cluster.taps[late - 1]!;
    cluster.mark();
    const log = join(cluster.broker(late).logFolder, 'controller.log');
    const seen = readFileSync(log, 'utf8').length;
    const told = (text: string): boolean => readFileSync(log, 'utf8').slice(seen).includes(text);
    tap.pause();
    const left = cluster.terminate(leaving);
    await cluster.until(() => told(`Shutting down broker ${leaving}`), 'the controller to begin the shutdown');
    await cluster.znodes.delete('/controller');
    await cluster.waitForControllerOtherThan(late);
    tap.heal();
    await cluster.until(() => told('Resigned'), 'the old controller to resign');
    const written = cluster.writtenBy(late).filter(({ ops }) => ops[0]?.path === '/controller_epoch');
    expect(written.length).toBeGreaterThan(0);
    for (const { ops, code } of written) expect([ops[0]?.version, code]).toEqual([epoch, 'BAD_VERSION']);
    await left;
    expect(await cluster.znodes.controllerEpoch()).toBeGreaterThan(epoch);
  });

  it('each epoch had one, which alone wrote as controller, always with a check of its epoch', async () => {
    const written = cluster.taps.flatMap((tap) => tap.written);
    const newest = await cluster.znodes.controllerEpoch();
    expect(cluster.elections().epochs).toEqual(Array.from({ length: newest }, (_, index) => index + 1));
    expect(wrongWrites(written, cluster.elections())).toEqual([]);
  });

  it('each request bore the epoch of its controller, and a broker took none of an epoch before the last', () => {
    for (const id of brokerIds) {
      const requests = cluster.allRequestsTo(id);
      expect(wrongRequests(requests, cluster.elections())).toEqual([]);
    }
  });
});
