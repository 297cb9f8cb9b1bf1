import {
  u32,
  u8
} from "./chunk-XDT4WNIQ.js";
import {
  ConfigError
} from "./chunk-KUUGODKJ.js";

// hub/accounts/public-key.ts
import { createHash } from "node:crypto";
var MIN_RSA_BITS = 2048;
var MAX_RSA_BITS = 16384;
var MAX_COMMENT = 256;
var BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
var ECDSA = /* @__PURE__ */ new Map([
  ["ecdsa-sha2-nistp256", ["nistp256", 65]],
  ["ecdsa-sha2-nistp384", ["nistp384", 97]],
  ["ecdsa-sha2-nistp521", ["nistp521", 133]]
]);
function parsePublicKeyFile(text, file) {
  if (text.includes("PRIVATE KEY"))
    throw new ConfigError(`${file}: a private key; give the public one (${file}.pub)`);
  let found;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const where = `${file}:${index + 1}`;
    if (found) throw new ConfigError(`${where}: a second key; one a file`);
    found = parsePublicKey(line, where);
  }
  if (!found) throw new ConfigError(`${file}: no key in it`);
  return found;
}
function parsePublicKey(line, where) {
  const [type = "", encoded = "", ...comment] = line.trim().split(/\s+/);
  if (!isKnownType(type)) throw new ConfigError(`${where}: ${refusalOf(type, encoded)}`);
  if (!BASE64.test(encoded)) throw new ConfigError(`${where}: no base64 behind ${type}`);
  const blob = new Uint8Array(Buffer.from(encoded, "base64"));
  const fault = faultOf(type, blob);
  if (fault !== void 0) throw new ConfigError(`${where}: ${fault}`);
  return { type, blob, comment: comment.join(" ").slice(0, MAX_COMMENT), fingerprint: fingerprintOf(blob) };
}
var fingerprintOf = (blob) => `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
var isKnownType = (type) => type === "ssh-ed25519" || type === "ssh-rsa" || ECDSA.has(type);
function refusalOf(type, next) {
  if (type === "ssh-dss") return "DSA keys are too weak; make one with ssh-keygen -t ed25519";
  if (type.startsWith("sk-")) return `${type}: keys of security tokens are not supported`;
  if (type.includes("-cert-v01@")) return "a certificate; give the plain public key";
  if (isKnownType(next) || /[=",]/.test(type))
    return "options before the key type are not supported; remove them";
  return `unknown key type "${type.slice(0, 40)}"; known are ssh-ed25519, ecdsa-sha2-nistp256/384/521 and ssh-rsa`;
}
function faultOf(type, blob) {
  const fields = stringsOf(blob);
  if (fields === void 0) return "the key is cut short or has octets too many";
  const [name, first, second, ...more] = fields;
  const inner = name === void 0 ? "" : Buffer.from(name).toString("latin1");
  if (inner !== type) return `the line says ${type}, the key in it ${JSON.stringify(inner.slice(0, 40))}`;
  if (first === void 0 || more.length > 0) return `no ${type} key`;
  if (type === "ssh-ed25519")
    return first.length === 32 && second === void 0 ? void 0 : "no ssh-ed25519 key";
  if (second === void 0) return `no ${type} key`;
  const ecdsa = ECDSA.get(type);
  if (ecdsa) {
    const [curve, point] = ecdsa;
    const fits = Buffer.from(first).toString("latin1") === curve && second.length === point && u8(second, 0) === 4;
    return fits ? void 0 : `no ${type} key`;
  }
  const bits = bitLength(second);
  if (bits < MIN_RSA_BITS) return `an RSA key of ${bits} bits; at least ${MIN_RSA_BITS} are needed`;
  return bits > MAX_RSA_BITS ? `an RSA key of ${bits} bits; at most ${MAX_RSA_BITS} are taken` : void 0;
}
function stringsOf(blob) {
  const strings = [];
  let at = 0;
  while (at < blob.length) {
    if (blob.length - at < 4) return void 0;
    const length = u32(blob, at);
    at += 4;
    if (blob.length - at < length) return void 0;
    strings.push(blob.subarray(at, at + length));
    at += length;
  }
  return strings;
}
function bitLength(mpint) {
  const first = mpint.findIndex((octet) => octet !== 0);
  return first < 0 ? 0 : (mpint.length - first) * 8 - (Math.clz32(u8(mpint, first)) - 24);
}

export {
  parsePublicKeyFile,
  parsePublicKey,
  fingerprintOf
};
