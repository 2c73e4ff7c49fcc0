#!/bin/sh
# fetch.sh FOLDER: MediaPipe Holistic for browsers, from npm, into FOLDER. The lock holds its hash, and no address.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
target=$(cd "$1" && pwd)
command -v npm >/dev/null || { echo "npm is missing. On Debian 12: sudo apt-get install npm" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$work/"
npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund
cd "$work/node_modules/@mediapipe/holistic"
# Of its networks only those of complexity 1, the server's own.
for name in holistic.binarypb holistic_solution_packed_assets.data holistic_solution_packed_assets_loader.js \
    holistic_solution_simd_wasm_bin.data holistic_solution_simd_wasm_bin.js holistic_solution_simd_wasm_bin.wasm \
    holistic_solution_wasm_bin.js holistic_solution_wasm_bin.wasm pose_landmark_full.tflite holistic.js; do
    install -m 644 "$name" "$target/$name"
done
