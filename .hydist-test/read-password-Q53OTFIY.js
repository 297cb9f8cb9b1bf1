import {
  checkPassword
} from "./chunk-C7AZGVEG.js";
import {
  ConfigError
} from "./chunk-KUUGODKJ.js";

// hub/command/read-password.ts
var MAX_LINE = 4096;
async function readPasswordLine(context) {
  let text = "";
  for await (const chunk of context.stdin) {
    text += String(chunk);
    if (text.includes("\n") || text.length > MAX_LINE) break;
  }
  const [line = ""] = text.split(/\r?\n/);
  if (line === "") throw new ConfigError("no password on standard input");
  checkPassword(line);
  return line;
}
async function askNewPassword(context, user) {
  const { stdin } = context;
  if (!isTerminal(stdin)) {
    throw new ConfigError(
      "give --key FILE.pub, --password-stdin, or run this on a terminal to be asked for a password"
    );
  }
  const password = await askHidden(stdin, context.stderr, `Password for ${user}: `);
  checkPassword(password);
  if (await askHidden(stdin, context.stderr, "Once more: ") !== password) {
    throw new ConfigError("the two passwords differ");
  }
  return password;
}
var isTerminal = (stream) => "isTTY" in stream && stream.isTTY;
function askHidden(input, output, prompt) {
  return new Promise((resolve, reject) => {
    let line = "";
    const finish = () => {
      input.off("data", take);
      input.setRawMode(false);
      input.pause();
      output.write("\n");
    };
    const take = (chunk) => {
      for (const key of String(chunk)) {
        if (key === "\r" || key === "\n") {
          finish();
          resolve(line);
          return;
        }
        if (key === "" || key === "") {
          finish();
          reject(new ConfigError("given up"));
          return;
        }
        if (key === "\x7F" || key === "\b") line = line.replace(/.$/su, "");
        else if (key === "") line = "";
        else if (key >= " " && line.length < MAX_LINE) line += key;
      }
    };
    output.write(prompt);
    input.setRawMode(true);
    input.setEncoding("utf8");
    input.on("data", take);
    input.resume();
  });
}
export {
  askNewPassword,
  readPasswordLine
};
