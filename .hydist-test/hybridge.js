#!/usr/bin/env node
import {
  ACCOUNTS_FILE,
  CONTROL_SOCKET,
  RpcClient,
  defaultDataDirectory,
  openDataDirectory,
  ownerOf,
  requireDataDirectory
} from "./chunk-P3ZLNXUF.js";
import {
  formatTable
} from "./chunk-4ZY2Z4IC.js";
import {
  LOG_LEVELS,
  printable
} from "./chunk-GRKL7BDH.js";
import {
  errnoOf
} from "./chunk-AZ2442GS.js";
import "./chunk-XDT4WNIQ.js";
import {
  ConfigError,
  ProtocolError,
  SystemError,
  reasonOf
} from "./chunk-KUUGODKJ.js";

// hub/main.ts
import { readFileSync as readFileSync3 } from "node:fs";

// hub/command/run.ts
import yargs from "yargs";

// hub/command/serve.ts
import { readFileSync } from "node:fs";

// hub/command/context.ts
var dataOf = (context, data) => data ?? defaultDataDirectory(context.env);
var print = (context, text) => {
  context.stdout.write(`${text}
`);
};

// hub/command/serve.ts
var serveCommand = (context, exit) => ({
  command: "serve",
  describe: "Run the hub: bridges, and the SSH server that agents connect to",
  builder: (yargs2) => yargs2.option("ssh", {
    type: "string",
    requiresArg: true,
    describe: "ADDRESS:PORT to serve on (0.0.0.0:2222)"
  }).option("bridge", {
    type: "string",
    array: true,
    nargs: 1,
    describe: "NAME[,ageing=SECONDS] of a bridge; repeat for more"
  }).option("attach", {
    type: "string",
    array: true,
    nargs: 1,
    describe: "BRIDGE=KIND:INTERFACE[,OPTION=VALUE...]; kinds nic, tap; repeat for more"
  }).option("gateways", { type: "number", requiresArg: true, describe: "SSH server processes (2)" }).option("log", {
    choices: LOG_LEVELS,
    requiresArg: true,
    describe: "Least level that is logged (info)"
  }).option("config", { type: "string", requiresArg: true, describe: "File with all this (YAML)" }).example("$0 serve --bridge private0", "a bridge that agents join").example("$0 serve --bridge private0 --attach private0=nic:eth1", "joined to a network card, too").example("$0 serve --config /etc/hybridge.yaml", "the same from a file (hybridge config schema)"),
  handler: async ({ config: file, ...args }) => {
    const { mergeConfig, parseConfigFile } = await import("./config-GPKG2E4E.js");
    const written = file === void 0 ? void 0 : parseConfigFile(readConfig(file), file);
    const config = mergeConfig(args, written, dataOf(context, void 0));
    const { serve } = await import("./serve-DH7FS7NY.js");
    exit(await serve(config));
  }
});
function readConfig(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(`cannot read configuration ${file}: ${reasonOf(error)}`, { cause: error });
  }
}
var configCommand = (context) => ({
  command: "config",
  describe: "About the configuration file of `hybridge serve`",
  builder: (yargs2) => yargs2.command({
    command: "schema",
    describe: "Print its JSON schema, for editors",
    builder: (y) => y.example("$0 config schema > hybridge.schema.json", "for an editor"),
    handler: async () => {
      const [{ ConfigFile }, { z }] = await Promise.all([import("./config-GPKG2E4E.js"), import("zod")]);
      context.stdout.write(`${JSON.stringify(z.toJSONSchema(ConfigFile, { io: "input" }), null, 2)}
`);
    }
  }).demandCommand(1, "which of: config schema?"),
  handler: () => {
  }
});

// hub/command/show.ts
async function ask(context, op, { data, bridge }) {
  const directory = dataOf(context, data);
  requireDataDirectory(directory);
  const before = process.cwd();
  try {
    process.chdir(directory);
  } catch (error) {
    const code = errnoOf(error);
    throw new SystemError(
      code,
      `cannot enter data directory ${directory}: ${code} (run as root or as the hub's user)`
    );
  }
  const client = new RpcClient(CONTROL_SOCKET);
  try {
    return await client.call(op, bridge === void 0 ? {} : { bridge });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const why = error.code === "EACCES" ? "permission denied (run as root or as the hub's user)" : "no hub runs there (start one with `hybridge serve`, or name another directory with --data)";
    throw new SystemError(error.code, `cannot ask the hub of ${directory}: ${why}`, { cause: error });
  } finally {
    client.close();
    process.chdir(before);
  }
}
var query = (context, op, describe, format) => ({
  command: `${op} [bridge]`,
  describe,
  builder: (yargs2) => yargs2.positional("bridge", { type: "string", describe: "Only this bridge" }).option("json", { type: "boolean", default: false, describe: "Print JSON" }).example(`$0 show ${op}`, "of all bridges").example(`$0 show ${op} private0 --json`, "of one, for programs"),
  handler: async (args) => {
    print(context, await format(await ask(context, op, args), args.json));
  }
});
var ports = async (answer, json) => {
  const { formatPorts, parsePorts } = await import("./show-text-OOMXJQDI.js");
  const rows = parsePorts(answer);
  if (json) return JSON.stringify(rows);
  return rows.length === 0 ? "no ports" : formatPorts(rows);
};
var macs = async (answer, json) => {
  const { formatMacs, parseMacs } = await import("./show-text-OOMXJQDI.js");
  const rows = parseMacs(answer);
  if (json) return JSON.stringify(rows);
  return rows.length === 0 ? "no addresses learnt" : formatMacs(rows);
};
var showCommand = (context) => ({
  command: "show",
  describe: "Show what the running hub does",
  builder: (yargs2) => yargs2.command(query(context, "ports", "Show ports with their counters", ports)).command(query(context, "macs", "Show learnt addresses", macs)).example("$0 show ports private0", "ports and counters of one bridge").demandCommand(1, "which of: show ports, show macs?"),
  handler: () => {
  }
});

// hub/command/user.ts
import { existsSync, readFileSync as readFileSync2 } from "node:fs";
import { join } from "node:path";
async function withAccounts(context, data, create, use) {
  const { AccountStore: Store } = await import("./store-DNCPXRT6.js");
  const directory = dataOf(context, data);
  if (create) openDataDirectory(directory);
  else requireDataDirectory(directory);
  const store = Store.open(join(directory, ACCOUNTS_FILE), ownerOf(directory));
  try {
    return await use(store);
  } finally {
    store.close();
  }
}
async function readKey(file) {
  const { parsePublicKeyFile } = await import("./public-key-2NP7T2CP.js");
  let text;
  try {
    text = readFileSync2(file, "utf8");
  } catch (error) {
    const why = existsSync(file) ? reasonOf(error) : "no such file";
    throw new ConfigError(`cannot read key ${file}: ${why}`, { cause: error });
  }
  return parsePublicKeyFile(text, file);
}
async function newPassword(context, user, fromStdin) {
  const [{ askNewPassword, readPasswordLine }, { hashPassword }] = await Promise.all([
    import("./read-password-Q53OTFIY.js"),
    import("./password-DLPRHPKV.js")
  ]);
  const password = fromStdin ? await readPasswordLine(context) : await askNewPassword(context, user);
  return await hashPassword(password, context.passwordCost);
}
var add = (context) => ({
  command: "add <name>",
  describe: "Add a user, with a public key, a password, or both",
  builder: (yargs2) => yargs2.positional("name", { type: "string", demandOption: true, describe: "Name of the user" }).option("key", {
    type: "string",
    requiresArg: true,
    describe: "File with the public key (OpenSSH .pub)"
  }).option("password-stdin", {
    type: "boolean",
    default: false,
    describe: "Read the password from the first line of standard input"
  }).example("$0 user add ann --key ~/.ssh/id_ed25519.pub", "ann logs in with her key").example("$0 user add ann", "asks for a password on the terminal"),
  handler: async ({ name, key: file, passwordStdin, data }) => {
    const { checkUserName } = await import("./store-DNCPXRT6.js");
    checkUserName(name);
    const key2 = file === void 0 ? void 0 : await readKey(file);
    const password = !key2 || passwordStdin ? await newPassword(context, name, passwordStdin) : void 0;
    await withAccounts(context, data, true, (store) => {
      store.addUser(name, { ...password !== void 0 && { password }, ...key2 && { key: key2 } });
    });
    print(context, `user ${name} added${key2 ? ` with key ${key2.fingerprint}` : ""}`);
  }
});
var remove = (context) => ({
  command: "remove <name>",
  describe: "Remove a user with all keys; tunnels that are up stay up",
  builder: (yargs2) => yargs2.positional("name", { type: "string", demandOption: true, describe: "Name of the user" }).example("$0 user remove ann", "ann can no longer log in"),
  handler: async ({ name, data }) => {
    await withAccounts(context, data, false, (store) => store.removeUser(name));
    print(context, `user ${name} removed`);
  }
});
var list = (context) => ({
  command: "list",
  describe: "List the users",
  builder: (yargs2) => yargs2.option("json", { type: "boolean", default: false, describe: "Print JSON" }).example("$0 user list --json", "for programs"),
  handler: async ({ json, data }) => {
    const users = await withAccounts(context, data, false, (store) => store.users());
    if (json) print(context, JSON.stringify(users));
    else if (users.length === 0) print(context, "no users yet; add one with `hybridge user add NAME`");
    else {
      const rows = users.map((user) => [
        user.name,
        user.hasPassword ? "yes" : "no",
        String(user.keys),
        user.created.toISOString().slice(0, 10)
      ]);
      print(context, formatTable(["user", "password", ">keys", "created"], rows));
    }
  }
});
var key = (context) => ({
  command: "key",
  describe: "Add, list and remove public keys of a user",
  builder: (yargs2) => yargs2.command({
    command: "add <name> <file>",
    describe: "Give a user one more public key",
    builder: (y) => y.positional("name", { type: "string", demandOption: true, describe: "Name of the user" }).positional("file", { type: "string", demandOption: true, describe: "File with the public key" }).example("$0 user key add ann laptop.pub", "ann logs in with either key"),
    handler: async ({ name, file, data }) => {
      const parsed = await readKey(file);
      await withAccounts(context, data, false, (store) => store.addKey(name, parsed));
      print(context, `key ${parsed.fingerprint} added to user ${name}`);
    }
  }).command({
    command: "list <name>",
    describe: "List the public keys of a user",
    builder: (y) => y.positional("name", { type: "string", demandOption: true, describe: "Name of the user" }).option("json", { type: "boolean", default: false, describe: "Print JSON" }).example("$0 user key list ann", "fingerprints as ssh-keygen -l prints them"),
    handler: async ({ name, json, data }) => {
      const keys = await withAccounts(context, data, false, (store) => store.keys(name));
      if (json) print(context, JSON.stringify(keys));
      else
        for (const { fingerprint, type, comment } of keys)
          print(context, `${fingerprint} ${type} ${comment}`.trim());
    }
  }).command({
    command: "remove <name> <key>",
    describe: "Take a public key away from a user",
    builder: (y) => y.positional("name", { type: "string", demandOption: true, describe: "Name of the user" }).positional("key", {
      type: "string",
      demandOption: true,
      describe: "Its fingerprint, or its comment"
    }).example("$0 user key remove ann ann@laptop", "the key with this comment"),
    handler: async ({ name, key: which, data }) => {
      await withAccounts(context, data, false, (store) => store.removeKey(name, which));
      print(context, `key ${which} removed from user ${name}`);
    }
  }).demandCommand(1, "which of: key add, key list, key remove?"),
  handler: () => {
  }
});
var userCommand = (context) => ({
  command: "user",
  describe: "Manage who may log in; works whether the hub runs or not",
  builder: (yargs2) => yargs2.command(add(context)).command(remove(context)).command(list(context)).command(key(context)).example("$0 user add ann --key ann.pub", "add a user").demandCommand(1, "which of: user add, user remove, user list, user key?"),
  handler: () => {
  }
});

// hub/command/run.ts
var EXIT_OK = 0;
var EXIT_FAILED = 1;
var EXIT_USAGE = 2;
var UsageError = class extends Error {
};
async function run(args, context) {
  let code = EXIT_OK;
  const parser = yargs().scriptName("hybridge").usage("$0 COMMAND [OPTION...]").option("data", {
    type: "string",
    requiresArg: true,
    global: true,
    describe: "Data directory ($HYBRIDGE_DATA; /var/lib/hybridge as root; else ~/.local/state/hybridge)"
  }).command(serveCommand(context, (result) => code = result)).command(userCommand(context)).command(showCommand(context)).command(configCommand(context)).demandCommand(1, "no command given").example("$0 serve --data ./lab --bridge private0", "run a hub").example("$0 user add ann --key ann.pub --data ./lab", "let ann join its bridges").example("$0 show ports --data ./lab", "see what passes").epilogue("Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration.").parserConfiguration({ "duplicate-arguments-array": false, "strip-dashed": true, "strip-aliased": true }).version(context.version).help().strict().wrap(80).exitProcess(false).fail((message, error) => {
    throw error ?? new UsageError(message ?? "wrong arguments");
  });
  try {
    await parser.parseAsync([...args], {}, (_error, _parsed, output) => {
      if (output) context.stdout.write(`${output}
`);
    });
    return code;
  } catch (error) {
    return report(error, context);
  }
}
function report(error, { stderr: stderr2, env: env2 }) {
  const isUsage = error instanceof UsageError || isParserError(error);
  const lines = reasonOf(error).split("\n");
  const hint = isUsage ? " (see hybridge --help)" : "";
  for (const line of lines) stderr2.write(`hybridge: ${printable(line)}${line === lines.at(-1) ? hint : ""}
`);
  if (env2["HYBRIDGE_DEBUG"] === "1" && error instanceof Error) stderr2.write(`${error.stack ?? ""}
`);
  if (isUsage || error instanceof ConfigError) return EXIT_USAGE;
  if (!(error instanceof SystemError || error instanceof ProtocolError) && env2["HYBRIDGE_DEBUG"] !== "1") {
    stderr2.write("hybridge: this should not happen; HYBRIDGE_DEBUG=1 shows where it did\n");
  }
  return EXIT_FAILED;
}
var isParserError = (error) => error instanceof Error && error.name === "YError";

// hub/main.ts
var manifest = JSON.parse(
  readFileSync3(new URL("../package.json", import.meta.url), "utf8")
);
var { stdin, stdout, stderr, env } = process;
process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, version: manifest.version });
