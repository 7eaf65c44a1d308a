import { invariant } from '@klassic/common';
import { PartitionMetadataFile } from './partition-metadata-file.ts';

/** The topic id that a partition keeps in `partition.metadata`, where the inter-broker protocol has topic ids (KIP-516). */
export class TopicId {
  private readonly isKept: boolean;
  private id: string | null;

  /** Reads the file, or deletes it where topic ids are not kept. */
  constructor(dir: string, isKept: boolean) {
    this.isKept = isKept;
    const file = new PartitionMetadataFile(dir);
    this.id = isKept ? file.read() : null;
    if (!isKept) file.delete();
  }

  /** Base64url; null without one. */
  get value(): string | null {
    return this.id;
  }

  /** Writes the id down, unless it is there. */
  assign(dir: string, topicId: string): void {
    invariant(
      this.id === null || this.id === topicId,
      () => `Tried to assign topic ID ${topicId}, but the log already has ${this.id}`,
    );
    if (!this.isKept || this.id === topicId) return;
    new PartitionMetadataFile(dir).write(topicId);
    this.id = topicId;
  }
}
