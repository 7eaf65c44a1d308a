/** Permission bits of ZooKeeper (`ZooDefs.Perms`). */
export const permissions = { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 } as const;

/** Who may do what to a znode. */
export interface Acl {
  /** A sum of `permissions`. */
  readonly perms: number;
  /** `world`, `auth`, `sasl`, `digest`, `ip` … */
  readonly scheme: string;
  readonly id: string;
}

/** Everybody may do everything (`ZooDefs.Ids.OPEN_ACL_UNSAFE`). */
export const openAcl: readonly Acl[] = [{ perms: permissions.ALL, scheme: 'world', id: 'anyone' }];
/** Everybody may read. */
export const readAcl: readonly Acl[] = [{ perms: permissions.READ, scheme: 'world', id: 'anyone' }];
/** The authenticated creator may do everything. */
export const creatorAllAcl: readonly Acl[] = [{ perms: permissions.ALL, scheme: 'auth', id: '' }];
