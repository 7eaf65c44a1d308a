import { javaDoubleText } from '@klassic/common';
import type { ConfigType } from './config-definitions.ts';

/** A setting's value as the original prints it once read: numbers without leading zeros, lists without spaces (`ConfigDef.convertToString`). */
export function printedConfig(type: ConfigType, text: string): string {
  const trimmed = text.trim();
  switch (type) {
    case 'boolean':
      return trimmed.toLowerCase();
    case 'short':
    case 'int':
    case 'long':
      return BigInt(trimmed.replace(/^\+/, '')).toString();
    case 'double':
      return javaDoubleText(Number(trimmed));
    case 'list':
      return trimmed
        .split(',')
        .map((item) => item.trim())
        .join(',');
    case 'string':
    case 'class':
    case 'password':
      return trimmed;
  }
}
