// Grammars: the files of `Editors` are what the table gives, and the table leaves no word of the language out. Whether a grammar colours programs
// as the lexer reads them is compared by the programs that read it: Tests/Interchange/grammars.py.

import ActGrammars
import ActLanguage
import ActSyntax
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct GrammarTests {
    /// Where each grammar lies. `ACT_WRITE_DOCS=1` writes the files.
    @Test(arguments: [
        (GrammarTable.Kind.textmate, "vscode/syntaxes/act.tmLanguage.json"), (.pygments, "pygments/act_lang/pygments.py"), (.vim, "vim/syntax/act.vim"),
        (.codemirror, "codemirror/act.js"),
    ]) func filesAreWhatTheTableGives(kind: GrammarTable.Kind, file: String) throws {
        let path = BuiltCommand.packageFolder + "/Editors/" + file, text = GrammarTable(try Session()).grammar(kind)
        if getenv("ACT_WRITE_DOCS") != nil {
            let stream = try #require(fopen(path, "w"))
            fputs(text, stream)
            fclose(stream)
        }
        #expect(try ScriptFile.text(of: path) == text, "run `make reference`")
    }

    @Test func everyWordOfTheLanguageIsThere() throws {
        let session = try Session(), table = GrammarTable(session)
        #expect(Set(table.control + table.wordOperators + table.literals) == Set(keywords))
        #expect((table.control + table.wordOperators + table.literals).count == keywords.count)
        #expect(Set(table.functions + table.makers + table.numbers) == Set(session.builtins.names))
        #expect(table.makers.contains("Dense") && table.functions.contains("relu") && table.numbers.contains("pi"))
        for kind in GrammarTable.Kind.allCases {
            let grammar = table.grammar(kind)
            for word in keywords + ["softmax", "Dense", "pi"] { #expect(grammar.contains(word), "\(kind) lacks \(word)") }
        }
    }

    @Test func classesAreThoseOfTheLexer() throws {
        let text = "f(x) = \"a {x:.3f} {relu(x)}\" # \"c\"\nif not f { 0x1f' }"
        let source = try SourceText(id: 0, name: "", text: text)
        let found = GrammarTable(try Session()).classes(of: source).map { "\(source.text($0.span))|\($0.word)" }
        #expect(
            found == [
                "f|name", "(|sign", "x|name", ")|sign", "=|sign", "\"a {|text", "x|name", ":.3f|text", "} {|text", "relu|builtin", "(|sign", "x|name", ")|sign",
                "}\"|text", "# \"c\"|comment", "if|keyword", "not|keyword", "f|name", "{|sign", "0x1f|number", "'|sign", "}|sign",
            ])
    }
}
