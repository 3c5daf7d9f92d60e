import { crc32, deflateSync, inflateSync } from 'node:zlib';

/**
 * The same picture in a quarter of the bytes: at most 256 colours in a palette. Colours of areas stay as they are; those of the
 * edges of letters, which are seen in passing, are rounded to sixteen steps a channel.
 * W3C, "Portable Network Graphics (PNG) Specification (Third Edition)".
 * @throws Error when it is not a PNG as Chromium writes it: 8 bits a channel, not interlaced
 */
export function smaller(png: Buffer): Buffer {
  const { width, height, pixels } = decode(png);
  const counts = new Map<number, number>();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const areas = new Set([...counts].filter(([, count]) => count > pixels.length * AREA).map(([colour]) => colour));
  const reduced = pixels.map((colour) => (areas.has(colour) ? colour : rounded(colour)));
  const palette = [...new Set(reduced)].sort((a, b) => a - b);
  if (palette.length > 256) throw new Error(`${palette.length} colours are too many for a palette`);
  const indexOf = new Map(palette.map((colour, index) => [colour, index]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) {
    // Each row begins with its filter, 0: none.
    for (let x = 0; x < width; x += 1) rows[y * (width + 1) + 1 + x] = indexOf.get(reduced[y * width + x] ?? 0) ?? 0;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, INDEXED, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const INDEXED = 3;
const CHANNELS = new Map([
  [2, 3],
  [6, 4],
]);
/** A colour with a larger share of the picture is an area. */
const AREA = 1 / 500;

/** To a multiple of 17 in each channel: 0, 17, …, 255. */
function rounded(colour: number): number {
  const step = (value: number) => Math.round((value & 255) / 17) * 17;
  return (step(colour >> 16) << 16) | (step(colour >> 8) << 8) | step(colour);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** The pixels as 0xRRGGBB, row by row. */
function decode(png: Buffer): { width: number; height: number; pixels: Uint32Array } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const channels = CHANNELS.get(png[25] ?? 0);
  if (png[24] !== 8 || png[28] !== 0 || channels === undefined) throw new Error('not a PNG as Chromium writes it');
  const data: Buffer[] = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const bytes = unfiltered(inflateSync(Buffer.concat(data)), width * channels, channels);
  const pixels = Uint32Array.from({ length: width * height }, (_, index) => {
    const at = index * channels;
    return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  });
  return { width, height, pixels };
}

/** Undoes the filter that each row says it has (the specification's section 9). */
function unfiltered(raw: Buffer, stride: number, channels: number): Uint8Array {
  const rows = raw.length / (stride + 1);
  const out = new Uint8Array(stride * rows);
  for (let y = 0; y < rows; y += 1) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x += 1) {
      const at = y * stride + x;
      const left = x < channels ? 0 : (out[at - channels] ?? 0);
      const above = y === 0 ? 0 : (out[at - stride] ?? 0);
      const aboveLeft = x < channels || y === 0 ? 0 : (out[at - stride - channels] ?? 0);
      out[at] = (raw[y * (stride + 1) + 1 + x] ?? 0) + predicted(filter, left, above, aboveLeft);
    }
  }
  return out;
}

function predicted(filter: number, left: number, above: number, aboveLeft: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const guess = left + above - aboveLeft;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - aboveLeft)];
      if (a <= b && a <= c) return left;
      return b <= c ? above : aboveLeft;
    }
    default:
      return 0;
  }
}
