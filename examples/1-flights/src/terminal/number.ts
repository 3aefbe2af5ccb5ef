/** 20000 as 20,000. */
export function number(value: number): string {
  return value.toLocaleString('en');
}
