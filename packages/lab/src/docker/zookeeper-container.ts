import { eventually } from '../eventually.ts';
import type { Progress } from '../lab-error.ts';
import { zooKeeperMode } from '../zookeeper/four-letter-word.ts';
import type { ZooKeeperServerPlace } from '../zookeeper/java-server.ts';
import { Container } from './container.ts';

export interface ZooKeeperContainerOptions {
  readonly name: string;
  readonly network: string;
  readonly place: ZooKeeperServerPlace;
  readonly ensemble: readonly ZooKeeperServerPlace[];
}

/** One ZooKeeper server in a container of the official image, published on 127.0.0.1. */
export class ZooKeeperContainer extends Container {
  readonly place: ZooKeeperServerPlace;

  constructor(options: ZooKeeperContainerOptions) {
    const { place, ensemble } = options;
    super({
      name: options.name,
      image: zooKeeperImage,
      network: options.network,
      alias: zooKeeperAlias(place),
      environment: {
        ZOO_TICK_TIME: '500',
        ZOO_INIT_LIMIT: '20',
        ZOO_SYNC_LIMIT: '10',
        ZOO_MAX_CLIENT_CNXNS: '0',
        ZOO_ADMINSERVER_ENABLED: 'false',
        ZOO_4LW_COMMANDS_WHITELIST: '*',
        ZOO_CFG_EXTRA: 'minSessionTimeout=1000 maxSessionTimeout=60000',
        JVMFLAGS: '-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1',
        ...(ensemble.length > 1
          ? {
              ZOO_MY_ID: String(place.id),
              ZOO_STANDALONE_ENABLED: 'false',
              ZOO_SERVERS: ensemble
                .map((member) => `server.${member.id}=${zooKeeperAlias(member)}:2888:3888;2181`)
                .join(' '),
            }
          : {}),
      },
      ports: [{ host: place.clientPort, container: 2181 }],
    });
    this.place = place;
  }

  /** Starts it and waits until it serves: docker's proxy accepts connections long before. */
  async start(progress: Progress): Promise<void> {
    await this.launch();
    const mode = await eventually(() => zooKeeperMode('127.0.0.1', this.place.clientPort), {
      timeoutMs: 60_000,
      what: `ZooKeeper in container ${this.name}`,
    });
    progress(
      `ZooKeeper ${this.place.id} serves on 127.0.0.1:${this.place.clientPort} (${mode}, container ${this.name})`,
    );
  }
}

/** The official image, of the release line whose jars the lab runs without Docker. */
export const zooKeeperImage = 'zookeeper:3.9';

/** By what name containers reach this server, at port 2181. */
export function zooKeeperAlias(place: ZooKeeperServerPlace): string {
  return `zookeeper-${place.id}`;
}
