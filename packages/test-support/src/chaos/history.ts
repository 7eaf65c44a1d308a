/** `producer:partition:number`, where the numbers of a producer in a partition count from 0. */
export function recordValue(producer: string, partition: number, count: number): string {
  return `${producer}:${partition}:${count}`;
}

/** What clients and observers saw in a run: material for the verdict. */
export class History {
  /** Records that were acknowledged, by value: the offset they were told (-1 when none was), and where. */
  readonly acknowledged = new Map<string, { partition: number; offset: number }>();
  /** Values whose fate their producer does not know. */
  readonly unsure = new Set<string>();
  /** What consumers read, by partition and offset. */
  readonly read = new Map<number, Map<number, string>>();
  /** What must not be, as it was seen. */
  readonly violations: string[] = [];
  /** What clients complained of, with how often. */
  readonly troubles = new Map<string, number>();
  /** Who became controller in which epoch, as the brokers' logs tell. */
  controllers: ReadonlyMap<number, ReadonlySet<number>> = new Map();
  /** Who led a partition in which leader epoch, by `partition/epoch`. */
  readonly leaders = new Map<string, Set<number>>();
  fetches = 0;

  noteRead(reader: string, partition: number, offset: number, value: string): void {
    let offsets = this.read.get(partition);
    if (offsets === undefined) this.read.set(partition, (offsets = new Map<number, string>()));
    const before = offsets.get(offset);
    if (before === undefined) offsets.set(offset, value);
    else if (before !== value) {
      this.violations.push(
        `${reader} read ${value} at offset ${offset} of partition ${partition}, where ${before} had been read`,
      );
    }
  }

  noteTrouble(who: string, error: string): void {
    const line = `${who}: ${error.split('\n')[0]!.replaceAll(/\d+/g, 'N')}`;
    this.troubles.set(line, (this.troubles.get(line) ?? 0) + 1);
  }

  noteLeader(partition: number, epoch: number, leader: number): void {
    const key = `${partition}/${epoch}`;
    this.leaders.set(key, (this.leaders.get(key) ?? new Set()).add(leader));
  }
}
