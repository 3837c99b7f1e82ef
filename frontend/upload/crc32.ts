/* CRC-32 as ZIP wants it (ISO-HDLC), eight bytes a turn: a table for each of them, made once. */

const tables = Array.from({ length: 8 }, () => new Int32Array(256)) as unknown as readonly [
  Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array,
];
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  tables[0][byte] = value;
}
for (let byte = 0; byte < 256; byte++) {
  for (let table = 1; table < 8; table++) {
    const before = tables[table - 1]![byte]!;
    tables[table]![byte] = (before >>> 8) ^ tables[0][before & 255]!;
  }
}

/** The checksum of what came before (`crc`, 0 at first) and `bytes`. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  const whole = bytes.length - (bytes.length % 8);
  let value = ~crc;
  let at = 0;
  for (; at < whole; at += 8) {
    value ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    value =
      t7[value & 255]! ^ t6[(value >>> 8) & 255]! ^ t5[(value >>> 16) & 255]! ^ t4[value >>> 24]! ^
      t3[bytes[at + 4]!]! ^ t2[bytes[at + 5]!]! ^ t1[bytes[at + 6]!]! ^ t0[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) value = t0[(value ^ bytes[at]!) & 255]! ^ (value >>> 8);
  return ~value >>> 0;
}

/**
 * The checksum of a file, read piece by piece; `told` hears of the bytes of each piece.
 *
 * In the page and no worker: a piece takes a millisecond, and between two of them the page is free.
 */
export async function crc32Of(file: Blob, told: (bytes: number) => void, signal: AbortSignal): Promise<number> {
  const reader = file.stream().getReader();
  let crc = 0;
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) return crc;
      crc = crc32(value, crc);
      told(value.length);
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
