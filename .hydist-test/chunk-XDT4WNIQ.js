// net/wire/octets.ts
var u8 = (b, i) => b[i];
var u16 = (b, i) => b[i] << 8 | b[i + 1];
var u32 = (b, i) => (b[i] << 24 | b[i + 1] << 16 | b[i + 2] << 8 | b[i + 3]) >>> 0;
var u32le = (b, i) => (b[i] | b[i + 1] << 8 | b[i + 2] << 16 | b[i + 3] << 24) >>> 0;
var putU16 = (b, i, v) => {
  b[i] = v >>> 8;
  b[i + 1] = v;
};
var putU16le = (b, i, v) => {
  b[i] = v;
  b[i + 1] = v >>> 8;
};
var putU32le = (b, i, v) => {
  b[i] = v;
  b[i + 1] = v >>> 8;
  b[i + 2] = v >>> 16;
  b[i + 3] = v >>> 24;
};

export {
  u8,
  u16,
  u32,
  u32le,
  putU16,
  putU16le,
  putU32le
};
