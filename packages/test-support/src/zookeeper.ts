import { join } from 'node:path';
import {
  cacheHome,
  connectStringOf,
  dockerAnswers,
  ensemblePlaces,
  fetchZooKeeperJars,
  findJava,
  freePorts,
  ZooKeeperProcess,
  zooKeeperVersion,
} from '@klassic/lab';
import type { ZooKeeperServerPlace } from '@klassic/lab';
import { killAfterwards, temporaryFolder } from './left-overs.ts';
import { containerServers } from './zookeeper-container.ts';
import type { ZooKeeperServer } from './zookeeper-server.ts';

export interface TestZooKeeper extends ZooKeeperServer {
  /** `host:port`, of every server of an ensemble, with commas. */
  readonly connectString: string;
  readonly servers: readonly ZooKeeperServer[];
  /** Ends every server. Its data are removed when the test process ends. */
  stop(): Promise<void>;
}

export interface StartZooKeeperOptions {
  /** 1 (default) or 3 servers. Signals of the returned object itself go to the first. */
  readonly servers?: 1 | 3;
}

/**
 * Starts a real ZooKeeper on free ports of 127.0.0.1, with ticks of 500 ms (sessions from 1 s), and waits until it serves.
 *
 * @throws Error where there is neither a Java runtime nor a Docker engine, or the jars cannot be had
 */
export async function startZooKeeper(options: StartZooKeeperOptions = {}): Promise<TestZooKeeper> {
  const count = options.servers ?? 1;
  const ports = await freePorts(count * 3);
  const ensemble = ensemblePlaces(ports.slice(0, count), ports.slice(count));
  const servers = await serversOf(ensemble);
  await Promise.all(servers.map((server) => server.start()));
  const first = servers[0]!;
  return {
    connectString: connectStringOf(ensemble),
    servers,
    get port() {
      return first.port;
    },
    get pid() {
      return first.pid;
    },
    get state() {
      return first.state;
    },
    pause: () => first.pause(),
    resume: () => first.resume(),
    kill: () => first.kill(),
    start: () => first.start(),
    restart: () => first.restart(),
    stop: async () => {
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
}

/** By Java where there is one, else by Docker, as scripts/lab does it. */
async function serversOf(ensemble: readonly ZooKeeperServerPlace[]): Promise<ZooKeeperServer[]> {
  const java = await findJava();
  if (java !== undefined) {
    const jars = join(cacheHome(), `zookeeper-${zooKeeperVersion}`);
    await fetchZooKeeperJars(jars, (line) => process.stderr.write(`${line}\n`));
    const home = temporaryFolder('zookeeper');
    const common = { java, jars, home, ensemble, forceSync: false, onLaunch: killAfterwards };
    return ensemble.map((place) => new ZooKeeperProcess({ ...common, place }));
  }
  if (!(await dockerAnswers())) {
    throw new Error('tests need a Java runtime (11 or later) or a Docker engine to run a real ZooKeeper');
  }
  return containerServers(ensemble);
}
