/** What `meta.properties` of a log dir says (version 0). */
export interface MetaProperties {
  readonly brokerId: number | null;
  readonly clusterId: string | null;
}

/** Reads `<logDir>/meta.properties`; null when there is none. @throws KafkaStorageError, InconsistentMetaPropertiesError on nonsense */
export function readMetaProperties(_logDir: string): MetaProperties | null {
  throw new Error('being built');
}

/** Writes `<logDir>/meta.properties` as Java's Properties would, with a date line. @throws KafkaStorageError */
export function writeMetaProperties(_logDir: string, _properties: MetaProperties, _nowMs: number): void {
  throw new Error('being built');
}
