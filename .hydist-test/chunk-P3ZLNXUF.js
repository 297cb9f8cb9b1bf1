import {
  errnoOf,
  isRecord,
  textOr
} from "./chunk-AZ2442GS.js";
import {
  putU32le,
  u32le
} from "./chunk-XDT4WNIQ.js";
import {
  ProtocolError,
  SystemError,
  reasonOf
} from "./chunk-KUUGODKJ.js";

// hub/base/privilege.ts
import koffi2 from "koffi";

// net/port/libc.ts
import koffi from "koffi";
import { getSystemErrorMap } from "node:util";
var libc = koffi.load("libc.so.6");
var AF_INET = 2;
var SOCK_STREAM = 1;
var SOCK_NONBLOCK = 2048;
var SOCK_CLOEXEC = 524288;
var SOL_SOCKET = 1;
var EACCES = 13;
var socket = libc.func("int socket(int, int, int)");
var bind = libc.func("int bind(int, void*, unsigned int)");
var listen = libc.func("int listen(int, int)");
var accept4 = libc.func("int accept4(int, void*, void*, int)");
var setsockopt = libc.func("int setsockopt(int, int, int, void*, unsigned int)");
var getsockopt = libc.func("int getsockopt(int, int, int, void*, void*)");
var getsockname = libc.func("int getsockname(int, void*, void*)");
var open = libc.func("int open(const char*, int)");
var close = libc.func("int close(int)");
var read = libc.func("long read(int, uintptr_t, size_t)");
var write = libc.func("long write(int, uintptr_t, size_t)");
var recv = libc.func("long recv(int, uintptr_t, size_t, int)");
var recvBuffer = libc.func("long recv(int, void*, size_t, int)");
var sendBuffer = libc.func("long send(int, void*, size_t, int)");
var sendFrom = libc.func("long send(int, uintptr_t, size_t, int)");
var sendmsg = libc.func("long sendmsg(int, uintptr_t, int)");
var recvmmsg = libc.func("int recvmmsg(int, uintptr_t, unsigned int, int, void*)");
var sendmmsg = libc.func("int sendmmsg(int, uintptr_t, unsigned int, int)");
var ioctl = libc.func("int ioctl(int, unsigned long, void*)");
var ioctlValue = libc.func("int ioctl(int, unsigned long, unsigned long)");
var ifNameToIndex = libc.func("unsigned int if_nametoindex(const char*)");
var errno = () => koffi.errno();
var errnoName = (code) => getSystemErrorMap().get(-code)?.[0] ?? `errno ${code}`;
var errnoText = (code) => getSystemErrorMap().get(-code)?.[1] ?? `errno ${code}`;
function systemError(what, remedy = {}) {
  const code = errno();
  const advice = remedy[code];
  return new SystemError(errnoName(code), `${what}: ${errnoText(code)}${advice ? ` (${advice})` : ""}`);
}
function intOctets(value) {
  return new Uint8Array(Int32Array.of(value).buffer);
}

// hub/base/privilege.ts
var PR_SET_DUMPABLE = 4;
var PR_SET_KEEPCAPS = 8;
var PR_SET_NO_NEW_PRIVS = 38;
var CAPABILITY_VERSION_3 = 537396514;
var libc2 = koffi2.load("libc.so.6");
var prctl = libc2.func("int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)");
var capget = libc2.func("int capget(void*, _Out_ void*)");
var capset = libc2.func("int capset(void*, void*)");
var Entry = koffi2.struct({ name: "char*", password: "char*", id: "uint32", group: "uint32" });
var getpwnam = libc2.func("void* getpwnam(const char*)");
var getgrnam = libc2.func("void* getgrnam(const char*)");
function entryOf(pointer) {
  if (pointer === null) return void 0;
  const entry = koffi2.decode(pointer, Entry);
  return entry;
}
function processUsers() {
  if (process.geteuid?.() !== 0) return void 0;
  const service = entryOf(getpwnam("hybridge")) ?? entryOf(getpwnam("daemon"));
  const gateway = entryOf(getpwnam("nobody"));
  if (!service || !gateway) {
    throw new SystemError(
      "ENOENT",
      "cannot run as root without users to drop to: need `nobody`, and `hybridge` or `daemon` (useradd --system hybridge)"
    );
  }
  return {
    service: { uid: service.id, gid: service.group },
    gateway: { uid: gateway.id, gid: entryOf(getgrnam("nogroup"))?.id ?? gateway.group }
  };
}
function forbidNewPrivileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) {
    throw systemError("cannot set no_new_privs");
  }
}
function dropTo(identity, keep) {
  if (identity && process.geteuid?.() === 0) {
    if (identity.uid === 0) throw new Error("dropping privileges to root");
    prctl(PR_SET_KEEPCAPS, keep.length > 0 ? 1 : 0, 0, 0, 0);
    process.setgroups?.([]);
    process.setgid?.(identity.gid);
    process.setuid?.(identity.uid);
    keepCapabilities(keep);
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    if (canBecomeRoot()) throw new Error("privileges were not dropped");
  }
  forbidNewPrivileges();
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
function keepCapabilities(keep) {
  const header = new Uint8Array(8);
  putU32le(header, 0, CAPABILITY_VERSION_3);
  const sets = new Uint8Array(24);
  if (capget(header, sets) !== 0) throw systemError("cannot read capabilities");
  const wanted = keep.reduce((bits, capability) => bits | 1 << capability, 0);
  const kept = u32le(sets, 4) & wanted;
  sets.fill(0);
  putU32le(sets, 0, kept);
  putU32le(sets, 4, kept);
  if (capset(header, sets) !== 0) throw systemError("cannot set capabilities");
}
function canBecomeRoot() {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

// hub/base/data-directory.ts
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync
} from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
var ACCOUNTS_FILE = "accounts.db";
var CONTROL_SOCKET = "run/control.sock";
var AUTH_SOCKET = "run/auth.sock";
var FABRIC_SOCKET = "run/fabric.sock";
var EARLY = ["run", "log", "ssh_host_ed25519_key", "lost+found"];
var ACCOUNTS_FILES = [ACCOUNTS_FILE, `${ACCOUNTS_FILE}-wal`, `${ACCOUNTS_FILE}-shm`];
function defaultDataDirectory(env = process.env, uid = process.geteuid?.(), home = homedir()) {
  if (env["HYBRIDGE_DATA"]) return resolve(env["HYBRIDGE_DATA"]);
  if (uid === 0) return "/var/lib/hybridge";
  const state = env["XDG_STATE_HOME"];
  return join(state?.startsWith("/") ? state : join(home, ".local/state"), "hybridge");
}
function prepareDataDirectory(path, users = processUsers()) {
  attempt("use", path, () => {
    mkdirSync(path, { recursive: true, mode: 456 });
    refuseForeign(path);
    for (const directory of ["run", "log"]) mkdirSync(join(path, directory), { recursive: true, mode: 448 });
    const shared = users && { uid: users.service.uid, gid: users.gateway.gid };
    settle(join(path, "log"), 448, users && { uid: 0, gid: 0 });
    settle(join(path, "run"), 456, shared);
    for (const file of ACCOUNTS_FILES) {
      if (existsSync(join(path, file))) settle(join(path, file), 384, users?.service);
    }
    settle(path, 456, shared);
  });
}
function openDataDirectory(path) {
  const entries = attempt("read", path, () => existsSync(path) ? readdirSync(path) : []);
  if (!entries.includes(ACCOUNTS_FILE)) prepareDataDirectory(path);
}
function requireDataDirectory(path) {
  const file = attempt("read", path, () => statSync(path, { throwIfNoEntry: false }));
  if (!file) {
    throw new SystemError(
      "ENOENT",
      `no data directory ${path} (make it with \`hybridge serve\` or \`hybridge user add\`, or name another with --data)`
    );
  }
}
function ownerOf(path) {
  if (process.geteuid?.() !== 0) return void 0;
  const { uid, gid } = statSync(path);
  return { uid, gid };
}
function refuseForeign(path) {
  const entries = readdirSync(path);
  if (!entries.includes(ACCOUNTS_FILE) && entries.some((entry) => !EARLY.includes(entry))) {
    throw new SystemError("ENOTEMPTY", "it holds other files (name an empty or a new directory with --data)");
  }
}
function settle(path, mode, owner) {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const file = fstatSync(fd);
    if (!file.isDirectory() && !(file.isFile() && file.nlink === 1)) {
      throw new SystemError("EPERM", `${path} is neither a directory nor a plain file with one name`);
    }
    if (owner && (file.uid !== owner.uid || file.gid !== owner.gid)) fchownSync(fd, owner.uid, owner.gid);
    if ((file.mode & 4095) !== mode) fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}
function attempt(verb, path, action) {
  try {
    return action();
  } catch (error) {
    const code = errnoOf(error);
    const why = code === "EACCES" || code === "EPERM" ? `${error instanceof SystemError ? reasonOf(error) : "permission denied"} (run as root or as the hub's user, or name another with --data)` : reasonOf(error);
    throw new SystemError(code, `cannot ${verb} data directory ${path}: ${why}`, { cause: error });
  }
}

// hub/base/rpc.ts
import { chmodSync, lstatSync, renameSync, rmSync, unlinkSync } from "node:fs";
import net from "node:net";
var MAX_REQUEST = 1024 * 1024;
var MAX_ANSWER = 16 * MAX_REQUEST;
var LINGER_MS = 2e3;
var LineBuffer = class {
  #limit;
  #octets = Buffer.alloc(0);
  /** Octets before this hold no newline. */
  #searched = 0;
  constructor(limit) {
    this.#limit = limit;
  }
  push(chunk) {
    this.#octets = this.#octets.length === 0 ? chunk : Buffer.concat([this.#octets, chunk]);
  }
  /** The next whole line without its newline. @throws ProtocolError `too-long` */
  next() {
    const end = this.#octets.indexOf(10, this.#searched);
    if ((end < 0 ? this.#octets.length : end) > this.#limit) {
      throw new ProtocolError("too-long", `a line is longer than ${this.#limit} octets`);
    }
    if (end < 0) {
      this.#searched = this.#octets.length;
      return void 0;
    }
    const line = this.#octets.toString("utf8", 0, end);
    this.#octets = this.#octets.subarray(end + 1);
    this.#searched = 0;
    return line;
  }
};
function parseObject(line) {
  let value;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ProtocolError("malformed", "a line is no JSON");
  }
  if (!isRecord(value)) throw new ProtocolError("malformed", "a line is no JSON object");
  return value;
}
function parseRequest(line) {
  const { id, op, ...params } = parseObject(line);
  if (typeof id !== "number" || !Number.isSafeInteger(id) || typeof op !== "string") {
    throw new ProtocolError("malformed", "a request needs an integer `id` and a text `op`");
  }
  return { id, op, params };
}
var failure = (id, code, message) => `${JSON.stringify({ id, ok: false, error: { code, message } })}
`;
function serveRpcConnection(socket2, handlers, options = {}) {
  const maxInFlight = options.maxInFlight ?? 16;
  const lines = new LineBuffer(MAX_REQUEST);
  const gone = new AbortController();
  const context = { signal: gone.signal };
  let inFlight = 0;
  let refused = false;
  const answerTo = async (id, op, params) => {
    const handler = Object.hasOwn(handlers, op) ? handlers[op] : void 0;
    if (!handler) return failure(id, "unknown-op", `no operation ${JSON.stringify(op.slice(0, 64))}`);
    try {
      const result = await handler(params, context) ?? null;
      const line = `${JSON.stringify({ id, ok: true, result })}
`;
      return line.length > MAX_ANSWER ? failure(id, "too-long", "the answer is too long") : line;
    } catch (error) {
      if (error instanceof ProtocolError) return failure(id, error.code, error.message);
      options.onFailure?.(op, error);
      return failure(id, "internal", "internal error, see the log");
    }
  };
  const refuse = (error) => {
    refused = true;
    const code = error instanceof ProtocolError ? error.code : "internal";
    socket2.end(failure(null, code, reasonOf(error)));
    socket2.resume();
    const timer = setTimeout(() => socket2.destroy(), LINGER_MS);
    socket2.on("close", () => clearTimeout(timer));
  };
  const isReady = () => !refused && !socket2.destroyed && inFlight < maxInFlight && !socket2.writableNeedDrain;
  const nextLine = () => isReady() ? lines.next() : void 0;
  const takeRequests = () => {
    if (refused) return;
    try {
      for (let line = nextLine(); line !== void 0; line = nextLine()) {
        const { id, op, params } = parseRequest(line);
        inFlight++;
        void answerTo(id, op, params).then((answer) => {
          inFlight--;
          if (socket2.writable) socket2.write(answer);
          takeRequests();
        });
      }
    } catch (error) {
      refuse(error);
      return;
    }
    if (isReady()) socket2.resume();
    else socket2.pause();
  };
  socket2.on("data", (chunk) => {
    if (refused) return;
    lines.push(chunk);
    takeRequests();
  });
  socket2.on("drain", takeRequests);
  socket2.on("error", () => {
  });
  socket2.on("close", () => gone.abort());
}
async function claimSocketPath(path) {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (!file) return;
  if (!file.isSocket()) throw new SystemError("EEXIST", `cannot serve on ${path}: it exists and is no socket`);
  const code = await new Promise((resolve2) => {
    const probe = net.connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve2(void 0);
    });
    probe.once("error", (error) => resolve2(error.code ?? "EIO"));
  });
  if (code === "ECONNREFUSED") unlinkSync(path);
  else if (code === void 0) {
    throw new SystemError(
      "EADDRINUSE",
      `cannot serve on ${path}: another process serves there (is the hub running already?)`
    );
  } else if (code !== "ENOENT") throw new SystemError(code, `cannot serve on ${path}: ${code}`);
}
var RpcServer = class {
  #server;
  #path;
  #connections = /* @__PURE__ */ new Set();
  constructor(server, handlers, options, path) {
    this.#server = server;
    this.#path = path;
    server.maxConnections = options.maxConnections ?? 64;
    server.on("connection", (socket2) => {
      this.#connections.add(socket2);
      socket2.on("close", () => this.#connections.delete(socket2));
      serveRpcConnection(socket2, handlers, options);
    });
  }
  /** Ends all connections and removes the socket file. */
  async close() {
    rmSync(this.#path, { force: true });
    const closed = new Promise((resolve2) => this.#server.close(resolve2));
    for (const socket2 of this.#connections) socket2.destroy();
    await closed;
  }
};
async function listenRpc(path, handlers, options = {}) {
  const server = net.createServer();
  const rpc = new RpcServer(server, handlers, options, path);
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const mask = process.umask(127);
  try {
    await new Promise((resolve2, reject) => {
      server.once("listening", resolve2);
      server.once(
        "error",
        (error) => reject(
          new SystemError(error.code ?? "EIO", `cannot serve on ${path}: ${error.message}`, { cause: error })
        )
      );
      server.listen(temporary);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(temporary, options.mode ?? 384);
  renameSync(temporary, path);
  return rpc;
}
var RpcClient = class {
  #path;
  #timeoutMs;
  #maxWaiting;
  #waiting = /* @__PURE__ */ new Map();
  #socket;
  #lastId = 0;
  constructor(path, { timeoutMs = 1e4, maxWaiting = 256 } = {}) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    this.#maxWaiting = maxWaiting;
  }
  /**
   * @throws ProtocolError with the server's code, or `timeout`, `busy` (too many calls wait), `disconnected`
   * @throws SystemError when no connection can be had
   */
  call(op, params = {}, timeoutMs = this.#timeoutMs) {
    if (this.#waiting.size >= this.#maxWaiting) {
      return Promise.reject(new ProtocolError("busy", `too many calls wait for ${this.#path}`));
    }
    const id = ++this.#lastId;
    const line = `${JSON.stringify({ ...params, id, op })}
`;
    if (line.length > MAX_REQUEST)
      return Promise.reject(new ProtocolError("too-long", `request ${op} is too long`));
    return new Promise((resolve2, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id);
        reject(
          new ProtocolError(
            "timeout",
            `no answer to "${op}" from ${this.#path} within ${timeoutMs / 1e3} s`
          )
        );
      }, timeoutMs);
      this.#waiting.set(id, { resolve: resolve2, reject, timer });
      const socket2 = this.#socket ??= this.#connect();
      socket2.ref();
      socket2.write(line);
    });
  }
  close() {
    this.#socket?.destroy();
    this.#lose(new ProtocolError("disconnected", `connection to ${this.#path} closed`));
  }
  #connect() {
    const socket2 = net.connect(this.#path);
    const lines = new LineBuffer(MAX_ANSWER);
    let reason = new ProtocolError("disconnected", `${this.#path} closed the connection`);
    socket2.on("data", (chunk) => {
      try {
        lines.push(chunk);
        for (let line = lines.next(); line !== void 0; line = lines.next()) this.#answer(parseObject(line));
      } catch (error) {
        socket2.destroy(error instanceof Error ? error : void 0);
      }
    });
    socket2.on("error", (error) => {
      const code = error.code ?? "EIO";
      reason = error instanceof ProtocolError ? error : new SystemError(code, `cannot reach ${this.#path}: ${code}`, { cause: error });
    });
    socket2.on("close", () => {
      if (this.#socket === socket2) this.#lose(reason);
    });
    return socket2;
  }
  #answer(answer) {
    const { id, ok, result } = answer;
    if (ok === true) {
      if (typeof id === "number") this.#settle(id)?.resolve(result);
      return;
    }
    const error = isRecord(answer["error"]) ? answer["error"] : {};
    const refusal = new ProtocolError(
      textOr(error["code"], "malformed"),
      textOr(error["message"], "malformed answer")
    );
    if (typeof id !== "number") throw refusal;
    this.#settle(id)?.reject(refusal);
  }
  #settle(id) {
    const waiting = this.#waiting.get(id);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#socket?.unref();
    return waiting;
  }
  #lose(reason) {
    this.#socket = void 0;
    for (const [id, waiting] of this.#waiting) {
      this.#settle(id);
      waiting.reject(reason);
    }
  }
};

export {
  AF_INET,
  SOCK_STREAM,
  SOCK_NONBLOCK,
  SOCK_CLOEXEC,
  SOL_SOCKET,
  EACCES,
  socket,
  bind,
  listen,
  setsockopt,
  getsockname,
  close,
  systemError,
  intOctets,
  processUsers,
  dropTo,
  ACCOUNTS_FILE,
  CONTROL_SOCKET,
  AUTH_SOCKET,
  FABRIC_SOCKET,
  defaultDataDirectory,
  prepareDataDirectory,
  openDataDirectory,
  requireDataDirectory,
  ownerOf,
  claimSocketPath,
  listenRpc,
  RpcClient
};
