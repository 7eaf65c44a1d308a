import type { TopicPartition } from '@klassic/common';

import { intOf, jsonBytes, objectsOf, parseObject, stringOf } from './json.ts';

/** `/isr_change_notification`: the controller watches its children. */
export const IsrChangeNotificationZNode = { path: '/isr_change_notification' };

/**
 * `/isr_change_notification/isr_change_<n>`: a leader tells the controller which ISRs it has changed, before
 * inter.broker.protocol.version 2.7. The controller takes it away when it has read it.
 */
export const IsrChangeNotificationSequenceZNode = {
  prefix: 'isr_change_',
  path: (sequenceNumber = ''): string => `${IsrChangeNotificationZNode.path}/isr_change_${sequenceNumber}`,
  encode: (partitions: readonly TopicPartition[]): Buffer => jsonBytes({ version: 1, partitions: inOrder(partitions) }),
  /** @throws ZNodeFormatError */
  decode: (bytes: Buffer | null): TopicPartition[] => partitionsOf(IsrChangeNotificationZNode.path, bytes),
  sequenceNumber: (name: string): string => name.slice(name.lastIndexOf('isr_change_') + 'isr_change_'.length),
};

/** `/log_dir_event_notification`: the controller watches its children. */
export const LogDirEventNotificationZNode = { path: '/log_dir_event_notification' };

/** `/log_dir_event_notification/log_dir_event_<n>`: a broker tells the controller that one of its directories failed. */
export const LogDirEventNotificationSequenceZNode = {
  prefix: 'log_dir_event_',
  path: (sequenceNumber = ''): string => `${LogDirEventNotificationZNode.path}/log_dir_event_${sequenceNumber}`,
  encode: (brokerId: number): Buffer => jsonBytes({ version: 1, broker: brokerId, event: 1 }),
  /** @returns the broker's id, undefined when it cannot be read. @throws ZNodeFormatError */
  decode(bytes: Buffer | null): number | undefined {
    const object = parseObject(LogDirEventNotificationZNode.path, bytes);
    return object === undefined ? undefined : intOf(LogDirEventNotificationZNode.path, object, 'broker');
  },
  sequenceNumber: (name: string): string => name.slice(name.lastIndexOf('log_dir_event_') + 'log_dir_event_'.length),
};

/** `{"version":1,"partitions":[{"topic":…,"partition":…}]}` without its own version. @throws ZNodeFormatError */
export function partitionsOf(path: string, bytes: Buffer | null): TopicPartition[] {
  const object = parseObject(path, bytes);
  if (object === undefined) return [];
  return objectsOf(path, object, 'partitions').map((entry) => ({
    topic: stringOf(path, entry, 'topic'),
    partition: intOf(path, entry, 'partition'),
  }));
}

/** Keys of each partition in the order the original writes them. */
export function inOrder(partitions: readonly TopicPartition[]): TopicPartition[] {
  return partitions.map(({ topic, partition }) => ({ topic, partition }));
}
