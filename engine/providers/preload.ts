/** Loaded into the bundled providers' process before anything else (`node --require`). */
import { enableCompileCache } from "../../common/compile-cache";

enableCompileCache("providers");
