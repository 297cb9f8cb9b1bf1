// hub/base/unknown.ts
var isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
var textOr = (value, otherwise) => typeof value === "string" ? value : otherwise;
var errnoOf = (error) => error instanceof Error && "code" in error ? textOr(error.code, "EIO") : "EIO";

export {
  isRecord,
  textOr,
  errnoOf
};
