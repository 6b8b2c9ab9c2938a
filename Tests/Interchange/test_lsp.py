"""act's language server against pytest-lsp, which checks each answer against what the editor says that it can do: VS Code and Neovim.

    ACT=.build/release/act python3 -m pytest Tests/Interchange/test_lsp.py

Also how long an editor waits after a keystroke in a file of 10,000 lines. Needs pytest and pytest-lsp.
"""
import asyncio, os, time

import pytest, pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

ACT = os.path.abspath(os.environ.get("ACT", ".build/release/act"))
URI = "file:///tmp/program.act"
TEXT = """\
# Twice as much.
double(x, by=2) = by * x
x = range(-5, 5, 0.1)
y = [1, 2, 3] @ ones(3, 4)
z = double(sigmoid(x))
s = "𝜎é"; w = undefinedname
net(v) = {
    t = v
    v
}
"""


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[ACT, "lsp"]), params=["visual_studio_code", "neovim"])
async def client(request, lsp_client: LanguageClient):
    await lsp_client.initialize_session(types.InitializeParams(capabilities=client_capabilities(request.param)))
    yield
    await lsp_client.shutdown_session()


async def opened(client, text=TEXT, version=1):
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "act", version, text)))


def at(line, character):
    return {"text_document": types.TextDocumentIdentifier(URI), "position": types.Position(line, character)}


ITEM = {"text_document": types.TextDocumentIdentifier(URI)}


async def diagnostics(client):
    if client.capabilities.text_document.diagnostic:
        report = await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(types.TextDocumentIdentifier(URI)))
        return report.items
    for _ in range(100):
        if URI in client.diagnostics:
            return client.diagnostics[URI]
        await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_diagnostics(client):
    await opened(client)
    found = await diagnostics(client)
    assert [d.code for d in found] == ["unknownName", "unusedAssignment"]
    assert found[0].range.start.line == 5 and found[0].range.end.character - found[0].range.start.character == 13


@pytest.mark.asyncio
async def test_hover(client):
    await opened(client)
    hover = await client.text_document_hover_async(types.HoverParams(**at(4, 12)))
    assert "derivative" in hover.contents.value
    hover = await client.text_document_hover_async(types.HoverParams(**at(4, 5)))
    assert "Twice as much" in hover.contents.value


@pytest.mark.asyncio
async def test_completion(client):
    await opened(client, "sigm\n\\sigma\n")
    found = await client.text_document_completion_async(types.CompletionParams(**at(0, 4)))
    assert "sigmoid" in [item.label for item in found.items]
    found = await client.text_document_completion_async(types.CompletionParams(**at(1, 6)))
    assert [item.label for item in found.items] == ["σ"]


@pytest.mark.asyncio
async def test_signature(client):
    await opened(client, TEXT + "double(1, ")
    help = await client.text_document_signature_help_async(types.SignatureHelpParams(**at(10, 10)))
    assert help.signatures[0].label == "double(x, by=2)" and help.active_parameter == 1


@pytest.mark.asyncio
async def test_places(client):
    await opened(client)
    found = await client.text_document_definition_async(types.DefinitionParams(**at(4, 5)))
    assert found[0].range.start == types.Position(1, 0)
    found = await client.text_document_references_async(types.ReferenceParams(**at(2, 0), context=types.ReferenceContext(True)))
    assert [place.range.start.line for place in found] == [2, 4]
    found = await client.text_document_document_highlight_async(types.DocumentHighlightParams(**at(2, 0)))
    assert len(found) == 2


@pytest.mark.asyncio
async def test_rename(client):
    await opened(client)
    edit = await client.text_document_rename_async(types.RenameParams(**at(2, 0), new_name="points"))
    assert [e.range.start.line for e in edit.changes[URI]] == [2, 4]
    with pytest.raises(Exception):
        await client.text_document_rename_async(types.RenameParams(**at(2, 0), new_name="z"))


@pytest.mark.asyncio
async def test_structure(client):
    await opened(client)
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(**ITEM))
    assert [symbol.name for symbol in symbols] == ["double", "x", "y", "z", "s", "w", "net"]
    folds = await client.text_document_folding_range_async(types.FoldingRangeParams(**ITEM))
    assert [(fold.start_line, fold.end_line) for fold in folds] == [(6, 8)]
    tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(**ITEM))
    assert len(tokens.data) % 5 == 0 and len(tokens.data) > 100


@pytest.mark.asyncio
async def test_formatting(client):
    await opened(client, "x=1\n")
    edits = await client.text_document_formatting_async(types.DocumentFormattingParams(**ITEM, options=types.FormattingOptions(4, True)))
    assert edits[0].new_text == "x = 1\n"


@pytest.mark.asyncio
async def test_actions(client):
    await opened(client, "x = np.exp(1)\n")
    context = types.CodeActionContext(await diagnostics(client))
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(**ITEM, range=types.Range(types.Position(0, 4), types.Position(0, 6)), context=context))
    assert actions[0].edit.changes[URI][0].new_text == "exp"


@pytest.mark.asyncio
async def test_shapes(client):
    await opened(client)
    hints = await client.text_document_inlay_hint_async(
        types.InlayHintParams(**ITEM, range=types.Range(types.Position(0, 0), types.Position(10, 0))))
    assert [hint.label for hint in hints][:3] == [": array f64 (100,)", ": array f64 (4,)", ": array f64 (100,)"]


@pytest.mark.asyncio
async def test_long_file(client):
    lines = 10_000
    await opened(client, "".join(f"x{i} = relu({i}) + sum([{i}, 2, 3])\n" for i in range(lines)))
    await diagnostics(client)
    times = []
    for number in range(10):
        client.diagnostics.pop(URI, None)
        start = time.perf_counter()
        change = types.TextDocumentContentChangePartial(types.Range(types.Position(5000, 0), types.Position(5000, 0)), "# ")
        client.text_document_did_change(types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(number + 2, URI), [change]))
        await client.text_document_hover_async(types.HoverParams(**at(10, 7)))
        await diagnostics(client)
        times.append(time.perf_counter() - start)
    print(f"\n{lines} lines: {1000 * min(times):.0f} ms from a keystroke to hover and faults, {1000 * max(times):.0f} ms at most")
