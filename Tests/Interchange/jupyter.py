"""act as a kernel of Jupyter, driven by Jupyter's own programs.

    python3 Tests/Interchange/jupyter.py [ACT]

Installs the kernel into a folder of its own; runs jupyter_kernel_test; runs a page of the tutorial as a notebook through nbclient and makes
HTML of it with nbconvert; looks whether a loop without end is interrupted, whether a cell with a fault aborts those behind it, and how long
starting and a cell take. With jupyterlab and playwright installed and a Chromium on the path, a notebook is run in the browser too, and a picture of it
is left in the folder that ACT_PICTURES names. Needs jupyter_kernel_test, nbclient, nbconvert.
"""
import glob, json, os, queue, re, shutil, statistics, subprocess, sys, tempfile, time, unittest

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
prefix = tempfile.mkdtemp(prefix="act-jupyter-")
subprocess.run([act, "jupyter", "install", "--prefix", prefix], check=True, stdout=subprocess.DEVNULL)
os.environ["JUPYTER_PATH"] = os.path.join(prefix, "share", "jupyter")
os.environ["JUPYTER_DATA_DIR"] = os.path.join(prefix, "data")
os.environ["JUPYTER_RUNTIME_DIR"] = os.path.join(prefix, "runtime")
os.environ["JUPYTER_CONFIG_DIR"] = os.path.join(prefix, "config")

import jupyter_kernel_test
import nbformat
from jupyter_client.manager import KernelManager, start_new_kernel
from nbclient import NotebookClient
from nbconvert import HTMLExporter


class Protocol(jupyter_kernel_test.KernelTests):
    """Jupyter's tests of kernels, with programs of act."""

    kernel_name, language_name, file_extension = "act", "act", ".act"
    code_hello_world = 'print("hello, world")'
    code_stderr = "y = log(-1);"
    completion_samples = [{"text": "sigm", "matches": {"sigmoid"}}, {"text": "\\sigma", "matches": {"σ"}}]
    complete_code_samples = ["1 + 1", "f(x) = {\n    x\n}", "?relu"]
    incomplete_code_samples = ["f(x) = {", "(1 +", '"""a']
    invalid_code_samples = ["x = )", "def f(x):"]
    code_generate_error = "nothing_there"
    code_execute_result = [{"code": "6 * 7", "result": "42"}, {"code": "[1, 2] * 2", "result": "[2, 4]"}]
    code_display_data = [{"code": "show(plot(relu))", "mime": mime} for mime in ("image/svg+xml", "text/plain")]
    code_history_pattern = "6*7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "sigmoid"


def check(what, isRight, found=""):
    print(("ok     " if isRight else "WRONG  ") + what, found)
    failures.extend([] if isRight else [what])


def outputs(client, request, seconds=60):
    found = []
    while True:
        message = client.get_iopub_msg(timeout=seconds)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return found
        found.append(message)


def run(client, code, seconds=60):
    request = client.execute(code)
    found = outputs(client, request, seconds)
    reply = client.get_shell_msg(timeout=seconds)
    while reply["parent_header"].get("msg_id") != request:
        reply = client.get_shell_msg(timeout=seconds)
    return reply["content"], found


def notebook(page):
    """A page of the tutorial as a notebook: its blocks of act as cells, what is between as text."""
    book = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "act", "display_name": "act", "language": "act"}})
    parts = re.split(r"```act\n(.*?)```\n", open(page).read(), flags=re.S)
    for index, part in enumerate(parts):
        if part.strip():
            book.cells.append(nbformat.v4.new_code_cell(part.rstrip("\n")) if index % 2 else nbformat.v4.new_markdown_cell(part))
    return book


def conversations():
    start = time.perf_counter()
    manager, client = start_new_kernel(kernel_name="act")
    reply, found = run(client, "6 * 7")
    first = time.perf_counter() - start
    check("the first result", found[-1]["content"]["data"]["text/plain"] == "42", f"{first:.2f} s after the start")
    times = []
    for number in range(300):
        begin = time.perf_counter()
        run(client, f"{number} + 1")
        times.append(time.perf_counter() - begin)
    print(f"       a cell takes {1000 * statistics.median(times):.1f} ms (median), {1000 * max(times):.1f} ms at most")

    for how in ("message", "signal"):
        request = client.execute("while true { }")
        time.sleep(0.5)
        begin = time.perf_counter()
        manager.interrupt_kernel() if how == "message" else os.kill(manager.provisioner.pid, 2)
        reply = client.get_shell_msg(timeout=20)["content"]
        outputs(client, request)
        check(f"an interrupt by {how}", reply["status"] == "error", f"{1000 * (time.perf_counter() - begin):.0f} ms")
        check("the next cell", run(client, "1 + 1")[1][-1]["content"]["data"]["text/plain"] == "2")

    # The fault comes when the others are on their way.
    slow = "n = 0\nwhile n < 1e7 { n += 1 }\nnothing_there"
    requests = [client.execute(code) for code in (slow, "x = 1", "y = 2")]
    replies = [client.get_shell_msg(timeout=20)["content"]["status"] for _ in requests]
    check("cells behind a fault", replies == ["error", "aborted", "aborted"], replies)
    for request in requests:
        outputs(client, request)

    reply, found = run(client, "X = randn(256, 2)\nnet = fit(Dense(2, 1), X, X[:, 0:1], loss=mse, optimizer=SGD(0.1), epochs=3)")
    displays = [message["msg_type"] for message in found if message["msg_type"].endswith("display_data")]
    check("training is one display", displays[:1] == ["display_data"] and set(displays[1:]) <= {"update_display_data"}, len(displays))

    manager.restart_kernel(now=False)
    client.wait_for_ready(timeout=20)
    check("a restart forgets", run(client, "x")[0]["status"] == "error")
    client.stop_channels()
    manager.shutdown_kernel()
    check("shutdown", not manager.is_alive())

    manager = KernelManager(kernel_name="act", transport="ipc")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=20)
    check("sockets of the file system", run(client, "6 * 7")[1][-1]["content"]["data"]["text/plain"] == "42")
    client.stop_channels()
    manager.shutdown_kernel()


def documents():
    for page in sorted(glob.glob(os.path.join(root, "Docs", "tutorial", "*.md"))):
        book = notebook(page)
        if not any(cell.cell_type == "code" for cell in book.cells):
            continue
        folder = tempfile.mkdtemp(dir=prefix)
        # Blocks that show errors are meant to.
        NotebookClient(book, timeout=300, kernel_name="act", allow_errors=True, resources={"metadata": {"path": folder}}).execute()
        nbformat.validate(book)
        html, _ = HTMLExporter().from_notebook_node(book)
        kinds = {mime for cell in book.cells if cell.cell_type == "code" for output in cell.outputs for mime in output.get("data", {})}
        failed = sum(output.output_type == "error" for cell in book.cells if cell.cell_type == "code" for output in cell.outputs)
        check(f"{os.path.basename(page)} through nbclient and nbconvert", len(html) > 10_000, f"{len(html)} bytes, {sorted(kinds)}, {failed} errors")


def browser():
    try:
        import jupyterlab
        from playwright.sync_api import sync_playwright
    except ImportError:
        return print("       no jupyterlab or no playwright: nothing is run in a browser")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        return print("       no Chromium: nothing is run in a browser")
    folder, pictures = tempfile.mkdtemp(dir=prefix), os.environ.get("ACT_PICTURES", prefix)
    book = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "act", "display_name": "act", "language": "act"}})
    # The last cell has the fault: behind it nothing would run.
    cells = ["x = range(-5, 5, 0.1)\nplot(x, sigmoid, sigmoid')", "1 / 0", "[1, 2] @ [1, 2, 3]"]
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(book, os.path.join(folder, "act.ipynb"))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=8931", "--IdentityProvider.token=", "--ServerApp.root_dir=" + folder]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with sync_playwright() as playwright:
            window = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page(viewport={"width": 1200, "height": 1400})
            for _ in range(60):
                try:
                    window.goto("http://127.0.0.1:8931/lab/tree/act.ipynb")
                    break
                except Exception:
                    time.sleep(1)
            window.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
            time.sleep(5)
            # Some versions ask which kernel is meant although the notebook says so.
            if window.locator(".jp-Dialog button.jp-mod-accept").count():
                window.locator(".jp-Dialog button.jp-mod-accept").click()
                time.sleep(2)
            window.locator(".jp-Notebook .jp-CodeCell").first.click()
            for _ in cells:
                window.keyboard.press("Shift+Enter")
                time.sleep(1)
            window.wait_for_selector(".jp-OutputArea-output img, .jp-OutputArea-output svg", timeout=60_000)
            time.sleep(2)
            texts = window.inner_text(".jp-Notebook")
            window.screenshot(path=os.path.join(pictures, "jupyterlab.png"))
            check("a notebook in JupyterLab", "division by zero" in texts and "do not fit" in texts, os.path.join(pictures, "jupyterlab.png"))
    finally:
        server.terminate()
        server.wait()


failures = []
try:
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(Protocol))
    check("jupyter_kernel_test", result.wasSuccessful(), f"{result.testsRun} tests, {len(result.skipped)} do not apply")
    conversations()
    documents()
    browser()
finally:
    shutil.rmtree(prefix, ignore_errors=True)
sys.exit(1 if failures else 0)
