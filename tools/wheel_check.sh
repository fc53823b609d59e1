#!/bin/sh
# Build the wheel, install it into an empty environment with the pinned runtime
# packages, and run the program from there, away from the checkout.
set -eu
cd "$(dirname "$0")/.."

venv=$(cd "${VENV:-.venv}" && pwd)
python=$venv/bin/python
pins=$PWD/requirements/runtime.txt
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 130' INT TERM
# What the caller's environment points at must not stand in for what the wheel lacks.
unset PYTHONPATH

echo 'wheel-check: building' >&2
"$python" -m pip --quiet --disable-pip-version-check wheel --no-deps --no-build-isolation --wheel-dir "$room/dist" .

echo 'wheel-check: installing into an empty environment' >&2
"$python" -m venv "$room/venv"
"$room/venv/bin/python" -m pip --quiet --disable-pip-version-check install --require-hashes -r "$pins"
"$room/venv/bin/python" -m pip --quiet --disable-pip-version-check install --no-deps --no-index "$room"/dist/*.whl
"$room/venv/bin/python" -m pip check

cd "$room"
"$room/venv/bin/python" - <<'PY'
from importlib.metadata import files
from importlib.util import find_spec

shipped = {str(path) for path in files("exchange-core")}
for package in ("exchange_core", "kraken_futures", "kraken_spot"):
    assert "site-packages" in find_spec(package).origin, f"{package} comes from outside of the wheel"
    assert f"{package}/py.typed" in shipped, f"{package}/py.typed is not in the wheel"
tops = {path.split("/")[0] for path in shipped if not path.startswith("..") and ".dist-info" not in path}
assert tops == {"exchange_core", "kraken_futures", "kraken_spot"}, f"the wheel holds {sorted(tops)}"
assert any(path.endswith("/LICENSE") for path in shipped), "the licence is not in the wheel"
PY

echo 'wheel-check: exchange venues' >&2
venues=$("$room/venv/bin/exchange" venues)
printf '%s\n' "$venues"
for plugin in kraken_futures kraken_spot; do
    case $venues in
    *"$plugin"*) ;;
    *) echo "wheel-check: exchange venues does not name $plugin" >&2 && exit 1 ;;
    esac
done
echo 'wheel-check: exchange demo' >&2
"$room/venv/bin/exchange" demo
