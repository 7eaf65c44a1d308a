import type { Logger, LoggerFactory, Time } from '@klassic/common';
import {
  ConfigEntityChangeNotificationSequenceZNode,
  ConfigEntityChangeNotificationZNode,
  desanitize,
  ZooKeeperError,
} from '@klassic/zookeeper';
import type { KafkaZkClient } from '@klassic/zookeeper';

/** A notification is purged this long after it was written, in milliseconds: every broker has read it by then. */
const expirationMs = 15 * 60 * 1000;

export interface DynamicConfigManagerOptions {
  readonly zkClient: KafkaZkClient;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  /** Reads a topic's settings again and takes them over. */
  readonly onTopicChange: (topic: string) => Promise<void>;
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
    this.logger.info(`Processing override for entityPath: ${entityPath}`);
    const [type, name] = entityPath.split('/');
    if (type === 'topics' && name !== undefined) await this.options.onTopicChange(desanitize(name));
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
