import {
  printable
} from "./chunk-GRKL7BDH.js";

// hub/command/table.ts
function formatTable(headings, rows) {
  const titles = headings.map((heading) => heading.replace(/^>/, ""));
  const lines = [titles, ...rows].map((row) => row.map(printable));
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map(
    (line) => line.map((cell, column) => {
      const width = widths[column] ?? 0;
      return headings[column]?.startsWith(">") ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd()
  ).join("\n");
}
function formatCount(count, width) {
  let text = String(count);
  for (let i = 0, scaled = count; text.length > width && i < UNITS.length; i++) {
    scaled /= 1e3;
    text = `${scaled.toFixed(1)}${UNITS[i] ?? ""}`;
  }
  return text;
}
var UNITS = ["k", "M", "G", "T", "P"];
var shorten = (text, width) => text.length <= width ? text : `${text.slice(0, width - 1)}\u2026`;

export {
  formatTable,
  formatCount,
  shorten
};
