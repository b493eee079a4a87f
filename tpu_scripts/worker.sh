#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
#
# The part that runs on every worker, in ~/vidgen-pod beside the files that setup.sh packed. Not for use by hand.
#
#   worker.sh idle                           fails if the run is going on
#   worker.sh install [GIT_URL GIT_COMMIT]   a Python environment with vidgen[tpu]; the experiment from git if asked
#   worker.sh start [NAME=VALUE ...] -- ...  'vidgen train ...' as a systemd unit; nothing if it runs already
#   worker.sh stop                           SIGTERM, upon which vidgen saves and ends
#   worker.sh status                         vidgen-worker HOST and bare, absent, running, stopped, finished or failed N
#
# A systemd unit survives the end of the ssh session, gets SIGTERM when the machine is taken away, keeps its exit
# status, and cannot be started twice on the same chips.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
HERE="$PWD" UNIT=vidgen-train LOG="$PWD/train.log"

say() { printf 'vidgen-worker %s %s\n' "$(hostname)" "$*"; }

unit() { systemctl show "$UNIT" --property="$1" --value 2>/dev/null || true; }

running() { [[ "$(unit SubState)" =~ ^(running|start|stop-sigterm)$ ]]; }

idle() {
  if running; then
    say "is training: 'launch.sh --stop' comes before a new setup" >&2
    exit 1
  fi
}

install() {
  if [[ $# -gt 0 ]]; then
    rm -rf experiment
    git clone --quiet "$1" experiment
    git -C experiment checkout --quiet --detach "$2"
  fi
  # The images bring Python 3.10 or no pip; uv brings both.
  PATH="$HOME/.local/bin:$PATH"
  if ! command -v uv >/dev/null; then
    curl --proto '=https' --tlsv1.2 -LsSf https://astral.sh/uv/install.sh | env UV_NO_MODIFY_PATH=1 sh
  fi
  [[ -x venv/bin/python ]] || uv venv --quiet --python 3.12 venv
  local constraint=()
  [[ ! -f requirements.lock ]] || constraint=(--constraint requirements.lock)
  uv pip install --quiet --python venv/bin/python ${constraint[@]+"${constraint[@]}"} "./vidgen[tpu]"
  # vidgen itself is what was copied; all else is pinned, so that a worker made next week computes the same.
  [[ -f requirements.lock ]] || uv pip freeze --python venv/bin/python | grep -v '^vidgen' >requirements.lock
  say "has $(venv/bin/vidgen --version)"
}

start() {
  if running; then
    say "is training already"
    return
  fi
  local environment=()
  while [[ "$1" != -- ]]; do
    environment+=("--setenv=$1")
    shift
  done
  shift
  sudo systemctl stop "$UNIT" 2>/dev/null || true
  sudo systemctl reset-failed "$UNIT" 2>/dev/null || true
  printf '== %s vidgen train %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >>"$LOG"
  # The TPU driver pins memory, more than a unit may by default.
  sudo systemd-run --quiet --unit="$UNIT" --uid="$(id -un)" --working-directory="$HERE/experiment" \
    --property=RemainAfterExit=yes --property=KillMode=mixed --property=TimeoutStopSec=300 \
    --property=LimitMEMLOCK=infinity --property=LimitNOFILE=1048576 \
    --property=StandardOutput="append:$LOG" --property=StandardError="append:$LOG" \
    ${environment[@]+"${environment[@]}"} "$HERE/venv/bin/vidgen" train "$@"
  say "started"
}

status() {
  local state
  state="$(unit SubState)"
  if [[ ! -x venv/bin/vidgen ]]; then say bare
  elif running; then say running
  elif [[ "$state" == exited ]]; then
    # vidgen ends with status 0 after SIGTERM too, and says in its last lines that the run is not over.
    if tail -n 5 "$LOG" | grep -q 'the same command goes on from here'; then say stopped; else say finished; fi
  elif [[ "$state" == failed ]]; then say "failed $(unit ExecMainStatus)"
  else say absent; fi
}

case "${1:-}" in
  idle | install | start | status) "$@" ;;
  stop) sudo systemctl stop "$UNIT" 2>/dev/null || true && say "stopped" ;;
  *) echo "worker.sh: idle, install, start, stop or status" >&2 && exit 2 ;;
esac
