// The extension for VS Code against `act lsp`, in a stand-in for VS Code that holds one document and keeps what is registered.
//
//     node Tests/Interchange/vscode.js [ACT]
"use strict";

const path = require("node:path"), Module = require("node:module");
const act = path.resolve(process.argv[2] ?? ".build/release/act");

class Value {
  constructor(...parts) { this.parts = parts; }
}
class Position {
  constructor(line, character) { Object.assign(this, { line, character }); }
}
class Range {
  constructor(start, end) { Object.assign(this, { start, end }); }
  // As VS Code's own.
  toJSON() { return [this.start, this.end]; }
}
class WorkspaceEdit {
  constructor() { this.files = new Map(); }
  set(uri, edits) { this.files.set(String(uri), edits); }
}
const named = (name) => ({ [name]: class extends Value {} })[name];
const providers = {}, events = {}, errors = [];
let shown = [];
const uri = { parse: (text) => ({ toString: () => text }) };
const document = {
  uri: uri.parse("file:///a.act"), languageId: "act", version: 1, text: "# doubles\nf(x) = 2 * x\ny = f([1, 2])\nz = np.exp(y)\n",
  getText() { return this.text; },
};
const vscode = {
  Position, Range, WorkspaceEdit, Uri: uri, FoldingRangeKind: { Comment: 1 }, CodeActionKind: { Empty: { append: (kind) => kind } },
  languages: new Proxy({}, {
    get: (_, name) =>
      name === "createDiagnosticCollection"
        ? () => ({ set: (file, found) => (shown = found), clear: () => (shown = []), dispose() {} })
        : (_, provider) => ((providers[name.slice("register".length)] = provider), { dispose() {} }),
  }),
  workspace: {
    textDocuments: [document], getConfiguration: () => ({ get: (name, other) => (name === "path" ? act : other) }),
    onDidOpenTextDocument: (f) => (events.open = f), onDidCloseTextDocument: (f) => (events.close = f), onDidChangeTextDocument: (f) => (events.change = f),
  },
  window: { showErrorMessage: (text) => errors.push(text) },
  commands: { registerCommand: (name, f) => (events[name] = f) },
};
for (const name of ["TextEdit", "MarkdownString", "Location", "Diagnostic", "DiagnosticRelatedInformation", "DocumentSymbol", "CompletionItem", "Hover", "SignatureHelp",
  "SignatureInformation", "ParameterInformation", "DocumentHighlight", "FoldingRange", "CodeAction", "InlayHint", "SemanticTokens", "SemanticTokensLegend"]) vscode[name] = named(name);

const load = Module._load;
Module._load = (request, ...rest) => (request === "vscode" ? vscode : load(request, ...rest));
const extension = require(path.join(__dirname, "..", "..", "Editors", "vscode", "extension.js"));

let failed = 0;
function check(what, isRight, found) {
  console.log((isRight ? "ok     " : "WRONG  ") + what, isRight ? "" : JSON.stringify(found));
  failed += isRight ? 0 : 1;
}
async function until(body) {
  for (let count = 0; count < 200 && !body(); count++) await new Promise((resolve) => setTimeout(resolve, 50));
}

(async () => {
  await extension.activate({ subscriptions: [] });
  await until(() => shown.length);
  check("diagnostics", shown.some((d) => d.parts[1].includes("np") && d.parts[2] === 0), shown);
  const at = (line, character) => new Position(line, character), all = new Range(at(0, 0), at(4, 0));
  const hover = await providers.HoverProvider.provideHover(document, at(1, 0));
  check("hover shows the comment", hover?.parts[0].parts[0].includes("doubles"), hover);
  const items = await providers.CompletionItemProvider.provideCompletionItems(document, at(2, 5));
  check("completion", items.length > 0, items);
  const definition = await providers.DefinitionProvider.provideDefinition(document, at(2, 4));
  check("definition", definition[0]?.parts[1].start.line === 1, definition);
  const references = await providers.ReferenceProvider.provideReferences(document, at(2, 4), { includeDeclaration: true });
  check("references", references.length === 2, references);
  const renamed = await providers.RenameProvider.provideRenameEdits(document, at(2, 4), "twice");
  check("rename", renamed.files.get("file:///a.act")?.length === 2, [...renamed.files]);
  const symbols = await providers.DocumentSymbolProvider.provideDocumentSymbols(document);
  check("symbols", symbols.some((s) => s.parts[0] === "f"), symbols);
  const actions = await providers.CodeActionsProvider.provideCodeActions(document, all, { diagnostics: [] });
  check("code actions", actions.some((a) => a.edit.files.get("file:///a.act")?.[0].parts[1] === "exp"), actions);
  const tokens = await providers.DocumentSemanticTokensProvider.provideDocumentSemanticTokens(document);
  check("semantic tokens", tokens.parts[0].length > 20 && tokens.parts[0].length % 5 === 0, tokens);
  const help = await providers.SignatureHelpProvider.provideSignatureHelp(document, at(2, 6));
  check("signature help", help?.signatures[0].parts[0].startsWith("f("), help);
  const highlights = await providers.DocumentHighlightProvider.provideDocumentHighlights(document, at(2, 4));
  check("highlights", highlights.length === 2, highlights);

  // An edit: what is wrong goes away, and the shapes are there.
  document.text = document.text.replace("np.exp", "exp");
  document.version = 2;
  events.change({ document, contentChanges: [{ range: new Range(at(3, 4), at(3, 10)), text: "exp" }] });
  await until(() => !shown.length);
  check("an edit reaches the server", shown.length === 0, shown);
  const hints = await providers.InlayHintsProvider.provideInlayHints(document, all);
  check("inlay hints", hints.some((h) => JSON.stringify(h.parts[1]).includes("(2,)")), hints);
  const layout = await providers.DocumentFormattingEditProvider.provideDocumentFormattingEdits(document, { tabSize: 4 });
  check("formatting", Array.isArray(layout), layout);
  const folds = await providers.FoldingRangeProvider.provideFoldingRanges(document);
  check("folding", Array.isArray(folds), folds);
  await events["act.restart"]();
  await until(() => providers.HoverProvider);
  check("a restart", (await providers.HoverProvider.provideHover(document, at(1, 0)))?.parts[0].parts[0].includes("doubles"));
  check("no complaints", errors.length === 0, errors);
  await extension.deactivate();
  process.exit(failed ? 1 : 0);
})();
