export { KafkaConfig } from './server/kafka-config.ts';
export { ConfigException } from './server/config-value.ts';
export { configDefinitions } from './server/config-definitions.ts';
export type { ConfigDefinition, ConfigType, UpdateMode } from './server/config-definitions.ts';
export { KafkaServer } from './server/kafka-server.ts';
export type { KafkaServerOptions } from './server/kafka-server.ts';
export { createLogging, parseLogLevels } from './server/logging.ts';
