import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BrokerContainer } from '../docker/broker-container.ts';
import { zooKeeperAlias, ZooKeeperContainer } from '../docker/zookeeper-container.ts';
import { brokerImage } from '../docker/broker-image.ts';
import { LabError } from '../lab-error.ts';
import type { Progress } from '../lab-error.ts';
import { cacheHome } from '../paths.ts';
import { findJava } from '../zookeeper/java.ts';
import { fetchZooKeeperJars, zooKeeperVersion } from '../zookeeper/jars.ts';
import { ZooKeeperProcess } from '../zookeeper/zookeeper-process.ts';
import { BrokerProcess } from './broker-process.ts';
import { brokerProperties } from './broker-properties.ts';
import type { LabState, SavedBroker } from './lab-state.ts';

/** A broker, whichever way it runs. */
export type LabBroker = BrokerProcess | BrokerContainer;

/** A ZooKeeper server of the lab, whichever way it runs. */
export type LabZooKeeperServer = ZooKeeperProcess | ZooKeeperContainer;

/** The name of everything the lab in `home` has in Docker begins so: labs of several checkouts do not meet. */
export function dockerPrefix(home: string): string {
  return `klassic-lab-${createHash('sha256').update(home).digest('hex').slice(0, 8)}`;
}

/** The folder of a broker, whichever way it runs. */
export function brokerFolder(home: string, id: number): string {
  return join(home, `broker-${id}`);
}

/** The brokers as they were saved, ready to be asked, signalled and started. */
export function brokersOf(home: string, state: LabState): LabBroker[] {
  return state.brokers.map((saved) => brokerOf(home, state, saved));
}

function brokerOf(home: string, state: LabState, saved: SavedBroker): LabBroker {
  const { id, host, port, identity } = saved;
  const folder = brokerFolder(home, id);
  if (state.runtime === 'docker') {
    const network = dockerPrefix(home);
    return new BrokerContainer({ id, port, folder, network, name: `${network}-broker-${id}`, image: brokerImage });
  }
  return new BrokerProcess({ id, host, port, folder, ...(identity === undefined ? {} : { identity }) });
}

/** Writes the broker's server.properties. */
export function configureBroker(home: string, state: LabState, broker: LabBroker): void {
  const container = broker instanceof BrokerContainer;
  const { connectString, servers, kind } = state.zooKeeper;
  const listeners = container ? '' : `PLAINTEXT://${broker.host}:${broker.port}`;
  // Containers reach the lab's own servers by their names; 127.0.0.1 is another place inside.
  const zooKeeperConnect =
    container && kind === 'docker'
      ? servers.map((server) => `${zooKeeperAlias(server.place)}:2181`).join(',')
      : connectString;
  const httpPort = state.brokers.find(({ id }) => id === broker.id)?.httpPort;
  broker.configure(
    brokerProperties({
      id: broker.id,
      listeners,
      dataFolder: container ? broker.dataFolder : join(brokerFolder(home, broker.id), 'data'),
      zooKeeperConnect,
      brokers: state.brokers.length,
      overrides: {
        ...(container ? broker.listenerProperties : {}),
        ...(httpPort === undefined ? {} : { 'klassic.http.port': String(httpPort) }),
        ...state.overrides,
      },
    }),
  );
}

/**
 * The servers of the lab's own ZooKeeper as they were saved; none for an external one.
 *
 * @throws LabError when the Java that ran them is gone
 */
export async function zooKeeperServersOf(
  home: string,
  state: LabState,
  progress: Progress,
): Promise<LabZooKeeperServer[]> {
  const { kind, servers } = state.zooKeeper;
  const ensemble = servers.map((server) => server.place);
  if (kind === 'external') return [];
  if (kind === 'docker') {
    const network = dockerPrefix(home);
    return ensemble.map(
      (place) => new ZooKeeperContainer({ network, name: `${network}-zookeeper-${place.id}`, place, ensemble }),
    );
  }
  const java = await findJava();
  if (java === undefined) throw new LabError('the Java runtime that ran ZooKeeper is not there any more');
  const jars = join(cacheHome(), `zookeeper-${zooKeeperVersion}`);
  await fetchZooKeeperJars(jars, progress);
  return servers.map(
    ({ place, identity }) =>
      new ZooKeeperProcess({ java, jars, home, place, ensemble, ...(identity === undefined ? {} : { identity }) }),
  );
}
