#!/bin/sh
# A remediation plan as commands of the AWS CLI, written by trailscan.
#
#   sh plan.sh            runs the automatic actions: reversible, nothing is deleted
#   sh plan.sh ID ...     runs exactly the named actions, automatic or for review
#   DRY_RUN=1 sh plan.sh  reads, and shows the calls that it would make
#
# Read it first. An action for review runs only when it is named; what is left to
# a person is printed. trailscan plan --apply does the same with a journal and a
# way back; the runbook (--format md) has the commands that take each action back.
#
# Needs the AWS CLI and credentials that the intruder never had, of a principal
# that the plan does not touch. Where the plan spans accounts, name a profile for
# each: PROFILE_111122223333=name. The clock of this machine must be right: it says
# which tokens are older than the denial.
#
# What was done is kept in trailscan-DIGEST.done, so that running it again goes on
# where it stopped; evidence goes into files beside it. New passwords are shown
# once; while a command runs, other users of this machine can see its words.
# shellcheck disable=SC2034,SC2317,SC2329,SC2016,SC1003 # not every plan needs all; names are literal
set -eu
umask 077
export AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off

now=
item=
items=
said=
status=0
available=
done_now=
NEW_PASSWORD=

note() { printf '%s\n' "$*"; }
complain() {
	printf '%s\n' "$*" >&2
	status=1
}

# check_account ACCOUNT COMMAND: the credentials must be of the account, and not
# of the intruder.
check_account() {
	account=$1
	shift
	is=$("$@" sts get-caller-identity --query Account --output text) || is='no account'
	if [ "$is" != "$account" ]; then
		note "The credentials are of $is, not of account $account: its actions are left out. Set PROFILE_$account."
		return 0
	fi
	for part in Arn UserId; do
		caller=$("$@" sts get-caller-identity --query "$part" --output text)
		if in_lineage "$caller" || in_lineage "$(role_of "$caller")"; then
			note "The intruder holds $caller: use other credentials." >&2
			exit 1
		fi
	done
	available="$available $account"
}

# role_of ARN: the role of a session.
role_of() {
	case $1 in
	arn:*:sts::*:assumed-role/*)
		session=${1#*:assumed-role/}
		partition=${1#arn:}
		partition=${partition%%:*}
		number=${1%:assumed-role/*}
		printf 'arn:%s:iam::%s:role/%s' "$partition" "${number##*:}" "${session%%/*}"
		;;
	*) printf '%s' "$1" ;;
	esac
}

check_any() {
	if [ -z "$available" ]; then
		note 'No credentials for any account of the plan: nothing was done.' >&2
		exit 1
	fi
	for id in $chosen; do
		note "named: $id"
	done
}

finished() {
	case " $done_now " in *" $1 "*) return 0 ;; esac
	[ -f "trailscan-$plan.done" ] && grep -Fqx -- "$1" "trailscan-$plan.done"
}

record() {
	done_now="$done_now $id"
	[ -n "${DRY_RUN:-}" ] || printf '%s\n' "$id" >>"trailscan-$plan.done"
}

# take ACCOUNT ID MODE TITLE DEPENDENCY...: whether an action is to run now.
take() {
	account=$1 id=$2 mode=$3 title=$4
	shift 4
	if [ -n "$chosen" ]; then
		case " $chosen " in *" $id "*) ;; *) return 1 ;; esac
	elif [ "$mode" != auto ]; then
		note "[for review, not run] $id: $title"
		return 1
	fi
	if finished "$id"; then
		note "[done before] $id: $title"
		return 1
	fi
	case " $available " in *" $account "*) ;; *)
		complain "[left out: no credentials for account $account] $id: $title"
		return 1
		;;
	esac
	for dependency; do
		if ! finished "$dependency"; then
			complain "[blocked: $dependency is neither done nor named] $id: $title"
			return 1
		fi
	done
	note "[run] $id: $title"
}

by_hand() {
	[ -z "$chosen" ] || return 0
	note "[by hand] $1: $2"
	note "    $3"
	[ -z "$4" ] || note "    $4"
}

# attempt COMMAND...: makes a call that changes something.
attempt() {
	if [ -n "${DRY_RUN:-}" ]; then
		note "    would run: $*"
		return 0
	fi
	said=$("$@" 2>&1) && return 0
	printf '    %s\n' "$said" >&2
	return 1
}

# keep COMMAND...: keeps what a read says as evidence.
keep() {
	for pause in 2 5 10 0; do
		said=$("$@" 2>&1 >"trailscan-$plan-$id.json") && return 0
		case $said in *ReportInProgress* | *ReportNotPresent*) sleep "$pause" ;; *) break ;; esac
	done
	printf '    %s\n' "$said" >&2
	return 1
}

# limited: the last call was refused for a limit of AWS.
limited() {
	case $said in *LimitExceeded*) return 0 ;; esac
	return 1
}

# holds present|absent COMMAND...: whether a read says what it must. The read
# itself compares and answers true or false.
holds() {
	kind=$1
	shift
	if answer=$("$@" 2>&1); then
		[ "$answer" != false ] || return 1
		[ "$answer" = true ] || note '    The answer of a check is neither true nor false: look yourself.'
		return 0
	fi
	if [ "$kind" = absent ]; then
		case $answer in *NoSuch* | *NotFound* | *'does not exist'* | *'cannot be found'*) return 0 ;; esac
	fi
	printf '    %s\n' "$answer" >&2
	return 1
}

# settles: holds, after what AWS needs until a change is seen everywhere.
settles() {
	[ -z "${DRY_RUN:-}" ] || return 0
	for pause in 1 2 4 8 0; do
		holds "$@" && return 0
		sleep "$pause"
	done
	return 1
}

# list COMMAND...: reads names, one a line, into $items.
list() {
	items=$("$@") || return 1
	items=$(printf '%s\n' "$items" | tr '\t' '\n')
}

# named: $item is a name that can stand as an argument.
named() {
	case $item in
	'' | None) return 1 ;;
	-* | *://*)
		all=no
		complain "    left to you, an odd name: $item"
		return 1
		;;
	esac
}

new_password() {
	NEW_PASSWORD=$(LC_ALL=C tr -dc 'A-HJ-NP-Za-km-z2-9' </dev/urandom | head -c 24)-aA1
	[ -n "${DRY_RUN:-}" ] || note "    new password, shown once: $NEW_PASSWORD"
}

verified() {
	note '    done, and verified'
	record
}
unchecked() {
	note '    done; no read verifies it: look yourself'
	record
}
done_before() {
	note '    done before'
	record
}
drifted() { complain "    NOT DONE: the account is not as the logs say: look at $id"; }
unverified() { complain "    NOT VERIFIED: what depends on it is not run: look at $id"; }
failed() { complain "    FAILED: $id"; }

finish() {
	[ "$status" = 0 ] || note 'Not everything was done: see above.' >&2
	exit "$status"
}
