import { hostname } from 'node:os';
import type { SocketServer } from '@klassic/network';
import type { BrokerInfo, KafkaZkClient } from '@klassic/zookeeper';
import type { BrokerIdentity } from './broker-metadata.ts';
import { ConfigException } from './config-value.ts';
import type { KafkaConfig } from './kafka-config.ts';

/** What a broker tells of itself in `/brokers/ids`; a port that was left to the system is the one it is bound to. */
export function brokerInfoOf(
  config: KafkaConfig,
  { brokerId }: BrokerIdentity,
  socketServer: Pick<SocketServer, 'boundPort'>,
): BrokerInfo {
  const rack = config.optionalString('broker.rack');
  const endPoints = config.advertisedListeners.map((endPoint) => ({
    ...endPoint,
    host: endPoint.host === '' ? hostname() : endPoint.host,
    port: endPoint.port === 0 ? socketServer.boundPort(endPoint.listenerName) : endPoint.port,
  }));
  return { id: brokerId, endPoints, rack, version: 4, jmxPort: -1 };
}

/**
 * Two brokers at one address would be taken for each other by clients.
 *
 * @throws ConfigException when another broker has registered one of the end points
 */
export async function checkEndPoints(
  { id, endPoints }: BrokerInfo,
  zkClient: Pick<KafkaZkClient, 'getAllBrokersInCluster'>,
): Promise<void> {
  for (const other of await zkClient.getAllBrokersInCluster()) {
    if (other.id === id) continue;
    const taken = endPoints.find(({ host, port }) =>
      other.endPoints.some((each) => each.host === host && each.port === port),
    );
    if (taken !== undefined) {
      throw new ConfigException(
        `Configured end points ${taken.host}:${taken.port} in advertised listeners are already registered by broker ${other.id}`,
      );
    }
  }
}
