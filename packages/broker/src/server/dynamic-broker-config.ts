import { hashMapOrder } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { ConfigException } from './config-value.ts';
import {
  brokerConfigSynonyms,
  dynamicSecurityConfigs,
  isNonDynamicConfig,
  isPasswordConfig,
  isPerBrokerConfig,
} from './dynamic-config-definitions.ts';
import { validateDynamicConfigs } from './dynamic-config-checks.ts';
import { KafkaConfig } from './kafka-config.ts';
import type { PasswordEncoder } from './password-encoder.ts';

type Props = Readonly<Record<string, string>>;

/** Something that takes new settings while it runs (`kafka.server.BrokerReconfigurable`). */
export interface BrokerReconfigurable {
  /** The settings that concern it. */
  readonly reconfigurableConfigs: { has(name: string): boolean };
  /**
   * @param changed names of all settings that would change
   * @throws ConfigException when it cannot take the new values
   */
  validateReconfiguration(next: KafkaConfig, changed: readonly string[]): void;
  /** Takes the new values over. Both are whole configurations: what changed is found by comparing. */
  reconfigure(previous: KafkaConfig, next: KafkaConfig): void;
}

export interface DynamicBrokerConfigOptions {
  /** Everybody's view of the settings: it shows the new values once they are taken over. */
  readonly config: KafkaConfig;
  /** Undefined where `password.encoder.secret` is not set. */
  readonly passwordEncoder: PasswordEncoder | undefined;
  /** With `password.encoder.old.secret`, for passwords stored before the secret was changed. */
  readonly oldPasswordEncoder: PasswordEncoder | undefined;
  readonly logger: Logger;
}

/**
 * The settings of a running broker (KIP-226): what its file says, below what is set for all brokers
 * (`/config/brokers/<default>`), below what is set for this one (`/config/brokers/<id>`). Counterpart of
 * `kafka.server.DynamicBrokerConfig`.
 */
export class DynamicBrokerConfig {
  /** What the file says. */
  readonly staticBrokerConfigs: Props;
  private readonly options: DynamicBrokerConfigOptions;
  private readonly reconfigurables: BrokerReconfigurable[] = [];
  private current: KafkaConfig;
  private defaultConfigs: Props = {};
  private brokerConfigs: Props = {};

  constructor(options: DynamicBrokerConfigOptions) {
    this.options = options;
    this.staticBrokerConfigs = options.config.originals;
    this.current = new KafkaConfig(this.staticBrokerConfigs);
  }

  /** What is set for all brokers. */
  get currentDynamicDefaultConfigs(): Props {
    return this.defaultConfigs;
  }

  /** What is set for this broker; passwords in clear. */
  get currentDynamicBrokerConfigs(): Props {
    return this.brokerConfigs;
  }

  /** From now on `reconfigurable` is asked about changes, and told of them. */
  addBrokerReconfigurable(reconfigurable: BrokerReconfigurable): void {
    this.reconfigurables.push(reconfigurable);
  }

  /** Takes over what stands in `/config/brokers/<default>`. What cannot be applied is left out, with a line in the log. */
  updateDefaultConfig(persistentProps: Props): void {
    this.applying('Cluster default configs could not be applied', persistentProps, () => {
      this.defaultConfigs = this.fromPersistentProps(persistentProps, false);
    });
  }

  /** Takes over what stands in `/config/brokers/<id>`, likewise. */
  updateBrokerConfig(brokerId: number, persistentProps: Props): void {
    this.applying(`Per-broker configs of ${brokerId} could not be applied`, persistentProps, () => {
      this.brokerConfigs = this.fromPersistentProps(persistentProps, true);
    });
  }

  /**
   * Whether these could be all the settings of this broker, or of all brokers.
   *
   * @throws ConfigException
   */
  validate(props: Props, perBrokerConfig: boolean): void {
    validateDynamicConfigs(props, perBrokerConfig);
    const next = new Map(Object.entries(this.staticBrokerConfigs));
    overrideProps(next, perBrokerConfig ? this.defaultConfigs : props);
    overrideProps(next, perBrokerConfig ? props : this.brokerConfigs);
    this.validatedReconfiguration(Object.fromEntries(next));
  }

  /** As they are written into ZooKeeper: passwords encrypted. @throws ConfigException without a secret, or for all brokers */
  toPersistentProps(props: Props, perBrokerConfig: boolean): Record<string, string> {
    const encoded = Object.entries(props).map(([name, value]): [string, string] => {
      if (!isPasswordConfig(name)) return [name, value];
      if (!perBrokerConfig) throw new ConfigException('Password config can be defined only at broker level');
      return [name, this.encoder.encode(value)];
    });
    return Object.fromEntries(encoded);
  }

  /** What stands in ZooKeeper, less what a running broker does not take; passwords in clear. */
  fromPersistentProps(persistentProps: Props, perBrokerConfig: boolean): Record<string, string> {
    const props = new Map(Object.entries(persistentProps));
    const remove = (isInvalid: (name: string) => boolean, message: string): void => {
      const invalid = [...props.keys()].filter(isInvalid);
      for (const name of invalid) props.delete(name);
      if (invalid.length > 0) this.options.logger.error(`${message}: ${setText(invalid)}`);
    };
    remove(isNonDynamicConfig, 'Non-dynamic configs configured in ZooKeeper will be ignored');
    remove(
      (name) => dynamicSecurityConfigs.has(name),
      'Security configs can be dynamically updated only using listener prefix, base configs will be ignored',
    );
    if (!perBrokerConfig) {
      remove(isPerBrokerConfig, 'Per-broker configs defined at default cluster level will be ignored');
    }
    for (const [name, value] of props) {
      if (!isPasswordConfig(name)) continue;
      try {
        props.set(name, this.encoder.decode(value));
      } catch (error) {
        if (!(error instanceof ConfigException)) throw error;
        this.options.logger.error(`Dynamic password config ${name} could not be decoded, ignoring.`, error);
        props.delete(name);
      }
    }
    return Object.fromEntries(props);
  }

  /**
   * Passwords that were encrypted with the old secret, encrypted anew; undefined where there is nothing to do.
   * A password that neither secret decodes is left as it is.
   */
  reEncodedPasswords(persistentProps: Props): Record<string, string> | undefined {
    const { oldPasswordEncoder: old } = this.options;
    if (old === undefined) return undefined;
    const changed: Record<string, string> = {};
    for (const [name, value] of Object.entries(persistentProps)) {
      if (!isPasswordConfig(name)) continue;
      try {
        changed[name] = this.encoder.encode(old.decode(value));
      } catch (error) {
        if (!(error instanceof ConfigException)) throw error;
        this.options.logger.debug(`Dynamic password config ${name} is not encoded with the old secret`);
      }
    }
    return Object.keys(changed).length === 0 ? undefined : { ...persistentProps, ...changed };
  }

  private get encoder(): PasswordEncoder {
    const { passwordEncoder } = this.options;
    if (passwordEncoder === undefined) throw new ConfigException('Password encoder secret not configured');
    return passwordEncoder;
  }

  private applying(failure: string, persistentProps: Props, change: () => void): void {
    try {
      change();
      this.updateCurrentConfig();
    } catch (error) {
      if (!(error instanceof ConfigException)) throw error;
      this.options.logger.error(`${failure}: ${setText(Object.keys(persistentProps))}`, error);
    }
  }

  private updateCurrentConfig(): void {
    const props = new Map(Object.entries(this.staticBrokerConfigs));
    overrideProps(props, this.defaultConfigs);
    overrideProps(props, this.brokerConfigs);
    const { next, concerned } = this.validatedReconfiguration(Object.fromEntries(props));
    const previous = this.current;
    this.current = next;
    this.options.config.updateCurrentConfig(next);
    for (const reconfigurable of concerned) reconfigurable.reconfigure(previous, next);
  }

  private validatedReconfiguration(props: Props): { next: KafkaConfig; concerned: readonly BrokerReconfigurable[] } {
    const next = new KafkaConfig(props);
    const changed = changedNames(this.current.originals, props);
    const concerned = this.reconfigurables.filter(({ reconfigurableConfigs }) =>
      changed.some((name) => reconfigurableConfigs.has(name)),
    );
    try {
      for (const reconfigurable of concerned) reconfigurable.validateReconfiguration(next, changed);
    } catch (error) {
      if (!(error instanceof ConfigException)) throw error;
      // The original takes its own exception for the value of a setting called "Invalid dynamic configuration".
      throw new ConfigException(
        `Invalid value org.apache.kafka.common.config.ConfigException: ${error.message} for configuration Invalid dynamic configuration`,
        { cause: error },
      );
    }
    return { next, concerned };
  }
}

/** Names of a set as the original prints it. */
function setText(names: readonly string[]): string {
  return `Set(${hashMapOrder(names).join(', ')})`;
}

/** What is set replaces its synonyms too: `log.retention.ms` counts even where the file has `log.retention.hours`. */
function overrideProps(props: Map<string, string>, overrides: Props): void {
  for (const [name, value] of Object.entries(overrides)) {
    for (const synonym of brokerConfigSynonyms(name, false)) props.delete(synonym);
    props.set(name, value);
  }
}

function changedNames(before: Props, after: Props): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
}
