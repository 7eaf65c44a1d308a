import type { ConfigDefinition } from './config-definitions.ts';

/** Klassic's own settings; the original ignores them. */
export const klassicDefinitions: Readonly<Record<string, ConfigDefinition>> = {
  /** What brokers speak among themselves; `kafka` to share a cluster with Apache Kafka brokers. */
  'inter.broker.codec': { type: 'string', default: 'msgpack', oneOf: ['msgpack', 'kafka'], updateMode: 'read-only' },
  /** Whether a broker that is not the controller passes an administrative request on; the original answers NOT_CONTROLLER. */
  'klassic.forward.to.controller': { type: 'boolean', default: 'true', updateMode: 'read-only' },
  /** Port of the pages `/metrics`, `/state` and `/health`; 0 for any free one. Absent: they are not served. */
  'klassic.http.port': { type: 'int', default: null, atLeast: 0, updateMode: 'read-only' },
  /** Address that the pages are served on: this machine alone, unless told otherwise. */
  'klassic.http.host': { type: 'string', default: '127.0.0.1', updateMode: 'read-only' },
  /** Levels by logger: `kafka.controller=DEBUG,state.change.logger=TRACE`. */
  'klassic.log.levels': { type: 'string', default: '', updateMode: 'read-only' },
  /** Whether server.log is printed on the terminal as well. */
  'klassic.log.console': { type: 'boolean', default: 'true', updateMode: 'read-only' },
};
