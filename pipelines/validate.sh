#!/bin/sh
# Compares each environment's folder in gitops/ with what the program renders. It goes on after a folder that differs, so that it names all of them.
#   validate.sh <homelab, as a command>
# Ends with the exit code of the last that differs (3) or could not be rendered.
code=0
found=no
for folder in gitops/*/; do
  [ -d "$folder" ] || continue
  found=yes
  "$@" render "$(basename "$folder")" --check || code=$?
done
[ "$found" = yes ] || echo "gitops/ has no environment: nothing to compare"
exit "$code"
