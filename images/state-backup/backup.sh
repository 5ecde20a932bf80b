#!/bin/bash
# One backup: every stack's state and the databases, each file encrypted to the recipients before it is written anywhere but to memory.
# The layout is what `homelab state restore --from <folder>` reads. Settings come as variables (components/platform/state-backup/values.ts).
set -euo pipefail
umask 077

stamp=$(date -u +%Y-%m-%dT%H-%M-%SZ)
# Names of backups, as rclone's filters have it.
day='[0-9][0-9]' && STAMPS="20$day-$day-${day}T$day-$day-${day}Z"
out=$BACKUP_WORK/$stamp
states=$BACKUP_MEMORY/states
rm -rf "$states"
mkdir -p "$out/states" "$out/postgres" "$states"

sealed() { age --encrypt --recipients-file "$BACKUP_RECIPIENTS" --output "$1"; }

# A state on S3 is replaced as a whole, so what is read is complete also while a run writes. Locks and history are left out.
rclone copy "states:$BACKUP_STATES/.pulumi/stacks" "$states" --include '*.json' --include '*.json.gz'
found=0
while IFS= read -r -d '' file; do
  name=$(basename "$file")
  if [ -e "$out/states/$name.age" ]; then
    echo "two projects in $BACKUP_STATES have $name: give each a folder of its own in PULUMI_BACKEND_URL, and say this one's (states.folder)" >&2
    exit 1
  fi
  sealed "$out/states/$name.age" < "$file"
  found=$((found + 1))
done < <(find "$states" -type f -print0 | sort -z)
rm -rf "$states"
if [ "$found" -eq 0 ]; then
  echo "there is no state in $BACKUP_STATES/.pulumi/stacks: say where PULUMI_BACKEND_URL has them (option states)" >&2
  exit 1
fi
echo "$found states"

for name in $BACKUP_DATABASES; do
  host=BACKUP_${name}_HOST database=BACKUP_${name}_DATABASE user=BACKUP_${name}_USER password=BACKUP_${name}_PASSWORD
  PGPASSWORD=${!password} PGSSLMODE=${BACKUP_SSLMODE:-require} pg_dump --format=custom --no-password \
    --host "${!host}" --username "${!user}" --dbname "${!database}" | sealed "$out/postgres/$name.dump.age"
  echo "database $name"
done

# The last file: a folder without it is half a backup.
( cd "$out" && find . -type f -print0 | sort -z | xargs -0 sha256sum ) > "$BACKUP_WORK/SHA256SUMS"
mv "$BACKUP_WORK/SHA256SUMS" "$out/SHA256SUMS"
printf '{"version":1,"site":"%s","takenAt":"%s"}\n' "$BACKUP_SITE" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$out/backup.json"

# One place that is down does not keep the backup from the others, but it fails the Job.
failed=""
for place in $BACKUP_PLACES; do
  bucket=BACKUP_${place}_BUCKET
  if rclone copy "$out" "$place:${!bucket}/$stamp" && rclone check --one-way --download "$out" "$place:${!bucket}/$stamp"; then
    echo "$place has $stamp"
    # Only older backups go, no other object of the bucket, and only where a newer one has just been read back.
    rclone delete --min-age "${BACKUP_KEEP_DAYS}d" --include "/$STAMPS/**" "$place:${!bucket}" || failed="$failed $place"
  else
    failed="$failed $place"
  fi
done
rm -rf "$out"
if [ -n "$failed" ]; then
  echo "not at every place:$failed" >&2
  exit 1
fi
