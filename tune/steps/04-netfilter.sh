# shellcheck shell=bash
# Step 4: no netfilter. What counts is that no hook is registered: a module that is loaded and not
# hooked costs nothing. Rules of nft go with a flush; legacy iptables keeps its hooks until the
# module of the table is unloaded.
step 4 netfilter '+22 %' 'no rules, no hooks'

knobs_of_netfilter() {
    local service table family
    # They write rules whenever they like, and bring their own back when started again.
    for service in firewalld ufw; do
        if knob_read service "$service.service" && [[ $VALUE == running ]]; then
            knob service "$service" "$service.service" stopped security,connectivity,global
        fi
    done
    if knob_read service docker.service && [[ $VALUE == running ]]; then
        fact docker running 'without iptables' differs \
            'start dockerd with --iptables=false --ip-forward=false --bridge=none, containers on the host network'
    fi

    knob nft 'nft ruleset' ruleset empty security,connectivity
    for family in ip ip6; do
        if [[ -e $ROOT/proc/net/${family}_tables_names ]]; then
            knob iptables "legacy ${family}tables" "$family" empty security,connectivity
        fi
    done
    for family in ip ip6; do
        for table in filter nat mangle raw security; do
            if knob_read module "${family}table_$table" && [[ $VALUE == loaded ]]; then
                knob module "${family}table_$table" "${family}table_$table" absent \
                    security,connectivity,global
            fi
        done
    done
    netfilter_hooks
}

# What is left, whoever registered it; the kernel lists hooks from 5.14 on, if it was built so.
netfilter_hooks() {
    local line hooks='' rules=''
    command -v nft >/dev/null || return 0
    if cached nft -s list ruleset; then
        rules=$OUTPUT
    fi
    if ! cached nft list hooks; then
        errno_text "$OUTPUT"
        refused_read || true
        fact hooks '' none unknown "nft list hooks: $CAUSE"
        return
    fi
    if [[ ! $OUTPUT && $rules == *' hook '* ]]; then
        missing hooks none 'this kernel does not list its hooks'
        return
    fi
    while read -r line; do
        # Lines such as "+0000000000 chain inet filter input [nf_tables]"; security modules have
        # hooks too, which step 4 does not touch.
        [[ $line =~ ^[+-]?[0-9]+\ ([^ ].*)$ ]] || continue
        line=${BASH_REMATCH[1]}
        [[ $line == *selinux* || $line == *apparmor* || $line == *smack* ]] && continue
        hooks+="${hooks:+, }$line"
    done < <(printf '%s\n' "$OUTPUT")
    if [[ $hooks ]]; then
        fact hooks "$hooks" none differs 'still registered'
    else
        fact hooks none none applied 'as far as nft lists them'
    fi
}
