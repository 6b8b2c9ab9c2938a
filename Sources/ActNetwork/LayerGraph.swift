// The graph of what a layer computes outside training, its parameters and state among the inputs: whoever writes it in other words keeps their names so,
// whatever the layer makes of them before it uses them.

import ActArray
import ActGrad

extension Layer {
    /// - Parameters:
    ///   - sizes, type: Of x.
    ///   - keeping: What is not taken apart into primitives.
    /// - Returns: The graph of x and of `arrays`: parameters and state, by name. There are none where the layer decides by their values.
    /// - Throws: what the layer throws; `ArrayError.noGraph`, `GraphError`.
    package func graph(
        of sizes: [GraphSize], type: ElementType, keeping: @escaping (CustomFunction) -> Bool
    ) throws -> (graph: Graph, arrays: [(name: String, array: NDArray)]) {
        let all = zip(parameterNames + stateNames, parameters + state).map { (name: $0, array: $1) }
        let numeric = all.indices.filter { all[$0].array.type != .bool }
        func taken(_ positions: [Int]) throws -> (graph: Graph, arrays: [(name: String, array: NDArray)]) {
            let arguments = [Graph.Argument("x", sizes: sizes, type: type)] + positions.map { Graph.Argument(all[$0].name, like: all[$0].array) }
            let graph = try Graph.symbolic(
                { inputs in
                    if positions.isEmpty { return [try self(inputs[0], Pass())] }
                    var layer = self, arrays = all.map(\.array)
                    for (position, input) in zip(positions, inputs.dropFirst()) { arrays[position] = input }
                    layer.parameters = Array(arrays.prefix(layer.parameterNames.count))
                    layer.state = Array(arrays.dropFirst(layer.parameterNames.count))
                    return [try layer(inputs[0], Pass())]
                }, of: arguments, lowered: true, keeping: keeping)
            return (graph, positions.map { all[$0] })
        }
        // What it looks at may be its parameters alone.
        do { return try taken(numeric) } catch { return try taken([]) }
    }
}
