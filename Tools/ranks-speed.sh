#!/bin/sh
# Measures how much faster several processes train on this machine, and what they send: a network for MNIST's sizes and LeNet, on random data.
#
#     Tools/ranks-speed.sh [ACT] [RANKS ...]
#
# The first column is plain act, then act -n for each number of ranks (1 2 by default), all with --threads 1: seconds of one training, the
# shortest of three. Use a release build on a machine that does nothing else.
act=${1:-.build/release/act}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- 1 2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT INT TERM

cat > "$folder/mnist.act" << 'PROGRAM'
seed(1); x = rand(6000, 784); y = randint(0, 10, 6000)
net = fit(Dense(784, 512, relu) >> Dense(512, 10), x, y, cross_entropy, Adam(0.001), epochs=2, batch=256, progress=false)
save(net, args[0])
PROGRAM
cat > "$folder/lenet.act" << 'PROGRAM'
seed(1); x = rand(2000, 1, 28, 28); y = randint(0, 10, 2000)
net = Conv2D(1, 6, 5, padding=2) >> relu >> MaxPool2D(2) >> Conv2D(6, 16, 5) >> relu >> MaxPool2D(2) >> Flatten() >> Dense(400, 120, relu) >> Dense(120, 84, relu) >> Dense(84, 10)
net = fit(net, x, y, cross_entropy, Adam(0.001), epochs=1, batch=256, progress=false)
save(net, args[0])
PROGRAM

# Seconds of the shortest of three runs.
shortest() {
    for _ in 1 2 3; do
        start=$(date +%s%N)
        "$act" "$@" > /dev/null || exit 1
        echo $(( ($(date +%s%N) - start) / 1000000 ))
    done | sort -n | head -n 1 | awk '{printf "%.2f", $1 / 1000}'
}

printf '%-8s %10s' program plain
for n in "$@"; do printf ' %10s' "-n $n"; done
printf '   same file\n'
for program in mnist lenet; do
    printf '%-8s %10s' "$program" "$(shortest --threads 1 "$folder/$program.act" "$folder/plain.safetensors")"
    for n in "$@"; do printf ' %10s' "$(shortest -n "$n" --threads 1 "$folder/$program.act" "$folder/$n.safetensors")"; done
    first=$1 same=yes
    for n in "$@"; do cmp -s "$folder/$first.safetensors" "$folder/$n.safetensors" || same=no; done
    printf '   %s\n' "$same"
done

# What goes over the sockets in a step: bytes that ranks write, of three more steps, by strace where it is.
if command -v strace > /dev/null; then
    bytes() {
        sed "s/epochs=[0-9]*/epochs=$2/; s/rand([0-9]*,/rand(256,/; s/randint(0, 10, [0-9]*)/randint(0, 10, 256)/" "$folder/$1.act" > "$folder/short.act"
        strace -f -e trace=write -o "$folder/calls" "$act" -n 2 --threads 1 "$folder/short.act" "$folder/x.safetensors" > /dev/null 2>&1
        awk '/write\([0-9]+,/ && $NF ~ /^[0-9]+$/ {sum += $NF} END {printf "%d", sum}' "$folder/calls"
    }
    for program in mnist lenet; do
        printf '%s: %s bytes written by both ranks in a step\n' "$program" "$(( ($(bytes "$program" 5) - $(bytes "$program" 2)) / 3 ))"
    done
fi
