import { nextInt } from '@klassic/common';
import type { Random } from '@klassic/common';

const uuidBytes = 16;

/** A member id as the reference makes it: the client's id, or a static member's instance id, and a random UUID. */
export function generateMemberId(random: Random, clientId: string, groupInstanceId: string | null): string {
  return `${groupInstanceId ?? clientId}-${randomUuid(random)}`;
}

/** A version 4 UUID (RFC 4122). */
function randomUuid(random: Random): string {
  const bytes = Buffer.alloc(uuidBytes);
  for (let index = 0; index < uuidBytes; index += 1) bytes[index] = nextInt(random, 256);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
