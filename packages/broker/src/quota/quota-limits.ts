/** The user or client id that stands for all that have no quota of their own: `<default>` in znodes. */
export const DEFAULT_ENTITY = '<default>';

/** Whom a quota is set for; at least one of the two is there. */
export interface QuotaEntity {
  /** Name of a user, or `DEFAULT_ENTITY`. */
  readonly user?: string;
  /** A client id, or `DEFAULT_ENTITY`. */
  readonly clientId?: string;
}

/** The quota that counts for a user and client id, and who shares it. */
export interface QuotaMatch {
  readonly limit: number;
  /** All with the same `user` and `clientId` here are counted together; '' where all of them are. */
  readonly user: string;
  readonly clientId: string;
}

/** A space that stands in neither sanitized names nor client ids as they are stored. */
const SEPARATOR = '\u0000';

/**
 * The quotas of one kind as `/config` sets them, and which of them counts for whom. The most specific one does, the user's
 * before the client id's. Counterpart of the default `ClientQuotaCallback` in `kafka.server.ClientQuotaManager`.
 */
export class QuotaLimits {
  private readonly limits = new Map<string, number>();

  get isEmpty(): boolean {
    return this.limits.size === 0;
  }

  /** @param limit undefined takes the quota away */
  update(entity: QuotaEntity, limit: number | undefined): void {
    const key = keyOf(entity.user, entity.clientId);
    if (limit === undefined) this.limits.delete(key);
    else this.limits.set(key, limit);
  }

  /** @returns undefined where no quota counts */
  match(user: string, clientId: string): QuotaMatch | undefined {
    if (this.isEmpty) return undefined;
    return (
      // /config/users/<user>/clients/<client-id>
      this.find(user, clientId, user, clientId) ??
      // /config/users/<user>/clients/<default>
      this.find(user, DEFAULT_ENTITY, user, clientId) ??
      // /config/users/<user>
      this.find(user, undefined, user, '') ??
      // /config/users/<default>/clients/<client-id>
      this.find(DEFAULT_ENTITY, clientId, user, clientId) ??
      // /config/users/<default>/clients/<default>
      this.find(DEFAULT_ENTITY, DEFAULT_ENTITY, user, clientId) ??
      // /config/users/<default>
      this.find(DEFAULT_ENTITY, undefined, user, '') ??
      // /config/clients/<client-id>
      this.find(undefined, clientId, '', clientId) ??
      // /config/clients/<default>
      this.find(undefined, DEFAULT_ENTITY, '', clientId)
    );
  }

  private find(
    entityUser: string | undefined,
    entityClientId: string | undefined,
    user: string,
    clientId: string,
  ): QuotaMatch | undefined {
    const limit = this.limits.get(keyOf(entityUser, entityClientId));
    return limit === undefined ? undefined : { limit, user, clientId };
  }
}

function keyOf(user: string | undefined, clientId: string | undefined): string {
  return `${user === undefined ? '' : `u${user}`}${SEPARATOR}${clientId === undefined ? '' : `c${clientId}`}`;
}
