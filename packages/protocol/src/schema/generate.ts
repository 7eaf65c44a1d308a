/**
 * Makes a function from generated source. Both codecs are compiled this way, once per message and version, from the
 * schemas of this package alone: nothing that came over a wire becomes code. Straight-line code with literal property
 * names is what makes the decoded objects of one shape, and the codecs several times faster than an interpreter.
 *
 * @param scope what the source may refer to, by name
 * @param source statements that end in `return`
 */
export function generate(scope: Readonly<Record<string, unknown>>, source: string): unknown {
  const make = Reflect.construct(Function, [...Object.keys(scope), `'use strict';\n${source}`]) as (
    ...values: unknown[]
  ) => unknown;
  return make(...Object.values(scope));
}
