#!/bin/sh
# Holds each environment's folder in gitops/ to what the program renders, also after one that differs, so that a run names them all.
#   validate.sh <homelab, as a command>
# Ends with the exit code of the last that differs (3) or could not be rendered.
code=0
found=no
for folder in gitops/*/; do
  [ -d "$folder" ] || continue
  found=yes
  "$@" render "$(basename "$folder")" --check || code=$?
done
[ "$found" = yes ] || echo "gitops/ has no environment: nothing to hold"
exit "$code"
