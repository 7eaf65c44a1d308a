import type { Client } from 'node-zookeeper-client';

import { openAcl } from '../acl.ts';
import type { MultiOp, MultiResult, ZooKeeperRequest, ZooKeeperResponse } from '../requests.ts';
import {
  codeOfError,
  createMode,
  fromLibraryAcl,
  fromLibraryStat,
  opCodes,
  resultCode,
  toLibraryAcl,
} from './library.ts';
import type { LibraryOp, LibraryOpResult } from './library.ts';

/** The path a request is about: of a multi, its first. */
export function pathOf(request: ZooKeeperRequest): string {
  return request.op === 'multi' ? (request.ops[0]?.path ?? '/') : request.path;
}

/** The library registers a watch when it is given a watcher; the events themselves reach us by another way. */
function keepWatch(): void {
  return;
}

/** Hands `request` to the library, which queues it at once. Resolves with what came back, whatever the result code. */
export function sendByLibrary(client: Client, request: ZooKeeperRequest, watch: boolean): Promise<ZooKeeperResponse> {
  return new Promise((resolve) => {
    const path = pathOf(request);
    const done = (error: unknown, read: () => Partial<ZooKeeperResponse> = () => ({})): void => {
      if (error === null || error === undefined) resolve({ code: 'OK', path, ...read() });
      else resolve({ code: codeOfError(error) ?? 'UNKNOWN', path });
    };
    switch (request.op) {
      case 'create': {
        const mode = createMode(request.ephemeral ?? false, request.sequential ?? false);
        const acls = toLibraryAcl(request.acl ?? openAcl);
        const created = (error: unknown, name: string): void => done(error, () => ({ path: name }));
        if (request.data === null) client.create(path, acls, mode, created);
        else client.create(path, request.data, acls, mode, created);
        break;
      }
      case 'setData':
        client.setData(path, request.data ?? Buffer.alloc(0), request.version, (error, stat) =>
          done(error, () => ({ stat: fromLibraryStat(stat) })),
        );
        break;
      case 'delete':
        client.remove(path, request.version, (error) => done(error));
        break;
      case 'exists': {
        const found = (error: unknown, stat: Parameters<typeof fromLibraryStat>[0] | null): void => {
          if (!error && stat === null) resolve({ code: 'NO_NODE', path });
          else done(error, () => ({ stat: fromLibraryStat(stat!) }));
        };
        if (watch) client.exists(path, keepWatch, found);
        else client.exists(path, found);
        break;
      }
      case 'getData': {
        const got = (error: unknown, data: Buffer | undefined, stat: Parameters<typeof fromLibraryStat>[0]): void =>
          done(error, () => ({ data: data ?? null, stat: fromLibraryStat(stat) }));
        if (watch) client.getData(path, keepWatch, got);
        else client.getData(path, got);
        break;
      }
      case 'getChildren': {
        const got = (error: unknown, children: string[], stat: Parameters<typeof fromLibraryStat>[0]): void =>
          done(error, () => ({ children, stat: fromLibraryStat(stat) }));
        if (watch) client.getChildren(path, keepWatch, got);
        else client.getChildren(path, got);
        break;
      }
      case 'getAcl':
        client.getACL(path, (error, acls, stat) =>
          done(error, () => ({ acl: fromLibraryAcl(acls), stat: fromLibraryStat(stat) })),
        );
        break;
      case 'setAcl':
        client.setACL(path, toLibraryAcl(request.acl), request.version, (error, stat) =>
          done(error, () => ({ stat: fromLibraryStat(stat) })),
        );
        break;
      case 'multi': {
        const transaction = client.transaction();
        // The library's builder turns version 0 into "any" (`version || -1`): its list of steps is filled directly.
        const { ops } = transaction as unknown as { ops: LibraryOp[] };
        ops.push(...request.ops.map(toLibraryOp));
        transaction.commit((error, results: LibraryOpResult[] | undefined) => {
          const code = error ? (codeOfError(error) ?? 'UNKNOWN') : 'OK';
          resolve(results === undefined ? { code, path } : { code, path, results: results.map(toMultiResult) });
        });
        break;
      }
    }
  });
}

function toLibraryOp(op: MultiOp): LibraryOp {
  switch (op.op) {
    case 'create':
      return {
        type: opCodes.create,
        path: op.path,
        data: op.data ?? undefined,
        acls: toLibraryAcl(op.acl ?? openAcl),
        mode: createMode(op.ephemeral ?? false, op.sequential ?? false),
      };
    case 'setData':
      return { type: opCodes.setData, path: op.path, data: op.data ?? undefined, version: op.version };
    case 'delete':
      return { type: opCodes.delete, path: op.path, version: op.version };
    case 'check':
      return { type: opCodes.check, path: op.path, version: op.version };
  }
}

function toMultiResult(result: LibraryOpResult): MultiResult {
  if (result.type === opCodes.error) return { code: resultCode(result.err) };
  return {
    code: 'OK',
    ...(result.path === undefined ? {} : { path: result.path }),
    ...(result.stat === undefined ? {} : { stat: fromLibraryStat(result.stat) }),
  };
}
