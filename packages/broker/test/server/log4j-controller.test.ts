import { describe, expect, it } from '@jest/globals';
import { levelRanks, Log4jController } from '../../src/server/log4j-controller.ts';

const controller = (): Log4jController =>
  new Log4jController(
    new Map([
      ['root', 'INFO'],
      ['kafka.controller', 'DEBUG'],
      ['kafka.network.RequestChannel$', 'WARN'],
    ]),
  );

describe('Log4jController', () => {
  it('gives a logger the level of the nearest one above it', () => {
    const log4j = controller();
    expect(log4j.thresholdOf('kafka.controller.KafkaController').rank).toBe(levelRanks.DEBUG);
    expect(log4j.thresholdOf('kafka.controllers').rank).toBe(levelRanks.INFO);
    expect(log4j.thresholdOf('kafka.network.RequestChannel$Metrics').rank).toBe(levelRanks.WARN);
    expect(log4j.thresholdOf('kafka.network.SocketServer').rank).toBe(levelRanks.INFO);
  });

  it('changes levels of loggers that were handed out long ago', () => {
    const log4j = controller();
    const threshold = log4j.thresholdOf('kafka.server.KafkaApis');
    log4j.logLevel('kafka.server.KafkaApis', 'TRACE');
    expect(threshold.rank).toBe(levelRanks.TRACE);
    log4j.unsetLogLevel('kafka.server.KafkaApis');
    expect(threshold.rank).toBe(levelRanks.INFO);
    log4j.logLevel('root', 'ERROR');
    expect(threshold.rank).toBe(levelRanks.ERROR);
  });

  it('lists every logger, with the level of the root where it has none of its own', () => {
    const log4j = controller();
    log4j.thresholdOf('kafka.controller.KafkaController');
    expect(Object.fromEntries(log4j.loggers)).toEqual({
      root: 'INFO',
      'kafka.controller': 'DEBUG',
      'kafka.network.RequestChannel$': 'WARN',
      'kafka.controller.KafkaController': 'INFO',
    });
    expect(log4j.loggerExists('kafka.server.KafkaApis')).toBe(false);
  });
});
