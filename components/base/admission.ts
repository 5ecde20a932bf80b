/** Waits until the webhooks of a release admit what they are asked about. */
import type { Clock } from "../../common/clock";
import { describeError, HomelabError } from "../../common/errors";
import { type Attempt, retry } from "../../common/retry";
import type { Answer, ClusterApi, Manifest } from "./cluster-api";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** What is asked, and until when. */
export interface AdmissionTask {
  /** Name of the release. */
  release: string;
  /** Valid objects: for each webhook one that it is asked about. */
  objects: readonly Manifest[];
  budgetSeconds: number;
}

/** The API's answer to the creation of the object as a dry run: nothing is stored. */
async function dryRun(api: ClusterApi, object: Manifest): Promise<Answer> {
  const path = await api.pathOf(object);
  if (path === undefined) return { status: 404, message: `the cluster has no kind ${object.kind} of ${object.apiVersion}`, body: undefined };
  return api.request("POST", `${path}?dryRun=All`, object);
}

/** Admitted; or an object of that name exists, which was admitted before. */
const isAdmitted = ({ status }: Answer): boolean => status < 300 || status === 409;
/** The API refuses for a reason that lasts: the object is wrong, or a webhook answers and says no. */
const isRefused = ({ status }: Answer): boolean => status >= 400 && status < 500 && status !== 404 && status !== 408 && status !== 429;

/**
 * Helm has installed a release when its pods are ready. For some moments more, the API server may not reach its webhooks, or not trust
 * them. An object that is created then is refused.
 * @throws HomelabError E_ADMISSION where a webhook does not admit its object in time, or refuses it
 */
export async function untilAdmitted(api: ClusterApi, { release, objects, budgetSeconds }: AdmissionTask, clock: Clock): Promise<void> {
  const deadline = clock.now() + budgetSeconds * 1000;
  for (const object of objects) {
    const what = `kind ${object.kind} of ${object.apiVersion}`;
    const again = ({ outcome, backoffMs }: Attempt<Answer>): number | undefined => {
      const settled = "value" in outcome && (isAdmitted(outcome.value) || isRefused(outcome.value));
      return settled || clock.now() + backoffMs > deadline ? undefined : backoffMs;
    };
    const answer = await retry(() => dryRun(api, object), { clock, firstMs: FIRST_WAIT_MS, longestMs: LONGEST_WAIT_MS, again }).catch((thrown: unknown) => {
      throw new HomelabError("E_ADMISSION", `release ${release}: the cluster's API gives no answer within ${budgetSeconds} s: ${describeError(thrown)}`, {
        cause: thrown,
        subject: release,
      });
    });
    if (isAdmitted(answer)) continue;
    throw new HomelabError(
      "E_ADMISSION",
      isRefused(answer)
        ? `release ${release}: the cluster refuses a valid object of the ${what}: ${answer.message}`
        : `release ${release}: its webhooks do not admit the ${what} within ${budgetSeconds} s: ${answer.message}`,
      {
        subject: release,
        hint: isRefused(answer)
          ? "look at the policies of the cluster, and run the stack again"
          : "look at the release's pods and their logs, and run the stack again",
      },
    );
  }
}
