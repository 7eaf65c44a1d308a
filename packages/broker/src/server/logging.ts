import { mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import winston from 'winston';
import Transport from 'winston-transport';
import type { Logger, LoggerFactory, LogLevel } from '@klassic/common';
import { ConfigException } from './config-value.ts';
import { levelRanks as levels, Log4jController, longestPrefix, rootLogger } from './log4j-controller.ts';
import type { Threshold } from './log4j-controller.ts';

/** Which loggers write where and from which level on: Kafka's own log4j.properties. The longest prefix of a name decides. */
const routes: readonly { readonly prefix: string; readonly file: string; readonly level: LogLevel }[] = [
  { prefix: 'kafka.request.logger', file: 'kafka-request.log', level: 'WARN' },
  { prefix: 'kafka.network.RequestChannel$', file: 'kafka-request.log', level: 'WARN' },
  { prefix: 'kafka.controller', file: 'controller.log', level: 'INFO' },
  { prefix: 'kafka.log.LogCleaner', file: 'log-cleaner.log', level: 'INFO' },
  { prefix: 'state.change.logger', file: 'state-change.log', level: 'INFO' },
  { prefix: 'kafka.authorizer.logger', file: 'kafka-authorizer.log', level: 'INFO' },
];
const rootRoute = { file: 'server.log', level: 'INFO' as LogLevel };

interface Entry {
  level: LogLevel;
  message: string;
  logger: string;
  /** Milliseconds since 1970. */
  atMs: number;
  stack?: string;
}

/** Appends each line at once, so that nothing is lost by `kill -9`, and the recorder reads what has happened. */
class FileTransport extends Transport {
  private readonly fd: number;
  private readonly echo: boolean;

  constructor(path: string, echo: boolean) {
    super({ level: 'TRACE' });
    this.fd = openSync(path, 'a');
    this.echo = echo;
  }

  override log(info: Entry, next: () => void): void {
    const line = format(info);
    writeSync(this.fd, line);
    if (this.echo) process.stdout.write(line);
    next();
  }
}

/** `[2026-01-31 12:00:00,000] INFO message (logger)`, Kafka's default pattern, in UTC when TZ says so. */
function format({ level, message, logger, atMs, stack }: Entry): string {
  const head = `[${timestamp(atMs)}] ${level} ${message} (${logger})\n`;
  return stack === undefined ? head : `${head}${stack}\n`;
}

let lastSecond = -1;
let lastSecondText = '';

function timestamp(atMs: number): string {
  const second = Math.floor(atMs / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    const at = new Date(atMs);
    const two = (value: number): string => String(value).padStart(2, '0');
    lastSecondText =
      `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
      `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  }
  return `${lastSecondText},${String(atMs % 1000).padStart(3, '0')}`;
}

/**
 * Reads `klassic.log.levels`: `logger=LEVEL,logger=LEVEL`.
 *
 * @throws ConfigException
 */
export function parseLogLevels(text: string): Map<string, LogLevel> {
  const parsed = new Map<string, LogLevel>();
  for (const entry of text.split(',').map((item) => item.trim())) {
    if (entry === '') continue;
    const [name, level] = entry.split('=').map((item) => item.trim());
    if (name === undefined || name === '' || level === undefined || !(level.toUpperCase() in levels)) {
      throw new ConfigException(
        `Invalid value ${entry} for configuration klassic.log.levels: expected logger=LEVEL, with one of ${Object.keys(levels).join(', ')}`,
      );
    }
    parsed.set(name, level.toUpperCase() as LogLevel);
  }
  return parsed;
}

export interface LoggingOptions {
  /** `$LOG_DIR`: where the log files stand; made when it is not there. */
  readonly logDir: string;
  /** Print server.log's lines on standard output too. */
  readonly console: boolean;
  /** Levels by logger name or prefix, over Kafka's defaults; `root` for all others. */
  readonly levels: ReadonlyMap<string, LogLevel>;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
}

/** The loggers, and the levels that can be changed while the broker runs. */
export interface Logging {
  readonly loggers: LoggerFactory;
  readonly log4j: Log4jController;
}

/** Opens Kafka's log files and hands out loggers under Kafka's names. */
export function createLogging(options: LoggingOptions): Logging {
  mkdirSync(options.logDir, { recursive: true });
  const given = new Map<string, LogLevel>(routes.map(({ prefix, level }) => [prefix, level]));
  given.set(rootLogger, rootRoute.level);
  for (const [name, level] of options.levels) given.set(name, level);
  const log4j = new Log4jController(given);
  const byFile = new Map<string, winston.Logger>();
  const loggers = new Map<string, Logger>();
  const winstonFor = (file: string): winston.Logger => {
    let logger = byFile.get(file);
    if (logger === undefined) {
      const transport = new FileTransport(join(options.logDir, file), options.console && file === rootRoute.file);
      logger = winston.createLogger({ levels, level: 'TRACE', transports: [transport] });
      byFile.set(file, logger);
    }
    return logger;
  };
  return {
    log4j,
    loggers: (name) => {
      let logger = loggers.get(name);
      if (logger === undefined) {
        const route = routes.find(({ prefix }) => prefix === longestPrefix(name, routePrefixes)) ?? rootRoute;
        logger = namedLogger(name, log4j.thresholdOf(name), winstonFor(route.file), options.now);
        loggers.set(name, logger);
      }
      return logger;
    },
  };
}

const routePrefixes: ReadonlySet<string> = new Set(routes.map(({ prefix }) => prefix));

function namedLogger(name: string, threshold: Threshold, sink: winston.Logger, now: () => number): Logger {
  const write = (level: LogLevel, message: string, error?: unknown): void => {
    if (levels[level] > threshold.rank) return;
    const stack =
      error instanceof Error ? (error.stack ?? String(error)) : error === undefined ? undefined : describe(error);
    sink.log({ level, message, logger: name, atMs: now(), ...(stack === undefined ? {} : { stack }) });
  };
  return {
    isEnabled: (level) => levels[level] <= threshold.rank,
    trace: (message) => write('TRACE', message),
    debug: (message) => write('DEBUG', message),
    info: (message) => write('INFO', message),
    warn: (message) => write('WARN', message),
    error: (message, error) => write('ERROR', message, error),
    fatal: (message, error) => write('FATAL', message, error),
  };
}

function describe(error: unknown): string {
  return typeof error === 'string' ? error : JSON.stringify(error);
}
