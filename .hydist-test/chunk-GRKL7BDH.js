import {
  isRecord,
  textOr
} from "./chunk-AZ2442GS.js";

// hub/base/log.ts
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  watch,
  writeSync
} from "node:fs";
import { basename, dirname } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { pino } from "pino";
import pinoPretty from "pino-pretty";
var LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];
var MAX_LOG = 4 * 1024 * 1024;
var MAX_LINE = 64 * 1024;
var HEAD = 64;
var BoundedFile = class {
  #current;
  #old;
  #limit;
  constructor(path, limit = MAX_LOG) {
    this.#current = openPrivate(path, constants.O_APPEND);
    this.#old = openPrivate(`${path}.1`, 0);
    this.#limit = limit;
  }
  /** Appends a line; a full disk loses it. */
  write(line) {
    try {
      const { size } = fstatSync(this.#current);
      if (size > 0 && size + Buffer.byteLength(line) > this.#limit) this.#rotate(size);
      writeSync(this.#current, line);
    } catch {
    }
  }
  close() {
    closeSync(this.#current);
    closeSync(this.#old);
  }
  #rotate(size) {
    const text = Buffer.alloc(size);
    const length = readSync(this.#current, text, 0, size, 0);
    ftruncateSync(this.#old, 0);
    writeSync(this.#old, text, 0, length, 0);
    ftruncateSync(this.#current, 0);
  }
};
function openPrivate(path, flags) {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | flags, 384);
  fchmodSync(fd, 384);
  return fd;
}
var common = (process2, level) => ({
  level,
  base: { process: process2, pid: globalThis.process.pid },
  timestamp: pino.stdTimeFunctions.isoTime
});
function openChildLog(name, level = process.env["HYBRIDGE_LOG"] ?? "info") {
  return pino(common(name, level), new BoundedFile(`log/${name}.log`));
}
var CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
var printable = (text) => text.replace(CONTROL, "\uFFFD");
function openSupervisorLog(level, sink = {}) {
  const stream = sink.stream ?? process.stderr;
  if (stream.isTTY !== true) return pino(common("supervisor", level), stream);
  const pretty = pinoPretty({
    colorize: !(sink.env ?? process.env)["NO_COLOR"],
    destination: stream,
    ignore: "pid,process",
    translateTime: "SYS:HH:MM:ss.l",
    messageFormat: (line, key) => printable(`${textOr(line["process"], "")}: ${textOr(line[key], "")}`)
  });
  return pino(common("supervisor", level), pretty);
}
function relayLine(log, process2, line) {
  const { level, msg, time: _time, ...rest } = parseLine(line);
  const label = typeof level === "number" ? pino.levels.labels[level] : void 0;
  const known = LOG_LEVELS.find((name) => name === label);
  if (known === void 0) log.warn({ process: process2 }, printable(line));
  else log[known]({ ...rest, process: process2 }, printable(textOr(msg, "")));
}
function parseLine(line) {
  try {
    const fields = JSON.parse(line);
    return isRecord(fields) ? fields : {};
  } catch {
    return {};
  }
}
function followLog(path, onLine) {
  const tail = new LogTail(path, onLine);
  const name = basename(path);
  const watcher = watch(dirname(path), (_event, file) => {
    if (file === null || file === name) tail.read();
  });
  watcher.on("error", () => watcher.close());
  return watcher;
}
var LogTail = class {
  #path;
  #onLine;
  #chunk = Buffer.alloc(MAX_LINE);
  #offset = 0;
  #head = Buffer.alloc(0);
  #decoder = new StringDecoder("utf8");
  #partial = "";
  constructor(path, onLine) {
    this.#path = path;
    this.#onLine = onLine;
    withFile(path, (fd) => {
      this.#head = headOf(fd);
      this.#offset = fstatSync(fd).size;
    });
  }
  read() {
    withFile(this.#path, (fd) => {
      if (!this.#isSame(fd)) {
        withFile(`${this.#path}.1`, (old) => {
          if (this.#isSame(old)) this.#readFrom(old);
        });
        this.#offset = 0;
        this.#partial = "";
        this.#decoder = new StringDecoder("utf8");
      }
      this.#head = headOf(fd);
      this.#readFrom(fd);
    });
  }
  /** Whether the file begins with what we have read, and is not shorter. */
  #isSame(fd) {
    if (this.#offset === 0) return true;
    return fstatSync(fd).size >= this.#offset && headOf(fd).subarray(0, this.#head.length).equals(this.#head);
  }
  #readFrom(fd) {
    for (; ; ) {
      const length = readSync(fd, this.#chunk, 0, this.#chunk.length, this.#offset);
      if (length === 0) return;
      this.#offset += length;
      const lines = (this.#partial + this.#decoder.write(this.#chunk.subarray(0, length))).split("\n");
      this.#partial = (lines.pop() ?? "").slice(0, MAX_LINE);
      for (const line of lines) this.#onLine(line.slice(0, MAX_LINE));
    }
  }
};
function headOf(fd) {
  const head = Buffer.alloc(HEAD);
  return head.subarray(0, readSync(fd, head, 0, HEAD, 0));
}
function withFile(path, use) {
  let fd;
  try {
    fd = openSync(path, "r");
  } catch {
    return;
  }
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}

export {
  LOG_LEVELS,
  openChildLog,
  printable,
  openSupervisorLog,
  relayLine,
  followLog
};
