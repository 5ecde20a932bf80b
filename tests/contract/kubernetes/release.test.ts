/** Releases of charts: their inputs, and what the state keeps after an installation that succeeds, fails or is cut. */
import { ReleaseBench } from "./release/bench";
import { releaseHooks } from "./release/hooks";
import { releaseInputs } from "./release/inputs";
import { releaseLikeHelm } from "./release/like-helm";
import { releaseRecords } from "./release/records";
import { releaseRefusals } from "./release/refusals";

const bench = new ReleaseBench();
beforeAll(() => bench.start());
beforeEach(() => bench.startProvider());
afterEach(() => bench.plugin.close());
afterAll(() => bench.stop());

releaseInputs(bench);
releaseHooks(bench);
releaseLikeHelm(bench);
releaseRecords(bench);
releaseRefusals(bench);
