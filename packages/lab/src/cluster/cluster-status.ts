import { silentLoggers, SystemRandom, SystemTime } from '@klassic/common';
import { ZooKeeperError, ZooKeeperSession } from '@klassic/zookeeper';

/** What the lab tells of a broker. */
export type BrokerState =
  /** Its process lives. */
  | 'running'
  /** Stopped by SIGSTOP: its connections stay open, it does nothing. */
  | 'paused'
  /** Ended by `stop`. */
  | 'stopped'
  /** Ended by `kill`. */
  | 'killed'
  /** Ended by itself. */
  | 'ended';

/** The shape of `scripts/lab status --json`. */
export interface ClusterStatus {
  readonly zookeeper: string;
  readonly brokers: readonly {
    readonly id: number;
    readonly host: string;
    readonly port: number;
    /** null when it does not run. */
    readonly pid: number | null;
    readonly state: BrokerState;
    /** Where its pages `/metrics`, `/state` and `/health` are, for example `http://127.0.0.1:34567`; null where they are not served. */
    readonly http: string | null;
  }[];
  /** id is null while there is no controller; both are null when ZooKeeper does not answer. */
  readonly controller: { readonly id: number | null; readonly epoch: number | null };
}

/** Reads znodes. Nothing is written or watched. */
export interface ZNodeReader {
  /** The data as text, or undefined when there is no such znode. */
  data(path: string): Promise<string | undefined>;
  /** Data and version, or undefined when there is no such znode. */
  znode(path: string): Promise<{ data: string; version: number } | undefined>;
  /** The names of the children; none when there is no such znode. */
  children(path: string): Promise<string[]>;
}

/**
 * Reads from ZooKeeper over a session of its own, which is closed afterwards.
 *
 * @throws ZooKeeperError when ZooKeeper cannot be reached within `timeoutMs`
 */
export async function readZooKeeper<T>(
  connectString: string,
  use: (reader: ZNodeReader) => Promise<T>,
  timeoutMs = 5_000,
): Promise<T> {
  const session = await ZooKeeperSession.connect({
    connectString,
    sessionTimeoutMs: 6_000,
    connectionTimeoutMs: timeoutMs,
    time: new SystemTime(),
    random: new SystemRandom(),
    loggers: silentLoggers,
  });
  try {
    const znode: ZNodeReader['znode'] = async (path) => {
      const read = await orNone(session.getData(path));
      return read && { data: read.data?.toString('utf8') ?? '', version: read.stat.version };
    };
    return await use({
      znode,
      data: async (path) => (await znode(path))?.data,
      children: (path) => orNone(session.getChildren(path)).then((names) => names ?? []),
    });
  } finally {
    await session.close();
  }
}

/** The controller as ZooKeeper has it: `/controller` and `/controller_epoch`. */
export async function readController(reader: ZNodeReader): Promise<{ id: number | null; epoch: number | null }> {
  const controller = await reader.data('/controller');
  const epoch = await reader.data('/controller_epoch');
  return {
    id: controller === undefined ? null : (JSON.parse(controller) as { brokerid: number }).brokerid,
    epoch: epoch === undefined ? null : Number(epoch),
  };
}

async function orNone<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === 'NO_NODE') return undefined;
    throw error;
  }
}
