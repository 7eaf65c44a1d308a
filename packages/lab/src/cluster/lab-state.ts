import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '../lab-error.ts';
import type { ProcessIdentity } from '../process/process-identity.ts';
import type { ZooKeeperServerPlace } from '../zookeeper/java-server.ts';
import type { Properties } from './broker-properties.ts';

/** What runs the brokers: a process each, or a container each. */
export type Runtime = 'process' | 'docker';

/** Whose ZooKeeper it is: one that ran before, a Java process of the lab, or a container of the lab. */
export type ZooKeeperKind = 'external' | 'java' | 'docker';

export interface SavedZooKeeper {
  readonly kind: ZooKeeperKind;
  /** As reached from this machine, chroot included. */
  readonly connectString: string;
  readonly servers: { readonly place: ZooKeeperServerPlace; identity?: ProcessIdentity }[];
}

export interface SavedBroker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** Of its pages `/metrics`, `/state` and `/health`; absent where nobody outside could reach them (containers). */
  readonly httpPort?: number;
  /** Of the process launched last; a container is known by its name. */
  identity?: ProcessIdentity;
  /** How the lab ended it last: tells a broker that was told to end from one that ended by itself. */
  ended?: 'stopped' | 'killed';
}

/** What the lab must remember between two commands: `cluster.json` in its home. */
export interface LabState {
  readonly version: 1;
  /** False after `down`: data are kept, nothing runs. */
  up: boolean;
  readonly runtime: Runtime;
  readonly zooKeeper: SavedZooKeeper;
  readonly brokers: SavedBroker[];
  readonly overrides: Properties;
}

/**
 * The state of the lab that lives in `home`.
 *
 * @returns undefined where there was never a cluster, or its data were wiped
 * @throws LabError when the file is none of this version's
 */
export function loadState(home: string): LabState | undefined {
  const file = stateFile(home);
  if (!existsSync(file)) return undefined;
  let state: { version?: unknown } | undefined;
  try {
    state = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown };
  } catch {
    state = undefined;
  }
  if (state?.version !== 1) throw new LabError(`${file} cannot be read: remove ${home} to begin anew`);
  return state as LabState;
}

/** Writes the state whole or not at all. */
export function saveState(home: string, state: LabState): void {
  mkdirSync(home, { recursive: true });
  const temporary = `${stateFile(home)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(temporary, stateFile(home));
}

function stateFile(home: string): string {
  return join(home, 'cluster.json');
}
