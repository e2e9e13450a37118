#!/bin/bash
# Makes .venv with the locked versions and the project itself, editable.
#
#   setup/environment.sh run|dev
#
# Does nothing when .venv already holds what requirements.lock and pyproject.toml ask for. An
# environment knows its own path, so one that was moved with its checkout is made anew.
set -euo pipefail

case "${1:-}" in
run) target='.[onnx]' ;;
dev) target='.[dev]' ;;
*)
    echo "usage: setup/environment.sh run|dev" >&2
    exit 2
    ;;
esac

state=$(cat requirements.lock pyproject.toml setup/environment.sh; pwd -P)
state=$(sha256sum <<<"$state")
is_done() { [[ -x .venv/bin/python && $(cat ".venv/$1.done" 2>/dev/null) == "$state" ]]; }

# The developer's environment holds everything that the program needs, and more.
if is_done dev || is_done "$1"; then
    exit 0
fi

home=$(.venv/bin/python -c 'import sys; print(sys.prefix)' 2>/dev/null || true)
if [[ ! -e .venv/whole || ($home != "$PWD/.venv" && $home != "$(pwd -P)/.venv") ]]; then
    python=$(setup/find_python.sh)
    rm -rf .venv
    echo "making the environment .venv with $python"
    "$python" -m venv .venv
    touch .venv/whole
fi
rm -f .venv/*.done
echo "installing packages into .venv (about 2.5 GB, some minutes)"
quiet=()
[[ -t 1 ]] || quiet=(--quiet --quiet)
.venv/bin/python -m pip --disable-pip-version-check --no-input install "${quiet[@]}" \
    --constraint requirements.lock --editable "$target"
# Python 3.11 and 3.12 read the editable install's path in the locale's encoding and do not even
# start under LC_ALL=C when it has a letter such as ö; relative to site-packages it has none.
for link in .venv/lib/python3*/site-packages/*affectscope.pth; do
    echo ../../../.. >"$link"
done
printf '%s\n' "$state" >".venv/$1.done"
