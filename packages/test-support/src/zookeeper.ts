import { join } from 'node:path';
import {
  cacheHome,
  fetchZooKeeperJars,
  findJava,
  freePorts,
  killNow,
  signal,
  startJavaServer,
  waitUntilServing,
  zooKeeperVersion,
} from '@klassic/lab';
import type { ProcessIdentity, ZooKeeperServerPlace } from '@klassic/lab';
import { killAfterwards, temporaryFolder } from './left-overs.ts';

/** A real ZooKeeper server, alone or one of an ensemble. */
export interface ZooKeeperServer {
  readonly port: number;
  /** The process that serves now; another one after `restart()`. */
  readonly pid: number;
  /** SIGSTOP: silent, but its connections stay open. */
  pause(): void;
  resume(): void;
  /** kill -9, and waits for the end. Data stay for `start()`. */
  kill(): Promise<void>;
  /** Starts again on the same port with the same data, and waits until it serves. */
  start(): Promise<void>;
  /** `kill()` and `start()`. */
  restart(): Promise<void>;
}

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
 * @throws Error where there is no Java runtime or the jars cannot be had
 */
export async function startZooKeeper(options: StartZooKeeperOptions = {}): Promise<TestZooKeeper> {
  const java = await findJava();
  if (java === undefined) throw new Error('tests need a Java runtime (11 or later) to run a real ZooKeeper');
  const jars = join(cacheHome(), `zookeeper-${zooKeeperVersion}`);
  await fetchZooKeeperJars(jars, (line) => process.stderr.write(`${line}\n`));

  const count = options.servers ?? 1;
  const ports = await freePorts(count * 3);
  const ensemble: ZooKeeperServerPlace[] = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    clientPort: ports[index * 3]!,
    quorumPort: ports[index * 3 + 1]!,
    electionPort: ports[index * 3 + 2]!,
  }));
  const home = temporaryFolder('zookeeper');
  const servers = ensemble.map((place) => new JavaZooKeeperServer(java, jars, home, place, ensemble));
  await Promise.all(servers.map((server) => server.start()));
  const first = servers[0]!;
  return {
    connectString: ensemble.map((place) => `127.0.0.1:${place.clientPort}`).join(','),
    servers,
    get port() {
      return first.port;
    },
    get pid() {
      return first.pid;
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

class JavaZooKeeperServer implements ZooKeeperServer {
  private identity: ProcessIdentity | undefined;
  private readonly folder: string;

  private readonly java: string;
  private readonly jars: string;
  private readonly place: ZooKeeperServerPlace;
  private readonly ensemble: readonly ZooKeeperServerPlace[];

  constructor(
    java: string,
    jars: string,
    home: string,
    place: ZooKeeperServerPlace,
    ensemble: readonly ZooKeeperServerPlace[],
  ) {
    this.java = java;
    this.jars = jars;
    this.folder = join(home, String(place.id));
    this.place = place;
    this.ensemble = ensemble;
  }

  get port(): number {
    return this.place.clientPort;
  }

  get pid(): number {
    return this.process().pid;
  }

  pause(): void {
    signal(this.process(), 'SIGSTOP');
  }

  resume(): void {
    signal(this.process(), 'SIGCONT');
  }

  async kill(): Promise<void> {
    await killNow(this.process());
  }

  async start(): Promise<void> {
    const { java, jars, folder, place, ensemble } = this;
    const identity = await startJavaServer({ java, jars, folder, place, ensemble, forceSync: false });
    killAfterwards(identity);
    this.identity = identity;
    await waitUntilServing(folder, place, identity, () => undefined);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  private process(): ProcessIdentity {
    if (this.identity === undefined) throw new Error('ZooKeeper was not started');
    return this.identity;
  }
}
