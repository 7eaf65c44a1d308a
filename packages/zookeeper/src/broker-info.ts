export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** Where one listener of a broker can be reached. Counterpart of `kafka.cluster.EndPoint`. */
export interface EndPoint {
  /** Empty: whatever address the broker is reached by. */
  readonly host: string;
  readonly port: number;
  /** Upper case. */
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
}

/** Versions of a feature that a broker supports (KIP-584). */
export interface SupportedVersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** A broker as the cluster knows it. Counterpart of `kafka.cluster.Broker`. */
export interface Broker {
  readonly id: number;
  readonly endPoints: readonly EndPoint[];
  readonly rack: string | null;
  /** Empty before inter.broker.protocol.version 2.7. */
  readonly features?: Readonly<Record<string, SupportedVersionRange>>;
}

/** What a broker registers at `/brokers/ids/<id>`. Counterpart of `kafka.zk.BrokerInfo`. */
export interface BrokerInfo extends Broker {
  /** JSON version: 5 from inter.broker.protocol.version 2.7, 4 from 0.10.0, 2 before; 1 and 3 are read only. */
  readonly version: number;
  /** -1: none. */
  readonly jmxPort: number;
}

/** A registered broker and its epoch: the czxid of its registration. */
export interface BrokerAndEpoch {
  readonly broker: BrokerInfo;
  readonly epoch: number;
}
