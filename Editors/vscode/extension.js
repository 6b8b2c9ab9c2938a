// The client of `act lsp`: what VS Code asks its extensions becomes requests of the Language Server Protocol, and the answers become VS Code's values.
//
// What must stay true: the server sees documents as the editor has them, edit by edit; a server that ends is started anew, but not for ever.
"use strict";

const vscode = require("vscode");
const { spawn } = require("node:child_process");

const selector = [{ language: "act" }];

/** Messages with a length in front, over the pipes of a process. */
class Connection {
  constructor(command, parameters, onNotice, onEnd) {
    this.waiting = new Map();
    this.count = 0;
    this.bytes = Buffer.alloc(0);
    this.onNotice = onNotice;
    this.process = spawn(command, parameters, { stdio: ["pipe", "pipe", "ignore"] });
    this.process.stdout.on("data", (chunk) => this.receive(chunk));
    this.process.stdin.on("error", () => {});
    let isOver = false;
    const end = (reason) => {
      if (isOver) return;
      isOver = true;
      for (const { reject } of this.waiting.values()) reject(new Error("the language server has ended"));
      this.waiting.clear();
      onEnd(reason);
    };
    this.process.on("error", (error) => end(error.message));
    this.process.on("exit", (status) => end(`status ${status}`));
  }

  send(message) {
    const text = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.process.stdin.write(Buffer.concat([Buffer.from(`Content-Length: ${text.length}\r\n\r\n`), text]));
  }

  notify(method, params) {
    this.send({ method, params });
  }

  /** Resolves to the result, or to null for a fault: VS Code then shows nothing. */
  request(method, params, token) {
    const id = ++this.count;
    token?.onCancellationRequested(() => this.waiting.has(id) && this.notify("$/cancelRequest", { id }));
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ id, method, params });
    });
  }

  receive(chunk) {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    for (;;) {
      const end = this.bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(this.bytes.toString("latin1", 0, end))?.[1]);
      if (this.bytes.length < end + 4 + length) return;
      const message = JSON.parse(this.bytes.toString("utf8", end + 4, end + 4 + length));
      this.bytes = this.bytes.subarray(end + 4 + length);
      const asked = this.waiting.get(message.id);
      if (asked && !message.method) {
        this.waiting.delete(message.id);
        message.error ? asked.resolve(null) : asked.resolve(message.result);
      } else if (message.method && message.id === undefined) {
        this.onNotice(message.method, message.params);
      }
    }
  }
}

// MARK: Values of the protocol and VS Code's

// VS Code writes its own ranges into JSON as lists.
const bounds = (r) => ({ start: { line: r.start.line, character: r.start.character }, end: { line: r.end.line, character: r.end.character } });
const place = (p) => new vscode.Position(p.line, p.character);
const range = (r) => new vscode.Range(place(r.start), place(r.end));
const edit = (e) => new vscode.TextEdit(range(e.range), e.newText);
const markdown = (m) => new vscode.MarkdownString(typeof m === "string" ? m : m?.value ?? "");
const location = (l) => new vscode.Location(vscode.Uri.parse(l.uri), range(l.range));
const list = (found, body) => (found ?? []).map(body);

function workspaceEdit(change) {
  const edits = new vscode.WorkspaceEdit();
  for (const [uri, changes] of Object.entries(change?.changes ?? {})) edits.set(vscode.Uri.parse(uri), changes.map(edit));
  for (const file of change?.documentChanges ?? []) edits.set(vscode.Uri.parse(file.textDocument.uri), file.edits.map(edit));
  return edits;
}

function diagnostic(found) {
  const shown = new vscode.Diagnostic(range(found.range), found.message, (found.severity ?? 1) - 1);
  shown.code = found.code;
  shown.source = "act";
  shown.relatedInformation = list(found.relatedInformation, (i) => new vscode.DiagnosticRelatedInformation(location(i.location), i.message));
  shown.tags = found.tags;
  return shown;
}

function symbol(found) {
  const shown = new vscode.DocumentSymbol(found.name, found.detail ?? "", found.kind - 1, range(found.range), range(found.selectionRange));
  shown.children = list(found.children, symbol);
  return shown;
}

function completion(found) {
  const item = new vscode.CompletionItem(found.label, (found.kind ?? 1) - 1);
  Object.assign(item, { detail: found.detail, sortText: found.sortText, filterText: found.filterText, source: found });
  if (found.textEdit) [item.range, item.insertText] = [range(found.textEdit.range), found.textEdit.newText];
  else if (found.insertText) item.insertText = found.insertText;
  if (found.documentation) item.documentation = markdown(found.documentation);
  return item;
}

// MARK: What VS Code asks

function providers(ask, capabilities) {
  const at = (document, position) => ({ textDocument: { uri: document.uri.toString() }, position });
  const whole = (document) => ({ textDocument: { uri: document.uri.toString() } });
  const languages = vscode.languages, legend = capabilities.semanticTokensProvider?.legend;
  const registrations = [
    languages.registerHoverProvider(selector, {
      provideHover: async (d, p, t) => {
        const found = await ask("textDocument/hover", at(d, p), t);
        return found && new vscode.Hover(markdown(found.contents), found.range && range(found.range));
      },
    }),
    languages.registerCompletionItemProvider(
      selector,
      {
        provideCompletionItems: async (d, p, t) => {
          const found = await ask("textDocument/completion", at(d, p), t);
          return list(found?.items ?? found, completion);
        },
        resolveCompletionItem: async (item, t) => {
          const found = await ask("completionItem/resolve", item.source, t);
          if (found?.documentation) item.documentation = markdown(found.documentation);
          return item;
        },
      },
      ...(capabilities.completionProvider?.triggerCharacters ?? []),
    ),
    languages.registerSignatureHelpProvider(
      selector,
      {
        provideSignatureHelp: async (d, p, t) => {
          const found = await ask("textDocument/signatureHelp", at(d, p), t);
          if (!found) return null;
          const help = new vscode.SignatureHelp();
          help.signatures = list(found.signatures, (s) => {
            const shown = new vscode.SignatureInformation(s.label, s.documentation && markdown(s.documentation));
            shown.parameters = list(s.parameters, (p) => new vscode.ParameterInformation(p.label, p.documentation && markdown(p.documentation)));
            return shown;
          });
          help.activeSignature = found.activeSignature ?? 0;
          help.activeParameter = found.activeParameter ?? 0;
          return help;
        },
      },
      ...(capabilities.signatureHelpProvider?.triggerCharacters ?? []),
    ),
    languages.registerDefinitionProvider(selector, {
      provideDefinition: async (d, p, t) => list([await ask("textDocument/definition", at(d, p), t)].flat().filter(Boolean), location),
    }),
    languages.registerReferenceProvider(selector, {
      provideReferences: async (d, p, context, t) => list(await ask("textDocument/references", { ...at(d, p), context }, t), location),
    }),
    languages.registerDocumentHighlightProvider(selector, {
      provideDocumentHighlights: async (d, p, t) =>
        list(await ask("textDocument/documentHighlight", at(d, p), t), (h) => new vscode.DocumentHighlight(range(h.range), (h.kind ?? 1) - 1)),
    }),
    languages.registerRenameProvider(selector, {
      prepareRename: async (d, p, t) => {
        const found = await ask("textDocument/prepareRename", at(d, p), t);
        if (!found) throw new Error("This cannot be renamed.");
        return found.range ? { range: range(found.range), placeholder: found.placeholder } : range(found);
      },
      provideRenameEdits: async (d, p, newName, t) => workspaceEdit(await ask("textDocument/rename", { ...at(d, p), newName }, t)),
    }),
    languages.registerDocumentSymbolProvider(selector, {
      provideDocumentSymbols: async (d, t) => list(await ask("textDocument/documentSymbol", whole(d), t), symbol),
    }),
    languages.registerFoldingRangeProvider(selector, {
      provideFoldingRanges: async (d, c, t) =>
        list(await ask("textDocument/foldingRange", whole(d), t), (f) =>
          new vscode.FoldingRange(f.startLine, f.endLine, f.kind === "comment" ? vscode.FoldingRangeKind.Comment : undefined)),
    }),
    languages.registerDocumentFormattingEditProvider(selector, {
      provideDocumentFormattingEdits: async (d, options, t) => list(await ask("textDocument/formatting", { ...whole(d), options }, t), edit),
    }),
    languages.registerCodeActionsProvider(selector, {
      provideCodeActions: async (d, r, context, t) => {
        const diagnostics = context.diagnostics.map((f) => ({ range: bounds(f.range), message: f.message, code: f.code, severity: f.severity + 1 }));
        const asked = { ...whole(d), range: bounds(r), context: { diagnostics, only: context.only && [context.only.value] } };
        return list(await ask("textDocument/codeAction", asked, t), (found) => {
          const action = new vscode.CodeAction(found.title, found.kind && vscode.CodeActionKind.Empty.append(found.kind));
          action.edit = workspaceEdit(found.edit);
          action.isPreferred = found.isPreferred;
          return action;
        });
      },
    }),
  ];
  if (capabilities.inlayHintProvider) {
    registrations.push(languages.registerInlayHintsProvider(selector, {
      provideInlayHints: async (d, r, t) =>
        list(await ask("textDocument/inlayHint", { ...whole(d), range: bounds(r) }, t), (h) => {
          const hint = new vscode.InlayHint(place(h.position), h.label, h.kind);
          [hint.paddingLeft, hint.paddingRight] = [h.paddingLeft, h.paddingRight];
          return hint;
        }),
    }));
  }
  if (legend) {
    const tokens = {
      provideDocumentSemanticTokens: async (d, t) => {
        const found = await ask("textDocument/semanticTokens/full", whole(d), t);
        return found && new vscode.SemanticTokens(new Uint32Array(found.data));
      },
    };
    registrations.push(languages.registerDocumentSemanticTokensProvider(selector, tokens,
      new vscode.SemanticTokensLegend(legend.tokenTypes, legend.tokenModifiers)));
  }
  return registrations;
}

// MARK: Life

let stop = () => {};

async function activate(context) {
  const shown = vscode.languages.createDiagnosticCollection("act");
  let connection = null, own = [], starts = [];

  const uses = (document) => document.languageId === "act";
  const open = (d) =>
    connection?.notify("textDocument/didOpen", {
      textDocument: { uri: d.uri.toString(), languageId: "act", version: d.version, text: d.getText() },
    });

  async function start() {
    const settings = vscode.workspace.getConfiguration("act"), command = settings.get("path", "act");
    starts = starts.filter((time) => Date.now() - time < 180_000).concat(Date.now());
    const mine = (connection = new Connection(command, settings.get("arguments", ["lsp"]), (method, params) => {
      if (method === "textDocument/publishDiagnostics") shown.set(vscode.Uri.parse(params.uri), params.diagnostics.map(diagnostic));
    }, (reason) => {
      if (connection !== mine) return;
      close();
      if (starts.length < 5 && !reason.includes("ENOENT")) return start().catch(() => {});
      vscode.window.showErrorMessage(`act's language server (${command}) does not run: ${reason}. The setting act.path says where act is.`);
    }));
    const answer = await mine.request("initialize", {
      processId: process.pid, rootUri: null,
      capabilities: {
        general: { positionEncodings: ["utf-16"] },
        textDocument: { publishDiagnostics: { relatedInformation: true }, completion: { completionItem: { documentationFormat: ["markdown"] } } },
      },
    });
    if (connection !== mine || !answer) return;
    mine.notify("initialized", {});
    vscode.workspace.textDocuments.filter(uses).forEach(open);
    own = providers((method, params, token) => mine.request(method, params, token).catch(() => null), answer.capabilities);
  }

  function close() {
    own.forEach((registration) => registration.dispose());
    [own, connection] = [[], null];
    shown.clear();
  }

  stop = async () => {
    const mine = connection;
    close();
    if (!mine) return;
    await mine.request("shutdown", null).catch(() => {});
    mine.notify("exit", null);
  };

  context.subscriptions.push(
    shown,
    vscode.workspace.onDidOpenTextDocument((d) => uses(d) && open(d)),
    vscode.workspace.onDidCloseTextDocument((d) => uses(d) && connection?.notify("textDocument/didClose", { textDocument: { uri: d.uri.toString() } })),
    vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (!uses(document)) return;
      connection?.notify("textDocument/didChange", {
        textDocument: { uri: document.uri.toString(), version: document.version },
        contentChanges: contentChanges.map((change) => ({ range: bounds(change.range), text: change.text })),
      });
    }),
    vscode.commands.registerCommand("act.restart", async () => {
      await stop();
      starts = [];
      await start();
    }),
  );
  await start().catch(() => {});
}

module.exports = { activate, deactivate: () => stop() };
