/* Files that were chosen together become uploads: what may be one image stays together. */
import type { Chosen } from "./chosen";
import { Bundle, type Parcel, Single } from "./parcel";

/**
 * So many files go up one by one where each is an image by itself: each has its verdict and its page early, goes on by
 * itself after a break, and is not read twice. More would be as many uploads to look after and as many pages to read,
 * which one ZIP with one page spares.
 */
const few = 20;

/** By name: formats of which one file is the whole image. DICOM is none of them, nor is what has a header of its own. */
const wholeImage = /\.(jpe?g|png|tiff?|svs|ndpi|scn|bif|nii(\.gz)?|nrrd|mha|fda|fds)$/i;
const archive = /\.zip$/i;
/** What file managers leave behind; the same as the server passes over in a ZIP. */
const junk = /^(\._.*|\.ds_store|thumbs\.db|ehthumbs(_vista)?\.db|desktop\.ini|icon\r)$/i;

export interface Arranged {
  parcels: Parcel[];
  /** Files of file managers and hidden ones. */
  junk: number;
  /** Files without a byte, which would be uploads of their own. */
  empty: number;
}

function isJunk(path: string): boolean {
  const [, ...below] = path.split("/");
  const name = path.slice(path.lastIndexOf("/") + 1);
  // What was chosen itself may be hidden: then it was meant, and the server says what comes of it.
  return junk.test(name) || path.split("/").includes("__MACOSX") || below.some((part) => part.startsWith("."));
}

/** With `together`, folders and names say which images belong together: then nothing of one choice goes up alone. */
export function arrange(chosen: readonly Chosen[], together = false): Arranged {
  const files = chosen.filter(({ path }) => !isJunk(path));
  const archives = files.filter(({ path }) => archive.test(path));
  const others = files.filter(({ path }) => !archive.test(path));
  const alone = others.length <= 1;
  const oneByOne = together
    ? alone && !others.some(({ path }) => path.includes("/"))
    : alone || (others.length <= few && others.every(({ path }) => wholeImage.test(path)));
  const singles = [...archives, ...(oneByOne ? others : [])];
  const parcels: Parcel[] = singles.filter(({ file }) => file.size > 0).map(({ file }) => new Single(file));
  // Empty files go along in a bundle, where each has its verdict.
  if (!oneByOne) parcels.push(new Bundle(others));
  return { parcels, junk: chosen.length - files.length, empty: singles.filter(({ file }) => file.size === 0).length };
}
