// Files that a program imports: each runs once in a session.

import ActArray
import ActMachine
import ActSyntax

extension Session {
    /// The paths of what has been imported.
    package var importedFiles: [String] { modules.dropFirst().map(\.name) }

    /// The record of the top-level names of a file, run once in a session.
    package func importModule(_ file: (bytes: [UInt8], text: String), bytes: [UInt8]) throws -> Value {
        let path = file.text
        guard let machine else { return .none }
        if let value = importedModules[file.bytes] {
            if case .undefined = value { throw MachineRefusal.importsItself(path) }
            return value
        }
        importedModules[file.bytes] = .undefined
        do {
            let module = Module(name: path, builtins: builtins.table)
            modules.append(module)
            switch compiled(bytes, named: path, into: module) {
            case .success(let program):
                defer { withExtendedLifetime(program.memory) {} }
                if !reportAll(program.warnings) { try Interrupt.check() }
                for code in program.codes { try machine.run(code) }
            case .failure(.interrupted): try Interrupt.check()
            case .failure(.tooLarge(let diagnostic)): throw Fault(diagnostic: diagnostic, kind: .limit)
            case .failure(.faults(let faults)): if let first = faults.first { throw Fault(diagnostic: first, kind: .error) }
            }
            let value = try Value.record(.init(module.variables.map { ($0.name, $0.value) }))
            importedModules[file.bytes] = value
            return value
        } catch {
            importedModules[file.bytes] = nil
            throw error
        }
    }
}
