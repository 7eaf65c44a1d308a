import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readZooKeeper } from '../cluster/cluster-status.ts';
import type { ZNodeReader } from '../cluster/cluster-status.ts';
import type { LabState } from '../cluster/lab-state.ts';
import { brokerFolder } from '../cluster/parts.ts';
import { LabError, messageOf } from '../lab-error.ts';
import { readRequestLog } from './request-log.ts';
import { rpcStory } from './rpc-story.ts';
import { diffSnapshots, readSnapshot } from './znode-snapshot.ts';
import type { ZNodeSnapshot } from './znode-snapshot.ts';

interface SavedSnapshot {
  readonly takenAtMs: number;
  readonly znodes: ZNodeSnapshot;
}

/** Looks at a cluster from outside: at its znodes, and at the requests its brokers have logged. */
export class Observer {
  private readonly home: string;
  private readonly state: LabState;

  constructor(home: string, state: LabState) {
    this.home = home;
    this.state = state;
  }

  /** The znodes below a path, a line each: path, version, data. */
  async znodes(root: string): Promise<string[]> {
    const seen = await this.read((reader) => readSnapshot(reader, root));
    return Object.entries(seen).map(([path, { version, data }]) => `${path}  version ${version}  ${data}`.trimEnd());
  }

  /** Remembers the znodes and the moment under a name. */
  async snapshot(name: string): Promise<void> {
    if (!/^[\w-]+$/.test(name)) throw new LabError(`a snapshot is named by letters, digits and dashes, not '${name}'`);
    const takenAtMs = Date.now();
    const znodes = await this.read((reader) => readSnapshot(reader));
    mkdirSync(join(this.home, 'snapshots'), { recursive: true });
    const saved: SavedSnapshot = { takenAtMs, znodes };
    writeFileSync(this.file(name), JSON.stringify(saved, null, 1));
  }

  /**
   * What changed in the znodes below `root` since a snapshot.
   *
   * @param topic when given, the znodes of other topics are left out
   */
  async diff(name: string, root: string, topic: string | undefined): Promise<string[]> {
    const wanted = (path: string): boolean => {
      if (root !== '/' && path !== root && !path.startsWith(`${root}/`)) return false;
      const of = /^\/(?:brokers|config)\/topics\/([^/]+)/.exec(path)?.[1];
      return topic === undefined || of === undefined || of === topic;
    };
    const select = (znodes: ZNodeSnapshot): ZNodeSnapshot =>
      Object.fromEntries(Object.entries(znodes).filter(([path]) => wanted(path)));
    const now = await this.read((reader) => readSnapshot(reader, root));
    return diffSnapshots(select(this.load(name).znodes), select(now));
  }

  /**
   * The requests between brokers since a snapshot, as their receivers logged them.
   *
   * @throws LabError when no broker has logged any: the cluster was not started with --trace
   */
  rpcs(since: string | undefined, topic: string | undefined): string[] {
    const sinceMs = since === undefined ? 0 : this.load(since).takenAtMs;
    const folders = this.state.brokers.map(({ id }) => ({ id, logs: join(brokerFolder(this.home, id), 'logs') }));
    const requests = folders.flatMap(({ id, logs }) => readRequestLog(logs, id));
    if (requests.length === 0) {
      throw new LabError('the brokers have logged no requests: start the cluster with --trace to see them');
    }
    return rpcStory(
      requests.filter((request) => request.receivedAtMs >= sinceMs),
      topic,
    );
  }

  private async read<T>(use: (reader: ZNodeReader) => Promise<T>): Promise<T> {
    const { connectString } = this.state.zooKeeper;
    try {
      return await readZooKeeper(connectString, use);
    } catch (error) {
      throw new LabError(`ZooKeeper does not answer at ${connectString}: ${messageOf(error)}`);
    }
  }

  private load(name: string): SavedSnapshot {
    if (!existsSync(this.file(name))) {
      throw new LabError(`there is no snapshot '${name}': scripts/lab snapshot ${name} takes one`);
    }
    return JSON.parse(readFileSync(this.file(name), 'utf8')) as SavedSnapshot;
  }

  private file(name: string): string {
    return join(this.home, 'snapshots', `${name}.json`);
  }
}
