// The names of act, for advice about names.

import ActMachine
import ActPlot
import ActSyntax

extension Vocabulary {
    package static let builtins = Vocabulary(
        functions: BuiltinRows.all.map { ($0.name, $0.aliases) }, constants: Set(BuiltinRows.constants.map(\.name)),
        figureOptions: Dictionary(uniqueKeysWithValues: FigureOption.rows.map { ($0.name, $0.takes.example) }))
}

extension FigureOption.Kind {
    fileprivate var example: String {
        switch self {
        case .flag: "true"
        case .pixels: "800"
        case .limits: "(-1, 1)"
        case .text, .texts: "\"…\""
        }
    }
}
