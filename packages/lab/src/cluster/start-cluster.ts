import { existsSync } from 'node:fs';
import { buildBrokerImage } from '../docker/broker-image.ts';
import { docker, dockerAnswers, networkExists } from '../docker/docker-cli.ts';
import { zooKeeperImage } from '../docker/zookeeper-container.ts';
import { LabError } from '../lab-error.ts';
import type { Progress } from '../lab-error.ts';
import { freePorts, isPortFree } from '../ports.ts';
import { findJava } from '../zookeeper/java.ts';
import { connectStringOf, ensemblePlaces, ZooKeeperProcess } from '../zookeeper/zookeeper-process.ts';
import { BrokerProcess } from './broker-process.ts';
import { loadState, saveState } from './lab-state.ts';
import type { LabState, SavedZooKeeper, ZooKeeperKind } from './lab-state.ts';
import { brokerFolder, brokersOf, configureBroker, dockerPrefix, zooKeeperServersOf } from './parts.ts';
import type { LabBroker, LabZooKeeperServer } from './parts.ts';
import { stopCluster } from './stop-cluster.ts';
import type { UpOptions } from './up-options.ts';

/**
 * Starts ZooKeeper and the brokers and waits until each says it is started. What began is ended again when anything fails.
 *
 * @param home the lab's folder, where data of an earlier cluster are taken up again
 * @throws LabError in one line, naming the remedy
 */
export async function startCluster(home: string, options: UpOptions, progress: Progress): Promise<LabState> {
  const kept = loadState(home);
  if (kept?.up === true && (await anyAlive(home, kept))) {
    throw new LabError('a cluster is already up: scripts/lab status shows it, scripts/lab down ends it');
  }
  const state = await plan(home, options, kept);
  await checkPorts(state);
  saveState(home, state);
  try {
    if (state.runtime === 'docker' || state.zooKeeper.kind === 'docker') await prepareDocker(home, state, progress);
    await startZooKeeper(home, state, progress);
    await startBrokers(home, state, progress);
  } catch (error) {
    await stopCluster(home, state, { graceMs: 0, progress: () => undefined });
    throw error;
  }
  return state;
}

async function anyAlive(home: string, state: LabState): Promise<boolean> {
  for (const broker of brokersOf(home, state)) if ((await broker.state) !== 'gone') return true;
  for (const server of await zooKeeperServersOf(home, state, () => undefined)) {
    if ((await server.state) !== 'gone') return true;
  }
  return false;
}

async function plan(home: string, options: UpOptions, kept: LabState | undefined): Promise<LabState> {
  const httpPorts = options.runtime === 'process' ? await freePorts(options.brokers) : [];
  const state: LabState = {
    version: 1,
    up: true,
    runtime: options.runtime,
    zooKeeper: await planZooKeeper(options),
    brokers: Array.from({ length: options.brokers }, (_, index) => ({
      id: index + 1,
      host: '127.0.0.1',
      port: options.basePort + index,
      ...(httpPorts[index] === undefined ? {} : { httpPort: httpPorts[index] }),
    })),
    overrides: options.overrides,
  };
  if (kept !== undefined && existsSync(brokerFolder(home, 1)) && originOf(kept) !== originOf(state)) {
    throw new LabError(
      `the data kept in ${home} belong to a cluster with ${originOf(kept)}: scripts/lab down --wipe removes them`,
    );
  }
  return state;
}

/** What must stay the same for kept data to be of use: where ZooKeeper's are, and where the brokers'. */
function originOf(state: LabState): string {
  const { kind, servers, connectString } = state.zooKeeper;
  const zooKeeper = {
    external: `the ZooKeeper at ${connectString}`,
    java: `${servers.length} ZooKeeper server(s) run by Java`,
    docker: `${servers.length} ZooKeeper server(s) run by Docker`,
  }[kind];
  return `${zooKeeper} and --runtime ${state.runtime}`;
}

async function planZooKeeper(options: UpOptions): Promise<SavedZooKeeper> {
  if (options.zooKeeper !== undefined) return { kind: 'external', connectString: options.zooKeeper, servers: [] };
  const kind = await chooseZooKeeper(options);
  const clientPorts = Array.from({ length: options.zooKeepers }, (_, index) => options.zooKeeperPort + index);
  const places = ensemblePlaces(clientPorts, await freePorts(options.zooKeepers * 2));
  return { kind, connectString: connectStringOf(places), servers: places.map((place) => ({ place })) };
}

/** A runtime of containers takes its ZooKeeper from Docker; else Java comes first, which has 5 MB to fetch instead of an image. */
async function chooseZooKeeper(options: UpOptions): Promise<ZooKeeperKind> {
  if (options.runtime === 'docker') {
    if (await dockerAnswers()) return 'docker';
    throw new LabError('--runtime docker: no Docker engine answers; start it, or leave the option out');
  }
  if ((await findJava()) !== undefined) return 'java';
  if (await dockerAnswers()) return 'docker';
  throw new LabError(
    'ZooKeeper needs a Java runtime (11 or later) or a running Docker engine: install either, ' +
      'or name a ZooKeeper that runs with --zookeeper host:port',
  );
}

async function checkPorts(state: LabState): Promise<void> {
  for (const server of state.zooKeeper.servers) {
    const port = server.place.clientPort;
    if (!(await isPortFree(port))) {
      throw new LabError(
        `port ${port} of 127.0.0.1 is taken (ZooKeeper's): free it, or choose another with --zookeeper-port`,
      );
    }
  }
  for (const { id, port } of state.brokers) {
    if (!(await isPortFree(port))) {
      throw new LabError(
        `port ${port} of 127.0.0.1 is taken (broker ${id}'s): free it, or choose others with --base-port`,
      );
    }
  }
}

async function prepareDocker(home: string, state: LabState, progress: Progress): Promise<void> {
  const network = dockerPrefix(home);
  if (!(await networkExists(network))) await docker(['network', 'create', '--label', 'klassic.lab', network]);
  if (state.zooKeeper.kind === 'docker' && (await docker(['images', '--quiet', zooKeeperImage])) === '') {
    progress(`pulling the image ${zooKeeperImage}`);
    await docker(['pull', '--quiet', zooKeeperImage]);
  }
  if (state.runtime === 'docker') await buildBrokerImage(progress);
}

async function startZooKeeper(home: string, state: LabState, progress: Progress): Promise<void> {
  const servers = await zooKeeperServersOf(home, state, progress);
  await Promise.all(
    servers.map(async (server: LabZooKeeperServer, index) => {
      if (server instanceof ZooKeeperProcess) {
        // Remembered at once: should the wait fail, whoever cleans up knows the process.
        await server.launch();
        state.zooKeeper.servers[index]!.identity = server.identity!;
        saveState(home, state);
        await server.waitUntilServing();
        progress(`ZooKeeper ${server.place.id} serves on 127.0.0.1:${server.port} (pid ${server.pid})`);
      } else {
        await server.start(progress);
      }
    }),
  );
}

async function startBrokers(home: string, state: LabState, progress: Progress): Promise<void> {
  const outcomes = await Promise.allSettled(
    brokersOf(home, state).map(async (broker) => {
      configureBroker(home, state, broker);
      await startBroker(home, state, broker, progress);
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/**
 * Starts one broker, remembers its process and waits until it says it is started.
 *
 * @throws LabError with the broker's own complaint
 */
export async function startBroker(home: string, state: LabState, broker: LabBroker, progress: Progress): Promise<void> {
  await broker.launch();
  const saved = state.brokers.find((each) => each.id === broker.id)!;
  if (broker instanceof BrokerProcess) saved.identity = broker.identity!;
  delete saved.ended;
  saveState(home, state);
  await broker.waitUntilStarted();
  progress(`broker ${broker.id} is up on ${broker.host}:${broker.port} (pid ${await broker.pid})`);
}
