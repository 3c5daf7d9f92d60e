import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { smaller } from './png.ts';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Two pixels wide; each row begins with its filter. */
function aPng(rows: number[][], bits = 8): Buffer {
  const header = Buffer.from([0, 0, 0, 2, 0, 0, 0, rows.length, bits, 2, 0, 0, 0]);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.from(rows.flat())))]);
}

function partsOf(png: Buffer): Map<string, Buffer> {
  const parts = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    parts.set(png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return parts;
}

it('gives back the same pixels through a palette, whatever the filter of a row', () => {
  const png = aPng([
    [0, 255, 0, 0, 0, 0, 255],
    [1, 255, 0, 0, 1, 0, 255],
    [2, 0, 0, 0, 0, 0, 0],
    [3, 128, 0, 0, 129, 0, 128],
    [4, 0, 0, 0, 0, 0, 0],
  ]);
  const parts = partsOf(smaller(png));
  const palette = parts.get('PLTE') ?? Buffer.alloc(0);
  const rows = inflateSync(parts.get('IDAT') ?? Buffer.alloc(0));
  const colourAt = (x: number, y: number) => palette.subarray((rows[y * 3 + 1 + x] ?? 0) * 3).toString('hex', 0, 3);
  const colours = [0, 1, 2, 3, 4].map((y) => [colourAt(0, y), colourAt(1, y)]);
  expect(colours).toEqual([
    ['ff0000', '0000ff'],
    ['ff0000', '0000ff'],
    ['ff0000', '0000ff'],
    ['ff0000', '0000ff'],
    ['ff0000', '0000ff'],
  ]);
});

it('refuses a picture that is not one of a browser', () => {
  expect(() => smaller(aPng([[0, 255, 0, 0, 0, 0, 255]], 16))).toThrow('not a PNG as Chromium writes it');
});
