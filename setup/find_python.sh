#!/bin/bash
# Prints a Python 3.11 or 3.12 that can make environments, or says in one line why there is none.
#
# $PYTHON, when set, is the only candidate. Each candidate is run, because a name on the PATH
# proves little: version managers leave shims behind for versions that are not active.
set -euo pipefail

candidates=(python3 python3.12 python3.11 /usr/bin/python3)
[[ -z ${PYTHON:-} ]] || candidates=("$PYTHON")

found=""
for candidate in "${candidates[@]}"; do
    version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
        continue
    case $version in
    3.11 | 3.12) ;;
    *)
        found="$found, $candidate is Python $version"
        continue
        ;;
    esac
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        "$candidate" -c 'import sys; print(sys.executable)'
        exit 0
    fi
    found="$found, $candidate lacks the package python$version-venv"
done

found=${found:-, none found}
echo "affectscope: Python 3.11 or 3.12 is needed (${found#, }):" \
    "install one, or name it as in \`make run PYTHON=/path/to/python3.12\`" >&2
exit 1
