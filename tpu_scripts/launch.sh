#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'END'
usage: launch.sh POD.env [--restart | --stop | --status | --follow] [--dry-run]

Starts 'vidgen train EXPERIMENT --workdir WORKDIR ARGS' on all workers of all slices, where it goes on when you close
the terminal. Where it runs already, nothing changes. The same command resumes: if WORKDIR holds checkpoints, the run
goes on from the last.

options:
  --restart    stop first (each worker saves), then start
  --stop       stop; the run can be resumed
  --status     one line a worker
  --follow     show the log of the first worker as it grows, until Ctrl-C, which does not stop the run
  --dry-run    print the commands instead of running them
  -h, --help   show this page

examples:
  tpu_scripts/launch.sh pod.env
  tpu_scripts/launch.sh pod.env --follow
  tpu_scripts/launch.sh pod.env --stop
END
}

parse_command_line "$@"
[[ ${#OPTIONS[@]} -le 1 ]] || die "give one of --restart, --stop, --status, --follow"
what="${OPTIONS[0]:---start}"
worker="bash $REMOTE_DIR/worker.sh"
case "$what" in
  --start | --restart)
    need_run_settings
    arguments=("$REMOTE_EXPERIMENT" --workdir "$WORKDIR" ${ARGS[@]+"${ARGS[@]}"})
    start="$worker start $(quoted ${ENV[@]+"${ENV[@]}"} -- "${arguments[@]}")"
    # All workers stop before any starts: a new one must not meet an old one.
    [[ "$what" == --start ]] || pod_run "$worker stop" || die "stopping failed on some workers (see above)"
    pod_run "$start" || die "starting failed on some workers (see above); launch.sh --restart starts all anew"
    ;;
  --stop) pod_run "$worker stop" ;;
  --status) pod_run "$worker status" ;;
  --follow) first_run "tail -n 50 -F $REMOTE_DIR/train.log" ;;
  *) die "unknown option $what; see launch.sh --help" ;;
esac
