# shellcheck shell=bash
# shellcheck disable=SC2153 # LINE is set by first_line.
# Step 2: speculative-execution mitigations off, by the kernel command line.
#
# The article's flags still parse, but more mitigations have come since, some of which keep the
# same instructions in place (VERW: mds, tsx_async_abort, mmio_stale_data and
# reg_file_data_sampling must all be off). So the flags follow from what this CPU is mitigated
# against, as /sys/devices/system/cpu/vulnerabilities says it: a file is there if the kernel knows
# the name. From 6.17 on, x86 has attack vectors, which say what to give up, not which patch.
step 2 mitigations '+28 %' 'speculative-execution mitigations off'

readonly VULNERABILITIES=/sys/devices/system/cpu/vulnerabilities
MITIGATIONS_PENDING=0 # Whether the running kernel was started without the flags.

# file: flag before 6.17: the attack vectors that keep the mitigation in place (from 6.17)
readonly MITIGATIONS_X86='
meltdown:pti=off:user_kernel
spectre_v1:nospectre_v1:user_kernel
spectre_v2:nospectre_v2:user_kernel guest_host
retbleed:retbleed=off:user_kernel guest_host
indirect_target_selection:indirect_target_selection=off:user_kernel guest_host
spec_rstack_overflow:spec_rstack_overflow=off:user_kernel guest_host user_user guest_guest
mds:mds=off:user_kernel guest_host user_user guest_guest
tsx_async_abort:tsx_async_abort=off:user_kernel guest_host user_user guest_guest
mmio_stale_data:mmio_stale_data=off:user_kernel guest_host user_user guest_guest
reg_file_data_sampling:reg_file_data_sampling=off:user_kernel guest_host user_user guest_guest
gather_data_sampling:gather_data_sampling=off:user_kernel guest_host user_user guest_guest
tsa:tsa=off:user_kernel guest_host user_user guest_guest'

# arm64 has names of its own, and no attack vectors.
readonly MITIGATIONS_ARM='
meltdown:kpti=off:
spectre_v2:nospectre_v2 nospectre_bhb:'

# Left alone, as in the article: l1tf, itlb_multihit, spec_store_bypass, srbds (they do not lie on
# the way of a system call), and vmscape, old_microcode, ghostwrite (which came later).

# mitigations_flags: FLAGS for this kernel, MITIGATED files that would change.
mitigations_flags() {
    local table=$MITIGATIONS_X86 line file flag vectors vector wanted=' '
    FLAGS='' MITIGATED=()
    [[ $ARCHITECTURE == x86_64 ]] || table=$MITIGATIONS_ARM
    while IFS=: read -r file flag vectors; do
        [[ $file ]] || continue
        first_line "$VULNERABILITIES/$file"
        line=$LINE
        if [[ $line != *Mitigation:* ]]; then
            # Taken away by these very flags? Then they stay in the list.
            [[ $line == Vulnerable* ]] || continue
            mitigations_given "$flag" || continue
        else
            MITIGATED+=("$file")
        fi
        FLAGS+="${FLAGS:+ }$flag"
        for vector in $vectors; do
            [[ $wanted == *" no_$vector "* ]] || wanted+="no_$vector "
        done
    done < <(printf '%s\n' "$table")
    # On x86 from 6.17 on.
    if [[ $ARCHITECTURE == x86_64 && $FLAGS ]] && ((KERNEL_NUMBER >= 617)); then
        FLAGS="mitigations=auto"
        for vector in user_kernel user_user guest_host guest_guest; do
            [[ $wanted != *" no_$vector "* ]] || FLAGS+=",no_$vector"
        done
    fi
}

# Whether the running kernel was started with what switches a mitigation off.
mitigations_given() {
    local word
    first_line /proc/cmdline
    for word in $1 mitigations=off; do
        [[ " $LINE " == *" $word "* ]] && return 0
    done
    [[ " $LINE " == *" mitigations="*",no_user_kernel"* ]]
}

# cmdline_merge LINE FLAGS: MERGED, where a flag takes the place of one with the same name.
cmdline_merge() {
    local word flag key
    MERGED=''
    for word in $1; do
        for flag in $2; do
            key=${flag%%=*}
            if [[ $word == "$key" || $word == "$key="* ]]; then
                continue 2
            fi
        done
        MERGED+="${MERGED:+ }$word"
    done
    MERGED+="${MERGED:+ }$2"
}

knobs_of_mitigations() {
    local file line what
    MITIGATIONS_PENDING=0
    if [[ ! -d $ROOT$VULNERABILITIES ]]; then
        missing 'kernel command line' '' 'this kernel has no list of vulnerabilities'
        return
    fi
    mitigations_flags
    first_line /proc/cmdline
    line=$LINE
    cmdline_merge "$line" "$FLAGS"
    if [[ ! $FLAGS ]]; then
        fact 'kernel command line' '' 'as it is' applied \
            'nothing to gain: no mitigation on the way of a system call is active on this CPU'
        return
    fi
    if [[ " $line " == *' mitigations=off '* ]]; then
        fact 'kernel command line' mitigations=off "$FLAGS" applied ''
        return
    fi

    if ((${#MITIGATED[@]} > 0)) && ! mitigations_all_given "$line"; then
        MITIGATIONS_PENDING=1
    fi
    what="would change: ${MITIGATED[*]:-nothing}"
    if [[ " ${MITIGATED[*]} " != *' meltdown '* && " ${MITIGATED[*]} " != *' mds '* ]] &&
        ((${#MITIGATED[@]} <= 3)); then
        what+="; little to gain on this CPU: neither page table isolation nor VERW is active"
    fi
    mitigations_bootline "$what"
    for file in "${MITIGATED[@]}"; do
        first_line "$VULNERABILITIES/$file"
        if ((MITIGATIONS_PENDING)) && [[ $BOOTLINE_WRITTEN ]]; then
            fact "$file" "$LINE" Vulnerable needs-reboot ''
        else
            fact "$file" "$LINE" Vulnerable differs 'by the kernel command line'
        fi
    done
}

mitigations_all_given() {
    local flag
    for flag in $FLAGS; do
        [[ " $1 " == *" $flag "* ]] || return 1
    done
}

# mitigations_bootline WHAT: the knob, where this host keeps its command line.
mitigations_bootline() {
    local place='' file
    BOOTLINE_WRITTEN=''
    if command -v grubby >/dev/null; then
        place=grubby
    elif [[ -f $ROOT/etc/default/grub ]]; then
        place=grub:/etc/default/grub
        # The last file that sets it wins; images for clouds set it in a file of their own.
        for file in "$ROOT"/etc/default/grub.d/*.cfg; do
            if [[ -f $file ]] && grep -q '^GRUB_CMDLINE_LINUX_DEFAULT=' -- "$file"; then
                place=grub:${file#"$ROOT"}
            fi
        done
    elif [[ -f $ROOT/etc/kernel/cmdline ]]; then
        place=kernel-cmdline
    fi
    if [[ ! $place ]]; then
        if ((MITIGATIONS_PENDING)); then
            fact 'kernel command line' '' "$FLAGS" differs \
                "$1; no boot loader that tune knows: add '$FLAGS' where yours is configured"
        else
            fact 'kernel command line' "$FLAGS" "$FLAGS" applied ''
        fi
        return
    fi
    if ! knob_read bootline "$place"; then
        fact 'kernel command line' '' "$FLAGS" unknown "$place: $CAUSE; add '$FLAGS'"
        return
    fi
    if [[ $place == grub:* ]] && ! command -v update-grub >/dev/null; then
        fact 'kernel command line' '' "$FLAGS" unsupported \
            "update-grub not found: Debian package grub2-common; add '$FLAGS' to ${place#grub:}"
        return
    fi
    cmdline_merge "$VALUE" "$FLAGS"
    if [[ $VALUE == "$MERGED" ]]; then
        BOOTLINE_WRITTEN=1
    fi
    if ((!MITIGATIONS_PENDING)) && [[ ! $BOOTLINE_WRITTEN ]]; then
        fact 'kernel command line' "$FLAGS" "$FLAGS" applied "by other means than $place"
        return
    fi
    knob bootline 'kernel command line' "$place" "$MERGED" security,global
    reason "add: $FLAGS; $1"
}
