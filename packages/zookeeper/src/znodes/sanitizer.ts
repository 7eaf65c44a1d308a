/**
 * The name of a user, client or entity as it stands in paths and JSON: URL-encoded, so that no `/` and no `<default>`
 * can be mistaken. Counterpart of `org.apache.kafka.common.utils.Sanitizer`.
 */
export function sanitize(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The name that `sanitize` made `text` of. @throws URIError when it is none */
export function desanitize(text: string): string {
  return decodeURIComponent(text);
}
