import { flushCompileCache } from 'node:module';
import { hideBin } from 'yargs/helpers';
import yargs from 'yargs';
import { SystemTime } from '@klassic/common';
import { ConfigException } from './config-value.ts';
import { KafkaConfig } from './kafka-config.ts';
import { KafkaServer } from './kafka-server.ts';
import { createLogging, parseLogLevels } from './logging.ts';
import type { Logging } from './logging.ts';
import { PropertiesFileError, readProperties } from './properties-file.ts';

/** How long a stop may take before the process ends all the same, in milliseconds. */
const shutdownLimitMs = 5 * 60 * 1000;

const time = new SystemTime();

function fail(message: string): never {
  process.stderr.write(`kafka-server-start: ${message}\n`);
  process.exit(1);
}

function readArguments(): { file: string; overrides: string[] } {
  const parsed = yargs(hideBin(process.argv))
    .scriptName('kafka-server-start')
    .usage('$0 server.properties [--override key=value]...\n\nRuns one broker in front; SIGTERM and Ctrl-C stop it.')
    .option('override', { type: 'string', array: true, nargs: 1, describe: 'a setting over that of the file' })
    .strictOptions()
    .version('klassic 0.1.0 (Apache Kafka 2.8.2)')
    .fail((message) => fail(message))
    .parseSync();
  const [file, ...rest] = parsed._.map(String);
  if (file === undefined) fail('name a server.properties (--help tells how)');
  if (rest.length > 0) fail(`one server.properties, not also ${rest.join(' ')}`);
  return { file, overrides: parsed.override ?? [] };
}

function readConfig(): KafkaConfig {
  const { file, overrides } = readArguments();
  try {
    return new KafkaConfig(readProperties(file, overrides));
  } catch (error) {
    if (error instanceof PropertiesFileError) fail(error.message);
    if (error instanceof ConfigException) fail(`${file}: ${error.message}`);
    throw error;
  }
}

function openLogs(config: KafkaConfig): Logging {
  const logDir = process.env['LOG_DIR'] ?? 'logs';
  try {
    return createLogging({
      logDir,
      console: config.boolean('klassic.log.console'),
      levels: parseLogLevels(config.string('klassic.log.levels')),
      now: () => time.milliseconds(),
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof ConfigException) fail(error.message);
    if (code !== undefined) fail(`cannot write logs into ${logDir} (LOG_DIR): ${code}`);
    throw error;
  }
}

async function main(): Promise<void> {
  const config = readConfig();
  const { loggers, log4j } = openLogs(config);
  const logger = loggers('kafka.server.KafkaServer');
  const die = (error: unknown): never => {
    logger.fatal('The broker cannot go on', error);
    process.stderr.write(`kafka-server-start: the broker cannot go on: ${String(error)}\n`);
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  const server = new KafkaServer({ config, time, loggers, log4j, onFatal: die });
  let stopping: Promise<void> | undefined;
  const stop = (signal: string): void => {
    if (stopping !== undefined) return;
    loggers('org.apache.kafka.common.utils.LoggingSignalHandler').info(`Terminating process due to signal ${signal}`);
    time.schedule(shutdownLimitMs, () => process.exit(1));
    stopping = server.shutdown().then(() => process.exit(0), die);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  try {
    await server.startup();
    // Where Node.js keeps compiled code (NODE_COMPILE_CACHE), this start's is there for the next, however the broker ends.
    flushCompileCache();
  } catch (error) {
    // A stop in the middle of the start takes what the start needs away.
    if (stopping !== undefined) return;
    const message = error instanceof Error ? error.message : String(error);
    logger.fatal(`Fatal error during KafkaServer startup. Prepare to shutdown: ${message}`);
    process.stderr.write(`kafka-server-start: ${message}\n`);
    await server.shutdown().catch((failure: unknown) => logger.error('Error while shutting down', failure));
    process.exit(1);
  }
}

await main();
