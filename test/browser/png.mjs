// Makes a screenshot small: at most 256 colours, each pixel one byte. A page of text has few colours and many shades between
// them; shades that look alike become one.
import { deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

export function withPalette(png) {
  const { width, height, channels, data } = pixels(png);
  const counts = new Map();
  const rough = (at) => ((data[at] >> 2) << 12) | ((data[at + 1] >> 2) << 6) | (data[at + 2] >> 2);
  const exact = new Map(); // the commonest colour behind each rough one
  for (let at = 0; at < data.length; at += channels) {
    const key = rough(at);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (!exact.has(key)) exact.set(key, [data[at], data[at + 1], data[at + 2]]);
  }
  const kept = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([key]) => exact.get(key));
  const index = new Map([...exact].map(([key, colour]) => [key, nearest(kept, colour)]));
  const rows = Buffer.alloc((width + 1) * height); // a filter byte, 0, before each row
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) rows[y * (width + 1) + 1 + x] = index.get(rough(at));
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8); // eight bits, by palette
  return Buffer.concat([signature, chunk('IHDR', head), chunk('PLTE', Buffer.from(kept.flat())),
    chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

function nearest(palette, [r, g, b]) {
  let best = 0;
  let least = Infinity;
  palette.forEach(([pr, pg, pb], i) => {
    const far = (pr - r) ** 2 + (pg - g) ** 2 + (pb - b) ** 2;
    if (far < least) [best, least] = [i, far];
  });
  return best;
}

// pixels reads what Chromium writes: eight bits a channel, with or without transparency, not interlaced.
function pixels(png) {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const channels = { 2: 3, 6: 4 }[png[25]];
  if (png[24] !== 8 || !channels || png[28] !== 0) throw new Error('not the kind of PNG that a screenshot is');
  const parts = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return { width, height, channels, data: unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels) };
}

function unfilter(raw, stride, height, channels) {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= channels ? out[at - channels] : 0;
      const up = y > 0 ? out[at - stride] : 0;
      const corner = x >= channels && y > 0 ? out[at - stride - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[at] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(a, b, c) {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

// Newer versions of Node have one; Debian's need not.
function crc32(data) {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
