# Everything needs Node 20, 22, 24 or 26, npm and make; nothing else. `make lab` and `make test` are all that a newcomer needs.
SHELL := /bin/sh
HOMELAB := node orchestrator/bin/homelab

.PHONY: help lab lab-destroy lab-stop test test-rehearsals test-another-site test-node test-real nightly real-parts check bench clean ci-local preview-change lab-of-base clean-reports drift-report validate

help:
	@echo "make lab          install, start the lab, build all stacks of site/ in it"
	@echo "make test         install, run the tests that need only Node, except whole rehearsals: less than ten minutes on two cores"
	@echo "make test-rehearsals  whole rehearsals in a lab, which need only Node too: builds, kills, drift, another site, previews of a change"
	@echo "make test-another-site  what depends on the site, in a copy with a site by homelab init: PATHS=stacks; WITH=lab builds it too"
	@echo "make test-node    rehearsal and tests on another Node: NODE=22, 24 or 26 (npm brings it)"
	@echo "make nightly      all versions of Node, long fuzz, canary and mutation runs, recorded cases compared live"
	@echo "make test-real    the tests that need real programs (missing ones are named and skipped)"
	@echo "make real-parts   install those programs, as far as this machine allows (cached outside the checkout)"
	@echo "make check        lint, types, import rules, dead code, tests"
	@echo "make validate     whether the manifests in gitops/ are what the program renders"
	@echo "make ci-local     one job of the pipelines, in a clean copy of what is committed: JOB=check"
	@echo "make bench        measure the engine beside the real CLI, the rebuild and the no-change preview, objects of a cluster, and rendering beside kustomize"
	@echo "make lab-destroy  destroy all stacks in the lab"
	@echo "make lab-stop     stop the lab (its state is kept)"
	@echo "make clean        stop the lab and remove all that was made here"

# Installs when the lockfile is newer than the installed packages.
# --include=dev: with NODE_ENV=production npm would leave out the compiler.
node_modules/.package-lock.json: package-lock.json package.json
	@node build/node-version.cjs
	npm ci --include=dev --no-audit --no-fund --loglevel=error
	@touch $@

bin/.built: node_modules/.package-lock.json FORCE
	@node build/build.cjs

.PHONY: FORCE
FORCE:

lab: bin/.built
	@$(HOMELAB) lab start $(LAB_FLAGS)
	@$(HOMELAB) up --lab

lab-destroy: bin/.built
	@$(HOMELAB) destroy --lab

lab-stop: bin/.built
	@$(HOMELAB) lab stop

# Tests start in an environment of their own (tests/support/own-environment.cjs). NODE_OPTIONS is emptied here, since what it preloads into
# Node would run before that.
test: bin/.built
	HOMELAB_TEST_PART=quick NODE_OPTIONS= npx --no-install jest

# Those of tests/support/rehearsals.cjs. `npx jest` by itself runs these and the ones above.
test-rehearsals: bin/.built
	HOMELAB_TEST_PART=rehearsals NODE_OPTIONS= npx --no-install jest

# Proves that an adopter's site breaks no test of the product.
test-another-site: bin/.built
	node build/test-another-site.cjs $(if $(filter lab,$(WITH)),--lab) $(PATHS)

test-node: bin/.built
	node build/test-node.cjs $(NODE)

# What takes too long for every change. Each part runs, also after one that failed.
nightly: bin/.built
	node build/nightly.cjs

# These tests start and stop hosts and servers. The files run one after the other, so that two cores are enough.
test-real: bin/.built
	HOMELAB_TEST_REAL=1 NODE_OPTIONS= npx --no-install jest --runInBand

# One part or some: make real-parts PARTS=pulumi,vault
real-parts: bin/.built
	node build/real-parts.cjs install $(PARTS)

check: bin/.built
	npm run check

# A job of pipelines/jobs.ts.
ci-local: bin/.built
	@node bin/pipelines/ci-local.main.js "$(JOB)"

# What a pull request changes, in a lab in which its base is built; see pipelines/preview.sh.
BASE ?= $(or $(CI_MERGE_REQUEST_DIFF_BASE_SHA),$(shell git merge-base HEAD origin/main))
HEAD ?= .
OUT ?= preview
preview-change: bin/.built
	@sh pipelines/preview.sh "$(BASE)" "$(HEAD)" "$(OUT)"

lab-of-base: bin/.built
	@sh pipelines/preview.sh "$(BASE)"

# Deletes the reports that an earlier run of these jobs left on our own runner, so that none is taken for this run's.
REPORTS ?= drift plan up
clean-reports:
	rm -rf $(REPORTS)

# Writes files for `homelab issue`: what has drifted on the real homelab, or why that could not be checked. They have names only; with
# DRIFT_VALUES=true they have the fields' values too, which everybody can read who sees the repository.
drift-report: bin/.built
	@sh pipelines/attempt.sh drift/failure.txt $(HOMELAB) drift $(if $(filter true,$(DRIFT_VALUES)),,--names-only) --report drift/drift.json

# Whether the manifests in gitops/ are what the program renders.
validate: bin/.built
	@sh pipelines/validate.sh $(HOMELAB)

bench: bin/.built
	node bench/engine/run.mjs
	node bench/rebuild.mjs
	node bench/platform/run.mjs
	node bench/applications/run.mjs

clean:
	@if [ -f .lab/lab.json ] && [ -d node_modules ]; then $(HOMELAB) lab stop; fi
	rm -rf bin .lab .homelab node_modules
