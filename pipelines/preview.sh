#!/bin/sh
# preview.sh BASE HEAD OUT: what HEAD would change of the stacks that it concerns, shown in a lab in which BASE is built. HEAD is a checkout;
# BASE is one too, or a commit of HEAD's repository, which is checked out beside the lab.
# OUT/report.json is the preview's report; where it never came to that, OUT/failure.txt says why. The lab's files are in
# HOMELAB_LAB_DIR (default .homelab/preview-lab), and a lab that a run before has built from the same BASE (HOMELAB_LAB_DIR/built-from) is used again.
# preview.sh BASE: builds that lab alone.
# Exit code: the preview's.
set -eu
: "${HOMELAB_LAB_DIR:=.homelab/preview-lab}"
mkdir -p "$HOMELAB_LAB_DIR"
HOMELAB_LAB_DIR=$(cd "$HOMELAB_LAB_DIR" && pwd)
export HOMELAB_LAB_DIR
base=$1 head=${2:-$1} out=${3:-$HOMELAB_LAB_DIR}
mkdir -p "$out"
rm -f "$out/report.json" "$out/failure.txt"
log=$out/failure.txt

install() { [ -e "$1/node_modules" ] || (cd "$1" && npm ci --include=dev --no-audit --no-fund --loglevel=error); }
homelab() { (cd "$1" && shift && node orchestrator/bin/homelab "$@"); }
stop() { homelab "$head" lab stop >/dev/null 2>&1 || homelab "$base" lab stop >/dev/null 2>&1 || true; }
trap stop EXIT
# Runs a step. Where it fails, failure.txt has its standard error. The log of the run has everything.
attempt() {
  code=0
  "$@" 2>"$log" || code=$?
  cat "$log" >&2
  [ "$code" = 0 ] && rm -f "$log"
  return "$code"
}
check_out() {
  if [ -e "$2" ]; then git -C "$2" checkout --quiet --detach "$1"; else git -C "$head" worktree add --quiet --detach "$2" "$1"; fi
}

if [ ! -d "$base" ]; then
  attempt check_out "$base" "$HOMELAB_LAB_DIR.base"
  base=$HOMELAB_LAB_DIR.base
fi
revision=$(git -C "$base" rev-parse HEAD 2>/dev/null || echo unknown)
built=$(cat "$HOMELAB_LAB_DIR/built-from" 2>/dev/null || echo none)
if [ "$revision" = unknown ] || [ "$revision" != "$built" ]; then
  attempt install "$base"
  # shellcheck disable=SC2086 # several flags, or none
  attempt homelab "$base" lab start ${HOMELAB_LAB_FLAGS:-}
  attempt homelab "$base" up --lab --plain
  attempt homelab "$base" lab stop
  echo "$revision" >"$HOMELAB_LAB_DIR/built-from"
fi
[ $# -ge 3 ] || exit 0
# The stacks that the change concerns. The code of the engine and the providers is not among the inputs of a stack that are compared: where it
# differs, all stacks are shown.
choose() {
  if ! git -C "$head" cat-file -e "$revision^{commit}" 2>/dev/null; then
    echo "note: the head's repository does not have the base's commit $revision: all stacks are shown" >&2
  elif ! git -C "$head" diff --quiet "$revision" -- engine providers package-lock.json; then
    echo "note: the engine, the providers or the packages differ: all stacks are shown" >&2
  else
    echo "--affected $revision"
  fi
}
attempt install "$head"
# It takes the ports of the previous start: the address of the bastion is an input of what was built.
attempt homelab "$head" lab start
# shellcheck disable=SC2046 # two words, or none
attempt homelab "$head" preview --lab --plain $(choose) --report "$(cd "$out" && pwd)/report.json"
