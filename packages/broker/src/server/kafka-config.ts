import type { Codec } from '@klassic/protocol';
import type { EndPoint } from '@klassic/zookeeper';
import { configDefinitions } from './config-definitions.ts';
import { checkRequirements } from './config-requirements.ts';
import { ConfigException, parseConfigValue, RequirementFailed } from './config-value.ts';
import type { ConfigValue } from './config-value.ts';
import { definitionOf } from './dynamic-config-definitions.ts';
import { klassicDefinitions } from './klassic-definitions.ts';
import { parseListeners, parseSecurityProtocolMap } from './listeners.ts';

/** What a file or ZooKeeper says, read and checked. */
interface Settings {
  readonly originals: Readonly<Record<string, string>>;
  readonly values: ReadonlyMap<string, ConfigValue>;
  readonly listeners: readonly EndPoint[];
  readonly advertisedListeners: readonly EndPoint[];
  readonly interBrokerListenerName: string;
}

const definitions = { ...configDefinitions, ...klassicDefinitions };

/** Settings that hold a version of Kafka: what is spoken is 2.6 (docs/differences.md). */
const servedProtocolVersions: ReadonlySet<string> = new Set(['2.6', '2.6-IV0']);

/**
 * A broker's settings: `server.properties` with Kafka's names, types, defaults and checks (`kafka.server.KafkaConfig`).
 */
export class KafkaConfig {
  /** -1 for an id that ZooKeeper gives. */
  readonly brokerId: number;
  readonly zkConnect: string;
  readonly logDirs: readonly string[];
  /** `inter.broker.codec`: what brokers speak among themselves. */
  readonly interBrokerCodec: Codec;
  private settings: Settings;

  /**
   * @throws ConfigException with one line that names the setting
   */
  constructor(originals: Readonly<Record<string, string>>) {
    const values = new Map(
      Object.entries(definitions).map(([name, definition]) => [
        name,
        parseConfigValue(name, definition, originals[name] ?? definition.default),
      ]),
    );
    this.settings = { originals, values, listeners: [], advertisedListeners: [], interBrokerListenerName: '' };
    this.brokerId = this.readBrokerId();
    this.zkConnect = this.required('zookeeper.connect');
    this.logDirs = this.readLogDirs();
    const protocols = parseSecurityProtocolMap(this.string('listener.security.protocol.map'));
    const listeners = this.readListeners(protocols);
    const advertisedListeners = this.readAdvertisedListeners(protocols, listeners);
    const interBrokerListenerName = this.readInterBrokerListener(advertisedListeners);
    this.settings = { originals, values, listeners, advertisedListeners, interBrokerListenerName };
    this.interBrokerCodec = this.string('inter.broker.codec') as Codec;
    this.checkVersions();
    this.checkZooKeeperAcls();
    checkRequirements(this);
  }

  /** Takes over the settings of `next`: whoever holds this one sees them from now on (`KafkaConfig.updateCurrentConfig`). */
  updateCurrentConfig(next: KafkaConfig): void {
    this.settings = next.settings;
  }

  /** The text of every setting that was given. */
  get originals(): Readonly<Record<string, string>> {
    return this.settings.originals;
  }

  get listeners(): readonly EndPoint[] {
    return this.settings.listeners;
  }

  get advertisedListeners(): readonly EndPoint[] {
    return this.settings.advertisedListeners;
  }

  get interBrokerListenerName(): string {
    return this.settings.interBrokerListenerName;
  }

  /** Keys of `originals` that no broker knows: probably misspelt. */
  get unknownKeys(): string[] {
    return Object.keys(this.originals).filter((name) => definitionOf(name) === undefined);
  }

  /** The text of every setting, defaults included, for what reads the broker's defaults by name. */
  get texts(): Record<string, string> {
    const texts: Record<string, string> = {};
    for (const [name, definition] of Object.entries(definitions)) {
      const text = this.originals[name] ?? definition.default;
      if (text !== null) texts[name] = text;
    }
    return texts;
  }

  /** A setting that is a number. */
  number(name: string): number {
    const value = this.value(name);
    if (typeof value !== 'number') throw new TypeError(`${name} holds no number`);
    return value;
  }

  /** A setting that is a number, or null where it has no default and was not given. */
  optionalNumber(name: string): number | null {
    return this.value(name) === null ? null : this.number(name);
  }

  boolean(name: string): boolean {
    const value = this.value(name);
    if (typeof value !== 'boolean') throw new TypeError(`${name} holds no boolean`);
    return value;
  }

  string(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw new TypeError(`${name} holds no text`);
    return value;
  }

  /** A setting that is a list. */
  list(name: string): readonly string[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw new TypeError(`${name} holds no list`);
    return value as readonly string[];
  }

  optionalString(name: string): string | null {
    return this.value(name) === null ? null : this.string(name);
  }

  private value(name: string): ConfigValue {
    const value = this.settings.values.get(name);
    if (value === undefined) throw new TypeError(`${name} is no setting of a broker`);
    return value;
  }

  private required(name: string): string {
    const value = this.optionalString(name);
    if (value === null || value === '') {
      throw new ConfigException(`Missing required configuration '${name}' which has no default value.`);
    }
    return value;
  }

  private readBrokerId(): number {
    const id = this.number('broker.id');
    const reserved = this.number('reserved.broker.max.id');
    if (id < -1)
      throw new ConfigException(`Invalid value ${id} for configuration broker.id: Value must be at least -1`);
    if (id < 0 && !this.boolean('broker.id.generation.enable')) {
      throw new ConfigException('broker.id must be given when broker.id.generation.enable is false');
    }
    if (id > reserved && this.boolean('broker.id.generation.enable')) {
      throw new ConfigException(
        `broker.id ${id} is greater than reserved.broker.max.id (${reserved}): ids beyond it are generated ones`,
      );
    }
    return id;
  }

  private readLogDirs(): string[] {
    const text = this.optionalString('log.dirs') ?? this.string('log.dir');
    const dirs = text.split(',').map((dir) => dir.trim());
    if (dirs.some((dir) => dir === ''))
      throw new ConfigException(`Invalid value ${text} for configuration log.dirs: a folder is empty`);
    if (new Set(dirs).size !== dirs.length) {
      throw new ConfigException(`Invalid value ${text} for configuration log.dirs: a folder stands twice`);
    }
    return dirs;
  }

  private readListeners(protocols: ReadonlyMap<string, string>): EndPoint[] {
    const text = this.optionalString('listeners') ?? `PLAINTEXT://${this.string('host.name')}:${this.number('port')}`;
    return parseListeners('listeners', text, protocols);
  }

  private readAdvertisedListeners(
    protocols: ReadonlyMap<string, string>,
    listeners: readonly EndPoint[],
  ): readonly EndPoint[] {
    const text = this.optionalString('advertised.listeners');
    if (text === null) return listeners;
    const advertised = parseListeners('advertised.listeners', text, protocols);
    const namesOf = (endPoints: readonly EndPoint[]): string[] => endPoints.map(({ listenerName }) => listenerName);
    if (namesOf(advertised).some((name) => !namesOf(listeners).includes(name))) {
      throw new RequirementFailed(
        'advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. ' +
          `Found ${namesOf(advertised).join(',')}. The valid options based on the current configuration are ` +
          namesOf(listeners).join(','),
      );
    }
    if (advertised.some(({ host }) => host === '0.0.0.0')) {
      throw new RequirementFailed(
        'advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.',
      );
    }
    return advertised;
  }

  private readInterBrokerListener(advertisedListeners: readonly EndPoint[]): string {
    const given = this.optionalString('inter.broker.listener.name');
    if (given === null) {
      const protocol = this.string('security.inter.broker.protocol');
      const found = advertisedListeners.find((listener) => listener.securityProtocol === protocol);
      if (found !== undefined) return found.listenerName;
      throw new ConfigException(
        `No advertised listener has the security protocol ${protocol} (security.inter.broker.protocol)`,
      );
    }
    if (!advertisedListeners.some((listener) => listener.listenerName === given.toUpperCase())) {
      throw new ConfigException(
        `inter.broker.listener.name must be a listener name defined in advertised.listeners: ${given}`,
      );
    }
    return given.toUpperCase();
  }

  /** Znodes can belong to their creator only where ZooKeeper knows who that is (`KafkaServer.initZkClient`). */
  private checkZooKeeperAcls(): void {
    if (!this.boolean('zookeeper.set.acl')) return;
    throw new ConfigException(
      'zookeeper.set.acl is true, but this broker does not authenticate to ZooKeeper: neither TLS nor SASL is served',
    );
  }

  private checkVersions(): void {
    const version = this.string('inter.broker.protocol.version');
    if (!servedProtocolVersions.has(version)) {
      throw new ConfigException(
        `Invalid value ${version} for configuration inter.broker.protocol.version: String must be one of: 2.6, 2.6-IV0`,
      );
    }
  }
}
