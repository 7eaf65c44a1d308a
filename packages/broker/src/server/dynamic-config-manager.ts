import type { Logger, LoggerFactory, Time } from '@klassic/common';
import {
  ConfigEntityChangeNotificationSequenceZNode,
  ConfigEntityChangeNotificationZNode,
  ZooKeeperError,
} from '@klassic/zookeeper';
import type { ConfigType, KafkaZkClient } from '@klassic/zookeeper';
import { isPasswordConfig } from './dynamic-config-definitions.ts';

/** A notification is purged this long after it was written, in milliseconds: every broker has read it by then. */
const expirationMs = 15 * 60 * 1000;

/** Takes over what is set for the entities of one type (`kafka.server.ConfigHandler`). */
export interface ConfigHandler {
  /**
   * @param entityName sanitized, as in the path below `/config/<type>`: `orders`, `<default>`, `alice/clients/app`
   * @param config all that is set for it; empty when nothing is any more
   */
  processConfigChanges(entityName: string, config: Readonly<Record<string, string>>): void | Promise<void>;
}

export interface DynamicConfigManagerOptions {
  readonly zkClient: KafkaZkClient;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  readonly handlers: Readonly<Partial<Record<ConfigType, ConfigHandler>>>;
}

/**
 * Follows `/config/changes`: each child names an entity whose settings have changed. Counterpart of
 * `kafka.server.DynamicConfigManager` with its `ZkNodeChangeNotificationListener`.
 */
export class DynamicConfigManager {
  private readonly options: DynamicConfigManagerOptions;
  private readonly logger: Logger;
  private lastExecutedChange = -1;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(options: DynamicConfigManagerOptions) {
    this.options = options;
    this.logger = options.loggers('kafka.server.DynamicConfigManager');
  }

  /** Watches from now on; changes that stand there already are carried out as well. */
  async startup(): Promise<void> {
    const { zkClient } = this.options;
    zkClient.registerZNodeChildChangeHandler({
      path: ConfigEntityChangeNotificationZNode.path,
      handleChildChange: () => this.trigger(),
    });
    zkClient.registerStateChangeHandler({
      name: ConfigEntityChangeNotificationZNode.path,
      afterInitializingSession: () => this.trigger(),
    });
    this.trigger();
    await this.running;
  }

  shutdown(): void {
    this.stopped = true;
    this.options.zkClient.unregisterZNodeChildChangeHandler(ConfigEntityChangeNotificationZNode.path);
    this.options.zkClient.unregisterStateChangeHandler(ConfigEntityChangeNotificationZNode.path);
  }

  private trigger(): void {
    this.running = this.running
      .then(() => this.processNotifications())
      .catch((error: unknown) => {
        if (!this.stopped) this.logger.error('Error processing config change notifications', error);
      });
  }

  private async processNotifications(): Promise<void> {
    if (this.stopped) return;
    const { zkClient, time } = this.options;
    const { prefix } = ConfigEntityChangeNotificationSequenceZNode;
    const names = (await zkClient.getChildren(ConfigEntityChangeNotificationZNode.path))
      .filter((name) => name.startsWith(prefix))
      .sort();
    for (const name of names) {
      const sequence = Number(name.slice(prefix.length));
      if (sequence <= this.lastExecutedChange) continue;
      await this.process(`${ConfigEntityChangeNotificationZNode.path}/${name}`);
      this.lastExecutedChange = sequence;
    }
    await this.purge(names, time.milliseconds());
  }

  private async process(path: string): Promise<void> {
    const found = await this.options.zkClient.getDataAndStat(path);
    if (found === undefined) return;
    const entityPath = ConfigEntityChangeNotificationSequenceZNode.decode(found.data);
    const slash = entityPath.indexOf('/');
    const handler = this.options.handlers[entityPath.slice(0, slash) as ConfigType];
    const name = entityPath.slice(slash + 1);
    if (handler === undefined || slash < 0) return;
    const config = await this.options.zkClient.getEntityConfigs(entityPath.slice(0, slash), name);
    this.logger.info(`Processing override for entityPath: ${entityPath} with config: ${shown(config)}`);
    await handler.processConfigChanges(name, config);
  }

  private async purge(names: readonly string[], nowMs: number): Promise<void> {
    const { zkClient } = this.options;
    for (const name of names) {
      const path = `${ConfigEntityChangeNotificationZNode.path}/${name}`;
      const found = await zkClient.getDataAndStat(path);
      if (found === undefined || nowMs - found.stat.ctime <= expirationMs) continue;
      try {
        await zkClient.deletePath(path);
      } catch (error) {
        // Another broker was quicker.
        if (!(error instanceof ZooKeeperError && error.code === 'NO_NODE')) throw error;
      }
    }
  }
}

/** Settings as a line of the log may show them. */
function shown(config: Readonly<Record<string, string>>): string {
  const items = Object.entries(config).map(([name, value]) => `${name}=${isPasswordConfig(name) ? '[hidden]' : value}`);
  return `{${items.join(', ')}}`;
}
