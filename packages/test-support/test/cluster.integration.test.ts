import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { identify, readController, readZooKeeper } from '@klassic/lab';
import { eventually, startCluster } from '../src/index.ts';
import type { TestCluster } from '../src/index.ts';

describe('startCluster', () => {
  let cluster: TestCluster;
  const controller = () => readZooKeeper(cluster.zooKeeper.connectString, readController);

  beforeAll(async () => {
    cluster = await startCluster({ brokers: 3 });
  }, 120_000);

  afterAll(async () => {
    await cluster?.stop();
  }, 30_000);

  it('makes the first broker the controller, and the next one when that is killed; the killed one comes back', async () => {
    expect(await controller()).toEqual({ id: 1, epoch: 1 });
    const first = cluster.broker(1);
    await first.kill();
    expect(first.state).toBe('gone');
    const second = await eventually(
      async () => {
        const now = await controller();
        return now.id !== null && now.id !== 1 && now;
      },
      { timeoutMs: 30_000, what: 'another controller' },
    );
    expect(second.epoch).toBe(2);
    await first.startAgain();
    expect(await first.isRegistered()).toBe(true);
    expect(await controller()).toEqual(second);
  }, 90_000);

  it('ends a broker by SIGTERM with a controlled shutdown', async () => {
    const broker = cluster.broker(1);
    expect(await broker.stop()).toBe(true);
    expect(await broker.isRegistered()).toBe(false);
    await broker.start();
  }, 90_000);
});

describe('what a test started', () => {
  it('is ended and removed when the test process is killed', async () => {
    const door = join(import.meta.dirname, '..', 'src', 'index.ts');
    const script = `
      import { startZooKeeper, temporaryFolder } from ${JSON.stringify(door)};
      const folder = temporaryFolder('crash');
      const zooKeeper = await startZooKeeper();
      console.log(JSON.stringify({ folder, pid: zooKeeper.pid }));
      process.kill(process.pid, 'SIGKILL');
    `;
    const args = ['--no-warnings', '--conditions=klassic-source', '--input-type=module', '--eval', script];
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, (_error, stdout) => resolve(stdout));
    });
    const { folder, pid } = JSON.parse(output) as { folder: string; pid: number };
    await eventually(() => identify(pid) === undefined && !existsSync(folder), { what: 'the end of what was started' });
  }, 60_000);
});
