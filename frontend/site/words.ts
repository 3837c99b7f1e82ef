/* Numbers and times in words, the same as the server writes them (templatetags/medtheca.py). */

const whole = new Intl.NumberFormat("en-GB");

export function number(value: number): string {
  return whole.format(value);
}

/** 12 B, 3.4 kB, 120 MB: powers of 1,000, as file managers and disks count. */
export function fileSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, "")} ${units[unit]}`;
}

export function plural(count: number, one: string, many: string): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** "40 seconds", "3 minutes", "2 hours 10 minutes": as exact as a guess deserves. */
export function duration(seconds: number): string {
  if (seconds < 60) return plural(Math.max(1, Math.round(seconds)), "second", "seconds");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return plural(minutes, "minute", "minutes");
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  const text = plural(hours, "hour", "hours");
  return rest && hours < 10 ? `${text} ${plural(rest, "minute", "minutes")}` : text;
}

/** "just now", "3 minutes ago", "in 2 days", then the date. */
export function relativeTime(then: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - then.getTime()) / 1000);
  const distance = Math.abs(seconds);
  if (distance < 45) return "just now";
  const [size, one, many] = (
    [
      [3600, "minute", "minutes"],
      [86_400, "hour", "hours"],
      [30 * 86_400, "day", "days"],
    ] as const
  ).find(([limit]) => distance < limit) ?? [0, "", ""];
  if (!size) return then.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  const unit = one === "minute" ? 60 : one === "hour" ? 3600 : 86_400;
  const text = plural(Math.max(1, Math.round(distance / unit)), one, many);
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}
