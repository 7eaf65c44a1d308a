import type { LogLevel } from '@klassic/common';

/** The name of the logger that stands for all that have no level of their own. */
export const rootLogger = 'root';

/** log4j's levels, the most urgent first, as winston wants them. */
export const levelRanks: Record<LogLevel, number> = {
  OFF: -1,
  FATAL: 0,
  ERROR: 1,
  WARN: 2,
  INFO: 3,
  DEBUG: 4,
  TRACE: 5,
};

/** Up to which level a logger writes, looked at with each line. */
export interface Threshold {
  readonly rank: number;
}

/**
 * The levels of the loggers, which AlterConfigs changes (KIP-412). A logger without a level of its own has that of the
 * nearest one above it. Counterpart of `kafka.utils.Log4jController`.
 */
export class Log4jController {
  private readonly levels: Map<string, LogLevel>;
  private readonly thresholds = new Map<string, { rank: number }>();

  /** @param levels levels by logger name, that of `root` among them */
  constructor(levels: ReadonlyMap<string, LogLevel>) {
    this.levels = new Map(levels);
  }

  /** Every logger there is, with its own level or, as the original tells it, the root's. */
  get loggers(): Map<string, string> {
    const root = this.levels.get(rootLogger)!;
    const names = new Set([...this.levels.keys(), ...this.thresholds.keys()]);
    return new Map([...names].map((name) => [name, this.levels.get(name) ?? root]));
  }

  loggerExists(name: string): boolean {
    return this.levels.has(name) || this.thresholds.has(name);
  }

  /** Sets a logger's level. */
  logLevel(name: string, level: LogLevel): void {
    this.levels.set(name, level);
    this.refresh();
  }

  /** Takes a logger's level away: that of the nearest one above it counts. */
  unsetLogLevel(name: string): void {
    this.thresholdOf(name);
    this.levels.delete(name);
    this.refresh();
  }

  /** The threshold of a logger, which follows changes; the logger exists from now on. */
  thresholdOf(name: string): Threshold {
    let threshold = this.thresholds.get(name);
    if (threshold === undefined) {
      threshold = { rank: this.rankOf(name) };
      this.thresholds.set(name, threshold);
    }
    return threshold;
  }

  private refresh(): void {
    for (const [name, threshold] of this.thresholds) threshold.rank = this.rankOf(name);
  }

  private rankOf(name: string): number {
    return levelRanks[this.levels.get(longestPrefix(name, this.levels) ?? rootLogger)!];
  }
}

/** The nearest logger above a name, or itself: names are parted by dots; a `$` ends the name of a companion object. */
export function longestPrefix(name: string, prefixes: { has(name: string): boolean }): string | undefined {
  for (
    let end = name.length;
    end > 0;
    end = Math.max(name.lastIndexOf('.', end - 1), name.lastIndexOf('$', end - 2) + 1)
  ) {
    const prefix = name.slice(0, end);
    if (prefixes.has(prefix)) return prefix;
  }
  return undefined;
}
