// Preloaded into a client: sets its clock to a few seconds before midnight.

/** Milliseconds from its start to midnight. */
const EVENING = 10_000;

const RealDate = Date;
const start = new RealDate();
const midnight = new RealDate(start.getFullYear(), start.getMonth(), start.getDate() + 1);
const shift = midnight.getTime() - EVENING - start.getTime();

globalThis.Date = class extends RealDate {
  constructor(...args: [] | [number]) {
    super(...args.length === 0 ? [RealDate.now() + shift] as const : args);
  }

  static override now(): number {
    return RealDate.now() + shift;
  }
} as DateConstructor;
