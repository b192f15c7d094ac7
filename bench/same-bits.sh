#!/usr/bin/env bash
# The promise through the command line: one job in 16 layouts, and stopped at step 17 and resumed elsewhere, ends in one hash.
# Usage: bench/same-bits.sh [MODEL]. Prints a table; exits with 1 if two hashes differ. Takes some minutes.
set -euo pipefail
root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
model="${1:-fashion-cnn}"
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT

hash_of() {
  sed -n 's/.*"stateSha256":"\([0-9a-f]*\)".*/\1/p' | tail -1
}

rate_of() {
  sed -n 's/.*"imagesPerSecond":\([0-9.]*\).*/\1/p' | tail -1
}

train() {
  "$root/convnet" train --model "$model" --steps 40 --batch 100 --data-shards 4 --json "$@"
}

echo "| workers | silos | threads | images/s | stateSha256 |"
echo "|---|---|---|---|---|"
for workers in 1 2 3 4; do
  for silos in 1 2; do
    for threads in 1 2; do
      last="$(train --workers "$workers" --silos "$silos" --threads "$threads" --out "$out/$workers-$silos-$threads" | tail -1)"
      hash="$(hash_of <<<"$last")"
      echo "$hash" >>"$out/hashes"
      printf '| %s | %s | %s | %.0f | %s |\n' "$workers" "$silos" "$threads" "$(rate_of <<<"$last")" "$hash"
    done
  done
done
train --stop-after 17 --out "$out/stopped" >/dev/null
hash="$("$root/convnet" resume "$out/stopped" --workers 3 --json | tail -1 | hash_of)"
echo "$hash" >>"$out/hashes"
echo "| stopped at step 17, then 3 | 1 | default | | $hash |"
[[ "$(sort -u "$out/hashes" | wc -l)" == 1 ]]
