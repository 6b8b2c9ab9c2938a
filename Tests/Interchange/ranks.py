"""Programs that several processes run, by every way to connect them that is found here: the same file to the bit.

    python3 Tests/Interchange/ranks.py [ACT]

`act -n` and TCP on this machine; Open MPI and MPICH where they are installed (Debian: openmpi-bin, mpich), MPICH as PyPI has it with its
own ABI and with the standard one, torchrun where torch is; two network namespaces as two machines where that is permitted. A rank that
fails, is interrupted or is killed must end all; how long that took is printed. What is missing is said and left out.
"""
import ctypes, glob, os, re, shutil, signal, subprocess, sys, tempfile, time

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
# Open MPI's launcher else waits a second before it ends what is left of a run: that would be its time, not ours.
COMMON = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_odls_base_sigkill_timeout": "0", "PRTE_MCA_odls_base_sigkill_timeout": "0",
}
# Both kinds of parameters, statistics, draws, a validation, batches that end unevenly.
TRAINING = """
seed(3); x = randn(300, 6); y = x @ randn(6, 1) + 0.1 * randn(300, 1)
net = Dense(6, 40, tanh, dtype="f32") >> BatchNorm(40) >> Dropout(0.2) >> Dense(40, 1)
net = fit(net, x, y, huber, AdamW(0.01, clip_norm=1), epochs=4, batch=37, validation=(x[:100], y[:100]))
trials = spread(k -> { print(k); {k: k, net: fit(Dense(6, 1), x, y, mse, SGD(0.01 * k), progress=false), draw: rand()} }, range(1, 6))
save((net, trials, all_sum(ranks()) == ranks()^2, rand()), args[0])
print(history(net).validation_loss[-1])
"""
ENDLESS = """
x = randn(200, 4); save(1, args[0]); fit(Dense(4, 1), x, x[:, :1], mse, epochs=1000000000, progress=false); save(2, args[1])
"""
failures = 0
# Seconds from what ended one rank to the end of all.
ends = {}


def check(condition, text):
    global failures
    if not condition:
        failures += 1
        print(f"FAILED {text}", flush=True)


def launchers():
    """(name, arguments for n ranks, environment, most ranks) of each way to start ranks."""
    yield "act -n", lambda n: [act, "-n", str(n), "--threads", "1"], {}, 8
    found = {}
    for program in ("mpirun.openmpi", "mpirun.mpich", "mpirun", "mpiexec"):
        path = shutil.which(program)
        if path:
            text = subprocess.run([path, "--version"], capture_output=True, text=True, env={**os.environ, **COMMON}).stdout
            found.setdefault("Open MPI" if "Open MPI" in text or "open-mpi" in text else "MPICH" if "HYDRA" in text else None, path)
    if "Open MPI" in found:
        yield "Open MPI", lambda n: [found["Open MPI"], "--oversubscribe", "-n", str(n), act, "--threads", "1"], {}, 4
    else:
        print("skipped: Open MPI (openmpi-bin) is not installed")
    # It looks for messages without a pause: more ranks than cores would take minutes.
    cores = max(2, os.cpu_count() or 2)
    if "MPICH" in found:
        yield "MPICH", lambda n: [found["MPICH"], "-n", str(n), act, "--threads", "1"], {}, cores
    else:
        print("skipped: MPICH (mpich) is not installed")
    own = os.path.join(sys.prefix, "bin", "mpiexec")
    for name, library in (("MPICH of PyPI", "libmpi.so.12"), ("the standard ABI", "libmpi_abi.so.1")):
        file = os.path.join(sys.prefix, "lib", library)
        if os.path.exists(own) and os.path.exists(file):
            yield name, lambda n: [own, "-n", str(n), act, "--threads", "1"], {"ACT_MPI_LIBRARY": file}, cores
        else:
            print(f"skipped: {name} (mpich from PyPI) is not installed")
    python = sys.executable
    if subprocess.run([python, "-c", "import torch.distributed.run"], capture_output=True).returncode == 0:
        run = [python, "-m", "torch.distributed.run", "--no-python", "--master-port", "29871"]
        yield "torchrun", lambda n: run + ["--nproc-per-node", str(n), act, "--threads", "1"], {}, 4
    else:
        print("skipped: torchrun (torch) is not installed")


def tcp(n, arguments, port, prefix=lambda rank: [], address="127.0.0.1"):
    """Ranks that were started one by one; gives their outputs and statuses, of rank 0 first."""
    processes = []
    for rank in reversed(range(n)):
        own = {"RANK": str(rank), "WORLD_SIZE": str(n), "MASTER_ADDR": address, "MASTER_PORT": str(port)}
        command = prefix(rank) + [act, "--threads", "1"] + arguments
        processes.append(subprocess.Popen(command, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    return [(process.communicate(timeout=120), process.returncode) for process in reversed(processes)]


def ranks_of(token):
    """The processes of act that a run has started, which are marked by a variable."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            variables = open(path, "rb").read()
            if b"ACT_TEST_RUN=" + token in variables and os.path.realpath(os.path.dirname(path) + "/exe") == os.path.realpath(act):
                found.append((int(path.split("/")[2]), variables))
        except OSError:
            pass
    # The launcher itself is no rank.
    marks = (b"\0ACT_RANK=", b"OMPI_COMM_WORLD_RANK=", b"PMI_RANK=", b"\0RANK=", b"PMIX_RANK=")
    return [pid for pid, variables in found if any(mark in b"\0" + variables for mark in marks)]


with tempfile.TemporaryDirectory() as folder:
    def path(name):
        return os.path.join(folder, name)

    def content(name):
        return open(path(name), "rb").read() if os.path.exists(path(name)) else b""

    for name, text in (("train.act", TRAINING), ("endless.act", ENDLESS)):
        open(path(name), "w").write(text)
    one = subprocess.run([act, "-n", "1", path("train.act"), path("one.safetensors")], capture_output=True, text=True)
    expected = content("one.safetensors")
    check(one.returncode == 0 and expected, f"one rank: {one.stderr}")
    counts = {}

    def compare(name, n, output, status):
        # (Launchers may say things of their own on standard error.)
        check(status == 0 and output == one.stdout, f"{name}, {n} ranks: status {status}, {output!r}")
        check(content("out.safetensors") == expected, f"{name}, {n} ranks: another file")
        counts.setdefault(name, []).append(n)
        if os.path.exists(path("out.safetensors")):
            os.unlink(path("out.safetensors"))

    for name, command, own, most in launchers():
        environment = {**os.environ, **COMMON, **own}
        for n in [n for n in (2, 3, 4, 8) if n <= most]:
            run = subprocess.run(
                command(n) + [path("train.act"), path("out.safetensors")], env=environment, capture_output=True, text=True, timeout=300)
            compare(name, n, run.stdout, run.returncode)
            if run.returncode:
                print(run.stderr[-2000:])
        # An error of one rank alone.
        program = 'if rank() == 1 { t = clock(); while clock() < t + 0.5 {}; error("boom {clock():.3f}") }; while true {}'
        run = subprocess.run(command(2) + ["-e", program], env=environment, capture_output=True, text=True, timeout=60)
        check(run.returncode != 0 and "boom" in run.stderr and "on rank 1 of 2" in run.stderr, f"{name}, an error: {run.stderr}")
        said = re.search(r"boom (\d+\.\d+)", run.stderr)
        took = [time.monotonic() - float(said[1])] if said else []
        # A rank that is interrupted or killed in the middle of an epoch, and all of them by their launcher.
        for number in (signal.SIGINT, signal.SIGKILL, None):
            token = f"{os.getpid()}-{len(counts)}-{number}".encode()
            for file in ("begun.json", "done.json"):
                if os.path.exists(path(file)):
                    os.unlink(path(file))
            process = subprocess.Popen(
                command(2) + [path("endless.act"), path("begun.json"), path("done.json")], env={**environment, "ACT_TEST_RUN": token.decode()},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            deadline = time.time() + 60
            while not os.path.exists(path("begun.json")) and time.time() < deadline:
                time.sleep(0.05)
            time.sleep(0.3)
            ranks, start = ranks_of(token), time.monotonic()
            check(len(ranks) == 2, f"{name}: {len(ranks)} ranks were found")
            if number is None:
                process.send_signal(signal.SIGINT)
            elif ranks:
                os.kill(max(ranks), number)
            text = process.communicate(timeout=60)[0]
            took.append(time.monotonic() - start)
            check(process.returncode != 0, f"{name}, signal {number}: status {process.returncode}, {text!r}")
            check(number != signal.SIGKILL or text.strip(), f"{name}, a killed rank: nothing is said")
            time.sleep(0.5)
            check(not ranks_of(token) and not os.path.exists(path("done.json")), f"{name}, signal {number}: something is left")
        ends[name] = took
        check(max(took) < 5, f"{name}: the end took {took} s")

    # A library that does not belong to the launcher knows of one process: each would take itself for the only one, and write.
    for program, library in (("mpirun.openmpi", "libmpich.so.12"), ("mpirun.mpich", "libmpi.so.40")):
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        if shutil.which(program):
            run = subprocess.run(
                [program, "-n", "2", act, "--threads", "1", path("train.act"), path("out.safetensors")], capture_output=True, text=True, timeout=60,
                env={**os.environ, **COMMON, "ACT_MPI_LIBRARY": library})
            said = "2 processes were started, and the library" in run.stderr or "`MPI_Init_thread` failed" in run.stderr
            check(run.returncode != 0 and said and not content("out.safetensors"), f"{program} with {library}: {run.returncode}, {run.stderr}")

    for n in (2, 4):
        results = tcp(n, [path("train.act"), path("out.safetensors")], 29600 + n)
        compare("TCP", n, results[0][0][0], max(status for _, status in results))
        check(all(output == "" and error == "" for (output, error), _ in results[1:]), "TCP: another rank wrote something")

    # Two machines: network namespaces with a cable between them.
    names, ip = [f"act{os.getpid()}{k}" for k in "ab"], shutil.which("ip")

    def network(*arguments):
        return subprocess.run([ip, *arguments], capture_output=True).returncode == 0

    if ip and network("netns", "add", names[0]):
        try:
            permitted = network("netns", "add", names[1]) and network(
                "link", "add", "veth0", "netns", names[0], "type", "veth", "peer", "name", "veth0", "netns", names[1])
            for k, name in enumerate(names):
                permitted = permitted and all(
                    network("-n", name, *arguments) for arguments in (
                        ("addr", "add", f"10.77.0.{k + 1}/24", "dev", "veth0"), ("link", "set", "veth0", "up"), ("link", "set", "lo", "up")))
            if permitted:
                def inside(rank):
                    return [ip, "netns", "exec", names[rank % 2]]

                for n in (2, 4):
                    results = tcp(n, [path("train.act"), path("out.safetensors")], 29700, inside, "10.77.0.1")
                    compare("two network namespaces", n, results[0][0][0], max(status for _, status in results))
            else:
                print("skipped: two network namespaces (no virtual cable is permitted)")
        finally:
            for name in names:
                network("netns", "del", name)
    else:
        print("skipped: two network namespaces (not permitted, or iproute2 is missing)")

    print("seconds to the end (an error, Ctrl-C for one rank, a killed one, Ctrl-C for all): " + "; ".join(
        f"{name}: {', '.join(f'{seconds:.2f}' for seconds in took)}" for name, took in ends.items()))
    print("; ".join(f"{name}: {', '.join(map(str, n))} ranks" for name, n in counts.items()) + ": " + ("one file" if not failures else "FAILURES"))
sys.exit(1 if failures else 0)
