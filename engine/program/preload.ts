/** Loaded into a program's process before the SDK (`node --require`): the program starts sooner and means the same. */
import { enableCompileCache } from "../../common/compile-cache";
import { CLOSURE_MODULES, deferModules } from "../../common/defer-module";

enableCompileCache("program");
deferModules(CLOSURE_MODULES);
