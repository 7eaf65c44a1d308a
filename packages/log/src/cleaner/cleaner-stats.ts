import type { Time } from '@klassic/common';

const MIB = 1024 * 1024;

/** What one cleaning of one log has read and written. Counterpart of `kafka.log.CleanerStats`. */
export class CleanerStats {
  bytesRead = 0;
  bytesWritten = 0;
  mapBytesRead = 0;
  mapMessagesRead = 0;
  messagesRead = 0;
  messagesWritten = 0;
  /** Records without a key: they cannot be compacted, and go. */
  invalidMessagesRead = 0;
  /** Part of the offset map that was filled, 0 to 1. */
  bufferUtilization = 0;
  private readonly time: Time;
  private readonly startMs: number;
  private mapCompleteMs: number;
  private endMs: number;

  constructor(time: Time) {
    this.time = time;
    this.startMs = time.milliseconds();
    this.mapCompleteMs = this.startMs;
    this.endMs = this.startMs;
  }

  indexDone(): void {
    this.mapCompleteMs = this.time.milliseconds();
  }

  allDone(): void {
    this.endMs = this.time.milliseconds();
  }

  /** Seconds from the beginning to the end. */
  get elapsedSecs(): number {
    return (this.endMs - this.startMs) / 1000;
  }

  /** The log cleaner's report. */
  report(cleanerId: number, logName: string, from: number, to: number): string {
    const secs = this.elapsedSecs;
    const indexSecs = (this.mapCompleteMs - this.startMs) / 1000;
    const cleanSecs = secs - indexSecs;
    const { bytesRead, bytesWritten, mapBytesRead, messagesRead, messagesWritten } = this;
    const lines = [
      `Log cleaner thread ${cleanerId} cleaned log ${logName} (dirty section = [${from}, ${to}])`,
      `${mib(bytesRead)} MB of log processed in ${decimal(secs)} seconds (${mib(bytesRead / secs)} MB/sec).`,
      `Indexed ${mib(mapBytesRead)} MB in ${decimal(indexSecs)} seconds (${mib(mapBytesRead / indexSecs)} Mb/sec, ` +
        `${decimal((100 * indexSecs) / secs)}% of total time)`,
      `Buffer utilization: ${decimal(100 * this.bufferUtilization)}%`,
      `Cleaned ${mib(bytesRead)} MB in ${decimal(cleanSecs)} seconds (${mib(bytesRead / cleanSecs)} Mb/sec, ` +
        `${decimal((100 * cleanSecs) / secs)}% of total time)`,
      `Start size: ${mib(bytesRead)} MB (${grouped(messagesRead)} messages)`,
      `End size: ${mib(bytesWritten)} MB (${grouped(messagesWritten)} messages)`,
      `${decimal(100 * (1 - bytesWritten / bytesRead))}% size reduction ` +
        `(${decimal(100 * (1 - messagesWritten / messagesRead))}% fewer messages)`,
    ];
    return `\n${lines.map((line) => `\t${line}\n`).join('')}`;
  }
}

/** One digit after the point; what is no number as Java writes it. */
function decimal(value: number): string {
  return Number.isFinite(value) ? value.toFixed(1) : String(value);
}

function mib(bytes: number): string {
  const value = bytes / MIB;
  if (!Number.isFinite(value)) return String(value);
  const [whole = '0', fraction = '0'] = value.toFixed(1).split('.');
  return `${grouped(Number(whole))}.${fraction}`;
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
