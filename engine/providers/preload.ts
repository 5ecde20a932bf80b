/** Loaded into the bundled providers' process before anything else (`node --require`). */
import { leanStart } from "../../common/lean-start";

leanStart("providers");
