// The files that a program which is looked at imports: each is looked at once, as the program is, and what it defines is known to whoever imports it.
//
// What must stay true: nothing runs. Of a file that may not be read here or that imports itself nothing is known.

import ActArray
import ActBuiltins
import ActCompiler
import ActFiles
import ActMachine
import ActSyntax

package final class ImportedFiles {
    /// A file that was looked at: what it is when all of it has run.
    final class File {
        let check: ShapeCheck

        init(_ check: ShapeCheck) { self.check = check }
    }

    /// A function of such a file.
    final class Function {
        let file: File
        let id: FunctionID

        init(_ file: File, _ id: FunctionID) { (self.file, self.id) = (file, id) }
    }

    /// A file as whoever looks at programs reads it: its parts and what there is to say of them, or its faults and what they are in.
    package typealias Reading = (unit: SourceUnit?, source: SourceText?, diagnostics: [Diagnostic])

    private let builtins: BuiltinTable
    private let machine: Machine
    private let read: (_ bytes: [UInt8], _ name: String) -> Reading
    /// By its one name; `nil` for what is being looked at, and what has faults.
    private var files: [[UInt8]: File?] = [:]
    /// What is wrong with them, those that are imported first.
    private var found: [(source: SourceText, diagnostics: [Diagnostic])] = []

    private static let most = 200

    package init(_ builtins: BuiltinTable, _ machine: Machine, reading read: @escaping (_ bytes: [UInt8], _ name: String) -> Reading) {
        (self.builtins, self.machine, self.read) = (builtins, machine, read)
    }

    /// What `import(path)` gives in a file.
    /// - Throws: `ShapeFault` for a file that is missing, unless the program may write it first.
    func value(of path: String, from tree: SyntaxTree) throws -> ShapeValue {
        guard !Interrupt.isSet else { return .unknown }
        let name: (bytes: [UInt8], text: String), bytes: [UInt8]
        do { (name, bytes) = try machine.importedFile(path, from: tree.source.name) } catch let error as FileError {
            if tree.expressionIDs.contains(where: { if case .name(let name) = tree[$0] { tree[name] == "save" } else { false } }) { return .unknown }
            throw ShapeFault.other(error)
        } catch {
            return .unknown
        }
        if files[name.bytes] == nil {
            guard files.count < Self.most else { return .unknown }
            files[name.bytes] = .some(nil)
            files[name.bytes] = look(at: bytes, named: name.text)
        }
        guard let file = files[name.bytes] ?? nil else { return .unknown }
        return file.names
    }

    /// What is wrong with all of them, at the end: the files are forgotten, since each holds what it was looked at with, this among it.
    package func finished() -> [(source: SourceText, diagnostics: [Diagnostic])] {
        files = [:]
        return found
    }

    private func look(at bytes: [UInt8], named name: String) -> File? {
        let reading = read(bytes, name), doubts = reading.unit.map { Doubts(about: $0, reading.diagnostics, builtins, machine, self) }
        if let source = reading.source { found.append((source, doubts?.diagnostics ?? reading.diagnostics)) }
        return doubts?.check.map { File($0) }
    }
}

extension ImportedFiles.File {
    /// The record of its names.
    fileprivate var names: ShapeValue {
        var names: [(name: String, value: ShapeValue)] = []
        for index in check.resolution.symbols.indices {
            let symbol = SymbolID(index: UInt32(truncatingIfNeeded: index))
            guard check.resolution[symbol].kind == .global, check.definitionCount[symbol] != nil else { continue }
            names.append((check.tree[check.resolution[symbol].name], exported(check.values[symbol] ?? .unknown)))
        }
        return names.count <= ShapeCheck.mostFields ? .record(names) : .unknown
    }

    /// A value as another file sees it: a function is this one's, and what nobody knows has numbers of its own there.
    func exported(_ value: ShapeValue) -> ShapeValue {
        switch value {
        case .function(let id): .imported(ImportedFiles.Function(self, id))
        default: value.carried(exported)
        }
    }

    /// A value as this file sees it that comes from the one which imports it.
    private static func imported(_ value: ShapeValue) -> ShapeValue {
        if case .function = value { .unknown } else { value.carried(imported) }
    }

    /// What a function gives of arguments of another file. That file is told nothing of what is wrong in here.
    func call(_ function: FunctionID, _ arguments: [(name: String?, value: ShapeValue)], within caller: inout ShapeCheck) -> ShapeValue {
        var check = check
        (check.doubts, check.calls, check.steps, check.found) = (1, caller.calls + 1, caller.steps, FoundDiagnostics())
        let result = check.call(function, arguments.map { ($0.name, Self.imported($0.value)) })
        caller.steps = check.steps
        return exported(result)
    }
}

extension ShapeValue {
    /// The same for another file, with `change` of what it holds.
    fileprivate func carried(_ change: (ShapeValue) -> ShapeValue) -> ShapeValue {
        switch self {
        case .size(let size): size.number == nil ? .number(nil) : self
        case .array(let shape): .array(shape.map { $0?.number == nil ? nil : $0 })
        case .list(let elements): .list(elements.map(change))
        case .record(let fields): .record(fields.map { ($0.name, change($0.value)) })
        case .layer(let layers): layers.parts.contains { $0.function != nil } ? .unknown : self
        default: self
        }
    }
}
