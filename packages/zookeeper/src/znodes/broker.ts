import type { BrokerInfo, EndPoint, SecurityProtocol, SupportedVersionRange } from '../broker-info.ts';
import { ZNodeFormatError } from '../errors.ts';
import { arrayOf, intOf, jsonBytes, objectOf, requireObject, stringOf } from './json.ts';
import type { JsonObject } from './json.ts';

export const BrokersZNode = { path: '/brokers' };

/** `/brokers/ids`: its children are the brokers alive. */
export const BrokerIdsZNode = { path: '/brokers/ids' };

/** `/brokers/seqid`: empty; its dataVersion generates broker ids. */
export const BrokerSequenceIdZNode = { path: '/brokers/seqid' };

/**
 * `/brokers/ids/<id>`: ephemeral, says where the broker can be reached. Written by the broker; its czxid is the broker
 * epoch. The host and port on top are for clients of old: the first PLAINTEXT end point's, or null and -1.
 */
export const BrokerIdZNode = {
  path: (id: number): string => `${BrokerIdsZNode.path}/${id}`,

  /** @param timestampMs wall clock of the registration */
  encode(broker: BrokerInfo, timestampMs: number): Buffer {
    const plaintext = broker.endPoints.find(({ securityProtocol }) => securityProtocol === 'PLAINTEXT');
    const { version } = broker;
    return jsonBytes({
      ...(version >= 5 ? { features: featuresToJson(broker.features ?? {}) } : {}),
      ...(version >= 4 ? { listener_security_protocol_map: protocolMapOf(broker.endPoints) } : {}),
      endpoints: broker.endPoints.map(connectionString),
      ...(version >= 3 && broker.rack !== null ? { rack: broker.rack } : {}),
      jmx_port: broker.jmxPort,
      port: plaintext?.port ?? -1,
      host: plaintext === undefined ? null : plaintext.host === '' ? null : plaintext.host,
      version,
      timestamp: String(timestampMs),
    });
  },

  /** @throws ZNodeFormatError */
  decode(id: number, bytes: Buffer | null): BrokerInfo {
    const path = this.path(id);
    const object = requireObject(path, bytes);
    const version = intOf(path, object, 'version');
    if (version < 1) throw new ZNodeFormatError(`${path}: unsupported version ${version} of broker registration`);
    return {
      id,
      version,
      jmxPort: intOf(path, object, 'jmx_port'),
      endPoints: version === 1 ? [firstVersionEndPoint(path, object)] : endPointsOf(path, object),
      rack: typeof object['rack'] === 'string' ? object['rack'] : null,
      features: featuresFromJson(path, objectOf(path, object, 'features')),
    };
  },
};

/** Kafka's text of an end point, `LISTENER://host:port`; an IPv6 address stands in brackets. */
export function connectionString({ listenerName, host, port }: EndPoint): string {
  return `${listenerName}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function protocolMapOf(endPoints: readonly EndPoint[]): Record<string, string> {
  return Object.fromEntries(endPoints.map(({ listenerName, securityProtocol }) => [listenerName, securityProtocol]));
}

function endPointsOf(path: string, object: JsonObject): EndPoint[] {
  const protocols = objectOf(path, object, 'listener_security_protocol_map');
  return arrayOf(path, object, 'endpoints').map((text) => {
    const parts = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/.exec(String(text));
    if (parts === null) throw new ZNodeFormatError(`${path}: unable to parse ${String(text)} to a broker endpoint`);
    const listenerName = parts[1]!.toUpperCase();
    // Before version 4 a listener is named by its protocol.
    const protocol = protocols === undefined ? listenerName : (protocols[parts[1]!] ?? protocols[listenerName]);
    if (!isSecurityProtocol(protocol)) {
      throw new ZNodeFormatError(`${path}: no security protocol defined for listener ${listenerName}`);
    }
    return { listenerName, host: parts[2]!, port: Number(parts[3]), securityProtocol: protocol };
  });
}

function firstVersionEndPoint(path: string, object: JsonObject): EndPoint {
  return {
    listenerName: 'PLAINTEXT',
    host: stringOf(path, object, 'host'),
    port: intOf(path, object, 'port'),
    securityProtocol: 'PLAINTEXT',
  };
}

function isSecurityProtocol(value: unknown): value is SecurityProtocol {
  return value === 'PLAINTEXT' || value === 'SSL' || value === 'SASL_PLAINTEXT' || value === 'SASL_SSL';
}

function featuresToJson(features: Readonly<Record<string, SupportedVersionRange>>): JsonObject {
  return Object.fromEntries(
    Object.entries(features).map(([name, { minVersion, maxVersion }]) => [
      name,
      { min_version: minVersion, max_version: maxVersion },
    ]),
  );
}

function featuresFromJson(path: string, features: JsonObject | undefined): Record<string, SupportedVersionRange> {
  return Object.fromEntries(
    Object.keys(features ?? {}).map((name) => {
      const range = objectOf(path, features!, name)!;
      return [name, { minVersion: intOf(path, range, 'min_version'), maxVersion: intOf(path, range, 'max_version') }];
    }),
  );
}
