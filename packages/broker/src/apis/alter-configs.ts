import type { AdminZkClient } from '@klassic/controller';
import { InvalidConfigError, InvalidConfigurationError } from '@klassic/log';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import { ZooKeeperError } from '@klassic/zookeeper';
import type { MetadataCache } from '../metadata/index.ts';
import { ConfigException, RequirementFailed } from '../server/config-value.ts';
import { configDefinitions } from '../server/config-definitions.ts';
import type { DynamicBrokerConfig } from '../server/dynamic-broker-config.ts';
import type { Log4jController } from '../server/log4j-controller.ts';
import type { AnyApiHandler, ApiHandler } from './api-handler.ts';
import { alterLogLevels } from './broker-loggers.ts';
import { brokerIdOf, configResourceText, configResourceType, configResourceTypeName } from './config-resource.ts';
import type { ConfigResource } from './config-resource.ts';
import { checkChanges, configOperationName, withChanges } from './incremental-configs.ts';
import type { ChangedSetting, ConfigChange } from './incremental-configs.ts';
import { answerMessage, toApiError } from './request-errors.ts';
import { topicSetting } from './topic-config-entries.ts';

type Props = Readonly<Record<string, string>>;

/** The entity that stands for all brokers. */
const defaultEntity = '<default>';

export interface AlterConfigsOptions {
  readonly brokerId: number;
  readonly adminZkClient: Pick<AdminZkClient, 'changeTopicConfig' | 'changeEntityConfig'>;
  readonly metadataCache: Pick<MetadataCache, 'contains'>;
  readonly dynamicConfig: DynamicBrokerConfig;
  readonly log4j: Log4jController;
  /** What is set for an entity, as it stands in ZooKeeper. */
  readonly fetchEntityConfig: (entityType: 'topics' | 'brokers', name: string) => Promise<Props>;
  /** Throws when a topic's settings are not valid. */
  readonly validateTopicConfig: (config: Props) => void;
}

interface Outcome extends ConfigResource {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/**
 * AlterConfigs, which replaces all settings of a topic or broker, and IncrementalAlterConfigs, which changes some
 * (KIP-339). The broker that is asked checks them and writes them into ZooKeeper (those of one broker that broker
 * itself); all of them, this one too, learn of it by `/config/changes`. Counterpart of `ZkAdminManager`'s part of it.
 */
export function alterConfigsHandlers(options: AlterConfigsOptions): AnyApiHandler[] {
  return [alterConfigs(options), incrementalAlterConfigs(options)];
}

function alterConfigs(options: AlterConfigsOptions): ApiHandler<'AlterConfigs'> {
  return {
    api: 'AlterConfigs',
    minVersion: 0,
    maxVersion: 2,
    async handle({ body }) {
      const { resources, validateOnly } = body;
      if (resources.some(({ configs }) => configs.some(({ value }) => value === null))) {
        // The original cannot even read such a request.
        throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, 'A setting without a value');
      }
      for (const { resourceType } of resources) {
        if (resourceType === configResourceType.brokerLogger) {
          const type = configResourceTypeName(resourceType);
          const text = `AlterConfigs is deprecated and does not support the resource type ${type}`;
          throw new KafkaError(Errors.INVALID_REQUEST, text);
        }
        checkType(resourceType);
      }
      const responses = await outcomesOf(resources, async (resource) => {
        const props = Object.fromEntries(resource.configs.map(({ name, value }) => [name, value!]));
        if (resource.resourceType === configResourceType.topic) {
          await alterTopic(resource.resourceName, props, validateOnly, options);
        } else {
          await alterBroker(ownBrokerId(resource, options), props, validateOnly, options);
        }
      });
      return { responses };
    },
    failure: ({ body }, error, message) => ({
      responses: body.resources.map((resource) => failed(resource, error, message)),
    }),
  };
}

function incrementalAlterConfigs(options: AlterConfigsOptions): ApiHandler<'IncrementalAlterConfigs'> {
  return {
    api: 'IncrementalAlterConfigs',
    minVersion: 0,
    maxVersion: 1,
    async handle({ body }) {
      const { resources, validateOnly } = body;
      for (const { configs } of resources) {
        for (const { configOperation } of configs) configOperationName(configOperation);
      }
      for (const { resourceType } of resources) checkType(resourceType);
      const responses = await outcomesOf(resources, async (resource) => {
        checkChanges(resource.configs);
        if (resource.resourceType === configResourceType.topic) {
          await changeTopic(resource.resourceName, resource.configs, validateOnly, options);
        } else if (resource.resourceType === configResourceType.broker) {
          await changeBroker(ownBrokerId(resource, options), resource.configs, validateOnly, options);
        } else {
          ownBrokerId(resource, options);
          alterLogLevels(options.log4j, resource.configs, validateOnly);
        }
      });
      return { responses };
    },
    failure: ({ body }, error, message) => ({
      responses: body.resources.map((resource) => failed(resource, error, message)),
    }),
  };
}

function checkType(resourceType: number): void {
  if (Object.values<number>(configResourceType).includes(resourceType)) return;
  throw new KafkaError(Errors.INVALID_REQUEST, `Unexpected resource type ${configResourceTypeName(resourceType)}`);
}

/** This broker's id, undefined where all brokers are meant. @throws KafkaError for another one's */
function ownBrokerId({ resourceName }: ConfigResource, { brokerId }: AlterConfigsOptions): number | undefined {
  if (resourceName === '') return undefined;
  if (brokerIdOf(resourceName) === brokerId) return brokerId;
  throw new KafkaError(
    Errors.INVALID_REQUEST,
    `Unexpected broker id, expected ${brokerId}, but received ${resourceName}`,
  );
}

async function changeTopic(
  topic: string,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
  options: AlterConfigsOptions,
): Promise<void> {
  // Worded by ZooKeeper's client, which the original asks for /config/topics/.
  if (topic === '') throw new ConfigException('Path must not end with / character');
  const current = await options.fetchEntityConfig('topics', topic);
  await alterTopic(topic, withChanges(current, changes, topicSetting), validateOnly, options);
}

async function alterTopic(
  topic: string,
  props: Props,
  validateOnly: boolean,
  { metadataCache, adminZkClient, validateTopicConfig }: AlterConfigsOptions,
): Promise<void> {
  if (!metadataCache.contains(topic)) {
    throw new KafkaError(Errors.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic}' does not exist.`);
  }
  validateTopicConfig(props);
  if (!validateOnly) await adminZkClient.changeTopicConfig(topic, props);
}

async function changeBroker(
  brokerId: number | undefined,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
  options: AlterConfigsOptions,
): Promise<void> {
  const stored = await options.fetchEntityConfig('brokers', entityOf(brokerId));
  const current = options.dynamicConfig.fromPersistentProps(stored, brokerId !== undefined);
  await alterBroker(brokerId, withChanges(current, changes, brokerSetting), validateOnly, options);
}

async function alterBroker(
  brokerId: number | undefined,
  props: Props,
  validateOnly: boolean,
  { dynamicConfig, adminZkClient }: AlterConfigsOptions,
): Promise<void> {
  const perBroker = brokerId !== undefined;
  dynamicConfig.validate(props, perBroker);
  if (validateOnly) return;
  await adminZkClient.changeEntityConfig(
    'brokers',
    entityOf(brokerId),
    dynamicConfig.toPersistentProps(props, perBroker),
  );
}

function entityOf(brokerId: number | undefined): string {
  return brokerId === undefined ? defaultEntity : String(brokerId);
}

function brokerSetting(name: string): ChangedSetting | undefined {
  if (!Object.hasOwn(configDefinitions, name)) return undefined;
  const { type, default: defaultText } = configDefinitions[name]!;
  return { isList: type === 'list', default: defaultText };
}

async function outcomesOf<R extends ConfigResource>(
  resources: readonly R[],
  task: (resource: R) => Promise<void>,
): Promise<Outcome[]> {
  // One answer for each resource: where it stands twice, the last counts.
  const byResource = new Map(resources.map((resource) => [configResourceText(resource), resource]));
  const outcomes: Outcome[] = [];
  for (const resource of byResource.values()) {
    const { resourceType, resourceName } = resource;
    try {
      await task(resource);
      outcomes.push({ errorCode: Errors.NONE.code, errorMessage: null, resourceType, resourceName });
    } catch (thrown) {
      outcomes.push(refused(resource, thrown));
    }
  }
  return outcomes;
}

function refused(resource: ConfigResource, thrown: unknown): Outcome {
  const isBadValue = thrown instanceof InvalidConfigError && !(thrown instanceof InvalidConfigurationError);
  if (isBadValue || thrown instanceof ConfigException) {
    const reason = thrown instanceof RequirementFailed ? `requirement failed: ${thrown.message}` : thrown.message;
    const text = `Invalid config value for resource ${configResourceText(resource)}: ${reason}`;
    return failed(resource, Errors.INVALID_REQUEST, text);
  }
  const { error, message, expected } = toApiError(thrown);
  if (!expected && !(thrown instanceof ZooKeeperError)) throw thrown;
  return failed(resource, error, message);
}

function failed({ resourceType, resourceName }: ConfigResource, error: ErrorEntry, message: string): Outcome {
  return { errorCode: error.code, errorMessage: answerMessage(error, message), resourceType, resourceName };
}
