import { join } from 'node:path';
import { killNow } from '../process/background-process.ts';
import { signal, stateOf } from '../process/process-identity.ts';
import type { ProcessIdentity, ProcessState } from '../process/process-identity.ts';
import { startJavaServer, waitUntilServing } from './java-server.ts';
import type { ZooKeeperServerPlace } from './java-server.ts';

export interface ZooKeeperProcessOptions {
  readonly java: string;
  readonly jars: string;
  /** The ensemble's folder; each server has one of its own in it, named by its id. */
  readonly home: string;
  readonly place: ZooKeeperServerPlace;
  readonly ensemble: readonly ZooKeeperServerPlace[];
  readonly forceSync?: boolean;
  /** A process started earlier, which may have ended since. */
  readonly identity?: ProcessIdentity;
  /** Told of each process that was started. */
  readonly onLaunch?: (identity: ProcessIdentity) => void;
}

/** One ZooKeeper server as a process of its own on this machine. */
export class ZooKeeperProcess {
  readonly place: ZooKeeperServerPlace;
  private readonly options: ZooKeeperProcessOptions;
  private readonly folder: string;
  private current: ProcessIdentity | undefined;

  constructor(options: ZooKeeperProcessOptions) {
    this.options = options;
    this.place = options.place;
    this.folder = join(options.home, `zookeeper-${options.place.id}`);
    this.current = options.identity;
  }

  get identity(): ProcessIdentity | undefined {
    return this.current;
  }

  get port(): number {
    return this.place.clientPort;
  }

  /** The process that serves now; another one after each `start()`. 0 before the first. */
  get pid(): number {
    return this.current?.pid ?? 0;
  }

  get state(): ProcessState {
    return this.current === undefined ? 'gone' : stateOf(this.current);
  }

  /** SIGSTOP: silent, but its connections stay open. */
  pause(): void {
    if (this.current !== undefined) signal(this.current, 'SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    if (this.current !== undefined) signal(this.current, 'SIGCONT');
  }

  /** kill -9, and waits for the end. Data stay for `start()`. */
  async kill(): Promise<void> {
    if (this.current !== undefined) await killNow(this.current);
  }

  /** Starts the process (again, on the same port with the same data); `waitUntilServing` tells when it serves. */
  async launch(): Promise<void> {
    const { java, jars, ensemble, forceSync } = this.options;
    const sync = forceSync === undefined ? {} : { forceSync };
    this.current = await startJavaServer({ java, jars, folder: this.folder, place: this.place, ensemble, ...sync });
    this.options.onLaunch?.(this.current);
  }

  /**
   * Waits until the server launched last serves. An ensemble needs its majority for that.
   *
   * @throws LabError with the log's last complaint when the process ends or stays silent
   */
  async waitUntilServing(): Promise<void> {
    if (this.current !== undefined) await waitUntilServing(this.folder, this.place, this.current);
  }

  async start(): Promise<void> {
    await this.launch();
    await this.waitUntilServing();
  }

  /** `kill()` and `start()`. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}

/** The places of `count` servers: clients' ports as given, the ports among themselves from `innerPorts` (two a server). */
export function ensemblePlaces(clientPorts: readonly number[], innerPorts: readonly number[]): ZooKeeperServerPlace[] {
  return clientPorts.map((clientPort, index) => ({
    id: index + 1,
    clientPort,
    quorumPort: innerPorts[index * 2]!,
    electionPort: innerPorts[index * 2 + 1]!,
  }));
}

/** The connect string of an ensemble: `host:port` of each server, with commas. */
export function connectStringOf(places: readonly ZooKeeperServerPlace[]): string {
  return places.map((place) => `127.0.0.1:${place.clientPort}`).join(',');
}
