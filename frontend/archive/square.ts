/* A square within a picture: moved, made larger and smaller, and never outside it. All in whole pixels of the picture. */

export type Square = { x: number; y: number; size: number };

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

export class Bounds {
  constructor(
    readonly width: number,
    readonly height: number,
    readonly least: number,
  ) {}

  get most(): number {
    return Math.min(this.width, this.height);
  }

  /** The largest square, in the middle. */
  middle(): Square {
    const size = this.most;
    return { x: Math.floor((this.width - size) / 2), y: Math.floor((this.height - size) / 2), size };
  }

  /** The nearest square that lies within the picture. */
  fit(square: Square): Square {
    const size = Math.round(clamp(square.size, this.least, this.most));
    return {
      x: Math.round(clamp(square.x, 0, this.width - size)),
      y: Math.round(clamp(square.y, 0, this.height - size)),
      size,
    };
  }

  move(square: Square, right: number, down: number): Square {
    return this.fit({ ...square, x: square.x + right, y: square.y + down });
  }

  /** Larger or smaller about its centre, as far as there is room. */
  grow(square: Square, by: number): Square {
    const size = Math.round(clamp(square.size + by, this.least, this.most));
    const shift = (square.size - size) / 2;
    return this.fit({ x: square.x + shift, y: square.y + shift, size });
  }

  /** With its upper left corner where it is. */
  stretch(square: Square, size: number): Square {
    const room = Math.min(this.width - square.x, this.height - square.y);
    return this.fit({ ...square, size: Math.min(size, room) });
  }
}
