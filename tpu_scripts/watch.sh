#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'END'
usage: watch.sh POD.env [--interval=S] [--backoff=S] [--healthy=S] [--max-restarts=N] [--dry-run]

Looks after a run until it is finished: waits for the pod, sets it up and launches the run when it is there, asks for
it again when it was taken away, starts the run again when it failed. The run then goes on from its last checkpoint.
Ctrl-C stops the watching and nothing else; start it again at any time.

It ends with status 0 when all workers are done, and with 1 when vidgen refused its input, when the workers cannot be
reached, or after too many restarts in a row. It deletes a pod only to ask for it again, never at its end.

options:
  --interval=S       seconds between two looks (60)
  --max-restarts=N   restarts in a row, none of which trained for long, before it gives up (8)
  --backoff=S        wait before a restart, doubled each time up to half an hour (60)
  --healthy=S        seconds of training after which restarts are counted from nought again (3600)
  --dry-run          print the commands instead of running them
  -h, --help         show this page

examples:
  tpu_scripts/watch.sh pod.env
  nohup tpu_scripts/watch.sh pod.env > watch.log 2>&1 &
END
}

INTERVAL=60 BACKOFF=60 HEALTHY=3600 MAX_RESTARTS=8 MAX_WAIT=1800
parse_command_line "$@"
for option in ${OPTIONS[@]+"${OPTIONS[@]}"}; do
  [[ "$option" =~ ^--(interval|backoff|healthy|max-restarts)=([0-9]+)$ ]] ||
    die "unknown option $option; see watch.sh --help"
  case "${BASH_REMATCH[1]}" in
    interval) INTERVAL="${BASH_REMATCH[2]}" ;;
    backoff) BACKOFF="${BASH_REMATCH[2]}" ;;
    healthy) HEALTHY="${BASH_REMATCH[2]}" ;;
    max-restarts) MAX_RESTARTS="${BASH_REMATCH[2]}" ;;
  esac
done
need_run_settings

log() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }

# The other scripts, with this one's settings.
script() {
  local name="$1"
  shift
  "$TPU_SCRIPTS/$name.sh" "$POD_FILE" "$@"
}

# A worker that was just made has no worker.sh yet.
look="if [ -f $REMOTE_DIR/worker.sh ]; then bash $REMOTE_DIR/worker.sh status; else echo vidgen-worker new bare; fi"
restarts=0 running_since=0 unreachable=0 lost=0 last=""

# Counts a restart, gives up after too many in a row, and waits.
back_off() {
  restarts=$((restarts + 1))
  [[ "$restarts" -le "$MAX_RESTARTS" ]] || {
    log "gave up: $MAX_RESTARTS restarts in a row did not train for $HEALTHY s; fetch.sh gets the logs"
    exit 1
  }
  local wait="$BACKOFF" i
  for ((i = 1; i < restarts && wait < MAX_WAIT; i++)); do wait=$((wait * 2)); done
  [[ "$wait" -le "$MAX_WAIT" ]] || wait="$MAX_WAIT"
  log "restart $restarts of at most $MAX_RESTARTS in a row, in $wait s"
  running_since=0
  sleep "$wait"
}

recreate() {
  log "$NAME is $1: asking for it again"
  back_off
  pod_delete || log "could not delete $NAME; trying again"
}

# What to do with an active pod: look at its workers.
tend() {
  local lines="" states
  lines="$(pod_run "$look" | grep '^vidgen-worker ')" || lines=""
  if [[ -z "$lines" ]]; then
    unreachable=$((unreachable + 1))
    log "cannot reach all workers ($unreachable of 10)"
    # A firewall or a lost key must not cost a healthy pod: it is left as it is.
    [[ "$unreachable" -lt 10 ]] || {
      log "gave up: the workers cannot be reached by ssh; $NAME is left as it is"
      exit 1
    }
    return
  fi
  unreachable=0
  states="$(printf '%s\n' "$lines" | awk '{print $3}' | sort -u | tr '\n' ' ' | sed 's/ $//')"
  [[ "$states" == "$last" ]] || log "workers: $states"
  last="$states"
  case "$states" in
    "finished")
      log "finished: $WORKDIR; delete.sh ends the costs"
      exit 0
      ;;
    "running" | "finished running")
      local now
      now="$(date +%s)"
      [[ "$running_since" -ne 0 ]] || running_since="$now"
      [[ $((now - running_since)) -lt "$HEALTHY" ]] || restarts=0
      ;;
    *bare*)
      log "installing on the new workers"
      # Those that are not new may still wait for the ones that are gone.
      pod_run "if [ -f $REMOTE_DIR/worker.sh ]; then bash $REMOTE_DIR/worker.sh stop; fi" || true
      if script setup --keep; then script launch --restart || back_off; else back_off; fi
      ;;
    "absent") script launch || back_off ;;
    *)
      if printf '%s\n' "$lines" | grep -q ' failed 2$'; then
        log "gave up: vidgen refused its input; see the end of the log: launch.sh --follow"
        exit 1
      fi
      printf '%s\n' "$lines" | grep -v ' running$' || true
      back_off
      script launch --restart || log "could not launch; looking again"
      ;;
  esac
}

if [[ "$DRY_RUN" == yes ]]; then
  note "# at every look:"
  pod_state
  pod_run "$look"
  note "# after a preemption:"
  pod_delete
  for step in create "setup --keep" "launch --restart"; do
    # shellcheck disable=SC2086 # a step is a script and its option
    script $step --dry-run
  done
  exit 0
fi

log "watching $NAME; Ctrl-C stops the watching, not the run"
shown=""
while true; do
  read -r state word _ <<<"$(pod_state)"
  [[ "$state $word" == "$shown" ]] || log "pod: $state${word:+ ($word)}"
  shown="$state $word"
  [[ "$state" == LOST ]] || lost=0
  case "$state" in
    ABSENT) script create || back_off ;;
    ACTIVE) tend ;;
    FAILED) recreate "$word" ;;
    LOST)
      # Twice, since to ask for a pod again means to delete it.
      lost=$((lost + 1))
      [[ "$lost" -lt 2 ]] || { recreate "$word" && lost=0; }
      ;;
  esac
  sleep "$INTERVAL"
done
