// `act check`: what is wrong with programs before they run, as text or as JSON, and done away with where that is certain.

import ActArray
import ActFiles
import ActLanguage
import ActSyntax
import ActWording
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Runner {
    /// - Parameters:
    ///   - fixes: Does the edits of which there is no doubt: files are written, standard input goes to standard output.
    ///   - isJSON: Writes a list of everything to standard output, in place of words.
    /// - Returns: The exit status: 1 if a file has errors or cannot be read or written; warnings alone are none.
    func check(_ files: [String], fixes: Bool, isJSON: Bool) -> Int32 {
        // Read before the sandbox closes.
        let sources = files.map { ($0, $0 == "-" ? InputFile.readAll(STDIN_FILENO, named: "standard input") : InputFile.readProgram($0)) }
        guard let session = startSession() else { return ExitStatus.failure }
        /// Files that several others import are told of once.
        var isRight = true, found: [JSON] = [], told: Set<String> = []
        for (file, source) in sources {
            switch source {
            case .failure(let failure):
                if isJSON { found.append(description(of: failure.diagnostic, in: nil, file)) } else { display.report(failure.diagnostic) }
                isRight = false
            case .success(let bytes):
                let name = file == "-" ? "<standard input>" : file
                var problems: Session.Problems
                if fixes {
                    let fixed = session.fixed(bytes, named: name)
                    problems = fixed.problems
                    // What is not text is a fault, and stays as it is.
                    if let text = String(validating: fixed.bytes, as: UTF8.self) {
                        if file == "-" {
                            if !isJSON { display.write(text) }
                        } else if fixed.bytes != bytes {
                            isRight = write(text, to: file) && isRight
                        }
                    }
                } else {
                    problems = session.problems(in: bytes, named: name, followsImports: true)
                }
                switch problems.status {
                case .done: break
                case .interrupted: return finish(.interrupted)
                case .failed, .limit, .exit: isRight = false
                }
                for (source, diagnostics) in problems.imported where !files.contains(source.name) && told.insert(source.name).inserted {
                    if isJSON {
                        found += diagnostics.map { description(of: $0, in: source, source.name) }
                    } else {
                        diagnostics.forEach(session.report)
                    }
                }
                if isJSON {
                    found += problems.diagnostics.map { description(of: $0, in: problems.source, name) }
                } else {
                    problems.diagnostics.forEach(session.report)
                }
            }
        }
        if isJSON {
            do { display.write(try JSON.list(found).text() + "\n") } catch {
                display.report(Diagnostic(.outOfMemory, "what was found cannot be written: \(message(about: error))"))
                isRight = false
            }
        }
        return isRight && Output.standard.finish() ? ExitStatus.success : ExitStatus.failure
    }

    /// A diagnostic for other programs. Lines and columns count from 1, columns in characters, as in messages; ends are behind the last character.
    private func description(of diagnostic: Diagnostic, in source: SourceText?, _ file: String) -> JSON {
        func place(_ span: Span) -> [(name: String, value: JSON)] {
            guard let source, Int(span.source) == source.id else { return [] }
            let start = source.lineAndColumn(of: Int(span.start)), end = source.lineAndColumn(of: Int(span.end))
            return [("line", .whole(start.line)), ("column", .whole(start.column)), ("endLine", .whole(end.line)), ("endColumn", .whole(end.column))]
        }
        var fields: [(name: String, value: JSON)] = [("file", .text(file))]
        if let span = diagnostic.primarySpan { fields += place(span) }
        fields += [("level", .text(diagnostic.level.rawValue)), ("code", .text(diagnostic.code.rawValue)), ("message", .text(diagnostic.title))]
        if let help = diagnostic.help { fields.append(("help", .text(help))) }
        if !diagnostic.notes.isEmpty { fields.append(("notes", .list(diagnostic.notes.map { .text($0) }))) }
        let labels = diagnostic.labels.filter { !$0.text.isEmpty }
        if !labels.isEmpty { fields.append(("labels", .list(labels.map { .object(place($0.span) + [("text", .text($0.text))]) }))) }
        if !diagnostic.edits.isEmpty {
            fields.append(("edits", .list(diagnostic.edits.map { .object(place($0.span) + [("text", .text($0.replacement))]) })))
            fields.append(("isCertain", .flag(!diagnostic.isGuess)))
        }
        return .object(fields)
    }
}
