# shellcheck shell=bash
# persist: a systemd unit that applies at boot and reverts when it is stopped.

readonly UNIT=bareloop-tune.service

persist() {
    local unit path=$ROOT/etc/systemd/system/$UNIT temporary
    select_steps "${SELECTORS[@]}" # Names are checked now, not at boot.
    persist_unit
    if ((!PERSIST_WRITE)); then
        printf '%s\n' "$unit"
        return
    fi
    need systemctl systemd || fail "persist --write: $CAUSE"
    [[ ! -L $path ]] || fail "persist --write: $path is a symbolic link"
    temporary=$(mktemp -- "$path.XXXXXX") || fail "persist --write: cannot write beside $path"
    if ! { printf '%s\n' "$unit" >"$temporary" && chmod 644 -- "$temporary" &&
        sync -- "$temporary" && mv -fT -- "$temporary" "$path"; }; then
        rm -f -- "$temporary"
        fail "persist --write: $path cannot be written"
    fi
    if ! { systemctl daemon-reload && systemctl enable "$UNIT"; }; then
        fail "persist --write: systemctl refused"
    fi
    printf 'installed %s, enabled for the next boot; now: systemctl start %s\n' "$path" "$UNIT"
    printf 'undo: systemctl disable --now %s && rm %s && systemctl daemon-reload\n' "$UNIT" "$path"
}

persist_unit() {
    local options='' selector risk risks='' steps=''
    for selector in "${SELECTORS[@]}"; do
        systemd_word "$selector"
        steps+=" $WORD"
    done
    if [[ $IFACE ]]; then
        systemd_word "$IFACE"
        options+=" --iface $WORD"
    fi
    [[ ! $OPTION_NETNS ]] || options+=" --netns $OPTION_NETNS"
    [[ ! $OPTION_CPUS ]] || options+=" --cpus $OPTION_CPUS"
    for risk in "${!ACCEPTED[@]}"; do
        risks+="${risks:+,}$risk"
    done
    systemd_word "$OPTION_STATE"
    local state="--state $WORD"
    systemd_word "$TUNE"
    # Without --write-bootloader: the boot loader is not written at each boot. Without a timer:
    # there is nobody to confirm. What is unsupported (3) must not take the rest back.
    unit="[Unit]
Description=Host settings for Bareloop, steps$steps
Documentation=file:${TUNE%/*}/README.md
After=network-online.target irqbalance.service tuned.service NetworkManager.service
Wants=network-online.target
Before=bareloop.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$WORD apply$steps$options $state${risks:+ --accept $risks} --confirm-within 0 --keep-going
ExecStop=$WORD revert $state${OPTION_NETNS:+ --netns $OPTION_NETNS}
SuccessExitStatus=1 3

[Install]
WantedBy=multi-user.target"
}

# systemd_word TEXT: WORD, as one word of ExecStart.
systemd_word() {
    WORD=$1
    WORD=${WORD//\\/\\\\}
    WORD=${WORD//%/%%}
    WORD=${WORD//\$/\$\$}
    WORD=${WORD//\"/\\\"}
    if [[ $WORD =~ [^A-Za-z0-9_./:,%\$@+-] ]]; then
        WORD="\"$WORD\""
    fi
}
