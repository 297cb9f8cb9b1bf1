import {
  ConfigError
} from "./chunk-KUUGODKJ.js";

// hub/accounts/password.ts
import { hash, parseOptions, verify } from "@node-rs/argon2";
var MAX_PASSWORD = 1024;
var MIN_PASSWORD = 8;
var PASSWORD_COST = { memoryCost: 19456, timeCost: 2, parallelism: 1 };
function checkPassword(password) {
  if (password.length < MIN_PASSWORD)
    throw new ConfigError(`the password has fewer than ${MIN_PASSWORD} characters`);
  if (Buffer.byteLength(password) > MAX_PASSWORD)
    throw new ConfigError(`the password has over ${MAX_PASSWORD} octets`);
}
var hashPassword = (password, cost = PASSWORD_COST) => hash(password, cost);
var verifyPassword = (hashed, password) => verify(hashed, password);
function needsRehash(hashed, cost = PASSWORD_COST) {
  if (!hashed.startsWith("$argon2id$")) return true;
  const made = parseOptions(hashed);
  return made.memoryCost !== cost.memoryCost || made.timeCost !== cost.timeCost || made.parallelism !== cost.parallelism;
}

export {
  MAX_PASSWORD,
  PASSWORD_COST,
  checkPassword,
  hashPassword,
  verifyPassword,
  needsRehash
};
