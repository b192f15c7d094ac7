#!/usr/bin/env bash
# Builds (once) and runs the ONNX Runtime peer: run.sh NET THREADS [STEPS] [BATCH]. PyTorch's own exporter (python3-torch) writes the model
# when it is first asked for.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${ONNX_PEER_CACHE:-${TMPDIR:-/tmp}/convnet-peer-onnxruntime}
net=$1
mkdir -p "$out"
exec 9>"$out/lock"
flock 9
if [[ ! -e $out/ready || $here/Program.cs -nt $out/ready || $here/peer.csproj -nt $out/ready ]]; then
  cp "$here"/peer.csproj "$here"/Program.cs "$out"/
  (cd "$out" && dotnet build -c Release -v q --nologo -nodeReuse:false >&2 9>&-)
  touch "$out/ready"
fi
if [[ ! -e $out/$net.onnx || $here/../torch/nets.py -nt $out/$net.onnx ]]; then
  /usr/bin/python3 "$here/export.py" "$net" "$out/$net.onnx.new" >&2
  mv "$out/$net.onnx.new" "$out/$net.onnx"
fi
exec 9>&-
case $net in
  lenet | fashion-cnn) shape=(1 28) ;;
  own) shape=(3 40) ;;
  *) shape=(3 32) ;;
esac
exec dotnet "$out/bin/Release/net10.0/linux-x64/peer.dll" "$out/$net.onnx" "$2" "${3:-20}" "${4:-128}" "${shape[@]}"
