# shellcheck shell=bash
# shellcheck disable=SC2034 # The options are read in the other files.
# The command line.

readonly STATE_FILE_DEFAULT=/var/lib/bareloop-tune/state.json
readonly CONFIRM_SECONDS_DEFAULT=60
readonly CONFIRM_SECONDS_MAX=3600

VERB=''
SELECTORS=() # STEP arguments as given.
OPTION_IFACE=''
OPTION_NETNS=''
OPTION_CPUS=''
OPTION_PID=''
OPTION_STATE=''
declare -A ACCEPTED=() # Risks taken by --accept.
KEEP_GOING=0
WRITE_BOOTLOADER=0
FORCE=0
JSON=0
DRY_RUN=0
PERSIST_WRITE=0
CONFIRM_SECONDS=$CONFIRM_SECONDS_DEFAULT
TIMER_TOKEN='' # Only the dead-man timer passes it.

usage() {
    cat <<'USAGE'
tune [VERB] [STEP...] [OPTION...]

Verbs
  status         one row per knob: current, target, state, reason. Changes nothing. The default.
  plan           the commands that apply would run, in order, with the inverse of each; runs in sh
  apply          read, save the original, write, read back; for each knob that differs
  verify         like status, for the applied steps, with an exit status
  confirm        keep what is under the dead-man timer of steps 4 and 7
  revert         put the originals back, last change first
  persist        print a systemd unit that applies at boot and reverts when stopped
  measure, report, profile, trace, lab     each has its own --help

Steps, in the article's order
  1 application    JVM flags, server options, open files
  2 mitigations    kernel command line without speculative-execution mitigations
  3 audit          no system call audit, no seccomp
  4 netfilter      no rules, no hooks
  5 locality       queues, IRQs, XPS, RPS and workers on the same CPUs
  6 interrupts     moderation and busy polling
  7 listeners      no packet sockets (dhclient)
  8 qdisc          no qdisc lock
  9 last           GRO off, reno, static moderation
  10 settings      socket buffers, backlogs, open files
Write 5, 5-8, locality, all, all-safe (whatever needs no --accept), or one knob: 9/gro, '5/tx-*'.

Options
  --iface NAME          the network interface; default: the device of the default route
  --netns NAME          work in this network namespace
  --cpus LIST           CPUs in worker order, such as 0-3 or 0,2,1,3; default: all allowed ones
  --pid PID             also check this server process
  --state FILE          where originals are kept; default /var/lib/bareloop-tune/state.json
  --accept RISK         security, connectivity or global (for the host, from a namespace);
                        repeat, or separate by commas
  --keep-going          apply: go on after a failure
  --write-bootloader    apply 2: write the boot loader's configuration (else the line is printed)
  --confirm-within S    how long steps 4 and 7 stay without `tune confirm`; default 60, 0: no timer
  --dry-run             apply, revert: print the commands only
  --force               revert: also where someone else has changed the value since
  --write               persist: install the unit
  --json                status, verify, apply, revert: JSON
  --help

Exit status
  0 all as asked    1 something differs    2 an error    3 something is unsupported here
USAGE
}

options_parse() {
    local argument value
    while (($# > 0)); do
        argument=$1
        shift
        case $argument in
        --iface | --netns | --cpus | --pid | --state | --accept | --confirm-within | --timer-token)
            (($# > 0)) || fail "$argument: needs a value"
            option_value "$argument" "$1"
            shift
            ;;
        --*=*)
            value=${argument#*=}
            argument=${argument%%=*}
            option_value "$argument" "$value"
            ;;
        --keep-going) KEEP_GOING=1 ;;
        --write-bootloader) WRITE_BOOTLOADER=1 ;;
        --dry-run) DRY_RUN=1 ;;
        --force) FORCE=1 ;;
        --write) PERSIST_WRITE=1 ;;
        --json) JSON=1 ;;
        -h | --help)
            usage
            exit 0
            ;;
        -*) fail "$argument: no such option; tune --help lists them" ;;
        *)
            if [[ ! $VERB && $argument =~ ^[a-z]+$ ]] && option_verb "$argument"; then
                VERB=$argument
            else
                SELECTORS+=("$argument")
            fi
            ;;
        esac
    done
    if [[ ! $VERB ]]; then
        ((${#SELECTORS[@]} == 0)) || fail "${SELECTORS[0]}: no such verb; tune --help lists them"
        VERB=status
    fi
    OPTION_STATE=${OPTION_STATE:-${TUNE_ROOT:-}$STATE_FILE_DEFAULT}
    case $VERB in
    apply | plan | persist)
        ((${#SELECTORS[@]} > 0)) || fail "$VERB: which steps? Such as: tune $VERB all-safe"
        ;;
    esac
}

option_verb() {
    case $1 in
    status | plan | apply | verify | revert | confirm | persist) return 0 ;;
    measure | report | profile | trace | lab) fail "$1: put this verb first" ;;
    esac
    return 1
}

option_value() {
    local risk
    case $1 in
    --iface)
        iface_name_valid "$2" || fail "--iface: '$2' is no interface name"
        OPTION_IFACE=$2
        ;;
    --netns)
        [[ $2 =~ ^[A-Za-z0-9_.-]+$ && $2 != . && $2 != .. ]] || fail "--netns: '$2' is no name"
        OPTION_NETNS=$2
        ;;
    --cpus) OPTION_CPUS=$2 ;;
    --pid)
        [[ $2 =~ ^[1-9][0-9]{0,9}$ ]] || fail "--pid: '$2' is no process id"
        OPTION_PID=$2
        ;;
    --state)
        [[ $2 && $2 != */ ]] || fail "--state: needs a file name"
        OPTION_STATE=$2
        ;;
    --accept)
        for risk in ${2//,/ }; do
            case $risk in
            security | connectivity | global) ACCEPTED[$risk]=1 ;;
            *) fail "--accept: '$risk' is none of security, connectivity, global" ;;
            esac
        done
        ;;
    --confirm-within)
        if ! [[ $2 =~ ^[0-9]{1,4}$ ]] || ((10#$2 > CONFIRM_SECONDS_MAX)); then
            fail "--confirm-within: '$2' is not 0 to $CONFIRM_SECONDS_MAX seconds"
        fi
        CONFIRM_SECONDS=$((10#$2))
        ;;
    --timer-token) TIMER_TOKEN=$2 ;;
    *) fail "$1: no such option; tune --help lists them" ;;
    esac
}

iface_name_valid() {
    [[ $1 =~ ^[A-Za-z0-9_.:-]{1,15}$ && $1 != . && $1 != .. ]]
}
