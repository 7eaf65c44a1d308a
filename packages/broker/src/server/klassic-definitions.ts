import type { ConfigDefinition } from './config-definitions.ts';

/** Klassic's own settings; the original ignores them. */
export const klassicDefinitions: Readonly<Record<string, ConfigDefinition>> = {
  /** What brokers speak among themselves; `kafka` to share a cluster with Apache Kafka brokers. */
  'inter.broker.codec': { type: 'string', default: 'msgpack', oneOf: ['msgpack', 'kafka'], updateMode: 'read-only' },
  /** Whether a broker that is not the controller passes an administrative request on; the original answers NOT_CONTROLLER. */
  'klassic.forward.to.controller': { type: 'boolean', default: 'true', updateMode: 'read-only' },
  /** Levels by logger: `kafka.controller=DEBUG,state.change.logger=TRACE`. */
  'klassic.log.levels': { type: 'string', default: '', updateMode: 'read-only' },
  /** Whether server.log is printed on the terminal as well. */
  'klassic.log.console': { type: 'boolean', default: 'true', updateMode: 'read-only' },
};
