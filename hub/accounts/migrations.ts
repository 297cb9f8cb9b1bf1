/** Steps from each version of the accounts' schema to the next; the file's version is SQLite's `user_version`. */

/** Step `i` leads from version `i` to `i + 1`. Only ever appended to: hubs in the field have run the others. */
export const MIGRATIONS: readonly string[] = [
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
   ) STRICT;`,
]
