// hub/base/process-config.ts
import { createHash } from "node:crypto";
import { chownSync, readFileSync, renameSync, writeFileSync } from "node:fs";
var path = (name) => `run/${name}.json`;
function writeProcessConfig(name, config, owner) {
  const text = JSON.stringify(config);
  const temporary = `${path(name)}.new`;
  writeFileSync(temporary, text, { mode: 384 });
  if (owner) chownSync(temporary, owner.uid, owner.gid);
  renameSync(temporary, path(name));
  return fingerprintOf(text);
}
function readProcessConfig(name) {
  const text = readFileSync(path(name), "utf8");
  return { config: JSON.parse(text), fingerprint: fingerprintOf(text) };
}
function identityOf(fingerprint) {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? "", fingerprint };
}
function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return void 0;
  }
}
var fingerprintOf = (text) => createHash("sha256").update(text).digest("hex").slice(0, 16);

export {
  writeProcessConfig,
  readProcessConfig,
  identityOf,
  startTimeOf
};
