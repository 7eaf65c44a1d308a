import { afterAll, describe, expect, it } from '@jest/globals';
import { identify } from '@klassic/lab';
import { eventually, startZooKeeper, zooKeeperMode } from '../src/index.ts';
import type { TestZooKeeper } from '../src/index.ts';

const started: TestZooKeeper[] = [];
const begin = async (servers: 1 | 3) => {
  const zooKeeper = await startZooKeeper({ servers });
  started.push(zooKeeper);
  return zooKeeper;
};

afterAll(async () => {
  await Promise.all(started.map((zooKeeper) => zooKeeper.stop()));
});

describe('startZooKeeper', () => {
  it('serves, falls silent when paused, serves again when resumed, and comes back after a kill', async () => {
    const zooKeeper = await begin(1);
    expect(zooKeeper.connectString).toBe(`127.0.0.1:${zooKeeper.port}`);
    expect(await zooKeeperMode('127.0.0.1', zooKeeper.port)).toBe('standalone');

    zooKeeper.pause();
    expect(await zooKeeperMode('127.0.0.1', zooKeeper.port)).toBeUndefined();
    zooKeeper.resume();
    expect(await zooKeeperMode('127.0.0.1', zooKeeper.port)).toBe('standalone');

    const before = zooKeeper.pid;
    await zooKeeper.restart();
    expect(identify(before)).toBeUndefined();
    expect(await zooKeeperMode('127.0.0.1', zooKeeper.port)).toBe('standalone');
  }, 60_000);

  it('starts an ensemble that elects another leader when its leader is killed', async () => {
    const zooKeeper = await begin(3);
    const modes = async () => Promise.all(zooKeeper.servers.map((server) => zooKeeperMode('127.0.0.1', server.port)));
    const first = await modes();
    expect([...first].sort()).toEqual(['follower', 'follower', 'leader']);
    await zooKeeper.servers[first.indexOf('leader')]!.kill();
    await eventually(async () => (await modes()).includes('leader'), { what: 'a new leader', timeoutMs: 30_000 });
  }, 90_000);
});
