import type { LogLevel } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { ConfigException } from '../server/config-value.ts';
import { rootLogger } from '../server/log4j-controller.ts';
import type { Log4jController } from '../server/log4j-controller.ts';
import { configOperation, configOperationName } from './incremental-configs.ts';
import type { ConfigChange } from './incremental-configs.ts';

/** The levels that can be set, in the order in which the original names them. */
const validLevels: readonly LogLevel[] = ['TRACE', 'ERROR', 'INFO', 'FATAL', 'DEBUG', 'WARN'];

/**
 * Sets and takes away levels of loggers (KIP-412): of this broker, until it stops.
 *
 * @throws ConfigException for a logger or level that there is not; KafkaError INVALID_REQUEST for another operation
 */
export function alterLogLevels(log4j: Log4jController, changes: readonly ConfigChange[], validateOnly: boolean): void {
  for (const change of changes) validate(log4j, change);
  if (validateOnly) return;
  for (const { name, value, configOperation: operation } of changes) {
    if (operation === configOperation.set) log4j.logLevel(name, value as LogLevel);
    else log4j.unsetLogLevel(name);
  }
}

function validate(log4j: Log4jController, { name, value, configOperation: operation }: ConfigChange): void {
  if (operation !== configOperation.set && operation !== configOperation.delete) {
    const text = `${configOperationName(operation)} operation is not allowed for the BROKER_LOGGER resource`;
    throw new KafkaError(Errors.INVALID_REQUEST, text);
  }
  if (!log4j.loggerExists(name)) throw new ConfigException(`Logger ${name} does not exist!`);
  if (operation === configOperation.delete) {
    if (name !== rootLogger) return;
    throw new KafkaError(Errors.INVALID_REQUEST, `Removing the log level of the ${rootLogger} logger is not allowed`);
  }
  if (!validLevels.some((level) => level === value)) {
    throw new ConfigException(
      `Cannot set the log level of ${name} to ${value} as it is not a supported log level. ` +
        `Valid log levels are ${validLevels.join(', ')}`,
    );
  }
}
