#!/bin/sh
# A method in shell: every frame becomes the clip's first. Put your own program where `edit` copies.
# vivid-bench starts it as `sh example.sh REQUESTS EDITS`, see example-shell.toml and contract.md.
requests=$1
edits=$2

edit() { # edit NAME FRAMES
    mkdir -p "$edits/$1" || return 1
    index=0
    while [ "$index" -lt "$2" ]; do
        frame=$(printf '%05d.png' "$index")
        cp "$requests/$1/source/00000.png" "$edits/$1/$frame" || return 1
        index=$((index + 1))
    done
}

echo "vivid-bench: ready" # the weights would be loaded by now

# Lines come while the program works; a name has no blanks or quotes. Programs that read standard input need </dev/null.
while read -r line; do
    name=$(printf '%s\n' "$line" | sed 's/.*"name": "\([^"]*\)".*/\1/')
    frames=$(printf '%s\n' "$line" | sed 's/.*"frames": \([0-9]*\).*/\1/')
    if edit "$name" "$frames"; then
        echo "vivid-bench: done $name"
    else
        echo "vivid-bench: failed $name cannot copy its first frame"
    fi
done <"$requests/requests.jsonl"
