/* Bytes a second over the last few seconds: steady enough to read, quick enough to be true. */

const span = 6000;

export class Rate {
  private points: [time: number, bytes: number][] = [];

  add(bytes: number, now: number = performance.now()): void {
    this.points.push([now, bytes]);
    while (this.points.length > 2 && now - (this.points[0]?.[0] ?? now) > span) this.points.shift();
  }

  reset(): void {
    this.points = [];
  }

  perSecond(): number {
    const first = this.points[0];
    const last = this.points.at(-1);
    if (!first || !last || last[0] - first[0] < 400) return 0;
    return Math.max(0, ((last[1] - first[1]) * 1000) / (last[0] - first[0]));
  }
}
