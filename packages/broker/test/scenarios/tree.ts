import { dataText } from '@klassic/test-support';
import type { Snapshot } from '@klassic/test-support';
import type { ZNodes } from '../integration/cluster.ts';

/**
 * Left out: blocks of producer ids, which depend on the clients used; and notifications of ISR changes, as how many changes
 * one znode tells is a matter of milliseconds. That every change is told is waited for.
 */
export function isLeftOut(ops: readonly { readonly path: string }[]): boolean {
  const path = ops.at(-1)?.path ?? '';
  return path === '/latest_producer_id_block' || path.startsWith('/isr_change_notification/');
}

/** The tree of a recording's snapshot: path → version, data and whether it is ephemeral. */
export function recordedTree(snapshot: Snapshot): Record<string, string> {
  return treeOf(
    Object.entries(snapshot).map(
      ([path, { data, version, ephemeral }]) => [path, znodeText(data, version, ephemeral !== undefined)] as const,
    ),
  );
}

/** ZooKeeper's tree as it is now, in the same form. @param inRecordedNames puts the recording's ports and ids into data */
export async function readTree(
  znodes: ZNodes,
  inRecordedNames: (text: string) => string,
): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  const visit = async (path: string): Promise<void> => {
    const znode = await znodes.read(path);
    if (znode === undefined || path === '/zookeeper') return;
    const data = parsed(inRecordedNames(znode.text));
    found.push([path, znodeText(data, znode.stat.version, znode.stat.ephemeralOwner !== '0x0')]);
    for (const child of await znodes.children(path)) await visit(path === '/' ? `/${child}` : `${path}/${child}`);
  };
  await visit('/');
  return treeOf(found);
}

/** Without what differs from run to run; which broker is controller after the first is a race. */
export function treeOf(entries: readonly (readonly [string, string])[]): Record<string, string> {
  const kept = entries.filter(([path]) => path !== '/' && path !== '/cluster/id' && !isLeftOut([{ path }]));
  const tree = Object.fromEntries(withoutOrderOfChanges(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
  const isFirstControllers = tree['/controller_epoch']?.endsWith(' 1') ?? true;
  if (!isFirstControllers && tree['/controller'] !== undefined) {
    tree['/controller'] = tree['/controller'].replace(/"brokerid":\d+/, '"brokerid":"<controller>"');
  }
  return tree;
}

/** A tool changes the settings of several brokers in any order: the notifications are taken as a set. */
function withoutOrderOfChanges(entries: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const isChange = ([path]: readonly [string, string]): boolean => path.startsWith('/config/changes/config_change_');
  const changes = entries.filter(isChange).map(([, text]) => text);
  return [
    ...entries.filter((entry) => !isChange(entry)),
    ...changes.sort().map((text, index) => [`/config/changes/config_change_${index}`, text] as const),
  ];
}

export function znodeText(data: unknown, version: number, isEphemeral: boolean): string {
  return `v${version} ${dataText(data)}${isEphemeral ? ' ephemeral' : ''}`;
}

export function parsed(text: string): unknown {
  return /^[{[]/.test(text) ? (JSON.parse(text) as unknown) : text;
}
