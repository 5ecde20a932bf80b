/** Calls of one plugin by gRPC. A failure becomes a ProviderError, which reports the plugin's crash if that was the cause. */
import { FAILURE_CODES_KEY, readCodes } from "../../common/failure-codes";
import { type Method, STATUS, statusName } from "../../common/grpc/messages";
import { CallFailed, UnaryClient } from "../../common/grpc/unary-client";
import type { PropertyMap } from "../wire/values";
import { missingKeys, ProviderError, partialOf } from "./provider-error";
import { crashOf, type RunningPlugin } from "./running-plugin";

export class ProviderCalls {
  readonly #client: UnaryClient;
  /** The resources that calls under way are about. */
  readonly #underWay = new Set<readonly PropertyMap[]>();

  constructor(
    private readonly packageName: string,
    private readonly plugin: RunningPlugin,
    /** Hides secrets in what the plugin wrote: those of the given maps, and what else it may know. */
    private readonly redact: (text: string, maps: readonly PropertyMap[]) => string,
  ) {
    this.#client = new UnaryClient(plugin.address);
  }

  /** @param maps what the request holds, for the report of a crash */
  async call<Req, Res>(method: Method<Req, Res>, request: Req, ...maps: PropertyMap[]): Promise<Res> {
    this.#underWay.add(maps);
    try {
      const reply = await this.#client.call(method, request);
      this.#underWay.delete(maps);
      return reply;
    } catch (thrown) {
      if (!(thrown instanceof CallFailed)) throw thrown;
      const { code, details, trailers } = thrown;
      if (code !== STATUS.UNAVAILABLE) this.#underWay.delete(maps);
      const keys = missingKeys(trailers);
      const prefix = code === STATUS.UNKNOWN ? "" : `rpc error: code = ${statusName(code)} desc = `;
      const message = keys.length > 0 ? keys.join("\n") : `${prefix}${details}`;
      const failed = new ProviderError(message, code, partialOf(trailers), false, readCodes(trailers[FAILURE_CODES_KEY]?.toString()));
      throw code === STATUS.UNAVAILABLE ? await this.#crashOr(failed) : failed;
    }
  }

  /** Takes no more calls. */
  close(): void {
    this.#client.close();
  }

  /** The property maps of calls under way. */
  mapsUnderWay(): PropertyMap[] {
    return [...this.#underWay].flat();
  }

  /** The crash of the plugin, where that is why a call failed. */
  async #crashOr(failed: ProviderError): Promise<ProviderError> {
    const crash = await crashOf(this.plugin, (text) => this.redact(text, this.mapsUnderWay()));
    if (crash === undefined) return failed;
    return new ProviderError(`the plugin of provider ${this.packageName} ${crash}`, failed.code, undefined, true);
  }
}
