#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The server's part of `make demo`: three models behind one address, asked by curl, stopped by SIGTERM.
#   demo_server.sh OUT DETECTION ENCODER LANGUAGE_MODEL THREADS
set -uo pipefail
out=$1
rm -f "$out"/server.*
build/release/narae serve detection="$2" minilm="$3" smollm2="$4" --threads "$5" --http-port 0 --metrics-port 0 \
  >"$out/server.ready" 2>"$out/server.log" &
server=$!
trap 'kill -KILL $server 2>/dev/null' EXIT
for _ in $(seq 600); do
  [ -s "$out/server.ready" ] && break
  kill -0 $server 2>/dev/null || break
  sleep 0.1
done
[ -s "$out/server.ready" ] || { cat "$out/server.log"; exit 1; }
url=http://127.0.0.1:$(python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["http_port"])' <"$out/server.ready")

# ask WHAT PATH BODY PROGRAM: posts BODY and shows what the Python expression PROGRAM makes of the answer, `a`.
ask() {
  echo "$3" >"$out/server.body"
  curl -sS --fail-with-body -H 'Content-Type: application/json' --data-binary "@$out/server.body" "$url$2" >"$out/server.answer" || {
    echo "curl $2: $(cat "$out/server.answer")"
    return 1
  }
  python3 -c "import json, sys; a = json.load(sys.stdin); print('$1:', $4)" <"$out/server.answer"
}

zeros=$(python3 -c 'print([0.5] * (3 * 32 * 32))')
name=$(curl -sS "$url/v2/models/detection" | python3 -c 'import json, sys; print(json.load(sys.stdin)["inputs"][0]["name"])') || exit 1
ask "infer    " /v2/models/detection/infer \
  "{\"inputs\": [{\"name\": \"$name\", \"datatype\": \"FP32\", \"shape\": [1, 3, 32, 32], \"data\": $zeros}]}" \
  '"a map of", a["outputs"][0]["shape"]' || exit 1
ask "embedding" /v1/embeddings '{"model": "minilm", "input": ["A man is eating food.", "Someone has a meal.", "The sky is blue."]}' \
  '"a meal is %.2f like a man eating, the sky %.2f" % tuple(sum(x * y for x, y in zip(a["data"][0]["embedding"], d["embedding"])) for d in a["data"][1:])' || exit 1
ask "chat     " /v1/chat/completions \
  '{"model": "smollm2", "temperature": 0, "max_tokens": 40, "messages": [{"role": "user", "content": "Name three colors."}]}' \
  'a["choices"][0]["message"]["content"]' || exit 1
curl -sS "$url/metrics" >"$out/server.metrics" || exit 1
grep -E '^(nv_inference_request_success|narae_generation_tokens_total)\{' "$out/server.metrics"
kill -TERM $server
wait $server || { echo "the server ended with $?"; exit 1; }
echo "stopped"
