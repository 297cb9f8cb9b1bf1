import {
  fingerprintOf,
  parsePublicKey,
  parsePublicKeyFile
} from "./chunk-QJL6MMER.js";
import "./chunk-XDT4WNIQ.js";
import "./chunk-KUUGODKJ.js";
export {
  fingerprintOf,
  parsePublicKey,
  parsePublicKeyFile
};
