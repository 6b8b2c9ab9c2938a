// What a file itself says may stand at a place: the fields of its records and layers, the arguments of its functions. It is read off the text, as
// far as a name is given a record, a layer of the program's own, or another such name.

import ActSyntax

struct OwnCandidates {
    let tree: SyntaxTree
    let resolution: Resolution
    let offset: Int

    /// Names that stand for names are followed so far.
    private static let longestWay = 16

    /// The fields of what names joined by points stand for.
    func fields(of path: [String]) -> [String] {
        guard let first = path.first, var value = symbol(named: first).flatMap(value) else { return [] }
        for name in path.dropFirst() {
            guard let part = parts(of: value).last(where: { $0.name == name }) else { return [] }
            value = part.value
        }
        return parts(of: value).map(\.name)
    }

    /// The arguments of a function of the file, as they are named in a call.
    func arguments(of name: String) -> [String] {
        guard let symbol = symbol(named: name), let function = function(symbol) else { return [] }
        return tree[tree[function].parameters].map { tree[$0.name] + "=" }
    }

    private func symbol(named name: String) -> SymbolID? { resolution.symbols(visibleAt: offset).first { tree[resolution[$0].name] == name } }

    private func function(_ symbol: SymbolID) -> FunctionID? {
        resolution.definitions(of: symbol).lazy.compactMap { if case .function(let function) = $0.kind { function } else { nil } }.first
    }

    /// What a name was given last above the place, or else anywhere.
    private func value(_ symbol: SymbolID) -> ExpressionID? {
        let values = resolution.definitions(of: symbol).compactMap { definition -> (start: Int32, value: ExpressionID)? in
            if case .value(let value) = definition.kind { (definition.span.start, value) } else { nil }
        }
        return (values.last { $0.start < offset } ?? values.last)?.value
    }

    private func parts(of id: ExpressionID, way: Int = 0) -> [(name: String, value: ExpressionID)] {
        guard way < Self.longestWay else { return [] }
        switch tree[id] {
        case .name: return resolution.symbol(of: id).flatMap(value).map { parts(of: $0, way: way + 1) } ?? []
        case .record(let fields):
            return tree[fields].flatMap { field in field.name.map { [(tree[$0], field.value)] } ?? parts(of: field.value, way: way + 1) }
        case .call(let callee, _):
            guard let symbol = resolution.symbol(of: callee), let function = function(symbol), tree[function].makesLayers,
                case .block(let statements) = tree[tree[function].body]
            else { return [] }
            return tree[statements].compactMap { statement in
                guard case .assign(let target, let value) = tree[statement.expression], case .name(let name) = tree[target] else { return nil }
                return (tree[name], value)
            }
        default: return []
        }
    }
}
