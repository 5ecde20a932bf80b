/** Loaded into a program's process before the SDK (`node --require`): the program starts sooner and means the same. */
import { leanStart } from "../../common/lean-start";

leanStart("program");
