import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { MockTime, silentLogger, SystemTime } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { KafkaConfig } from '../../src/index.ts';
import type { MetadataCache } from '../../src/metadata/index.ts';
import { controlledShutdown } from '../../src/server/controlled-shutdown.ts';
import { ControllerChannel } from '../../src/server/inter-broker.ts';

const minimal = { 'zookeeper.connect': '127.0.0.1:2181', 'broker.id': '1' };

describe('A controlled shutdown', () => {
  const config = new KafkaConfig({
    ...minimal,
    'controlled.shutdown.max.retries': '3',
    'controlled.shutdown.retry.backoff.ms': '1000',
  });
  const remaining = { errorCode: 0, remainingPartitions: [{ topicName: 't', partitionIndex: 0 }] };
  const done = { errorCode: 0, remainingPartitions: [] };

  /** A broker whose controller answers as given, and what it was asked, each with its time in ms. */
  function stop(...answers: readonly (object | Error)[]) {
    const time = new MockTime();
    const begunMs = time.hiResMs();
    const asked: [number, unknown][] = [];
    const left = [...answers];
    const channel = {
      forward: (_api: string, _version: number, body: unknown) => {
        asked.push([time.hiResMs() - begunMs, body]);
        const answer = left.shift()!;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    };
    let epoch = 20;
    const succeeded = controlledShutdown({
      config,
      brokerId: 1,
      brokerEpoch: () => epoch++,
      channel: channel as unknown as ControllerChannel,
      time,
      logger: silentLogger,
    });
    return { time, asked, succeeded };
  }

  it('is over at the first answer that names no partition', async () => {
    const { asked, succeeded } = stop(done);
    expect(await succeeded).toBe(true);
    expect(asked).toEqual([[0, { brokerId: 1, brokerEpoch: 20 }]]);
  });

  it('is tried again after controlled.shutdown.retry.backoff.ms, with the broker epoch as it is then', async () => {
    const { time, asked, succeeded } = stop(remaining, new KafkaError(Errors.NOT_CONTROLLER), done);
    await time.advance(999);
    expect(asked).toHaveLength(1);
    await time.advance(1001);
    expect(await succeeded).toBe(true);
    expect(asked).toEqual([
      [0, { brokerId: 1, brokerEpoch: 20 }],
      [1000, { brokerId: 1, brokerEpoch: 21 }],
      [2000, { brokerId: 1, brokerEpoch: 22 }],
    ]);
  });

  it('is given up after controlled.shutdown.max.retries', async () => {
    const refused = { errorCode: Errors.STALE_CONTROLLER_EPOCH.code, remainingPartitions: [] };
    const { time, asked, succeeded } = stop(remaining, refused, remaining, done);
    await time.advance(5000);
    expect(await succeeded).toBe(false);
    expect(asked).toHaveLength(3);
  });
});

describe('The channel to the controller', () => {
  const config = new KafkaConfig(minimal);

  async function listen(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
    const server = createServer(onConnection);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, port: (server.address() as AddressInfo).port };
  }

  /** A channel; `world.node` is who the metadata cache says is the controller. */
  function channel() {
    const world: { node: { id: number; host: string; port: number } | undefined } = { node: undefined };
    const metadataCache = { getController: () => world.node } as unknown as MetadataCache;
    const options = { config, clientId: '1', metadataCache, time: new SystemTime() };
    return { world, channel: new ControllerChannel(options) };
  }

  const list = (to: ControllerChannel) => to.forward('ListPartitionReassignments', 0, { timeoutMs: 1, topics: null });
  const notController = { error: { name: 'NOT_CONTROLLER' } };

  it('answers NOT_CONTROLLER, so that the client tries again, where no controller is known or it is gone', async () => {
    const { world, channel: one } = channel();
    await expect(list(one)).rejects.toMatchObject(notController);
    const { server, port } = await listen(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    world.node = { id: 2, host: '127.0.0.1', port };
    await expect(list(one)).rejects.toMatchObject(notController);
    one.close();
  });

  it('follows the controller when that moves, and answers NOT_CONTROLLER for what was under way', async () => {
    const { world, channel: one } = channel();
    const called: string[] = [];
    const hangUp = (name: string) => (socket: Socket) => {
      called.push(name);
      socket.on('error', () => undefined);
      socket.on('data', () => socket.destroy());
    };
    const [a, b] = [await listen(hangUp('a')), await listen(hangUp('b'))];
    world.node = { id: 2, host: '127.0.0.1', port: a.port };
    await expect(list(one)).rejects.toMatchObject(notController);
    await expect(list(one)).rejects.toMatchObject(notController);
    world.node = { id: 3, host: '127.0.0.1', port: b.port };
    await expect(list(one)).rejects.toMatchObject(notController);
    expect(called).toEqual(['a', 'a', 'b']);
    one.close();
    for (const { server } of [a, b]) await new Promise((resolve) => server.close(resolve));
  });
});
