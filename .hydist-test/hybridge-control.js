import {
  identityOf,
  readProcessConfig
} from "./chunk-45QHKAWJ.js";
import {
  ACCOUNTS_FILE,
  AUTH_SOCKET,
  CONTROL_SOCKET,
  FABRIC_SOCKET,
  RpcClient,
  claimSocketPath,
  dropTo,
  listenRpc,
  processUsers
} from "./chunk-P3ZLNXUF.js";
import {
  openChildLog
} from "./chunk-GRKL7BDH.js";
import {
  AccountStore
} from "./chunk-CO5Q3EQP.js";
import "./chunk-AZ2442GS.js";
import {
  fingerprintOf
} from "./chunk-QJL6MMER.js";
import "./chunk-XDT4WNIQ.js";
import {
  MAX_PASSWORD,
  PASSWORD_COST,
  hashPassword,
  needsRehash,
  verifyPassword
} from "./chunk-C7AZGVEG.js";
import {
  ProtocolError,
  SystemError,
  reasonOf
} from "./chunk-KUUGODKJ.js";

// hub/accounts/process.ts
import { chmodSync, chownSync, existsSync } from "node:fs";

// hub/accounts/authenticator.ts
import { isIPv6 } from "node:net";

// hub/accounts/back-off.ts
var BackOff = class {
  #limits;
  /** In the order of the last failure. */
  #failures = /* @__PURE__ */ new Map();
  constructor(limits) {
    this.#limits = limits;
  }
  /** Milliseconds that the key must still wait; 0 when it may try. */
  wait(key, now) {
    return Math.max(0, (this.#failures.get(key)?.until ?? 0) - now);
  }
  /** Counts a failure. To be called before the outcome is known, so that attempts at the same time count. */
  fail(key, now) {
    const entry = this.#failures.get(key) ?? { count: 0, since: now, until: 0 };
    this.#forget(entry, now);
    entry.count++;
    const over = entry.count - this.#limits.free;
    if (over > 0)
      entry.until = now + Math.min(this.#limits.maxMs, this.#limits.baseMs * 2 ** Math.min(over - 1, 30));
    this.#failures.delete(key);
    this.#failures.set(key, entry);
    if (this.#failures.size > this.#limits.maxKeys) {
      for (const oldest of this.#failures.keys()) {
        this.#failures.delete(oldest);
        return;
      }
    }
  }
  /** Takes one failure back that turned out to be none, and the wait it brought. */
  forgive(key) {
    const entry = this.#failures.get(key);
    if (!entry) return;
    entry.count = Math.max(0, entry.count - 1);
    entry.until = 0;
    if (entry.count === 0) this.#failures.delete(key);
  }
  get size() {
    return this.#failures.size;
  }
  #forget(entry, now) {
    const steps = Math.floor((now - entry.since) / this.#limits.forgetMs);
    if (steps <= 0) return;
    entry.count = Math.max(0, entry.count - steps);
    entry.since += steps * this.#limits.forgetMs;
  }
};

// hub/accounts/work-queue.ts
var WorkQueue = class {
  #atOnce;
  #maxWaiting;
  #waiting = [];
  #running = 0;
  constructor(atOnce, maxWaiting) {
    this.#atOnce = atOnce;
    this.#maxWaiting = maxWaiting;
  }
  get isFull() {
    return this.#running >= this.#atOnce && this.#waiting.length >= this.#maxWaiting;
  }
  async run(work) {
    if (this.#running >= this.#atOnce) await new Promise((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
};

// hub/accounts/authenticator.ts
var ADDRESS_LIMITS = {
  free: 5,
  baseMs: 1e3,
  maxMs: 6e4,
  forgetMs: 6e4,
  maxKeys: 1e4
};
var USER_LIMITS = {
  free: 10,
  baseMs: 1e3,
  maxMs: 3e4,
  forgetMs: 6e4,
  maxKeys: 1e4
};
var CHECKS_AT_ONCE = 2;
var CHECKS_WAITING = 32;
var BUSY_RETRY_MS = 1e3;
var MAX_FAMILIAR = 1e4;
var Authenticator = class {
  #credentials;
  #cost;
  #dummy;
  #queue = new WorkQueue(CHECKS_AT_ONCE, CHECKS_WAITING);
  #addresses = new BackOff(ADDRESS_LIMITS);
  #users = new BackOff(USER_LIMITS);
  #familiar = /* @__PURE__ */ new Set();
  constructor(credentials, cost = PASSWORD_COST) {
    this.#credentials = credentials;
    this.#cost = cost;
    this.#dummy = hashPassword("nobody has this password", cost);
  }
  /** @param now  monotonic milliseconds */
  key(attempt, now) {
    const address2 = networkOf(attempt.address);
    if (this.#credentials.hasKey(attempt.user, attempt.blob)) {
      if (attempt.signed) this.#remember(attempt.user, address2);
      return { accepted: true };
    }
    const wait = this.#addresses.wait(address2, now);
    if (wait > 0) return { accepted: false, retryAfterMs: wait };
    if (attempt.signed) this.#addresses.fail(address2, now);
    return { accepted: false };
  }
  /** @param now  monotonic milliseconds */
  async password({ user: user2, password, address: from }, now) {
    const address2 = networkOf(from);
    const isFamiliar = this.#familiar.has(pairOf(user2, address2));
    const wait = Math.max(this.#addresses.wait(address2, now), isFamiliar ? 0 : this.#users.wait(user2, now));
    if (wait > 0) return { accepted: false, retryAfterMs: wait };
    if (this.#queue.isFull) return { accepted: false, retryAfterMs: BUSY_RETRY_MS };
    this.#addresses.fail(address2, now);
    if (!isFamiliar) this.#users.fail(user2, now);
    const accepted = await this.#queue.run(() => this.#check(user2, password));
    if (accepted) {
      this.#addresses.forgive(address2);
      if (!isFamiliar) this.#users.forgive(user2);
      this.#remember(user2, address2);
    }
    return { accepted };
  }
  async #check(user2, password) {
    const hashed = this.#credentials.passwordHash(user2);
    const fits = Buffer.byteLength(password) <= MAX_PASSWORD;
    const isRight = await verifyPassword(hashed ?? await this.#dummy, fits ? password : "");
    if (!isRight || hashed === void 0 || !fits) return false;
    if (needsRehash(hashed, this.#cost)) {
      this.#credentials.replacePasswordHash(user2, hashed, await hashPassword(password, this.#cost));
    }
    return true;
  }
  #remember(user2, address2) {
    const pair = pairOf(user2, address2);
    this.#familiar.delete(pair);
    this.#familiar.add(pair);
    if (this.#familiar.size <= MAX_FAMILIAR) return;
    for (const oldest of this.#familiar) {
      this.#familiar.delete(oldest);
      return;
    }
  }
};
var pairOf = (user2, address2) => `${user2}
${address2}`;
function networkOf(address2) {
  const [plain = ""] = address2.split("%");
  if (!isIPv6(plain)) return plain;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain);
  if (mapped?.[1] !== void 0) return mapped[1];
  const [head = "", tail] = plain.replace(/\d+\.\d+\.\d+\.\d+$/, "0:0").split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== void 0) {
    const end = tail === "" ? [] : tail.split(":");
    while (groups.length + end.length < 8) groups.push("0");
    groups.push(...end);
  }
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

// hub/accounts/operations.ts
import { z } from "zod";
var STATUS_TIMEOUT_MS = 500;
var user = z.string().min(1).max(256);
var address = z.string().max(64);
var KeyParams = z.object({
  user,
  address,
  algorithm: z.string().max(64),
  key: z.base64().max(8192),
  signed: z.boolean()
});
var PasswordParams = z.object({ user, address, password: z.string().max(4096) });
var UserParams = z.object({ user });
var QueryParams = z.object({ bridge: z.string().max(64).optional() });
function parse(schema, params) {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
  throw new ProtocolError("bad-params", `missing or bad: ${fields}`);
}
async function ask(fabric, op, params) {
  try {
    return await fabric.call(op, params);
  } catch (error) {
    if (error instanceof SystemError || error instanceof ProtocolError && error.code === "disconnected") {
      throw new ProtocolError(
        "fabric-away",
        `the forwarding process does not answer (${reasonOf(error)}); it is restarted when it fails: try again, or see log/fabric.log`,
        { cause: error }
      );
    }
    throw error;
  }
}
function authHandlers(authenticator, fabric, log2, now = () => performance.now()) {
  const record = (verdict, about) => {
    if (verdict.accepted) log2.info(about, "logged in");
    else if (verdict.retryAfterMs === void 0) log2.warn(about, "log-in refused");
    else log2.debug(about, "log-in put off");
    return verdict;
  };
  return {
    "authenticate.key": (params) => {
      const { key, ...attempt } = parse(KeyParams, params);
      const blob = new Uint8Array(Buffer.from(key, "base64"));
      const verdict = authenticator.key({ ...attempt, blob }, now());
      if (!attempt.signed) return verdict;
      return record(verdict, { user: attempt.user, address: attempt.address, key: fingerprintOf(blob) });
    },
    "authenticate.password": async (params) => {
      const attempt = parse(PasswordParams, params);
      const verdict = await authenticator.password(attempt, now());
      return record(verdict, { user: attempt.user, address: attempt.address, method: "password" });
    },
    bridges: (params) => ask(fabric, "bridges", parse(UserParams, params))
  };
}
function controlHandlers(fabric, identity) {
  const forward = (op) => (params) => ask(fabric, op, parse(QueryParams, params));
  const status = async () => {
    try {
      return { ...identity, fabric: await fabric.call("status", {}, STATUS_TIMEOUT_MS) };
    } catch (error) {
      return { ...identity, fabric: null, problem: reasonOf(error) };
    }
  };
  return { ports: forward("ports"), macs: forward("macs"), bridges: forward("bridges"), status };
}

// hub/accounts/process.ts
var CONFIG = "run/control.json";
async function main(log2) {
  const users = processUsers();
  const identity = identityOf(existsSync(CONFIG) ? readProcessConfig("control").fingerprint : "");
  process.umask(63);
  const store = AccountStore.open(ACCOUNTS_FILE, users?.service);
  const fabric = new RpcClient(FABRIC_SOCKET);
  const options = {
    onFailure: (op, error) => log2.error({ op, err: error }, "operation failed")
  };
  await claimSocketPath(AUTH_SOCKET);
  await claimSocketPath(CONTROL_SOCKET);
  const auth = await listenRpc(AUTH_SOCKET, authHandlers(new Authenticator(store), fabric, log2), {
    ...options,
    maxInFlight: 64
  });
  const control = await listenRpc(CONTROL_SOCKET, controlHandlers(fabric, identity), options);
  if (users) {
    chownSync(AUTH_SOCKET, users.service.uid, users.gateway.gid);
    chmodSync(AUTH_SOCKET, 432);
    chownSync(CONTROL_SOCKET, users.service.uid, users.service.gid);
  }
  dropTo(users?.service, []);
  log2.info("ready");
  const stop = async (signal) => {
    log2.info({ signal }, "stopping");
    await Promise.all([auth.close(), control.close()]);
    fabric.close();
    store.close();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void stop(signal));
}
var log = openChildLog("control");
var die = (error) => {
  log.fatal(error instanceof SystemError ? { code: error.code } : { err: error }, reasonOf(error));
  process.exit(1);
};
process.on("uncaughtException", die);
process.on("unhandledRejection", die);
await main(log).catch(die);
