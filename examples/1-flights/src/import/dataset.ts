/** A file of the npm package `vega-datasets`. */
export function dataset(name: string): URL {
  return new URL(`../data/${name}`, import.meta.resolve('vega-datasets'));
}
