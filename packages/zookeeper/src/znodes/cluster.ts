import { ZNodeFormatError } from '../errors.ts';
import { intOf, int64TextOf, jsonBytes, objectOf, requireObject, stringOf } from './json.ts';

export const ClusterZNode = { path: '/cluster' };

/** `/cluster/id`: made once by the first broker. */
export const ClusterIdZNode = {
  path: '/cluster/id',
  encode: (id: string): Buffer => jsonBytes({ version: '1', id }),
  /** @throws ZNodeFormatError */
  decode(bytes: Buffer | null): string {
    return stringOf(this.path, requireObject(this.path, bytes), 'id');
  },
};

/** A block of producer ids that one broker may hand out, both ends inclusive. */
export interface ProducerIdBlock {
  readonly brokerId: number;
  readonly blockStart: number;
  readonly blockEnd: number;
}

/** `/latest_producer_id_block`: the last block claimed. Every broker claims the next by a conditional write. */
export const ProducerIdBlockZNode = {
  path: '/latest_producer_id_block',
  encode: ({ brokerId, blockStart, blockEnd }: ProducerIdBlock): Buffer =>
    jsonBytes({ version: 1, broker: brokerId, block_start: String(blockStart), block_end: String(blockEnd) }),
  /** @throws ZNodeFormatError */
  decode(bytes: Buffer | null): ProducerIdBlock {
    const object = requireObject(this.path, bytes);
    return {
      brokerId: intOf(this.path, object, 'broker'),
      blockStart: int64TextOf(this.path, object, 'block_start'),
      blockEnd: int64TextOf(this.path, object, 'block_end'),
    };
  },
};

/** Finalized versions of a feature (KIP-584). */
export interface FinalizedVersionRange {
  readonly minVersionLevel: number;
  readonly maxVersionLevel: number;
}

/** What `/feature` holds. Counterpart of `kafka.zk.FeatureZNode`. */
export interface FeatureState {
  /** `enabled` from inter.broker.protocol.version 2.7 on. */
  readonly status: 'enabled' | 'disabled';
  readonly features: Readonly<Record<string, FinalizedVersionRange>>;
}

/** `/feature`: written by the controller. */
export const FeatureZNode = {
  path: '/feature',
  encode: ({ status, features }: FeatureState): Buffer =>
    jsonBytes({
      features: Object.fromEntries(
        Object.entries(features).map(([name, { minVersionLevel, maxVersionLevel }]) => [
          name,
          { min_version_level: minVersionLevel, max_version_level: maxVersionLevel },
        ]),
      ),
      version: 1,
      status: status === 'enabled' ? 1 : 0,
    }),
  /** @throws ZNodeFormatError */
  decode(bytes: Buffer | null): FeatureState {
    const { path } = this;
    const object = requireObject(path, bytes);
    const version = intOf(path, object, 'version');
    if (version < 1) throw new ZNodeFormatError(`${path}: unsupported version ${version} of feature information`);
    const features = objectOf(path, object, 'features');
    if (features === undefined) throw new ZNodeFormatError(`${path}: features map can not be absent`);
    const status = intOf(path, object, 'status');
    if (status !== 0 && status !== 1) throw new ZNodeFormatError(`${path}: malformed status ${status}`);
    return {
      status: status === 1 ? 'enabled' : 'disabled',
      features: Object.fromEntries(
        Object.keys(features).map((name) => {
          const range = objectOf(path, features, name) ?? {};
          return [
            name,
            {
              minVersionLevel: intOf(path, range, 'min_version_level'),
              maxVersionLevel: intOf(path, range, 'max_version_level'),
            },
          ];
        }),
      ),
    };
  },
};

/** `/consumers`: offsets and members of the consumers of old; brokers only make the path. */
export const ConsumerPathZNode = { path: '/consumers' };

/** `/consumers/<group>/offsets/<topic>/<partition>`: plain decimal text. */
export const ConsumerOffset = {
  path: (group: string, topic: string, partition: number): string =>
    `${ConsumerPathZNode.path}/${group}/offsets/${topic}/${partition}`,
  encode: (offset: number): Buffer => Buffer.from(String(offset), 'utf8'),
  decode: (bytes: Buffer | null): number | undefined => (bytes === null ? undefined : Number(bytes.toString('utf8'))),
};
