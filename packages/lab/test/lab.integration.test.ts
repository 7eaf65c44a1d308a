import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, freePorts, startZooKeeper, temporaryFolder } from '@klassic/test-support';
import { checkout } from '../src/paths.ts';
import type { ClusterStatus } from '../src/cluster/cluster-status.ts';

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  /** The lab's own lines, without `lab: `. */
  readonly told: readonly string[];
}

/** scripts/lab as people type it, on folders and ports of its own. */
class Lab {
  readonly home = temporaryFolder('lab');
  private readonly ports: { basePort: number; zooKeeperPort: number };

  constructor(basePort: number, zooKeeperPort: number) {
    this.ports = { basePort, zooKeeperPort };
  }

  run(...args: string[]): Promise<Outcome> {
    const env = {
      ...process.env,
      KLASSIC_BUILT: '1',
      KLASSIC_LAB_HOME: this.home,
      KLASSIC_LAB_BASE_PORT: String(this.ports.basePort),
      KLASSIC_LAB_ZOOKEEPER_PORT: String(this.ports.zooKeeperPort),
    };
    return new Promise((resolve) => {
      execFile(join(checkout, 'scripts', 'lab'), args, { env, timeout: 120_000 }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : Number(error.code ?? -1);
        const told = stderr.split('\n').filter((line) => line !== '');
        resolve({ exitCode, stdout, told: told.map((line) => line.replace(/^lab: /, '')) });
      });
    });
  }

  async status(): Promise<ClusterStatus> {
    return JSON.parse((await this.run('status', '--json')).stdout) as ClusterStatus;
  }
}

describe('scripts/lab', () => {
  let lab: Lab;
  let basePort: number;

  beforeAll(async () => {
    // Three brokers, and room for one more.
    const [first, , , , zooKeeperPort] = await freePorts(5);
    basePort = first!;
    lab = new Lab(basePort, zooKeeperPort!);
  });

  afterAll(async () => {
    await lab.run('down', '--wipe');
  }, 60_000);

  it('starts a cluster, tells of it, breaks and mends it, and ends it', async () => {
    const up = await lab.run('up', '--detach');
    expect(up.told.join('\n')).toMatch(/the cluster is up \(\d+\.\d s\)/);
    expect(up.exitCode).toBe(0);
    expect(up.stdout).toContain('scripts/lab walkthrough leader-death');

    const first = await lab.status();
    expect(first.brokers.map(({ id, host, port, state }) => ({ id, host, port, state }))).toEqual(
      [1, 2, 3].map((id) => ({ id, host: '127.0.0.1', port: basePort + id - 1, state: 'running' })),
    );
    expect(first.controller.epoch).toBe(1);
    const controller = first.controller.id!;

    const again = await lab.run('up', '--detach');
    expect(again).toMatchObject({ exitCode: 1, stdout: '' });
    expect(again.told).toEqual(['a cluster is already up: scripts/lab status shows it, scripts/lab down ends it']);

    expect((await lab.run('kill', String(controller))).exitCode).toBe(0);
    const killed = await lab.status();
    expect(killed.brokers[controller - 1]).toMatchObject({ state: 'killed', pid: null });
    await eventually(
      async () => {
        const now = (await lab.status()).controller;
        return now.id !== null && now.id !== controller && now.epoch === 2;
      },
      { timeoutMs: 30_000, intervalMs: 300, what: 'another controller' },
    );

    expect((await lab.run('start', String(controller))).exitCode).toBe(0);
    const other = String((controller % 3) + 1);
    expect((await lab.run('pause', other)).exitCode).toBe(0);
    expect((await lab.status()).brokers[Number(other) - 1]).toMatchObject({ state: 'paused' });
    expect((await lab.run('pause', other)).told).toEqual([`broker ${other} is paused already`]);
    expect((await lab.run('resume', other)).exitCode).toBe(0);
    expect((await lab.run('stop', other)).told).toEqual([`broker ${other} has stopped`]);
    expect((await lab.status()).brokers[Number(other) - 1]).toMatchObject({ state: 'stopped', pid: null });

    expect((await lab.run('kill', other)).told).toEqual([
      `broker ${other} does not run: scripts/lab start ${other} starts it`,
    ]);
    expect((await lab.run('kill', '9')).told).toEqual(['there is no broker 9: this cluster has 1, 2, 3']);
    expect((await lab.run('kill', 'x')).told).toEqual(["a broker is named by its id, a number, not 'x'"]);

    expect((await lab.run('down')).exitCode).toBe(0);
    const gone = await lab.run('status');
    expect(gone).toMatchObject({ exitCode: 1, told: ['no cluster is up: scripts/lab up --detach starts one'] });
  }, 240_000);

  it('says in one line which port is taken and what to do, and leaves nothing running', async () => {
    await lab.run('down', '--wipe');
    const server = createServer().listen(basePort + 1, '127.0.0.1');
    await once(server, 'listening');
    const { exitCode, told } = await lab.run('up', '--detach');
    await new Promise((resolve) => server.close(resolve));
    expect(exitCode).toBe(1);
    expect(told).toEqual([
      `port ${basePort + 1} of 127.0.0.1 is taken (broker 2's): free it, or choose others with --base-port`,
    ]);
  }, 60_000);

  it('says in one line what a broker complains of, and ends what had begun', async () => {
    await lab.run('down', '--wipe');
    const { exitCode, told } = await lab.run('up', '--detach', '--brokers', '1', '--override', 'num.partitions=many');
    expect(exitCode).toBe(1);
    expect(told.at(-1)).toMatch(/^broker 1 ended while starting: .*num\.partitions/);
    expect((await lab.run('status')).told).toEqual(['no cluster is up: scripts/lab up --detach starts one']);
  }, 60_000);

  it('runs on a ZooKeeper that is there already, in a chroot of it', async () => {
    await lab.run('down', '--wipe');
    const zooKeeper = await startZooKeeper();
    const connect = `${zooKeeper.connectString}/lab`;
    const up = await lab.run('up', '--detach', '--brokers', '1', '--zookeeper', connect);
    expect(up.exitCode).toBe(0);
    const status = await lab.status();
    expect(status.zookeeper).toBe(connect);
    expect(status.controller).toEqual({ id: 1, epoch: 1 });
    await lab.run('down', '--wipe');
    await zooKeeper.stop();
  }, 90_000);

  it.each([
    [['up', '--detach', '--brokers', 'many'], '--brokers must be a whole number from 1 to 50'],
    [['up', '--detach', '--override', 'nonsense'], "--override must be key=value, not 'nonsense'"],
    [['walkthrough', 'nowhere'], "there is no walkthrough 'nowhere'"],
    [['dance'], 'Unknown argument: dance'],
  ])('refuses %j in one line', async (args, message) => {
    const { exitCode, told, stdout } = await lab.run(...args);
    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(message);
  });

  it('says in one line that neither Java nor Docker is there', async () => {
    const bare = temporaryFolder('bare');
    const { exitCode, told } = await new Promise<Outcome>((resolve) => {
      const env = { ...process.env, PATH: bare, JAVA_HOME: '', KLASSIC_LAB_HOME: lab.home };
      const main = join(checkout, 'packages', 'lab', 'dist', 'main.js');
      execFile(process.execPath, [main, 'up', '--detach'], { env }, (error, stdout, stderr) => {
        resolve({ exitCode: Number(error?.code ?? 0), stdout, told: stderr.trim().split('\n') });
      });
    });
    expect(exitCode).toBe(1);
    expect(told).toEqual([
      expect.stringMatching(/^lab: ZooKeeper needs a Java runtime \(11 or later\) or a running Docker/),
    ]);
  });
});
