import {
  formatCount,
  formatTable,
  shorten
} from "./chunk-4ZY2Z4IC.js";
import "./chunk-GRKL7BDH.js";
import "./chunk-AZ2442GS.js";
import {
  ProtocolError
} from "./chunk-KUUGODKJ.js";

// hub/command/show-text.ts
import { z } from "zod";
var Drops = z.record(z.string(), z.number());
var PortStatus = z.looseObject({
  bridge: z.string(),
  number: z.number(),
  name: z.string(),
  description: z.string(),
  up: z.boolean(),
  /** `mode=access,vlan=10` */
  mode: z.string(),
  untaggedVlan: z.number(),
  qnq: z.number(),
  strict: z.union([z.number(), z.boolean()]),
  maxFrame: z.number(),
  counters: z.object({
    inFrames: z.number(),
    inOctets: z.number(),
    outFrames: z.number(),
    outOctets: z.number(),
    inDrops: Drops,
    outDrops: Drops
  })
});
var MacStatus = z.looseObject({
  bridge: z.string(),
  address: z.string(),
  vlan: z.number(),
  port: z.number(),
  ageSeconds: z.number()
});
function parse(schema, answer) {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, 3).map((issue) => issue.path.join("."));
  throw new ProtocolError(
    "malformed",
    `cannot read the hub's answer (${fields.join(", ")}): is it another version?`
  );
}
var parsePorts = (answer) => parse(z.array(PortStatus), answer);
var parseMacs = (answer) => parse(z.array(MacStatus), answer);
var WIDTH = 80;
var FRAMES = 10;
var OCTETS = 12;
function formatPorts(ports) {
  return byBridge(ports).map(([bridge, group]) => `${bridge}
${formatBridge(group)}`).join("\n\n");
}
function formatBridge(ports) {
  const cells = ports.map(({ number, up, counters }) => [
    String(number),
    up ? "up" : "down",
    formatCount(counters.inFrames, FRAMES),
    formatCount(counters.inOctets, OCTETS),
    formatCount(counters.outFrames, FRAMES),
    formatCount(counters.outOctets, OCTETS)
  ]);
  const headings = [">port", "state", ">in frames", ">octets", ">out frames", ">octets"];
  const [head = "", ...lines] = formatTable(headings, cells).split("\n");
  const figures = Math.max(head.length, ...lines.map((line) => line.length));
  const names = ports.map((port) => shorten(port.name, Math.max(WIDTH - figures - 2, 10)));
  const table = formatTable(
    [">port", "name", "state", ">in frames", ">octets", ">out frames", ">octets"],
    cells.map(([number = "", ...rest], i) => [number, names[i] ?? "", ...rest])
  ).split("\n");
  return table.flatMap((line, i) => [line, ...detailsOf(ports[i - 1])]).join("\n");
}
function detailsOf(port) {
  if (!port) return [];
  const { description, mode, counters } = port;
  const details = [];
  if (description !== "" && description !== port.name) details.push(description);
  if (mode !== "mode=transparent") details.push(mode);
  for (const [way, drops] of [
    ["in", counters.inDrops],
    ["out", counters.outDrops]
  ]) {
    const reasons = Object.entries(drops).map(([reason, count]) => `${reason} ${formatCount(count, FRAMES)}`);
    if (reasons.length > 0) details.push(...wrap(`drops ${way}: `, reasons));
  }
  return details.map((detail) => `      ${shorten(detail, WIDTH - 6)}`);
}
function wrap(title, items) {
  const lines = [];
  let line = title;
  for (const [i, item] of items.entries()) {
    const text = i < items.length - 1 ? `${item}, ` : item;
    if (line.length + text.length > WIDTH - 6) {
      lines.push(line.trimEnd());
      line = " ".repeat(title.length);
    }
    line += text;
  }
  return [...lines, line];
}
function formatMacs(macs) {
  return byBridge(macs).map(([bridge, group]) => {
    const rows = group.map((mac) => [
      mac.address,
      String(mac.vlan),
      String(mac.port),
      `${Math.round(mac.ageSeconds)} s`
    ]);
    return `${bridge}
${formatTable(["address", ">vlan", ">port", ">age"], rows)}`;
  }).join("\n\n");
}
function byBridge(rows) {
  const groups = /* @__PURE__ */ new Map();
  for (const row of rows) {
    const group = groups.get(row.bridge);
    if (group) group.push(row);
    else groups.set(row.bridge, [row]);
  }
  return [...groups];
}
export {
  formatMacs,
  formatPorts,
  parseMacs,
  parsePorts
};
