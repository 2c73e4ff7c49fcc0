/** The Record page. */

import { open } from "/shell/shell.js";
import strings from "./strings.js";

open("record", strings);
