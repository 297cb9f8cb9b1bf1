import {
  MAX_PASSWORD,
  PASSWORD_COST,
  checkPassword,
  hashPassword,
  needsRehash,
  verifyPassword
} from "./chunk-C7AZGVEG.js";
import "./chunk-KUUGODKJ.js";
export {
  MAX_PASSWORD,
  PASSWORD_COST,
  checkPassword,
  hashPassword,
  needsRehash,
  verifyPassword
};
