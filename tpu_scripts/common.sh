# shellcheck shell=bash disable=SC2034,SC2153 # one file sets what another uses
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts of this folder share: settings and their checks, the command line, running and showing commands.
# Written for bash 3.2, which macOS still has. Sourced, not run.

TPU_SCRIPTS="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
POD_FILE="" DRY_RUN=no
REMOTE_DIR="vidgen-pod" # on every worker, in the home folder

note() { printf '%s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Prints its arguments as one line that a shell reads back as the same arguments.
quoted() {
  local argument line=""
  for argument in "$@"; do
    [[ "$argument" =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]] || argument="'$(printf '%s' "$argument" | sed "s/'/'\\\\''/g")'"
    line="$line${line:+ }$argument"
  done
  printf '%s\n' "$line"
}

# Runs a command, or under --dry-run shows it.
run() {
  if [[ "$DRY_RUN" == yes ]]; then quoted "$@"; else "$@"; fi
}

# Asks gcloud: ANSWER is what it says. Returns 1 if there is no such pod, 2 (with gcloud's words) if it cannot tell.
ask() {
  local errors status=0
  errors="$(mktemp)"
  ANSWER="$("$@" 2>"$errors")" || status=2
  if [[ "$status" -ne 0 ]]; then
    if grep -qiE "(queuedResources|instanceGroupManagers)/${NAME}[^/]*not found" "$errors"; then status=1; else
      cat "$errors" >&2
    fi
  fi
  rm -f "$errors"
  return "$status"
}

# The topologies that can be asked for, by the names that 'vidgen compile' takes, each with Google's accelerator type.
allowed_types() {
  local name cuboids="2x2x1=8 2x2x2=16 2x2x4=32 2x4x4=64 4x4x4=128 4x4x8=256 4x8x8=512 8x8x8=1024 8x8x16=2048
    8x16x16=4096 16x16x16=8192"
  local squares="1x1=1 2x2=4 2x4=8 4x4=16 4x8=32 8x8=64 8x16=128 16x16=256"
  for name in $cuboids; do printf 'v4:%s v4-%s\n' "${name%=*}" "${name#*=}"; done
  for name in $squares; do printf 'v5e:%s v5litepod-%s\n' "${name%=*}" "${name#*=}"; done
  for name in $cuboids 16x16x24=12288; do printf 'v5p:%s v5p-%s\n' "${name%=*}" "${name#*=}"; done
  for name in $squares; do printf 'v6e:%s v6e-%s\n' "${name%=*}" "${name#*=}"; done
  for name in $cuboids 16x16x24=12288; do printf '7x:%s tpu7x-%s\n' "${name%=*}" "${name#*=}"; done
}

# Reads the command line of every script: POD.env, --dry-run, --help; what else there is stays in OPTIONS.
parse_command_line() {
  OPTIONS=()
  local argument
  for argument in "$@"; do
    case "$argument" in
      -h | --help) usage && exit 0 ;;
      --dry-run) DRY_RUN=yes ;;
      -*) OPTIONS+=("$argument") ;;
      *) if [[ -z "$POD_FILE" ]]; then POD_FILE="$argument"; else OPTIONS+=("$argument"); fi ;;
    esac
  done
  load_settings
}

no_more_options() {
  [[ ${#OPTIONS[@]} -eq 0 ]] || die "unknown option ${OPTIONS[0]}; see $(basename "$0") --help"
}

load_settings() {
  [[ -n "$POD_FILE" ]] || die "give the file with the pod's settings: $(basename "$0") POD.env (copy pod.example.env)"
  [[ -f "$POD_FILE" ]] || die "there is no file $POD_FILE; copy $TPU_SCRIPTS/pod.example.env and fill it in"
  ARGS=() ENV=()
  # shellcheck source=/dev/null
  source "$POD_FILE"
  local setting
  for setting in PROJECT ZONE NAME TYPE; do
    [[ -n "${!setting:-}" ]] || die "$setting is not set: write $setting=... in $POD_FILE, or export it"
  done
  SLICES="${SLICES:-1}" TIER="${TIER:-on-demand}" INTERNAL_IPS="${INTERNAL_IPS:-no}"
  [[ "$NAME" =~ ^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$ ]] ||
    die "NAME=$NAME: take at most 40 small letters, digits and hyphens, the first a letter, the last no hyphen"
  [[ "$ZONE" =~ ^[a-z]+-[a-z]+[0-9]+-[a-z]$ ]] || die "ZONE=$ZONE is no zone; one looks like us-east5-a"
  [[ "$SLICES" =~ ^[1-9][0-9]*$ ]] || die "SLICES=$SLICES: give a number, 1 or more"
  case "$TIER" in on-demand | spot | reserved) ;; *) die "TIER=$TIER: take on-demand, spot or reserved" ;; esac
  case "$INTERNAL_IPS" in yes | no) ;; *) die "INTERNAL_IPS=$INTERNAL_IPS: take yes or no" ;; esac
  ACCELERATOR="$(allowed_types | sed -n "s/^${TYPE#tpu} //p")"
  if [[ -z "$ACCELERATOR" ]]; then
    die "TYPE=$TYPE is not one of these (in brackets Google's accelerator type):
$(allowed_types | sed 's/^\([^ ]*\) \(.*\)$/  \1 (\2)/')"
  fi
  TYPE="${TYPE#tpu}"
  # shellcheck source=backend_queued.sh
  case "$TYPE" in
    7x:*) source "$TPU_SCRIPTS/backend_group.sh" ;;
    *) source "$TPU_SCRIPTS/backend_queued.sh" ;;
  esac
  check_backend
  [[ "$DRY_RUN" == yes ]] || command -v gcloud >/dev/null ||
    die "gcloud is not installed; see https://cloud.google.com/sdk/docs/install"
}

need_run_settings() {
  [[ -n "${EXPERIMENT:-}" ]] || die "EXPERIMENT is not set: write EXPERIMENT=path/to/experiment.py in $POD_FILE"
  [[ -n "${WORKDIR:-}" ]] || die "WORKDIR is not set: write WORKDIR=gs://BUCKET/RUN in $POD_FILE"
  [[ "$WORKDIR" =~ ^gs://[^/]+/.+ ]] ||
    die "WORKDIR=$WORKDIR: workers lose their disks, so it must be in a bucket: gs://BUCKET/RUN"
  WORKDIR="${WORKDIR%/}"
  local entry
  for entry in ${ENV[@]+"${ENV[@]}"}; do
    [[ "$entry" =~ ^[A-Za-z_][A-Za-z_0-9]*= ]] || die "ENV holds an entry that is not NAME=VALUE"
    # Command lines are shown, logged and listed by ps: no place for a secret.
    shopt -s nocasematch
    [[ ! "${entry%%=*}" =~ (token|secret|password|credential|_key$) ]] ||
      die "ENV holds ${entry%%=*}, which looks like a secret; let the workers read it from Secret Manager instead"
    shopt -u nocasematch
  done
  if [[ -n "${GIT_URL:-}" ]]; then
    [[ ! "$GIT_URL" =~ ^[a-z+]+://[^/]*:[^/]*@ && ! "$GIT_URL" =~ ^https?://[^/]*@ ]] ||
      die "GIT_URL holds a user name or a token (not shown); copy the folder instead: leave GIT_URL out and set FOLDER"
    [[ "${GIT_COMMIT:-}" =~ ^[0-9a-f]{7,40}$ ]] || die "GIT_COMMIT must be the commit to check out, 7 to 40 hex digits"
    REMOTE_EXPERIMENT="$EXPERIMENT"
  else
    [[ -f "$EXPERIMENT" ]] || die "there is no file EXPERIMENT=$EXPERIMENT here (paths are relative to where you are)"
    FOLDER="$(cd "${FOLDER:-$(dirname "$EXPERIMENT")}" && pwd)" || die "there is no folder FOLDER=$FOLDER"
    local absolute
    absolute="$(cd "$(dirname "$EXPERIMENT")" && pwd)/$(basename "$EXPERIMENT")"
    [[ "$absolute" == "$FOLDER"/* ]] || die "EXPERIMENT=$EXPERIMENT is not inside FOLDER=$FOLDER, which is copied"
    REMOTE_EXPERIMENT="${absolute#"$FOLDER"/}"
  fi
}

# Runs 'COMMAND NODE' for each node at the same time, each one's output after the other's, and fails if any fails.
# Usage: for_each COMMAND [ARGUMENTS] -- NODES; the command finds its node as last argument.
for_each() {
  local command=()
  while [[ "$1" != -- ]]; do
    command+=("$1")
    shift
  done
  shift
  local node
  if [[ "$DRY_RUN" == yes ]]; then
    for node in "$@"; do "${command[@]}" "$node"; done
    return
  fi
  local output pids=() failed=() i=0
  local worker='s/.*on worker \([0-9]*\) failed with exit status \([0-9]*\).*/ worker \1 (exit status \2)/p'
  output="$(mktemp -d)"
  for node in "$@"; do
    "${command[@]}" "$node" >"$output/$node.out" 2>"$output/$node.err" &
    pids+=($!)
  done
  for node in "$@"; do
    if ! wait "${pids[$i]}"; then
      failed+=("$node$(sed -n "$worker" "$output/$node.err" | sort -u | tr '\n' ',' | sed 's/,$//')")
    fi
    cat "$output/$node.out"
    cat "$output/$node.err" >&2
    i=$((i + 1))
  done
  rm -rf "$output"
  [[ ${#failed[@]} -eq 0 ]] || {
    note "$(basename "$0"): failed on:"
    printf '  %s\n' "${failed[@]}" >&2
    return 1
  }
}
