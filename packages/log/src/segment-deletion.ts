import type { Cancel, Logger, Time } from '@klassic/common';
import type { DiskGuard } from './disk-guard.ts';
import { DELETED_SUFFIX } from './file-names.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import type { LogSegment } from './log-segment.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

export interface SegmentDeletionOptions {
  readonly time: Time;
  readonly logger: Logger;
  /** `file.delete.delay.ms` */
  readonly delayMs: () => number;
  readonly guard: DiskGuard;
}

/**
 * Takes segments away in two steps: first every file gets the suffix `.deleted`, so that a restart removes it; the
 * files go after `file.delete.delay.ms`, when nobody reads them any more.
 */
export class SegmentDeletion {
  private readonly options: SegmentDeletionOptions;
  private readonly pending = new Map<readonly LogSegment[], Cancel>();

  constructor(options: SegmentDeletionOptions) {
    this.options = options;
  }

  /** @param snapshotsOf whose snapshots at the segments' base offsets go too; null to keep them */
  delete(segments: readonly LogSegment[], later: boolean, snapshotsOf: ProducerStateManager | null): void {
    if (segments.length === 0) return;
    for (const segment of segments) segment.changeFileSuffixes('', DELETED_SUFFIX);
    if (!later) {
      this.remove(segments, snapshotsOf);
      return;
    }
    const cancel = this.options.time.schedule(this.options.delayMs(), () => {
      this.pending.delete(segments);
      this.removeLater(segments, snapshotsOf);
    });
    this.pending.set(segments, cancel);
  }

  updateParentDir(dir: string): void {
    for (const segments of this.pending.keys()) {
      for (const segment of segments) segment.updateParentDir(dir);
    }
  }

  /** Forgets deletions that are still to come, when the log is closed: the suffix brings them back at the next start. */
  cancel(): void {
    for (const [segments, cancel] of this.pending) {
      cancel();
      for (const segment of segments) segment.closeHandlers();
    }
    this.pending.clear();
  }

  private remove(segments: readonly LogSegment[], snapshotsOf: ProducerStateManager | null): void {
    this.options.logger.info(`Deleting segment files ${segments.join(',')}`);
    for (const segment of segments) {
      segment.deleteIfExists();
      snapshotsOf?.removeAndDeleteSnapshot(segment.baseOffset);
    }
  }

  /** Nobody waits for it: the guard has reported a failing disk, all that is left is to say so. */
  private removeLater(segments: readonly LogSegment[], snapshotsOf: ProducerStateManager | null): void {
    try {
      this.options.guard.run('deleting segments', () => {
        this.remove(segments, snapshotsOf);
      });
    } catch (error) {
      if (!(error instanceof KafkaStorageError)) throw error;
      this.options.logger.error(error.message, error);
    }
  }
}
