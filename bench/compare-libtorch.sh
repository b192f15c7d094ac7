#!/usr/bin/env bash
# Training speed against libtorch, in turns (A B A B ...), and the ratio of medians.
# Usage: bench/compare-libtorch.sh [ROUNDS] [BATCH]. Prints a table; the first run builds the peer.
set -euo pipefail
root="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
rounds="${1:-5}"
batch="${2:-64}"

median() {
  sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

ours() {
  "$root/convnet" bench engine --model "$1" --batch "$batch" --threads "$2" --steps 12 --json 2>/dev/null |
    sed -n 's/.*"trainImagesPerSecond":\([0-9.]*\).*/\1/p'
}

libtorch() {
  "$root/bench/peers/libtorch/run.sh" "$1" "$2" 12 "$batch" 2>/dev/null | sed -n 's/.* train images\/s median=\([0-9.]*\).*/\1/p'
}

echo "| net | threads | ours, images/s: rounds | libtorch, images/s: rounds | ratio of medians |"
echo "|---|---|---|---|---|"
for net in fashion-cnn resnet20 vgg11-bn; do
  for threads in 1 2; do
    a=()
    b=()
    for ((round = 0; round < rounds; round++)); do
      a+=("$(ours "$net" "$threads")")
      b+=("$(libtorch "$net" "$threads")")
    done
    ratio="$(awk -v a="$(printf '%s\n' "${a[@]}" | median)" -v b="$(printf '%s\n' "${b[@]}" | median)" 'BEGIN { printf "%.2f", a / b }')"
    printf '| %s | %s | %s | %s | %s |\n' "$net" "$threads" "$(printf '%.0f ' "${a[@]}")" "$(printf '%.0f ' "${b[@]}")" "$ratio"
  done
done
