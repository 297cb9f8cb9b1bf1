import {
  errnoOf,
  isRecord
} from "./chunk-AZ2442GS.js";
import {
  ConfigError,
  SystemError,
  reasonOf
} from "./chunk-KUUGODKJ.js";

// hub/accounts/store.ts
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync } from "node:fs";
import Database from "libsql";

// hub/accounts/migrations.ts
var MIGRATIONS = [
  `CREATE TABLE users (
     id       INTEGER PRIMARY KEY,
     name     TEXT NOT NULL UNIQUE,
     password TEXT,              -- argon2id in PHC format; NULL: keys only
     created  INTEGER NOT NULL   -- milliseconds since 1970, UTC
   ) STRICT;
   CREATE TABLE keys (
     id          INTEGER PRIMARY KEY,
     user        INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
     type        TEXT NOT NULL,  -- ssh-ed25519, ...
     blob        BLOB NOT NULL,  -- RFC 4253 section 6.6
     comment     TEXT NOT NULL,
     fingerprint TEXT NOT NULL,  -- SHA256:...
     created     INTEGER NOT NULL,
     UNIQUE (user, blob)
   ) STRICT;`
];

// hub/accounts/row.ts
var column = (row, name) => isRecord(row) ? row[name] : void 0;
function textIn(row, name) {
  const value = column(row, name);
  if (typeof value !== "string") throw new TypeError(`column ${name} is no text`);
  return value;
}
function numberIn(row, name) {
  const value = column(row, name);
  if (typeof value !== "number") throw new TypeError(`column ${name} is no number`);
  return value;
}

// hub/accounts/store.ts
var BUSY_MS = 5e3;
var USER_NAME = /^[a-z_][a-z0-9_.-]{0,31}$/;
function checkUserName(name) {
  if (!USER_NAME.test(name)) {
    throw new ConfigError(
      `"${name}" is no user name: 1 to 32 of a-z, 0-9, "_", "-" and ".", beginning with a letter or "_"`
    );
  }
}
var AccountStore = class _AccountStore {
  #db;
  #now;
  constructor(db, now) {
    this.#db = db;
    this.#now = now;
  }
  /**
   * Opens the file and brings its schema up to date; makes it, for `owner`, if there is none.
   * @throws SystemError when it cannot be used, or a newer version wrote it
   */
  static open(path, owner, now = Date.now) {
    try {
      makePrivate(path, owner);
      const db = new Database(path, { timeout: BUSY_MS });
      db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY");
      db.exec("PRAGMA foreign_keys = ON");
      migrate(db);
      return new _AccountStore(db, now);
    } catch (error) {
      const code = errnoOf(error);
      const why = code === "EACCES" ? "permission denied (run as root or as the hub's user)" : reasonOf(error);
      throw new SystemError(code, `cannot open accounts ${path}: ${why}`, { cause: error });
    }
  }
  close() {
    this.#db.close();
  }
  users() {
    const rows = this.#db.prepare(
      `SELECT name, password IS NOT NULL AS hasPassword, created,
                (SELECT count(*) FROM keys WHERE keys.user = users.id) AS keys
         FROM users ORDER BY name`
    ).all();
    return rows.map((row) => ({
      name: textIn(row, "name"),
      hasPassword: numberIn(row, "hasPassword") !== 0,
      keys: numberIn(row, "keys"),
      created: new Date(numberIn(row, "created"))
    }));
  }
  /** Adds a user with a password (PHC format), a key, or both. @throws ConfigError when the name is bad or taken */
  addUser(name, access) {
    checkUserName(name);
    this.#write(() => {
      if (this.#find(name) !== void 0) {
        throw new ConfigError(
          `user ${name} exists already (add a key with \`hybridge user key add ${name} FILE.pub\`)`
        );
      }
      const added = this.#db.prepare("INSERT INTO users (name, password, created) VALUES (?, ?, ?)").run(name, access.password ?? null, this.#now());
      if (access.key) this.#insertKey(Number(added.lastInsertRowid), access.key);
    });
  }
  removeUser(name) {
    this.#write(() => this.#db.prepare("DELETE FROM users WHERE id = ?").run(this.#require(name)));
  }
  /** Argon2 hash of the user's password in PHC format; undefined for unknown users and those with keys only. */
  passwordHash(name) {
    const row = this.#db.prepare("SELECT password FROM users WHERE name = ? AND password IS NOT NULL").get(name);
    return row === void 0 ? void 0 : textIn(row, "password");
  }
  /** Puts a new hash of the same password in place of `old`, unless the password was changed meanwhile. */
  replacePasswordHash(name, old, hash) {
    this.#db.prepare("UPDATE users SET password = ? WHERE name = ? AND password = ?").run(hash, name, old);
  }
  addKey(name, key) {
    this.#write(() => {
      const user = this.#require(name);
      if (this.hasKey(name, key.blob))
        throw new ConfigError(`user ${name} has the key ${key.fingerprint} already`);
      this.#insertKey(user, key);
    });
  }
  /** @param which  the fingerprint, or the comment when only one key of the user has it */
  removeKey(name, which) {
    this.#write(() => {
      const user = this.#require(name);
      const found = this.#db.prepare("SELECT id FROM keys WHERE user = ? AND (fingerprint = ? OR comment = ?)").all(user, which, which);
      const [key, another] = found;
      if (!key)
        throw new ConfigError(`user ${name} has no key ${which} (see \`hybridge user key list ${name}\`)`);
      if (another !== void 0)
        throw new ConfigError(`user ${name} has several keys ${which}: give the fingerprint`);
      this.#db.prepare("DELETE FROM keys WHERE id = ?").run(numberIn(key, "id"));
    });
  }
  keys(name) {
    const rows = this.#db.prepare("SELECT type, fingerprint, comment, created FROM keys WHERE user = ? ORDER BY id").all(this.#require(name));
    return rows.map((row) => ({
      type: textIn(row, "type"),
      fingerprint: textIn(row, "fingerprint"),
      comment: textIn(row, "comment"),
      created: new Date(numberIn(row, "created"))
    }));
  }
  hasKey(name, blob) {
    return this.#db.prepare(
      "SELECT 1 FROM keys JOIN users ON users.id = keys.user WHERE users.name = ? AND keys.blob = ?"
    ).get(name, blob) !== void 0;
  }
  #insertKey(user, key) {
    this.#db.prepare("INSERT INTO keys (user, type, blob, comment, fingerprint, created) VALUES (?, ?, ?, ?, ?, ?)").run(user, key.type, key.blob, key.comment, key.fingerprint, this.#now());
  }
  #find(name) {
    const row = this.#db.prepare("SELECT id FROM users WHERE name = ?").get(name);
    return row === void 0 ? void 0 : numberIn(row, "id");
  }
  #require(name) {
    const id = this.#find(name);
    if (id === void 0) throw new ConfigError(`no user ${name} (see \`hybridge user list\`)`);
    return id;
  }
  #write(change) {
    inTransaction(this.#db, change);
  }
};
function inTransaction(db, change) {
  db.exec("BEGIN IMMEDIATE");
  try {
    change();
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}
function migrate(db) {
  inTransaction(db, () => {
    const version = numberIn(db.prepare("PRAGMA user_version").get(), "user_version");
    if (version > MIGRATIONS.length) {
      throw new SystemError(
        "ENOTSUP",
        `a newer version of hybridge wrote it (schema ${version}, this one knows up to ${MIGRATIONS.length})`
      );
    }
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}
function makePrivate(path, owner) {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(path, flags, 384);
  try {
    const file = fstatSync(fd);
    if ((file.mode & 4095) !== 384) fchmodSync(fd, 384);
    if (owner && file.size === 0) fchownSync(fd, owner.uid, owner.gid);
  } finally {
    closeSync(fd);
  }
}

export {
  checkUserName,
  AccountStore
};
