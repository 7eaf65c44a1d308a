import { mkdirSync } from 'node:fs';
import type { Logger, Random } from '@klassic/common';
import { readMetaProperties, writeMetaProperties } from '@klassic/log';
import type { KafkaZkClient } from '@klassic/zookeeper';
import type { KafkaConfig } from './kafka-config.ts';

/** A data directory belongs to another broker or another cluster, or to nobody: the broker must not start on it. */
export class InconsistentBrokerMetadataError extends Error {
  override readonly name = 'InconsistentBrokerMetadataError';
}

/** Who this broker is: its id, and the cluster it belongs to. */
export interface BrokerIdentity {
  readonly brokerId: number;
  readonly clusterId: string;
}

/** A new cluster's id: 16 random bytes in 22 characters of base64url. */
export function randomClusterId(random: Random): string {
  for (;;) {
    const bytes = Buffer.from(Array.from({ length: 16 }, () => Math.floor(random.next() * 256)));
    const id = bytes.toString('base64url');
    // Kafka's Uuid.toString avoids a leading dash, which a command line would take for an option.
    if (!id.startsWith('-')) return id;
  }
}

/**
 * Settles the broker's id and checks every log dir's `meta.properties` against it and against the cluster's id
 * (`KafkaServer.getOrGenerateBrokerId`).
 *
 * @throws InconsistentBrokerMetadataError
 */
export async function settleIdentity(
  config: KafkaConfig,
  zkClient: KafkaZkClient,
  clusterId: string,
  logger: Logger,
): Promise<BrokerIdentity> {
  const stored = config.logDirs.map((dir) => {
    mkdirSync(dir, { recursive: true });
    const properties = readMetaProperties(dir);
    if (properties === null) logger.warn(`No meta.properties file under dir ${dir}/meta.properties`);
    return properties;
  });
  for (const [index, properties] of stored.entries()) {
    const storedId = properties?.clusterId ?? clusterId;
    if (storedId !== clusterId) {
      throw new InconsistentBrokerMetadataError(
        `The Cluster ID ${clusterId} doesn't match stored clusterId ${storedId} in meta.properties of ` +
          `${config.logDirs[index]}. The broker is trying to join the wrong cluster. Configured zookeeper.connect may be wrong.`,
      );
    }
  }
  const ids = new Set(stored.flatMap((properties) => properties?.brokerId ?? []));
  if (ids.size > 1) {
    throw new InconsistentBrokerMetadataError(
      `Failed to match broker.id across log.dirs. This could happen if multiple brokers shared a log directory (log.dirs) ` +
        `or partial data was manually copied from another broker. Found ${[...ids].join(', ')}`,
    );
  }
  const [ownId] = ids;
  if (config.brokerId >= 0 && ownId !== undefined && ownId !== config.brokerId) {
    throw new InconsistentBrokerMetadataError(
      `Configured broker.id ${config.brokerId} doesn't match stored broker.id ${ownId} in meta.properties. ` +
        `If you moved your data, make sure your configured broker.id matches. If you intend to create a new broker, ` +
        `you should remove all data in your data directories (log.dirs).`,
    );
  }
  const brokerId = ownId ?? (config.brokerId >= 0 ? config.brokerId : await generatedId(config, zkClient));
  return { brokerId, clusterId };
}

/** Writes `meta.properties` where a log dir has none yet; done once the broker knows that it may start. */
export function checkpointIdentity(config: KafkaConfig, identity: BrokerIdentity, nowMs: number): void {
  for (const dir of config.logDirs) {
    if (readMetaProperties(dir) === null) writeMetaProperties(dir, identity, nowMs);
  }
}

async function generatedId(config: KafkaConfig, zkClient: KafkaZkClient): Promise<number> {
  return config.number('reserved.broker.max.id') + (await zkClient.generateBrokerSequenceId());
}
