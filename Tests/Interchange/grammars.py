"""The grammars of `Editors` against act's own lexer, each read by the program that it is for.

    python3 Tests/Interchange/grammars.py [ACT] [KIND…]

Over every example, script of the tests and block of the documents that is right as a program, each byte of each token must have the class that
the lexer gives it: comment, text, number, keyword, builtin, name, sign; keywords in compatible forms (full-width letters) are left out. Pygments reads its own; TextMate's is read by textmate-grammar-python, Vim's by Vim
(`synID`), CodeMirror's by CodeMirror 5 (of nbclassic) in a Chromium that playwright drives. What is not here is left out, and said.
"""
import glob, importlib.util, json, os, re, shutil, subprocess, sys, tempfile

act = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/act")
asked = sys.argv[2:]
root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
editors = os.path.join(root, "Editors")


def texts():
    """Names and texts of programs; those of documents by page and number."""
    for folder in ("examples", "Tests/Scripts"):
        for path in sorted(glob.glob(os.path.join(root, folder, "**", "*.act"), recursive=True)):
            with open(path, "rb") as file:
                yield os.path.relpath(path, root), file.read()
    for path in sorted(glob.glob(os.path.join(root, "**", "*.md"), recursive=True)):
        if os.sep + "." in os.path.relpath(path, root):
            continue
        with open(path, encoding="utf-8") as file:
            for number, block in enumerate(re.findall(r"```act\n(.*?)```\n", file.read(), flags=re.S)):
                yield f"{os.path.relpath(path, root)} block {number + 1}", block.encode()


def tokens(text):
    """What act's lexer says, or None if the text is no right program."""
    result = subprocess.run([act, "grammar", "tokens"], input=text, capture_output=True)
    if result.returncode:
        return None
    return [(int(start), int(end), word) for start, end, word in (line.split() for line in result.stdout.decode().splitlines())]


# MARK: The readers. Each gives, for texts, the class of every byte; None where it has none.


def spread(text, parts):
    """Classes of bytes from parts of the text as a string: (start in characters, part, class)."""
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    classes = [None] * offsets[-1]
    for start, part, word in parts:
        for index in range(offsets[start], offsets[start + len(part)]):
            classes[index] = word
    return classes


def pygments(programs):
    from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String

    spec = importlib.util.spec_from_file_location("act_pygments", os.path.join(editors, "pygments", "act_lang", "pygments.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lexer = module.ActLexer(stripnl=False, ensurenl=False)
    kinds = [
        (Comment, "comment"), (String, "text"), (Number, "number"), (Keyword, "keyword"), (Operator.Word, "keyword"), (Name.Builtin, "builtin"),
        (Name, "name"), (Operator, "sign"), (Punctuation, "sign"),
    ]
    for program in programs:
        text = program.decode()
        parts = [(start, part, next((word for kind, word in kinds if token in kind), None)) for start, token, part in lexer.get_tokens_unprocessed(text)]
        yield spread(text, parts)


def textmate(programs):
    from textmate_grammar.parsers.base import LanguageParser

    with open(os.path.join(editors, "vscode", "syntaxes", "act.tmLanguage.json"), encoding="utf-8") as file:
        parser = LanguageParser(json.load(file))
    kinds = [
        ("comment", "comment"), ("string", "text"), ("constant.character", "text"), ("constant.other.format", "text"), ("punctuation.section.interpolation", "text"),
        ("constant.numeric", "number"), ("keyword.control", "keyword"), ("keyword.operator.word", "keyword"), ("constant.language", "keyword"),
        ("support", "builtin"), ("variable", "name"), ("keyword.operator", "sign"), ("punctuation", "sign"), ("meta.interpolation", None), ("source", None),
    ]
    for program in programs:
        text = program.decode()
        lines = [0]
        for line in text.split("\n"):
            lines.append(lines[-1] + len(line) + 1)
        found = parser.parse_string(text)
        parts = []
        for (line, column), part, scopes in found.flatten() if found else []:
            # The innermost scope that says anything.
            word = next((word for scope in reversed(scopes) for prefix, word in kinds if scope.startswith(prefix)), None)
            parts.append((lines[line] + column, part.rstrip("\n"), word))
        yield spread(text, parts)


def vim(programs):
    kinds = {
        **dict.fromkeys(["actLineText", "actBlockText", "actEscape", "actInterpolationBrace", "actFormat"], "text"),
        **dict.fromkeys(["actControl", "actWordOperator", "actLiteral"], "keyword"), **dict.fromkeys(["actFunction", "actMaker", "actConstant"], "builtin"),
        **dict.fromkeys(["actSign", "actBracket"], "sign"), "actComment": "comment", "actNumber": "number", "actName": "name",
    }
    with tempfile.TemporaryDirectory() as folder:
        for number, program in enumerate(programs):
            with open(os.path.join(folder, f"{number}.act"), "wb") as file:
                file.write(program)
        script = f"""set encoding=utf-8 nomodeline noswapfile fileformats=unix
set runtimepath^={os.path.join(editors, "vim")}
syntax on
set filetype=act
let names = {{}}
for number in range({len(programs)})
  silent %delete _
  call setline(1, readfile('{folder}/' . number . '.act'))
  let found = []
  for line in range(1, line('$'))
    let row = []
    for column in range(1, len(getline(line)))
      let id = synID(line, column, 1)
      if !has_key(names, id)
        let names[id] = synIDattr(id, 'name')
      endif
      call add(row, names[id])
    endfor
    call add(found, join(row, ' '))
  endfor
  call writefile(found, '{folder}/' . number . '.classes')
endfor
0cquit
"""
        path = os.path.join(folder, "compare.vim")
        with open(path, "w") as file:
            file.write(script)
        subprocess.run(["vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "-S", path], check=True, stdin=subprocess.DEVNULL, timeout=900)
        for number, program in enumerate(programs):
            with open(os.path.join(folder, f"{number}.classes"), encoding="utf-8") as file:
                rows = file.read().split("\n")
            classes = []
            for line, row in zip(program.split(b"\n"), rows + [""]):
                names = row.split(" ") if line else []
                classes += [kinds.get(name) for name in names] + [None] * (len(line) - len(names)) + [None]
            yield classes[: len(program)]


def codemirror(programs):
    import nbclassic
    from playwright.sync_api import sync_playwright

    library = os.path.join(os.path.dirname(nbclassic.__file__), "static", "components", "codemirror")
    kinds = {"string": "text", "string-2": "text", "atom": "keyword", "variable": "name", "operator": "sign", "bracket": "sign"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content("<html><body></body></html>")
        for path in (os.path.join(library, "lib", "codemirror.js"), os.path.join(library, "addon", "runmode", "runmode.js"), os.path.join(editors, "codemirror", "act.js")):
            page.add_script_tag(path=path)
        run = """(text) => {
            const parts = [];
            CodeMirror.runMode(text, "text/x-act", (part, style) => parts.push([part, style]));
            return parts;
        }"""
        for program in programs:
            text, start, parts = program.decode(), 0, []
            for part, style in page.evaluate(run, text):
                parts.append((start, part, kinds.get(style, style)))
                start += len(part)
            yield spread(text, parts)
        browser.close()


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


readers = {
    "pygments": (pygments, None),
    "textmate": (textmate, None if importlib.util.find_spec("textmate_grammar") else "no textmate-grammar-python"),
    "vim": (vim, None if shutil.which("vim") and b"+syntax" in subprocess.run(["vim", "--version"], capture_output=True).stdout else "no Vim with colours"),
    "codemirror": (
        codemirror,
        None if importlib.util.find_spec("playwright") and importlib.util.find_spec("nbclassic") and chromium() else "no playwright, nbclassic or Chromium",
    ),
}

found = [(name, text, tokens(text)) for name, text in texts()]
right = [(name, text, words) for name, text, words in found if words is not None]
print(f"{len(right)} programs, {sum(len(words) for _, _, words in right)} tokens ({len(found) - len(right)} texts are no right programs)")
failed = len(right) < 500
for kind, (read, missing) in readers.items():
    if asked and kind not in asked:
        continue
    if missing:
        print(f"       {kind}: {missing}, so not compared")
        continue
    wrong = []
    for (name, text, words), classes in zip(right, read([text for _, text, _ in right])):
        for start, end, word in words:
            for index in range(start, end):
                if not text[index : index + 1].isspace() and classes[index] != word and not (word == "keyword" and text[start] >= 0x80):
                    line = text.count(b"\n", 0, start) + 1
                    wrong.append(f"{name}:{line}: {text[start:end][:40]!r} is {word}, not {classes[index]}")
                    break
    print(("WRONG  " if wrong else "ok     ") + f"{kind}: {len(wrong)} tokens have another class")
    for line in wrong[:20]:
        print("         " + line)
    failed = failed or bool(wrong)
sys.exit(1 if failed else 0)
