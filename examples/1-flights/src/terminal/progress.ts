import { number } from './number.js';

const WIDTH = 24;

/** Shows how far a job is: a bar on a terminal, now and then a line elsewhere. */
export class Progress {
  readonly #label: string;
  readonly #began = performance.now();
  readonly #bar = process.stdout.isTTY;
  #total = 0;
  #done = 0;
  #shown = 0;
  #shownAt = this.#began;

  constructor(label: string) {
    this.#label = label;
  }

  reached(done: number, total: number): void {
    this.#done = done;
    this.#total = total;
    const step = this.#bar ? 0 : this.#total / 20;
    const due = this.#done - this.#shown >= step && performance.now() - this.#shownAt > 100;
    if (due || this.#done === this.#total) this.#show();
  }

  #show(): void {
    this.#shown = this.#done;
    this.#shownAt = performance.now();
    const line = this.#describe();
    if (!this.#bar) console.log(line);
    else process.stdout.write(`\r${line}\x1b[K${this.#done === this.#total ? '\n' : ''}`);
  }

  #describe(): string {
    const share = this.#done / this.#total;
    const seconds = (performance.now() - this.#began) / 1000;
    const rate = this.#done / seconds;
    const filled = Math.round(share * WIDTH);
    const bar = this.#bar ? ` [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}]` : '';
    const left = Math.ceil((this.#total - this.#done) / rate);
    const time = this.#done === this.#total ? `${seconds.toFixed(1)} s` : `${left} s left`;
    return `${this.#label}${bar} ${Math.floor(share * 100)} %  ${number(this.#done)} of ${number(this.#total)}  ${number(Math.round(rate))}/s  ${time}`;
  }
}
