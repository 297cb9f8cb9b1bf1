import {
  LOG_LEVELS
} from "./chunk-GRKL7BDH.js";
import "./chunk-AZ2442GS.js";
import "./chunk-XDT4WNIQ.js";
import {
  ConfigError,
  reasonOf
} from "./chunk-KUUGODKJ.js";

// hub/config.ts
import { dirname, resolve } from "node:path";
import { isIPv4, isIPv6 } from "node:net";
import { LineCounter, isMap, isNode, parseDocument } from "yaml";
import { z } from "zod";

// net/port/port.ts
var MAX_WIRE_FRAME = 9216;
var MAX_SUPER_FRAME = 65535 + 14 + 16;

// net/wire/ethernet.ts
var TPID_C_TAG = 33024;
var TPID_S_TAG = 34984;
var TPID_QINQ_9100 = 37120;
var TPID_QINQ_9200 = 37376;

// net/switch/vlan.ts
var TPIDS = [TPID_C_TAG, TPID_S_TAG, TPID_QINQ_9100, TPID_QINQ_9200];
var VLAN_KEYS = TPIDS.length << 12;
var MAX_VID = 4094;

// net/switch/port-mode.ts
var TRANSPARENT = { kind: "transparent" };
var ALL_VIDS = [[1, MAX_VID]];
var OPTIONS = {
  transparent: [],
  access: ["vlan"],
  trunk: ["native", "tagged", "tpid"],
  tunnel: ["qnq", "strict", "tagged", "tpid"]
};
function parsePortMode(text) {
  const options = readOptions(text);
  const kind = options.get("mode") ?? wrong("mode", void 0, "transparent, access, trunk or tunnel");
  if (!isKind(kind)) wrong("mode", kind, "transparent, access, trunk or tunnel");
  const allowed = OPTIONS[kind];
  for (const [name, value] of options) {
    if (name === "mode" || allowed.includes(name)) continue;
    const list = allowed.length === 0 ? "has no further options" : `takes ${allowed.join(", ")}`;
    throw new ConfigError(`port option ${name}=${value} does not belong here: mode=${kind} ${list}`);
  }
  if (kind === "transparent") return TRANSPARENT;
  if (kind === "access") return { kind, vlan: vid("vlan", options.get("vlan"), 0) };
  return kind === "trunk" ? trunk(options) : tunnel(options);
}
function trunk(options) {
  return {
    kind: "trunk",
    native: native(options.get("native")),
    tagged: vidSet(options.get("tagged") ?? "all"),
    tpid: tpid(options.get("tpid"))
  };
}
function tunnel(options) {
  const mode = {
    kind: "tunnel",
    qnq: vid("qnq", options.get("qnq"), 1),
    strict: flag("strict", options.get("strict")),
    tagged: vidSet(options.get("tagged") ?? "none"),
    tpid: tpid(options.get("tpid"))
  };
  if (mode.tpid === TPID_C_TAG && mode.tagged.some(([first, last]) => first <= mode.qnq && mode.qnq <= last)) {
    wrong("tagged", options.get("tagged"), `VLANs other than the service VLAN, qnq=${mode.qnq}`);
  }
  return mode;
}
var isKind = (text) => Object.hasOwn(OPTIONS, text);
function readOptions(text) {
  const options = /* @__PURE__ */ new Map();
  for (const part of text.split(",")) {
    const equals = part.indexOf("=");
    if (equals < 1)
      throw new ConfigError(`port option '${part}' has no value: write NAME=VALUE, as in mode=access`);
    const name = part.slice(0, equals);
    if (options.has(name)) throw new ConfigError(`port option ${name} is given twice`);
    options.set(name, part.slice(equals + 1));
  }
  return options;
}
function wrong(name, value, allowed) {
  if (value === void 0) throw new ConfigError(`port option ${name} is missing: it takes ${allowed}`);
  throw new ConfigError(`port option ${name}=${value} is not valid: it takes ${allowed}`);
}
function vid(name, text, least) {
  const n = number(text ?? "");
  return n >= least && n <= MAX_VID ? n : wrong(name, text, `a VLAN from ${least} to ${MAX_VID}`);
}
function native(text) {
  if (text === void 0 || text === "none") return null;
  const n = number(text);
  return n >= 0 && n <= MAX_VID ? n : wrong("native", text, `a VLAN from 0 to ${MAX_VID}, or none`);
}
function flag(name, text) {
  if (text === void 0 || text === "0") return false;
  return text === "1" || wrong(name, text, "0 or 1");
}
function tpid(text) {
  if (text === void 0) return TPID_C_TAG;
  const found = TPIDS.find((one) => one.toString(16) === text.toLowerCase().replace(/^0x/, ""));
  return found ?? wrong("tpid", text, TPIDS.map((one) => one.toString(16)).join(", "));
}
function vidSet(text) {
  if (text === "all") return ALL_VIDS;
  if (text === "none") return [];
  const ranges = text.split("+").map((part) => {
    const ends = part.split("-");
    const first = number(ends[0] ?? "");
    const last = ends.length === 1 ? first : number(ends[1] ?? "");
    if (ends.length <= 2 && first >= 1 && first <= last && last <= MAX_VID) return [first, last];
    return wrong("tagged", text, `all, none, or VLANs from 1 to ${MAX_VID} like 10+20-29`);
  });
  ranges.sort((a, b) => a[0] - b[0]);
  const joined = [];
  for (const range of ranges) {
    const before = joined.at(-1);
    if (before !== void 0 && range[0] <= before[1] + 1) before[1] = Math.max(before[1], range[1]);
    else joined.push(range);
  }
  return joined;
}
var number = (text) => /^\d{1,4}$/.test(text) ? Number(text) : NaN;

// hub/config.ts
var ATTACH_KINDS = ["nic", "tap"];
var MIN_MTU = 68;
var DEFAULT_AGEING = 300;
var BRIDGE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,30}$/;
var INTERFACE_NAME = /^[^\s/:,=]{1,15}$/;
var MODE_OPTIONS = ["mode", "vlan", "native", "tagged", "qnq", "strict", "tpid"];
function parseListenAddress(text) {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const [, v6, v4, digits] = match ?? [];
  const port = Number(digits);
  const isAddress = v6 === void 0 ? v4 !== void 0 && isIPv4(v4) : isIPv6(v6);
  if (!isAddress || !(port <= 65535)) {
    throw new ConfigError(`"${text}" is no ADDRESS:PORT, as 0.0.0.0:2222 or [::]:2222`);
  }
  return { address: v6 ?? v4 ?? "", port };
}
function parseBridge(text) {
  const { first: name, options } = splitOptions(text, ["ageing"]);
  if (!BRIDGE_NAME.test(name)) {
    throw new ConfigError(
      `"${name}" is no bridge name: 1 to 31 letters, digits, "_", "-" and ".", beginning with a letter or digit`
    );
  }
  const ageing = Number(options["ageing"] ?? DEFAULT_AGEING);
  if (!/^\d+$/.test(options["ageing"] ?? "0") || ageing < 10 || ageing > 1e6) {
    throw new ConfigError(
      `bridge ${name}: ageing is 10 to 1000000 seconds (IEEE 802.1Q), not "${options["ageing"]}"`
    );
  }
  return { name, ageing };
}
function parseAttach(text) {
  const { first, options } = splitOptions(text, [...MODE_OPTIONS, "mtu"]);
  const match = /^([^=:]+)=([^=:]+):(.+)$/.exec(first);
  const [, bridge, kindText, argument] = match ?? [];
  if (bridge === void 0 || kindText === void 0 || argument === void 0) {
    throw new ConfigError(`"${text}" is no BRIDGE=KIND:INTERFACE, as private0=nic:eth1`);
  }
  const kind = ATTACH_KINDS.find((known) => known === kindText);
  if (!kind)
    throw new ConfigError(`"${text}": unknown kind "${kindText}"; known are ${ATTACH_KINDS.join(", ")}`);
  if (!INTERFACE_NAME.test(argument) || argument === "." || argument === "..") {
    throw new ConfigError(`"${text}": "${argument}" is no name of an interface (15 characters at most)`);
  }
  const { mtu, ...modeOptions } = options;
  const mode = Object.entries(modeOptions).map(([name, value]) => `${name}=${value}`).join(",");
  return {
    bridge,
    kind,
    argument,
    ...mode !== "" && { mode: checkedMode(text, mode) },
    ...mtu !== void 0 && { mtu: parseMtu(text, mtu) }
  };
}
function checkedMode(text, mode) {
  try {
    parsePortMode(mode);
    return mode;
  } catch (error) {
    throw new ConfigError(`"${text}": ${reasonOf(error)}`, { cause: error });
  }
}
function parseMtu(text, mtu) {
  const octets = Number(mtu);
  if (!/^\d+$/.test(mtu) || octets < MIN_MTU || octets > MAX_WIRE_FRAME) {
    throw new ConfigError(`"${text}": mtu is ${MIN_MTU} to ${MAX_WIRE_FRAME} octets, not "${mtu}"`);
  }
  return octets;
}
function splitOptions(text, known) {
  const [first = "", ...parts] = text.split(",");
  const options = {};
  for (const part of parts) {
    const equals = part.indexOf("=");
    const key = part.slice(0, Math.max(equals, 0));
    if (!known.includes(key)) {
      throw new ConfigError(`"${text}": unknown option "${key || part}"; known are ${known.join(", ")}`);
    }
    if (key in options) throw new ConfigError(`"${text}": ${key} is given twice`);
    options[key] = part.slice(equals + 1);
  }
  return { first, options };
}
var textOf = (parse) => z.string().transform((text, context) => {
  try {
    return parse(text);
  } catch (error) {
    context.addIssue(reasonOf(error));
    return z.NEVER;
  }
});
var ConfigFile = z.strictObject({
  data: z.string().min(1).optional().describe("Data directory, relative to this file"),
  ssh: textOf(parseListenAddress).optional().describe("ADDRESS:PORT of the SSH server, default 0.0.0.0:2222"),
  bridges: z.array(textOf(parseBridge)).default([]).describe("NAME[,ageing=SECONDS]"),
  attach: z.array(textOf(parseAttach)).default([]).describe("BRIDGE=KIND:INTERFACE[,OPTION=VALUE...]"),
  gateways: z.int().min(1).max(64).optional().describe("SSH server processes, default 2"),
  log: z.enum(LOG_LEVELS).optional().describe("Least level that is logged, default info")
});
function parseConfigFile(text, file) {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const where = (offset) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((fault) => `${where(fault.pos[0])}: ${fault.message}`).join("\n")
    );
  }
  let value;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new ConfigError(`${file}: ${reasonOf(error)}`, { cause: error });
  }
  const parsed = ConfigFile.safeParse(value);
  if (parsed.success) {
    const { data } = parsed.data;
    return { ...parsed.data, ...data !== void 0 && { data: resolve(dirname(file), data) } };
  }
  const faults = parsed.error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [{ path: issue.path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: `unknown setting` }));
  });
  const known = faults.map(({ path, message }) => {
    const offset = offsetOf(document, path);
    return { offset, text: `${where(offset)}: ${path.length > 0 ? `${path.join(".")}: ` : ""}${message}` };
  });
  throw new ConfigError(
    known.sort((a, b) => a.offset - b.offset).map((fault) => fault.text).join("\n")
  );
}
function offsetOf(document, path) {
  const parent = document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find((item) => isNode(item.key) && String(item.key) === String(path.at(-1))) : void 0;
  if (pair && isNode(pair.key)) return pair.key.range?.[0] ?? 0;
  const node = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] ?? 0 : 0;
}
function mergeConfig(args, file, defaultData) {
  const bridges = /* @__PURE__ */ new Map();
  for (const source of [file?.bridges ?? [], (args.bridge ?? []).map(parseBridge)]) {
    const seen = /* @__PURE__ */ new Set();
    for (const bridge of source) {
      if (seen.has(bridge.name)) throw new ConfigError(`bridge ${bridge.name} is named twice`);
      seen.add(bridge.name);
      bridges.set(bridge.name, bridge);
    }
  }
  const attach = [...file?.attach ?? [], ...(args.attach ?? []).map(parseAttach)];
  const taken = /* @__PURE__ */ new Map();
  for (const { bridge, kind, argument } of attach) {
    if (!bridges.has(bridge)) {
      throw new ConfigError(
        `cannot attach ${kind}:${argument} to ${bridge}: no such bridge (add --bridge ${bridge})`
      );
    }
    const other = taken.get(argument);
    if (other !== void 0)
      throw new ConfigError(`${argument} is attached twice, to ${other} and to ${bridge}`);
    taken.set(argument, bridge);
  }
  const gateways = args.gateways ?? file?.gateways ?? 2;
  if (!Number.isInteger(gateways) || gateways < 1 || gateways > 64) {
    throw new ConfigError("--gateways is a number from 1 to 64");
  }
  return {
    data: resolve(args.data ?? file?.data ?? defaultData),
    ssh: args.ssh === void 0 ? file?.ssh ?? { address: "0.0.0.0", port: 2222 } : parseListenAddress(args.ssh),
    bridges: [...bridges.values()],
    attach,
    gateways,
    log: args.log ?? file?.log ?? "info"
  };
}
export {
  ConfigFile,
  mergeConfig,
  parseAttach,
  parseBridge,
  parseConfigFile,
  parseListenAddress
};
