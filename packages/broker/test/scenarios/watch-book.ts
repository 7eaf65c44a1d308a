/** `Watcher.Event.EventType` of ZooKeeper: what each event takes away, as a watch tells once. */
const taken: ReadonlyMap<number, readonly Kind[]> = new Map([
  [1, ['data']],
  [2, ['data', 'child']],
  [3, ['data']],
  [4, ['child']],
]);

type Kind = 'data' | 'child';

/** The watches of a session as the recordings' `watches-*.json` tell them: `data` by getData or exists, `child` by getChildren. */
export interface Watches {
  readonly data: readonly string[];
  readonly child: readonly string[];
}

/** The watches of one connection to ZooKeeper. They end with it; a session that goes on sets them anew on its next one. */
export class WatchBook {
  private readonly paths: Readonly<Record<Kind, Set<string>>> = { data: new Set(), child: new Set() };

  set(kind: Kind, path: string): void {
    this.paths[kind].add(path);
  }

  /** @param type the event's number in `Watcher.Event.EventType` */
  fire(type: number, path: string): void {
    for (const kind of taken.get(type) ?? []) this.paths[kind].delete(path);
  }

  get watches(): Watches {
    return { data: [...this.paths.data].sort(), child: [...this.paths.child].sort() };
  }
}
