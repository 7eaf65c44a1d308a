import type { TopicPartition } from '@klassic/common';

import { ensureOk, matchAnyVersion } from '../requests.ts';
import { parseConnectString } from '../session/connect-string.ts';
import { ZooKeeperSession } from '../session/zookeeper-session.ts';
import type { ZooKeeperSessionOptions } from '../session/zookeeper-session.ts';
import { ConsumerOffset } from '../znodes/cluster.ts';
import {
  IsrChangeNotificationSequenceZNode,
  IsrChangeNotificationZNode,
  LogDirEventNotificationSequenceZNode,
  LogDirEventNotificationZNode,
} from '../znodes/notification.ts';
import { SecurityZkClient } from './security-zk-client.ts';
import type { KafkaZkClientOptions } from './zk-requests.ts';

/**
 * Everything Kafka asks of ZooKeeper, in Kafka's terms. One subject lies upon the other: requests and their repetition,
 * the cluster, topics, what administrators ask for, security, and here what brokers tell the controller, and the
 * offsets of consumers of old.
 * Counterpart of `kafka.zk.KafkaZkClient`.
 *
 * Methods with an `epochZkVersion` write as controller: each write stands in a multi with a check of that version of
 * `/controller_epoch`, and is refused with ControllerMovedError once another controller has been elected.
 */
export class KafkaZkClient extends SecurityZkClient {
  /**
   * Begins a session, and makes the chroot of the connect string where it is missing, as a starting broker does.
   *
   * @throws InvalidConnectStringError, ZooKeeperClientTimeoutError: each with one line for the user
   */
  static async connect(options: ZooKeeperSessionOptions & KafkaZkClientOptions): Promise<KafkaZkClient> {
    const { time, loggers } = options;
    const { servers, chroot } = parseConnectString(options.connectString);
    if (chroot !== undefined) {
      const session = await ZooKeeperSession.connect({ ...options, connectString: servers });
      const root = new KafkaZkClient(session, time, loggers, options);
      try {
        await root.makeSurePersistentPathExists(chroot);
      } finally {
        await root.close();
      }
    }
    return new KafkaZkClient(await ZooKeeperSession.connect(options), time, loggers, options);
  }

  /** Tells the controller which ISRs this leader has changed (before inter.broker.protocol.version 2.7). */
  async propagateIsrChanges(partitions: readonly TopicPartition[]): Promise<void> {
    const path = await this.createSequential(
      IsrChangeNotificationSequenceZNode.path(),
      IsrChangeNotificationSequenceZNode.encode(partitions),
    );
    this.log.debug(`Added ${path} for ${partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(',')}`);
  }

  /** Sequence numbers, ascending. Sets the watch of a child change handler of `/isr_change_notification`. */
  async getAllIsrChangeNotifications(): Promise<string[]> {
    const names = await this.getChildren(IsrChangeNotificationZNode.path);
    return names.map(IsrChangeNotificationSequenceZNode.sequenceNumber).sort();
  }

  /** Partitions named by the notifications that are still there. Pipelined. @throws ZNodeFormatError */
  async getPartitionsFromIsrChangeNotifications(sequenceNumbers: readonly string[]): Promise<TopicPartition[]> {
    const data = await this.getAllData(sequenceNumbers.map(IsrChangeNotificationSequenceZNode.path));
    return data.flatMap((bytes) => IsrChangeNotificationSequenceZNode.decode(bytes));
  }

  /** @throws ControllerMovedError */
  deleteIsrChangeNotifications(sequenceNumbers: readonly string[], epochZkVersion: number): Promise<void> {
    return this.deleteAll(sequenceNumbers.map(IsrChangeNotificationSequenceZNode.path), epochZkVersion);
  }

  /** @throws ControllerMovedError */
  async deleteAllIsrChangeNotifications(epochZkVersion: number): Promise<void> {
    await this.deleteIsrChangeNotifications(await this.getAllIsrChangeNotifications(), epochZkVersion);
  }

  /** Tells the controller that a log directory of this broker has failed. */
  async propagateLogDirEvent(brokerId: number): Promise<void> {
    const path = await this.createSequential(
      LogDirEventNotificationSequenceZNode.path(),
      LogDirEventNotificationSequenceZNode.encode(brokerId),
    );
    this.log.debug(`Added ${path} for broker ${brokerId}`);
  }

  /** Sequence numbers, ascending. Sets the watch of a child change handler of `/log_dir_event_notification`. */
  async getAllLogDirEventNotifications(): Promise<string[]> {
    const names = await this.getChildren(LogDirEventNotificationZNode.path);
    return names.map(LogDirEventNotificationSequenceZNode.sequenceNumber).sort();
  }

  /** Brokers named by the notifications that are still there. Pipelined. @throws ZNodeFormatError */
  async getBrokerIdsFromLogDirEvents(sequenceNumbers: readonly string[]): Promise<number[]> {
    const data = await this.getAllData(sequenceNumbers.map(LogDirEventNotificationSequenceZNode.path));
    return data.flatMap((bytes) => LogDirEventNotificationSequenceZNode.decode(bytes) ?? []);
  }

  /** @throws ControllerMovedError */
  deleteLogDirEventNotifications(sequenceNumbers: readonly string[], epochZkVersion: number): Promise<void> {
    return this.deleteAll(sequenceNumbers.map(LogDirEventNotificationSequenceZNode.path), epochZkVersion);
  }

  /** @throws ControllerMovedError */
  async deleteAllLogDirEventNotifications(epochZkVersion: number): Promise<void> {
    await this.deleteLogDirEventNotifications(await this.getAllLogDirEventNotifications(), epochZkVersion);
  }

  /** An offset committed by version 0 of OffsetCommit; undefined where there is none. @throws ZooKeeperError, ZNodeFormatError */
  async getConsumerOffset(group: string, { topic, partition }: TopicPartition): Promise<number | undefined> {
    const found = await this.getDataAndStat(ConsumerOffset.path(group, topic, partition));
    return found === undefined ? undefined : ConsumerOffset.decode(found.data);
  }

  /** @throws ZooKeeperError */
  async setOrCreateConsumerOffset(group: string, { topic, partition }: TopicPartition, offset: number): Promise<void> {
    const path = ConsumerOffset.path(group, topic, partition);
    const data = ConsumerOffset.encode(offset);
    const response = await this.request({ op: 'setData', path, data, version: matchAnyVersion });
    if (response.code === 'NO_NODE') await this.createRecursive(path, data);
    else ensureOk(response);
  }

  private async getAllData(paths: readonly string[]): Promise<(Buffer | null)[]> {
    const responses = await this.requests(paths.map((path) => ({ op: 'getData', path })));
    return responses.flatMap((response) => {
      if (response.code === 'NO_NODE') return [];
      ensureOk(response);
      return [response.data ?? null];
    });
  }
}
