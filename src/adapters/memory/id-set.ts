/**
 * Ids seen so far. Those of this library ascend, so most are known to be new by one comparison with the highest, and are
 * found again by bisection; a hash table of all of them would be the dearest part of an append. Others go into a set.
 */
export class IdSet {
  readonly #ascending: string[] = [];
  readonly #others = new Set<string>();
  #highest = '';

  /** False if it was there. */
  add(id: string): boolean {
    if (id > this.#highest) {
      this.#ascending.push(id);
      this.#highest = id;
      return true;
    }
    if (this.#others.has(id) || this.#find(id)) return false;
    this.#others.add(id);
    return true;
  }

  /** Cheap for the latest ones only, last first. */
  delete(id: string): void {
    if (this.#others.delete(id) || id !== this.#highest) return;
    this.#ascending.pop();
    this.#highest = this.#ascending.at(-1) ?? '';
  }

  #find(id: string): boolean {
    let low = 0;
    let high = this.#ascending.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ascending[middle] as string) < id) low = middle + 1;
      else high = middle;
    }
    return this.#ascending[low] === id;
  }
}
