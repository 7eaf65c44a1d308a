import type { ZNodeReader } from '../cluster/cluster-status.ts';

/** What is remembered of a znode. */
export interface SeenZNode {
  /** How often its data has been set since its creation. */
  readonly version: number;
  readonly data: string;
}

/** The znode tree at one moment: path → znode. */
export type ZNodeSnapshot = Readonly<Record<string, SeenZNode>>;

/** ZooKeeper's own part of the tree, which tells nothing of Kafka. */
const ownTree = '/zookeeper';

/** Reads all znodes below `root`. A znode that goes while it is read is left out. */
export async function readSnapshot(reader: ZNodeReader, root = '/'): Promise<ZNodeSnapshot> {
  const seen: Record<string, SeenZNode> = {};
  const visit = async (path: string): Promise<void> => {
    if (path === ownTree) return;
    const [znode, children] = await Promise.all([reader.znode(path), reader.children(path)]);
    if (znode === undefined) return;
    if (path !== '/') seen[path] = { version: znode.version, data: znode.data };
    await Promise.all(children.map((name) => visit(path === '/' ? `/${name}` : `${path}/${name}`)));
  };
  await visit(root);
  return Object.fromEntries(Object.entries(seen).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * What changed between two moments, as lines: `+` came, `-` went, `~` was written, and below it, for JSON data, which
 * fields changed and how.
 */
export function diffSnapshots(before: ZNodeSnapshot, after: ZNodeSnapshot): string[] {
  const lines: string[] = [];
  for (const path of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const old = before[path];
    const now = after[path];
    if (old === undefined) lines.push(`+ ${path}  ${now!.data}`.trimEnd());
    else if (now === undefined) lines.push(`- ${path}  ${old.data}`.trimEnd());
    else if (old.version !== now.version || old.data !== now.data) {
      lines.push(`~ ${path}  version ${old.version} → ${now.version}`, ...changedFields(old.data, now.data));
    }
  }
  return lines;
}

function changedFields(before: string, after: string): string[] {
  const old = fieldsOf(before);
  const now = fieldsOf(after);
  if (old === undefined || now === undefined) return before === after ? [] : [`    ${before} → ${after}`];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .map((name) => [name, JSON.stringify(old[name]), JSON.stringify(now[name])] as const)
    .filter(([, was, is]) => was !== is)
    .map(([name, was, is]) => `    ${name}: ${was} → ${is}`);
}

function fieldsOf(data: string): Record<string, unknown> | undefined {
  if (!data.startsWith('{')) return undefined;
  try {
    return JSON.parse(data) as Record<string, unknown>;
  } catch {
    // Whoever wrote it meant no JSON: it is shown as it is.
    return undefined;
  }
}
