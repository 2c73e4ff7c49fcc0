#!/usr/bin/env bash
# Measures a stranger's first minutes: clone, install, start, upload, first gloss.
#   docs/examples/first_gloss.sh VIDEO [REPOSITORY]
# Uses an empty folder and an empty HOME, so that nothing of before helps; deletes both at the end.
set -euo pipefail
video=$(realpath "${1:?a video with a sign in it, such as hello.mp4, is needed}")
repository=${2:-$(git -C "$(dirname "$0")" rev-parse --show-toplevel)}
folder=$(mktemp -d)
up=
finish() {
    [ -z "$up" ] || { kill -INT "$up" 2>/dev/null && wait "$up" || true; }
    rm -rf "$folder"
}
trap finish EXIT
began=$(date +%s.%N)
passed() { awk -v a="$began" -v b="$(date +%s.%N)" -v said="$1" 'BEGIN { printf "%7.1f s  %s\n", b - a, said }'; }

mkdir "$folder/home"
export HOME=$folder/home XDG_CACHE_HOME=$folder/home/.cache PIP_NO_CACHE_DIR=1 SIGNSTREAM_PORT=${SIGNSTREAM_PORT:-0}
git clone --quiet "$repository" "$folder/signstream"
cd "$folder/signstream"
passed "cloned"
make up >"$folder/up.log" 2>&1 &
up=$!
until grep -q 'Signstream is ready: ' "$folder/up.log"; do
    kill -0 "$up" 2>/dev/null || { cat "$folder/up.log" >&2; exit 1; }
    sleep 0.1
done
passed "$(grep -o 'Signstream is ready: .*' "$folder/up.log")"
url=$(sed -n 's/^Signstream is ready: //p' "$folder/up.log")
session=$(curl -sS --fail --data-binary @"$video" "$url/videos" | sed 's/.*"session": *"\([^"]*\)".*/\1/')
# curl complains when nobody reads on; a server that refuses leaves the file empty.
curl -sN --fail --max-time 60 -H 'Accept: text/event-stream' "$url/sessions/$session/events" 2>/dev/null |
    grep -m1 '"status": *"final"' | grep -o '"gloss": *"[^"]*"' | head -1 | cut -d'"' -f4 >"$folder/gloss" || true
[ -s "$folder/gloss" ] || { echo "no gloss came of $video" >&2; exit 1; }
passed "first gloss: $(cat "$folder/gloss")"
