import { Errors, KafkaError } from '@klassic/protocol';

/** Codes of `ConfigResource.Type`. */
export const configResourceType = { topic: 2, broker: 4, brokerLogger: 8 } as const;

/** What a request about settings names. */
export interface ConfigResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

const typeNames = new Map<number, string>([
  [configResourceType.topic, 'TOPIC'],
  [configResourceType.broker, 'BROKER'],
  [configResourceType.brokerLogger, 'BROKER_LOGGER'],
]);

/** The name of a type; `UNKNOWN` for a code that has none. */
export function configResourceTypeName(type: number): string {
  return typeNames.get(type) ?? 'UNKNOWN';
}

/** A resource as the original's messages print it. */
export function configResourceText({ resourceType, resourceName }: ConfigResource): string {
  return `ConfigResource(type=${configResourceTypeName(resourceType)}, name='${resourceName}')`;
}

/** Reads a broker's id. @throws KafkaError INVALID_REQUEST when it is none */
export function brokerIdOf(resourceName: string): number {
  const id = /^[+-]?\d+$/.test(resourceName) ? Number(resourceName) : NaN;
  if (id === Math.trunc(id) && Math.abs(id) < 2 ** 31) return id;
  throw new KafkaError(Errors.INVALID_REQUEST, `Broker id must be an integer, but it is: ${resourceName}`);
}
