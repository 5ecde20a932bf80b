/** The applications that run in dev, stg and prod, by environment. */
import { asciiFrontend } from "./ascii-frontend";
import { cksBackend } from "./cks-backend";
import { cksFrontend } from "./cks-frontend";
import { enqueuer } from "./enqueuer";
import { memorizer } from "./memorizer";
import { realstateScrapper } from "./realstate-scrapper";
import { writer } from "./writer";

const inEnvironment = <E extends "dev" | "stg" | "prod">(environment: E) =>
  ({
    enqueuer: enqueuer[environment],
    memorizer: memorizer[environment],
    writer: writer[environment],
    "ascii-frontend": asciiFrontend[environment],
    "realstate-scrapper": realstateScrapper[environment],
    "cks-backend": cksBackend[environment],
    "cks-frontend": cksFrontend[environment],
  }) as const;

export const applications = { dev: inEnvironment("dev"), stg: inEnvironment("stg"), prod: inEnvironment("prod") } as const;
