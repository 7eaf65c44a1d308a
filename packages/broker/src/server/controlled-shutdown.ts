import { delay } from '@klassic/common';
import type { Logger, Time } from '@klassic/common';
import { errorByCode, Errors } from '@klassic/protocol';
import type { ControllerChannel } from './inter-broker.ts';
import type { KafkaConfig } from './kafka-config.ts';

/** The version that brokers speak at inter.broker.protocol.version 2.6. */
const version = 3;

export interface ControlledShutdownOptions {
  readonly config: KafkaConfig;
  readonly brokerId: number;
  readonly brokerEpoch: () => number;
  readonly channel: ControllerChannel;
  readonly time: Time;
  readonly logger: Logger;
}

/**
 * Asks the controller to move this broker's leaderships away before it stops, as often as
 * `controlled.shutdown.max.retries` says (`KafkaServer.controlledShutdown`).
 *
 * @returns whether the controller could; if not, the broker stops all the same
 */
export async function controlledShutdown(options: ControlledShutdownOptions): Promise<boolean> {
  const { config, time, logger } = options;
  logger.info('Starting controlled shutdown');
  const backoffMs = config.number('controlled.shutdown.retry.backoff.ms');
  for (let retries = config.number('controlled.shutdown.max.retries'); retries > 0; retries -= 1) {
    if (await attempt(options)) {
      logger.info('Controlled shutdown request returned successfully');
      return true;
    }
    if (retries > 1) {
      await delay(time, backoffMs);
      logger.warn('Retrying controlled shutdown after the previous attempt failed...');
    }
  }
  logger.warn('Proceeding to do an unclean shutdown as all the controlled shutdown attempts failed');
  return false;
}

async function attempt({ channel, brokerId, brokerEpoch, logger }: ControlledShutdownOptions): Promise<boolean> {
  try {
    const body = { brokerId, brokerEpoch: brokerEpoch() };
    const { errorCode, remainingPartitions } = await channel.forward('ControlledShutdown', version, body);
    if (errorCode === Errors.NONE.code && remainingPartitions.length === 0) return true;
    const names = remainingPartitions.map(({ topicName, partitionIndex }) => `${topicName}-${partitionIndex}`);
    logger.info(`Remaining partitions to move: [${names.join(', ')}]`);
    logger.info(`Error from controller: ${errorByCode(errorCode).name}`);
  } catch (error) {
    logger.warn(
      `Error during controlled shutdown, possibly because leader movement took longer than the configured timeouts: ${String(error)}`,
    );
  }
  return false;
}
