export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL' | 'OFF';

/** A logger of one name, as log4j has it. Messages bear Kafka's own prefixes, such as `[Controller id=1] `. */
export interface Logger {
  isEnabled(level: LogLevel): boolean;
  trace(message: string): void;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string, error?: unknown): void;
  fatal(message: string, error?: unknown): void;
}

/** Hands out loggers under Kafka's logger names, for example `kafka.controller.KafkaController`. */
export type LoggerFactory = (name: string) => Logger;

/** Says nothing: for tests and tools that do not log. */
export const silentLogger: Logger = {
  isEnabled: () => false,
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
};

/** A factory of silent loggers. */
export const silentLoggers: LoggerFactory = () => silentLogger;

/** A view of `logger` that puts `prefix` before every message (Kafka's `logIdent`). */
export function prefixed(logger: Logger, prefix: string): Logger {
  return {
    isEnabled: (level) => logger.isEnabled(level),
    trace: (message) => {
      if (logger.isEnabled('TRACE')) logger.trace(prefix + message);
    },
    debug: (message) => {
      if (logger.isEnabled('DEBUG')) logger.debug(prefix + message);
    },
    info: (message) => logger.info(prefix + message),
    warn: (message) => logger.warn(prefix + message),
    error: (message, error) => logger.error(prefix + message, error),
    fatal: (message, error) => logger.fatal(prefix + message, error),
  };
}
