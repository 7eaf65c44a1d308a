import { describe, expect, it } from '@jest/globals';
import { MockTime, silentLoggers } from '@klassic/common';
import { ControllerContext } from '../src/index.ts';
import type { BrokerNode, ControllerConnection } from '../src/index.ts';
import { ControllerChannelManager } from '../src/controller-channel-manager.ts';
import { queueItem } from '../src/request-send-thread.ts';
import type { QueueItem } from '../src/request-send-thread.ts';
import { StateChangeLogger } from '../src/state-change-logger.ts';
import { brokerInfo } from './replay-cluster.ts';

interface Exchange {
  readonly name: number;
  readonly node: BrokerNode;
  readonly connection: number;
  readonly answer: () => Promise<void>;
  readonly fail: () => Promise<void>;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A channel manager with brokers 1 and 2, whose exchanges the test answers one by one. */
function channel() {
  const time = new MockTime();
  const exchanges: Exchange[] = [];
  const delivered: number[] = [];
  const world = { reachable: true, connections: 0, closed: [] as number[] };
  const connect = (node: BrokerNode): ControllerConnection => {
    const connection = ++world.connections;
    return {
      connect: () => (world.reachable ? Promise.resolve() : Promise.reject(new Error('connection refused'))),
      send: (_api, _version, body) =>
        new Promise((resolve, reject) => {
          exchanges.push({
            name: body.controllerEpoch!,
            node,
            connection,
            answer: () => {
              resolve({ errorCode: 0 } as never);
              return settle();
            },
            fail: () => {
              reject(new Error('connection reset'));
              return settle();
            },
          });
        }),
      close: () => world.closed.push(connection),
    };
  };
  const context = new ControllerContext();
  for (const id of [1, 2]) context.addLiveBroker(brokerInfo(id), 10 + id);
  const manager = new ControllerChannelManager({
    config: { brokerId: 1, interBrokerListenerName: 'PLAINTEXT' } as never,
    context,
    connect,
    stateChangeLogger: new StateChangeLogger(1, silentLoggers),
    time,
    loggers: silentLoggers,
  });
  manager.startup();
  /** A request that bears its name in its body. */
  const request = (name: number): QueueItem => {
    const body = { controllerId: 1, controllerEpoch: name, brokerEpoch: 11, topicStates: [], liveBrokers: [] };
    return queueItem('UpdateMetadata', 6, body, () => delivered.push(name));
  };
  return { time, exchanges, delivered, world, manager, request };
}

describe('the requests to a broker', () => {
  it('go one at a time and in order, each broker on its own', async () => {
    const { manager, request, exchanges, delivered } = channel();
    for (const name of [1, 2, 3]) manager.sendRequest(1, request(name));
    manager.sendRequest(2, request(4));
    await settle();
    expect(exchanges.map(({ name, node }) => [name, node.id])).toEqual([
      [1, 1],
      [4, 2],
    ]);
    expect(manager.totalQueueSize).toBe(2);
    expect([...manager.queues].map(([id, { queueSize }]) => [id, queueSize])).toEqual([
      [1, 2],
      [2, 0],
    ]);
    await exchanges[0]!.answer();
    expect(exchanges.at(-1)).toMatchObject({ name: 2, connection: 1 });
    await exchanges.at(-1)!.answer();
    await exchanges.at(-1)!.answer();
    expect(delivered).toEqual([1, 2, 3]);
  });

  it('are repeated over a new connection 100 ms after a failure, before any other', async () => {
    const { manager, request, exchanges, delivered, time, world } = channel();
    for (const name of [1, 2]) manager.sendRequest(1, request(name));
    await settle();
    await exchanges[0]!.fail();
    expect(world.closed).toEqual([1]);
    await time.advance(99);
    expect(exchanges).toHaveLength(1);
    await time.advance(1);
    await settle();
    expect(exchanges.at(-1)).toMatchObject({ name: 1, connection: 2 });
    await exchanges.at(-1)!.answer();
    await exchanges.at(-1)!.answer();
    expect(delivered).toEqual([1, 2]);
    expect(exchanges.at(-1)).toMatchObject({ name: 2, connection: 2 });
  });

  it('wait until the broker can be reached, however long that takes', async () => {
    const { manager, request, exchanges, time, world } = channel();
    world.reachable = false;
    manager.sendRequest(1, request(1));
    for (let tries = 0; tries < 50; tries += 1) await time.advance(100);
    expect(world.connections).toBeGreaterThan(40);
    expect(exchanges).toEqual([]);
    world.reachable = true;
    await time.advance(100);
    await settle();
    expect(exchanges).toMatchObject([{ name: 1 }]);
  });

  it('are given up when the broker is gone, with the one under way and its answer', async () => {
    const { manager, request, exchanges, delivered, time, world } = channel();
    for (const name of [1, 2]) manager.sendRequest(1, request(name));
    await settle();
    manager.removeBroker(1);
    expect(world.closed).toEqual([1]);
    await exchanges[0]!.answer();
    await time.advance(1000);
    expect(delivered).toEqual([]);
    expect(exchanges).toHaveLength(1);
    manager.sendRequest(1, request(3));
    await settle();
    expect(exchanges).toHaveLength(1);
  });

  it('have no part in what waits for a broker’s next life', async () => {
    const { manager, request, exchanges, time } = channel();
    manager.sendRequest(1, request(1));
    await settle();
    await exchanges[0]!.fail();
    manager.removeBroker(1);
    manager.addBroker(brokerInfo(1));
    manager.sendRequest(1, request(2));
    await settle();
    await time.advance(1000);
    expect(exchanges.map(({ name }) => name)).toEqual([1, 2]);
  });

  it('are timed from their arrival in the queue until their first try', async () => {
    const { manager, request, exchanges, time } = channel();
    for (const name of [1, 2]) manager.sendRequest(1, request(name));
    await settle();
    await time.advance(500);
    await exchanges[0]!.answer();
    const { queueTimeMs } = manager.queues.get(1)!;
    const times = queueTimeMs.snapshot();
    expect(times.count).toBe(2);
    expect(times.quantile(0.5)).toBeLessThan(1);
    expect(times.quantile(1) / 500).toBeCloseTo(1, 0);
    manager.removeBroker(1);
    expect(manager.queues.has(1)).toBe(false);
  });
});
