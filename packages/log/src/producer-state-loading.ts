import { batchesOf } from '@klassic/protocol';
import type { LogSegments } from './log-segments.ts';
import type { CompletedTxn, ProducerAppendInfo } from './producer-append-info.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

const FIRST_MAGIC_WITH_PRODUCERS = 2;

export interface ProducerStateRebuild {
  readonly segments: LogSegments;
  readonly producerStateManager: ProducerStateManager;
  readonly logStartOffset: number;
  /** The state shall cover offsets below this one. */
  readonly lastOffset: number;
  /** Whether the log was closed in order, so that a missing snapshot means there never were producers. */
  readonly reloadFromCleanShutdown: boolean;
  /** Magic that `message.format.version` writes. */
  readonly recordMagic: number;
  readonly nowMs: number;
}

/**
 * Brings the producers' state to `lastOffset`: from the latest snapshot, then from the log after it. Takes snapshots
 * on the way, so that the next time is shorter. Counterpart of `Log.rebuildProducerState`.
 */
export function rebuildProducerState(rebuild: ProducerStateRebuild): void {
  const { producerStateManager: manager, segments, lastOffset } = rebuild;
  const snapshotOffsets = boundariesWorthASnapshot(segments, lastOffset);
  const neverHadProducers = manager.latestSnapshotOffset === null && rebuild.reloadFromCleanShutdown;
  if (rebuild.recordMagic < FIRST_MAGIC_WITH_PRODUCERS || neverHadProducers) {
    for (const offset of snapshotOffsets) {
      manager.updateMapEndOffset(offset);
      manager.takeSnapshot();
    }
    return;
  }
  const wasEmpty = manager.isEmpty && manager.mapEndOffset >= lastOffset;
  manager.truncateAndReload(rebuild.logStartOffset, lastOffset, rebuild.nowMs);
  // Where there were no producers before a truncation there are none after it: nothing to read.
  if (lastOffset > manager.mapEndOffset && !wasEmpty) readLog(rebuild, snapshotOffsets);
  manager.updateMapEndOffset(lastOffset);
  manager.takeSnapshot();
}

function readLog(
  { segments, producerStateManager, logStartOffset, lastOffset }: ProducerStateRebuild,
  snapshotOffsets: readonly number[],
): void {
  const last = segments.floor(lastOffset);
  for (const segment of segments.range(producerStateManager.mapEndOffset, lastOffset)) {
    const startOffset = Math.max(segment.baseOffset, producerStateManager.mapEndOffset, logStartOffset);
    producerStateManager.updateMapEndOffset(startOffset);
    if (snapshotOffsets.includes(segment.baseOffset)) producerStateManager.takeSnapshot();
    const start = segment.translateOffset(startOffset);
    if (start === null) continue;
    const end = segment === last ? (segment.translateOffset(lastOffset)?.position ?? segment.size) : segment.size;
    for (const chunk of segment.log.chunks(start.position, end)) {
      loadProducers(producerStateManager, chunk.bytes);
    }
  }
}

function loadProducers(manager: ProducerStateManager, records: Buffer): void {
  const loaded = new Map<number, ProducerAppendInfo>();
  const completedTxns: CompletedTxn[] = [];
  for (const batch of batchesOf(records)) {
    if (!batch.hasProducerId) continue;
    let appendInfo = loaded.get(batch.producerId);
    if (appendInfo === undefined) {
      appendInfo = manager.prepareUpdate(batch.producerId, 'Replication');
      loaded.set(batch.producerId, appendInfo);
    }
    const completed = appendInfo.append(batch, null);
    if (completed !== null) completedTxns.push(completed);
  }
  for (const appendInfo of loaded.values()) manager.update(appendInfo);
  for (const completed of completedTxns) manager.completeTxn(completed);
}

/** The beginnings of the last two segments and the end of the log: where a truncation is most likely to land. */
function boundariesWorthASnapshot(segments: LogSegments, lastOffset: number): number[] {
  if (segments.length === 0) return [lastOffset];
  const active = segments.active.baseOffset;
  const previous = segments.lower(active)?.baseOffset;
  return previous === undefined ? [active, lastOffset] : [previous, active, lastOffset];
}
