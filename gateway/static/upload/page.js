/** The Upload page. */

import { open } from "/shell/shell.js";
import strings from "./strings.js";

open("upload", strings);
