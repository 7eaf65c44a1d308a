import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Container } from '../docker/container.ts';
import { docker, dockerAnswers, networkExists } from '../docker/docker-cli.ts';
import type { Progress } from '../lab-error.ts';
import { saveState } from './lab-state.ts';
import type { LabState } from './lab-state.ts';
import { brokersOf, dockerPrefix, zooKeeperServersOf } from './parts.ts';

export interface StopOptions {
  /** How long brokers may take for a controlled shutdown, in milliseconds; 0 kills them at once. */
  readonly graceMs: number;
  readonly progress: Progress;
}

/** Ends the brokers, then ZooKeeper. Data are kept. What is gone already is no error. */
export async function stopCluster(home: string, state: LabState, options: StopOptions): Promise<void> {
  const { graceMs, progress } = options;
  await Promise.all(
    brokersOf(home, state).map(async (broker) => {
      if ((await broker.state) === 'gone') return;
      if (graceMs === 0) await broker.kill();
      else if (!(await broker.stop(graceMs))) progress(`broker ${broker.id} did not end in time and was killed`);
      progress(`broker ${broker.id} ended`);
    }),
  );
  for (const server of await zooKeeperServersOf(home, state, progress)) {
    if ((await server.state) !== 'gone') await server.kill();
  }
  if (state.zooKeeper.servers.length > 0) progress('ZooKeeper ended');
  state.up = false;
  saveState(home, state);
}

/** Removes the data, logs and containers of a cluster that has been stopped, and nothing else of the folder. */
export async function wipeCluster(home: string, state: LabState): Promise<void> {
  if (await dockerAnswers()) {
    const parts = [...brokersOf(home, state), ...(await zooKeeperServersOf(home, state, () => undefined))];
    for (const part of parts) if (part instanceof Container) await part.remove();
    if (await networkExists(dockerPrefix(home))) await docker(['network', 'rm', dockerPrefix(home)]);
  }
  for (const name of readdirSync(home)) {
    if (/^(broker|zookeeper)-\d+$/.test(name) || ['cluster.json', 'snapshots', 'traffic'].includes(name)) {
      rmSync(join(home, name), { recursive: true, force: true, maxRetries: 5 });
    }
  }
  if (existsSync(home) && readdirSync(home).length === 0) rmdirSync(home);
}
