// A mode of CodeMirror 5, for the classic notebook and web pages; CodeMirror 6 reads the same object by `StreamLanguage.define`:
// https://codemirror.net/5/doc/manual.html#modeapi.

extension GrammarTable {
    var codeMirror: String {
        func words(_ words: [String]) -> String {
            Self.wrapped(words, separator: " ", indent: "", width: 110).split(separator: "\n").map { "    \"\($0)\"" }.joined(separator: " + \" \" +\n")
        }
        func pattern(_ text: String) -> String { "/^(?:\(text.replacing("/", with: "\\/")))/u" }
        return """
            // Made by `act grammar codemirror`.
            (function (define) {
              if (typeof exports === "object" && typeof module === "object") define(require("../../lib/codemirror"));
              else if (typeof globalThis.define === "function" && globalThis.define.amd) globalThis.define(["../../lib/codemirror"], define);
              else define(globalThis.CodeMirror);
            })(function (CodeMirror) {
              "use strict";

              const styles = new Map();
              const words = (style, text) => text.split(" ").forEach((word) => styles.set(word, style));
              words("keyword",
            \(words(control)));
              words("keyword",
            \(words(wordOperators)));
              words("atom",
            \(words(literals)));
              words("builtin",
            \(words(functions)));
              words("builtin",
            \(words(makers)));
              words("builtin",
            \(words(numbers)));

              const number = \(pattern(Self.number(.unicode)));
              const name = \(pattern(Self.name(.unicode)));
              const escape = \(pattern(Self.escape));
              const format = /^:[^}"]*/;

            \(readingText)

            \(readingToken)

            \(mode)
            });

            """
    }

    /// The function that goes on in a text.
    private var readingText: String {
        """
          // What stands open: "(", "[", "{"; the quotes of a text; "}" for an expression in a text.
          function text(stream, state, quotes) {
            const begin = stream.pos;
            while (!stream.eol()) {
              const isFirst = stream.pos === begin;
              if (stream.match(quotes)) {
                state.open.pop();
                return "string";
              }
              if (stream.peek() === "{") {
                if (!isFirst) return "string";
                stream.next();
                state.open.push("}");
                return "string-2";
              }
              if (stream.peek() === "\\\\") {
                if (!isFirst) return "string";
                return stream.match(escape) || stream.next() ? "string-2" : null;
              }
              stream.next();
            }
            return "string";
          }
        """
    }

    /// The function that takes the next token.
    private var readingToken: String {
        """
          function token(stream, state) {
            if (stream.sol()) {
              // A text in one pair of quotes ends with its line.
              const broken = state.open.indexOf('"');
              if (broken >= 0) state.open.length = broken;
            }
            const innermost = state.open[state.open.length - 1];
            if (innermost === '"' || innermost === '\"""') return text(stream, state, innermost);
            if (stream.eatSpace()) return null;
            if (stream.match(/^#.*/)) return "comment";
            for (const quotes of ['\"""', '"']) {
              if (stream.match(quotes)) {
                state.open.push(quotes);
                return "string";
              }
            }
            // A colon right inside says how the value is written; one inside other brackets does not.
            if (innermost === "}" && stream.match(format)) return "string-2";
            if (stream.match(number)) return "number";
            const word = stream.match(name);
            if (word) return styles.get(word[0]) || "variable";
            const sign = stream.next();
            if ("([{".includes(sign)) state.open.push(sign);
            if (")]}".includes(sign)) {
              state.open.pop();
              if (innermost === "}") return "string-2";
              return "bracket";
            }
            return "([{".includes(sign) ? "bracket" : "operator";
          }
        """
    }

    /// What an editor asks for.
    private var mode: String {
        """
          const mode = {
            name: "act",
            startState: () => ({ open: [] }),
            copyState: (state) => ({ open: state.open.slice() }),
            token,
            indent: (state, after) => {
              const depth = state.open.filter((sign) => "([{".includes(sign)).length;
              return 4 * Math.max(0, depth - (/^\\s*[)\\]}]/.test(after) ? 1 : 0));
            },
            electricInput: /^\\s*[)\\]}]$/,
            lineComment: "#",
            fold: "brace",
            languageData: { commentTokens: { line: "#" } },
          };
          if (CodeMirror && CodeMirror.defineMode) {
            CodeMirror.defineMode("act", () => mode);
            CodeMirror.defineMIME("text/x-act", "act");
          }
          return mode;
        """
    }
}
