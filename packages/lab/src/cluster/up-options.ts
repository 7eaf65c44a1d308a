import { LabError } from '../lab-error.ts';
import type { Properties } from './broker-properties.ts';
import type { Runtime } from './lab-state.ts';

/** What `scripts/lab up` was asked for. */
export interface UpOptions {
  readonly brokers: number;
  readonly zooKeepers: 1 | 3;
  readonly runtime: Runtime;
  /** The first broker's port; the others follow. */
  readonly basePort: number;
  /** The first ZooKeeper server's port; the others follow. */
  readonly zooKeeperPort: number;
  /** Connect string of a ZooKeeper that already runs. */
  readonly zooKeeper: string | undefined;
  readonly overrides: Properties;
}

/** What is taken when nothing else is asked for. `KLASSIC_LAB_BASE_PORT` and `KLASSIC_LAB_ZOOKEEPER_PORT` move the ports. */
export const defaultUpOptions: UpOptions = {
  brokers: 3,
  zooKeepers: 1,
  runtime: 'process',
  basePort: Number(process.env['KLASSIC_LAB_BASE_PORT'] ?? 9092),
  zooKeeperPort: Number(process.env['KLASSIC_LAB_ZOOKEEPER_PORT'] ?? 2181),
  zooKeeper: undefined,
  overrides: {},
};

/** What makes brokers log every request, and each step of the controller: `--trace`. */
export const traceOverrides: Properties = {
  'klassic.log.levels': 'kafka.request.logger=TRACE,state.change.logger=TRACE,kafka.controller=DEBUG',
};

/** More than that no one machine runs. */
const mostBrokers = 50;

/** Settings that the lab itself gives each broker. */
const own = [
  'broker.id',
  'listeners',
  'advertised.listeners',
  'log.dirs',
  'log.dir',
  'zookeeper.connect',
  'klassic.http.port',
];

/**
 * Checks what was asked for.
 *
 * @throws LabError, one line naming the option
 */
export function checkUpOptions(options: UpOptions): UpOptions {
  const { brokers, basePort, zooKeeperPort, zooKeepers, runtime, zooKeeper } = options;
  whole('--brokers', brokers, 1, mostBrokers);
  whole('--base-port', basePort, 1, 65_536 - brokers);
  whole('--zookeeper-port', zooKeeperPort, 1, 65_536 - zooKeepers);
  if (zooKeeper !== undefined && !/^[^/,\s]+:\d+(,[^/,\s]+:\d+)*(\/\S*)?$/.test(zooKeeper)) {
    throw new LabError(`--zookeeper must be host:port[,host:port…][/chroot], not '${zooKeeper}'`);
  }
  if (zooKeeper !== undefined && runtime === 'docker') {
    throw new LabError('--zookeeper goes with --runtime process: containers would not find it under that name');
  }
  if (zooKeeper === undefined) {
    const brokerPorts = new Set(Array.from({ length: brokers }, (_, index) => basePort + index));
    for (let index = 0; index < zooKeepers; index += 1) {
      if (brokerPorts.has(zooKeeperPort + index)) {
        throw new LabError(`port ${zooKeeperPort + index} was given to ZooKeeper and to a broker: change --base-port`);
      }
    }
  }
  return options;
}

/**
 * Reads `key=value` settings.
 *
 * @throws LabError for other text, and for settings that the lab must choose itself
 */
export function parseOverrides(texts: readonly string[]): Properties {
  const overrides: Record<string, string> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    const name = text.slice(0, equals).trim();
    if (equals < 0 || name === '') throw new LabError(`--override must be key=value, not '${text}'`);
    if (own.includes(name)) throw new LabError(`--override ${name}: the lab sets this for each broker itself`);
    overrides[name] = text.slice(equals + 1);
  }
  return overrides;
}

function whole(option: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new LabError(`${option} must be a whole number from ${least} to ${most}`);
  }
}
