// Layers in the words of each framework (PythonWriter+Torch, +Keras, +JAX): one exhaustive `switch` over what layers are for each. What a
// framework has no layer for is a class of the module, whose body is the graph of what the layer computes.
//
// What must stay true: a layer does there what it does here outside training.

import ActArray
import ActGrad
import ActNetwork

/// The layers of a network in a framework: expressions that make them, and statements that put act's weights into them.
struct PythonLayers {
    var made: [String] = []
    var loads: [String] = []
}

extension PythonWriter {
    /// - Parameters:
    ///   - sizes: Of the input; of the output afterwards.
    ///   - path: How a module refers to the network: `model`.
    ///   - prefix: Before the names of act's parameters.
    func layers(_ network: Network, _ sizes: inout [GraphSize], path: String, prefix: String = "") throws -> PythonLayers {
        var result = PythonLayers()
        for (position, layer) in network.layers.enumerated() {
            try Interrupt.check()
            let place = framework == .keras ? "\(path).layers[\(result.made.count)]" : "\(path)[\(result.made.count)]"
            do {
                let after = try layer.sizes(of: sizes)
                let part =
                    framework == .torch
                    ? try torch(layer, sizes, after, place, "\(prefix)\(position).") : try keras(layer, sizes, after, place, "\(prefix)\(position).")
                result.made += part.made
                result.loads += part.loads
                sizes = after
            } catch let error as NetworkError { throw error.at(position, layer, isOutermost: prefix.isEmpty) }
        }
        return result
    }

    /// The module's function that is an activation with its settings, or a function of the program.
    func functionName(_ function: NamedFunction, _ sizes: [GraphSize]) throws -> String {
        if let row = function.row {
            let parameters = function.settings.map { (text: Python.number($0), number: Optional($0)) }
            if let value = self.row(row, Python("x"), parameters) {
                // One call of x alone is that function.
                let call = value.text
                if call.hasSuffix("(x)"), !call.dropLast(3).contains("(") { return String(call.dropLast(3)) }
                let name = fresh(row.name + "_with_settings")
                define(name) { ["def \(name)(x):", "    return \(call)"] }
                return name
            }
        }
        let graph = try take(sizes) { try function($0, Pass()) }
        let isWord = function.isNamed && function.name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }, name = fresh(isWord ? function.name : "f")
        let body = try self.body(of: graph, ["x"]) { [self] in Python(PythonWriter.weight(store($0))) }
        define(name) { ["def \(name)(x):"] + (body.lines + ["return \(body.result.text)"]).map { "    " + $0 } }
        return name
    }

    /// The graph of a layer or function of one array.
    func take(_ sizes: [GraphSize], _ function: (NDArray) throws -> NDArray) throws -> Graph { try take([("x", sizes)]) { try function($0[0]) } }

    /// The graph of a function, as far as it is taken apart for Python.
    func take(_ arguments: [(name: String, sizes: [GraphSize])], _ function: ([NDArray]) throws -> NDArray) throws -> Graph {
        try Graph.symbolic(
            { [try function($0)] }, of: arguments.map { Graph.Argument($0.name, sizes: $0.sizes, type: .f32) }, lowered: true, keeping: PythonWriter.keeps)
    }

    /// What the frameworks have as a whole.
    static func keeps(_ function: CustomFunction) -> Bool {
        switch function.name {
        case "convolution": function.attributes.contains(Attribute("gives", "result"))
        case "det", "inv", "solve": true
        default: if let row = function as? RowFunction { row.order == 0 && row.row.kind == .elementwise } else { false }
        }
    }

    // MARK: A class of the module

    /// What layers of PyTorch and Keras have of their own.
    private static let ofLayers = words(
        """
        T_destination activity_regularizer add_loss add_metric add_module add_variable add_weight apply autocast bfloat16 buffers build
        build_from_config built call call_signature_parameters call_super_init children compile compute_dtype compute_mask compute_output_shape
        compute_output_spec count_params cpu cuda double dtype dtype_policy dump_patches eval extra_repr float forward from_config get_buffer
        get_build_config get_config get_extra_state get_parameter get_submodule get_weights half input input_dtype input_spec ipu load_own_variables
        load_state_dict losses metrics metrics_variables modules mtia name named_buffers named_children named_modules named_parameters
        non_trainable_variables non_trainable_weights output parameters path quantization_mode quantize quantized_build quantized_call
        register_backward_hook register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
        register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
        register_state_dict_post_hook register_state_dict_pre_hook rematerialized_call requires_grad_ save_own_variables set_extra_state set_submodule
        set_weights share_memory state_dict stateless_call supports_jit supports_masking symbolic_call to to_empty train trainable trainable_variables
        trainable_weights training type variable_dtype variables weights xpu zero_grad
        """)

    /// A layer as what it computes.
    func composed(_ layer: any Layer, _ sizes: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        let (graph, inputs) = try layer.graph(of: sizes, type: .f32, keeping: PythonWriter.keeps)
        var attributes: [String: String] = [:]
        /// `f.W` as `f_W`; models from elsewhere call their arrays as they like.
        func attribute(_ name: String) -> String {
            if let known = attributes[name] { return known }
            var word = String(name.map { $0.isLetter || "0"..."9" ~= $0 ? $0 : "_" })
            if word.first?.isLetter != true || PythonWriter.ofLayers.contains(word) || PythonWriter.keywords.contains(word) { word = "p_" + word }
            while attributes.values.contains(word) { word += "_" }
            attributes[name] = word
            return word
        }
        // What training changes there too comes first, as Keras has it.
        let trained = zip(zip(layer.parameterNames, layer.parameters), layer.trains).map { (name: $0.0, array: $0.1, isTrained: $1) }
        let arrays = trained.filter(\.isTrained) + trained.filter { !$0.isTrained } + zip(layer.stateNames, layer.state).map { ($0, $1, false) }
        var held = arrays.map { (name: attribute($0.name), array: $0.array, stored: prefix + $0.name, isTrained: $0.isTrained) }
        let body = try self.body(of: graph, ["x"] + inputs.map { "self.\(attribute($0.name))" }) { [self] array in
            if let known = held.first(where: { $0.array.identity == array.identity }) { return Python("self.\(known.name)") }
            let stored = store(array)
            let name = attribute(stored)
            held.append((name, array, stored, false))
            return Python("self.\(name)")
        }
        let name = fresh(layer.settings.kind)
        var lines = [
            "class \(name)(\(framework == .torch ? "nn.Module" : "keras.layers.Layer")):", "    \"\"\"\(PythonWriter.comment(layer.text))\"\"\"", "",
        ]
        if framework == .torch {
            lines += ["    def __init__(self):", "        super().__init__()"]
            lines += held.map {
                let zeros = "torch.zeros(\(tuple($0.array.shape)))"
                return $0.isTrained ? "        self.\($0.name) = nn.Parameter(\(zeros))" : "        self.register_buffer(\"\($0.name)\", \(zeros))"
            }
            lines += ["", "    def forward(self, x):"]
        } else {
            lines += ["    def build(self, shape):"]
            lines += held.map {
                "        self.\($0.name) = self.add_weight(shape=\(tuple($0.array.shape)), name=\"\($0.name)\"\($0.isTrained ? "" : ", trainable=False"))"
            }
            if held.isEmpty { lines.append("        pass") }
            lines += ["", "    def call(self, x):"]
        }
        lines += (body.lines + ["return \(body.result.text)"]).map { "        " + $0 }
        define(name) { lines }
        let loads =
            framework == .torch
            ? held.map { "\(path).\($0.name).data = \(PythonWriter.weight($0.stored))" }
            : held.isEmpty ? [] : ["\(path).set_weights([\(held.map { PythonWriter.weight($0.stored) }.joined(separator: ", "))])"]
        return PythonLayers(made: ["\(name)()"], loads: loads)
    }
}
