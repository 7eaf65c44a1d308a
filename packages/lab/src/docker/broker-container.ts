import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BrokerLog } from '../cluster/broker-log.ts';
import { writeProperties } from '../cluster/broker-properties.ts';
import type { Properties } from '../cluster/broker-properties.ts';
import { Container } from './container.ts';

export interface BrokerContainerOptions {
  readonly id: number;
  readonly port: number;
  readonly name: string;
  readonly image: string;
  readonly network: string;
  /** The broker's folder on this machine, which the container sees as `/klassic/lab`. */
  readonly folder: string;
}

/** Where the container sees the broker's folder. */
const inside = '/klassic/lab';

/** The port brokers reach one another at, in the network of the containers. */
const innerPort = 19092;

/** One broker in a container. Its files lie where those of a broker process do. */
export class BrokerContainer extends Container {
  readonly id: number;
  readonly host = '127.0.0.1';
  readonly port: number;
  private readonly folder: string;
  private readonly log: BrokerLog;

  constructor(options: BrokerContainerOptions) {
    super({
      name: options.name,
      image: options.image,
      network: options.network,
      alias: alias(options.id),
      environment: { LOG_DIR: `${inside}/logs`, TZ: 'UTC' },
      ports: [{ host: options.port, container: options.port }],
      // The files it writes must be the user's own, to be read and removed without further rights.
      ...(process.platform === 'linux' ? { user: `${process.getuid!()}:${process.getgid!()}` } : {}),
      mounts: [{ host: options.folder, container: inside }],
      args: [`${inside}/server.properties`],
    });
    this.id = options.id;
    this.port = options.port;
    this.folder = options.folder;
    this.log = new BrokerLog(options.id, options.folder);
  }

  /** The folder of its partitions' logs, as it sees it. */
  get dataFolder(): string {
    return `${inside}/data`;
  }

  /** Clients come in by the published port of 127.0.0.1, brokers by the container's name. */
  get listenerProperties(): Properties {
    return {
      listeners: `HOST://0.0.0.0:${this.port},BROKER://0.0.0.0:${innerPort}`,
      'advertised.listeners': `HOST://127.0.0.1:${this.port},BROKER://${alias(this.id)}:${innerPort}`,
      'listener.security.protocol.map': 'HOST:PLAINTEXT,BROKER:PLAINTEXT',
      'inter.broker.listener.name': 'BROKER',
    };
  }

  /** Writes server.properties anew, for the next launch. */
  configure(properties: Properties): void {
    writeProperties(join(this.folder, 'server.properties'), properties);
  }

  override async launch(): Promise<void> {
    mkdirSync(join(this.folder, 'logs'), { recursive: true });
    this.log.mark();
    await super.launch();
  }

  /** @throws LabError with the broker's own complaint when it does not start */
  async waitUntilStarted(): Promise<void> {
    await this.log.waitUntilStarted(async () => {
      if ((await this.state) !== 'gone') return false;
      // What a process of the lab writes to `out` Docker keeps for a container.
      appendFileSync(join(this.folder, 'out'), `${await this.logs(50)}\n`);
      return true;
    });
  }
}

function alias(id: number): string {
  return `broker-${id}`;
}
