import {
  AccountStore,
  checkUserName
} from "./chunk-CO5Q3EQP.js";
import "./chunk-AZ2442GS.js";
import "./chunk-KUUGODKJ.js";
export {
  AccountStore,
  checkUserName
};
