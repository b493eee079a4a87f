# shellcheck shell=bash disable=SC2034,SC2153 # one file sets what another uses
# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
#
# v4, v5e, v5p and v6e: queued resources of the Cloud TPU API. One request has one or several slices (its nodes), and a
# slice has one or several workers. Sourced by common.sh.

PLACE=()

check_backend() {
  PLACE=(--project="$PROJECT" --zone="$ZONE")
  [[ -z "${RESERVATION:-}" ]] || die "RESERVATION is for 7x; for $TYPE, TIER=reserved takes the project's reservation"
  if [[ -z "${RUNTIME:-}" ]]; then
    case "$TYPE" in
      v4:*) RUNTIME=tpu-ubuntu2204-base ;;
      v5e:*) RUNTIME=v2-alpha-tpuv5-lite ;;
      v5p:*) RUNTIME=v2-alpha-tpuv5 ;;
      v6e:*) RUNTIME=v2-alpha-tpuv6e ;;
    esac
  fi
}

slices() {
  local i
  if [[ "$SLICES" -eq 1 ]]; then printf '%s\n' "$NAME"; else
    for ((i = 0; i < SLICES; i++)); do printf '%s-%s\n' "$NAME" "$i"; done
  fi
}

pod_create() {
  local command=(gcloud compute tpus queued-resources create "$NAME" "${PLACE[@]}"
    --accelerator-type="$ACCELERATOR" --runtime-version="$RUNTIME")
  if [[ "$SLICES" -eq 1 ]]; then command+=(--node-id="$NAME"); else
    command+=(--node-count="$SLICES" --node-prefix="$NAME")
  fi
  case "$TIER" in spot) command+=(--spot) ;; reserved) command+=(--reserved) ;; esac
  [[ "$INTERNAL_IPS" == no ]] || command+=(--internal-ips)
  [[ -z "${SERVICE_ACCOUNT:-}" ]] || command+=(--service-account="$SERVICE_ACCOUNT")
  [[ -z "${NETWORK:-}" ]] || command+=(--network="$NETWORK")
  [[ -z "${SUBNETWORK:-}" ]] || command+=(--subnetwork="$SUBNETWORK")
  run "${command[@]}"
}

# Prints one of ABSENT, WAITING, ACTIVE, LOST, FAILED, UNKNOWN, then the service's own word and the accelerator type.
pod_state() {
  local describe=(gcloud compute tpus queued-resources describe "$NAME" "${PLACE[@]}"
    "--format=csv[no-heading](state.state,tpu.nodeSpec[0].node.acceleratorType)")
  local list=(gcloud compute tpus tpu-vm list "${PLACE[@]}" "--format=csv[no-heading](name.basename(),state)")
  if [[ "$DRY_RUN" == yes ]]; then
    quoted "${describe[@]}"
    quoted "${list[@]}"
    return
  fi
  local word type nodes node status=0
  ask "${describe[@]}" || status=$?
  case "$status" in 1) echo ABSENT && return ;; 2) echo UNKNOWN && return ;; esac
  word="${ANSWER%%,*}" type="${ANSWER#*,}"
  case "$word" in
    ACTIVE) ;;
    SUSPENDED) echo "LOST $word $type" && return ;;
    FAILED) echo "FAILED $word $type" && return ;;
    *) echo "WAITING $word $type" && return ;;
  esac
  # The request can stay ACTIVE for a while after one of its nodes was taken away.
  ask "${list[@]}" || { echo "UNKNOWN $word $type" && return; }
  nodes="$ANSWER"
  for node in $(slices); do
    case "$(printf '%s\n' "$nodes" | sed -n "s/^$node,//p")" in
      READY) ;;
      PREEMPTED | TERMINATED | STOPPED | STOPPING | DELETING | "") echo "LOST $node-is-gone $type" && return ;;
      *) echo "WAITING $node-not-ready $type" && return ;;
    esac
  done
  echo "ACTIVE $word $type"
}

# ssh and scp. Only the alpha track can go through Identity-Aware Proxy.
tpu_vm() {
  local verb="$1"
  shift
  if [[ "$INTERNAL_IPS" == yes ]]; then
    run gcloud alpha compute tpus tpu-vm "$verb" "$@" "${PLACE[@]}" --tunnel-through-iap
  else
    run gcloud compute tpus tpu-vm "$verb" "$@" "${PLACE[@]}"
  fi
}

slice_run() { tpu_vm ssh "$2" --worker=all --command="$1"; }

slice_copy() { tpu_vm scp "$1" "$2:" --worker=all; }

# Runs a shell command on every worker of every slice.
pod_run() {
  # shellcheck disable=SC2046 # names of slices have no spaces
  for_each slice_run "$1" -- $(slices)
}

# Copies a file into the home folder of every worker.
pod_copy() {
  # shellcheck disable=SC2046
  for_each slice_copy "$1" -- $(slices)
}

# Runs a shell command on the first worker alone.
first_run() { tpu_vm ssh "$(slices | head -n 1)" --worker=0 --command="$1"; }

# Copies a file of the first worker, named from its home folder, to here.
first_fetch() { tpu_vm scp "$(slices | head -n 1):$1" "$2" --worker=0; }

# What a half-made pod may leave: nothing.
delete_leftovers() { :; }

pod_delete() { run gcloud compute tpus queued-resources delete "$NAME" "${PLACE[@]}" --force --quiet; }
