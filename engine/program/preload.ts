/** Loaded into a program's process before the SDK (`node --require`); see common/defer-module.ts. */
import { CLOSURE_MODULES, deferModules } from "../../common/defer-module";

deferModules(CLOSURE_MODULES);
