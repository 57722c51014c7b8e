#!/usr/bin/env bash
# Installs the OSDP stacks of others that the conformance tests talk to into test/conformance/.venv: libosdp (goToMain/libosdp,
# Apache-2.0), built from source where no wheel fits, which needs a C compiler, CMake and Python's venv module; and, beside
# it because both are called `osdp`, the ACU of osdp-python (ryanhz/osdp-python, Apache-2.0).
set -euo pipefail
cd "$(dirname "$0")"
libosdp=3.2.9
osdp_python=1.6
has() { PYTHONPATH="${3:-}" .venv/bin/python -c "import importlib.metadata as m; assert m.version('$1') == '$2'" 2>/dev/null; }
if ! has libosdp "$libosdp"; then
  python3 -m venv --clear .venv
  .venv/bin/pip install --quiet --disable-pip-version-check "libosdp==$libosdp"
fi
if ! has osdp "$osdp_python" .venv/osdp-python; then
  rm -rf .venv/osdp-python
  .venv/bin/pip install --quiet --disable-pip-version-check --target .venv/osdp-python \
    "osdp==$osdp_python" pycryptodome==3.23.0 pyserial==3.5
fi
