import type { EndPoint, SecurityProtocol } from '@klassic/zookeeper';
import { ConfigException } from './config-value.ts';

const served: ReadonlySet<string> = new Set(['PLAINTEXT']);

/**
 * Reads `listener.security.protocol.map`, for example `CLIENT:PLAINTEXT,BROKER:PLAINTEXT`.
 *
 * @throws ConfigException
 */
export function parseSecurityProtocolMap(text: string): Map<string, string> {
  const map = new Map<string, string>();
  for (const entry of text.split(',').map((item) => item.trim())) {
    const [listener, protocol] = entry.split(':').map((item) => item.trim().toUpperCase());
    if (listener === undefined || listener === '' || protocol === undefined || protocol === '') {
      throw new ConfigException(
        `Invalid value ${text} for configuration listener.security.protocol.map: expected LISTENER:PROTOCOL pairs, found '${entry}'`,
      );
    }
    map.set(listener, protocol);
  }
  return map;
}

/**
 * Reads `listeners` or `advertised.listeners`: `NAME://host:port`, separated by commas; an empty host means every interface.
 *
 * @param key the setting's name, for messages
 * @throws ConfigException for a malformed entry, a repeated name or port, or a security protocol that is not served
 */
export function parseListeners(key: string, text: string, protocols: ReadonlyMap<string, string>): EndPoint[] {
  const endPoints = text.split(',').map((entry) => parseListener(key, entry.trim(), text, protocols));
  const names = new Set(endPoints.map((endPoint) => endPoint.listenerName));
  if (names.size !== endPoints.length) {
    throw new ConfigException(`Each listener must have a different name, ${key}: ${text}`);
  }
  const ports = endPoints.map((endPoint) => endPoint.port).filter((port) => port !== 0);
  if (key === 'listeners' && new Set(ports).size !== ports.length) {
    throw new ConfigException(`Each listener must have a different port, ${key}: ${text}`);
  }
  return endPoints;
}

function parseListener(key: string, entry: string, all: string, protocols: ReadonlyMap<string, string>): EndPoint {
  const [, name, bracketed, plain, portText] =
    /^([A-Za-z][\w-]*):\/\/(?:\[([^\]]*)\]|([^:]*)):(-?\d+)$/.exec(entry) ?? [];
  const port = Number(portText);
  if (name === undefined || port < 0 || port > 65535) {
    throw new ConfigException(`Invalid value ${entry} for configuration ${key}: expected NAME://host:port`);
  }
  const listenerName = name.toUpperCase();
  const securityProtocol = protocols.get(listenerName);
  if (securityProtocol === undefined) {
    throw new ConfigException(
      `Error creating broker listeners from '${all}': No security protocol defined for listener ${listenerName}`,
    );
  }
  if (!served.has(securityProtocol)) {
    throw new ConfigException(
      `Invalid value ${entry} for configuration ${key}: security protocol ${securityProtocol} is not served; use PLAINTEXT`,
    );
  }
  return { host: bracketed ?? plain ?? '', port, listenerName, securityProtocol: securityProtocol as SecurityProtocol };
}
