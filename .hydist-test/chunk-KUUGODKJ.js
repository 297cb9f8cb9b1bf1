// net/base/errors.ts
var ConfigError = class extends Error {
  name = "ConfigError";
};
var ProtocolError = class extends Error {
  name = "ProtocolError";
  /** Stable, for machines: `unknown-bridge`, `version`, ... */
  code;
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }
};
var SystemError = class extends Error {
  name = "SystemError";
  code;
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }
};
var reasonOf = (error) => error instanceof Error ? error.message : String(error);

export {
  ConfigError,
  ProtocolError,
  SystemError,
  reasonOf
};
