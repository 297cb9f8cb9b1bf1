import {
  startTimeOf,
  writeProcessConfig
} from "./chunk-45QHKAWJ.js";
import {
  AF_INET,
  CONTROL_SOCKET,
  EACCES,
  FABRIC_SOCKET,
  RpcClient,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  bind,
  close,
  getsockname,
  intOctets,
  listen,
  prepareDataDirectory,
  processUsers,
  setsockopt,
  socket,
  systemError
} from "./chunk-P3ZLNXUF.js";
import {
  followLog,
  openSupervisorLog,
  relayLine
} from "./chunk-GRKL7BDH.js";
import "./chunk-AZ2442GS.js";
import {
  putU16,
  putU16le,
  u16
} from "./chunk-XDT4WNIQ.js";
import {
  ConfigError,
  SystemError,
  reasonOf
} from "./chunk-KUUGODKJ.js";

// hub/supervisor/serve.ts
import { fileURLToPath } from "node:url";

// hub/gateway/listen.ts
import { isIPv6 } from "node:net";
var AF_INET6 = 10;
var SO_REUSEADDR = 2;
var SO_REUSEPORT = 15;
function probeAddress(address, port) {
  close(bindTcp(address, port, { shared: false, backlog: 0 }));
}
function bindTcp(address, port, options) {
  const v6 = isIPv6(address);
  const what = `cannot listen on ${v6 ? `[${address}]` : address}:${port}`;
  const fd = socket(
    v6 ? AF_INET6 : AF_INET,
    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
    0
  );
  if (fd < 0) throw systemError(what);
  const one = intOctets(1);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one, 4);
  if (options.shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, one, 4);
  const socketAddress = new Uint8Array(v6 ? 28 : 16);
  putU16le(socketAddress, 0, v6 ? AF_INET6 : AF_INET);
  putU16(socketAddress, 2, port);
  socketAddress.set(v6 ? ipv6Octets(address) : address.split(".").map(Number), v6 ? 8 : 4);
  if (bind(fd, socketAddress, socketAddress.length) < 0 || options.backlog > 0 && listen(fd, options.backlog) < 0) {
    const error = systemError(what, {
      [98]: "another program listens there; choose another address with --ssh",
      [99]: "no interface of this host has the address",
      [EACCES]: "ports below 1024 need root or CAP_NET_BIND_SERVICE"
    });
    close(fd);
    throw error;
  }
  return fd;
}
function ipv6Octets(text) {
  const octets = new Uint8Array(16);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const [, before = "", a, b, c, d] = dotted ?? [];
  const hex = (high, low) => (Number(high) << 8 | Number(low)).toString(16);
  const [front = "", back] = (dotted ? `${before}${hex(a, b)}:${hex(c, d)}` : text).split("::");
  const put = (groups2, at) => {
    for (const [i, group] of groups2.entries()) putU16(octets, at + i * 2, Number.parseInt(group, 16));
  };
  const groups = (part) => part === "" ? [] : part.split(":");
  put(groups(front), 0);
  if (back !== void 0) put(groups(back), 16 - groups(back).length * 2);
  return octets;
}

// hub/supervisor/child.ts
import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
var MAX_DELAY_MS = 1e4;
var FIRST_DELAY_MS = 200;
var STEADY_MS = 3e4;
var READY_TIMEOUT_MS = 15e3;
var READY_POLL_MS = 20;
var WATCH_ADOPTED_MS = 500;
var Child = class {
  name;
  #options;
  #pid = 0;
  #startTime = "";
  #process;
  #stopping = false;
  #startedAt = 0;
  #delayMs = FIRST_DELAY_MS;
  #timer;
  constructor(options) {
    this.name = options.name;
    this.#options = options;
  }
  /** Adopts the process if it runs as wanted, else ends what runs and starts it. Resolves when it is ready. */
  async start() {
    const { name, config, owner, log } = this.#options;
    const running = await this.status().catch(() => void 0);
    const fingerprint2 = writeProcessConfig(name, config, owner);
    if (running && startTimeOf(running.pid) === running.startTime) {
      this.#pid = running.pid;
      this.#startTime = running.startTime;
      if (running.fingerprint === fingerprint2) {
        log.info(`${name}: goes on, process ${running.pid}`);
        this.#watchAdopted();
        return { adopted: true };
      }
      log.info(`${name}: its configuration changed, it is started again`);
      await this.stop();
      this.#stopping = false;
    }
    this.#spawn();
    await this.#ready();
    return { adopted: false };
  }
  /** What the process says of itself. @throws when it is not there */
  async status() {
    const client = new RpcClient(this.#options.socket, { timeoutMs: 2e3 });
    try {
      return await client.call("status");
    } finally {
      client.close();
    }
  }
  /** Asks the process to end, and ends it when it does not. Resolves when it is gone. */
  async stop(patienceMs = 3e3) {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const deadline = performance.now() + patienceMs;
    this.#signal("SIGTERM");
    while (this.#alive()) {
      if (performance.now() > deadline) {
        this.#options.log.warn(`${this.name}: does not end, killed`);
        this.#signal("SIGKILL");
        while (this.#alive()) await pause(READY_POLL_MS);
        return;
      }
      await pause(READY_POLL_MS);
    }
  }
  #spawn() {
    const { name, program, logLevel, log } = this.#options;
    const output = openSync(`log/${name}.log`, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW, 384);
    try {
      this.#process = spawn(process.execPath, [...program], {
        detached: true,
        stdio: ["ignore", output, output],
        env: { ...process.env, HYBRIDGE_LOG: logLevel }
      });
    } finally {
      closeSync(output);
    }
    this.#startedAt = performance.now();
    this.#pid = this.#process.pid ?? 0;
    this.#startTime = startTimeOf(this.#pid) ?? "";
    this.#process.on("error", (error) => log.error(`${name}: cannot be started: ${reasonOf(error)}`));
    this.#process.on("exit", (code, signal) => this.#ended(signal ?? `exit code ${code}`));
  }
  #watchAdopted() {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => {
      if (this.#alive()) this.#watchAdopted();
      else this.#ended("it is gone");
    }, WATCH_ADOPTED_MS);
  }
  #ended(why) {
    this.#pid = 0;
    this.#process = void 0;
    if (this.#stopping) return;
    if (performance.now() - this.#startedAt > STEADY_MS) this.#delayMs = FIRST_DELAY_MS;
    this.#options.log.error(`${this.name}: ended (${why}), started again in ${this.#delayMs / 1e3} s`);
    this.#timer = setTimeout(() => this.#spawn(), this.#delayMs);
    this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS);
  }
  async #ready() {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline) {
      const status = await this.status().catch(() => void 0);
      if (status && status.pid === this.#pid) return;
      await pause(READY_POLL_MS);
    }
    throw new Error(`${this.name} is not ready after ${READY_TIMEOUT_MS / 1e3} s; see log/${this.name}.log`);
  }
  #alive() {
    if (this.#pid === 0) return false;
    if (this.#process) return this.#process.exitCode === null && this.#process.signalCode === null;
    return startTimeOf(this.#pid) === this.#startTime;
  }
  #signal(signal) {
    if (!this.#alive()) return;
    try {
      process.kill(this.#pid, signal);
    } catch {
    }
  }
};
var pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// hub/supervisor/free-port.ts
function freePort(address) {
  const fd = bindTcp(address, 0, { shared: true, backlog: 0 });
  const name = new Uint8Array(28);
  const length = intOctets(name.length);
  const failed = getsockname(fd, name, length) < 0;
  close(fd);
  if (failed) throw systemError(`cannot find a free port of ${address}`);
  return u16(name, 2);
}

// hub/supervisor/host-key.ts
import { createHash } from "node:crypto";
import { chownSync, existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import ssh2 from "ssh2";
function ensureHostKey(file, owner) {
  if (!existsSync(file)) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment: "hybridge" });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, pair.private, { mode: 384, flag: "wx" });
    if (owner) chownSync(temporary, owner.uid, owner.gid);
    try {
      linkSync(temporary, file);
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    } finally {
      rmSync(temporary);
    }
  }
  if ((statSync(file).mode & 63) !== 0)
    throw new ConfigError(`host key ${file} can be read by others (chmod 600 it, and replace it if it was seen)`);
  const key = ssh2.utils.parseKey(readFileSync(file));
  if (key instanceof Error) throw new ConfigError(`host key ${file}: ${key.message}`);
  return fingerprint(key.getPublicSSH());
}
function fingerprint(blob) {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

// hub/supervisor/lock.ts
import { closeSync as closeSync2, constants as constants2, openSync as openSync2 } from "node:fs";
import koffi from "koffi";
var LOCK_EX = 2;
var LOCK_NB = 4;
var flock = koffi.load("libc.so.6").func("int flock(int, int)");
function claimSupervision() {
  const fd = openSync2("run/supervisor.lock", constants2.O_RDWR | constants2.O_CREAT | constants2.O_NOFOLLOW, 384);
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return;
  closeSync2(fd);
  throw new SystemError(
    "EAGAIN",
    `cannot serve ${process.cwd()}: another \`hybridge serve\` runs with this data directory (stop it, or name another with --data)`
  );
}

// hub/supervisor/serve.ts
var HOST_KEY = "ssh_host_ed25519_key";
async function serve(config) {
  const users = processUsers();
  const fabricConfig = { bridges: config.bridges, attach: config.attach };
  prepareDataDirectory(config.data, users);
  process.chdir(config.data);
  process.umask(63);
  claimSupervision();
  const log = openSupervisorLog(config.log);
  const fingerprint2 = ensureHostKey(HOST_KEY, users?.service);
  log.info(`host key ${fingerprint2}`);
  const child = (name, program, socket2, settings) => new Child({ name, program, socket: socket2, config: settings, owner: users?.service, logLevel: config.log, log });
  const control = child("control", [programFile("control")], CONTROL_SOCKET, {});
  const fabric = child("fabric", [programFile("fabric")], FABRIC_SOCKET, fabricConfig);
  const names = ["control", "fabric", ...Array.from({ length: config.gateways }, (_, i) => `gateway-${i + 1}`)];
  const followers = names.map((name) => followLog(`log/${name}.log`, (line) => relayLine(log, name, line)));
  let children = [control, fabric];
  const stopAll = async () => {
    const [first, ...rest] = [children.slice(2), [fabric], [control]];
    for (const group of [first ?? [], ...rest]) await Promise.all(group.map((c) => c.stop()));
    for (const follower of followers) follower.close();
  };
  const signal = new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"]) process.on(name, () => resolve(name));
  });
  const start = async () => {
    const [, fabricStart] = await Promise.all([control.start(), fabric.start()]);
    if (!fabricStart.adopted) {
      const { problems = [] } = await fabric.status();
      if (problems.length > 0) throw new ConfigError(problems.join("; "));
    }
    const port = config.ssh.port === 0 ? freePort(config.ssh.address) : config.ssh.port;
    const settings = { address: config.ssh.address, port, hostKeyFile: HOST_KEY };
    const gateways = names.slice(2).map((name) => child(name, [programFile("gateway"), name], `run/${name}.sock`, settings));
    const adopted = await Promise.all(gateways.map((gateway) => gateway.status().catch(() => void 0)));
    if (adopted.every((status) => status === void 0)) probeAddress(config.ssh.address, port);
    children = [control, fabric, ...gateways];
    await Promise.all(gateways.map((gateway) => gateway.start()));
    const host = config.ssh.address.includes(":") ? `[${config.ssh.address}]` : config.ssh.address;
    return `${host}:${port}`;
  };
  try {
    const outcome = await Promise.race([start(), signal.then(() => void 0)]);
    if (outcome !== void 0) {
      process.stdout.write(`ready ssh=${outcome}
`);
      log.info(`stopping: ${await signal}`);
    }
    return 0;
  } finally {
    await stopAll();
  }
}
var programFile = (name) => fileURLToPath(new URL(`hybridge-${name}.js`, import.meta.url));
export {
  serve
};
