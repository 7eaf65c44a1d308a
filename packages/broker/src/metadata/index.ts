export { MetadataCache } from './metadata-cache.ts';
export type { MetadataBroker, MetadataEndPoint, MetadataPartition, Node } from './metadata-snapshot.ts';
export { isInternalTopic } from './topic-metadata.ts';
export type { PartitionMetadata, TopicMetadata, TopicMetadataOptions } from './topic-metadata.ts';
