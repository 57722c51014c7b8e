#!/usr/bin/env bash
# Installs libosdp (goToMain/libosdp, Apache-2.0), the OSDP stack that the conformance tests talk to, into
# test/conformance/.venv. Builds from source where no wheel fits: needs a C compiler, CMake and Python's venv module.
set -euo pipefail
cd "$(dirname "$0")"
version=3.2.9
if .venv/bin/python -c "import importlib.metadata as m; assert m.version('libosdp') == '$version'" 2>/dev/null; then exit 0; fi
python3 -m venv --clear .venv
.venv/bin/pip install --quiet --disable-pip-version-check "libosdp==$version"
