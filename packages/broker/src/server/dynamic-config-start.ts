import { randomBytes } from 'node:crypto';
import type { LoggerFactory } from '@klassic/common';
import type { KafkaController } from '@klassic/controller';
import type { LogReconfiguration } from '@klassic/log';
import type { SocketServer } from '@klassic/network';
import type { KafkaZkClient } from '@klassic/zookeeper';
import type { ReplicaManager } from '../replica/index.ts';
import {
  dynamicConnectionLimits,
  dynamicListenerConfig,
  dynamicLogCleaner,
  dynamicLogConfig,
  dynamicMetricsReporters,
  dynamicThreadPool,
} from './broker-reconfigurables.ts';
import { DynamicBrokerConfig } from './dynamic-broker-config.ts';
import type { KafkaConfig } from './kafka-config.ts';
import { PasswordEncoder } from './password-encoder.ts';
import { socketServerConfig } from './settings.ts';

/** Reads what is set in ZooKeeper for all brokers and for this one, before anything is started with it. */
export async function loadDynamicConfig(
  config: KafkaConfig,
  brokerId: number,
  zkClient: Pick<KafkaZkClient, 'getEntityConfigs' | 'setOrCreateEntityConfigs'>,
  loggers: LoggerFactory,
): Promise<DynamicBrokerConfig> {
  const dynamicConfig = new DynamicBrokerConfig({
    config,
    passwordEncoder: passwordEncoder(config, 'password.encoder.secret'),
    oldPasswordEncoder: passwordEncoder(config, 'password.encoder.old.secret'),
    logger: loggers('kafka.server.DynamicBrokerConfig'),
  });
  dynamicConfig.updateDefaultConfig(await zkClient.getEntityConfigs('brokers', '<default>'));
  const own = await zkClient.getEntityConfigs('brokers', String(brokerId));
  const reEncoded = dynamicConfig.reEncodedPasswords(own);
  if (reEncoded !== undefined) await zkClient.setOrCreateEntityConfigs('brokers', String(brokerId), reEncoded);
  dynamicConfig.updateBrokerConfig(brokerId, reEncoded ?? own);
  return dynamicConfig;
}

function passwordEncoder(config: KafkaConfig, secretName: string): PasswordEncoder | undefined {
  const secret = config.optionalString(secretName);
  if (secret === null) return undefined;
  return new PasswordEncoder({
    secret,
    keyFactoryAlgorithm: config.optionalString('password.encoder.keyfactory.algorithm'),
    cipherAlgorithm: config.string('password.encoder.cipher.algorithm'),
    keyLength: config.number('password.encoder.key.length'),
    iterations: config.number('password.encoder.iterations'),
    randomBytes,
  });
}

export interface ReconfiguredParts {
  readonly config: KafkaConfig;
  readonly logs: Pick<LogReconfiguration, 'reconfigureCleaner' | 'reconfigureDefaultLogConfig'>;
  readonly socketServer: Pick<SocketServer, 'reconfigure'>;
  readonly replicaManager: Pick<ReplicaManager, 'resizeFetcherThreadPool'>;
  readonly controller: Pick<KafkaController, 'enableDefaultUncleanLeaderElection'>;
  /** Registers this broker again, with other advertised listeners. */
  readonly updateBrokerInfo: () => void;
}

/** Lets the parts of a running broker follow its settings, in the original's order (`addReconfigurables`). */
export function addBrokerReconfigurables(dynamicConfig: DynamicBrokerConfig, parts: ReconfiguredParts): void {
  const { config, logs, socketServer, replicaManager, controller, updateBrokerInfo } = parts;
  dynamicConfig.addBrokerReconfigurable(dynamicMetricsReporters);
  dynamicConfig.addBrokerReconfigurable(
    dynamicThreadPool(config, (count) => replicaManager.resizeFetcherThreadPool(count)),
  );
  dynamicConfig.addBrokerReconfigurable(dynamicLogCleaner(config, (next) => logs.reconfigureCleaner(next.texts)));
  dynamicConfig.addBrokerReconfigurable(dynamicLogConfig(logs, () => controller.enableDefaultUncleanLeaderElection()));
  dynamicConfig.addBrokerReconfigurable(dynamicListenerConfig(config, updateBrokerInfo));
  dynamicConfig.addBrokerReconfigurable(
    dynamicConnectionLimits((next) => socketServer.reconfigure(socketServerConfig(next))),
  );
}
