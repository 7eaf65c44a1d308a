import { ZNodeFormatError } from '../errors.ts';
import { hashMapText, jsonBytes, objectOf, parseObject, requireObject, stringOf } from './json.ts';

/** Kinds of entity that have configs (`kafka.server.ConfigType`), in the order in which their paths are made. */
export const configTypes = ['topics', 'clients', 'users', 'brokers', 'ips'] as const;
export type ConfigType = (typeof configTypes)[number];

export const ConfigZNode = { path: '/config' };

/** `/config/<type>`: its children are the entities that have configs of their own. */
export const ConfigEntityTypeZNode = { path: (entityType: string): string => `${ConfigZNode.path}/${entityType}` };

/**
 * `/config/<type>/<name>`: what was set for one entity. Names are sanitized (URL-encoded) by the caller; `<default>` is
 * everybody; a user's client is `users/<user>/clients/<client>`. Written by whoever changes configs.
 */
export const ConfigEntityZNode = {
  path: (entityType: string, sanitizedName: string): string =>
    `${ConfigEntityTypeZNode.path(entityType)}/${sanitizedName}`,

  encode: (config: Readonly<Record<string, string>>): Buffer =>
    Buffer.from(`{"version":1,"config":${hashMapText(config)}}`, 'utf8'),

  /** @returns {} where nothing is set. @throws ZNodeFormatError */
  decode(bytes: Buffer | null): Record<string, string> {
    const object = parseObject(ConfigZNode.path, bytes);
    const config = object === undefined ? undefined : objectOf(ConfigZNode.path, object, 'config');
    if (config === undefined) return {};
    return Object.fromEntries(Object.keys(config).map((key) => [key, stringOf(ConfigZNode.path, config, key)]));
  },
};

/** `/config/changes`: every broker watches its children. */
export const ConfigEntityChangeNotificationZNode = { path: '/config/changes' };

/** `/config/changes/config_change_<n>`: tells the brokers which entity's config to read again. */
export const ConfigEntityChangeNotificationSequenceZNode = {
  prefix: 'config_change_',
  createPath: `${ConfigEntityChangeNotificationZNode.path}/config_change_`,

  /** @param sanitizedEntityPath for example `topics/orders` or `users/alice/clients/app` */
  encode: (sanitizedEntityPath: string): Buffer => jsonBytes({ version: 2, entity_path: sanitizedEntityPath }),

  /**
   * Version 1 names type and entity, version 2 the whole path.
   *
   * @returns the sanitized entity path
   * @throws ZNodeFormatError
   */
  decode(bytes: Buffer | null): string {
    const path = this.createPath;
    const object = requireObject(path, bytes);
    switch (object['version']) {
      case 1:
        return `${stringOf(path, object, 'entity_type')}/${stringOf(path, object, 'entity_name')}`;
      case 2:
        return stringOf(path, object, 'entity_path');
      default:
        throw new ZNodeFormatError(`${path}: version ${JSON.stringify(object['version'])} is not supported`);
    }
  },
};
